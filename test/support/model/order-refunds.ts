import type { Data, Given } from '../given.js';
import { gotOf, leftOf } from './agreements.js';
import {
  bare,
  cameIn,
  inTransit,
  type ModelOrder,
  type ModelPlatform,
  minor,
  No,
  refuseIf,
  reservedOf,
  subsidyBack,
  sum,
  type Take,
  Waits,
  withinTerms,
} from './books.js';
import type { Core, Rules } from './core.js';
import { byAccount, refundedAsNamed, refundedByItself, type TakenOfItems, takeBack, takenAsNamed } from './items.js';
import { inProportion } from './refunds.js';
import { takenOfOrder } from './splits.js';

/** Refunds of orders and the margins that stand behind them, for the plain bank. */
export const orderRefundRules = (bank: Core): Rules => ({
  refund: (given, data, at) => {
    const order = bank.order(given, data);
    const amount = minor(data.amount);
    const there = bank.account(order.account).balance;
    const spokenFor = bank.cover.before(given.id, order.account);
    const recall = data.recall as Data['recall'] | undefined;
    refuseIf(amount > order.paid - order.refunded - spokenFor, 'REFUND_EXCEEDS_ORDER');
    const toPlatform = subsidyBack(order, amount, data.subsidy);
    const total = amount + toPlatform;
    refuseIf(recall === undefined && total > there, 'REFUND_EXCEEDS_ORDER');
    const { lines, recalled, keep, capped } = refunding(bank, given, data, order, total);
    const within = order.payerAccount !== undefined && bank.law.accounts.get(order.payerAccount)?.state !== 'closed';
    refuseIf(recall !== undefined && bank.account(order.account).state === 'frozen', 'ACCOUNT_FROZEN');
    capped();
    refuseIf(!within && !order.refundable, 'REFUND_ACCOUNT_MISSING');
    const nobody = { takes: [], advanced: new Map<string, bigint>() };
    const covered = recall === undefined ? nobody : coveredBy(bank, given, order, { amount, ofOrder: total - recalled }, lines);
    const takes: Take[] = [
      ...(total > recalled ? [{ from: order.account, amount: total - recalled }] : []),
      ...covered.takes.map((take) => ({ ...take, how: 'uncleared-first' as const })),
    ];
    const isYoung = covered.takes.some(({ from }) => sum(bank.account(from).uncleared.values()) > 0n);
    const came = isYoung ? bank.arrival(at) : order.came;
    const clears = bank.nextWorkingDay(came > at.date ? came : at.date);
    const give = within
      ? { to: order.payerAccount as string, amount, clears, flow: 'exempt' as const }
      : { to: inTransit(at), amount };
    const back = toPlatform > 0n ? [{ to: at.own.marketing as string, amount: toPlatform, clears }] : [];
    const before = cameIn(order);
    bank.move(at, takes, [give, ...back]);
    keep(before);
    order.came = came;
    order.returned += recalled;
    order.refunded += amount;
    order.subsidyReturned += toPlatform;
    for (const [id, part] of lines) bank.share(order, id).returned += part;
    for (const [account, part] of covered.advanced)
      bank.cover.debts.push({ refund: given.id, account, amount: part, left: part });
    if (!within) bank.makePayout(given, { source: order.account, order, amount });
  },

  'margin-deposit': (given, data, at) => {
    const account = marginMove(bank, given, data, at);
    const amount = minor(data.amount);
    bank.mayTake({ from: account, amount });
    const margin = bank.cover.margins.get(account) ?? { account: given.id, target: 0n };
    if (!bank.cover.margins.has(account)) bank.openAccount(given.id, given.platform, 'margin', false);
    bank.move(at, [{ from: account, amount }], [{ to: margin.account, amount, inherits: true }]);
    bank.cover.margins.set(account, margin);
  },

  'margin-release': (given, data, at) => {
    const account = marginMove(bank, given, data, at);
    refuseIf(bank.cover.owedBy(account).length > 0, 'MARGIN_NEEDED');
    refuseIf(
      [...bank.cover.waiting.values()].some((one) => one.takesFrom.has(account)),
      'MARGIN_NEEDED',
    );
    const margin = bank.cover.margins.get(account);
    if (margin === undefined) throw new No('FUNDS_INSUFFICIENT');
    const amount = minor(data.amount);
    bank.move(at, [{ from: margin.account, amount }], [{ to: account, amount, inherits: true }]);
  },
});

