import { z } from 'zod';
import { BALANCE_MAX, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { type Order, type OrderShare, orderKey, orderLeft, orderRecords, shareKey, shareRecords } from '../../orders/index.js';
import { orderNo } from '../../runtime/index.js';
import { type At, arrivalDate, change, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { lines, repeatedReceiver, totalOf } from '../wire.js';

const schema = z.strictObject({ orderNo, lines });
type Split = z.output<typeof schema>;

function orderNeeds(data: Split, at: At): Needs {
  return { accounts: data.lines.map((line) => line.account), records: [[orderRecords, orderKey(at.platformId, data.orderNo)]] };
}

function shareNeeds(data: Split, facts: Facts, at: At): Needs {
  const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
  if (order === undefined) return {};
  return { records: data.lines.map((line) => [shareRecords, shareKey(order.accountId, line.account)] as const) };
}

function shareOf(facts: Facts, order: Order, receiverId: OrderShare['receiverId']): OrderShare {
  return (
    facts.record(shareRecords, shareKey(order.accountId, receiverId)) ?? {
      orderId: order.accountId,
      receiverId,
      split: 0n,
      returned: 0n,
    }
  );
}

/**
 * Order money goes to the sub-merchants who earned it and to the platform's commission account. None of it is withdrawable
 * before T+1, counted from the day on which the last of it came in where that is later than the business date: until the bank's
 * statement of that day was seen, that the money came in is the platform's word alone.
 */
export const split: Kind<Split> = {
  name: 'split',
  en: 'Split of an order',
  zh: '分账',
  origins: ['P', 'O'],
  proof: 'order',
  schema,
  example: {
    orderNo: 'SO-1001',
    lines: [
      { account: 'acc_2236512894231552003', amount: { amount: 9000, currency: 'CNY' } },
      { account: 'acc_2236512894231552004', amount: { amount: 1000, currency: 'CNY' } },
    ],
  },
  needs: orderNeeds,
  needsThen: shareNeeds,
  decide(data, facts, at) {
    const key = orderKey(at.platformId, data.orderNo);
    const order = facts.record(orderRecords, key);
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const repeated = repeatedReceiver(data.lines);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    for (const line of data.lines) {
      const receiver = facts.account(line.account);
      if (receiver === undefined)
        return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', line.account) }));
      if (receiver.type !== 'sub' && receiver.type !== 'commission') {
        return refused(
          refuse('ACCOUNT_TYPE_NOT_ALLOWED', 'A split goes to sub-merchants and to the commission account.', {
            account: toWire('account', line.account),
            type: receiver.type,
          }),
        );
      }
    }
    const total = totalOf(data.lines);
    const left = orderLeft(order);
    if (total > left) return refused(refuse('SPLIT_EXCEEDS_ORDER', undefined, { left: String(left), asked: String(total) }));
    if (order.split + total > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW')); // split and returned over and over
    const today = at.book.businessDate;
    const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
    return {
      postings: [
        { account: order.accountId, amount: -total },
        ...data.lines.map((line) => ({
          account: line.account,
          amount: line.amount.amount,
          clears,
        })),
      ],
      records: [
        change(orderRecords, key, { ...order, split: order.split + total }),
        ...data.lines.map((line) => {
          const share = shareOf(facts, order, line.account);
          return change(shareRecords, shareKey(order.accountId, line.account), {
            ...share,
            split: share.split + line.amount.amount,
          });
        }),
      ],
      result: { withdrawableFrom: clears },
    };
  },
  undo: {
    origins: ['P', 'O'],
    needs: orderNeeds,
    needsThen: shareNeeds,
    records: (data, facts, at) => splitReturned(data, facts, at),
  },
};

/**
 * The order and the shares after these lines went back. What has not cleared at a receiver may have come in as late as now, for
 * another order, so the order's money is from now on as young as that.
 */
function splitReturned(data: Split, facts: Facts, at: At) {
  const key = orderKey(at.platformId, data.orderNo);
  const order = facts.record(orderRecords, key);
  if (order === undefined) return refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo });
  const shares = data.lines.map((line) => ({ line, share: shareOf(facts, order, line.account) }));
  for (const { line, share } of shares) {
    const left = share.split - share.returned;
    if (line.amount.amount > left) {
      return refuse('SPLIT_RETURN_EXCEEDS', undefined, { account: toWire('account', line.account), left: String(left) });
    }
  }
  const isYoung = data.lines.some((line) => (facts.account(line.account)?.uncleared.length ?? 0) > 0);
  const paidOn = isYoung ? arrivalDate(at) : order.paidOn;
  return {
    records: [
      change(orderRecords, key, { ...order, returned: order.returned + totalOf(data.lines), paidOn }),
      ...shares.map(({ line, share }) =>
        change(shareRecords, shareKey(order.accountId, line.account), {
          ...share,
          returned: share.returned + line.amount.amount,
        }),
      ),
    ],
  };
}

/** What receivers got out of an order goes back to it, so that it can be refunded or split anew. */
export const splitReturn: Kind<Split> = {
  name: 'split-return',
  en: 'Return of a split to its order',
  zh: '分账回退',
  origins: ['P', 'O'],
  proof: 'order',
  schema,
  example: { orderNo: 'SO-1001', lines: [{ account: 'acc_2236512894231552003', amount: { amount: 500, currency: 'CNY' } }] },
  needs: orderNeeds,
  needsThen: shareNeeds,
  decide(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    const repeated = repeatedReceiver(data.lines);
    if (repeated !== undefined) return refused(refuse('RECEIVER_REPEATED', undefined, { account: toWire('account', repeated) }));
    const unknown = data.lines.find((line) => facts.account(line.account) === undefined);
    if (unknown !== undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', unknown.account) }));
    const after = splitReturned(data, facts, at);
    if ('code' in after) return refused(after);
    return {
      postings: [
        ...data.lines.map((line) => ({ account: line.account, amount: -line.amount.amount, draw: 'uncleared-first' as const })),
        { account: order.accountId, amount: totalOf(data.lines) },
      ],
      records: after.records,
    };
  },
};
