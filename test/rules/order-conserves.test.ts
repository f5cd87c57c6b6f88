import { test as property } from '@fast-check/jest';
import { describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { agreementRecords, compileTerms, type Terms, versionRecords } from '../../src/agreements/index.js';
import type { SplitRule } from '../../src/agreements/rules.js';
import { asId, type BusinessDate, type Id } from '../../src/kernel/index.js';
import {
  backgroundRecords,
  categoryRecords,
  itemGot,
  itemLeft,
  itemRefundable,
  itemWhole,
  type Order,
  type OrderBackground,
  orderKey,
  orderLeft,
  orderNet,
  orderRecords,
} from '../../src/orders/index.js';
import {
  advanceRecords,
  debtRecords,
  orderSharesRecords,
  owedOf,
  shortageLineKey,
  shortageLineRecords,
  shortageRecords,
} from '../../src/refunds/index.js';
import { DESK, Desk } from '../support/world/desk.js';
import { CLAIMED } from '../support/world/desk-claims.js';
import { A, B, C, rules } from './any-rule.js';

/**
 * One order of two sellers, under arbitrary rules, through an arbitrary life: whatever is given to it, by the kinds themselves and the
 * ledger, money is neither made nor lost, and everything that is told of it agrees.
 */
const ORDER = 'SO-7';
const KEY = orderKey(DESK.platform, ORDER);
const { anna, ben } = DESK;
const CAP = 3_000n;
const ADVANCE = 2_000n;
const cny = (amount: number | bigint) => ({ amount: Number(amount), currency: 'CNY' as const });
const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);

interface Step {
  readonly kind: string;
  /** Of what there is, in hundredths, or a few fen. */
  readonly share: number;
  readonly fen: number;
  readonly place: number;
  readonly how: number;
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...['payment', 'subsidy', 'subsidy-return', 'split', 'split', 'split', 'split-return', 'refund', 'refund', 'refund'],
      ...['transfer', 'margin-deposit', 'order-complete'],
    ),
    share: fc.integer({ min: 1, max: 100 }),
    fen: fc.integer({ min: 0, max: 3 }),
    place: fc.nat({ max: 3 }),
    how: fc.nat({ max: 11 }),
  }),
  { minLength: 1, maxLength: 25 },
);
const amounts = fc.record({
  milk: fc.integer({ min: 1, max: 30_000 }),
  tea: fc.integer({ min: 1, max: 30_000 }),
  freight: fc.integer({ min: 0, max: 900 }),
  paid: fc.integer({ min: 30, max: 120 }),
});

class Life {
  readonly desk = new Desk('payment');
  readonly all: readonly Id[];
  readonly total: bigint;
  readonly transit: bigint;
  posted = 0;

  constructor(of: readonly [SplitRule, SplitRule], named: boolean) {
    const { desk } = this;
    desk.book.terms = { transferMax: 1_000_000n, feeMax: 0n, agreements: 'required' };
    for (const id of [A, B]) desk.open(id, 'sub').balance = 50n;
    desk.account(desk.book.accounts.marketing).balance = 20_000n;
    desk.account(desk.book.accounts['own-funds']).balance = 3_000n;
    desk.put(advanceRecords, DESK.platform, { platformId: DESK.platform, ceiling: ADVANCE, outstanding: 0n });
    const goods = { validFrom: '2026-01-01' as BusinessDate, zh: '百货', en: 'Goods', allowed: true };
    desk.put(categoryRecords, 'goods', [{ ...goods, code: 'goods', evidence: 'none' }]);
    const usual = desk.get(versionRecords, CLAIMED.version).terms;
    [anna, ben].forEach((seller, place) => {
      const terms: Terms = {
        ...usual,
        rule: of[place] as SplitRule,
        othersCap: CAP,
        profitMax: CAP,
        refund: named ? 'by-rule' : 'pro-rata',
      };
      const id = asId(String(2236512894231553000n + BigInt(place)));
      const version = {
        ...{ id, agreementId: id, platformId: DESK.platform, accountId: seller, version: 1, amends: null },
        ...{ validFrom: '2026-01-01' as BusinessDate, validTo: null, terms, rule: compileTerms(terms) },
      };
      desk.put(agreementRecords, seller, { accountId: seller, versions: [version] });
      desk.put(versionRecords, id, version);
    });
    this.all = [...Object.values(desk.book.accounts), anna, ben, A, B];
    this.total = this.sumOfAll([]);
    this.transit = desk.account(desk.book.accounts['in-transit']).balance;
  }

