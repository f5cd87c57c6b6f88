import { z } from 'zod';
import { BALANCE_MAX, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { isPlatformOwn } from '../../ledger/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { arrivalDate, type Kind, refused } from '../kind.js';
import { reference } from '../wire.js';

const schema = z.strictObject({ account: wireId('account'), amount: moneySchema, reference });

/**
 * What a member, or the platform itself, had in custody elsewhere, and has here from now on: a part of the one transfer by which the other
 * custodian hands all of it over. All parts stand under that transfer's reference, so the statement proves their sum.
 */
export const takeOver: Kind<z.output<typeof schema>> = {
  name: 'take-over',
  en: 'Balance taken over from another custodian',
  zh: '迁入余额',
  origins: ['S'],
  proof: 'inflow',
  schema,
  example: {
    account: 'acc_2236512894231552003',
    amount: { amount: 2500, currency: 'CNY' },
    reference: 'MOVE-20260302-1',
  },
  needs: ({ account }, at) => ({ accounts: [account, at.book.accounts.custody] }),
  decide({ account: id, amount: { amount }, reference: of }, facts, at) {
    const account = facts.account(id);
    if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
    if (account.type !== 'sub' && !isPlatformOwn(account.type))
      return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const { custody } = at.book.accounts;
    if (amount - (facts.account(custody)?.balance ?? 0n) > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    return {
      postings: [
        { account: custody, amount: -amount },
        { account: id, amount, clears: workingDayAfter(at.calendar, arrivalDate(at)) },
      ],
      boundary: [{ reference: of, amount }],
    };
  },
};
