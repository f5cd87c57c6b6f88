/** What becomes of the goods of an order when money of it goes back, told a second time. Amounts are minor units. */
import { gotOf, leftOf, type ModelItem, proportionally } from './agreements.js';
import { inProportion } from './refunds.js';

const sum = (of: Iterable<bigint>) => [...of].reduce((total, amount) => total + amount, 0n);

/** By item number, then by account. */
export type TakenOfItems = Map<string, Map<string, bigint>>;

function note(taken: TakenOfItems, no: string, account: string, amount: bigint): void {
  if (amount > 0n) taken.set(no, (taken.get(no) ?? new Map<string, bigint>()).set(account, amount));
}

export const refundableOf = ({ whole, refunded }: ModelItem) => whole - refunded;

/** No part larger than its weight, and no more in all than the weights are. */
function upTo(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = sum(weights);
  if (total <= 0n || all === 0n) return weights.map(() => 0n);
  return proportionally(total < all ? total : all, weights);
}

/**
 * Of which items it is that accounts give something back.
 * @param has what each of them has got out of the order in all
 */
export function takenOf(items: readonly ModelItem[], lines: ReadonlyMap<string, bigint>, has: (account: string) => bigint) {
  const taken: TakenOfItems = new Map();
  for (const [account, amount] of lines) {
    const got = items.map((item) => gotOf(item).get(account) ?? 0n);
    const besides = has(account) - sum(got);
    const parts = upTo(amount - (besides > 0n ? besides : 0n), got);
    items.forEach(({ no }, place) => {
      note(taken, no, account, parts[place] as bigint);
    });
  }
  return taken;
}

/** Writes it down: what was given back can be split again, unless it is refunded. */
export function takeBack(items: readonly ModelItem[], by: string, taken: TakenOfItems): void {
  for (const item of items) {
    const part = taken.get(item.no);
    if (part !== undefined) item.parts.set(by, new Map([...part].map(([account, amount]) => [account, -amount])));
  }
}

/** Which items are refunded, where none is named: those that gave something back, and what was never split of the others. */
export function refundedByItself(items: readonly ModelItem[], taken: TakenOfItems, total: bigint, cameIn: bigint) {
  const back = items.map(({ no }) => sum(taken.get(no)?.values() ?? []));
  const besides = cameIn - sum(items.map(refundableOf));
  const rest = upTo(total - (besides > 0n ? besides : 0n) - sum(back), items.map(leftOf));
  return new Map(items.map(({ no }, place) => [no, (back[place] as bigint) + (rest[place] as bigint)]));
}

/** Which items are refunded, where they are named; or why not. */
export function refundedAsNamed(
  items: readonly ModelItem[],
  named: readonly { item: string; amount?: { amount: number } }[],
  total: bigint,
): Map<string, bigint> | string {
  const amounts = new Map<string, bigint>();
  for (const { item: no, amount } of named) {
    const item = items.find((one) => one.no === no);
    if (item === undefined) return 'ITEM_UNKNOWN';
    const wanted = amount === undefined ? refundableOf(item) : BigInt(amount.amount);
    if (wanted === 0n || wanted > refundableOf(item)) return 'ITEM_REFUND';
    amounts.set(no, wanted);
  }
  return sum(amounts.values()) === total ? amounts : 'REFUND_ITEMS_DIFFER';
}

/** Who gives back for named items: what of each was never split goes first, as far as the order has so much. */
export function takenAsNamed(items: readonly ModelItem[], amounts: ReadonlyMap<string, bigint>, there: bigint) {
  const named = items.filter(({ no }) => amounts.has(no));
  const needs = named.map((item) => {
    const more = (amounts.get(item.no) as bigint) - leftOf(item);
    return more > 0n ? more : 0n;
  });
  const short = sum(amounts.values()) - sum(needs) - there;
  const room = named.map((item, place) => {
    const split = sum(gotOf(item).values());
    const wanted = amounts.get(item.no) as bigint;
    return (split < wanted ? split : wanted) - (needs[place] as bigint);
  });
  if (short > sum(room)) return 'RECALL_DOES_NOT_FIT';
  const more = upTo(short, room);
  const taken: TakenOfItems = new Map();
  named.forEach((item, place) => {
    const need = (needs[place] as bigint) + (more[place] as bigint);
    const has = new Map([...gotOf(item)].filter(([, amount]) => amount > 0n));
    if (need > 0n) for (const [account, amount] of inProportion(need, has)) note(taken, item.no, account, amount);
  });
  return taken;
}

export function byAccount(taken: TakenOfItems): Map<string, bigint> {
  const lines = new Map<string, bigint>();
  for (const part of taken.values())
    for (const [account, amount] of part) lines.set(account, (lines.get(account) ?? 0n) + amount);
  return new Map([...lines].sort(([a], [b]) => (a < b ? -1 : 1)));
}