/** What of a refund is of which items and who gives it back; nothing is kept before `keep`. */
function refunding(bank: Core, given: Given, data: Data, order: ModelOrder, total: bigint) {
  const { items: named, recall } = data as Partial<Data>;
  const { items } = order.background ?? {};
  const there = bank.account(order.account).balance;
  refuseIf(named !== undefined && items === undefined, 'BACKGROUND_MISSING');
  const told = Array.isArray(recall);
  refuseIf(told && items?.some(({ agreement }) => agreement.named !== true) === true, 'RECALL_OFF_RULE');
  let amounts: Map<string, bigint> | undefined;
  let taken: TakenOfItems | undefined;
  if (named !== undefined && items !== undefined) {
    const asked = refundedAsNamed(items, named, total);
    if (typeof asked === 'string') throw new No(asked);
    const never = (item: (typeof items)[number]) => (asked.get(item.no) ?? 0n) > leftOf(item);
    refuseIf(recall === undefined && items.some(never), 'ITEM_REFUND');
    const of = recall === undefined ? new Map() : takenAsNamed(items, asked, there);
    if (typeof of === 'string') throw new No(of);
    amounts = asked;
    taken = of;
  }
  let lines = new Map<string, bigint>();
  if (taken !== undefined) lines = byAccount(taken);
  else if (recall !== undefined) lines = recalledOf(bank, order, total, recall);
  const recalled = sum(lines.values());
  refuseIf(recalled > total || total - recalled > there, 'RECALL_DOES_NOT_FIT');
  const keep = (before: bigint) => {
    if (items === undefined) return;
    const of = taken ?? takenOfOrder(bank, order, lines);
    const refunded = amounts ?? refundedByItself(items, of, total, before);
    takeBack(items, given.id, of);
    for (const item of items) item.refunded += refunded.get(item.no) ?? 0n;
  };
  const capped = () => {
    if (items === undefined) return;
    const slack = told ? 0n : BigInt(items.length);
    const of = byAccount(takenOfOrder(bank, order, lines));
    let others = -sum([...of].map(([to, part]) => (items.some(({ seller }) => seller === to) ? 0n : part)));
    for (const item of items) for (const [to, part] of gotOf(item)) if (to !== item.seller) others += part;
    const cap = items.reduce((most, { agreement }) => (agreement.others > most ? agreement.others : most), 0n);
    refuseIf(others > ((cameIn(order) - total) * cap + 5_000n) / 10_000n + slack, 'SPLIT_OVER_CAP');
  };
  return { lines, recalled, keep, capped };
}

/** From whom how much is to be taken back, where the order alone has not enough. */
function recalledOf(bank: Core, order: ModelOrder, amount: bigint, recall: Data['recall']): Map<string, bigint> {
  const got = new Map(
    [...bank.shares].flatMap(([key, share]) => {
      const [of, receiver = ''] = key.split('/');
      return of === order.account && share.split > share.returned ? [[receiver, share.split - share.returned] as const] : [];
    }),
  );
  const there = bank.account(order.account).balance;
  if (recall === 'pro-rata') return amount > there ? inProportion(amount - there, got) : new Map();
  refuseIf(new Set(recall.map((line) => line.account)).size < recall.length, 'RECEIVER_REPEATED');
  for (const line of recall) refuseIf(minor(line.amount) > (got.get(bare(line.account)) ?? 0n), 'SPLIT_RETURN_EXCEEDS');
  return new Map(recall.map((line) => [bare(line.account), minor(line.amount)]));
}

function usableOf(bank: Core, id: string | undefined): bigint {
  const account = id === undefined ? undefined : bank.account(id);
  return account?.state === 'open' ? account.balance - reservedOf(account) : 0n;
}

/** The receiver himself, then his margin, then the platform while it may and can. What is missing is waited for. */
function coveredBy(
  bank: Core,
  given: Given,
  order: ModelOrder,
  { amount, ofOrder }: { amount: bigint; ofOrder: bigint },
  lines: ReadonlyMap<string, bigint>,
) {
  const { cover } = bank;
  const own = bank.platform(given.platform).own['own-funds'] as string;
  const out = cover.advanced((account) => bank.account(account).platform === given.platform);
  const mayStill = (cover.ceilings.get(given.platform) ?? 0n) - out;
  let room = mayStill < usableOf(bank, own) ? mayStill : usableOf(bank, own);
  const takes: { from: string; amount: bigint }[] = [];
  const advanced = new Map<string, bigint>();
  const least = (a: bigint, b: bigint) => (a < b ? a : b > 0n ? b : 0n);
  const onOrder = bank.account(order.account).balance - cover.before(given.id, order.account);
  let missing = ofOrder - least(ofOrder, onOrder);
  for (const [id, wanted] of lines) {
    const margin = cover.margins.get(id)?.account;
    // Who came before has the first of it, and nobody is advanced anything past him.
    const older = cover.before(given.id, id);
    const both = usableOf(bank, id) + usableOf(bank, margin) - older;
    const first = least(wanted, usableOf(bank, id) - older);
    const second = least(wanted - first, least(both, usableOf(bank, margin)));
    const third = both < 0n ? 0n : least(wanted - first - second, room);
    room -= third;
    takes.push({ from: id, amount: first });
    if (margin !== undefined) takes.push({ from: margin, amount: second });
    if (third > 0n) advanced.set(id, third);
    missing += wanted - first - second - third;
  }
  takes.push({ from: own, amount: sum(advanced.values()) });
  if (missing > 0n) {
    const takesFrom = lines;
    const margins = [...lines.keys()].flatMap((id) => cover.margins.get(id)?.account ?? []);
    const looksAt = [...lines.keys(), ...margins, own, order.account];
    for (const id of cover.waiting.get(given.id)?.looksAt ?? []) if (!looksAt.includes(id)) bank.credited.add(id);
    const waiting = { id: given.id, platform: given.platform, order: order.account, amount, missing, takesFrom, looksAt };
    cover.waiting.set(given.id, waiting);
    throw new Waits();
  }
  return { takes: takes.filter((take) => take.amount > 0n), advanced };
}

function marginMove(bank: Core, given: Given, data: Data, at: ModelPlatform): string {
  refuseIf(bank.mine(given, data.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
  if (given.origin === 'P') withinTerms(minor(data.amount), at.transferMax);
  return bare(data.account);
}
