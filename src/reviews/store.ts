import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { type HoldRow, type Review, type ReviewRow, reviewOf } from './records.js';
import type { ReviewRule, ReviewTest } from './rules.js';
import type { ReviewRuleState, ReviewState } from './states.js';

/** A rule with who asked for what. */
export interface StoredRule extends ReviewRule {
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  /** Who asked for its end; it is in force until another agrees. */
  readonly endAskedBy: Id | null;
  readonly endedBy: Id | null;
  readonly endedMs: Instant | null;
}

interface RuleRow {
  id: string;
  platform_id: string;
  name: string;
  kinds: string;
  test: string;
  minutes: number;
  on_deadline: ReviewRule['onDeadline'];
  valid_from: BusinessDate;
  valid_until: BusinessDate | null;
  state: ReviewRuleState;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  end_asked_by: string | null;
  ended_by: string | null;
  ended_ms: string | null;
}

const maybeId = (text: string | null): Id | null => (text === null ? null : asId(text));
const maybeMs = (text: string | null): Instant | null => (text === null ? null : (Number(text) as Instant));

/** Amounts are text in the stored form. */
const AMOUNTS: ReadonlySet<string> = new Set(['above', 'sum']);
const testToText = (test: ReviewTest) =>
  JSON.stringify(test, (_key, value) => (typeof value === 'bigint' ? String(value) : value));
const testOf = (text: string) =>
  JSON.parse(text, (key, value) => (AMOUNTS.has(key) && value !== null ? BigInt(value) : value)) as ReviewTest;

function ruleOf(row: RuleRow): StoredRule {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    name: row.name,
    kinds: row.kinds.split(','),
    test: testOf(row.test),
    minutes: row.minutes,
    onDeadline: row.on_deadline,
    from: row.valid_from,
    until: row.valid_until,
    state: row.state,
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: maybeId(row.decided_by),
    decidedMs: maybeMs(row.decided_ms),
    endAskedBy: maybeId(row.end_asked_by),
    endedBy: maybeId(row.ended_by),
    endedMs: maybeMs(row.ended_ms),
  };
}

export async function insertRule(tx: Tx, rule: StoredRule): Promise<void> {
  await tx.write(
    `INSERT INTO review_rules (id, platform_id, name, kinds, test, minutes, on_deadline, valid_from, valid_until, state, proposed_by,
       proposed_ms, decided_by, decided_ms, end_asked_by, ended_by, ended_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL, NULL)`,
    [
      ...[rule.id, rule.platformId, rule.name, rule.kinds.join(), testToText(rule.test), rule.minutes, rule.onDeadline],
      ...[rule.from, rule.until, rule.state, rule.proposedBy, rule.proposedMs],
    ],
  );
}

/** Answers whether it was `proposed` still. */
export async function decideRule(
  tx: Tx,
  id: Id,
  of: { state: 'approved' | 'declined'; by: Id; nowMs: Instant },
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE review_rules SET state = ?, decided_by = ?, decided_ms = ? WHERE id = ? AND state = 'proposed'",
    [of.state, of.by, of.nowMs, id],
  );
  return changed === 1;
}

export async function askEnd(tx: Tx, id: Id, by: Id): Promise<void> {
  await tx.write("UPDATE review_rules SET end_asked_by = ? WHERE id = ? AND state = 'approved'", [by, id]);
}

/** Answers whether it was `approved` still. */
export async function endRule(tx: Tx, id: Id, by: Id, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE review_rules SET state = 'ended', ended_by = ?, ended_ms = ? WHERE id = ? AND state = 'approved'",
    [by, nowMs, id],
  );
  return changed === 1;
}

export async function findRule(tx: Tx, id: Id): Promise<StoredRule | undefined> {
  const [row] = await tx.rows<RuleRow>('SELECT * FROM review_rules WHERE id = ?', [id]);
  return row && ruleOf(row);
}

export async function listRules(tx: Tx, platformId: Id, after: Id, limit: number): Promise<StoredRule[]> {
  const rows = await tx.rows<RuleRow>('SELECT * FROM review_rules WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?', [
    platformId,
    after,
    limit,
  ]);
  return rows.map(ruleOf);
}

