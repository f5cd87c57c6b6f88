import { z } from 'zod';
import { refuse, toWire } from '../../kernel/index.js';
import { orderKey, orderLeft, orderRecords } from '../../orders/index.js';
import { payoutRecords } from '../../payouts/index.js';
import { moneySchema, orderNo, textSchema } from '../../runtime/index.js';
import { change, type Kind, refused } from '../kind.js';
import { newPayout } from '../payout-effects.js';

const schema = z.strictObject({ orderNo, amount: moneySchema, reason: textSchema(128).optional() });
type Refund = z.output<typeof schema>;

/** Money still on an order goes back to the account that paid it. What was split has to be returned first. */
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
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const left = orderLeft(order);
    if (amount > left) return refused(refuse('REFUND_EXCEEDS_ORDER', undefined, { left: String(left) }));
    if (order.payer.account === '') return refused(refuse('REFUND_ACCOUNT_MISSING', undefined, { orderNo: data.orderNo }));
    const payout = newPayout(at, {
      purpose: 'refund',
      source: order.accountId,
      orderNo: data.orderNo,
      amount,
      payee: order.payer,
      ...(order.paidOn >= at.book.businessDate ? { fundedOn: order.paidOn } : {}),
    });
    return {
      postings: [
        { account: order.accountId, amount: -amount },
        { account: at.book.accounts['in-transit'], amount },
      ],
      records: [
        change(orderRecords, key, { ...order, refunded: order.refunded + amount }),
        change(payoutRecords, payout.id, payout),
      ],
      events: [{ topic: 'payout.created', ref: payout.id }],
      result: { payout: toWire('payout', payout.id) },
    };
  },
};
