import { isDeepStrictEqual } from 'node:util';
import { savePayIn } from '../../src/accounts/pay-in-store.js';
import type { ChannelCode } from '../../src/channels/index.js';
import { expireFreezes } from '../../src/claims/index.js';
import { executeShard } from '../../src/instructions/index.js';
import { asId, type Calendar, type Id, instantOf } from '../../src/kernel/index.js';
import { loadBook, lockShard, setTerms } from '../../src/ledger/index.js';
import { marginRecords, retryShortages, setCeiling, setTarget } from '../../src/refunds/index.js';
import { cancelOf } from '../../src/refunds/routes.js';
import { violations } from './invariants.js';
import type { ModelAgreement } from './model/agreements.js';
import { reservedOf } from './model/books.js';
import { approveDeduction, endFreezes, freezeAccount, liftFreeze, renewFreeze } from './model/courts.js';
import { type Deal, ModelDeals } from './model/deals.js';
import type { ModelDealTerms } from './model/escrow-deals.js';
import type { ModelFund } from './model/funds.js';
import type { Person, Wanted } from './model/law.js';
import type { ModelProjectTerms } from './model/lending-books.js';
import { Model } from './model/model.js';
import { ModelWatches } from './model/watches.js';
import type { Bank, Look, NewMandate, NewProposal } from './scenario.js';
import { type Batches, ModelBatches, ServiceBatches } from './verbs/batch.js';
import { ServiceDeals } from './verbs/deal.js';
import { type ExplainBank, modelExplains, serviceExplains } from './verbs/explain.js';
import type { FundFigures, ToldDay } from './verbs/fund.js';
import type { NewModes } from './verbs/lending.js';
import { modelReviews, serviceReviews } from './verbs/review.js';
import { modelWatches, serviceWatches, type WatchBank } from './verbs/watch.js';
import type { Wound } from './verbs/winding-up.js';
import { approveAgreement, requireAgreements } from './world/agreements.js';
import { court, liftCourt, orderDeduction, renewCourt } from './world/court.js';
import {
  answerAll,
  changeCustomer,
  changeElectronic,
  changeParameter,
  openCustomer,
  openElectronic,
  openMandate,
  revokeMandate,
} from './world/electronic.js';
import { confirmEscrow, decideEscrow, dueOfDeals, openEscrow } from './world/escrow.js';
import { openFund, sendOrders, tellDay } from './world/funds.js';
import { agreeModes, projectsOver, registerProject, signProject } from './world/lending.js';
import { People } from './world/people.js';
import { approveOnSuspense, proposeOnSuspense } from './world/suspense.js';
import { roundOf, shownClaims, vanish } from './world/winding-up.js';
import {
  type Asked,
  changeState,
  changeTerms,
  execute,
  markSent,
  nextWorkingDayOf,
  openBook,
  openDate,
  openSub,
  outcomesOf,
  PURPOSES,
  pictureOfBooks,
  pictureOfModel,
  receive,
  type TestBook,
  type World,
} from './world/world.js';

/** The model as a bank of its own: ids are counted, request numbers are remembered. */
export class ModelBank implements Bank {
  readonly model: Model;
  readonly reviews: Bank['reviews'];
  readonly batches: Batches;
  readonly watches: WatchBank;
  readonly explains: ExplainBank;
  readonly #kept: ModelWatches;
  readonly #requests = new Map<string, { id: string; body: string }>();
  #deals: ModelDeals | undefined;
  #postings = 0;
  #last = 2_000_000_000_000_000_000n;

