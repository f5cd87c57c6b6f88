import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which channel carries a payout and why: plans, the attempts of each payout, the bank's own money in each channel, and how channels do.
 * Locks `payouts` and `channel_cursors` for the time of widening a short column (in place on both servers); all else is new. Back out: drop the
 * new tables. Re-runnable: every statement is, and a payout whose channel was renamed is not found again.
 */
const STATEMENTS = [
  'ALTER TABLE payouts MODIFY channel VARCHAR(16) NULL',
  'ALTER TABLE channel_cursors MODIFY channel VARCHAR(16) NOT NULL',
  // One gateway stood for all other banks; what it carried is of the system for small payments.
  "UPDATE payouts SET channel = 'beps' WHERE channel = 'interbank'",
  "DELETE FROM channel_cursors WHERE channel = 'interbank'",
  // A batch that was routed together: what the channels had left then, what it costs, and what it must cost at least.
  `CREATE TABLE IF NOT EXISTS routing_plans (
     id BIGINT NOT NULL PRIMARY KEY,
     at_ms BIGINT NOT NULL,
     payouts INT NOT NULL,
     waiting INT NOT NULL,
     cost BIGINT NOT NULL,
     bound BIGINT NOT NULL,
     position TEXT NOT NULL,
     KEY routing_plans_by_time (at_ms, id)
   )`,
  // Each channel that a payout was given to; all but the last turned it away, or could not take it in the end.
  `CREATE TABLE IF NOT EXISTS payout_attempts (
     payout_id BIGINT NOT NULL,
     attempt INT NOT NULL,
     plan_id BIGINT NOT NULL,
     channel VARCHAR(16) NOT NULL,
     cost BIGINT NOT NULL,
     arrives_ms BIGINT NOT NULL,
     provisional TINYINT NOT NULL,
     ended_ms BIGINT NULL,
     refused TINYINT NOT NULL,
     reason VARCHAR(128) NULL,
     float_state VARCHAR(8) NOT NULL,
     PRIMARY KEY (payout_id, attempt),
     KEY payout_attempts_by_plan (plan_id, payout_id),
     KEY payout_attempts_by_float (float_state, payout_id)
   )`,
  // What each channel was given on a natural day, where its contract bounds that.
  `CREATE TABLE IF NOT EXISTS channel_days (
     channel VARCHAR(16) NOT NULL,
     on_date DATE NOT NULL,
     carried INT NOT NULL,
     PRIMARY KEY (channel, on_date)
   )`,
  `CREATE TABLE IF NOT EXISTS channel_floats (
     channel VARCHAR(16) NOT NULL PRIMARY KEY,
     balance BIGINT NOT NULL,
     reserved BIGINT NOT NULL,
     alert_below BIGINT NULL,
     told BIGINT NULL,
     told_ms BIGINT NULL,
     changed_ms BIGINT NOT NULL,
     CONSTRAINT channel_floats_reserved CHECK (reserved >= 0)
   )`,
  `CREATE TABLE IF NOT EXISTS float_entries (
     id BIGINT NOT NULL PRIMARY KEY,
     channel VARCHAR(16) NOT NULL,
     kind VARCHAR(12) NOT NULL,
     amount BIGINT NOT NULL,
     balance_after BIGINT NOT NULL,
     payments INT NOT NULL,
     transfer_id BIGINT NULL,
     at_ms BIGINT NOT NULL,
     KEY float_entries_by_channel (channel, id)
   )`,
  // Calls of a minute, for the rates; and how many in a row had no answer, for the circuit.
  `CREATE TABLE IF NOT EXISTS channel_minutes (
     channel VARCHAR(16) NOT NULL,
     minute_ms BIGINT NOT NULL,
     answered INT NOT NULL,
     unanswered INT NOT NULL,
     latency_ms BIGINT NOT NULL,
     latency_max_ms BIGINT NOT NULL,
     PRIMARY KEY (channel, minute_ms)
   )`,
  `CREATE TABLE IF NOT EXISTS channel_circuits (
     channel VARCHAR(16) NOT NULL PRIMARY KEY,
     unanswered INT NOT NULL,
     unanswered_ms BIGINT NOT NULL
   )`,
  // Payouts that people stopped before any channel heard of them.
  `CREATE TABLE IF NOT EXISTS payout_intercepts (
     payout_id BIGINT NOT NULL PRIMARY KEY,
     asked_by VARCHAR(64) NOT NULL,
     reason VARCHAR(128) NOT NULL,
     at_ms BIGINT NOT NULL,
     done TINYINT NOT NULL,
     KEY payout_intercepts_open (done, payout_id)
   )`,
];

/** How soon the bank promises that money arrives, in minutes; what has no row here is paid the cheapest way. */
const PROMISES = [
  ['promise.minutes.withdrawal', 120],
  ['promise.minutes.closing', 120],
] as const;

export class Routes1700000000026 implements MigrationInterface {
  name = 'Routes1700000000026';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    for (const [name, minutes] of PROMISES)
      await runner.query(
        `INSERT INTO parameters (name, valid_from, value, source) VALUES (?, '2016-04-01', ?, '银行自定')
         ON DUPLICATE KEY UPDATE value = parameters.value`,
        [name, minutes],
      );
  }

  async down(): Promise<void> {
    throw new Error('migrations go forward only');
  }
}