/** Approved rules of platforms that have or had some, by platform; read only for those. */
export async function loadReviewRules(
  tx: Tx,
  books: Iterable<{ readonly platformId: Id; readonly reviewed?: boolean }>,
): Promise<Map<Id, readonly ReviewRule[]>> {
  const platforms = [...books].filter(({ reviewed }) => reviewed).map(({ platformId }) => platformId);
  if (platforms.length === 0) return new Map();
  const rows = await tx.rows<RuleRow>(
    `SELECT * FROM review_rules WHERE platform_id IN (${platforms.join()}) AND state = 'approved' ORDER BY id`,
  );
  const rules = rows.map(ruleOf);
  return new Map(platforms.map((id) => [id, rules.filter(({ platformId }) => platformId === id)]));
}

/** From now on the engine looks for rules and reviews of this platform. Call it under the shard's lock. */
export async function setReviewed(tx: Tx, platformId: Id): Promise<void> {
  await tx.write('UPDATE books SET reviewed = 1 WHERE platform_id = ?', [platformId]);
}

/** Whom the accounts of a platform have paid within the book so far. Call it under the shard's lock. */
export async function seedPayees(tx: Tx, platformId: Id): Promise<void> {
  await tx.write(
    `INSERT INTO review_payees (payer_id, payee, platform_id)
     SELECT DISTINCT d.account_id, CAST(c.account_id AS CHAR), a.platform_id FROM accounts AS a
     JOIN entries AS d ON d.account_id = a.id AND d.amount < 0 JOIN entries AS c ON c.instruction_id = d.instruction_id AND c.amount > 0
     JOIN accounts AS b ON b.id = c.account_id AND b.type IN ('sub', 'class-2', 'class-3')
     WHERE a.platform_id = ? AND a.type NOT IN ('custody', 'channel-due', 'collected', 'in-transit', 'suspense', 'order')
     ON DUPLICATE KEY UPDATE review_payees.payee = review_payees.payee`,
    [platformId],
  );
}

export interface ReviewDecision {
  readonly instruction: Id;
  readonly operatorId: Id;
  readonly verdict: 'approve' | 'reject';
  readonly noteSealed: string | null;
  readonly decidedMs: Instant;
}

/** @throws a duplicate-key error when this person has decided already */
export async function insertDecision(tx: Tx, of: ReviewDecision): Promise<void> {
  await tx.write(
    'INSERT INTO review_decisions (instruction_id, operator_id, verdict, note_sealed, decided_ms) VALUES (?, ?, ?, ?, ?)',
    [of.instruction, of.operatorId, of.verdict, of.noteSealed, of.decidedMs],
  );
}

async function decisionsOf(tx: Tx, ids: readonly Id[]): Promise<ReviewDecision[]> {
  if (ids.length === 0) return [];
  const rows = await tx.rows<
    Record<'instruction_id' | 'operator_id' | 'decided_ms', string> & {
      verdict: 'approve' | 'reject';
      note_sealed: string | null;
    }
  >(`SELECT * FROM review_decisions WHERE instruction_id IN (${ids.join()}) ORDER BY instruction_id, decided_ms, operator_id`);
  return rows.map((row) => ({
    instruction: asId(row.instruction_id),
    operatorId: asId(row.operator_id),
    verdict: row.verdict,
    noteSealed: row.note_sealed,
    decidedMs: Number(row.decided_ms) as Instant,
  }));
}

/** Ends an open review; answers whether it was one. */
export async function endReview(tx: Tx, id: Id, to: Exclude<ReviewState, 'open'>, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE reviews SET state = ?, due_open_ms = NULL, decided_ms = ? WHERE instruction_id = ? AND state = 'open'",
    [to, nowMs, id],
  );
  return changed === 1;
}

/** A review with what became of its instruction and who gave it. */
export interface ReviewView {
  readonly review: Review;
  readonly decisions: readonly ReviewDecision[];
  /** An operator's id on the wire, the key of a platform, or a part of the system. */
  readonly actor: string;
  readonly origin: 'P' | 'S' | 'O';
  readonly requestNo: string;
  readonly body: string;
  readonly outcome: { readonly state: 'posted' | 'refused'; readonly code: string | null } | null;
}

interface ViewRow extends ReviewRow {
  actor: string;
  origin: 'P' | 'S' | 'O';
  request_no: string;
  body: string;
  outcome: 'posted' | 'refused' | null;
  code: string | null;
}