  constructor(calendar: Pick<Calendar, 'exceptions'>) {
    this.model = new Model(nextWorkingDayOf(calendar));
    this.reviews = modelReviews(this.model, () => this.#newId());
    this.#kept = new ModelWatches(this.model, nextWorkingDayOf(calendar));
    this.watches = modelWatches(this.#kept);
    this.explains = modelExplains(this.model, this.#kept);
    this.batches = new ModelBatches(this, () => new ModelBank(calendar));
  }

  #newId(): string {
    this.#last += 64n; // an instruction may open several accounts, with the ids after its own
    return String(this.#last);
  }

  async openPlatform(date: string, profile?: 'lending') {
    const own = Object.fromEntries(PURPOSES.map((purpose) => [purpose, this.#newId()]));
    const id = this.#newId();
    this.model.openPlatform(id, date, own, profile);
    return { id, own };
  }

  async openSeller(platform: string, bound: boolean) {
    const id = this.#newId();
    this.model.openAccount(id, platform, 'sub', bound);
    return id;
  }

  async setTerms(platform: string, transferMax: bigint, feeMax: bigint) {
    Object.assign(this.model.platform(platform), { transferMax, feeMax });
  }

  async setCeiling(platform: string, ceiling: bigint) {
    this.model.setCeiling(platform, ceiling);
  }

  async setPayIn(account: string, rule: string) {
    this.model.payIn.set(account, rule);
  }

  async setTarget(account: string, target: bigint) {
    targetOn(this.model, account, target, this.#newId());
  }

  async cancel(refund: string) {
    this.model.cancel(refund);
  }

  async standing(instruction: string) {
    return this.model.past.get(instruction)?.result ?? 'not there';
  }

  async requireAgreements(platform: string) {
    this.model.platform(platform).agreed = true;
  }

  async agree(_platform: string, agreement: ModelAgreement) {
    this.model.trade.agree(agreement);
  }

  async deal(of: Deal) {
    this.#deals ??= new ModelDeals(this.model);
    return this.#deals.take(of);
  }

  async setState(account: string, state: 'open' | 'frozen' | 'closed') {
    Object.assign(this.model.accounts.get(account) ?? {}, { state });
  }

  async openDate(platform: string, _from: string, to: string) {
    this.model.openDate(platform, to);
  }

  async openCustomer(idExpires: string | undefined) {
    const id = this.#newId();
    this.model.openCustomer(id, idExpires);
    return id;
  }

  async register(platform: string, person: Person) {
    return this.model.register(platform, person, this.#newId());
  }

  async openOn(platform: string, wanted: Wanted) {
    return this.model.openOn(platform, wanted, this.#newId());
  }

  async openElectronic(of: Parameters<Model['openElectronic']>[1]) {
    const id = this.#newId();
    this.model.openElectronic(id, of);
    return id;
  }

  async setCustomer(customer: string, to: { stopped?: boolean; documented?: boolean }) {
    this.model.law.setCustomer(customer, to);
  }

  async setElectronic(account: string, to: { state?: 'active' | 'blocked'; alive?: boolean; faceToFace?: boolean }) {
    this.model.law.setAccount(account, to, this.model.now);
  }

  async setParameter(name: string, from: string, value: bigint) {
    this.model.law.setParameter(name, from, value);
  }

  async propose({ item, account, amount }: NewProposal) {
    const id = this.#newId();
    this.model.proposals.set(id, { item, account, amount, state: 'proposed' });
    return id;
  }

  async approve(proposal: string) {
    Object.assign(this.model.proposals.get(proposal) ?? {}, { state: 'approved' });
  }

  async openMandate(of: NewMandate) {
    const id = this.#newId();
    this.model.law.mandates.set(id, { ...of, revoked: false, uses: [] });
    return id;
  }

  async revokeMandate(id: string) {
    this.model.law.revoke(id);
  }

  async court(of: { account: string; amount: bigint | undefined; until: string }) {
    const id = this.#newId();
    const code = freezeAccount(this.model, id, of);
    return code === undefined ? { result: 'frozen', id } : { result: code };
  }

  async renewCourt(freeze: string, until: string) {
    return renewFreeze(this.model, freeze, until) ?? 'renewed';
  }

  async liftCourt(freeze: string, amount: bigint | undefined) {
    return liftFreeze(this.model, freeze, amount) ?? 'lifted';
  }

  async orderDeduction(freeze: string, amount: bigint) {
    const id = this.#newId();
    const code = approveDeduction(this.model, id, freeze, amount);
    return code === undefined ? { result: 'approved', id } : { result: code };
  }

  async openEscrow(platform: string, terms: ModelDealTerms) {
    const id = this.#newId();
    const code = this.model.escrows.open(id, platform, terms);
    return code === undefined ? { result: 'opened', id } : { result: code };
  }

  async confirmEscrow(deal: string, item: string, role: string, by: string) {
    return this.model.escrows.confirm(deal, item, role, by);
  }

  async decideEscrow(deal: string, item: string, lines: { to: string; amount: bigint | 'rest' }[] | null, alone: boolean) {
    return this.model.escrows.decide(deal, item, lines, alone);
  }

  async doDue() {
    const done: string[] = [];
    for (const words of this.model.escrows.due()) {
      const id = this.#newId();
      const result = this.model.decide({ id, ...this.model.escrows.instructed(words), origin: 'S' });
      if (result === 'posted') this.#postings += 1;
      done.push(result === 'posted' ? words : `${words} refused ${result}`);
    }
    return done;
  }

  async registerProject(platform: string, terms: ModelProjectTerms) {
    const id = this.#newId();
    const code = this.model.lending.register(id, platform, terms);
    return code === undefined ? { result: 'registered', id } : { result: code };
  }

  async signProject(project: string, role: string, by: string) {
    return this.model.lending.confirm(project, role, by);
  }

  async agreeModes(platform: string, modes: NewModes) {
    const { advanceAccount, reserveAccount } = this.model.lending.modes(platform);
    const advance = advanceAccount ?? (modes.advance === undefined ? undefined : this.#newId());
    const reserve = reserveAccount ?? (modes.reserve ? this.#newId() : undefined);
    this.model.agreeModes(platform, modes, { advance, reserve });
    return { advance, reserve };
  }

  async vanish(platform: string) {
    this.model.platform(platform).ending = true;
  }

  async windDownRound(platform: string) {
    const given: Wound[] = [];
    const batch = this.model.begin();
    this.model.windDowns.round(platform, (kind, data) => {
      const result = this.model.decide({ id: this.#newId(), platform, origin: 'S', kind, data });
      if (result === 'posted') this.#postings += 1;
      given.push({ kind, data, result });
    });
    batch.end();
    return given;
  }

  async claimsOf(account: string) {
    return this.model.lending.claimsOf(account);
  }

  async endRaising() {
    const over = this.model.lending.due();
    for (const { platform, projectNo } of over) {
      const of = { id: this.#newId(), platform, origin: 'S' as const, kind: 'miscarriage' };
      this.model.decide({ ...of, data: { projectNo } as unknown as Asked['data'] });
    }
    return over.map(({ projectNo }) => projectNo);
  }

  async openFund(code: string, fund: ModelFund) {
    this.model.funds.funds.set(code, fund);
  }

  async tellDay({ fund, date, ...day }: ToldDay) {
    return this.model.funds.told(fund, date, day);
  }

  async sendOrders() {
    return this.model.funds.send();
  }

  async lookAtFunds() {
    return figuresOf(this.model);
  }

  async expireCourts() {
    endFreezes(this.model);
  }

  async setNow(ms: number) {
    this.model.now = ms;
  }

  async markSent(id: string, channel?: string) {
    const payout = this.model.payouts.get(id);
    if (payout?.state !== 'created') throw new Error('only a payout that was just made is sent');
    payout.state = 'sent';
    payout.later = channel === 'psp-collect';
  }

  async setCollected(platform: string, when: 'at-once' | 'when-settled') {
    this.model.platform(platform).atOnce = when === 'at-once';
  }

  async give(asked: Asked) {
    const name = `${asked.platform}${asked.origin}${asked.requestNo}`;
    const body = JSON.stringify([asked.kind, asked.data]);
    const before = this.#requests.get(name);
    if (before !== undefined) {
      const result = before.body === body ? (this.model.past.get(before.id)?.result ?? '') : 'REQUEST_NO_REUSED';
      return { id: before.id, replay: true, result };
    }
    const id = this.#newId();
    this.#requests.set(name, { id, body });
    const batch = this.model.begin();
    this.model.decide({ ...asked, id });
    batch.end();
    const result = this.model.past.get(id)?.result ?? '';
    if (result === 'posted') this.#postings += 1;
    return { id, replay: false, result };
  }

  async look(): Promise<Look> {
    const { accounts, orders, payouts } = this.model;
    const sum = (parts: ReadonlyMap<string, bigint>) => [...parts.values()].reduce((total, part) => total + part, 0n);
    return {
      accounts: new Map(
        [...accounts].map(([id, account]) => [id, { ...account, held: reservedOf(account), uncleared: sum(account.uncleared) }]),
      ),
      orders,
      payouts: new Map([...payouts].map(([id, { state }]) => [id, state])),
      ...coverOf(this.model),
      postings: this.#postings,
    };
  }

  async check() {
    this.#kept.decided();
    const totals = new Map<string, bigint>();
    for (const { platform, balance } of this.model.accounts.values())
      totals.set(platform, (totals.get(platform) ?? 0n) + balance);
    for (const [platform, total] of totals) if (total !== 0n) throw new Error(`the book of ${platform} does not sum to zero`);
  }
}

/** The real service; the model walks beside it, and after every step both must have the same books. */
export class ServiceBank implements Bank {
  readonly #world: World;
  readonly #books = new Map<string, TestBook>();
  #people: Promise<People> | undefined;
  #deals: { readonly model: ModelDeals; readonly service: ServiceDeals } | undefined;
  readonly model: Model;
  /** The service's, with the model beside it. */
  readonly reviews: Bank['reviews'];
  readonly batches: Batches;
  readonly watches: WatchBank;
  readonly explains: ExplainBank;
  readonly #kept: ModelWatches;

  constructor(world: World) {
    this.#world = world;
    this.model = new Model(nextWorkingDayOf(world.rt.calendar));
    this.reviews = serviceReviews(world, this.model);
    this.#kept = new ModelWatches(this.model, nextWorkingDayOf(world.rt.calendar));
    this.watches = serviceWatches(world, this.model, this.#kept);
    this.explains = serviceExplains(world, this.model, this.#kept);
    this.batches = new ServiceBatches(world, this.model);
  }

  get platformIds(): Id[] {
    return [...this.#books.keys()].map(asId);
  }

  #book(platform: string): TestBook {
    const book = this.#books.get(platform);
    if (book === undefined) throw new Error(`no platform ${platform}`);
    return book;
  }

  async openPlatform(date: string, profile?: 'lending') {
    const book = await openBook(this.#world, date, profile);
    this.#books.set(book.platformId, book);
    this.model.openPlatform(book.platformId, date, book.accounts, profile);
    return { id: book.platformId as string, own: book.accounts };
  }

  async openSeller(platform: string, bound: boolean) {
    const id = await openSub(this.#world, asId(platform), bound);
    this.model.openAccount(id, platform, 'sub', bound);
    return id;
  }

  async setTerms(platform: string, transferMax: bigint, feeMax: bigint) {
    await changeTerms(this.#world, asId(platform), transferMax, feeMax);
    Object.assign(this.model.platform(platform), { transferMax, feeMax });
  }

  async setCeiling(platform: string, ceiling: bigint) {
    const { db, rt, clock, shardId } = this.#world;
    await db.withTx('ceiling', async (tx) => {
      await lockShard(tx, shardId, clock.now());
      await setCeiling(tx, asId(platform), ceiling);
      await retryShortages(tx, shardId, { platformId: asId(platform) });
    });
    await executeShard(rt, shardId);
    this.model.setCeiling(platform, ceiling);
  }

  async setPayIn(account: string, rule: 'anyone' | 'own-account' | 'nobody') {
    const { db, clock, shardId } = this.#world;
    await db.withTx('pay-in', async (tx) => {
      await lockShard(tx, shardId, clock.now());
      await savePayIn(tx, { accountId: asId(account), rule }, clock.now());
    });
    this.model.payIn.set(account, rule);
  }

  async setTarget(account: string, target: bigint) {
    const { db, rt, clock, shardId } = this.#world;
    const margin = await db.withTx('target', async (tx) => {
      await lockShard(tx, shardId, clock.now());
      await setTarget(tx, rt, asId(account), target);
      return (await marginRecords.load(tx, [account])).get(account)?.marginId;
    });
    targetOn(this.model, account, target, margin ?? '');
  }

  async cancel(refund: string) {
    const { db, rt, clock, shardId } = this.#world;
    await db.withTx('cancel', (tx) => cancelOf(tx, { clock }, asId(this.#platformOf(refund)), asId(refund)));
    await executeShard(rt, shardId);
    this.model.cancel(refund);
  }

  #platformOf(instruction: string): string {
    return this.model.past.get(instruction)?.platform ?? '';
  }

  async standing(instruction: string) {
    return (await outcomesOf(this.#world, [asId(instruction)])).get(asId(instruction)) ?? 'not there';
  }

  async requireAgreements(platform: string) {
    await requireAgreements(this.#world, asId(platform));
    this.model.platform(platform).agreed = true;
  }

  async agree(platform: string, agreement: ModelAgreement) {
    await approveAgreement(this.#world, asId(platform), agreement, this.model.platform(platform).own.commission as string);
    this.model.trade.agree(agreement);
  }

  async deal(of: Deal) {
    this.#deals ??= { model: new ModelDeals(this.model), service: new ServiceDeals(this.#world) };
    const result = await this.#deals.service.take(of);
    agree({ result: this.#deals.model.take(of) }, { result }, `${of.step} ${of.name}`);
    return result;
  }

  async setState(account: string, state: 'open' | 'frozen' | 'closed') {
    await changeState(this.#world, asId(account), state);
    Object.assign(this.model.accounts.get(account) ?? {}, { state });
  }

  async openCustomer(idExpires: string | undefined) {
    const id = await openCustomer(this.#world, idExpires);
    this.model.openCustomer(id, idExpires);
    return id;
  }

  async register(platform: string, person: Person) {
    this.#people ??= People.meet(this.#world);
    const said = await (await this.#people).register(asId(platform), person);
    const predicted = this.model.register(platform, person, said.customer ?? '');
    agree(predicted, said, `the registration of ${person.name}`);
    return said;
  }

  async openOn(platform: string, wanted: Wanted) {
    this.#people ??= People.meet(this.#world);
    const said = await (await this.#people).open(asId(platform), wanted);
    const predicted = this.model.openOn(platform, wanted, said.account ?? '');
    agree(predicted, said, `an opening for ${wanted.person}`);
    return said;
  }

  /** Lets go of those outside, if there were any. */
  async close() {
    await (await this.#people)?.leave();
  }

  async openElectronic(of: Parameters<Model['openElectronic']>[1]) {
    const id = await openElectronic(this.#world, { ...of, platform: asId(of.platform), customer: asId(of.customer) });
    this.model.openElectronic(id, of);
    return id;
  }

  async setCustomer(customer: string, to: { stopped?: boolean; documented?: boolean }) {
    await changeCustomer(this.#world, asId(customer), to);
    this.model.law.setCustomer(customer, to);
  }

  async setElectronic(account: string, to: { state?: 'active' | 'blocked'; alive?: boolean; faceToFace?: boolean }) {
    await changeElectronic(this.#world, asId(account), to);
    this.model.law.setAccount(account, to, this.model.now);
  }

  async setParameter(name: string, from: string, value: bigint) {
    await changeParameter(this.#world, name, from, value);
    this.model.law.setParameter(name, from, value);
  }

  async propose(of: NewProposal) {
    const id = await proposeOnSuspense(this.#world, of);
    this.model.proposals.set(id, { item: of.item, account: of.account, amount: of.amount, state: 'proposed' });
    return id;
  }

  async approve(proposal: string) {
    await approveOnSuspense(this.#world, asId(proposal));
    Object.assign(this.model.proposals.get(proposal) ?? {}, { state: 'approved' });
  }

  async openMandate(of: NewMandate) {
    const id = await openMandate(this.#world, of);
    this.model.law.mandates.set(id, { ...of, revoked: false, uses: [] });
    return id;
  }

  async revokeMandate(id: string) {
    await revokeMandate(this.#world, asId(id));
    this.model.law.revoke(id);
  }

  async openDate(platform: string, from: string, to: string) {
    await openDate(this.#world, this.#book(platform), from, to);
    this.model.openDate(platform, to);
  }

  async court(of: { account: string; amount: bigint | undefined; until: string }) {
    const said = await court(this.#world, of);
    const code = freezeAccount(this.model, said.id ?? '', of);
    agree({ result: code ?? 'frozen' }, { result: said.result }, 'a freeze');
    return said;
  }

  async renewCourt(freeze: string, until: string) {
    const said = await renewCourt(this.#world, asId(freeze), until);
    agree({ result: renewFreeze(this.model, freeze, until) ?? 'renewed' }, { result: said }, 'a renewal');
    return said;
  }

  async liftCourt(freeze: string, amount: bigint | undefined) {
    const said = await liftCourt(this.#world, asId(freeze), amount);
    agree({ result: liftFreeze(this.model, freeze, amount) ?? 'lifted' }, { result: said }, 'a lifting');
    return said;
  }

  async orderDeduction(freeze: string, amount: bigint) {
    const said = await orderDeduction(this.#world, asId(freeze), amount);
    const code = approveDeduction(this.model, said.id ?? '', freeze, amount);
    agree({ result: code ?? 'approved' }, { result: said.result }, 'a deduction');
    return said;
  }

  async openEscrow(platform: string, terms: ModelDealTerms) {
    const said = await openEscrow(this.#world, asId(platform), terms);
    const code = this.model.escrows.open(said.id ?? '', platform, terms);
    agree({ result: code ?? 'opened' }, { result: said.result }, 'a deal');
    return said;
  }

  async confirmEscrow(deal: string, item: string, role: string, by: string) {
    const said = await confirmEscrow(this.#world, asId(deal), item, role, by);
    agree({ result: this.model.escrows.confirm(deal, item, role, by) }, { result: said }, 'a confirmation');
    return said;
  }

  async decideEscrow(deal: string, item: string, lines: { to: string; amount: bigint | 'rest' }[] | null, alone: boolean) {
    const said = await decideEscrow(this.#world, asId(deal), item, lines, alone);
    agree({ result: this.model.escrows.decide(deal, item, lines, alone) }, { result: said }, 'a decision');
    return said;
  }

  /** Given twice under the same number, as the sweep may. */
  async doDue() {
    const expected = this.model.escrows.due();
    const due = await dueOfDeals(this.#world, this.platformIds);
    agree({ due: expected }, { due: due.map(({ words }) => words) }, 'what is due');
    const asked = due.map(({ words, kind, requestNo, data }): Asked => {
      return { ...this.model.escrows.instructed(words), origin: 'S', requestNo, kind, data: data as Asked['data'] };
    });
    const done: string[] = [];
    for (const [place, each] of asked.entries()) {
      const { id, result } = await this.give(each);
      const again = await this.give(each);
      if (!again.replay || again.id !== id) throw new Error('what is due was done twice');
      const { words } = due[place] as { words: string };
      done.push(result === 'posted' ? words : `${words} refused ${result}`);
    }
    return done;
  }

  async registerProject(platform: string, terms: ModelProjectTerms) {
    const said = await registerProject(this.#world, asId(platform), terms);
    const code = this.model.lending.register(said.id ?? '', platform, terms);
    agree({ result: code ?? 'registered' }, { result: said.result }, 'a project');
    return said;
  }

  async signProject(project: string, role: string, by: string) {
    const said = await signProject(this.#world, asId(project), role, by);
    agree({ result: this.model.lending.confirm(project, role, by) }, { result: said }, 'a signature');
    return said;
  }

  async agreeModes(platform: string, modes: NewModes) {
    const opened = await agreeModes(this.#world, asId(platform), modes);
    this.model.agreeModes(platform, modes, opened);
    return opened;
  }

  async vanish(platform: string) {
    await vanish(this.#world, asId(platform));
    this.model.platform(platform).ending = true;
  }

  /** The model gives the same, in the same order. */
  async windDownRound(platform: string) {
    const given = await roundOf(this.#world, asId(platform));
    const left = [...given];
    const batch = this.model.begin();
    this.model.windDowns.round(platform, (kind, data) => {
      const { id, ...said } = left.shift() ?? { id: '' };
      if (id === '') throw new Error(`the model gives what the service does not: ${kind} ${JSON.stringify(data)}`);
      agree({ kind, data, result: this.model.decide({ id, platform, origin: 'S', kind, data }) }, said, 'what a round gives');
    });
    batch.end();
    if (left.length > 0) throw new Error(`the service gives what the model does not: ${JSON.stringify(left)}`);
    return given;
  }

  async claimsOf(account: string) {
    const shown = await shownClaims(this.#world, asId(account));
    const expected = this.model.lending.claimsOf(account);
    agree({ claims: new Map([...expected].sort()) }, { claims: new Map([...shown].sort()) }, 'what somebody sees of his claims');
    return shown;
  }

  /** Given twice under the same number, as the sweep may. */
  async endRaising() {
    const expected = this.model.lending.due().map(({ projectNo }) => projectNo);
    const over = await projectsOver(this.#world, this.platformIds);
    agree({ over: expected }, { over: over.map(({ data }) => data.projectNo) }, 'what is over');
    for (const { platformId: platform, requestNo, kind, data } of over) {
      const asked: Asked = { platform, origin: 'S', requestNo, kind, data: data as unknown as Asked['data'] };
      const { id, result } = await this.give(asked);
      if (result !== 'posted') throw new Error(`the system ends a project: ${result}`);
      const again = await this.give(asked);
      if (!again.replay || again.id !== id) throw new Error('a project was ended twice');
    }
    return expected;
  }

  async openFund(code: string, fund: ModelFund) {
    await openFund(this.#world, code, fund);
    this.model.funds.funds.set(code, fund);
  }

  async tellDay(told: ToldDay) {
    const said = await tellDay(this.#world, told);
    const { fund, date, ...day } = told;
    agree({ result: this.model.funds.told(fund, date, day) }, { result: said }, `what is told of ${date}`);
    return said;
  }

  async sendOrders() {
    const sent = await sendOrders(this.#world, this.platformIds);
    agree({ sent: this.model.funds.send() }, { sent }, 'what is sent');
    return sent;
  }

  /** The model's, with which the books are compared after every step. */
  async lookAtFunds() {
    return figuresOf(this.model);
  }

  /** Twice, as the sweep may. */
  async expireCourts() {
    await expireFreezes(this.#world.rt);
    endFreezes(this.model);
    if ((await expireFreezes(this.#world.rt)) !== 0) throw new Error('a freeze has expired twice');
  }

  async setNow(ms: number) {
    this.#world.clock.advance(instantOf(ms));
    this.model.now = ms;
  }

  async markSent(id: string, channel?: string) {
    if (!(await markSent(this.#world, asId(id), channel as ChannelCode | undefined)))
      throw new Error('only a payout that was just made is sent');
    const payout = this.model.payouts.get(id);
    if (payout !== undefined) Object.assign(payout, { state: 'sent', later: channel === 'psp-collect' });
  }

  async setCollected(platform: string, collected: 'at-once' | 'when-settled') {
    const { db } = this.#world;
    await db.withTx('collected', async (tx) => {
      const { terms } = await loadBook(tx, asId(platform));
      await setTerms(tx, asId(platform), { ...terms, collected });
    });
    this.model.platform(platform).atOnce = collected === 'at-once';
  }

  async give(asked: Asked) {
    return (await this.giveAll([asked]))[0] as { id: string; replay: boolean; result: string };
  }

  /** Received together and decided together. */
  async giveAll(asked: readonly Asked[]) {
    const receipts = await receive(this.#world, asked);
    await answerAll(
      this.#world,
      receipts.map((receipt, place) => ({ receipt, answer: asked[place]?.answer })),
    );
    const ids = receipts.flatMap((receipt) => ('id' in receipt ? [receipt.id] : []));
    const results = await execute(this.#world, ids);
    const batch = this.model.begin();
    receipts.forEach((receipt, place) => {
      if ('id' in receipt && !receipt.replay) this.model.decide({ ...(asked[place] as Asked), id: receipt.id });
    });
    batch.end();
    return receipts.map((receipt, place) => {
      if ('refused' in receipt) return { id: '', replay: false, result: receipt.refused.code as string };
      const { requestNo, kind, data } = asked[place] as Asked;
      const result = results.get(receipt.id) ?? 'not there';
      const predicted = this.model.past.get(receipt.id)?.result ?? 'new';
      if (predicted !== result)
        throw new Error(`the model says ${predicted}, the service ${result}, to ${requestNo} ${kind} ${JSON.stringify(data)}`);
      return { id: receipt.id as string, replay: receipt.replay, result };
    });
  }

  async look(): Promise<Look> {
    const { db } = this.#world;
    type Row = Record<string, string>;
    const within = `platform_id IN (${this.platformIds.join()})`;
    return db.snapshot('look', async (tx) => {
      const accounts = await tx.rows<Row>(
        `SELECT a.id, a.balance, a.held + IF(a.claimed = 0, 0, LEAST(a.claimed, a.balance - a.held)) AS held, (SELECT CAST(COALESCE(SUM(u.amount), 0) AS CHAR) FROM uncleared AS u
           WHERE u.account_id = a.id AND u.due_date > b.business_date) AS uncleared
         FROM accounts AS a JOIN books AS b ON b.platform_id = a.platform_id WHERE a.${within}`,
      );
      const orders = await tx.rows<Row>(`SELECT * FROM orders WHERE ${within}`);
      const payouts = await tx.rows<Row>(`SELECT id, state FROM payouts WHERE ${within}`);
      const [count] = await tx.rows<Row>(
        `SELECT COUNT(*) AS n FROM entries AS e JOIN accounts AS a ON a.id = e.account_id WHERE a.${within}`,
      );
      const ofOrder = (row: Row) => ({
        ...amounts(row, 'paid', 'split', 'returned', 'refunded', 'subsidised'),
        subsidyReturned: BigInt(row.subsidy_returned as string),
      });
      const amounts = (row: Row, ...fields: string[]) =>
        Object.fromEntries(fields.map((field) => [field, BigInt(row[field] as string)]));
      return {
        accounts: new Map(accounts.map((row) => [row.id as string, amounts(row, 'balance', 'held', 'uncleared')])),
        orders: new Map(
          orders.map((row) => [`${row.platform_id}/${row.order_no}`, { account: row.account_id as string, ...ofOrder(row) }]),
        ),
        payouts: new Map(payouts.map((row) => [row.id as string, row.state as string])),
        ...coverOf(this.model), // the picture compares it with the books
        postings: Number(count?.n),
      } as unknown as Look;
    });
  }

  /** Every account is explained as the model explains it. */
  async explainAll() {
    for (const id of this.model.accounts.keys()) await this.explains.explain(id, true);
  }

  async check() {
    if (this.#books.size === 0) return;
    this.#kept.decided();
    const found = await violations(this.#world.db, this.platformIds);
    if (found.length > 0) throw new Error(`invariants: ${found.join('\n')}`);
    const predicted = pictureOfModel(this.model);
    const actual = await pictureOfBooks(this.#world.db, this.platformIds);
    if (!isDeepStrictEqual(actual, predicted))
      throw new Error(`the books differ from the model:\n${differences(actual, predicted)}`);
  }
}

function targetOn(model: Model, account: string, target: bigint, marginId: string): void {
  const margin = model.cover.margins.get(account);
  if (margin === undefined) {
    model.openAccount(marginId, model.accounts.get(account)?.platform ?? '', 'margin', false);
    model.cover.margins.set(account, { account: marginId, target });
  } else margin.target = target;
}

function figuresOf({ funds }: Model): FundFigures {
  const [book] = funds.books.values();
  return { holdings: funds.holdings, orders: funds.orders, collection: book?.collection, advance: book?.advance };
}

function coverOf({ cover }: Model): Pick<Look, 'margins' | 'owed'> {
  const owed = new Map<string, bigint>();
  for (const debt of cover.debts) owed.set(debt.account, (owed.get(debt.account) ?? 0n) + debt.left);
  return { margins: new Map([...cover.margins].map(([id, margin]) => [id, margin.account])), owed };
}

function agree(predicted: object, said: object, what: string): void {
  if (!isDeepStrictEqual(predicted, said))
    throw new Error(`${what}: the model says ${JSON.stringify(predicted)}, the service ${JSON.stringify(said)}`);
}

function differences(actual: Record<string, string>, predicted: Record<string, string>): string {
  return [...new Set([...Object.keys(actual), ...Object.keys(predicted)])]
    .filter((key) => actual[key] !== predicted[key])
    .map((key) => `${key}\n  books: ${actual[key]}\n  model: ${predicted[key]}`)
    .join('\n');
}
