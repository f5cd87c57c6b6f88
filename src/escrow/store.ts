import { asId, type Id, type Instant } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { Plan, PlanLine } from './plan.js';
import type { Deal, Decided, Fund, Given, StageState } from './rules.js';

interface DealRow {
  id: string;
  platform_id: string;
  escrow_no: string;
  plan: string;
  stages: string;
  turn: string;
  opened_ms: string;
  due_ms: string | null;
  ended_ms: string | null;
}

/** Amounts stand in the JSON as decimal strings with an `n` behind: no number of it is ever a float. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
}

function read<T>(text: string): T {
  return JSON.parse(text, (_key, each: unknown) =>
    typeof each === 'string' && /^-?[0-9]+n$/.test(each) ? BigInt(each.slice(0, -1)) : each,
  ) as T;
}

const moment = (text: string | null): Instant | null => (text === null ? null : (Number(text) as Instant));

/** By deal: its plan, its stages, what was confirmed and decided. Opened by the route; the engine only carries it on. */
export const dealRecords: RecordType<Deal> = {
  name: 'escrow',
  accountsOf: ({ plan }) => plan.parties.flatMap(({ account }) => account ?? []),
  async load(tx, keys) {
    const rows = await tx.rows<DealRow>(`SELECT * FROM escrow_deals WHERE id IN (${keys.join()})`);
    if (rows.length === 0) return new Map();
    const within = rows.map(({ id }) => id).join();
    const given = await tx.rows<{ escrow_id: string; item: string; role: string; given_ms: string }>(
      `SELECT escrow_id, item, role, given_ms FROM escrow_confirmations WHERE escrow_id IN (${within}) AND state = 'given'`,
    );
    const decided = await tx.rows<{ escrow_id: string; item: string; verdict: string | null; decided_ms: string }>(
      `SELECT escrow_id, item, verdict, decided_ms FROM escrow_reviews WHERE escrow_id IN (${within}) AND state = 'approved' ORDER BY id`,
    );
    return new Map(
      rows.map((row) => [
        row.id,
        {
          ...{ id: asId(row.id), platformId: asId(row.platform_id), escrowNo: row.escrow_no, plan: read<Plan>(row.plan) },
          stages: read<StageState[]>(row.stages),
          given: given
            .filter((each) => each.escrow_id === row.id)
            .map(({ item, role, given_ms }): Given => ({ item, role, atMs: Number(given_ms) as Instant })),
          decided: decided
            .filter((each) => each.escrow_id === row.id)
            .map(
              ({ item, verdict, decided_ms }): Decided => ({
                ...{ item, atMs: Number(decided_ms) as Instant },
                lines: verdict === null ? null : read<PlanLine[]>(verdict),
              }),
            ),
          ...{ turn: Number(row.turn), openedMs: Number(row.opened_ms) as Instant },
          ...{ dueMs: moment(row.due_ms), endedMs: moment(row.ended_ms) },
        },
      ]),
    );
  },
  saving(deals) {
    const cases = (of: (deal: Deal) => string) =>
      `CASE id ${deals.map((deal) => `WHEN ${deal.id} THEN ${of(deal)}`).join(' ')} END`;
    return `UPDATE escrow_deals SET stages = ${cases(({ stages }) => sql.text(textOf(stages)))}, turn = ${cases(({ turn }) => String(turn))},
       due_ms = ${cases(({ dueMs }) => String(dueMs ?? 'NULL'))}, ended_ms = ${cases(({ endedMs }) => String(endedMs ?? 'NULL'))}
     WHERE id IN (${deals.map(({ id }) => id).join()})`;
  },
};

/** All that came in for one deal, order by order and stage by stage. */
export interface Funds {
  readonly dealId: Id;
  readonly funds: readonly Fund[];
}

interface FundRow {
  escrow_id: string;
  order_id: string;
  stage: string;
  order_no: string;
  amount: string;
  released: string;
  back: string;
  sent: string;
}

