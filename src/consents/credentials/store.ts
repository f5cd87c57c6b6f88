import type { BusinessDate, Id, Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import { LINK_TRIES_MAX, PASSWORD_TRIES_MAX } from '../rules.js';

/**
 * What is known of a customer's trade password; the password itself is nowhere. One that was set by the code to a number that turned out
 * not to be his is none.
 */
export interface Credential {
  readonly passwordHash: string | null;
  /** Wrong ones in a row, and such as are being looked at. */
  readonly attempts: number;
  readonly lockedUntilMs: Instant | null;
}

export async function findCredential(tx: Tx, customerId: Id): Promise<Credential | undefined> {
  const [row] = await tx.rows<{ password_hash: string | null; attempts: number; locked_until_ms: string | null }>(
    `SELECT IF(p.changed_ms <= COALESCE(c.proofs_from_ms, 0), NULL, p.password_hash) AS password_hash, p.attempts, p.locked_until_ms
     FROM credentials AS p LEFT JOIN customers AS c ON c.id = p.customer_id WHERE p.customer_id = ${customerId}`,
  );
  if (row === undefined) return undefined;
  return {
    passwordHash: row.password_hash,
    attempts: Number(row.attempts),
    lockedUntilMs: row.locked_until_ms === null ? null : (Number(row.locked_until_ms) as Instant),
  };
}

/**
 * Counts an attempt before it is looked at; the last one that is left locks the password there and then, and the right password takes
 * that back. A lock whose time has come is lifted first. Answers whether there was an attempt left.
 */
export async function countPasswordAttempt(tx: Tx, customerId: Id, nowMs: Instant, lockUntilMs: Instant): Promise<boolean> {
  await tx.write(
    `UPDATE credentials SET attempts = 0, locked_until_ms = NULL WHERE customer_id = ${customerId} AND locked_until_ms <= ${nowMs}`,
  );
  const counted = await tx.write(
    `UPDATE credentials SET locked_until_ms = IF(attempts >= ${PASSWORD_TRIES_MAX - 1}, ${lockUntilMs}, NULL), attempts = attempts + 1
     WHERE customer_id = ${customerId} AND password_hash IS NOT NULL AND attempts < ${PASSWORD_TRIES_MAX} AND locked_until_ms IS NULL`,
  );
  return counted === 1;
}

/** The password was right: the row of wrong ones is broken. */
export async function forgetAttempts(tx: Tx, customerId: Id, passwordHash: string): Promise<void> {
  await tx.write(
    `UPDATE credentials SET attempts = 0, locked_until_ms = NULL
     WHERE customer_id = ${customerId} AND password_hash = ${sql.text(passwordHash)}`,
  );
}

/** Wrong codes of a customer on this natural day, over whatever he was asked, and such as are being looked at. */
export async function wrongCodesOn(tx: Tx, customerId: Id, today: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ attempts: number }>(
    `SELECT attempts FROM code_attempts WHERE customer_id = ${customerId} AND on_date >= '${today}'`,
  );
  return Number(row?.attempts ?? 0);
}

/** Counts a code before it is looked at. The first of another day begins anew. Answers whether one was left. */
export async function countCodeAttempt(tx: Tx, customerId: Id, today: BusinessDate, max: number): Promise<boolean> {
  await tx.write(
    `INSERT INTO code_attempts (customer_id, on_date, attempts) VALUES (${customerId}, '${today}', 0)
     ON DUPLICATE KEY UPDATE attempts = IF(on_date < '${today}', 0, attempts), on_date = GREATEST(on_date, '${today}')`,
  );
  const counted = await tx.write(
    `UPDATE code_attempts SET attempts = attempts + 1 WHERE customer_id = ${customerId} AND attempts < ${max}`,
  );
  return counted === 1;
}

/** What was counted on that day was right, so it is taken back: it alone, for the wrong ones of the day stay what they are. */
export async function takeBackCodeAttempt(tx: Tx, customerId: Id, countedOn: BusinessDate): Promise<void> {
  await tx.write(
    `UPDATE code_attempts SET attempts = attempts - 1
     WHERE customer_id = ${customerId} AND on_date = '${countedOn}' AND attempts > 0`,
  );
}

/** Whose page, by whose address: null is his own. */
export interface LinkOf {
  readonly customerId: Id;
  readonly platformId: Id | null;
}

const ofLink = ({ customerId, platformId }: LinkOf) => `customer_id = ${customerId} AND platform_id = ${platformId ?? 0}`;

/** Wrong passwords on this natural day by whichever of these addresses, and such as are being looked at. */
export async function linkTriesOn(tx: Tx, of: LinkOf, today: BusinessDate): Promise<number> {
  const [row] = await tx.rows<{ tries: number }>(`SELECT tries FROM link_tries WHERE ${ofLink(of)} AND on_date >= '${today}'`);
  return Number(row?.tries ?? 0);
}

/** Counts a password before it is looked at. The first of another day begins anew. Answers whether one was left. */
export async function countLinkTry(tx: Tx, of: LinkOf, today: BusinessDate): Promise<boolean> {
  await tx.write(
    `INSERT INTO link_tries (customer_id, platform_id, on_date, tries) VALUES (${of.customerId}, ${of.platformId ?? 0}, '${today}', 0)
     ON DUPLICATE KEY UPDATE tries = IF(on_date < '${today}', 0, tries), on_date = GREATEST(on_date, '${today}')`,
  );
  const counted = await tx.write(`UPDATE link_tries SET tries = tries + 1 WHERE ${ofLink(of)} AND tries < ${LINK_TRIES_MAX}`);
  return counted === 1;
}

/** What was counted on that day was no wrong guess. */
export async function takeBackLinkTry(tx: Tx, of: LinkOf, countedOn: BusinessDate): Promise<void> {
  await tx.write(`UPDATE link_tries SET tries = tries - 1 WHERE ${ofLink(of)} AND on_date = '${countedOn}' AND tries > 0`);
}

/**
 * Puts a password in the place of the one that was there when the customer was asked, or where there was none.
 * Answers whether it still was so.
 */
export async function replacePassword(
  tx: Tx,
  customerId: Id,
  before: string | null,
  after: string,
  nowMs: Instant,
): Promise<boolean> {
  await tx.write(
    `INSERT INTO credentials (customer_id, attempts, changed_ms) VALUES (${customerId}, 0, ${nowMs})
     ON DUPLICATE KEY UPDATE customer_id = credentials.customer_id`,
  );
  const none = `changed_ms <= COALESCE((SELECT proofs_from_ms FROM customers WHERE id = ${customerId}), 0)`;
  const replaced = await tx.write(
    `UPDATE credentials SET password_hash = ${sql.text(after)}, attempts = 0, locked_until_ms = NULL, changed_ms = ${nowMs}
     WHERE customer_id = ${customerId} AND IF(${none}, NULL, password_hash) <=> ${sql.nullableText(before)}`,
  );
  return replaced === 1;
}
