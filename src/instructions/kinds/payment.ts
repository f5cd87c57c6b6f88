import { z } from 'zod';
import { BALANCE_MAX, idAfter, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import type { Posting } from '../../ledger/index.js';
import { orderKey, orderRecords } from '../../orders/index.js';
import { moneySchema, orderNo } from '../../runtime/index.js';
import {
  type At,
  change,
  type Effects,
  type Facts,
  factsWith,
  type Kind,
  type Needs,
  type RecordChange,
  refused,
} from '../kind.js';
import { backgroundNeeds, backgroundSchema } from '../orders/background.js';
import { foreseenOrder, type OrderMoney, paidOrder, payingNeeds, refundedOfNothing } from '../orders/paying.js';
import { PAYER_FIELDS, payer, reference, storedPayer } from '../wire.js';

const schema = z.strictObject({
  orderNo,
  amount: moneySchema,
  payer,
  /** The reference under which the money stands on the core bank's statement. */
  reference,
  background: backgroundSchema.optional(),
});
type Payment = z.output<typeof schema>;

/** Money that a buyer paid for an order: it stands on the order, and is never the platform's. A later one adds to the first. */
export const payment: Kind<Payment> = {
  name: 'payment',
  en: 'Payment for an order',
  zh: '订单入金',
  origins: ['P', 'O'],
  proof: 'inflow',
  schema,
  personal: PAYER_FIELDS,
  stored: schema.extend({ payer: storedPayer }),
  example: {
    orderNo: 'SO-1001',
    amount: { amount: 10000, currency: 'CNY' },
    payer: { name: '张三', account: '622202000000000007', bankCode: '102100099996' },
    reference: 'COL-1001',
  },
  needs(data, at) {
    const background = backgroundNeeds(data.background);
    return {
      accounts: [at.book.accounts.custody, ...(background.accounts ?? [])],
      records: [[orderRecords, orderKey(at.platformId, data.orderNo)], ...(background.records ?? [])],
    };
  },
  needsThen: ({ orderNo }, facts, at) => payingNeeds([orderNo], facts, at),
  foresees: (data, facts, at) => foreseenOrder(moneyOf(data), at.instruction, facts, at),
  decide(data, facts, at) {
    const {
      amount: { amount },
      reference,
    } = data;
    const paid = paidOrder(moneyOf(data), at.instruction, facts, at);
    if ('code' in paid) return refused(paid);
    const { accountId, ...kept } = paid;
    const custody = custodyAfter(amount, facts, at);
    if ('code' in custody) return refused(custody);
    return { ...kept, postings: [custody, { account: accountId, amount }], boundary: [{ reference, amount }] };
  },
  undo: {
    origins: ['O'],
    needs: (data, at) => ({
      accounts: [at.book.accounts.custody],
      records: [[orderRecords, orderKey(at.platformId, data.orderNo)]],
    }),
    records(data, facts, at) {
      const key = orderKey(at.platformId, data.orderNo);
      const order = facts.record(orderRecords, key);
      if (order === undefined) return refuse('ORDER_NOT_FOUND');
      const tooMuch = refundedOfNothing(order, data.amount.amount);
      if (tooMuch !== undefined) return tooMuch;
      return {
        records: [change(orderRecords, key, { ...order, paid: order.paid - data.amount.amount })],
        boundary: [{ reference: data.reference, amount: -data.amount.amount }],
      };
    },
  },
};

function moneyOf({ amount: { amount }, ...data }: Pick<Payment, 'orderNo' | 'amount' | 'payer' | 'background'>): OrderMoney {
  return { ...data, amount, payerAccountId: null };
}

/**
 * What came in, on the custody account.
 * A custody account beyond what the books can hold would stop the shard, so it never gets there.
 */
function custodyAfter(amount: Minor, facts: Facts, { book }: At): Refusal | Posting {
  const { custody } = book.accounts;
  const balance = facts.account(custody)?.balance ?? 0n;
  return amount - balance > BALANCE_MAX ? refuse('BALANCE_OVERFLOW') : { account: custody, amount: -amount };
}

const ORDERS_MAX = 50;

const combinedSchema = z.strictObject({
  orders: z
    .array(z.strictObject({ orderNo, amount: moneySchema, background: backgroundSchema.optional() }))
    .min(2)
    .max(ORDERS_MAX)
    .refine((orders) => new Set(orders.map((order) => order.orderNo)).size === orders.length, {
      error: 'each order is named once',
    }),
  amount: moneySchema.meta({ description: 'What the buyer paid for all of them together' }),
  payer,
  reference,
});
type Combined = z.output<typeof combinedSchema>;

function combinedNeeds({ orders }: Combined, at: At): Needs {
  const backgrounds = orders.map(({ background }) => backgroundNeeds(background));
  return {
    accounts: [at.book.accounts.custody, ...backgrounds.flatMap(({ accounts }) => accounts ?? [])],
    records: [
      ...orders.map((order) => [orderRecords, orderKey(at.platformId, order.orderNo)] as const),
      ...backgrounds.flatMap(({ records }) => records ?? []),
    ],
  };
}

/** One payment of a buyer for several orders, for instance of as many sellers: all of them are paid, or none. */
export const combinedPayment: Kind<Combined> = {
  name: 'combined-payment',
  en: 'One payment for several orders',
  zh: '合单入金',
  origins: ['P', 'O'],
  proof: 'inflow',
  schema: combinedSchema,
  personal: PAYER_FIELDS,
  stored: combinedSchema.extend({ payer: storedPayer }),
  ids: ORDERS_MAX,
  example: {
    orders: [
      { orderNo: 'SO-1004', amount: { amount: 10000, currency: 'CNY' } },
      { orderNo: 'SO-1005', amount: { amount: 2500, currency: 'CNY' } },
    ],
    amount: { amount: 12500, currency: 'CNY' },
    payer: { name: '张三', account: '622202000000000007', bankCode: '102100099996' },
    reference: 'COL-1004',
  },
  needs: combinedNeeds,
  needsThen: ({ orders }, facts, at) =>
    payingNeeds(
      orders.map(({ orderNo }) => orderNo),
      facts,
      at,
    ),
  foresees: ({ orders, payer }, facts, at) =>
    orders.flatMap(({ orderNo, amount, background }, place) =>
      foreseenOrder(moneyOf({ orderNo, amount, payer, background }), idAfter(at.instruction, place), facts, at),
    ),
  decide({ orders, amount: { amount }, payer, reference }, facts, at) {
    const total = orders.reduce((sum, order) => sum + order.amount.amount, 0n);
    if (total !== amount) return refused(refuse('COMBINED_TOTAL_DIFFERS', undefined, { total: String(total) }));
    const records: RecordChange[] = [];
    const opens: NonNullable<Effects['opens']>[number][] = [];
    const credits: Posting[] = [];
    for (const [place, { orderNo, amount, background }] of orders.entries()) {
      const money = moneyOf({ orderNo, amount, payer, background });
      // A seller's turnover of the one order counts for the next.
      const paid = paidOrder(money, idAfter(at.instruction, place), factsWith(facts, records), at);
      if ('code' in paid) return refused({ ...paid, fields: { ...paid.fields, orderNo } });
      records.push(...paid.records);
      opens.push(...paid.opens);
      credits.push({ account: paid.accountId, amount: amount.amount });
    }
    const custody = custodyAfter(amount, facts, at);
    if ('code' in custody) return refused(custody);
    const accounts = credits.map(({ account }, place) => ({
      orderNo: orders[place]?.orderNo,
      account: toWire('account', account),
    }));
    return { opens, postings: [custody, ...credits], records, boundary: [{ reference, amount }], result: { orders: accounts } };
  },
  undo: {
    origins: ['O'],
    needs: (data, at) => ({
      accounts: [at.book.accounts.custody],
      records: data.orders.map((order) => [orderRecords, orderKey(at.platformId, order.orderNo)] as const),
    }),
    records({ orders, amount, reference }, facts, at) {
      const records: RecordChange[] = [];
      for (const { orderNo, amount } of orders) {
        const key = orderKey(at.platformId, orderNo);
        const order = facts.record(orderRecords, key);
        if (order === undefined) return refuse('ORDER_NOT_FOUND');
        const tooMuch = refundedOfNothing(order, amount.amount);
        if (tooMuch !== undefined) return tooMuch;
        records.push(change(orderRecords, key, { ...order, paid: order.paid - amount.amount }));
      }
      return { records, boundary: [{ reference, amount: -amount.amount }] };
    },
  },
};