/** By deal; there is always one, and it may be empty. */
export const fundRecords: RecordType<Funds> = {
  name: 'escrow-funds',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<FundRow>(
      `SELECT * FROM escrow_funds WHERE escrow_id IN (${keys.join()}) ORDER BY order_id, place`,
    );
    const found = new Map<string, Funds>(keys.map((key) => [key, { dealId: asId(key), funds: [] }]));
    for (const row of rows) (found.get(row.escrow_id)?.funds as Fund[] | undefined)?.push(fundOf(row));
    return found;
  },
  saving(all) {
    const rows = all.flatMap(({ dealId, funds }) =>
      funds.map(
        (f, place) =>
          `${f.orderId},${sql.text(f.stage)},${dealId},${sql.text(f.orderNo)},${place},${f.amount},${f.released},${f.back},${f.sent}`,
      ),
    );
    if (rows.length === 0) return undefined;
    return `INSERT INTO escrow_funds (order_id, stage, escrow_id, order_no, place, amount, released, back, sent) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE amount = VALUES(amount), released = VALUES(released), back = VALUES(back), sent = VALUES(sent)`;
  },
};

function fundOf(row: FundRow): Fund {
  return {
    ...{ orderId: asId(row.order_id), orderNo: row.order_no, stage: row.stage },
    ...{ amount: BigInt(row.amount), released: BigInt(row.released), back: BigInt(row.back), sent: BigInt(row.sent) },
  };
}

export async function findDeal(tx: Tx, id: Id): Promise<Deal | undefined> {
  return (await dealRecords.load(tx, [id])).get(id);
}

export async function findDealByNo(
  tx: Tx,
  platformId: Id,
  escrowNo: string,
): Promise<{ deal: Deal; content: Buffer } | undefined> {
  const [row] = await tx.rows<{ id: string; content_hash: Buffer }>(
    'SELECT id, content_hash FROM escrow_deals WHERE platform_id = ? AND escrow_no = ?',
    [platformId, escrowNo],
  );
  const deal = row && (await findDeal(tx, asId(row.id)));
  return row === undefined || deal === undefined ? undefined : { deal, content: row.content_hash };
}

export async function fundsOf(tx: Tx, dealId: Id): Promise<readonly Fund[]> {
  return (await fundRecords.load(tx, [dealId])).get(dealId)?.funds ?? [];
}

/** By account: how many deals that are not over may have to credit it. A deal adds to it when it is opened, under the shard's row. */
export const dealsOnRecords: RecordType<{ readonly open: number }> = {
  name: 'deals-on-account',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ account_id: string; open: string }>(
      `SELECT a.account_id, COUNT(*) AS open FROM escrow_accounts AS a JOIN escrow_deals AS d ON d.id = a.escrow_id
       WHERE a.account_id IN (${keys.join()})
         AND (d.ended_ms IS NULL OR EXISTS (SELECT 1 FROM escrow_funds AS f WHERE f.escrow_id = d.id AND f.sent < f.back))
       GROUP BY a.account_id`,
    );
    const open = new Map(rows.map((row) => [row.account_id, Number(row.open)]));
    return new Map(keys.map((key) => [key, { open: open.get(key) ?? 0 }]));
  },
  saving: () => undefined,
};

/**
 * @param credited the accounts that it may have to credit
 * @throws a duplicate-key error when the platform used the number before
 */
export async function insertDeal(tx: Tx, deal: Deal, content: Buffer, credited: readonly Id[]): Promise<void> {
  await tx.write(
    `INSERT INTO escrow_deals (id, platform_id, escrow_no, content_hash, template, plan, stages, turn, opened_ms, due_ms, ended_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[deal.id, deal.platformId, deal.escrowNo, content, deal.plan.template, textOf(deal.plan), textOf(deal.stages)],
      ...[deal.turn, deal.openedMs, deal.dueMs, deal.endedMs],
    ],
  );
  if (credited.length === 0) return;
  const rows = [...new Set(credited)].map((account) => `${account},${deal.id}`);
  await tx.write(`INSERT INTO escrow_accounts (account_id, escrow_id) VALUES ${sql.tuples(rows)}`);
}

/** Under the shard's row. */
export async function setDue(tx: Tx, id: Id, dueMs: Instant | null): Promise<void> {
  await tx.write('UPDATE escrow_deals SET due_ms = ? WHERE id = ?', [dueMs, id]);
}

export interface DealFilter {
  readonly platformId?: Id | undefined;
  readonly after?: Id | undefined;
  readonly ended?: boolean | undefined;
}

/** Deals in the order they were opened. */
export async function listDeals(tx: Tx, { platformId, after, ended }: DealFilter, limit: number): Promise<Deal[]> {
  const conditions = ['id > ?', ...(platformId === undefined ? [] : ['platform_id = ?'])];
  if (ended !== undefined) conditions.push(ended ? 'ended_ms IS NOT NULL' : 'ended_ms IS NULL');
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM escrow_deals WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`,
    [...[after ?? '0', ...(platformId === undefined ? [] : [platformId])], limit],
  );
  const ids = rows.map(({ id }) => asId(id));
  const deals = ids.length === 0 ? new Map<string, Deal>() : await dealRecords.load(tx, ids);
  return ids.flatMap((id) => deals.get(id) ?? []);
}

