import { asId, type BusinessDate, type Id, type Instant, type Refusal, startOfDay } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** pending: the bank of the card is to be asked. opened, refused: for good. */
export type OpeningState = 'pending' | 'opened' | 'refused';

/** An electronic account that a platform asked for, under the platform's own number. */
export interface Opening {
  readonly id: Id;
  readonly platformId: Id;
  readonly openingNo: string;
  readonly userId: Id;
  readonly class: 2 | 3;
  /** JSON of the card, sealed. */
  readonly cardSealed: string;
  /** Keyed by the vault. */
  readonly contentHash: Buffer;
  readonly state: OpeningState;
  readonly accountId: Id | null;
  readonly refusal: Refusal | null;
  readonly attempts: number;
  readonly nextMs: Instant;
  readonly createdMs: Instant;
  readonly decidedMs: Instant | null;
}

interface OpeningRow {
  id: string;
  platform_id: string;
  opening_no: string;
  user_id: string;
  class: number;
  card_sealed: string;
  content_hash: Buffer;
  state: OpeningState;
  account_id: string | null;
  refusal: string | null;
  attempts: number;
  next_ms: string;
  created_ms: string;
  decided_ms: string | null;
}

function openingOf(row: OpeningRow): Opening {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    openingNo: row.opening_no,
    userId: asId(row.user_id),
    class: row.class === 2 ? 2 : 3,
    cardSealed: row.card_sealed,
    contentHash: row.content_hash,
    state: row.state,
    accountId: row.account_id === null ? null : asId(row.account_id),
    refusal: row.refusal === null ? null : (JSON.parse(row.refusal) as Refusal),
    attempts: row.attempts,
    nextMs: Number(row.next_ms) as Instant,
    createdMs: Number(row.created_ms) as Instant,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

const OPENING = `SELECT o.id, o.platform_id, o.opening_no, o.user_id, o.class, o.card_sealed, o.content_hash, o.state, o.account_id, o.refusal,
  o.attempts, o.next_ms, o.created_ms, o.decided_ms FROM openings AS o`;

/** @throws a duplicate-key error when the number was taken meanwhile */
export async function insertOpening(tx: Tx, o: Opening): Promise<void> {
  await tx.write(
    `INSERT INTO openings (id, platform_id, opening_no, user_id, class, card_sealed, content_hash, state, account_id, refusal, attempts,
       next_ms, created_ms, decided_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      o.id,
      o.platformId,
      o.openingNo,
      o.userId,
      o.class,
      o.cardSealed,
      o.contentHash,
      o.state,
      o.accountId,
      o.refusal === null ? null : JSON.stringify(o.refusal),
      o.attempts,
      o.nextMs,
      o.createdMs,
      o.decidedMs,
    ],
  );
}

/** @param platformId leaves out openings of others */
export async function findOpening(tx: Tx, id: Id, platformId?: Id): Promise<Opening | undefined> {
  const [row] = await tx.rows<OpeningRow>(`${OPENING} WHERE o.id = ?`, [id]);
  return row === undefined || (platformId !== undefined && row.platform_id !== platformId) ? undefined : openingOf(row);
}

export async function openingByNumber(tx: Tx, platformId: Id, openingNo: string): Promise<Opening | undefined> {
  const [row] = await tx.rows<OpeningRow>(`${OPENING} WHERE o.platform_id = ? AND o.opening_no = ?`, [platformId, openingNo]);
  return row && openingOf(row);
}

/** Openings of a shard's platforms for which the bank of the card is to be asked now. */
export async function dueOpenings(tx: Tx, shardId: number, nowMs: Instant, limit: number): Promise<Opening[]> {
  const rows = await tx.rows<OpeningRow>(
    `${OPENING} JOIN books AS b ON b.platform_id = o.platform_id
     WHERE o.state = 'pending' AND o.next_ms <= ? AND b.shard_id = ? ORDER BY o.next_ms, o.id LIMIT ?`,
    [nowMs, shardId, limit],
  );
  return rows.map(openingOf);
}

/** Puts the next question off; a decided one stays decided. */
export async function putOffOpening(tx: Tx, { id, attempts }: Opening, nextMs: Instant): Promise<void> {
  await tx.write("UPDATE openings SET attempts = attempts + 1, next_ms = ? WHERE id = ? AND state = 'pending' AND attempts = ?", [
    nextMs,
    id,
    attempts,
  ]);
}

export interface OpeningDecision {
  readonly decidedMs: Instant;
  readonly accountId?: Id;
  readonly refusal?: Refusal;
  /** What the card's bank said; absent where it was not asked. */
  readonly answer?: object | undefined;
}

/** Decides an opening, once: answers whether it was this call. The written guard against two workers that asked at the same time. */
export async function decideOpening(
  tx: Tx,
  id: Id,
  { decidedMs, accountId, refusal, answer }: OpeningDecision,
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE openings SET state = ?, account_id = ?, refusal = ?, answer = ?, answered_ms = ?, decided_ms = ?
     WHERE id = ? AND state = 'pending'`,
    [
      refusal === undefined ? 'opened' : 'refused',
      accountId ?? null,
      refusal === undefined ? null : JSON.stringify(refusal),
      answer === undefined ? null : JSON.stringify(answer),
      answer === undefined ? null : decidedMs,
      decidedMs,
      id,
    ],
  );
  return changed === 1;
}

/**
 * How many accounts of the class a customer has at the bank, on whatever platform. One that was closed today counts until tomorrow:
 * otherwise closing and opening again would begin the day's limits anew.
 */
export async function countHeld(tx: Tx, customerId: Id, of: 2 | 3, today: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ n: string }>(
    "SELECT COUNT(*) AS n FROM electronic_accounts WHERE customer_id = ? AND class = ? AND (state <> 'closed' OR closed_ms >= ?)",
    [customerId, of, startOfDay(today)],
  );
  return Number(row?.n);
}

/**
 * Whoever is about to bind a card writes its row first: until the commit nobody else binds it. Whether it is bound to another person
 * can be read then.
 */
export async function takeCard(tx: Tx, cardIndex: Buffer): Promise<void> {
  await tx.write('INSERT INTO bound_cards (card_index, use_no) VALUES (?, 1) ON DUPLICATE KEY UPDATE use_no = use_no + 1', [
    cardIndex,
  ]);
}

/** Whether a card is bound to an account, not closed, of somebody else. */
export async function isBoundElsewhere(tx: Tx, cardIndex: Buffer, customerId: Id): Promise<boolean> {
  const rows = await tx.rows(
    `SELECT 1 FROM electronic_accounts WHERE card_index = ${sql.hex(cardIndex)} AND customer_id <> ? AND state <> 'closed' LIMIT 1`,
    [customerId],
  );
  return rows.length > 0;
}
