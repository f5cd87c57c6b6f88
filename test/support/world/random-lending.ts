import type { Data } from '../given.js';
import type { ModelProject } from '../model/lending-books.js';
import { boundPayer, ownPayer } from '../model/outside.js';
import type { ServiceBank } from '../scenario-banks.js';
import type { Chance } from './chance.js';
import type { Asked } from './world.js';

const GHOST = '1000000000000000001';
const DAY = 86_400_000;
/** The books run ahead of the clock, so that instalments fall due; no further than the calendar is known. */
const LAST = '2026-12-18';
const METHODS = ['annuity', 'equal-principal', 'interest-first', 'bullet'] as const;

/** As often as they stand here. */
const KINDS = [
  ...['bid', 'bid', 'bid', 'bid', 'bid', 'bid-cancel', 'lend-out', 'lend-out', 'miscarriage'],
  ...['repayment', 'repayment', 'repayment', 'compensation', 'compensation', 'recovery'],
  ...['claim-sale', 'claim-sale', 'claim-purchase', 'claim-purchase', 'claim-purchase', 'claim-sale-cancel', 'transfer'],
] as const;
type LendingKind = (typeof KINDS)[number];
const ANSWERS = ['no', 'late', 'locked', 'stranger', 'unasked'] as const;

/** A lending platform by chance: projects are raised, lent out, repaid, late, paid for by others, and their claims change hands. */
export class RandomLending {
  readonly #bank: ServiceBank;
  readonly #chance: Chance;
  #platform = '';
  #own: Readonly<Record<string, string>> = {};
  /** Who borrows, and who stands for borrowers: companies, and a person last. */
  readonly #borrowers: string[] = [];
  readonly #lenders: string[] = [];
  /** On the account at the same place among lenders and persons who borrow. */
  readonly #mandates = new Map<string, string>();
  #date = '';
  #projects = 0;
  #requests = 0;

  constructor(bank: ServiceBank, chance: Chance) {
    this.#bank = bank;
    this.#chance = chance;
  }

