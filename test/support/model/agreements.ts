/** What agreements make of an order, told a second time: in the words of a bookkeeper, with nothing of the service's rules. */

import { type ModelPaying, PAID_NEXT_DAY } from './paying.js';

/** What one seller agreed: who gets how many hundredths of a percent of what, in this order; the rest is his. */
export interface ModelAgreement {
  readonly seller: string;
  readonly lines: readonly { readonly to: string; readonly bp: bigint; readonly of: 'goods' | 'whole'; readonly max?: bigint }[];
  /** The most that all others may get of an item, in hundredths of a percent. */
  readonly others: bigint;
  readonly orderMax?: bigint;
  readonly dayMax?: bigint;
  /** The most of one fee; else what the platform may take of everybody. */
  readonly feeMax?: bigint;
  /** What stays on his account when he is paid. */
  readonly reserve?: bigint;
  /** When and how he is paid; else on the next working day. */
  readonly paying?: ModelPaying;
  readonly from: string;
  readonly until?: string;
  /** The platform may name those who give a refund back. */
  readonly named?: boolean;
}

export interface ModelItem {
  readonly no: string;
  readonly seller: string;
  readonly agreement: ModelAgreement;
  readonly goods: bigint;
  readonly whole: bigint;
  /** What of it went back to the buyer, and to the platform what it had added. */
  refunded: bigint;
  readonly needsEvidence: boolean;
  evidence: string | undefined;
  /** What each split gave to whom, by the instruction that did. */
  readonly parts: Map<string, Map<string, bigint>>;
}

export interface ModelBackground {
  readonly items: ModelItem[];
  completed: boolean;
}

const sum = (of: Iterable<bigint>) => [...of].reduce((total, amount) => total + amount, 0n);

/** What everybody gets of a whole item. */
function fullShares({ agreement, goods, whole, seller }: Pick<ModelItem, 'agreement' | 'goods' | 'whole' | 'seller'>) {
  const shares = new Map<string, bigint>();
  let left = whole;
  let others = (whole * agreement.others) / 10_000n;
  for (const { to, bp, of, max } of agreement.lines) {
    const exact = (of === 'goods' ? goods : whole) * bp;
    let amount = (exact + 5_000n) / 10_000n;
    for (const most of [max, left, others]) if (most !== undefined && amount > most) amount = most;
    shares.set(to, (shares.get(to) ?? 0n) + amount);
    left -= amount;
    others -= amount;
  }
  // The seller stands last where the rule does not name him before.
  shares.set(seller, (shares.get(seller) ?? 0n) + left);
  return shares;
}

export function gotOf({ parts }: ModelItem): Map<string, bigint> {
  const got = new Map<string, bigint>();
  for (const part of parts.values()) for (const [to, amount] of part) got.set(to, (got.get(to) ?? 0n) + amount);
  return got;
}

export function leftOf(item: ModelItem): bigint {
  return item.whole - item.refunded - sum(gotOf(item).values());
}

/** What a part of an item gives: everybody as far along as all together, rounded down, then the first who may still get something. */
function partShares(item: ModelItem, part: bigint): Map<string, bigint> {
  const full = fullShares(item);
  if (part === item.whole) return full;
  const got = gotOf(item);
  const reached = sum(got.values()) + part;
  const shares = new Map<string, bigint>();
  let left = part;
  for (const round of ['in proportion', 'what is over'] as const) {
    for (const [to, most] of full) {
      const has = (got.get(to) ?? 0n) + (shares.get(to) ?? 0n);
      const aim = round === 'in proportion' ? (most * reached) / item.whole : most;
      const amount = [aim - has, left].reduce((a, b) => (a < b ? a : b));
      if (amount <= 0n) continue;
      shares.set(to, (shares.get(to) ?? 0n) + amount);
      left -= amount;
    }
  }
  return shares;
}

/** The wire form of what stands behind an order. */
export interface AskedModelBackground {
  readonly buyer: string;
  readonly items: readonly {
    readonly item: string;
    readonly seller: string;
    readonly name: string;
    readonly category: string;
    readonly quantity: number;
    readonly price: { readonly amount: number; readonly currency: 'CNY' };
    readonly freight?: { readonly amount: number; readonly currency: 'CNY' };
    readonly evidence?: string;
  }[];
  readonly completesAt?: string;
}

/** Sorts of goods that scenarios use: whether they may be sold, and whether their split needs evidence. */
const GOODS: Readonly<Record<string, { readonly allowed: boolean; readonly needsEvidence: boolean }>> = {
  goods: { allowed: true, needsEvidence: false },
  'goods-shipped': { allowed: true, needsEvidence: true },
  service: { allowed: true, needsEvidence: true },
  lottery: { allowed: false, needsEvidence: false },
};

/** What the bank knows of sellers: their agreements and what they turned over. */
export class Trade {
  /** By seller. */
  readonly agreements = new Map<string, ModelAgreement[]>();
  agree(agreement: ModelAgreement): void {
    this.agreements.set(agreement.seller, [...(this.agreements.get(agreement.seller) ?? []), agreement]);
  }

  /** The most of one fee on a day, where he agreed on it. */
  feeMax(seller: string, date: string): bigint | undefined {
    const all = this.agreements.get(seller) ?? [];
    return all.find(({ from, until }) => from <= date && (until === undefined || date <= until))?.feeMax;
  }