const VIEW = `SELECT r.*, i.actor, i.origin, i.request_no, i.body, o.state AS outcome, o.code FROM reviews AS r
  JOIN instructions AS i ON i.id = r.instruction_id LEFT JOIN outcomes AS o ON o.instruction_id = r.instruction_id`;

async function viewsOf(tx: Tx, rows: readonly ViewRow[]): Promise<ReviewView[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => asId(row.instruction_id));
  const holds = await tx.rows<HoldRow>(`SELECT * FROM review_holds WHERE instruction_id IN (${ids.join()}) ORDER BY account_id`);
  const decisions = await decisionsOf(tx, ids);
  return rows.map((row) => ({
    review: reviewOf(row, holds),
    decisions: decisions.filter(({ instruction }) => instruction === row.instruction_id),
    ...{ actor: row.actor, origin: row.origin, requestNo: row.request_no, body: row.body },
    outcome: row.outcome === null ? null : { state: row.outcome, code: row.code },
  }));
}

export async function findReview(tx: Tx, id: Id): Promise<ReviewView | undefined> {
  return (await viewsOf(tx, await tx.rows<ViewRow>(`${VIEW} WHERE r.instruction_id = ?`, [id])))[0];
}

export async function listReviews(
  tx: Tx,
  { state, platformId, after }: { state: ReviewState; platformId: Id | undefined; after: Id },
  limit: number,
): Promise<ReviewView[]> {
  const also = platformId === undefined ? '' : ` AND r.platform_id = ${platformId}`;
  const rows = await tx.rows<ViewRow>(
    `${VIEW} WHERE r.state = ? AND r.instruction_id > ?${also} ORDER BY r.instruction_id LIMIT ?`,
    [state, after, limit],
  );
  return viewsOf(tx, rows);
}

/** Until when the reviews among these instructions may be decided that are open. */
export async function openReviews(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Instant>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ instruction_id: string; due_ms: string }>(
    `SELECT instruction_id, due_ms FROM reviews WHERE instruction_id IN (${ids.join()}) AND state = 'open'`,
  );
  return new Map(rows.map((row) => [asId(row.instruction_id), Number(row.due_ms) as Instant]));
}

/** Open reviews past their deadline, for the sweep. */
export async function dueReviews(tx: Tx, nowMs: Instant, limit: number): Promise<{ id: Id; shardId: number }[]> {
  const rows = await tx.rows<{ instruction_id: string; shard_id: number }>(
    'SELECT instruction_id, shard_id FROM reviews WHERE due_open_ms <= ? ORDER BY due_open_ms LIMIT ?',
    [nowMs, limit],
  );
  return rows.map((row) => ({ id: asId(row.instruction_id), shardId: row.shard_id }));
}

/** Of an open review: whether the money of these accounts is held for it. */
export async function reviewHoldsOn(tx: Tx, accountId: Id): Promise<{ id: Id; amount: bigint; dueMs: Instant }[]> {
  const rows = await tx.rows<{ instruction_id: string; amount: string; due_ms: string }>(
    `SELECT h.instruction_id, h.amount, r.due_ms FROM review_holds AS h JOIN reviews AS r ON r.instruction_id = h.instruction_id
     WHERE h.open_of = ? ORDER BY h.instruction_id`,
    [accountId],
  );
  return rows.map((row) => ({ id: asId(row.instruction_id), amount: BigInt(row.amount), dueMs: Number(row.due_ms) as Instant }));
}

/** Counters that no window reaches any more go; answers how many. */
export async function forgetCounts(tx: Tx, beforeMinute: number): Promise<number> {
  return tx.write('DELETE FROM review_counts WHERE minute < ? LIMIT 10000', [beforeMinute]);
}

/** An entry of the audit trail for what no person did. */
export async function insertStep(
  tx: Tx,
  of: { id: Id; action: string; instruction: Id; detail: Record<string, unknown>; nowMs: Instant },
): Promise<void> {
  await tx.write(
    'INSERT INTO audit_entries (id, operator_id, action, target, detail, outcome, at_ms, request_id) VALUES (?, 0, ?, ?, ?, ?, ?, ?)',
    [of.id, of.action, `review ins_${of.instruction}`, JSON.stringify(of.detail), 'done', of.nowMs, `review:${of.instruction}`],
  );
}
