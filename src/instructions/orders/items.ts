import { allocate, asId, type Id, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import {
  itemGot,
  itemLeft,
  itemRefundable,
  type Order,
  type OrderBackground,
  type OrderItem,
  type OrderShare,
  orderNet,
} from '../../orders/index.js';
import { proRata, type Wanted } from '../../refunds/index.js';

/** What of an item is refunded; without an amount, all that can be. */
export interface RefundedItem {
  readonly item: string;
  readonly amount?: { readonly amount: Minor } | undefined;
}

const sum = (amounts: Iterable<Minor>): Minor => [...amounts].reduce((total, amount) => total + amount, 0n);
const least = (a: Minor, b: Minor): Minor => (a < b ? a : b);
const atLeastZero = (amount: Minor): Minor => (amount > 0n ? amount : 0n);

/** `total` in proportion to the weights, exact to the fen; nothing where all weights are nothing. No part is above its weight. */
function divided(total: Minor, weights: readonly Minor[]): Minor[] {
  const all = sum(weights);
  const most = least(total, all);
  return most <= 0n ? weights.map(() => 0n) : allocate(most, weights);
}

/** What of the named items is to be refunded, which has to make up all of it. Minor units, by item number. */
export function refundedOf(
  { items }: OrderBackground,
  asked: readonly RefundedItem[],
  total: Minor,
): Refusal | ReadonlyMap<string, Minor> {
  const amounts = new Map<string, Minor>();
  for (const { item: no, amount } of asked) {
    const item = items.find((one) => one.no === no);
    if (item === undefined) return refuse('ITEM_UNKNOWN', undefined, { item: no });
    const most = itemRefundable(item);
    const of = amount?.amount ?? most;
    if (of === 0n || of > most) return refuse('ITEM_REFUND', undefined, { item: no, left: String(most) });
    amounts.set(no, of);
  }
  const named = sum(amounts.values());
  if (named === total) return amounts;
  return refuse('REFUND_ITEMS_DIFFER', undefined, { items: String(named), refund: String(total) });
}

/** What each receiver of named items has to give back of them, in proportion to what he has got of each; minor units. */
export interface ItemsWanted {
  /** By item number, then by account. */
  readonly byItem: ReadonlyMap<string, readonly Wanted[]>;
  readonly wanted: readonly Wanted[];
}

/**
 * Who gives back for named items: of each first what was never split, then its receivers in proportion.
 * @param left minor units on the order
 * @returns RECALL_DOES_NOT_FIT where order and receivers of these items together have not so much
 */
export function wantedOfItems(
  { items }: OrderBackground,
  amounts: ReadonlyMap<string, Minor>,
  left: Minor,
): Refusal | ItemsWanted {
  const named = items.filter(({ no }) => amounts.has(no));
  const asked = named.map(({ no }) => amounts.get(no) as Minor);
  const split = named.map((item) => sum(itemGot(item).values()));
  const needs = named.map((item, place) => atLeastZero((asked[place] as Minor) - itemLeft(item)));
  // Where less was paid than the goods are worth, what was not split is not all there.
  const lacks = atLeastZero(sum(asked) - sum(needs) - left);
  const most = needs.map((need, place) => least(asked[place] as Minor, split[place] as Minor) - need);
  if (lacks > sum(most)) return refuse('RECALL_DOES_NOT_FIT', undefined, { left: String(left), recalled: String(sum(needs)) });
  const more = divided(lacks, most);
  const byItem = new Map<string, readonly Wanted[]>();
  const wanted = new Map<Id, Minor>();
  named.forEach((item, place) => {
    const got = [...itemGot(item)].map(([receiverId, amount]) => ({ receiverId, split: amount, returned: 0n }));
    const lines = proRata((needs[place] as Minor) + (more[place] as Minor), got);
    byItem.set(item.no, lines);
    for (const { account, amount } of lines) wanted.set(account, (wanted.get(account) ?? 0n) + amount);
  });
  const inOrder = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1));
  return { byItem, wanted: inOrder.map(([account, amount]) => ({ account, amount })) };
}

/** What receivers give back to an order, and who of them has got something beyond the items. */
interface GivenBack {
  readonly by: Id;
  readonly lines: readonly Wanted[];
  readonly shares: readonly OrderShare[];
}

/**
 * The items after receivers gave back of what they got: of each in proportion to what they have of it, after what they got beyond all
 * items. What is given back can be split anew.
 */
export function itemsGivenBack({ items }: OrderBackground, { by, lines, shares }: GivenBack): OrderItem[] {
  const gots = items.map(itemGot);
  const taken = items.map(() => new Map<Id, Minor>());
  for (const { account, amount } of lines) {
    const got = gots.map((of) => of.get(account) ?? 0n);
    const share = shares.find(({ receiverId }) => receiverId === account);
    const beyond = atLeastZero((share === undefined ? 0n : share.split - share.returned) - sum(got));
    divided(atLeastZero(amount - beyond), got).forEach((part, place) => {
      if (part > 0n) taken[place]?.set(account, part);
    });
  }
  return items.map((item, place) => takenOf(item, by, taken[place] as Map<Id, Minor>));
}

function takenOf(item: OrderItem, by: Id, taken: ReadonlyMap<Id, Minor>): OrderItem {
  if (taken.size === 0) return item;
  const shares = Object.fromEntries([...taken].map(([account, amount]) => [account, -amount]));
  return { ...item, parts: [...item.parts, { by, shares }] };
}

/** The items after named ones were refunded. */
export function itemsRefunded(
  { items }: OrderBackground,
  amounts: ReadonlyMap<string, Minor>,
  byItem: ItemsWanted['byItem'],
  by: Id,
): OrderItem[] {
  return items.map((item) => {
    const taken = new Map((byItem.get(item.no) ?? []).map(({ account, amount }) => [account, amount]));
    return { ...takenOf(item, by, taken), refunded: item.refunded + (amounts.get(item.no) ?? 0n) };
  });
}

/**
 * The items after a refund that names none: what receivers gave back is refunded of the items they had it of; the rest of what was not
 * split, in proportion. What was paid beyond the items goes first and is of none.
 * @param total what leaves the order, to the buyer and to the platform; minor units
 */
export function itemsAfterRefund(order: Order, background: OrderBackground, back: GivenBack, total: Minor): OrderItem[] {
  const after = itemsGivenBack(background, back);
  const gaveBack = after.map((item, place) => itemLeft(item) - itemLeft(background.items[place] as OrderItem));
  const beyond = atLeastZero(orderNet(order) - sum(background.items.map(itemRefundable)));
  const rest = atLeastZero(total - beyond - sum(gaveBack));
  const unsplit = divided(rest, background.items.map(itemLeft));
  return after.map((item, place) => ({
    ...item,
    refunded: item.refunded + (gaveBack[place] as Minor) + (unsplit[place] as Minor),
  }));
}

/** Whether what was split of every item is still with those who got it, so that a split of it can be undone. */
export function overtaken(items: readonly OrderItem[]): Refusal | undefined {
  for (const item of items)
    for (const [account, amount] of itemGot(item))
      if (amount < 0n)
        return refuse('SPLIT_RETURN_EXCEEDS', undefined, { account: toWire('account', asId(account)), item: item.no });
  return undefined;
}
