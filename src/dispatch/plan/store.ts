import type { ChannelCode } from '../../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../../kernel/index.js';
import type { PayoutPurpose } from '../../payouts/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** A batch that was routed together. */
export interface Plan {
  readonly id: Id;
  readonly atMs: Instant;
  readonly payouts: number;
  readonly waiting: number;
  /** Fen. */
  readonly cost: Minor;
  /** What it costs at least under these floats and capacities, fen. */
  readonly bound: Minor;
  /** What the channels had left when it was routed, as JSON. */
  readonly position: string;
}

export async function insertPlan(tx: Tx, { id, atMs, payouts, waiting, cost, bound, position }: Plan): Promise<void> {
  await tx.write('INSERT INTO routing_plans (id, at_ms, payouts, waiting, cost, bound, position) VALUES (?, ?, ?, ?, ?, ?, ?)', [
    id,
    atMs,
    payouts,
    waiting,
    cost.toString(),
    bound.toString(),
    position,
  ]);
}

interface PlanRow {
  id: string;
  at_ms: string;
  payouts: number;
  waiting: number;
  cost: string;
  bound: string;
  position: string;
}

export async function findPlan(tx: Tx, id: Id): Promise<Plan | undefined> {
  const [row] = await tx.rows<PlanRow>('SELECT * FROM routing_plans WHERE id = ?', [id]);
  return row === undefined ? undefined : planOf(row);
}

/** Batches that were routed before a moment, the latest first. */
export async function listPlans(tx: Tx, before: Id | undefined, limit: number): Promise<Plan[]> {
  const rows = await tx.rows<PlanRow>(
    `SELECT * FROM routing_plans ${before === undefined ? '' : 'WHERE id < ?'} ORDER BY id DESC LIMIT ?`,
    before === undefined ? [limit] : [before, limit],
  );
  return rows.map(planOf);
}

function planOf(row: PlanRow): Plan {
  return {
    id: asId(row.id),
    atMs: Number(row.at_ms) as Instant,
    payouts: row.payouts,
    waiting: row.waiting,
    cost: BigInt(row.cost),
    bound: BigInt(row.bound),
    position: row.position,
  };
}

/** A channel that a payout was given to. */
export interface Attempt {
  readonly payoutId: Id;
  /** From 1. */
  readonly attempt: number;
  readonly planId: Id;
  readonly channel: ChannelCode;
  /** Fen. */
  readonly cost: Minor;
  readonly arrivesMs: Instant;
  /** The calendar of that date is not known yet. */
  readonly provisional: boolean;
  /** When it was taken back from the channel; null while it is with it. */
  readonly endedMs: Instant | null;
  /** The channel said that it did not pay and never will. */
  readonly refused: boolean;
  readonly reason: string | null;
  /** The channel did not take it for a while: from when on it may be given to it again. Null where it said no such thing. */
  readonly againMs: Instant | null;
}

/** Writes down to which channel payouts are given, each as its next attempt. Their float is reserved where `reserved` says so. */
export async function insertAttempts(
  tx: Tx,
  attempts: readonly Pick<Attempt, 'payoutId' | 'attempt' | 'planId' | 'channel' | 'cost' | 'arrivesMs' | 'provisional'>[],
  reserved: boolean,
): Promise<void> {
  const rows = attempts.map(
    (a) =>
      `${a.payoutId},${a.attempt},${a.planId},'${a.channel}',${a.cost},${a.arrivesMs},${a.provisional ? 1 : 0},NULL,0,NULL,'${reserved ? 'reserved' : 'none'}',0`,
  );
  await tx.write(
    `INSERT INTO payout_attempts (payout_id, attempt, plan_id, channel, cost, arrives_ms, provisional, ended_ms, refused, reason, float_state,
       sendings)
     VALUES ${sql.tuples(rows)}`,
  );
}

interface AttemptRow {
  payout_id: string;
  attempt: number;
  plan_id: string;
  channel: ChannelCode;
  cost: string;
  arrives_ms: string;
  provisional: number;
  ended_ms: string | null;
  refused: number;
  reason: string | null;
  again_ms: string | null;
}

/** Every attempt of these payouts, in their order. */
export async function attemptsOf(tx: Tx, payoutIds: readonly Id[]): Promise<Map<Id, Attempt[]>> {
  const found = new Map<Id, Attempt[]>();
  if (payoutIds.length === 0) return found;
  const rows = await tx.rows<AttemptRow>(
    `SELECT payout_id, attempt, plan_id, channel, cost, arrives_ms, provisional, ended_ms, refused, reason, again_ms
     FROM payout_attempts WHERE payout_id IN (${payoutIds.join()}) ORDER BY payout_id, attempt`,
  );
  for (const attempt of rows.map(attemptOf)) {
    const known = found.get(attempt.payoutId);
    if (known === undefined) found.set(attempt.payoutId, [attempt]);
    else known.push(attempt);
  }
  return found;
}

