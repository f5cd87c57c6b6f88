import type { Data, Given } from '../given.js';
import { boundPayer, ownPayer } from '../model/outside.js';
import { ServiceBank } from '../scenario-banks.js';
import type { Chance } from './chance.js';
import { CLAIM_KINDS, isClaimKind, RandomClaims } from './random-claims.js';
import { RandomLending } from './random-lending.js';
import { RandomReviews } from './random-reviews.js';
import type { Asked, World } from './world.js';

const START = '2026-09-25'; // a holiday, a worked Sunday behind it and a week of holidays ahead
const GHOST = '1000000000000000001';

interface Side {
  readonly id: string;
  readonly own: Readonly<Record<string, string>>;
  readonly subs: string[];
  /** Electronic accounts of both classes, and mandates on them. */
  readonly purses: string[];
  readonly mandates: string[];
  date: string;
}

/** The service and the model under random instructions, many of them wrong, in batches of random size. */
export class RandomBank extends ServiceBank {
  readonly results = new Map<string, number>();
  steps = 0;
  readonly #chance: Chance;
  readonly #claims: RandomClaims;
  readonly #reviewing: RandomReviews;
  readonly #lending: RandomLending;
  readonly #sides: Side[] = [];
  #requests = 0;
  readonly #asked: Asked[] = [];

  constructor(world: World, chance: Chance) {
    super(world);
    this.#chance = chance;
    this.#claims = new RandomClaims(this, chance);
    this.#reviewing = new RandomReviews(this, chance);
    this.#lending = new RandomLending(this, chance);
  }

  async open(): Promise<void> {
    await this.setNow(Date.parse(`${START}T09:00:00+08:00`));
    for (let count = 0; count < 3; count += 1) {
      const { id, own } = await this.openPlatform(START);
      const side: Side = { id, own, subs: [], purses: [], mandates: [], date: START };
      for (let sub = 0; sub < 6; sub += 1) side.subs.push(await this.openSeller(id, sub !== 5));
      if (count !== 2) await this.setTerms(id, 5_000n, 300n);
      if (count !== 1) await this.setCollected(id, 'at-once');
      await this.#openPurses(side);
      this.#sides.push(side);
    }
    await this.#lending.open(START);
  }