  get order(): Order {
    return this.desk.get(orderRecords, KEY);
  }

  get goods(): OrderBackground {
    return this.desk.get(backgroundRecords, this.order.accountId);
  }

  sumOfAll(more: readonly Id[]): bigint {
    return sum([...this.all, ...more].map((id) => this.desk.account(id).balance));
  }

  /** Gives one instruction; a refund that waits is taken out of the queue again. */
  give(kind: string, data: object): string {
    const { desk } = this;
    const result = desk.giveNext(kind, data);
    if (result === 'posted') this.posted += 1;
    else {
      if (result === 'funds') {
        const id = desk.at.instruction;
        for (const line of desk.get(shortageRecords, id).lines)
          desk.put(shortageLineRecords, shortageLineKey(id, line.accountId), { ...line, open: false });
      }
      desk.skip();
    }
    return result;
  }

  pay(amount: number | bigint, background?: object): string {
    const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };
    return this.give('payment', { orderNo: ORDER, amount: cny(amount), payer, reference: `C${this.posted}`, ...background });
  }

  step({ kind, share, fen, place, how }: Step): string {
    const part = (of: bigint) => {
      const amount = (of * BigInt(share)) / 100n + (how % 3 === 0 ? BigInt(fen) : 0n);
      return amount > 0n ? amount : 1n;
    };
    const { order, goods } = this;
    const item = goods.items[place % 2] as OrderBackground['items'][number];
    const who = [anna, ben, A, B, this.desk.book.accounts.commission][(place + how) % 5] as Id;
    const shares = this.desk.facts.record(orderSharesRecords, order.accountId)?.shares ?? [];
    const got = shares.find(({ receiverId }) => receiverId === who);
    const had = got === undefined ? 0n : got.split - got.returned;
    if (kind === 'payment') return this.pay(part(5_000n));
    if (kind === 'subsidy') return this.give(kind, { orderNo: ORDER, amount: cny(part(6_000n)) });
    if (kind === 'subsidy-return')
      return this.give(kind, { orderNo: ORDER, amount: cny(part(order.subsidised - order.subsidyReturned)) });
    if (kind === 'split' && how < 3) return this.give(kind, { orderNo: ORDER });
    if (kind === 'split')
      return this.give(kind, { orderNo: ORDER, items: [{ item: item.no, amount: cny(part(itemLeft(item))) }] });
    if (kind === 'split-return')
      return this.give(kind, { orderNo: ORDER, lines: [{ account: `acc_${who}`, amount: cny(part(had)) }] });
    if (kind === 'transfer')
      return this.give(kind, { from: `acc_${who}`, to: `acc_${who === A ? B : A}`, amount: cny(part(9_000n)) });
    if (kind === 'margin-deposit') return this.give(kind, { account: `acc_${who}`, amount: cny(part(500n)) });
    if (kind === 'order-complete') return how < 2 ? this.give(kind, { orderNo: ORDER }) : 'left out';
    return this.refund(part, { item, who, had, how });
  }

  refund(
    part: (of: bigint) => bigint,
    { item, who, had, how }: { item: OrderBackground['items'][number]; who: Id; had: bigint; how: number },
  ): string {
    const { order } = this;
    const subsidy = order.subsidised - order.subsidyReturned;
    const told = how % 4 === 1 ? { subsidy: 'keep' } : how % 4 === 2 && subsidy > 0n ? { subsidy: cny(part(subsidy)) } : {};
    const data = { orderNo: ORDER, amount: cny(part(order.paid - order.refunded)), ...told };
    if (how < 3) return this.give('refund', data);
    if (how < 7) return this.give('refund', { ...data, recall: 'pro-rata' });
    if (how < 9) return this.give('refund', { ...data, recall: [{ account: `acc_${who}`, amount: cny(part(had)) }] });
    const amount = part(itemRefundable(item));
    const items = [{ item: item.no, amount: cny(amount) }];
    return this.give('refund', {
      orderNo: ORDER,
      amount: cny(amount),
      subsidy: 'keep',
      items,
      ...(how === 9 ? {} : { recall: 'pro-rata' }),
    });
  }
}

