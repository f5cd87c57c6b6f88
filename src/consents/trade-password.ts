import { addDays, type Id, type Instant, naturalDate, type Refusal, refuse, startOfDay } from '../kernel/index.js';
import { customerOf } from '../parties/index.js';
import { readPlatform } from '../platforms/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import {
  countLinkTry,
  countPasswordAttempt,
  findCredential,
  forgetAttempts,
  type LinkOf,
  takeBackLinkTry,
} from './credentials/store.js';
import { isPasswordRight } from './password.js';
import { isSixDigits } from './rules.js';
import { queueSms, SMS_KEY } from './sms/send.js';

type Parts = Pick<Runtime, 'db' | 'clock' | 'vault' | 'newId' | 'bells'>;

/**
 * Whether this is the customer's trade password, entered on a page of his by an address that a platform got (or that came to his own mobile).
 * Few wrong ones are taken by the addresses of one platform in a natural day, counted before they are looked at and apart from the
 * count that locks the password everywhere; of each he is told by SMS.
 * @returns undefined when it is right; else NOT_FOUND (the address is dead), SHAPE_INVALID, FACTOR_MISSING, PASSWORD_LOCKED or FACTOR_WRONG
 */
export async function checkLinkPassword(rt: Parts, of: LinkOf, password: string): Promise<Refusal | undefined> {
  const { db, clock, bells } = rt;
  const countedOn = naturalDate(clock.now());
  const counted = await db.withTx(
    'count-link-try',
    (tx) => countLinkTry(tx, of, countedOn),
    async () => undefined, // rather one attempt too few
  );
  if (!counted) return refuse('NOT_FOUND');
  const wrong = await checkTradePassword(rt, of.customerId, password);
  const isGuess = wrong?.code === 'FACTOR_WRONG';
  await db.withTx(
    'link-try',
    (tx) => (isGuess ? tellOfGuess(tx, rt, of) : takeBackLinkTry(tx, of, countedOn)),
    async () => undefined, // told twice, or taken back twice at worst for one that is being looked at
  );
  if (isGuess) await bells.ring('send-sms', SMS_KEY).catch(() => undefined); // the sweep rings again
  return wrong;
}

const TOLD_WITHIN_MS = 86_400_000;

async function tellOfGuess(tx: Tx, rt: Parts, { customerId, platformId }: LinkOf): Promise<void> {
  const mobile = (await customerOf(tx, customerId, rt.vault))?.mobile;
  if (mobile == null) return;
  const platform = platformId === null ? undefined : (await readPlatform(tx, platformId))?.name;
  const where = platform === undefined ? '您的扣款授权页面' : `${platform}打开的您的扣款授权页面`;
  const text = `【存管】有人在${where}输错了交易密码。如非本人操作，请联系银行。`;
  await queueSms(tx, rt, { mobile, text, expiresMs: (rt.clock.now() + TOLD_WITHIN_MS) as Instant });
}

/**
 * Whether this is the customer's trade password. As with a consent the attempt is
 * counted and committed before it is looked at, and the slow hash is computed outside of any transaction.
 * @returns undefined when it is right; else SHAPE_INVALID, FACTOR_MISSING, PASSWORD_LOCKED or FACTOR_WRONG
 */
async function checkTradePassword(
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
