/**
 * A bell tells a worker to look; it carries no data and may be lost, since the rows are the truth and a sweep rings again.
 * `key` says where to look (a shard, a platform); bells of the same name and key that wait are one.
 */
export type BellName =
  | 'execute-shard'
  | 'relay-outbox'
  | 'send-payouts'
  | 'poll-payouts'
  | 'close-day'
  | 'close-step'
  | 'take-incoming'
  | 'order-interest'
  | 'send-sms'
  | 'verify-openings'
  | 'verify-users'
  | 'screen-customers'
  | 'run-batches'
  | 'watch-flows'
  | 'compare-files'
  | 'exchange-fund-files'
  | 'sweep';

/** The key of bells for which there is one place to look. */
export const ONE_PLACE = 'all';

export interface Bells {
  ring(name: BellName, key: string): Promise<void>;
  /** Rings for these keys one after the other: for each when the job of the one before it has ended. Jobs end well: see `runJob`. */
  ringInTurn(name: BellName, keys: readonly string[]): Promise<void>;
}
