import { z } from 'zod';
import { type Judged, judgeSigned, type PublicKeys, signedSchema } from '../../kernel/index.js';

/**
 * The form of a statement of an account (账户对账单) as the bank signs it, and whether one is genuine: whoever holds it and the bank's public key
 * needs neither the bank nor its database. Amounts are fen.
 */
export const STATEMENT_VERSION = 'cunguan-statement-1';

const minor = z.int().meta({ description: 'Fen' });
const date = z.string().meta({ format: 'date' });
const instant = z.string().meta({ format: 'date-time', description: 'In Beijing time' });
const words = z.strictObject({ zh: z.string(), en: z.string() });

const contentSchema = z.strictObject({
  account: z.string().meta({ example: 'acc_2236512894231552003' }),
  type: z.string().meta({ description: 'Of the account' }),
  platform: z.string(),
  platformName: z.string(),
  holder: z.string().nullable().meta({ description: 'Masked; null: nobody’s outside of platform and bank' }),
  merchantNo: z.string().nullable(),
  virtualNo: z.string().nullable(),
  currency: z.literal('CNY'),
  from: date,
  to: date,
  final: z.boolean().meta({ description: 'All its days are over: it says the same for ever' }),
  opening: minor,
  closing: minor,
  totalIn: minor,
  totalOut: minor,
  lines: z.array(
    z.strictObject({
      seq: z.int(),
      businessDate: date,
      postedAt: instant,
      instruction: z.string(),
      requestNo: z.string(),
      kind: z.string(),
      kindName: words,
      amount: minor.meta({ description: 'Fen; above zero: money in' }),
      balance: minor.meta({ description: 'After this entry' }),
      counter: words.meta({ description: 'With whom; people and account numbers masked' }),
    }),
  ),
  madeAt: instant,
});
export type StatementContent = z.output<typeof contentSchema>;

export const statementSchema = signedSchema(STATEMENT_VERSION, contentSchema).meta({
  id: 'Statement',
  description: 'Statement of an account 账户对账单, signed by the bank',
});
export type SignedStatement = z.output<typeof statementSchema>;

export function judgeStatement(value: unknown, keys: PublicKeys): Judged<SignedStatement> {
  return judgeSigned(statementSchema, 'statement of an account', value, keys);
}
