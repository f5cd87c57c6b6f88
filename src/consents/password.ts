import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { checkResidentId, type Id, type Instant, invariant, type Refusal, Refused, refuse } from '../kernel/index.js';
import { type Customer, customerOf } from '../parties/index.js';
import type { Runtime, Tx, Vault } from '../runtime/index.js';
import { replacePassword } from './credentials/store.js';
import { isSixDigits, isWeakPassword, type OwnNumbers } from './rules.js';

/**
 * Trade passwords (交易密码): six digits, of which only a slow salted hash is kept. A million passwords are soon tried, so the hash also
 * takes the vault's index key: who has the database alone can try none.
 */
const scryptAsync = promisify<string | Buffer, Buffer, number, ScryptOptions, Buffer>(scrypt);

/** RFC 7914: 2^15 rounds of 8 blocks need 32 MiB and about a tenth of a second. */
const COST = { logN: 15, r: 8, p: 1 } as const;
const HASH_BYTES = 32;
const SALT_BYTES = 16;

type Pepper = Pick<Vault, 'index'>;

async function derive(pepper: Pepper, customerId: Id, password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  const { logN, r, p } = cost;
  const N = 2 ** logN;
  return scryptAsync(pepper.index('password', `${customerId}:${password}`), salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r });
}

interface Cost {
  readonly logN: number;
  readonly r: number;
  readonly p: number;
}

/** What is stored: `scrypt.15.8.1.<salt>.<hash>`. */
export async function hashPassword(pepper: Pepper, customerId: Id, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(pepper, customerId, password, salt, COST);
  return ['scrypt', COST.logN, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('.');
}

export async function isPasswordRight(pepper: Pepper, customerId: Id, password: string, stored: string): Promise<boolean> {
  const [name, logN, r, p, salt, hash] = stored.split('.');
  invariant(name === 'scrypt' && salt !== undefined && hash !== undefined, 'a stored password is a scrypt hash');
  const cost = { logN: Number(logN), r: Number(r), p: Number(p) };
  const derived = await derive(pepper, customerId, password, Buffer.from(salt, 'base64url'), cost);
  return timingSafeEqual(derived, Buffer.from(hash, 'base64url'));
}

/** SHAPE_INVALID for what is not six digits, PASSWORD_WEAK for what others would guess; undefined for a fit one. */
export async function faultOfNewPassword(
  { db, vault }: Pick<Runtime, 'db' | 'vault'>,
  customerId: Id,
  password: string,
): Promise<Refusal | undefined> {
  if (!isSixDigits(password)) return refuse('SHAPE_INVALID');
  const customer = await db.read('asked-customer', (tx) => customerOf(tx, customerId, vault));
  return isWeakPassword(password, customer === undefined ? {} : ownNumbers(customer)) ? refuse('PASSWORD_WEAK') : undefined;
}

function ownNumbers({ idNo, mobile, particulars }: Customer): OwnNumbers {
  const checked = checkResidentId(idNo);
  const told = particulars?.kind === 'person' ? particulars.birthDate : undefined;
  return { idNo, birthDate: checked.ok ? checked.birthDate : told, mobile: mobile ?? undefined };
}

/**
 * Puts a new password in the place of the one that was proved, or where there was none.
 * @throws Refused CONSENT_MISMATCH when it was changed meanwhile
 */
export async function putPassword(
  tx: Tx,
  customerId: Id,
  { before, after, nowMs }: { before: string | null; after: string; nowMs: Instant },
): Promise<void> {
  if (!(await replacePassword(tx, customerId, before, after, nowMs))) throw new Refused(refuse('CONSENT_MISMATCH'));
}
