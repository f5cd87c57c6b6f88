/** Types of packages.mjs for the tests. */
export function requireBrowser(): Promise<string>;
export function requireAccounting(): Promise<void>;
