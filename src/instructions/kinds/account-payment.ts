import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import { type Id, refuse, toWire } from '../../kernel/index.js';
import { isElectronic } from '../../ledger/index.js';
import { orderKey, orderRecords } from '../../orders/index.js';
import { moneySchema, orderNo, textSchema, wireId } from '../../runtime/index.js';
import { type At, change, type Decision, type Facts, type Kind, refused } from '../kind.js';
import { backgroundNeeds, backgroundSchema } from '../orders/background.js';
import { foreseenOrder, type OrderMoney, paidOrder, payingNeeds, refundedOfNothing } from '../orders/paying.js';
import { overCapAfter, sharingNeeds } from '../orders/sharing.js';

export const accountPaymentSchema = z.strictObject({
  from: wireId('account'),
  to: z.union([z.strictObject({ orderNo }), z.strictObject({ account: wireId('account') })]),
  amount: moneySchema,
  mandate: wireId('mandate').optional(),
  remark: textSchema(128).optional(),
  background: backgroundSchema.optional(),
});
type AccountPayment = z.output<typeof accountPaymentSchema>;

/**
 * A customer pays from his electronic account: for an order, where the money stands until it is split, or to a sub-merchant. It takes
 * his own act or a live mandate. An order that is paid so is refunded to the same account, inside the book.
 */
export const accountPayment: Kind<AccountPayment> = {
  name: 'account-payment',
  en: 'Payment from an electronic account',
  zh: '电子账户付款',
  origins: ['P'],
  proof: 'will',
  income: true,
  schema: accountPaymentSchema,
  example: {
    from: 'acc_2236512894231552006',
    to: { orderNo: 'SO-1002' },
    amount: { amount: 2000, currency: 'CNY' },
    mandate: 'mdt_2236512894231552031',
  },
  act: ({ from, to, amount, mandate }) => ({ account: from, amount: amount.amount, payee: to, mandate }),
  needs({ from, to, background: asked }, at) {
    if ('account' in to) return { accounts: [from, to.account] };
    const background = backgroundNeeds(asked);
    return {
      accounts: [from, ...(background.accounts ?? [])],
      records: [[orderRecords, orderKey(at.platformId, to.orderNo)], ...(background.records ?? [])],
    };
  },
  needsThen: ({ to }, facts, at) => ('orderNo' in to ? payingNeeds([to.orderNo], facts, at) : {}),
  foresees: (data, facts, at) =>
    'orderNo' in data.to ? foreseenOrder(moneyOf(data, data.to.orderNo, facts), at.instruction, facts, at) : [],
  decide(data, facts, at) {
    const from = facts.account(data.from);
    if (from === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.from) }));
    if (!isElectronic(from.type)) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: from.type }));
    if ('account' in data.to) return payAccount(data, data.to.account, facts, at);
    return payOrder(data, data.to.orderNo, facts, at);
  },
  undo: {
    origins: ['P', 'O'],
    needs: ({ to }, at) => ('orderNo' in to ? { records: [[orderRecords, orderKey(at.platformId, to.orderNo)]] } : {}),
    needsThen({ to }, facts, at) {
      const order = 'orderNo' in to ? facts.record(orderRecords, orderKey(at.platformId, to.orderNo)) : undefined;
      return order === undefined ? {} : sharingNeeds(order, facts, at);
    },
    records({ to, amount }, facts, at) {
      if ('account' in to) return { records: [] };
      const key = orderKey(at.platformId, to.orderNo);
      const order = facts.record(orderRecords, key);
      if (order === undefined) return refuse('ORDER_NOT_FOUND', undefined, { orderNo: to.orderNo });
      const after = { ...order, paid: order.paid - amount.amount };
      return (
        refundedOfNothing(order, amount.amount) ?? overCapAfter(after, facts) ?? { records: [change(orderRecords, key, after)] }
      );
    },
  },
};

function payAccount({ from, amount }: AccountPayment, to: Id, facts: Facts, at: At): Decision {
  const payee = facts.account(to);
  if (payee === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', to) }));
  if (payee.type !== 'sub') return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: payee.type }));
  // What is sold under agreements is an order, of which the bank knows the goods.
  if (at.book.terms.agreements === 'required') return refused(refuse('BACKGROUND_MISSING'));
  return {
    postings: [
      { account: from, amount: -amount.amount, draw: 'uncleared-first', flow: 'unbound' },
      { account: to, amount: amount.amount, clears: 'inherit' },
    ],
  };
}

function moneyOf({ from, amount: { amount }, background }: AccountPayment, orderNo: string, facts: Facts): OrderMoney {
  const payer = { name: '', account: facts.record(electronicRecords, from)?.virtualNo ?? '', bankCode: '' };
  return { orderNo, amount, payer, payerAccountId: from, background };
}

function payOrder(data: AccountPayment, number: string, facts: Facts, at: At): Decision {
  const { amount } = data.amount;
  const paid = paidOrder(moneyOf(data, number, facts), at.instruction, facts, at);
  if ('code' in paid) return refused(paid);
  const { accountId, ...kept } = paid;
  return {
    ...kept,
    postings: [
      { account: data.from, amount: -amount, draw: 'uncleared-first', flow: 'unbound' },
      { account: accountId, amount },
    ],
    result: { orderAccount: toWire('account', accountId) },
  };
}