/** All that must be true of an order whatever was done to it. */
function holds(life: Life, kind: string, result: string): void {
  const { desk, order, goods } = life;
  const margins = [anna, ben, A, B].flatMap((id) => desk.facts.record({ name: 'margin' } as never, id) ?? []) as {
    marginId: Id | null;
  }[];
  const opened = [order.accountId, ...margins.flatMap(({ marginId }) => marginId ?? [])];
  expect(life.sumOfAll(opened)).toBe(life.total);
  expect(desk.account(order.accountId).balance).toBe(orderLeft(order));
  expect(orderLeft(order)).toBeGreaterThanOrEqual(0n);
  expect(order.refunded).toBeLessThanOrEqual(order.paid);
  expect(order.subsidyReturned).toBeLessThanOrEqual(order.subsidised);
  expect(desk.account(desk.book.accounts['in-transit']).balance - life.transit).toBe(order.refunded);

  const shares = desk.facts.record(orderSharesRecords, order.accountId)?.shares ?? [];
  expect(sum(shares.map((share) => share.split))).toBe(order.split);
  expect(sum(shares.map((share) => share.returned))).toBe(order.returned);
  const has = new Map<Id, bigint>();
  for (const item of goods.items) {
    expect(item.refunded).toBeGreaterThanOrEqual(0n);
    expect(item.refunded).toBeLessThanOrEqual(itemWhole(item));
    expect(itemLeft(item)).toBeGreaterThanOrEqual(0n);
    for (const [account, amount] of itemGot(item)) {
      expect(amount).toBeGreaterThanOrEqual(0n);
      has.set(account, (has.get(account) ?? 0n) + amount);
    }
  }
  for (const [account, amount] of has) {
    const share = shares.find(({ receiverId }) => receiverId === account);
    expect(amount).toBeLessThanOrEqual((share?.split ?? 0n) - (share?.returned ?? 0n));
  }
  // Beyond the items there is only what was paid beyond them.
  const most = sum(goods.items.map(itemRefundable));
  expect(sum(has.values()) + sum(goods.items.map(itemLeft))).toBe(most);

  let others = 0n;
  for (const item of goods.items) for (const [account, amount] of itemGot(item)) if (account !== item.seller) others += amount;
  if (result === 'posted' && ['split', 'order-complete'].includes(kind))
    expect(others * 10_000n).toBeLessThanOrEqual(orderNet(order) * CAP + 5_000n);

  const advance = desk.get(advanceRecords, DESK.platform);
  expect(advance.outstanding).toBeLessThanOrEqual(ADVANCE);
  const owed = [anna, ben, A, B, C, desk.book.accounts.commission].flatMap((id, place, all) =>
    all.indexOf(id) === place ? (desk.facts.record(debtRecords, id)?.open ?? []) : [],
  );
  expect(sum(owed.map(owedOf))).toBe(advance.outstanding);
}

describe('an order of two sellers, under any rules and through any life', () => {
  property.prop([rules, rules, amounts, steps, fc.boolean()], { seed: 440, numRuns: 300 })(
    'neither makes nor loses money, gives the buyer back no more than he paid, and ends where its items end',
    (one, two, { milk, tea, freight, paid }, life, named) => {
      const stage = new Life([one, two], named);
      const whole = (name: string, seller: Id, price: number, more: object = {}) => ({
        ...{ item: name, seller: `acc_${seller}`, name, category: 'goods', quantity: 1, price: cny(price) },
        ...more,
      });
      const items = [whole('milk', anna, milk, { freight: cny(freight + 1) }), whole('tea', ben, tea)];
      const due = milk + tea + freight + 1;
      expect(stage.pay(Math.max(1, Math.floor((due * paid) / 100)), { background: { buyer: 'U-1', items } })).toBe('posted');
      for (const step of life) {
        const before = orderLeft(stage.order) >= sum(stage.goods.items.map(itemLeft));
        const open = stage.goods.completedMs === null;
        const result = stage.step(step);
        holds(stage, step.kind, result);
        if (step.kind === 'order-complete' && result === 'posted' && before && open)
          for (const item of stage.goods.items) expect(sum(itemGot(item).values())).toBe(itemRefundable(item));
      }
    },
  );
});
