import type { RunningBank } from '../../../src/channels/simulator/index.js';
import type { Instant } from '../../../src/kernel/index.js';
import type { Database } from '../../../src/runtime/index.js';
import type { Client } from '../../demo/http.js';
import type { Processes } from '../../demo/processes.js';
import type { Chance } from '../chance.js';

export interface ChannelRunOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly seed: number;
  readonly payouts: number;
  /** For the logs of the processes. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** A run at work. */
export interface Run {
  readonly options: ChannelRunOptions;
  readonly chance: Chance;
  readonly bank: RunningBank;
  readonly processes: Processes;
  readonly db: Database;
  readonly admin: Client;
  readonly platformId: string;
  readonly custodyNo: string;
  readonly startWorker: (place: number) => Promise<void>;
  nowMs: Instant;
  crashes: number;
}
