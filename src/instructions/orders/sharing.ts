import { type AgreementVersion, evaluateRule, type Party, shareOfPart, versionRecords } from '../../agreements/index.js';
import { allocate, type Id, invariant, type Minor, mulDivHalfUp, type Refusal, refuse, toWire } from '../../kernel/index.js';
import {
  backgroundRecords,
  categoryOn,
  categoryRecords,
  itemGot,
  itemLeft,
  itemWhole,
  type Order,
  type OrderBackground,
  type OrderItem,
  orderLeft,
  orderNet,
} from '../../orders/index.js';
import type { At, Facts, Needs } from '../kind.js';

/** What is to be split of an item; without an amount, all that is left of it. */
export interface AskedItem {
  readonly item: string;
  readonly amount?: { readonly amount: Minor } | undefined;
  readonly evidence?: string | undefined;
}

/** What the agreements make of it: who gets what, and the background with the new parts. */
export interface Shared {
  readonly lines: readonly { readonly account: Id; readonly amount: Minor }[];
  readonly background: OrderBackground;
}

/** The background of an order that is bound to agreements; undefined where the platform says who gets what. */
export function boundBackground(order: Pick<Order, 'accountId'>, facts: Facts): OrderBackground | undefined {
  const background = facts.record(backgroundRecords, order.accountId);
  return background?.bound ? background : undefined;
}

/** Whether its agreements were loaded: not those of an order that was paid for in the same batch and could not be foreseen. */
export function isSeen({ items }: OrderBackground, facts: Facts): boolean {
  return items.every(({ version }) => version === null || facts.record(versionRecords, version) !== undefined);
}

/** What must be seen to share an order by its agreements: asked again until nothing new is named. */
export function sharingNeeds(order: Pick<Order, 'accountId'>, facts: Facts, at: At): Needs {
  const background = facts.record(backgroundRecords, order.accountId);
  if (background === undefined) return { records: [[backgroundRecords, order.accountId]] };
  const versions = new Set(background.items.flatMap(({ version }) => version ?? []));
  const codes = new Set(background.items.map(({ category }) => category));
  return {
    accounts: background.items.flatMap((item) => accountsOf(item, facts, at)),
    records: [
      [backgroundRecords, order.accountId],
      ...[...versions].map((id) => [versionRecords, id] as const),
      ...[...codes].map((code) => [categoryRecords, code] as const),
    ],
  };
}

/** Every account that the rule of an item names. */
export function accountsOf(item: OrderItem, facts: Facts, at: At): Id[] {
  const version = item.version === null ? undefined : facts.record(versionRecords, item.version);
  return version === undefined ? [] : version.rule.receivers.map((party) => accountOf(party, item, at));
}

function accountOf(party: Party, { seller }: OrderItem, { book }: At): Id {
  if (party === 'seller') return seller;
  return party === 'commission' ? book.accounts.commission : party;
}

/**
 * Shares items of an order by the agreements they were bound to when they were paid for. Exact: the shares of a part add up to it, and
 * the parts of an item to what its rule makes of the whole.
 * @param asked undefined: all that is left of all items
 * @returns ORDER_COMPLETED, NOTHING_TO_SPLIT, ITEM_UNKNOWN, ITEM_SPLIT, EVIDENCE_MISSING, SPLIT_OVER_CAP, ACCOUNT_NOT_FOUND
 */
export function sharedByAgreement(
  order: Order,
  background: OrderBackground,
  asked: readonly AskedItem[] | undefined,
  facts: Facts,
  at: At,
): Refusal | Shared {
  if (background.completedMs !== null) return refuse('ORDER_COMPLETED', undefined, { orderNo: order.orderNo });
  const wanted = asked ?? background.items.filter((item) => itemLeft(item) > 0n).map(({ no: item }) => ({ item }) as AskedItem);
  if (asked === undefined && wanted.length === 0) return refuse('NOTHING_TO_SPLIT', undefined, { orderNo: order.orderNo });
  const items = new Map(background.items.map((item) => [item.no, item]));
  const total = new Map<Id, Minor>();
  for (const each of wanted) {
    const item = items.get(each.item);
    if (item === undefined) return refuse('ITEM_UNKNOWN', undefined, { item: each.item });
    const shared = sharedItem(item, each, facts, at);
    if ('code' in shared) return shared;
    items.set(item.no, shared);
    const part = shared.parts.at(-1);
    for (const [account, amount] of Object.entries(part?.shares ?? {}) as [Id, Minor][])
      total.set(account, (total.get(account) ?? 0n) + amount);
  }
  const after = { ...background, items: background.items.map(({ no }) => items.get(no) as OrderItem) };
  const refusal = overCap(order, after, facts);
  if (refusal !== undefined) return refusal;
  const lines = [...total].map(([account, amount]) => ({ account, amount })).filter(({ amount }) => amount > 0n);
  const unknown = lines.find(({ account }) => facts.account(account) === undefined);
  if (unknown !== undefined) return refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', unknown.account) });
  return { lines, background: after };
}

