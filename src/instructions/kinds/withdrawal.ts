import { z } from 'zod';
import { decidePayoutFee } from '../../agreements/index.js';
import { refuse, toWire } from '../../kernel/index.js';
import { isElectronic, isPlatformOwn, isSetAside } from '../../ledger/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import { payTermsIn, payTermsNeeds } from '../judging/due.js';
import { type At, type Decision, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { voucher } from '../wire.js';

const withdrawalSchema = z.strictObject({ account: wireId('account'), amount: moneySchema });
const schema = withdrawalSchema.extend({ voucher });
const clearingSchema = withdrawalSchema.extend({ fee: moneySchema.optional() });
type Withdrawal = z.output<typeof withdrawalSchema>;
type Clearing = z.output<typeof clearingSchema>;

function needs(data: Withdrawal, at: At): Needs {
  return { accounts: [data.account, at.book.accounts['in-transit']], records: [[settlementAccountRecords, data.account]] };
}

/** Withdrawable money of an account goes to the settlement account its owner bound, and nowhere else. */
function payOut(purpose: 'withdrawal' | 'clearing', data: Withdrawal, facts: Facts, at: At, fee = 0n): Decision {
  const account = facts.account(data.account);
  if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
  const isOwn = isPlatformOwn(account.type) && !isSetAside(account.type);
  if (account.type !== 'sub' && !isOwn && !isElectronic(account.type)) {
    return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
  }
  // Without its owner's act money goes back to his card only where two people of the bank wind his platform up.
  if (purpose === 'clearing' && isElectronic(account.type) && at.book.business !== 'winding-up')
    return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
  const bound = facts.record(settlementAccountRecords, data.account);
  if (bound === undefined)
    return refused(refuse('SETTLEMENT_ACCOUNT_MISSING', undefined, { account: toWire('account', data.account) }));
  const amount = data.amount.amount;
  const { no, ...payout } = orderedPayout(at, { purpose, source: account.id, amount, payee: bound });
  return {
    postings: [
      { account: account.id, amount: -amount - fee, draw: 'cleared-only', flow: 'bound' },
      { account: at.book.accounts['in-transit'], amount },
      ...(fee === 0n ? [] : [{ account: at.book.accounts.fees, amount: fee }]),
    ],
    ...payout,
    result: { payout: no, ...(fee === 0n ? {} : { fee: String(fee) }) },
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

/**
 * Made by the day's clearing for what has become due. The fee that the seller agreed for it goes to the platform in the same decision: a
 * payout that is refused costs nothing, and none is made without it.
 */
export const clearing: Kind<Clearing> = {
  name: 'clearing',
  en: 'Clearing to the bound settlement account',
  zh: '日终清算出款',
  origins: ['S'],
  proof: 'own-account',
  schema: clearingSchema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 9000, currency: 'CNY' } },
  needs(data, at) {
    const { accounts = [], records = [] } = needs(data, at);
    if (data.fee === undefined) return { accounts, records };
    return { accounts: [...accounts, at.book.accounts.fees], records: [...records, ...payTermsNeeds(data.account)] };
  },
  decide(data, facts, at) {
    if (data.fee === undefined) return payOut('clearing', data, facts, at);
    const terms = payTermsIn(facts, data.account, at);
    const of = { amount: data.amount.amount, fee: data.fee.amount, platformMax: at.book.terms.feeMax };
    const unagreed = decidePayoutFee(terms, of);
    return unagreed === undefined ? payOut('clearing', data, facts, at, data.fee.amount) : refused(unagreed);
  },
};
