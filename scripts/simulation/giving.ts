import { type Id, type Instant, toRfc3339, toWire, WIRE_MAX } from '../../src/kernel/index.js';
import type { Model } from '../../test/support/model/model.js';
import { payerOf } from '../demo/people.js';
import type { Chance } from './chance.js';
import type { Market, Side } from './market.js';
import type { Witness } from './witness.js';

/** An instruction in the form in which a platform or the bank gives it. */
export interface Request {
  readonly platform: Id;
  readonly origin: 'P' | 'O';
  readonly body: { readonly requestNo: string; readonly kind: string; readonly data: Record<string, unknown> };
}

type Data = Record<string, unknown>;
type Maker = (side: Side) => Data;

const GHOST_ACCOUNT = 'acc_1000000000000000001';

/** Makes up instructions: most of them sensible, many of them wrong in one way. */
export class Giving {
  readonly #chance: Chance;
  readonly #market: Market;
  readonly #model: Model;
  readonly #witness: Witness;
  readonly #now: () => Instant;
  #number = 0;

  constructor(chance: Chance, market: Market, model: Model, witness: Witness, now: () => Instant) {
    this.#chance = chance;
    this.#market = market;
    this.#model = model;
    this.#witness = witness;
    this.#now = now;
  }

  batch(size: number): Request[] {
    return Array.from({ length: size }, () => this.one());
  }

  one(): Request {
    const side = this.#chance.one(this.#market.sides);
    this.#number += 1;
    const [kind, make] = this.#chance.weighted(this.#kinds);
    const origin = this.#chance.happens(0.1) ? 'O' : 'P';
    return { platform: side.book.platformId, origin, body: { requestNo: `R-${this.#number}`, kind, data: make(side) } };
  }

