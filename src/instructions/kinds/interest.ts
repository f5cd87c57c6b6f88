import { z } from 'zod';
import {
  accrualRecords,
  type Earned,
  earned,
  electronicRecords,
  interestLineKey,
  interestLineRecords,
  interestReference,
  isInterestDay,
  paidUpTo,
} from '../../accounts/index.js';
import { addDays, type Id, refuse, toWire, WIRE_MAX } from '../../kernel/index.js';
import { businessDateSchema, currencySchema, wireId } from '../../runtime/index.js';
import { type At, change, type Facts, type Kind, type RecordChange, refused } from '../kind.js';

const schema = z.strictObject({
  account: wireId('account'),
  /** The interest day, the last for which it is paid. */
  through: businessDateSchema,
  /** 积数: fen times days. */
  product: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,29})$/)
    .transform((digits) => BigInt(digits)),
  /** Of a year, in millionths. */
  rate: z
    .int()
    .min(0)
    .transform((rate) => BigInt(rate)),
  amount: z.strictObject({
    amount: z
      .int()
      .min(0)
      .max(Number(WIRE_MAX))
      .transform((amount) => BigInt(amount)),
    currency: currencySchema,
  }),
});

/**
 * Demand interest of an electronic account for a quarter, which the bank brings in. What was earned is worked out anew from the
 * entries, and anything else is refused. The money is as young as any that came in today: it leaves when today's proof has passed.
 */
export const interest: Kind<z.output<typeof schema>> = {
  name: 'interest',
  en: 'Demand interest',
  zh: '活期结息',
  origins: ['S'],
  proof: 'bank',
  schema,
  example: {
    account: 'acc_2236512894231552006',
    through: '2025-12-20',
    product: '9100000',
    rate: 3500,
    amount: { amount: 88, currency: 'CNY' },
  },
  needs: ({ account }, at) => ({
    accounts: [account, at.book.accounts.custody],
    records: [
      [electronicRecords, account],
      [accrualRecords, account],
    ],
  }),
  decide(data, facts, at) {
    const { account: id, through } = data;
    const where = { account: toWire('account', id) };
    if (facts.account(id) === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, where));
    const account = facts.record(electronicRecords, id);
    const accrual = facts.record(accrualRecords, id);
    if (account === undefined || accrual === undefined) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, where));
    if (account.state === 'closed') return refused(refuse('ACCOUNT_CLOSED', undefined, where));
    if (account.state === 'closing') return refused(refuse('ACCOUNT_CLOSING', undefined, where));
    const { interestFrom: from } = account;
    if (through < from) return refused(refuse('INTEREST_PERIOD_PAID', undefined, { ...where, through, paidBefore: from }));
    const due = earned(accrual, { from, through, rateOn: through }, at.parameters);
    const isRight = due.product === data.product && due.rate === data.rate && due.amount === data.amount.amount;
    if (!isRight || !isInterestDay(through) || through >= at.book.businessDate)
      return refused(refuse('INTEREST_DIFFERS', undefined, { ...where, through, due: String(due.amount) }));
    const records = [
      change(electronicRecords, id, { ...account, interestFrom: addDays(through, 1) }),
      ...accountedFor(id, due, facts, at),
    ];
    if (due.amount === 0n) return { postings: [], records };
    return {
      postings: [
        { account: at.book.accounts.custody, amount: -due.amount },
        { account: id, amount: due.amount, clears: addDays(at.book.businessDate, 1), flow: 'exempt' },
      ],
      records,
      boundary: [{ reference: interestReference(id, through), amount: due.amount }],
    };
  },
};

/**
 * The records of interest that is paid by this instruction, besides the account's own: its line, by which the core bank is told to bring
 * the money, and the balance with which the next period begins.
 */
export function accountedFor(id: Id, due: Earned, facts: Facts, at: At): RecordChange[] {
  const accrual = facts.record(accrualRecords, id);
  if (accrual === undefined) return [];
  const line = { accountId: id, platformId: at.platformId, creditedOn: at.book.businessDate, ...due };
  return [change(accrualRecords, id, paidUpTo(accrual, due.through)), change(interestLineRecords, interestLineKey(line), line)];
}
