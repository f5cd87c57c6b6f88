import { asId, type BusinessDate, type Id, type Instant } from '../../kernel/index.js';
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

const WINDOW_MS = 10 * 60_000;

/** How many messages with codes one number may get, in a natural day and in ten minutes. */
export interface CodeMessageCaps {
  readonly day: number;
  readonly window: number;
}

/**
 * Counts a message with a code to a mobile number, whoever it is for. The first of another day begins anew, and so does the first that comes
 * ten minutes after the one that the window began with.
 * @returns undefined when it is counted; else of which there were enough, and then nothing may be committed
 */
export async function countCodeMessage(
  tx: Tx,
  mobileIndex: Buffer,
  { today, nowMs }: { today: BusinessDate; nowMs: Instant },
  caps: CodeMessageCaps,
): Promise<keyof CodeMessageCaps | undefined> {
  const isOver = `window_ms <= ${nowMs - WINDOW_MS}`;
  const which = `mobile_index = ${sql.hex(mobileIndex)}`;
  await tx.write(
    `INSERT INTO code_messages (mobile_index, on_date, day_count, window_ms, window_count)
     VALUES (${sql.hex(mobileIndex)}, '${today}', 0, ${nowMs}, 0)
     ON DUPLICATE KEY UPDATE day_count = IF(on_date < '${today}', 0, day_count), on_date = GREATEST(on_date, '${today}'),
       window_count = IF(${isOver}, 0, window_count), window_ms = IF(${isOver}, ${nowMs}, window_ms)`,
  );
  const counted = await tx.write(
    `UPDATE code_messages SET day_count = day_count + 1, window_count = window_count + 1
     WHERE ${which} AND day_count < ${caps.day} AND window_count < ${caps.window}`,
  );
  if (counted === 1) return undefined;
  const [row] = await tx.rows<{ day_count: number }>(`SELECT day_count FROM code_messages WHERE ${which}`);
  return Number(row?.day_count) >= caps.day ? 'day' : 'window';
}

/** Whether no message with a code goes to this number now, and by which of the two caps. */
export async function codeMessagesFull(
  tx: Tx,
  mobileIndex: Buffer,
  { today, nowMs }: { today: BusinessDate; nowMs: Instant },
  caps: CodeMessageCaps,
): Promise<keyof CodeMessageCaps | undefined> {
  const [row] = await tx.rows<{ day: number; span: number }>(
    `SELECT IF(on_date < '${today}', 0, day_count) AS day, IF(window_ms <= ${nowMs - WINDOW_MS}, 0, window_count) AS span
     FROM code_messages WHERE mobile_index = ${sql.hex(mobileIndex)}`,
  );
  if (Number(row?.day ?? 0) >= caps.day) return 'day';
  return Number(row?.span ?? 0) >= caps.window ? 'window' : undefined;
}

/** Whether a message waits to be sent now. */
export async function isSmsDue(tx: Tx, nowMs: Instant): Promise<boolean> {
  return (await dueSms(tx, nowMs, 1)).length > 0;
}