  /** The same number again with another content. */
  other({ platform, origin, body }: Request): Request {
    const [kind, make] = this.#chance.weighted(this.#kinds);
    return { platform, origin, body: { requestNo: body.requestNo, kind, data: make(this.#market.side(platform)) } };
  }

  readonly #kinds: readonly (readonly [readonly [string, Maker], number])[] = [
    [['payment', (side) => this.#payment(side)], 26],
    [['split', (side) => this.#split(side)], 24],
    [['split-return', (side) => this.#splitReturn(side)], 6],
    [['refund', (side) => ({ orderNo: this.#order(side), amount: this.#part(this.#onOrder(side)) })], 8],
    [['transfer', (side) => this.#transfer(side)], 8],
    [['hold', (side) => this.#hold(side)], 6],
    [['release', (side) => this.#release(side)], 4],
    [['capture', (side) => ({ hold: this.#holdId(), to: this.#sub(side), amount: this.#money(1, 5_000) })], 4],
    [['withdrawal', (side) => this.#withdrawal(side)], 8],
    [['fee', (side) => ({ account: this.#sub(side), amount: this.#money(1, 11_000), for: '技术服务费' })], 4],
    [['correction', () => this.#correction()], 4],
  ];
  #order_ = '';

  #money(low: number, high: number) {
    return { amount: this.#chance.between(low, high), currency: 'CNY' };
  }

  /** All of it, a part, or more than there is. */
  #part(all: bigint) {
    const there = Number(all > WIRE_MAX ? WIRE_MAX : all);
    const amount = this.#chance.weighted([
      [there, 4],
      [Math.floor(there * this.#chance.next()), 5],
      [there + 1, 1],
    ]);
    return { amount: Math.min(Math.max(amount, 1), Number(WIRE_MAX)), currency: 'CNY' };
  }

  #sub(side: Side): string {
    if (this.#chance.happens(0.02)) return GHOST_ACCOUNT;
    if (this.#chance.happens(0.02)) return this.#chance.one(this.#chance.one(this.#market.sides).subs); // perhaps another's
    if (this.#chance.happens(0.03)) return toWire('account', this.#chance.one(Object.values(side.book.accounts)));
    return this.#chance.one(side.subs);
  }

  #order(side: Side): string {
    this.#order_ = side.orders.length === 0 || this.#chance.happens(0.03) ? 'SO-NONE' : this.#chance.recent(side.orders);
    return this.#order_;
  }

  /** What stands on the order chosen last. */
  #onOrder(side: Side): bigint {
    const order = this.#model.orders.get(`${side.book.platformId}/${this.#order_}`);
    return order === undefined ? 1n : (this.#model.accounts.get(order.account)?.balance ?? 1n);
  }

  #payment(side: Side): Data {
    const again = side.orders.length > 0 && this.#chance.happens(0.15);
    const orderNo = again ? this.#chance.recent(side.orders) : `SO-${this.#number}`;
    if (!again) side.orders.push(orderNo);
    const payer = payerOf(this.#chance.happens(0.97) ? `${orderNo}` : 'somebody else');
    const account = this.#chance.happens(0.03) ? '' : payer.account;
    const amount = this.#chance.happens(0.005) ? { amount: Number(WIRE_MAX), currency: 'CNY' } : this.#money(1, 200_000);
    const atCustodian = orderNo.charCodeAt(orderNo.length - 1) % 2 === 0;
    return {
      orderNo,
      amount,
      payer: { ...payer, account, bankCode: atCustodian ? '' : '102100099996' },
      reference: `COL-${this.#number}`,
    };
  }

  #split(side: Side): Data {
    const orderNo = this.#order(side);
    const all = this.#part(this.#onOrder(side)).amount;
    const receivers = this.#chance.shuffled(side.subs).slice(0, this.#chance.between(1, 3));
    if (this.#chance.happens(0.6)) receivers.push(toWire('account', side.book.accounts.commission));
    if (this.#chance.happens(0.02)) receivers.push(receivers[0] as string);
    if (this.#chance.happens(0.04)) receivers.push(this.#sub(side));
    const share = Math.max(1, Math.floor(all / receivers.length));
    const first = Math.max(1, all - share * (receivers.length - 1));
    const lines = receivers.map((account, place) => ({
      account,
      amount: { amount: place === 0 ? first : share, currency: 'CNY' },
    }));
    return { orderNo, lines };
  }

  #splitReturn(side: Side): Data {
    const orderNo = this.#order(side);
    const order = this.#model.orders.get(`${side.book.platformId}/${orderNo}`);
    const shares =
      order === undefined
        ? []
        : [...this.#model.shares].filter(([key, { split }]) => key.startsWith(`${order.account}/`) && split > 0n);
    if (shares.length === 0) return { orderNo, lines: [{ account: this.#sub(side), amount: this.#money(1, 100) }] };
    const [key, { split, returned }] = this.#chance.one(shares);
    return { orderNo, lines: [{ account: `acc_${key.slice(20)}`, amount: this.#part(split - returned) }] };
  }

  #transfer(side: Side): Data {
    const own = ['own-funds', 'commission', 'marketing', 'fees'] as const;
    const from = this.#chance.happens(0.5) ? this.#sub(side) : toWire('account', side.book.accounts[this.#chance.one(own)]);
    const to = this.#chance.happens(0.8) ? this.#sub(side) : toWire('account', side.book.accounts[this.#chance.one(own)]);
    return { from, to, amount: this.#chance.happens(0.5) ? this.#part(this.#available(from)) : this.#money(1, 3_000) };
  }

  #available(wire: string): bigint {
    const account = this.#model.accounts.get(wire.slice(4));
    return account === undefined ? 0n : account.balance - account.held;
  }

  #hold(side: Side): Data {
    const account = this.#sub(side);
    const until = this.#chance.weighted([
      [undefined, 3],
      [this.#chance.between(-1, 72), 2],
    ] as const);
    const expiresAt = until === undefined ? {} : { expiresAt: toRfc3339((this.#now() + until * 3_600_000) as Instant) };
    return { account, amount: this.#part(this.#available(account)), purpose: '售后保证', ...expiresAt };
  }

  #holdId(): string {
    const holds = this.#witness.posted.get('hold') ?? [];
    return `hld_${holds.length === 0 || this.#chance.happens(0.03) ? GHOST_ACCOUNT.slice(4) : this.#chance.recent(holds)}`;
  }

  #release(side: Side): Data {
    const hold = this.#holdId();
    const left = this.#model.holds.get(hold.slice(4))?.left ?? BigInt(side.subs.length);
    return this.#chance.happens(0.5) ? { hold } : { hold, amount: this.#part(left) };
  }

  #withdrawal(side: Side): Data {
    const own = toWire('account', this.#chance.one(Object.values(side.book.accounts)));
    const account = this.#chance.happens(0.2) ? own : this.#sub(side);
    return { account, amount: this.#part(this.#available(account)) };
  }

  /** Of anything but a payment: that money did come in, and the bank's statement goes on showing it. */
  #correction(): Data {
    const kinds = ['split', 'split', 'transfer', 'fee', 'refund', 'hold', 'withdrawal'] as const;
    const past = this.#witness.posted.get(this.#chance.one(kinds)) ?? [];
    const instruction = past.length === 0 || this.#chance.happens(0.03) ? GHOST_ACCOUNT.slice(4) : this.#chance.recent(past);
    return { instruction: `ins_${instruction}`, reason: '重复提交' };
  }
}