/** What a plan gave to which channel, by payout. */
export async function attemptsOfPlan(
  tx: Tx,
  planId: Id,
): Promise<(Attempt & { amount: Minor; bankCode: string; purpose: PayoutPurpose; createdMs: Instant })[]> {
  const rows = await tx.rows<AttemptRow & { amount: string; payee_bank: string; purpose: PayoutPurpose; created_ms: string }>(
    `SELECT a.*, p.amount, p.payee_bank, p.purpose, p.created_ms FROM payout_attempts AS a JOIN payouts AS p ON p.id = a.payout_id
     WHERE a.plan_id = ? ORDER BY a.payout_id`,
    [planId],
  );
  return rows.map((row) => ({
    ...attemptOf(row),
    amount: BigInt(row.amount),
    bankCode: row.payee_bank,
    purpose: row.purpose,
    createdMs: Number(row.created_ms) as Instant,
  }));
}

function attemptOf(row: AttemptRow): Attempt {
  return {
    payoutId: asId(row.payout_id),
    attempt: row.attempt,
    planId: asId(row.plan_id),
    channel: row.channel,
    cost: BigInt(row.cost),
    arrivesMs: Number(row.arrives_ms) as Instant,
    provisional: row.provisional === 1,
    endedMs: row.ended_ms === null ? null : (Number(row.ended_ms) as Instant),
    refused: row.refused === 1,
    reason: row.reason,
    againMs: row.again_ms === null ? null : (Number(row.again_ms) as Instant),
  };
}

/** Ends the attempts that are still with a channel. */
export async function endAttempts(
  tx: Tx,
  payoutIds: readonly Id[],
  {
    channel,
    refused,
    reason,
    nowMs,
    againMs = null,
  }: { channel: ChannelCode; refused: boolean; reason: string; nowMs: Instant; againMs?: Instant | null },
): Promise<void> {
  await tx.write(
    `UPDATE payout_attempts SET ended_ms = ?, refused = ?, reason = ?, again_ms = ?
     WHERE ended_ms IS NULL AND channel = ? AND payout_id IN (${payoutIds.join()})`,
    [nowMs, refused ? 1 : 0, reason, againMs, channel],
  );
}

/** How often payouts were handed to a channel, and what is known of that. */
export interface Sendings {
  /** By all attempts with this channel. */
  readonly inAll: number;
  /** By the attempt that is open. */
  readonly open: number;
  /** How often it did not take the payout for a while. */
  readonly notNow: number;
}

/** Writes down that payouts are handed to their channels, before they are; or (-1) that one of the sendings never was. */
export async function countSendings(tx: Tx, payoutIds: readonly Id[], by: 1 | -1): Promise<void> {
  if (payoutIds.length > 0)
    await tx.write(
      `UPDATE payout_attempts SET sendings = sendings + ? WHERE ended_ms IS NULL AND payout_id IN (${payoutIds.join()})`,
      [by],
    );
}

/** How often payouts were handed to the channels that have them now; nobody else counts until the commit. */
export async function openSendings(tx: Tx, payoutIds: readonly Id[]): Promise<Map<Id, number>> {
  if (payoutIds.length === 0) return new Map();
  const rows = await tx.rows<{ payout_id: string; sendings: number }>(
    `SELECT payout_id, sendings FROM payout_attempts
     WHERE ended_ms IS NULL AND payout_id IN (${payoutIds.join()}) ORDER BY payout_id FOR UPDATE`,
  );
  return new Map(rows.map(({ payout_id: id, sendings }) => [asId(id), sendings]));
}

/** Of payouts that were given to a channel. */
export async function sendingsTo(tx: Tx, payoutIds: readonly Id[], channel: ChannelCode): Promise<Map<Id, Sendings>> {
  if (payoutIds.length === 0) return new Map();
  const rows = await tx.rows<Record<'payout_id' | 'in_all' | 'open' | 'not_now', string>>(
    `SELECT payout_id, SUM(sendings) AS in_all, SUM(CASE WHEN ended_ms IS NULL THEN sendings ELSE 0 END) AS open,
       COUNT(again_ms) AS not_now
     FROM payout_attempts WHERE channel = ? AND payout_id IN (${payoutIds.join()}) GROUP BY payout_id`,
    [channel],
  );
  return new Map(
    rows.map((row) => [asId(row.payout_id), { inAll: Number(row.in_all), open: Number(row.open), notNow: Number(row.not_now) }]),
  );
}

/** How many payouts each channel was given on a natural day. */
export async function carriedOn(tx: Tx, date: BusinessDate): Promise<Map<ChannelCode, number>> {
  const rows = await tx.rows<{ channel: ChannelCode; carried: number }>(
    'SELECT channel, carried FROM channel_days WHERE on_date = ?',
    [date],
  );
  return new Map(rows.map(({ channel, carried }) => [channel, carried]));
}

/** Adds payouts to what a channel was given on a natural day. @returns how many that are now */
export async function addCarried(tx: Tx, date: BusinessDate, channel: ChannelCode, number: number): Promise<number> {
  await tx.write(
    `INSERT INTO channel_days (channel, on_date, carried) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE carried = carried + VALUES(carried)`,
    [channel, date, number],
  );
  return (await carriedOn(tx, date)).get(channel) ?? 0;
}