  async #openPurses(side: Side): Promise<void> {
    for (let person = 0; person < 2; person += 1) {
      const customer = await this.openCustomer(person === 0 ? undefined : '2026-07-01');
      for (const level of [2, 3] as const) {
        const account = await this.openElectronic({ platform: side.id, customer, class: level, faceToFace: person === 0 });
        side.purses.push(account);
        const scope = { kinds: ['account-payment', 'top-up'], orders: true, payees: side.subs.slice(0, 2) };
        const caps = { paymentCap: 150_000n, totalCap: 900_000n, period: 'day' as const, periodCap: 300_000n };
        const expires = Date.parse('2026-10-09T00:00:00+08:00');
        side.mandates.push(await this.openMandate({ platform: side.id, account, ...scope, ...caps, expires }));
      }
    }
  }

  /** Something happens outside the engine, or a batch is received and decided; then all is compared. */
  async step(): Promise<void> {
    this.steps += 1;
    await this.#between();
    const asked = [...Array.from({ length: 1 + this.#chance.below(40) }, () => this.#any()), ...this.#lending.draw()];
    // What ends the batch where it needs to see what the batch made is given alone.
    const alone = ({ kind, data }: Asked) => 'recall' in data || kind === 'dispute-open';
    for (const together of [asked.filter((one) => !alone(one)), ...asked.filter(alone).map((one) => [one])]) {
      if (together.length === 0) continue;
      for (const { result } of await this.giveAll(together)) this.results.set(result, (this.results.get(result) ?? 0) + 1);
    }
    await this.check();
  }

  async #between(): Promise<void> {
    const side = this.#chance.pick(this.#sides);
    // Every other collection is one that its channel pays over later.
    for (const [id, payout] of this.model.payouts)
      if (payout.state === 'created' && this.#chance.once(2))
        await (payout.collects && this.#chance.once(2) ? this.markSent(id, 'psp-collect') : this.markSent(id));
    if (this.#chance.once(3)) {
      const to = new Date(Date.parse(side.date) + 86_400_000).toISOString().slice(0, 10);
      await this.openDate(side.id, side.date, to);
      side.date = to;
      await this.setNow(Math.max(this.model.now, Date.parse(`${to}T09:00:00+08:00`)));
    }
    if (this.#chance.once(4)) await this.#changeState(this.#chance.pick(side.subs));
    const purse = this.#chance.pick(side.purses);
    const state = this.model.law.accounts.get(purse)?.state;
    if (state === 'blocked') await this.setElectronic(purse, { state: 'active' });
    else if (state === 'active' && this.#chance.once(10)) await this.setElectronic(purse, { state: 'blocked' });
    await this.#proposeSome(side);
    await this.#claims.between(side);
    await this.#lending.between();
    await this.#reviewing.between(side.id);
    if (this.#chance.once(4)) await this.setCeiling(side.id, BigInt(this.#chance.below(4_000)));
    const seller = this.#chance.pick(side.subs);
    if (this.#chance.once(4) && this.model.accounts.get(seller)?.state !== 'closed')
      await this.setTarget(seller, BigInt(this.#chance.below(1_500)));
    await this.#cancelSome();
    if (this.#chance.once(2)) await this.#collectForLater(side);
    if (this.#chance.once(40)) await this.revokeMandate(this.#chance.pick(side.mandates));
  }

  /** A channel that pays over later collects for a customer, who pays an order with some of it. */
  async #collectForLater(side: Side): Promise<void> {
    const from = `acc_${this.#chance.pick(side.purses)}`;
    const given = (origin: Given['origin'], kind: string, data: Partial<Data>): Promise<{ id: string; result: string }> => {
      this.#requests += 1;
      const asked = { platform: side.id, origin, requestNo: `R${this.#requests}`, kind, data: data as Data };
      return this.give(origin === 'P' ? { ...asked, answer: 'yes' } : asked);
    };
    const { id, result } = await given('P', 'top-up', { account: from, amount: this.#money(9_000) });
    if (result !== 'posted') return;
    await this.markSent(id, 'psp-collect');
    await given('S', 'payout-settled', { payout: `pay_${id}` });
    const orderNo = `E-${from.slice(-3)}`;
    await given('P', 'account-payment', { from, to: { orderNo }, amount: this.#money(3_000) });
    if (this.#chance.once(2)) await given('P', 'split', { orderNo, lines: this.#lines(side, 1_500) });
  }

  /** A refund that waits is taken out of the queue now and then. */
  async #cancelSome(): Promise<void> {
    const [refund] = this.model.cover.waiting.keys();
    if (refund !== undefined && this.#chance.once(5)) await this.cancel(refund);
  }

  /** Two people decide about money on suspense, mostly about no more than is left of it. */
  async #proposeSome(side: Side): Promise<void> {
    for (const [id, { platform, left }] of this.model.items) {
      if (platform !== side.id || left === 0n || !this.#chance.once(3)) continue;
      const account = this.#chance.once(3)
        ? undefined
        : this.#chance.pick([...side.subs, ...side.purses, side.own.fees as string]);
      const amount = this.#chance.once(8) ? left + 1n : 1n + BigInt(this.#chance.below(Number(left)));
      const proposal = await this.propose({ platform: side.id, item: id, account, amount });
      if (!this.#chance.once(6)) await this.approve(proposal);
    }
  }

  /** Freezes, thaws, or closes an account that may be closed. */
  async #changeState(id: string): Promise<void> {
    const account = this.model.accounts.get(id);
    if (account === undefined || account.state === 'closed') return;
    const underWay = [...this.model.payouts.values()].some(
      (payout) => payout.source === id && ['created', 'sent', 'unknown'].includes(payout.state),
    );
    const others = [...this.model.accounts.values()].some(
      (other) => other.platform === account.platform && other.state === 'closed',
    );
    const mayClose = account.claims.length === 0 && account.balance === 0n && !underWay && account.state === 'open' && !others;
    if (mayClose) await this.setState(id, 'closed');
    else if (account.state === 'frozen') await this.setState(id, 'open');
    else if (this.#chance.once(3)) await this.setState(id, 'frozen');
  }

  #any(): Asked {
    if (this.#asked.length > 0 && this.#chance.once(25)) return this.#again();
    const side = this.#chance.pick(this.#sides);
    const kind = this.#kind(side);
    this.#requests += 1;
    const origin = ORIGIN[kind] ?? (this.#chance.once(8) ? 'O' : 'P');
    const data = this.#data(kind, side);
    const answer = this.#chance.once(6) ? this.#chance.pick(ANSWERS) : 'yes';
    const giver = WILLED.includes(kind) ? 'P' : origin;
    const asked: Asked = { platform: side.id, origin: giver, requestNo: `R${this.#requests}`, kind, data, answer };
    this.#asked.push(asked);
    return asked;
  }

  /** Mostly one that has something to be about. */
  #kind(side: Side): string {
    const kind = this.#chance.pick(KINDS);
    const about = { release: this.#of('hold', side), capture: this.#of('hold', side), correction: this.#of(undefined, side) }[
      kind
    ];
    const payout = kind.startsWith('payout-') ? this.#payout(side, kind === 'payout-returned' ? 'settled' : 'sent') : undefined;
    const proposal = ['suspense-attribution', 'suspense-return'].includes(kind) ? this.#proposal(kind, side) : undefined;
    const nothing =
      about === GHOST ||
      (kind === 'channel-settled' && this.#owed(side).length === 0) ||
      payout === GHOST ||
      (proposal === undefined && kind.startsWith('suspense-') && kind !== 'suspense-credit');
    return nothing && !this.#chance.once(10) ? 'payment' : kind;
  }

  /** A number that was used: mostly for the same, sometimes for another thing. */
  #again(): Asked {
    const before = this.#chance.pick(this.#asked);
    if (!this.#chance.once(3)) return before;
    const data: Given['data'] = { ...before.data, amount: this.#money(100) };
    return { ...before, data };
  }

  #data(kind: string, side: Side): Partial<Data> {
    if (isClaimKind(kind)) return this.#claims.data(kind, side, this.#order(side));
    switch (kind) {
      case 'payment':
        return {
          orderNo: this.#orderNo(),
          amount: this.#money(9_000),
          reference: `C${this.#requests}`,
          payer: this.#chance.once(25)
            ? { name: '李四', account: '', bankCode: '' }
            : { name: '张三', account: '6222020000000000078' },
        };
      case 'split':
        return { orderNo: this.#order(side), lines: this.#lines(side, 1_500) };
      case 'split-return':
        return { orderNo: this.#order(side), lines: this.#lines(side, 800) };
      case 'refund':
        return { orderNo: this.#order(side), amount: this.#money(1_500), ...this.#recall(side) };
      case 'margin-deposit':
      case 'margin-release':
        return { account: this.#account(side), amount: this.#money(900) };
      case 'subsidy':
      case 'subsidy-return':
        return { orderNo: this.#order(side), amount: this.#money(600) };
      case 'transfer':
        // So that there is something to add to orders.
        if (this.#chance.once(5)) {
          const [from, to] = [side.own.commission, side.own.marketing];
          return { from: `acc_${from}`, to: `acc_${to}`, amount: this.#money(1_500) };
        }
        return { from: this.#account(side), to: this.#account(side), amount: this.#money(2_500) };
      case 'hold':
        return { account: this.#account(side), amount: this.#money(1_500), purpose: '保证', ...this.#expiry() };
      case 'release':
        return { hold: `hld_${this.#of('hold', side)}`, ...(this.#chance.once(2) ? {} : { amount: this.#money(900) }) };
      case 'capture':
        return { hold: `hld_${this.#of('hold', side)}`, to: this.#account(side), amount: this.#money(900) };
      case 'fee':
        return { account: this.#account(side), amount: this.#money(320), for: '服务费' };
      case 'correction':
        return { instruction: `ins_${this.#of(undefined, side)}`, reason: '重复提交' };
      case 'top-up': {
        const account = this.#purse(side);
        return { account, amount: this.#sum(account), ...this.#under(side, account) };
      }
      case 'incoming-transfer': {
        if (this.#chance.once(3)) {
          const sub = this.#account(side);
          const from = this.#chance.once(2) ? ownPayer(sub.slice(4)) : { name: '李四', account: '6222020000000000078' };
          return { account: sub, amount: this.#money(900), payer: from, reference: `T${this.#requests}` };
        }
        const account = this.#purse(side);
        const stranger = { name: '李四', account: '6222020000000000078' };
        // Now and then somebody whose account has the same digits, at another bank or in another name.
        const bankCode = this.#chance.once(6) ? '103100000026' : '102588002109';
        const other = this.#chance.once(6) ? { name: '李四' } : {};
        const payer = this.#chance.once(2) ? { ...boundPayer(account), bankCode, ...other } : stranger;
        return { account, amount: this.#sum(account), payer, reference: `T${this.#requests}` };
      }
      case 'account-payment': {
        const from = this.#purse(side);
        const to = this.#chance.once(3) ? { account: this.#account(side) } : { orderNo: `E-${this.#chance.below(6)}` };
        return { from, to, amount: this.#sum(from), ...this.#under(side, from) };
      }
      case 'own-transfer': {
        const from = this.#purse(side);
        return { from, to: this.#purse(side), amount: this.#sum(from) };
      }
      case 'withdrawal':
        if (this.#chance.once(2)) {
          const account = this.#purse(side);
          return { account, amount: this.#sum(account), ...(this.#chance.once(4) ? { voucher: 'GM-1' } : {}) };
        }
        return { account: this.#account(side), amount: this.#money(2_000) };
      case 'suspense-credit': {
        const payer = { name: '王五', account: this.#chance.once(4) ? '' : '6222020000000000078' };
        const from = this.#chance.once(3) ? boundPayer(this.#chance.pick(side.purses)) : payer;
        return { amount: this.#money(9_000), payer: from, reference: `CR${this.#requests}` };
      }
      case 'suspense-attribution':
      case 'suspense-return': {
        const [id, of] = this.#proposal(kind, side) ?? [GHOST, { item: GHOST, account: GHOST, amount: 1n }];
        const amount = { amount: Number(of.amount), currency: 'CNY' as const };
        const data = { proposal: `prp_${id}`, item: `sus_${of.item}`, amount };
        return kind === 'suspense-return' ? data : { ...data, account: `acc_${of.account ?? GHOST}` };
      }
      case 'channel-settled': {
        const owed = this.#owed(side).slice(0, 1 + this.#chance.below(3));
        const amount = Number(owed.reduce((sum, [, payout]) => sum + payout.amount, this.#chance.once(10) ? 1n : 0n));
        const payouts = owed.length === 0 ? [`pay_${GHOST}`] : owed.map(([id]) => `pay_${id}`);
        return {
          channel: 'psp-collect',
          reference: `PS${this.#requests}`,
          payouts,
          amount: { amount: amount || 1, currency: 'CNY' },
        };
      }
      case 'clearing':
        return { account: this.#account(side), amount: this.#money(2_000) };
      default: // the results of a payout
        return {
          payout: `pay_${this.#payout(side, kind === 'payout-returned' ? 'settled' : 'sent')}`,
          ...(kind === 'payout-settled' ? {} : { reason: '户名不符' }),
        };
    }
  }

  /** Half of the refunds take back what was split. */
  #recall(side: Side): Partial<Data> {
    if (this.#chance.once(2)) return {};
    const subsidy = this.#chance.once(3) ? { subsidy: this.#chance.once(2) ? 'keep' : this.#money(300) } : {};
    return { recall: this.#chance.once(4) ? this.#lines(side, 300) : 'pro-rata', ...subsidy } as Partial<Data>;
  }

  #money(max: number): Data['amount'] {
    return {
      amount: this.#chance.once(300) ? 2 ** 53 - 1 : 1 + this.#chance.below(this.#chance.once(4) ? 50 : max),
      currency: 'CNY',
    };
  }

  #purse(side: Side): string {
    return this.#chance.once(12) ? this.#account(side) : `acc_${this.#chance.pick(side.purses)}`;
  }

  /** Large enough that some pass a limit, alone or together. */
  #sum(account: string): Data['amount'] {
    const small = this.model.law.accounts.get(account.slice(4))?.class === 3;
    return { amount: 1 + this.#chance.below(this.#chance.once(5) ? 1_200_000 : small ? 90_000 : 400_000), currency: 'CNY' };
  }

  /** Now and then a mandate instead of his answer, mostly that of the account. */
  #under(side: Side, account: string): Partial<Data> {
    if (!this.#chance.once(2)) return {};
    const place = side.purses.indexOf(account.slice(4));
    const own = side.mandates[place] ?? GHOST;
    return { mandate: `mdt_${this.#chance.once(6) ? this.#chance.pick([GHOST, ...side.mandates]) : own}` };
  }

  #orderNo(): string {
    return `SO-${this.#chance.below(12)}`;
  }

  /** Mostly one of this platform that has money. */
  #order(side: Side): string {
    const found = [...this.model.orders].filter(
      ([key, order]) => key.startsWith(side.id) && (this.model.accounts.get(order.account)?.balance ?? 0n) > 0n,
    );
    return found.length === 0 || this.#chance.once(10) ? this.#orderNo() : this.#chance.pick(found)[0].slice(20);
  }

  #lines(side: Side, max: number): Data['lines'] {
    const sellers = [...side.subs].sort(() => this.#chance.below(3) - 1).slice(0, 1 + this.#chance.below(3));
    if (this.#chance.once(3)) sellers.push(side.own.commission as string);
    if (this.#chance.once(12)) sellers.push(this.#account(side).slice(4));
    return sellers.map((account) => ({ account: `acc_${account}`, amount: this.#money(max) }));
  }

  #account(side: Side): string {
    if (this.#chance.once(20))
      return `acc_${this.#chance.once(2) ? GHOST : this.#chance.pick(this.#chance.pick(this.#sides).subs)}`;
    if (this.#chance.once(8)) return `acc_${this.#chance.pick(Object.values(side.own))}`;
    return `acc_${this.#chance.pick(side.subs)}`;
  }

  #expiry(): Partial<Data> {
    if (!this.#chance.once(3)) return {};
    const days = this.#chance.below(6) - 1;
    return { expiresAt: new Date(this.model.now + days * 86_400_000).toISOString() };
  }

  /** An instruction that was given, mostly one of this platform and of the last ones, mostly posted. */
  #of(kind: string | undefined, side: Side): string {
    const found = [...this.model.past.values()].filter(
      (past) =>
        (kind === undefined || past.kind === kind) &&
        (this.#chance.once(40) || (past.platform === side.id && past.result === 'posted')),
    );
    return found.length === 0 ? GHOST : this.#chance.pick(found.slice(-30)).id;
  }

  /** Mostly one that was approved and not done yet. */
  #proposal(kind: string, side: Side) {
    const found = [...this.model.proposals].filter(
      ([, { item, account, state }]) =>
        this.model.items.get(item)?.platform === side.id &&
        (account === undefined) === (kind === 'suspense-return') &&
        (state === 'approved' || this.#chance.once(20)),
    );
    return found.length === 0 ? undefined : this.#chance.pick(found);
  }

  /** What channels have collected for a platform and not paid over. */
  #owed(side: Side) {
    return [...this.model.payouts].filter(([, { platform, paidOver }]) => platform === side.id && paidOver === false);
  }

  /** Mostly one of this platform in the right state. */
  #payout(side: Side, wanted: string): string {
    const found = [...this.model.payouts].filter(
      ([, { platform, state }]) => (platform === side.id && state === wanted) || this.#chance.once(50),
    );
    return found.length === 0 ? GHOST : (this.#chance.pick(found)[0] as string);
  }
}

const ANSWERS = ['no', 'late', 'locked', 'stranger', 'unasked'] as const;
/** What only platforms give. */
const WILLED = ['top-up', 'account-payment', 'own-transfer'];

const ORIGIN: Readonly<Record<string, Given['origin']>> = {
  clearing: 'S',
  'judicial-deduction': 'S',
  'suspense-credit': 'O',
  'suspense-attribution': 'S',
  'suspense-return': 'S',
  'incoming-transfer': 'S',
  'channel-settled': 'S',
  'payout-settled': 'S',
  'payout-failed': 'S',
  'payout-returned': 'S',
};

/** As often as they stand here. */
const KINDS = [
  ...[
    'payment',
    'payment',
    'payment',
    'split',
    'split',
    'split',
    'split',
    'split-return',
    'refund',
    'refund',
    'transfer',
    'transfer',
    'fee',
  ],
  ...['margin-deposit', 'margin-release', 'subsidy', 'subsidy', 'subsidy-return'],
  ...CLAIM_KINDS,
  ...['hold', 'hold', 'release', 'capture', 'capture', 'withdrawal', 'withdrawal', 'clearing', 'correction', 'correction'],
  ...[
    'top-up',
    'incoming-transfer',
    'incoming-transfer',
    'account-payment',
    'account-payment',
    'account-payment',
    'own-transfer',
  ],
  ...['suspense-credit', 'suspense-attribution', 'suspense-attribution', 'suspense-return'],
  ...['payout-settled', 'payout-settled', 'payout-failed', 'payout-returned', 'channel-settled'],
];
