import { asId, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { ConsentState, Factors } from './records.js';
import type { Subject } from './rules.js';

/** A consent as it is written when it is asked. */
export interface NewConsent {
  readonly id: Id;
  readonly subject: Subject;
  readonly subjectId: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  readonly needs: Factors;
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
  readonly codeSentMs: Instant | null;
  readonly codesSent: number;
  readonly answeredMs: Instant | null;
  readonly receiptSealed: string | null;
}

/** @throws a duplicate-key error when the subject was asked about before */
export async function insertConsent(tx: Tx, c: NewConsent): Promise<void> {
  await tx.write(
    `INSERT INTO consents (id, subject, subject_id, platform_id, customer_id, needs, state, token_hash, shown_sealed, digest, attempts,
       codes_sent, expires_ms, created_ms)
     VALUES (${c.id}, '${c.subject}', ${c.subjectId}, ${c.platformId}, ${c.customerId}, '${c.needs}', 'pending',
       ${sql.hex(c.tokenHash)}, ${sql.text(c.shownSealed)}, ${sql.hex(c.digest)}, 0, 0, ${c.expiresMs}, ${c.createdMs})`,
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
  code_sent_ms: string | null;
  codes_sent: number;
  expires_ms: string;
  answered_ms: string | null;
  receipt_sealed: string | null;
  created_ms: string;
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
    state: row.state,
    tokenHash: row.token_hash,
    shownSealed: row.shown_sealed,
    digest: row.digest,
    attempts: Number(row.attempts),
    codeHash: row.code_hash,
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
