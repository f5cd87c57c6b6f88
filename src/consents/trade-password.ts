import { addDays, type Id, naturalDate, type Refusal, refuse, startOfDay } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { countPasswordAttempt, findCredential, forgetAttempts } from './credentials/store.js';
import { isPasswordRight } from './password.js';
import { isSixDigits } from './rules.js';

/**
 * Whether this is the customer's trade password, for what he does on his own page without being asked. As with a consent the attempt is
 * counted and committed before it is looked at, and the slow hash is computed outside of any transaction.
 * @returns undefined when it is right; else SHAPE_INVALID, FACTOR_MISSING, PASSWORD_LOCKED or FACTOR_WRONG
 */
export async function checkTradePassword(
  { db, clock, vault }: Pick<Runtime, 'db' | 'clock' | 'vault'>,
  customerId: Id,
  password: string,
): Promise<Refusal | undefined> {
  if (!isSixDigits(password)) return refuse('SHAPE_INVALID');
  const known = (await db.read('credential', (tx) => findCredential(tx, customerId)))?.passwordHash ?? null;
  if (known === null) return refuse('FACTOR_MISSING');
  const nowMs = clock.now();
  const tomorrow = startOfDay(addDays(naturalDate(nowMs), 1));
  const counted = await db.withTx(
    'count-attempt',
    (tx) => countPasswordAttempt(tx, customerId, nowMs, tomorrow),
    async () => undefined, // rather one attempt too few
  );
  if (!counted) return refuse('PASSWORD_LOCKED');
  if (!(await isPasswordRight(vault, customerId, password, known))) return refuse('FACTOR_WRONG');
  await db.withTx(
    'right-password',
    (tx) => forgetAttempts(tx, customerId, known),
    async () => undefined,
  );
  return undefined;
}
