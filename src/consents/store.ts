import { asId, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { ConsentState, Factors } from './records.js';
import { CODE_PAUSE_MS, CODES_MAX, type Subject, TRIES_MAX } from './rules.js';
import type { Ending } from './states.js';

/** A consent as it is written when it is asked. */
export interface NewConsent {
  readonly id: Id;
  readonly subject: Subject;
  readonly subjectId: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly needs: Factors;
  /** Blind index of the bound card that is shown; null where none is. */
  readonly cardIndex: Buffer | null;
  /** Whom an activation is about; null where it is about something else. */
  readonly userId: Id | null;
  readonly tokenHash: Buffer;
  readonly shownSealed: string;
  readonly digest: Buffer;
  readonly expiresMs: Instant;
  readonly createdMs: Instant;
}

/** A whole row of `consents`. */
export interface StoredConsent extends NewConsent {
  readonly state: ConsentState;
  /** Wrong attempts, and such as are being looked at. */
  readonly attempts: number;
  readonly codeHash: Buffer | null;
  /** Blind index of the mobile number that the code was sent to; at another it is good for nothing. */
  readonly codeMobileIndex: Buffer | null;
  readonly codeSentMs: Instant | null;
  readonly codesSent: number;
  readonly answeredMs: Instant | null;
  readonly receiptSealed: string | null;
}

/** @throws a duplicate-key error when the subject was asked about before */
export async function insertConsent(tx: Tx, c: NewConsent): Promise<void> {
  await tx.write(
    `INSERT INTO consents (id, subject, subject_id, platform_id, customer_id, needs, state, token_hash, shown_sealed, digest, attempts,
       codes_sent, expires_ms, created_ms, card_index, user_id)
     VALUES (${c.id}, '${c.subject}', ${c.subjectId}, ${c.platformId}, ${c.customerId}, '${c.needs}', 'pending',
       ${sql.hex(c.tokenHash)}, ${sql.text(c.shownSealed)}, ${sql.hex(c.digest)}, 0, 0, ${c.expiresMs}, ${c.createdMs},
       ${c.cardIndex === null ? 'NULL' : sql.hex(c.cardIndex)}, ${c.userId ?? 'NULL'})`,
  );
}

interface ConsentRow {
  id: string;
  subject: Subject;
  subject_id: string;
  platform_id: string;
  customer_id: string;
  needs: Factors;
  state: ConsentState;
  token_hash: Buffer;
  shown_sealed: string;
  digest: Buffer;
  attempts: number;
  code_hash: Buffer | null;
  code_mobile_index: Buffer | null;
  code_sent_ms: string | null;
  codes_sent: number;
  expires_ms: string;
  answered_ms: string | null;
  receipt_sealed: string | null;
  created_ms: string;
  card_index: Buffer | null;
  user_id: string | null;
}

const instant = (value: string): Instant => Number(value) as Instant;

function consentOf(row: ConsentRow): StoredConsent {
  return {
    id: asId(row.id),
    subject: row.subject,
    subjectId: asId(row.subject_id),
    platformId: asId(row.platform_id),
    customerId: asId(row.customer_id),
    needs: row.needs,
    cardIndex: row.card_index,
    userId: row.user_id === null ? null : asId(row.user_id),
    state: row.state,
    tokenHash: row.token_hash,
    shownSealed: row.shown_sealed,
    digest: row.digest,
    attempts: Number(row.attempts),
    codeHash: row.code_hash,
    codeMobileIndex: row.code_mobile_index,
    codeSentMs: row.code_sent_ms === null ? null : instant(row.code_sent_ms),
    codesSent: Number(row.codes_sent),
    expiresMs: instant(row.expires_ms),
    answeredMs: row.answered_ms === null ? null : instant(row.answered_ms),
    receiptSealed: row.receipt_sealed,
    createdMs: instant(row.created_ms),
  };
}

async function one(tx: Tx, where: string): Promise<StoredConsent | undefined> {
  const [row] = await tx.rows<ConsentRow>(`SELECT * FROM consents WHERE ${where}`);
  return row === undefined ? undefined : consentOf(row);
}

export function findConsent(tx: Tx, id: Id): Promise<StoredConsent | undefined> {
  return one(tx, `id = ${id}`);
}

/** By what the address of its page hashes to. */
export function findConsentByToken(tx: Tx, tokenHash: Buffer): Promise<StoredConsent | undefined> {
  return one(tx, `token_hash = ${sql.hex(tokenHash)}`);
}

export function findConsentOf(tx: Tx, subject: Subject, subjectId: Id): Promise<StoredConsent | undefined> {
  return one(tx, `subject = '${subject}' AND subject_id = ${subjectId}`);
}

/** The page of a consent gets another address; the one before opens nothing any more. Answers whether it was still pending. */
export async function replaceToken(tx: Tx, id: Id, tokenHash: Buffer): Promise<boolean> {
  return (await tx.write(`UPDATE consents SET token_hash = ${sql.hex(tokenHash)} WHERE id = ${id} AND state = 'pending'`)) === 1;
}

/** One of this sort that this platform asked this customer, about this user, and that can still be answered, the latest first. */
export async function findPending(
  tx: Tx,
  {
    subject,
    platformId,
    customerId,
    userId,
    needs,
  }: Pick<StoredConsent, 'subject' | 'platformId' | 'customerId' | 'userId' | 'needs'>,
  nowMs: Instant,
): Promise<StoredConsent | undefined> {
  return one(
    tx,
    `customer_id = ${customerId} AND subject = '${subject}' AND platform_id = ${platformId} AND needs = '${needs}'
     AND user_id <=> ${userId ?? 'NULL'} AND state = 'pending' AND attempts < ${TRIES_MAX} AND expires_ms > ${nowMs} ORDER BY id DESC LIMIT 1`,
  );
}

/**
 * Counts an attempt before it is looked at, so that two requests at once never have one more between them. Answers whether there was
 * one left.
 */
export async function countAttempt(tx: Tx, id: Id, nowMs: Instant): Promise<boolean> {
  const counted = await tx.write(
    `UPDATE consents SET attempts = attempts + 1
     WHERE id = ${id} AND state = 'pending' AND attempts < ${TRIES_MAX} AND expires_ms > ${nowMs}`,
  );
  return counted === 1;
}

/** Notes that a code is sent, if one may be: pending, in time, not too many, not too soon. */
export async function noteCode(
  tx: Tx,
  id: Id,
  { codeHash, mobileIndex, nowMs }: { codeHash: Buffer; mobileIndex: Buffer; nowMs: Instant },
): Promise<boolean> {
  const noted = await tx.write(
    `UPDATE consents SET code_hash = ${sql.hex(codeHash)}, code_mobile_index = ${sql.hex(mobileIndex)}, code_sent_ms = ${nowMs},
       codes_sent = codes_sent + 1
     WHERE id = ${id} AND state = 'pending' AND attempts < ${TRIES_MAX} AND expires_ms > ${nowMs} AND codes_sent < ${CODES_MAX}
       AND (code_sent_ms IS NULL OR code_sent_ms <= ${nowMs - CODE_PAUSE_MS})`,
  );
  return noted === 1;
}

/**
 * Ends a pending consent, once: of several that try, one succeeds. `given` and `declined` only in time, `expired` only after it, `locked`
 * only when no attempt is left.
 */
export async function endConsent(
  tx: Tx,
  id: Id,
  to: Ending,
  { nowMs, receiptSealed }: { nowMs: Instant; receiptSealed: string | null },
): Promise<boolean> {
  const when: Record<Ending, string> = {
    given: `expires_ms > ${nowMs}`,
    declined: `expires_ms > ${nowMs}`,
    expired: `expires_ms <= ${nowMs}`,
    locked: `attempts >= ${TRIES_MAX}`,
  };
  const ended = await tx.write(
    `UPDATE consents SET state = '${to}', answered_ms = ${nowMs}, code_hash = NULL, receipt_sealed = ${sql.nullableText(receiptSealed)}
     WHERE id = ${id} AND state = 'pending' AND ${when[to]}`,
  );
  return ended === 1;
}

/** Pending consents that nobody answered in time, the longest overdue first. */
export async function overdueConsents(tx: Tx, nowMs: Instant, limit: number): Promise<StoredConsent[]> {
  const rows = await tx.rows<ConsentRow>(
    `SELECT * FROM consents WHERE state = 'pending' AND expires_ms <= ${nowMs} ORDER BY expires_ms, id LIMIT ${limit}`,
  );
  return rows.map(consentOf);
}
