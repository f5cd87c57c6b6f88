import { gotOf } from './agreements.js';
import { BOOKS_MAX, cameIn, type ModelOrder, minor, refuseIf, sum } from './books.js';
import type { Core, Rules } from './core.js';
import { refundableOf } from './items.js';

/** The platform's own money on orders, for the plain bank. */
export const subsidyRules = (bank: Core): Rules => ({
  subsidy: (given, data, at) => {
    const order = bank.order(given, data);
    refuseIf(order.background?.completed === true, 'ORDER_COMPLETED');
    const amount = minor(data.amount);
    const worth = order.background?.items.map(refundableOf);
    refuseIf(worth !== undefined && cameIn(order) + amount > sum(worth), 'SUBSIDY_NOT_NEEDED');
    refuseIf(order.paid + order.subsidised + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
    const marketing = at.own.marketing as string;
    const isYoung = sum(bank.account(marketing).uncleared.values()) > 0n;
    bank.move(at, [{ from: marketing, amount }], [{ to: order.account, amount }]);
    order.subsidised += amount;
    if (isYoung) order.came = bank.arrival(at);
  },

  'subsidy-return': (given, data, at) => {
    const order = bank.order(given, data);
    const amount = minor(data.amount);
    refuseIf(amount > order.subsidised - order.subsidyReturned, 'SUBSIDY_EXCEEDED');
    refuseIf(amount > bank.account(order.account).balance, 'SUBSIDY_EXCEEDED');
    withinCap(order, cameIn(order) - amount);
    const clears = bank.nextWorkingDay(order.came > at.date ? order.came : at.date);
    bank.move(at, [{ from: order.account, amount }], [{ to: at.own.marketing as string, amount, clears }]);
    order.subsidyReturned += amount;
  },
});

/** Others have no more of what came in than the agreements allow. */
export function withinCap({ background }: ModelOrder, net: bigint): void {
  if (background === undefined) return;
  let others = 0n;
  for (const item of background.items) for (const [to, part] of gotOf(item)) if (to !== item.seller) others += part;
  const cap = background.items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
  refuseIf(others > (net * cap + 5_000n) / 10_000n, 'SPLIT_OVER_CAP');
}
