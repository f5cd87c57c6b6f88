import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import { refuse, workingDayAfter } from '../../kernel/index.js';
import { type Order, orderKey, orderLeft, orderRecords } from '../../orders/index.js';
import { moneySchema, orderNo, textSchema } from '../../runtime/index.js';
import { type At, change, type Effects, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { orderedPayout, settlementAccountRecords } from '../payout-effects.js';

const schema = z.strictObject({ orderNo, amount: moneySchema, reason: textSchema(128).optional() });
type Refund = z.output<typeof schema>;

/**
 * Money still on an order goes back to whoever paid it: to the account outside by a payout, to an electronic account of this book at
 * once. What was split has to be returned first.
 */
export const refund: Kind<Refund> = {
  name: 'refund',
  en: 'Refund to the payer',
  zh: '退款',
  origins: ['P', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', amount: { amount: 500, currency: 'CNY' }, reason: '商品缺货' },
  needs: (data, at) => ({
    accounts: [at.book.accounts['in-transit']],
    records: [[orderRecords, orderKey(at.platformId, data.orderNo)]],
  }),
  needsThen: boundCardOfPayer,
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const left = orderLeft(order);
    if (amount > left) return refused(refuse('REFUND_EXCEEDS_ORDER', undefined, { left: String(left) }));
    const after = change(orderRecords, key, { ...order, refunded: order.refunded + amount });
    const within = refundWithin(order, amount, facts, at);
    if (within !== undefined) return { ...within, records: [after] };
    const payee = order.payerAccountId === null ? order.payer : facts.record(settlementAccountRecords, order.payerAccountId);
    if (payee === undefined || payee.account === '')
      return refused(refuse('REFUND_ACCOUNT_MISSING', undefined, { orderNo: data.orderNo }));
    const { no, records, events } = orderedPayout(at, {
      purpose: 'refund',
      source: order.accountId,
      orderNo: data.orderNo,
      amount,
      payee,
      ...(order.paidOn >= at.book.businessDate ? { fundedOn: order.paidOn } : {}),
    });
    return {
      postings: [
        { account: order.accountId, amount: -amount },
        { account: at.book.accounts['in-transit'], amount },
      ],
      records: [after, ...records],
      events,
      result: { payout: no },
    };
  },
};

/** Needed when the electronic account that paid is closed meanwhile: then its card takes the money. */
function boundCardOfPayer(data: Refund, facts: Facts, at: At): Needs {
  const payer = facts.record(orderRecords, orderKey(at.platformId, data.orderNo))?.payerAccountId;
  return payer ? { records: [[settlementAccountRecords, payer]] } : {};
}

/**
 * Back to the electronic account, which is no inflow from others: it takes nothing of a limit and gives nothing back. It clears like
 * what is split from an order.
 */
function refundWithin(order: Order, amount: bigint, facts: Facts, at: At): Pick<Effects, 'postings'> | undefined {
  const account = order.payerAccountId;
  if (account === null || facts.record(electronicRecords, account)?.state === 'closed') return undefined;
  const today = at.book.businessDate;
  const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
  return {
    postings: [
      { account: order.accountId, amount: -amount },
      { account, amount, clears, flow: 'exempt' },
    ],
  };
}
