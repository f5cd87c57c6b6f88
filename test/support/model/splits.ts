import type { Data, Given } from '../given.js';
import { leftOf, type ModelBackground, proportionally, splitItems } from './agreements.js';
import { BOOKS_MAX, bare, cameIn, type ModelOrder, type ModelPlatform, minor, No, refuseIf, sum } from './books.js';
import type { Core, Rules } from './core.js';
import { afterDebts, comingBack, owedAgain } from './debts.js';
import { offRule } from './deviation.js';
import { type TakenOfItems, takeBack, takenOf } from './items.js';

/** What is on an order goes to its sellers, and comes back from them, for the plain bank. */
export const splitRules = (bank: Core): Rules => ({
  split: (given, data, at) => {
    const order = bank.order(given, data);
    const lines = data.lines ?? [];
    refuseIf(new Set(lines.map((line) => line.account)).size < lines.length, 'RECEIVER_REPEATED');
    const named = new Map(lines.map((line) => [bare(line.account), minor(line.amount)]));
    if (order.background === undefined) {
      refuseIf(data.lines === undefined, 'LINES_MISSING');
      splitTo(bank, given, order, named, at);
      return;
    }
    const told = data.lines === undefined ? undefined : named;
    const { shares, keep } = agreedSplit(bank, given, order, order.background, data.items, told);
    splitTo(bank, given, order, shares, at);
    keep();
  },

  'order-complete': (given, data, at) => {
    const order = bank.order(given, data);
    if (order.background === undefined) throw new No('BACKGROUND_MISSING');
    const { background } = order;
    const room = bank.account(order.account).balance;
    const open = background.items.filter((item) => leftOf(item) > 0n);
    const lefts = open.map(leftOf);
    const parts = sum(lefts) <= room ? lefts : proportionally(room, lefts);
    const asked = open.map(({ no }, place) => ({ item: no, amount: { amount: Number(parts[place]) } }));
    const { shares, keep } = agreedSplit(
      bank,
      given,
      order,
      background,
      asked.filter(({ amount }) => amount.amount > 0),
    );
    const rest = room - sum(shares.values());
    const [seller, another] = new Set(background.items.map((item) => item.seller));
    const goods = sum(background.items.map(({ whole }) => whole));
    const isTaken = background.items.every(({ agreement: { orderMax } }) => orderMax === undefined || goods + rest <= orderMax);
    if (rest > 0n && seller !== undefined && another === undefined && isTaken)
      shares.set(seller, (shares.get(seller) ?? 0n) + rest);
    splitTo(bank, given, order, shares, at);
    keep();
    background.completed = true;
  },

  'split-return': (given, data, at) => {
    const order = bank.order(given, data);
    refuseIf(new Set(data.lines.map((line) => line.account)).size < data.lines.length, 'RECEIVER_REPEATED');
    for (const line of data.lines) bank.mine(given, line.account);
    const lines = new Map(data.lines.map((line) => [bare(line.account), minor(line.amount)]));
    const taken = takenOfOrder(bank, order, lines);
    unsplit(bank, order, data.lines, at);
    takeBack(order.background?.items ?? [], given.id, taken);
  },
});

/** Of which items it is that accounts give something back. */
export function takenOfOrder(bank: Core, order: ModelOrder, lines: ReadonlyMap<string, bigint>): TakenOfItems {
  return takenOf(order.background?.items ?? [], lines, (account) => {
    const share = bank.share(order, account);
    return share.split - share.returned;
  });
}

/** What the agreements behind an order make of the items that are asked for; nothing is kept before `keep`. */
function agreedSplit(
  bank: Core,
  given: Given,
  order: ModelOrder,
  background: ModelBackground,
  asked: Data['items'] | undefined,
  named?: Map<string, bigint>,
) {
  refuseIf(background.completed, 'ORDER_COMPLETED');
  const open = background.items.filter((item) => leftOf(item) > 0n);
  refuseIf(asked === undefined && open.length === 0, 'NOTHING_TO_SPLIT');
  const split = splitItems(background, asked ?? open.map(({ no }) => ({ item: no })));
  if (typeof split === 'string') throw new No(split);
  const cap = background.items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
  const most = (cameIn(order) * cap + 5_000n) / 10_000n;
  refuseIf(split.others > most, 'SPLIT_OVER_CAP');
  const { shares } = split;
  const isSame = named?.size === shares.size && [...named].every(([to, amount]) => shares.get(to) === amount);
  const told = isSame ? undefined : named;
  if (told !== undefined) {
    const off = offRule(background, split, told, bank.reviews.mostDeviation(given.id, given.platform));
    if (off === undefined) throw new No('SPLIT_OFF_RULE');
    refuseIf(off.others > most, 'SPLIT_OVER_CAP');
    bank.reviews.deviating.set(given.id, off.bp);
  }
  const keep = () => {
    for (const { item, part, evidence } of split.parts) {
      item.parts.set(given.id, told ?? part);
      item.evidence = evidence;
    }
  };
  return { shares: told ?? shares, keep };
}

function splitTo(bank: Core, given: Given, order: ModelOrder, shares: ReadonlyMap<string, bigint>, at: ModelPlatform): void {
  for (const to of shares.keys()) {
    const { type } = bank.mine(given, `acc_${to}`);
    refuseIf(type !== 'sub' && type !== 'commission', 'ACCOUNT_TYPE_NOT_ALLOWED');
  }
  const amount = sum(shares.values());
  refuseIf(amount > bank.account(order.account).balance, 'SPLIT_EXCEEDS_ORDER');
  refuseIf(order.split + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
  const clears = bank.nextWorkingDay(order.came > at.date ? order.came : at.date);
  const gives = [...shares].map(([to, part]) => ({ to, amount: part, clears }));
  bank.move(at, [{ from: order.account, amount }], afterDebts(bank, given, gives, at));
  order.split += amount;
  for (const { to, amount: part } of gives) bank.share(order, to).split += part;
}

export function unsplit(bank: Core, order: ModelOrder, lines: Data['lines'], at: ModelPlatform, undone = ''): void {
  for (const line of lines) {
    const share = bank.share(order, bare(line.account));
    refuseIf(minor(line.amount) > share.split - share.returned, 'SPLIT_RETURN_EXCEEDS');
  }
  const takes = lines.map((line) => ({
    from: bare(line.account),
    amount: minor(line.amount),
    how: 'uncleared-first' as const,
  }));
  const amount = sum(takes.map((take) => take.amount));
  const isYoung = takes.some(({ from }) => sum(bank.account(from).uncleared.values()) > 0n);
  bank.move(at, comingBack(bank, takes, undone), [{ to: order.account, amount }]);
  owedAgain(bank, undone);
  if (isYoung) order.came = bank.arrival(at);
  order.returned += amount;
  for (const take of takes) bank.share(order, take.from).returned += take.amount;
}
