import type { z } from 'zod';
import { type Minor, refuse, toWire } from '../../../kernel/index.js';
import { availableOf } from '../../../ledger/index.js';
import { wireId } from '../../../runtime/index.js';
import { type Effects, type Kind, type Needs, refused } from '../../kind.js';
import { fundCode } from '../../wire.js';
import { accountPayment, accountPaymentSchema } from '../account-payment.js';
import { fastNeeds, redeemedAtOnce } from './fast.js';
import { FUND_IDS, fundNeeds, orderer } from './ordering.js';

const schema = accountPaymentSchema.extend({ fund: fundCode, mandate: wireId('mandate').optional() });

const both = (one: Needs, other: Needs): Needs => ({
  accounts: [...(one.accounts ?? []), ...(other.accounts ?? [])],
  records: [...(one.records ?? []), ...(other.records ?? [])],
});

/**
 * A customer pays out of the pot. Units may pay nobody: they are redeemed at once, and what the bank advances for them is his and pays, in one
 * decision, or nothing happens. The money passes through his account, by whose limits it counts, and leaves it as it was.
 */
export const potPayment: Kind<z.output<typeof schema>> = {
  name: 'pot-payment',
  en: 'Payment out of the pot',
  zh: '储蓄罐支付',
  origins: ['P'],
  proof: 'will',
  income: true,
  schema,
  example: {
    from: 'acc_2236512894231552006',
    fund: '000198',
    to: { orderNo: 'SO-1003' },
    amount: { amount: 1500, currency: 'CNY' },
  },
  act: ({ from, fund, to, amount, mandate }) => ({ account: from, amount: amount.amount, payee: to, redeems: fund, mandate }),
  onFunds: true,
  ids: FUND_IDS,
  needs: ({ fund, ...payment }, at) => both(fundNeeds({ account: payment.from, fund }, at), accountPayment.needs(payment, at)),
  needsThen: ({ fund, ...payment }, facts, at) =>
    both(fastNeeds({ account: payment.from, fund }, facts, at), accountPayment.needsThen?.(payment, facts, at) ?? {}),
  foresees: ({ fund: _, ...payment }, facts, at) => accountPayment.foresees?.(payment, facts, at) ?? [],
  decide({ fund, ...payment }, facts, at) {
    const { from } = payment;
    const { amount } = payment.amount;
    const of = orderer({ account: from, fund }, facts, at);
    if ('code' in of) return refused(of);
    const paid = accountPayment.decide(payment, facts, at);
    if ('refused' in paid || 'waits' in paid) return paid;
    const fast = redeemedAtOnce(of, amount, facts, at);
    if ('code' in fast) return refused(fast);
    // What others lay claim to of the account takes what comes in to it before anybody is paid.
    const { account } = of;
    if (availableOf({ ...account, balance: account.balance + amount }) < amount)
      return refused(refuse('FUNDS_INSUFFICIENT', undefined, { account: toWire('account', from) }));
    return {
      ...paid,
      postings: paid.postings.map((posting) =>
        posting.account === from ? { account: fast.advanceId, amount: posting.amount } : posting,
      ),
      through: [throughOf(from, amount)],
      records: [...(paid.records ?? []), ...fast.records],
      result: { ...paid.result, order: toWire('fund-order', fast.order.id), tradingDate: fast.order.tradingDate },
    };
  },
};

function throughOf(account: z.output<typeof schema>['from'], amount: Minor): NonNullable<Effects['through']>[number] {
  return { account, amount, from: 'product', to: 'unbound' };
}
