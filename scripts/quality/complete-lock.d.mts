/** Types of `complete-lock.mjs`. */
export function missingBuilds(packages: Record<string, { optionalDependencies?: Record<string, string> }>): [string, unknown][];
