/** Types of packages.mjs for the tests. */
export function requireBrowser(): Promise<string>;
