import { z } from 'zod';
import { refuse, toWire } from '../../kernel/index.js';
import { isElectronic, isPlatformOwn } from '../../ledger/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import { type At, type Decision, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { voucher } from '../wire.js';

const clearingSchema = z.strictObject({ account: wireId('account'), amount: moneySchema });
const schema = clearingSchema.extend({ voucher });
type Withdrawal = z.output<typeof clearingSchema>;

function needs(data: Withdrawal, at: At): Needs {
  return { accounts: [data.account, at.book.accounts['in-transit']], records: [[settlementAccountRecords, data.account]] };
}

/** Withdrawable money of an account goes to the settlement account its owner bound, and nowhere else. */
function payOut(purpose: 'withdrawal' | 'clearing', data: Withdrawal, facts: Facts, at: At): Decision {
  const account = facts.account(data.account);
  if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
  if (account.type !== 'sub' && !isPlatformOwn(account.type) && !isElectronic(account.type)) {
    return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
  }
  const bound = facts.record(settlementAccountRecords, data.account);
  if (bound === undefined)
    return refused(refuse('SETTLEMENT_ACCOUNT_MISSING', undefined, { account: toWire('account', data.account) }));
  const amount = data.amount.amount;
  const { no, ...payout } = orderedPayout(at, { purpose, source: account.id, amount, payee: bound });
  return {
    postings: [
      { account: account.id, amount: -amount, draw: 'cleared-only', flow: 'bound' },
      { account: at.book.accounts['in-transit'], amount },
    ],
    ...payout,
    result: { payout: no },
  };
}

/** Asked for by the platform on behalf of the account's owner; out of an electronic account only with the owner's own act. */
export const withdrawal: Kind<z.output<typeof schema>> = {
  name: 'withdrawal',
  en: 'Withdrawal to the bound settlement account',
  zh: '提现',
  origins: ['P', 'O'],
  proof: 'own-account',
  schema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 5000, currency: 'CNY' } },
  act: ({ account, amount, voucher }) => ({ account, amount: amount.amount, payee: 'bound-card', voucher }),
  needs,
  decide: (data, facts, at) => payOut('withdrawal', data, facts, at),
};

/** Made by the day's clearing for what has become due. */
export const clearing: Kind<Withdrawal> = {
  name: 'clearing',
  en: 'Clearing to the bound settlement account',
  zh: '日终清算出款',
  origins: ['S'],
  proof: 'own-account',
  schema: clearingSchema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 9000, currency: 'CNY' } },
  needs,
  decide: (data, facts, at) => payOut('clearing', data, facts, at),
};
