import { asId, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** A message to a customer that is to be sent. */
export interface DueSms {
  /** Also its message number: under it the gateway sends once. */
  readonly id: Id;
  readonly mobileSealed: string;
  readonly textSealed: string;
  readonly attempts: number;
  /** From when on it would be of no use. */
  readonly expiresMs: Instant;
}

export interface NewSms extends Omit<DueSms, 'attempts'> {
  readonly createdMs: Instant;
}

export async function insertSms(tx: Tx, sms: NewSms): Promise<void> {
  await tx.write(
    `INSERT INTO sms_outbox (id, mobile_sealed, text_sealed, state, attempts, next_ms, expires_ms, created_ms)
     VALUES (${sms.id}, ${sql.text(sms.mobileSealed)}, ${sql.text(sms.textSealed)}, 'pending', 0, ${sms.createdMs}, ${sms.expiresMs},
       ${sms.createdMs})`,
  );
}

export async function dueSms(tx: Tx, nowMs: Instant, limit: number): Promise<DueSms[]> {
  const rows = await tx.rows<{ id: string; mobile_sealed: string; text_sealed: string; attempts: number; expires_ms: string }>(
    `SELECT id, mobile_sealed, text_sealed, attempts, expires_ms FROM sms_outbox
     WHERE state = 'pending' AND next_ms <= ${nowMs} ORDER BY next_ms, id LIMIT ${limit}`,
  );
  return rows.map((row) => ({
    id: asId(row.id),
    mobileSealed: row.mobile_sealed,
    textSealed: row.text_sealed,
    attempts: Number(row.attempts),
    expiresMs: Number(row.expires_ms) as Instant,
  }));
}

/** Takes a message to send it: of two that look at once, one succeeds; and it is not due again before `nextMs`. */
export async function claimSms(tx: Tx, { id, attempts }: DueSms, nextMs: Instant): Promise<boolean> {
  const claimed = await tx.write(
    `UPDATE sms_outbox SET attempts = attempts + 1, next_ms = ${nextMs} WHERE id = ${id} AND state = 'pending' AND attempts = ${attempts}`,
  );
  return claimed === 1;
}

/** What came of it; its text is gone with that. */
export async function endSms(tx: Tx, id: Id, state: 'sent' | 'refused' | 'dropped', nowMs: Instant): Promise<void> {
  await tx.write(
    `UPDATE sms_outbox SET state = '${state}', text_sealed = NULL, ended_ms = ${nowMs} WHERE id = ${id} AND state = 'pending'`,
  );
}

/** Whether a message waits to be sent now. */
export async function isSmsDue(tx: Tx, nowMs: Instant): Promise<boolean> {
  return (await dueSms(tx, nowMs, 1)).length > 0;
}
