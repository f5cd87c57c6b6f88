import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Calendar, Clock, NewId } from '../kernel/index.js';
import type { Bells } from './bells.js';
import type { Config } from './config.js';
import type { Database } from './database.js';
import type { Metrics } from './metrics.js';
import type { ReceiptKeys } from './receipt-keys.js';
import type { Vault } from './vault.js';

/** The machine room: what every part is handed instead of reaching for it. */
export interface Runtime {
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly newId: NewId;
  readonly redis: Redis;
  readonly bells: Bells;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly vault: Vault;
  readonly receiptKeys: ReceiptKeys;
}