  async open(date: string): Promise<void> {
    const bank = this.#bank;
    const { id, own } = await bank.openPlatform(date, 'lending');
    this.#platform = id;
    this.#own = own;
    this.#date = date;
    for (let count = 0; count < 2; count += 1) this.#borrowers.push(await bank.openSeller(id, true));
    for (let person = 0; person < 4; person += 1) {
      const customer = await bank.openCustomer('2036-01-01');
      const account = await bank.openElectronic({ platform: id, customer, class: person === 3 ? 3 : 2, faceToFace: true });
      (person === 2 ? this.#borrowers : this.#lenders).push(account);
      const scope = { kinds: ['bid', 'claim-purchase', 'repayment'], orders: false, projects: true, payees: [] };
      const caps = { paymentCap: 60_000n, totalCap: 2_000_000n, period: 'day' as const, periodCap: 300_000n };
      const expires = Date.parse('2027-03-01T00:00:00+08:00');
      this.#mandates.set(account, await bank.openMandate({ platform: id, account, ...scope, ...caps, expires }));
    }
    // No ceiling that a batch could pass: what it makes room for within itself is told by a scenario.
    await bank.agreeModes(id, { advance: 2n ** 40n, entrusted: true, reserve: false });
    for (const account of [...this.#lenders, ...this.#borrowers]) await this.#bring(account, 500_000);
    await this.#bring(own['own-funds'] as string, 900_000);
    for (const [to, amount] of [
      [own.marketing, 100_000],
      [bank.model.lending.modes(id).advanceAccount, 400_000],
    ] as const)
      await bank.give(this.#asked('transfer', { from: `acc_${own['own-funds']}`, to: `acc_${to}`, amount: money(amount) }));
  }

  async #bring(account: string, amount: number): Promise<void> {
    const type = this.#bank.model.accounts.get(account)?.type;
    const payer = type === 'class-2' || type === 'class-3' ? boundPayer(account) : ownPayer(account);
    const much = type === 'class-3' ? 50_000 : amount;
    const data = { account: `acc_${account}`, amount: money(much), payer, reference: `L${this.#requests}` };
    await this.#bank.give({ ...this.#asked('incoming-transfer', data), origin: 'S' });
  }

  /** Projects that are new, words of their parties, days that go by, and what time ends. */
  async between(): Promise<void> {
    const chance = this.#chance;
    const raising = this.#mine().filter(({ state }) => ['registered', 'raising'].includes(state));
    if (raising.length < 2 || chance.once(8)) await this.#register();
    for (const project of this.#mine().filter(({ state }) => state === 'registered'))
      for (const role of ['borrower', 'guarantor'])
        if (!chance.once(4)) await this.#bank.signProject(project.id, role, chance.once(10) ? 'carol' : `for ${role}`);
    if (chance.once(2)) await this.#bank.endRaising();
    const days = chance.once(2) ? chance.below(12) : 0;
    const to = new Date(Date.parse(this.#date) + days * DAY).toISOString().slice(0, 10);
    if (days === 0 || to > LAST) return;
    await this.#bank.openDate(this.#platform, this.#date, to);
    this.#date = to;
  }

  async #register(): Promise<void> {
    const chance = this.#chance;
    this.#projects += 1;
    const [borrower, other] = [chance.pick(this.#borrowers), chance.pick(this.#borrowers)];
    const mode = chance.pick(['direct', 'direct', 'advance', 'entrusted'] as const);
    const now = this.#bank.model.now + 8 * 3_600_000;
    const bounded = chance.once(3);
    await this.#bank.registerProject(this.#platform, {
      ...{ projectNo: `P-${this.#projects}`, borrower, months: 1 + chance.below(6), method: chance.pick(METHODS) },
      amount: BigInt(1 + chance.below(chance.once(6) ? 30 : 60_000)),
      ...{ rate: BigInt(chance.below(160_000)), penaltyRate: BigInt(chance.below(154_000)) },
      ...{ lendFee: BigInt(chance.below(200)), interestFee: BigInt(chance.below(1_500)) },
      ...(bounded ? { least: 50n, most: 40_000n } : { least: undefined, most: undefined }),
      guarantor: chance.once(2) ? other : undefined,
      until: new Date(now + (2 + chance.below(9)) * DAY).toISOString().slice(0, 10),
      ...{ mode, payee: mode === 'entrusted' ? chance.pick(this.#borrowers) : undefined },
    });
  }

  #mine(): ModelProject[] {
    return this.#bank.model.lending.projects.filter(({ platform }) => platform === this.#platform);
  }

  /** What is asked of the platform in one batch, some of it wrong. */
  draw(): Asked[] {
    return Array.from({ length: this.#chance.below(18) }, () => {
      const kind = this.#kind();
      const asked = this.#asked(kind, this.#data(kind));
      const staff = ['repayment', 'bid-cancel', 'compensation'].includes(kind) && this.#chance.once(8);
      const form = staff && kind !== 'bid-cancel' && !this.#chance.once(3) ? { voucher: 'F-1' } : {};
      const answer = this.#chance.once(6) ? this.#chance.pick(ANSWERS) : ('yes' as const);
      return { ...asked, data: { ...asked.data, ...form }, ...(staff ? { origin: 'O' as const } : { answer }) };
    });
  }

  /** Mostly one that has a project to be about. */
  #kind(): LendingKind {
    const kind = this.#chance.pick(KINDS);
    if (kind === 'transfer' || this.#chance.once(15)) return kind;
    if (kind === 'miscarriage' && !this.#chance.once(4)) return 'bid';
    const states = this.#mine().map(({ state }) => state);
    const about =
      kind.startsWith('bid') || kind === 'miscarriage' ? ['raising'] : kind === 'lend-out' ? ['full', 'raising'] : ['lent'];
    if (about.some((state) => states.includes(state as 'lent'))) return kind;
    return 'bid';
  }

  #asked(kind: string, data: object): Asked {
    this.#requests += 1;
    const of = { platform: this.#platform, origin: 'P' as const, requestNo: `L${this.#requests}`, kind };
    return { ...of, data: data as Partial<Data> };
  }

  #data(kind: LendingKind): object {
    const chance = this.#chance;
    if (kind === 'transfer') return this.#aside();
    if (kind === 'bid') return this.#bid();
    if (kind === 'bid-cancel') {
      const open = this.#bank.model.lending.bids.filter(({ state, project }) => state === 'open' && this.#isMine(project));
      const bid = open.length === 0 || chance.once(20) ? undefined : chance.pick(open);
      const left = Number((bid?.own ?? 0n) + (bid?.marketing ?? 0n));
      return { bid: `bid_${bid?.id ?? GHOST}`, ...(chance.once(4) ? {} : { amount: money(1 + chance.below(left + 2)) }) };
    }
    if (kind === 'miscarriage') return { projectNo: this.#in(['raising', 'registered'])?.projectNo ?? 'P-0' };
    if (kind === 'lend-out') return this.#lendOut();
    const stoodFor = kind === 'compensation' && !chance.once(10);
    const project = this.#in(
      ['lent'],
      (of) => !stoodFor || (of.guarantor !== undefined && this.#bank.model.lending.loans.owes(of).due > 0n),
    );
    if (kind === 'repayment') return this.#repayment(project);
    if (kind === 'compensation' || kind === 'recovery') return this.#forOthers(kind, project);
    return this.#trade(kind, project);
  }

  #isMine(project: ModelProject): boolean {
    return project.platform === this.#platform;
  }

  /** Mostly one that is in such a state. */
  #in(states: readonly string[], fits: (project: ModelProject) => boolean = () => true): ModelProject | undefined {
    const any = this.#chance.once(15);
    const found = this.#mine().filter((project) => any || (states.includes(project.state) && fits(project)));
    return found.length === 0 ? undefined : this.#chance.pick(found);
  }

  #under(account: string): { mandate?: string } {
    const mandate = this.#mandates.get(account);
    return mandate === undefined || !this.#chance.once(2) ? {} : { mandate: `mdt_${this.#chance.once(15) ? GHOST : mandate}` };
  }

  #lender(): string {
    return this.#chance.pick(this.#chance.once(10) ? [...this.#borrowers, ...this.#lenders] : this.#lenders.slice(0, 2));
  }

  #aside(): object {
    const { advanceAccount } = this.#bank.model.lending.modes(this.#platform);
    const accounts = [this.#own['own-funds'], this.#own.commission, this.#own.marketing, advanceAccount, this.#borrowers[0]];
    const [from, to] = [this.#chance.pick(accounts), this.#chance.pick(accounts)];
    return { from: `acc_${from}`, to: `acc_${to}`, amount: money(1 + this.#chance.below(3_000)) };
  }

  /** Often just what is missing, sometimes a fen more. */
  #bid(): object {
    const chance = this.#chance;
    const project = this.#in(['raising']);
    const open = this.#bank.model.lending.bids.filter((bid) => bid.project === project && bid.state === 'open');
    const missing = Number(open.reduce((left, { own, marketing }) => left - own - marketing, project?.amount ?? 9n));
    const all = chance.once(2) ? missing + (chance.once(8) ? 1 : 0) : 1 + chance.below(Math.max(missing, 1) + 2);
    const added = all > 1 && chance.once(2) ? 1 + chance.below(Math.min(all - 1, 2_000)) : 0;
    const account = this.#lender();
    return {
      ...{ projectNo: project?.projectNo ?? 'P-0', account: `acc_${account}`, amount: money(Math.max(all - added, 1)) },
      ...(added === 0 ? {} : { marketing: money(added) }),
      ...this.#under(account),
    };
  }

  #lendOut(): object {
    const full = this.#in(['full']);
    const project = full ?? this.#in(['raising']);
    const receiver = project?.payee ?? project?.borrower ?? GHOST;
    const to = this.#chance.once(6) ? this.#chance.pick(this.#borrowers) : receiver;
    return { projectNo: project?.projectNo ?? 'P-0', ...(this.#chance.once(2) ? {} : { to: `acc_${to}` }) };
  }

  #repayment(project: ModelProject | undefined): object {
    const chance = this.#chance;
    const from = chance.once(20) ? chance.pick(this.#borrowers) : (project?.borrower ?? (this.#borrowers[0] as string));
    const of = chance.once(12) ? 'early' : chance.once(6) ? 'part-early' : 'due';
    const { due, next, early } =
      project?.state === 'lent' ? this.#bank.model.lending.loans.owes(project) : { due: 1n, next: 1n, early: 1n };
    const exact = { due: due > 0n && !chance.once(3) ? due : due + next, early, 'part-early': early / 2n }[of];
    const whole = Number(exact) + (chance.once(8) ? 1 : 0);
    const amount = chance.once(3) && of === 'due' ? 1 + chance.below(Math.max(whole, 1)) : Math.max(whole, 1);
    return { projectNo: project?.projectNo ?? 'P-0', from: `acc_${from}`, amount: money(amount), of, ...this.#under(from) };
  }

  #forOthers(kind: 'compensation' | 'recovery', project: ModelProject | undefined): object {
    const chance = this.#chance;
    const projectNo = project?.projectNo ?? 'P-0';
    if (kind === 'compensation') {
      const due = project?.state === 'lent' ? this.#bank.model.lending.loans.owes(project).due : 0n;
      const amount = chance.once(2) ? Number(due) + (chance.once(6) ? 1 : 0) : 1 + chance.below(Number(due) + 1);
      const from = chance.once(10) ? chance.pick(this.#borrowers) : (project?.guarantor ?? (this.#borrowers[0] as string));
      const way = chance.once(3) ? 'indirect' : 'direct';
      return { projectNo, from: `acc_${from}`, amount: money(Math.max(amount, 1)), way };
    }
    const paid = this.#mine().flatMap((of) => of.paid.map((one) => ({ of, one })));
    const found = paid.length === 0 ? undefined : chance.pick(paid);
    const from = found?.of.borrower ?? (this.#borrowers[0] as string);
    return {
      ...{ projectNo: found?.of.projectNo ?? projectNo, from: `acc_${from}`, compensation: `cmp_${found?.one.id ?? GHOST}` },
      amount: money(1 + chance.below(Number(found?.one.left ?? 0n) + 2)),
    };
  }

  #trade(kind: 'claim-sale' | 'claim-purchase' | 'claim-sale-cancel', project: ModelProject | undefined): object {
    const chance = this.#chance;
    const projectNo = project?.projectNo ?? 'P-0';
    if (kind === 'claim-sale') return this.#offer(project);
    const { lending, past } = this.#bank.model;
    const { advanceAccount } = lending.modes(this.#platform);
    const isLent = (no: string) => this.#mine().some((of) => of.projectNo === no && of.state === 'lent');
    const offered = [...past.values()].filter(
      (each) =>
        each.kind === 'claim-sale' &&
        each.platform === this.#platform &&
        each.result === 'posted' &&
        (isLent((each.data as unknown as Offered).projectNo) || chance.once(10)),
    );
    const sale = offered.length === 0 ? undefined : chance.pick(offered.slice(-3));
    const of = sale?.data as unknown as Offered | undefined;
    const at = { projectNo: of?.projectNo ?? projectNo, sale: `cls_${sale?.id ?? GHOST}` };
    if (kind === 'claim-sale-cancel') return at;
    const account = this.#lender();
    const buyer = { account: `acc_${account}`, ...this.#under(account) };
    const advanced = this.#in(['lent'], ({ claims }) => claims.some((each) => each.account === advanceAccount && each.left > 0n));
    if (advanced !== undefined && chance.once(3)) {
      const share = 1 + chance.below(3_000);
      return { projectNo: advanced.projectNo, ...buyer, share: money(share), amount: money(share) };
    }
    const whole = of?.share.amount ?? 1;
    const share = chance.once(2) ? whole : 1 + chance.below(whole);
    const price = Math.floor(((of?.price.amount ?? 1) * share) / whole) + (chance.once(8) ? 1 : 0);
    return { ...at, ...buyer, share: money(share), amount: money(Math.max(price, 1)) };
  }

  #offer(project: ModelProject | undefined): object {
    const chance = this.#chance;
    const projectNo = project?.projectNo ?? 'P-0';
    const open = project?.claims.filter(({ left }) => left > 0n) ?? [];
    const claim = open.length === 0 ? undefined : chance.pick(open);
    const share = 1 + chance.below(Number(claim?.left ?? 0n) + 1);
    const price = Math.max(1, share - chance.below(Math.ceil(share / 4)) + (chance.once(4) ? chance.below(share) : 0));
    const until = new Date(this.#bank.model.now + (chance.below(12) - 1) * DAY + 1).toISOString();
    const account = claim === undefined || chance.once(12) ? this.#lender() : claim.account;
    return {
      ...{ projectNo, claim: `clm_${claim?.id ?? GHOST}`, account: `acc_${account}`, share: money(share), price: money(price) },
      ...{ until, ...(chance.once(3) ? { fee: chance.below(300) } : {}) },
    };
  }
}

interface Offered {
  readonly projectNo: string;
  readonly share: { readonly amount: number };
  readonly price: { readonly amount: number };
}

const money = (amount: number) => ({ amount, currency: 'CNY' as const });