/** Deals that have something to do, those that wait longest first. */
export async function dueDeals(tx: Tx, nowMs: Instant, limit: number): Promise<{ deal: Deal; funds: readonly Fund[] }[]> {
  const rows = await tx.rows<{ id: string }>('SELECT id FROM escrow_deals WHERE due_ms <= ? ORDER BY due_ms, id LIMIT ?', [
    nowMs,
    limit,
  ]);
  const ids = rows.map(({ id }) => asId(id));
  if (ids.length === 0) return [];
  const deals = await dealRecords.load(tx, ids);
  const funds = await fundRecords.load(tx, ids);
  return ids.flatMap((id) => {
    const deal = deals.get(id);
    return deal === undefined ? [] : [{ deal, funds: funds.get(id)?.funds ?? [] }];
  });
}

export type ConfirmationState = 'asked' | 'given' | 'declined' | 'lapsed';

/** What a party was asked, and said. */
export interface Confirmation {
  readonly id: Id;
  readonly dealId: Id;
  readonly platformId: Id;
  readonly item: string;
  readonly role: string;
  readonly way: 'page' | 'paper';
  readonly state: ConfirmationState;
  readonly userId: Id | null;
  readonly consentId: Id | null;
  readonly expiresMs: Instant | null;
  readonly voucherSealed: string | null;
  readonly recordedBy: Id | null;
  readonly createdMs: Instant;
  readonly givenMs: Instant | null;
}

interface ConfirmationRow {
  id: string;
  escrow_id: string;
  platform_id: string;
  item: string;
  role: string;
  way: 'page' | 'paper';
  state: ConfirmationState;
  user_id: string | null;
  consent_id: string | null;
  expires_ms: string | null;
  voucher_sealed: string | null;
  recorded_by: string | null;
  created_ms: string;
  given_ms: string | null;
}

const maybeId = (text: string | null): Id | null => (text === null ? null : asId(text));

function confirmationOf(row: ConfirmationRow): Confirmation {
  return {
    ...{ id: asId(row.id), dealId: asId(row.escrow_id), platformId: asId(row.platform_id), item: row.item, role: row.role },
    ...{ way: row.way, state: row.state, userId: maybeId(row.user_id), consentId: maybeId(row.consent_id) },
    ...{ expiresMs: moment(row.expires_ms), voucherSealed: row.voucher_sealed, recordedBy: maybeId(row.recorded_by) },
    ...{ createdMs: Number(row.created_ms) as Instant, givenMs: moment(row.given_ms) },
  };
}

/** @throws a duplicate-key error when the party is asked already, or has said yes */
export async function insertConfirmation(tx: Tx, c: Confirmation): Promise<void> {
  await tx.write(
    `INSERT INTO escrow_confirmations (id, escrow_id, platform_id, item, role, way, state, live, user_id, consent_id, expires_ms,
       voucher_sealed, recorded_by, created_ms, given_ms) VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[c.id, c.dealId, c.platformId, c.item, c.role, c.way, c.state, c.userId, c.consentId, c.expiresMs],
      ...[c.voucherSealed, c.recordedBy, c.createdMs, c.givenMs],
    ],
  );
}

/** Answers false when it was answered meanwhile. */
export async function answerConfirmation(
  tx: Tx,
  id: Id,
  to: Exclude<ConfirmationState, 'asked'>,
  nowMs: Instant,
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE escrow_confirmations SET state = ?, live = ?, given_ms = ? WHERE id = ? AND state = 'asked'`,
    [to, to === 'given' ? 1 : null, to === 'given' ? nowMs : null, id],
  );
  return changed === 1;
}

