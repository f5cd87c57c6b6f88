import { z } from 'zod';
import { type Id, type Minor, maskCardNumber, maskName } from '../kernel/index.js';
import type { Payout } from '../payouts/index.js';
import { bankCodeSchema, moneySchema, textSchema, wireId } from '../runtime/index.js';
import type { PersonalField } from './kind.js';

/** Field types that only instructions have. */
const accountNumber = z
  .string()
  .regex(/^[A-Za-z0-9]{0,34}$/, { error: 'must be up to 34 letters and digits' })
  .meta({ description: 'An account or card number', example: '622202000000000007' });

/** Who paid from outside, as it is given and as it is stored. */
export const payer = z.strictObject({ name: textSchema(128), account: accountNumber, bankCode: bankCodeSchema.default('') });
export const storedPayer = z.strictObject({ name: z.string(), account: z.string(), bankCode: bankCodeSchema.default('') });
export const PAYER_FIELDS: readonly PersonalField[] = [
  { path: ['payer', 'name'], mask: maskName },
  { path: ['payer', 'account'], mask: maskCardNumber },
];

/**
 * Whether a payer is the bound account: the same holder, number and bank. Branches of a bank have line numbers of their own; their first
 * three digits name the bank (行别代码).
 */
export function isSameAccount(one: Payout['payee'], other: Payout['payee']): boolean {
  const bankOf = ({ bankCode }: Payout['payee']) => bankCode.slice(0, 3);
  return one.account === other.account && one.name === other.name && bankOf(one) === bankOf(other);
}

export const reference = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,64}$/, { error: 'must be 1 to 64 of A–Z a–z 0–9 _ . : -' })
  // Under these the statement shows what the bank itself did: payouts, their returns, interest, a balance that does not carry over.
  .refine((text) => !/^(RT)?[1-9][0-9]{18}$|^OPENING$|^INT[1-9][0-9]{18}\.[0-9]{8}$/.test(text), {
    error: 'must not look like a reference of the bank itself',
  })
  .meta({ description: "The reference on the core bank's statement" });

export const voucher = textSchema(64)
  .optional()
  .meta({ description: 'Given by staff only: the number of the form that the customer signed at the counter' });

export const fundCode = z
  .string()
  .regex(/^[0-9]{6}$/, { error: 'must be six digits' })
  .meta({ description: "The fund's code", example: '000198' });

/** A count of small parts that is no money: hundredths of units, ten-thousandths of a yuan. */
export const digits = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,14})$/, { error: 'must be digits' })
  .transform(BigInt);

const RECEIVERS_MAX = 50; // what the large marketplaces accept in one split

export const lines = z
  .array(z.strictObject({ account: wireId('account'), amount: moneySchema }))
  .min(1)
  .max(RECEIVERS_MAX);
type Line = z.output<typeof lines>[number];

export function totalOf(of: readonly Line[]): Minor {
  return of.reduce((sum, line) => sum + line.amount.amount, 0n);
}

export function repeatedReceiver(of: readonly Line[]): Id | undefined {
  const seen = new Set<Id>();
  for (const { account } of of) {
    if (seen.has(account)) return account;
    seen.add(account);
  }
  return undefined;
}
