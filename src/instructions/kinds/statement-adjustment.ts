import { z } from 'zod';
import { BALANCE_MAX, refuse, toWire } from '../../kernel/index.js';
import { isElectronic, isPlatformOwn } from '../../ledger/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { type Kind, refused } from '../kind.js';

const schema = z.strictObject({
  account: wireId('account'),
  direction: z.enum(['debit', 'credit']).meta({ description: 'debit: the account bears it. credit: the account gets it' }),
  amount: moneySchema,
  reference: z.string().min(1).max(64).meta({ description: 'Under which the statement shows it' }),
});

/**
 * What the core bank has moved on the custody account and the books have not, booked against an account, as one person of the bank proposed and
 * another approved. Today's date stands on it; the day of the statement stays as it is.
 */
export const statementAdjustment: Kind<z.output<typeof schema>> = {
  name: 'statement-adjustment',
  en: 'Adjustment to what the statement shows',
  zh: '对账差错调账',
  origins: ['S'],
  proof: 'two-people',
  schema,
  example: {
    account: 'acc_2236512894231552003',
    direction: 'debit',
    amount: { amount: 700, currency: 'CNY' },
    reference: '2236512894231552021',
  },
  needs: (data, at) => ({ accounts: [data.account, at.book.accounts.custody] }),
  decide({ account: id, direction, amount: { amount }, reference }, facts, at) {
    const account = facts.account(id);
    if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
    // Orders, deals, margins and suspense have records of what stands on them.
    if (account.type !== 'sub' && !isElectronic(account.type) && !isPlatformOwn(account.type))
      return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const moved = direction === 'debit' ? -amount : amount;
    const custody = facts.account(at.book.accounts.custody)?.balance ?? 0n;
    if (moved - custody > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    const posting = { account: id, amount: moved, ...(isElectronic(account.type) ? { flow: 'exempt' as const } : {}) };
    const wall = { account: at.book.accounts.custody, amount: -moved };
    return {
      postings: direction === 'debit' ? [posting, wall] : [wall, posting],
      boundary: [{ reference, amount: moved }],
    };
  },
};