export async function findConfirmation(tx: Tx, id: Id): Promise<Confirmation | undefined> {
  const [row] = await tx.rows<ConfirmationRow>('SELECT * FROM escrow_confirmations WHERE id = ?', [id]);
  return row && confirmationOf(row);
}

/** What a party is asked or has said yes to, of one item. */
export async function liveConfirmation(
  tx: Tx,
  of: { dealId: Id; item: string; role: string },
): Promise<Confirmation | undefined> {
  const [row] = await tx.rows<ConfirmationRow>(
    'SELECT * FROM escrow_confirmations WHERE escrow_id = ? AND item = ? AND role = ? AND live = 1',
    [of.dealId, of.item, of.role],
  );
  return row && confirmationOf(row);
}

export async function confirmationsOf(tx: Tx, dealId: Id): Promise<Confirmation[]> {
  const rows = await tx.rows<ConfirmationRow>('SELECT * FROM escrow_confirmations WHERE escrow_id = ? ORDER BY id', [dealId]);
  return rows.map(confirmationOf);
}

/** What one person of the bank proposes of an item, and what another decided. */
export interface Review {
  readonly id: Id;
  readonly dealId: Id;
  readonly platformId: Id;
  readonly item: string;
  /** Who gets what of the stage; null: what its condition leaves to the bank is so. */
  readonly lines: readonly PlanLine[] | null;
  readonly reasonSealed: string;
  readonly state: 'proposed' | 'approved' | 'rejected' | 'withdrawn';
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly noteSealed: string | null;
}

interface ReviewRow {
  id: string;
  escrow_id: string;
  platform_id: string;
  item: string;
  verdict: string | null;
  reason_sealed: string;
  state: Review['state'];
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  note_sealed: string | null;
}

function reviewOf(row: ReviewRow): Review {
  return {
    ...{
      id: asId(row.id),
      dealId: asId(row.escrow_id),
      platformId: asId(row.platform_id),
      item: row.item,
      reasonSealed: row.reason_sealed,
    },
    ...{ lines: row.verdict === null ? null : read<PlanLine[]>(row.verdict), state: row.state, noteSealed: row.note_sealed },
    ...{ proposedBy: asId(row.proposed_by), proposedMs: Number(row.proposed_ms) as Instant },
    ...{ decidedBy: maybeId(row.decided_by), decidedMs: moment(row.decided_ms) },
  };
}

export async function insertReview(tx: Tx, r: Review): Promise<void> {
  await tx.write(
    `INSERT INTO escrow_reviews (id, escrow_id, platform_id, item, verdict, reason_sealed, state, proposed_by, proposed_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      r.id,
      r.dealId,
      r.platformId,
      r.item,
      r.lines === null ? null : textOf(r.lines),
      r.reasonSealed,
      r.state,
      r.proposedBy,
      r.proposedMs,
    ],
  );
}

/** Answers false when somebody decided it meanwhile. */
export async function decideReview(
  tx: Tx,
  id: Id,
  of: { state: 'approved' | 'rejected' | 'withdrawn'; by: Id; atMs: Instant; noteSealed: string | null },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE escrow_reviews SET state = ?, decided_by = ?, decided_ms = ?, note_sealed = ? WHERE id = ? AND state = 'proposed'`,
    [of.state, of.by, of.atMs, of.noteSealed, id],
  );
  return changed === 1;
}

export async function findReview(tx: Tx, id: Id): Promise<Review | undefined> {
  const [row] = await tx.rows<ReviewRow>('SELECT * FROM escrow_reviews WHERE id = ?', [id]);
  return row && reviewOf(row);
}

export async function reviewsOf(tx: Tx, dealId: Id): Promise<Review[]> {
  const rows = await tx.rows<ReviewRow>('SELECT * FROM escrow_reviews WHERE escrow_id = ? ORDER BY id', [dealId]);
  return rows.map(reviewOf);
}