  /** When and how a seller is paid on a date. */
  paying(seller: string, date: string): ModelPaying {
    const all = this.agreements.get(seller) ?? [];
    return all.find(({ from, until }) => from <= date && (until === undefined || date <= until))?.paying ?? PAID_NEXT_DAY;
  }

  /** Why a seller cannot be paid on a date. */
  lacksAgreement(seller: string, date: string): string | undefined {
    const all = this.agreements.get(seller) ?? [];
    if (all.length === 0) return 'AGREEMENT_MISSING';
    const inForce = all.some(({ from, until }) => from <= date && (until === undefined || date <= until));
    return inForce ? undefined : 'AGREEMENT_ENDED';
  }

  #turnovers = new Map<string, { date: string; amount: bigint }[]>();

  turnedOver() {
    return new Map(this.#turnovers);
  }

  turnBack(to: ReturnType<Trade['turnedOver']>): void {
    this.#turnovers = to;
  }

  /** The items as they are kept, or why not. @param date undefined where no agreements are needed */
  taken({ items }: AskedModelBackground, date: string | undefined): ModelItem[] | string {
    const kept: ModelItem[] = [];
    for (const { item: no, seller: wire, category, price, freight, evidence } of items) {
      const goods = GOODS[category];
      if (goods === undefined) return 'CATEGORY_UNKNOWN';
      const seller = wire.slice(4);
      const all = this.agreements.get(seller) ?? [];
      if (date !== undefined && all.length === 0) return 'AGREEMENT_MISSING';
      const agreement = all.find(
        ({ from, until }) => date !== undefined && from <= date && (until === undefined || date <= until),
      );
      if (date !== undefined && agreement === undefined) return 'AGREEMENT_ENDED';
      if (!goods.allowed) return 'CATEGORY_FORBIDDEN';
      const amounts = { goods: BigInt(price.amount), whole: BigInt(price.amount + (freight?.amount ?? 0)) };
      const bound = agreement ?? { seller, lines: [], others: 0n, from: '' };
      kept.push({
        no,
        seller,
        agreement: bound,
        ...amounts,
        needsEvidence: goods.needsEvidence,
        evidence,
        refunded: 0n,
        parts: new Map(),
      });
    }
    return kept;
  }

  /** What counts the sellers' turnover, or why it would be too much. */
  turnover(items: readonly ModelItem[], date: string): (() => void) | string {
    const amounts = new Map<string, bigint>();
    for (const { seller, whole } of items) amounts.set(seller, (amounts.get(seller) ?? 0n) + whole);
    for (const [seller, amount] of amounts) {
      const agreement = items.find((item) => item.seller === seller)?.agreement;
      if (agreement?.orderMax !== undefined && amount > agreement.orderMax) return 'ORDER_CAP';
      const before = (this.#turnovers.get(seller) ?? []).filter((of) => of.date === date);
      if (agreement?.dayMax !== undefined && sum(before.map((of) => of.amount)) + amount > agreement.dayMax)
        return 'VOLUME_EXCEEDED';
    }
    return () => {
      for (const [seller, amount] of amounts)
        this.#turnovers.set(seller, [...(this.#turnovers.get(seller) ?? []), { date, amount }]);
    };
  }
}

/** What items give to whom, or why they cannot be split. */
export function splitItems(
  { items }: ModelBackground,
  asked: readonly { readonly item: string; readonly amount?: { readonly amount: number }; readonly evidence?: string }[],
) {
  const shares = new Map<string, bigint>();
  const parts: { item: ModelItem; part: Map<string, bigint>; evidence: string | undefined }[] = [];
  for (const { item: no, amount, evidence: shown } of asked) {
    const item = items.find((one) => one.no === no);
    if (item === undefined) return 'ITEM_UNKNOWN';
    const wanted = amount === undefined ? leftOf(item) : BigInt(amount.amount);
    if (wanted === 0n || wanted > leftOf(item)) return 'ITEM_SPLIT';
    const evidence = shown ?? item.evidence;
    if (item.needsEvidence && evidence === undefined) return 'EVIDENCE_MISSING';
    const part = partShares(item, wanted);
    for (const [to, of] of part) if (of === 0n) part.delete(to);
    for (const [to, of] of part) shares.set(to, (shares.get(to) ?? 0n) + of);
    parts.push({ item, part, evidence });
  }
  let others = 0n;
  for (const item of items) {
    const now = parts.filter((one) => one.item === item).flatMap(({ part }) => [...part]);
    for (const [to, of] of [...gotOf(item), ...now]) if (to !== item.seller) others += of;
  }
  return { shares, parts, others };
}

/** Whole parts of a sum in proportion; what is over goes one by one to the largest weights, the first of equal ones before. */
export function proportionally(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = sum(weights);
  const parts = weights.map((weight) => (total * weight) / all);
  const order = weights.map((_, place) => place).sort((a, b) => Number((weights[b] as bigint) - (weights[a] as bigint)) || a - b);
  let left = total - sum(parts);
  for (const place of order) {
    if (left === 0n) break;
    parts[place] = (parts[place] as bigint) + 1n;
    left -= 1n;
  }
  return parts;
}
