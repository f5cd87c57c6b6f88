import { z } from 'zod';
import { BALANCE_MAX, type Minor, type Refusal, refuse, workingDayAfter } from '../../kernel/index.js';
import {
  backgroundRecords,
  itemRefundable,
  type Order,
  orderKey,
  orderLeft,
  orderNet,
  orderRecords,
  subsidyLeft,
} from '../../orders/index.js';
import { moneySchema, orderNo } from '../../runtime/index.js';
import { type At, arrivalDate, change, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { boundBackground, isSeen, overCapAfter, sharingNeeds } from '../orders/sharing.js';

const schema = z.strictObject({ orderNo, amount: moneySchema });
type Subsidy = z.output<typeof schema>;

function needs(data: Subsidy, at: At): Needs {
  return { accounts: [at.book.accounts.marketing], records: [[orderRecords, orderKey(at.platformId, data.orderNo)]] };
}

function needsThen(data: Subsidy, facts: Facts, at: At): Needs {
  const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
  return order === undefined ? {} : { records: [[backgroundRecords, order.accountId]] };
}

/** What the goods of an order are split by. */
function goodsNeeds(data: Subsidy, facts: Facts, at: At): Needs {
  const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
  return order === undefined ? {} : sharingNeeds(order, facts, at);
}

/** What the goods of an order with agreements lack up to their price; undefined where nothing says what they are worth. */
function lackOf(order: Order, facts: Facts): Minor | undefined {
  const background = boundBackground(order, facts);
  return background?.items.reduce((sum, item) => sum + itemRefundable(item), -orderNet(order));
}

/**
 * The platform adds of its own money to what the buyer paid, so that those who sold get their full price. It is split like the rest, and
 * never refunded to the buyer: it goes back to the platform with a refund, or by a return.
 */
export const subsidy: Kind<Subsidy> = {
  name: 'subsidy',
  en: 'Subsidy to an order',
  zh: '营销补差',
  origins: ['P', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', amount: { amount: 800, currency: 'CNY' } },
  needs,
  needsThen,
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    if ((boundBackground(order, facts)?.completedMs ?? null) !== null)
      return refused(refuse('ORDER_COMPLETED', undefined, { orderNo: data.orderNo }));
    const lack = lackOf(order, facts);
    if (lack !== undefined && amount > lack)
      return refused(refuse('SUBSIDY_NOT_NEEDED', undefined, { lacks: String(lack > 0n ? lack : 0n) }));
    if (order.paid + order.subsidised + amount > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    // What has not cleared on the marketing account may have come in as late as now.
    const isYoung = (facts.account(at.book.accounts.marketing)?.uncleared.length ?? 0) > 0;
    const paidOn = isYoung ? arrivalDate(at) : order.paidOn;
    return {
      postings: [
        { account: at.book.accounts.marketing, amount: -amount },
        { account: order.accountId, amount },
      ],
      records: [change(orderRecords, key, { ...order, subsidised: order.subsidised + amount, paidOn })],
    };
  },
  undo: {
    origins: ['P', 'O'],
    needs,
    needsThen: goodsNeeds,
    records(data, facts, at) {
      const key = orderKey(at.platformId, data.orderNo);
      const order = facts.record(orderRecords, key);
      if (order === undefined) return refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo });
      const after = { ...order, subsidised: order.subsidised - data.amount.amount };
      return exceeded(order, data.amount.amount) ?? overCapAfter(after, facts) ?? { records: [change(orderRecords, key, after)] };
    },
  },
};

function exceeded(order: Order, amount: Minor): Refusal | undefined {
  const left = orderLeft(order) < subsidyLeft(order) ? orderLeft(order) : subsidyLeft(order);
  return amount > left ? refuse('SUBSIDY_EXCEEDED', undefined, { orderNo: order.orderNo, left: String(left) }) : undefined;
}

/** What the platform added to an order and nobody got yet goes back to it. */
export const subsidyReturn: Kind<Subsidy> = {
  name: 'subsidy-return',
  en: 'Return of a subsidy',
  zh: '补差回退',
  origins: ['P', 'S', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', amount: { amount: 300, currency: 'CNY' } },
  needs,
  needsThen: goodsNeeds,
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const after = { ...order, subsidyReturned: order.subsidyReturned + amount };
    const background = boundBackground(order, facts);
    if (background !== undefined && !isSeen(background, facts)) return { waits: 'next-batch' };
    const tooMuch = exceeded(order, amount) ?? overCapAfter(after, facts);
    if (tooMuch !== undefined) return refused(tooMuch);
    const today = at.book.businessDate;
    const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
    return {
      postings: [
        { account: order.accountId, amount: -amount },
        { account: at.book.accounts.marketing, amount, clears },
      ],
      records: [change(orderRecords, key, after)],
    };
  },
};
