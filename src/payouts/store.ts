import type { ChannelCode } from '../channels/index.js';
import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx, type Vault } from '../runtime/index.js';
import { mayLeave } from './leaving-store.js';
import { isUnderWay, type PayoutState, UNDER_WAY } from './states.js';

/** A payment that leaves the custody account; of the purpose `top-up`: one that is collected into it. */
export interface Payout {
  /** The same digits as the instruction that made it; the message number at every channel, for ever. */
  readonly id: Id;
  readonly platformId: Id;
  readonly shardId: number;
  readonly purpose: PayoutPurpose;
  /** Where the money came from, and where it goes back to when the payout fails or returns; of a top-up: what will be credited. */
  readonly sourceAccountId: Id;
  /** The order of a refund. */
  readonly orderNo: string | null;
  readonly amount: Minor;
  /** Who is paid; of a top-up: whose card is debited. Name and account are sealed. */
  readonly payee: { readonly name: string; readonly account: string; readonly bankCode: string };
  readonly businessDate: BusinessDate;
  /** The last business date on which the money for it came in; it is sent when the proof of that date has passed. Of a top-up it says nothing. */
  readonly fundedOn: BusinessDate;
  readonly state: PayoutState;
  readonly channel: ChannelCode | null;
  readonly reason: string | null;
  readonly attempts: number;
  /** When it is next to be sent or asked after. */
  readonly nextMs: Instant;
  readonly createdMs: Instant;
  readonly changedMs: Instant;
}
/** top-up: a collection (代收), which brings money in from the payee's card; all others pay out. closing: all that is left of an account.
 *  suspense-return: money from an unknown payer goes back to him. fund-settlement: what was paid for units goes to the custody of their fund. judicial: an authority takes what it had frozen. */
export const PAYOUT_PURPOSES = [
  'clearing',
  'withdrawal',
  'refund',
  'top-up',
  'closing',
  'suspense-return',
  'judicial',
  'fund-settlement',
] as const;
export type PayoutPurpose = (typeof PAYOUT_PURPOSES)[number];

interface PayoutRow {
  id: string;
  platform_id: string;
  shard_id: number;
  purpose: PayoutPurpose;
  source_account_id: string;
  order_no: string | null;
  amount: string;
  payee_name: string;
  payee_account: string;
  payee_bank: string;
  business_date: BusinessDate;
  funded_on: BusinessDate;
  state: PayoutState;
  channel: ChannelCode | null;
  reason: string | null;
  attempts: number;
  next_ms: string;
  created_ms: string;
  changed_ms: string;
}

function payoutOf(row: PayoutRow): Payout {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    shardId: row.shard_id,
    purpose: row.purpose,
    sourceAccountId: asId(row.source_account_id),
    orderNo: row.order_no,
    amount: BigInt(row.amount),
    payee: { name: row.payee_name, account: row.payee_account, bankCode: row.payee_bank },
    businessDate: row.business_date,
    fundedOn: row.funded_on,
    state: row.state,
    channel: row.channel,
    reason: row.reason,
    attempts: row.attempts,
    nextMs: Number(row.next_ms) as Instant,
    createdMs: Number(row.created_ms) as Instant,
    changedMs: Number(row.changed_ms) as Instant,
  };
}

