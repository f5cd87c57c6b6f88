/** Types of `index.mjs`, which is plain JavaScript because it runs before any package is installed. */
export interface Services {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** Named by DATABASE_URL and REDIS_URL: nothing was started. */
  readonly external: boolean;
  /** Nobody else was using them. */
  readonly alone: boolean;
  stop(): Promise<void>;
}

/** A free port of the loopback address: `wished` when nobody has it, any other else. */
export function freePort(wished?: number): Promise<number>;

export function startServices(name: string, options?: { keep?: boolean; fresh?: boolean }): Promise<Services>;
