import { type BellName, type Config, ONE_PLACE } from '../src/runtime/index.js';

export interface TimedJob {
  readonly job: BellName;
  readonly key: string;
  readonly everyMs: (config: Config) => number;
}

/** Every job that time alone starts. All else is rung for, or found by the sweep. */
export const SCHEDULE: readonly TimedJob[] = [
  { job: 'sweep', key: ONE_PLACE, everyMs: (config) => config.TICK_MS },
  // The core bank rings no bell of ours: only by asking is it known that it holds a transfer.
  { job: 'take-incoming', key: ONE_PLACE, everyMs: (config) => config.TICK_MS },
  // Folders of other houses are not listed at every tick.
  { job: 'compare-files', key: ONE_PLACE, everyMs: () => 300_000 },
  { job: 'exchange-fund-files', key: ONE_PLACE, everyMs: () => 60_000 },
];