export const payoutRecords: RecordType<Payout> = {
  name: 'payout',
  accountsOf: (payout) => [payout.sourceAccountId],
  async load(tx, keys) {
    const rows = await tx.rows<PayoutRow>(`SELECT * FROM payouts WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, payoutOf(row)]));
  },
  saving(payouts) {
    const rows = payouts.map(
      (p) =>
        `${p.id},${p.platformId},${p.shardId},'${p.purpose}',${p.sourceAccountId},${sql.nullableText(p.orderNo)},${p.amount},${sql.text(p.payee.name)},` +
        `${sql.text(p.payee.account)},${sql.text(p.payee.bankCode)},'${p.businessDate}','${p.fundedOn}','${p.state}',${sql.nullableText(p.channel)},` +
        `${sql.nullableText(p.reason)},${p.attempts},${p.nextMs},${p.createdMs},${p.changedMs}`,
    );
    return `INSERT INTO payouts (id, platform_id, shard_id, purpose, source_account_id, order_no, amount, payee_name, payee_account, payee_bank,
         business_date, funded_on, state, channel, reason, attempts, next_ms, created_ms, changed_ms)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE state = VALUES(state), reason = VALUES(reason), changed_ms = VALUES(changed_ms)`;
  },
};

/** What of an account is neither with the payee nor back: `paid` out of it, or `collected` for it. Minor units. */
export interface UnderWay {
  readonly paid: Minor;
  readonly collected: Minor;
}

/** By account id; summed up from the payouts, stored nowhere. */
export const underWayRecords: RecordType<UnderWay> = {
  name: 'payouts-under-way',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ source_account_id: string; purpose: PayoutPurpose; amount: string }>(
      `SELECT source_account_id, purpose, SUM(amount) AS amount FROM payouts
       WHERE source_account_id IN (${keys.join()}) AND state IN (${UNDER_WAY.map((state) => `'${state}'`).join()})
       GROUP BY source_account_id, purpose`,
    );
    const found = new Map<string, UnderWay>(keys.map((key) => [key, { paid: 0n, collected: 0n }]));
    for (const { source_account_id: id, purpose, amount } of rows)
      found.set(id, withMore(found.get(id) as UnderWay, { purpose }, BigInt(amount)));
    return found;
  },
  sumsUp: {
    type: payoutRecords,
    keyOf: (payout: Payout) => payout.sourceAccountId,
    changed: (row: UnderWay, before: Payout | undefined, after: Payout) => {
      const of = (payout: Payout | undefined) => (payout !== undefined && isUnderWay(payout.state) ? payout.amount : 0n);
      return withMore(row, after, of(after) - of(before));
    },
  },
  saving: () => undefined,
};

function withMore({ paid, collected }: UnderWay, payout: Pick<Payout, 'purpose'>, amount: Minor): UnderWay {
  return bringsMoneyIn(payout) ? { paid, collected: collected + amount } : { paid: paid + amount, collected };
}

/** Who is paid, as it was given. */
export function openPayee({ payee: { name, account, bankCode } }: Pick<Payout, 'payee'>, vault: Vault): Payout['payee'] {
  return { name: vault.read(name), account: vault.read(account), bankCode };
}

export async function findPayout(tx: Tx, id: Id): Promise<Payout | undefined> {
  return (await payoutRecords.load(tx, [id])).get(id);
}

export interface PayoutFilter {
  readonly platformId?: Id | undefined;
  readonly state?: PayoutState | undefined;
  readonly businessDate?: BusinessDate | undefined;
  readonly after?: Id | undefined;
}

/** Payouts in the order they were made. */
export async function listPayouts(tx: Tx, filter: PayoutFilter, limit: number): Promise<Payout[]> {
  const conditions = ['id > ?'];
  const values: unknown[] = [filter.after ?? '0'];
  for (const [column, value] of [
    ['platform_id', filter.platformId],
    ['state', filter.state],
    ['business_date', filter.businessDate],
  ]) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const rows = await tx.rows<PayoutRow>(`SELECT * FROM payouts WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(payoutOf);
}

/** Whether it brings money in instead of paying it out: then no proof holds it back, for nothing leaves. */
export function bringsMoneyIn({ purpose }: Pick<Payout, 'purpose'>): boolean {
  return purpose === 'top-up';
}

/** Whether a channel pays what it collects over later, in sums of many: until then it owes it. */
export function paysOverLater(channel: ChannelCode | null): boolean {
  return channel === 'psp-collect';
}

/** Which payouts of a shard are wanted. */
export interface PayoutScope {
  readonly shardId: number;
  readonly states: readonly PayoutState[];
  readonly platformId?: Id | undefined;
  /** Only those whose time has come at this moment. */
  readonly dueMs?: Instant | undefined;
  readonly purposes?: readonly PayoutPurpose[] | undefined;
  /** Of collections only those that were ordered after this. */
  readonly collectedSince?: Instant | undefined;
  /** Only those that waited before, or that a channel turned away. */
  readonly again?: boolean | undefined;
  /** Only those whose channel was chosen, or only those whose was not. */
  readonly routed?: boolean | undefined;
  /** Only those that may leave now; see `mayLeave`. */
  readonly mayLeave?: boolean | undefined;
}

/** Payouts of a shard in some states, by the time at which they are due. */
export async function payoutsInScope(tx: Tx, scope: PayoutScope, limit: number): Promise<Payout[]> {
  const { where, values } = conditionsOf(scope);
  return (await tx.rows<PayoutRow>(`SELECT * FROM payouts WHERE ${where} ORDER BY next_ms, id LIMIT ?`, [...values, limit])).map(
    payoutOf,
  );
}

/** How many payouts of a shard are in which of the states. */
export async function countPayouts(tx: Tx, scope: PayoutScope): Promise<Map<PayoutState, number>> {
  const { where, values } = conditionsOf(scope);
  const rows = await tx.rows<{ state: PayoutState; number: string }>(
    `SELECT state, COUNT(*) AS number FROM payouts WHERE ${where} GROUP BY state`,
    values,
  );
  return new Map(rows.map(({ state, number }) => [state, Number(number)]));
}

/** When the last of them is due; undefined where there is none. */
export async function lastDue(tx: Tx, scope: PayoutScope): Promise<Instant | undefined> {
  const { where, values } = conditionsOf(scope);
  const [row] = await tx.rows<{ last: string | null }>(`SELECT MAX(next_ms) AS last FROM payouts WHERE ${where}`, values);
  return row === undefined || row.last === null ? undefined : (Number(row.last) as Instant);
}

/**
 * Payouts of a shard in one state, by the time at which they are due, page by page: those behind `after` that were due until a moment. What is
 * put off meanwhile beyond that moment does not come again.
 */
export async function payoutsInTurn(
  tx: Tx,
  scope: PayoutScope,
  { after, untilMs }: { after: Pick<Payout, 'id' | 'nextMs'> | undefined; untilMs: Instant },
  limit: number,
): Promise<Payout[]> {
  const { where, values } = conditionsOf({ ...scope, dueMs: untilMs });
  const behind = after === undefined ? '' : ' AND next_ms >= ? AND (next_ms > ? OR id > ?)';
  const rows = await tx.rows<PayoutRow>(`SELECT * FROM payouts WHERE ${where}${behind} ORDER BY next_ms, id LIMIT ?`, [
    ...values,
    ...(after === undefined ? [] : [after.nextMs, after.nextMs, after.id]),
    limit,
  ]);
  return rows.map(payoutOf);
}

/** What routing has to know of a payout; without its payee, so that a hundred thousand of them can be looked at together. */
export type Bare = Pick<Payout, 'id' | 'platformId' | 'purpose' | 'amount' | 'attempts' | 'createdMs'> & {
  readonly bankCode: string;
};

export async function bareInScope(tx: Tx, scope: PayoutScope, limit: number): Promise<Bare[]> {
  const { where, values } = conditionsOf(scope);
  const rows = await tx.rows<
    Pick<PayoutRow, 'id' | 'platform_id' | 'purpose' | 'amount' | 'payee_bank' | 'attempts' | 'created_ms'>
  >(
    `SELECT id, platform_id, purpose, amount, payee_bank, attempts, created_ms FROM payouts WHERE ${where} ORDER BY next_ms, id LIMIT ?`,
    [...values, limit],
  );
  return rows.map((row) => ({
    id: asId(row.id),
    platformId: asId(row.platform_id),
    purpose: row.purpose,
    amount: BigInt(row.amount),
    attempts: row.attempts,
    createdMs: Number(row.created_ms) as Instant,
    bankCode: row.payee_bank,
  }));
}

function conditionsOf(scope: PayoutScope): { where: string; values: unknown[] } {
  const conditions = ['shard_id = ?', `state IN (${scope.states.map((state) => `'${state}'`).join()})`];
  const values: unknown[] = [scope.shardId];
  const also = (condition: string, ...of: unknown[]) => {
    conditions.push(condition);
    values.push(...of);
  };
  if (scope.platformId !== undefined) also('platform_id = ?', scope.platformId);
  if (scope.dueMs !== undefined) also('next_ms <= ?', scope.dueMs);
  if (scope.purposes !== undefined) also(`purpose IN (${scope.purposes.map((purpose) => `'${purpose}'`).join()})`);
  if (scope.collectedSince !== undefined) also("(purpose <> 'top-up' OR created_ms > ?)", scope.collectedSince);
  if (scope.again) also('reason IS NOT NULL');
  if (scope.routed !== undefined) also(`channel IS ${scope.routed ? 'NOT ' : ''}NULL`);
  if (scope.mayLeave) also(mayLeave('payouts'));
  return { where: conditions.join(' AND '), values };
}

/** Collections that were ordered at this moment or before and that no channel has heard of, oldest first. */
export async function lapsedCollections(tx: Tx, until: Instant, limit: number): Promise<Payout[]> {
  const rows = await tx.rows<PayoutRow>(
    `SELECT * FROM payouts WHERE shard_id IN (SELECT id FROM shards) AND state = 'created' AND next_ms <= ? AND created_ms <= ?
       AND purpose = 'top-up' ORDER BY id LIMIT ?`,
    [until, until, limit],
  );
  return rows.map(payoutOf);
}

/**
 * Moves payouts from one state to another outside the engine (no money moves); answers how many were still in `from`.
 * The condition on the state is what keeps two workers from sending the same payout, and that on the channel (`with`) from sending one by a
 * channel that turned it away meanwhile, when another has it already.
 */
export async function movePayouts(
  tx: Tx,
  ids: readonly Id[],
  from: PayoutState,
  to: PayoutState,
  change: { nowMs: Instant; nextMs: Instant; channel?: ChannelCode; with?: ChannelCode | null; reason?: string | null },
): Promise<number> {
  if (ids.length === 0) return 0;
  return tx.write(
    `UPDATE payouts SET state = ?, changed_ms = ?, next_ms = ?, attempts = attempts + 1, channel = COALESCE(?, channel), reason = ?
     WHERE state = ? AND id IN (${ids.join()})${change.with === undefined ? '' : ' AND channel <=> ?'}`,
    [
      ...[to, change.nowMs, change.nextMs, change.channel ?? null, change.reason ?? null, from],
      ...(change.with === undefined ? [] : [change.with]),
    ],
  );
}

/**
 * Says by which channel payouts go that nobody has heard of yet; answers how many still had none. Why one waited stays until it is sent: by
 * that it is known that it waited.
 */
export async function chooseChannel(tx: Tx, ids: readonly Id[], channel: ChannelCode): Promise<number> {
  return tx.write(`UPDATE payouts SET channel = ? WHERE state = 'created' AND channel IS NULL AND id IN (${ids.join()})`, [
    channel,
  ]);
}

const REASON_MAX = 128; // what the column keeps
/** How the reason of a payout begins that no channel can carry for now: by that it is known that it waits. */
const WAITS = 'waits for a channel';

/** Says when payouts that no channel can carry now are looked at again, and what of each channel stands in the way. */
export async function keepWaiting(tx: Tx, ids: readonly Id[], nextMs: Instant, whys: readonly string[]): Promise<void> {
  await tx.write(
    `UPDATE payouts SET next_ms = ?, reason = ? WHERE state = 'created' AND channel IS NULL AND id IN (${ids.join()})`,
    [nextMs, `${WAITS} (${whys.join(', ')})`.slice(0, REASON_MAX).trimEnd()],
  );
}

/** Payouts that no channel could carry when they were last looked at: how many, fen, and when the oldest was made. */
export interface Waiting {
  readonly number: number;
  readonly amount: Minor;
  readonly oldestMs: Instant | null;
}

export async function waitingPayouts(tx: Tx): Promise<Waiting> {
  const [row] = await tx.rows<{ number: string; amount: string | null; oldest: string | null }>(
    `SELECT COUNT(*) AS number, SUM(amount) AS amount, MIN(created_ms) AS oldest FROM payouts
     WHERE shard_id IN (SELECT id FROM shards) AND state = 'created' AND channel IS NULL AND reason LIKE ?`,
    [`${WAITS}%`],
  );
  const oldest = row?.oldest ?? null;
  return {
    number: Number(row?.number ?? 0),
    amount: BigInt(row?.amount ?? 0),
    oldestMs: oldest === null ? null : (Number(oldest) as Instant),
  };
}

/**
 * Takes payouts back from a channel that did not pay them and has nothing of them any more, or that has not heard of them: they want a channel.
 * @returns those that were still with it, in that state
 */
export async function takeBack(
  tx: Tx,
  ids: readonly Id[],
  { from, channel, reason, nowMs }: { from: PayoutState; channel: ChannelCode; reason: string; nowMs: Instant },
): Promise<Id[]> {
  const still = await stillWith(tx, ids, { from, channel });
  if (still.length === 0) return [];
  await tx.write(
    `UPDATE payouts SET state = 'created', channel = NULL, attempts = attempts + 1, reason = ?, changed_ms = ?, next_ms = ?
     WHERE state = ? AND id IN (${still.join()})`,
    [reason, nowMs, nowMs, from],
  );
  return still;
}

/** Which of these are with a channel in a state, and until the commit nobody changes that. */
export async function stillWith(
  tx: Tx,
  ids: readonly Id[],
  { from, channel }: { from: PayoutState; channel: ChannelCode },
): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM payouts WHERE state = ? AND channel = ? AND id IN (${ids.join()}) ORDER BY id FOR UPDATE`,
    [from, channel],
  );
  return rows.map(({ id }) => asId(id));
}

/** Makes a payout that is under way due for a question at once. */
export async function askSoon(tx: Tx, payoutId: Id, nowMs: Instant): Promise<void> {
  await tx.write("UPDATE payouts SET next_ms = ? WHERE id = ? AND state IN ('sent', 'unknown')", [nowMs, payoutId]);
}
