/** Types of `settings.mjs`. */
export const DATABASE_SETTINGS: Readonly<Record<string, string>>;
export const REDIS_SETTINGS: Readonly<Record<string, string>>;
