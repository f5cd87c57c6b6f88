import { asId, type Id, type Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';

/** What was asked of others about a user, and what they answered: written once, kept for ever. */
export interface VerificationRecord {
  readonly id: Id;
  readonly userId: Id;
  /** identity: 联网核查; elements: four or five at the bank of an account; trial: a small payment. */
  readonly kind: 'identity' | 'elements' | 'trial';
  /** About whom or what: self, representative, operator, the renewal of a document, an account. */
  readonly subject: string;
  /** JSON of the question, sealed. */
  readonly askedSealed: string;
  readonly result: string;
  /** The counterpart's own number of the answer. */
  readonly evidence: string | null;
  readonly askedMs: Instant;
  readonly answeredMs: Instant;
}

interface VerificationRow {
  id: string;
  user_id: string;
  kind: VerificationRecord['kind'];
  subject: string;
  asked_sealed: string;
  result: string;
  evidence: string | null;
  asked_ms: string;
  answered_ms: string;
}

const EVIDENCE_MAX = 64;

export async function insertVerification(tx: Tx, record: VerificationRecord): Promise<void> {
  await tx.write(
    `INSERT INTO verifications (id, user_id, kind, subject, asked_sealed, result, evidence, asked_ms, answered_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      record.id,
      record.userId,
      record.kind,
      record.subject,
      record.askedSealed,
      record.result,
      record.evidence?.slice(0, EVIDENCE_MAX) ?? null,
      record.askedMs,
      record.answeredMs,
    ],
  );
}

/** In the order in which they were answered. */
export async function verificationsOf(tx: Tx, userIds: readonly Id[]): Promise<VerificationRecord[]> {
  if (userIds.length === 0) return [];
  const rows = await tx.rows<VerificationRow>(
    `SELECT * FROM verifications WHERE user_id IN (${userIds.join()}) ORDER BY user_id, id`,
  );
  return rows.map((row) => ({
    id: asId(row.id),
    userId: asId(row.user_id),
    kind: row.kind,
    subject: row.subject,
    askedSealed: row.asked_sealed,
    result: row.result,
    evidence: row.evidence,
    askedMs: Number(row.asked_ms) as Instant,
    answeredMs: Number(row.answered_ms) as Instant,
  }));
}