function sharedItem(item: OrderItem, asked: AskedItem, facts: Facts, at: At): Refusal | OrderItem {
  const left = itemLeft(item);
  const part = asked.amount?.amount ?? left;
  if (part === 0n || part > left) return refuse('ITEM_SPLIT', undefined, { item: item.no, left: String(left) });
  const evidence = asked.evidence ?? item.evidence;
  const needed = categoryOn(facts.record(categoryRecords, item.category), at.book.businessDate)?.evidence ?? 'none';
  if (needed !== 'none' && evidence === null) return refuse('EVIDENCE_MISSING', undefined, { item: item.no, evidence: needed });
  const shares = sharesOf(item, part, versionOfItem(item, facts), at);
  return { ...item, evidence, parts: [...item.parts, { by: at.instruction, shares: Object.fromEntries(shares) }] };
}

function versionOfItem(item: OrderItem, facts: Facts): AgreementVersion {
  const version = item.version === null ? undefined : facts.record(versionRecords, item.version);
  invariant(version, `the agreement version of item ${item.no} is there`);
  return version;
}

/** The largest order that the agreement behind an item takes; minor units, null: any. */
export function orderMaxOf(item: OrderItem, facts: Facts): Minor | null {
  return versionOfItem(item, facts).terms.orderMax;
}

/** What a part of an item gives to whom. */
function sharesOf(item: OrderItem, part: Minor, { rule }: AgreementVersion, at: At): Map<Id, Minor> {
  const whole = itemWhole(item);
  const full = new Map<Id, Minor>();
  for (const { receiver, amount } of evaluateRule(rule, { whole, goods: item.price })) {
    const account = accountOf(receiver, item, at);
    full.set(account, (full.get(account) ?? 0n) + amount);
  }
  if (part === whole) return full;
  const got = itemGot(item);
  const accounts = [...full.keys()];
  const given = shareOfPart(
    [...full.values()],
    accounts.map((account) => got.get(account) ?? 0n),
    part,
  );
  return new Map(accounts.map((account, place) => [account, given[place] ?? 0n] as const).filter(([, amount]) => amount > 0n));
}

/**
 * Others than the sellers together get no more of an order, net of what was refunded, than the agreements allow.
 * @param slack minor units by which roundings may have passed it
 */
export function overCap(order: Order, { items }: OrderBackground, facts: Facts, slack: Minor = 0n): Refusal | undefined {
  let others = 0n;
  let most = 0n;
  for (const item of items) {
    for (const [account, amount] of itemGot(item)) if (account !== item.seller) others += amount;
    const cap = BigInt(item.version === null ? 0 : versionOfItem(item, facts).terms.othersCap);
    if (cap > most) most = cap;
  }
  const allowed = mulDivHalfUp(orderNet(order), most, 10_000n);
  if (others <= allowed + slack) return undefined;
  return refuse('SPLIT_OVER_CAP', undefined, { others: String(others), allowed: String(allowed) });
}

/** The same where money of an order goes away by itself; nothing for an order without agreements. `sharingNeeds` loads what it looks at. */
export function overCapAfter(order: Order, facts: Facts): Refusal | undefined {
  const background = boundBackground(order, facts);
  return background && overCap(order, background, facts);
}

/** Whether those may give a refund back whom the platform names: only where all agreements behind the order say so. */
export function givenBackByRule({ items }: OrderBackground, facts: Facts): boolean {
  return items.every((item) => item.version !== null && versionOfItem(item, facts).terms.refund === 'by-rule');
}

/** What is asked of each item so that all of it fits into what is left on the order: in full, or in proportion after a refund. */
export function fittingItems(order: Order, { items }: OrderBackground): AskedItem[] {
  const open = items.filter((item) => itemLeft(item) > 0n);
  const lefts = open.map(itemLeft);
  const total = lefts.reduce((sum, left) => sum + left, 0n);
  const room = orderLeft(order);
  if (total <= room) return open.map(({ no: item }) => ({ item }));
  const parts = room === 0n ? open.map(() => 0n) : allocate(room, lefts);
  return open
    .map(({ no: item }, place) => ({ item, amount: { amount: parts[place] ?? 0n } }))
    .filter(({ amount }) => amount.amount > 0n);
}
