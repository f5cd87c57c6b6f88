import type { Given } from '../given.js';
import {
  BIDS_MAX,
  bare,
  DAY,
  DIRECT_ALONE,
  dataOf,
  type LendingHands,
  leftOf,
  type ModelBid,
  type ModelModes,
  type ModelProject,
  type ModelProjectTerms,
} from './lending-books.js';
import { half, rowsOf, sum } from './lending-plan.js';
import { Loans } from './loans.js';

/** Projects of the plain bank: registered, raised from bids and lent out. */
export class Lending {
  readonly projects: ModelProject[] = [];
  readonly bids: ModelBid[] = [];
  /** By platform. */
  readonly #modes = new Map<string, ModelModes>();
  readonly loans: Loans;
  readonly #hands: LendingHands;

  constructor(hands: LendingHands) {
    this.#hands = hands;
    this.loans = new Loans(hands, this);
  }

  modes(platform: string): ModelModes {
    return this.#modes.get(platform) ?? DIRECT_ALONE;
  }

  /** @param opened the accounts that it needs now and has not had */
  agree(
    platform: string,
    modes: Omit<ModelModes, 'advanceAccount' | 'reserveAccount'>,
    opened: Partial<Pick<ModelModes, 'advanceAccount' | 'reserveAccount'>>,
  ): void {
    const { advanceAccount, reserveAccount } = this.modes(platform);
    this.#modes.set(platform, {
      ...modes,
      advanceAccount: advanceAccount ?? opened.advanceAccount,
      reserveAccount: reserveAccount ?? opened.reserveAccount,
    });
  }

  /** Whether the platform may lend so. */
  #mayLend(platform: string, { mode }: ModelProjectTerms): boolean {
    const { advance, entrusted } = this.modes(platform);
    return mode === 'advance' ? advance !== undefined : mode === 'entrusted' ? entrusted : true;
  }

  /** Who has to do with a project other than by lending to it. */
  parties({ borrower, guarantor, payee }: ModelProjectTerms): string[] {
    return [borrower, guarantor, payee].filter((account) => account !== undefined);
  }

  /** Answers the code of the refusal; undefined: registered. */
  register(id: string, platform: string, terms: ModelProjectTerms): string | undefined {
    const hands = this.#hands;
    if (hands.profile(platform) !== 'lending') return 'LENDING_NOT_OFFERED';
    if (hands.ending(platform)) return 'WINDING_UP';
    if (!this.#mayLend(platform, terms)) return 'LENDING_MODE';
    const cap = hands.value('lending.rate-cap');
    if (terms.rate > cap || terms.penaltyRate > cap) return 'PROJECT_TERMS';
    if (Date.parse(`${terms.until}T00:00:00+08:00`) <= hands.now()) return 'PROJECT_TERMS';
    const { least = 0n, most = terms.amount, amount } = terms;
    if (least > amount || least > most || most * BIDS_MAX < amount) return 'PROJECT_TERMS';
    if ((terms.mode === 'entrusted') !== (terms.payee !== undefined)) return 'PROJECT_TERMS';
    if (half(amount * terms.lendFee, 10_000n) >= amount) return 'PROJECT_TERMS';
    const owners = new Set<string>();
    for (const account of this.parties(terms)) {
      const type = hands.type(platform, account);
      if (type === undefined) return 'ACCOUNT_NOT_FOUND';
      if ((type !== 'class-2' && type !== 'sub') || owners.has(hands.owner(account))) return 'PROJECT_PARTIES';
      owners.add(hands.owner(account));
    }
    if (this.#overCap(platform, terms)) return 'PROJECT_CAP';
    this.projects.push({
      ...{ ...terms, id, platform, said: new Set(), by: new Map(), state: 'registered', lentOn: '', rows: [] },
      ...{ claims: [], paid: [], payments: 0 },
    });
    return undefined;
  }

  #overCap(platform: string, { borrower, amount }: ModelProjectTerms): boolean {
    const who = this.#hands.type(platform, borrower) === 'sub' ? 'company' : 'person';
    const running = this.projects.filter(
      (other) =>
        ['raising', 'full', 'lent'].includes(other.state) && this.#hands.owner(other.borrower) === this.#hands.owner(borrower),
    );
    const owes = (of: readonly ModelProject[]) => sum(of.map((p) => (p.state === 'lent' ? leftOf(p) : p.amount)));
    return (
      amount + owes(running.filter((other) => other.platform === platform)) > this.#hands.value(`lending.${who}.platform`) ||
      amount + owes(running) > this.#hands.value(`lending.${who}.all`)
    );
  }

  /** What somebody signed on paper, seen by a person of the bank. */
  confirm(id: string, role: string, by: string): string {
    const project = this.projects.find((each) => each.id === id);
    if (project === undefined) return 'PROJECT_NOT_FOUND';
    if (project.said.has(role)) return 'given';
    if (role === 'guarantor' && project.guarantor === undefined) return 'PROJECT_WRONG_PARTY';
    if (project.state !== 'registered' || this.#isLate(project)) return 'PROJECT_STATE';
    if ([...project.by].some(([other, who]) => other !== role && who === by)) return 'SAME_OPERATOR';
    const all = new Set([...project.said, role]);
    const complete = all.has('borrower') && (project.guarantor === undefined || all.has('guarantor'));
    if (complete && this.#overCap(project.platform, project)) return 'PROJECT_CAP';
    project.said.add(role);
    project.by.set(role, by);
    if (complete) project.state = 'raising';
    return 'given';
  }

  #isLate({ until }: ModelProjectTerms): boolean {
    return Date.parse(`${until}T00:00:00+08:00`) <= this.#hands.now();
  }

  /** What the sweep does now: the projects whose time is over. */
  due(): { platform: string; projectNo: string }[] {
    const grace = Number(this.#hands.value('lending.lend-out.days')) * DAY;
    const isOver = ({ state, until }: ModelProject) => {
      const end = Date.parse(`${until}T00:00:00+08:00`) + (state === 'full' ? grace : 0);
      return ['registered', 'raising', 'full'].includes(state) && end <= this.#hands.now();
    };
    return this.projects.filter(isOver).map(({ platform, projectNo }) => ({ platform, projectNo }));
  }

  mayMove(account: string): boolean {
    const owing = this.projects.some(
      (p) =>
        this.parties(p).includes(account) &&
        (!['repaid', 'miscarried', 'cancelled'].includes(p.state) || p.paid.some(({ left }) => left > 0n)),
    );
    return owing || this.projects.some(({ claims }) => claims.some((claim) => claim.account === account && claim.left > 0n));
  }

  openBids() {
    return this.bids
      .filter(({ state }) => state === 'open')
      .map(({ id, account, own, marketing, project }) => {
        const marketingOn = this.#hands.own(project.platform, 'marketing');
        return { id, account, own, marketing, projectNo: project.projectNo, marketingOn };
      });
  }

  picture(): Record<string, string> {
    const picture: Record<string, string> = {};
    for (const p of this.projects) {
      const raised = sum(this.bids.map((bid) => (bid.project === p ? bid.own + bid.marketing : 0n)));
      const unrecovered = sum(p.paid.map(({ left }) => left));
      picture[`project ${p.id}`] = `${p.state} raised ${raised} left ${leftOf(p)} unrecovered ${unrecovered}`;
      for (const claim of p.claims)
        picture[`claim ${claim.id}`] = `of ${claim.account} left ${claim.left} earned ${claim.earned}`;
    }
    for (const bid of this.bids) picture[`bid ${bid.id}`] = `${bid.state} own ${bid.own} marketing ${bid.marketing}`;
    return picture;
  }

  #open(project: ModelProject): ModelBid[] {
    return this.bids.filter((bid) => bid.project === project && bid.state === 'open');
  }

  #raised(project: ModelProject): bigint {
    return sum(this.#open(project).map(({ own, marketing }) => own + marketing));
  }

  project(given: Given): ModelProject {
    const { projectNo } = dataOf(given);
    const found = this.projects.find((each) => each.platform === given.platform && each.projectNo === projectNo);
    return found ?? this.#hands.no('PROJECT_NOT_FOUND');
  }

  #marketing(project: ModelProject): string {
    return this.#hands.own(project.platform, 'marketing');
  }

  /** By kind. */
  readonly rules: Readonly<Record<string, (given: Given) => void>> = {
    bid: (given) => this.#bid(given),
    'bid-cancel': (given) => this.#cancel(given),
    'lend-out': (given) => this.#lend(given),
    miscarriage: (given) => this.#miscarry(given),
  };

  /** Whether the owner of an account would lend to himself. */
  isParty(project: ModelProject, account: string): boolean {
    return this.parties(project).map(this.#hands.owner).includes(this.#hands.owner(account));
  }

  /** What the platform's advance account lent and did not get back. */
  advanced(platform: string): bigint {
    const { advanceAccount } = this.modes(platform);
    const claims = this.projects.flatMap((project) => (project.platform === platform ? project.claims : []));
    return sum(claims.map(({ account, left }) => (account === advanceAccount ? left : 0n)));
  }

  /** What the platform lends of its own, for lenders who are not there yet. */
  #advance(project: ModelProject): bigint {
    if (!this.#mayLend(project.platform, project)) this.#hands.no('LENDING_MODE');
    if (project.state === 'full') return 0n;
    const { advance: ceiling, advanceAccount } = this.modes(project.platform);
    if (project.state !== 'raising' || project.mode !== 'advance' || advanceAccount === undefined)
      this.#hands.no('PROJECT_STATE');
    const missing = project.amount - this.#raised(project);
    if (this.advanced(project.platform) + missing > (ceiling ?? 0n)) this.#hands.no('ADVANCE_CEILING');
    return missing;
  }

  #bid(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.project(given);
    const account = bare(data.account);
    const type = hands.type(given.platform, account) ?? hands.no('ACCOUNT_NOT_FOUND');
    if (type !== 'class-2' && type !== 'class-3') hands.no('ACCOUNT_TYPE_NOT_ALLOWED');
    const own = BigInt(data.amount?.amount ?? 0);
    const marketing = BigInt(data.marketing?.amount ?? 0);
    if (this.isParty(project, account)) hands.no('LENDER_NOT_ALLOWED');
    if (project.state !== 'raising' || this.#isLate(project)) hands.no('PROJECT_STATE');
    const left = project.amount - this.#raised(project);
    if (own + marketing > left) hands.no('PROJECT_RAISED');
    const mine = this.#open(project).filter((bid) => bid.account === account);
    const has = sum(mine.map((bid) => bid.own + bid.marketing)) + own + marketing;
    if (project.least !== undefined && has < project.least && own + marketing < left) hands.no('BID_BOUNDS');
    if (project.most !== undefined && has > project.most) hands.no('BID_BOUNDS');
    hands.mayLeave(account, own);
    if (marketing > hands.free(this.#marketing(project))) hands.no('FUNDS_INSUFFICIENT');
    hands.willed(given, { account, amount: own, project: project.projectNo });
    if (hands.frozen(account)) hands.no('ACCOUNT_FROZEN');
    if (own > hands.free(account)) hands.no('FUNDS_INSUFFICIENT');
    hands.hold(account, own);
    hands.hold(this.#marketing(project), marketing);
    this.bids.push({ id: given.id, project, account, own, marketing, state: 'open' });
    if (own + marketing === left) project.state = 'full';
  }

  #cancel(given: Given): void {
    const hands = this.#hands;
    const { bid: wire, amount: asked } = dataOf(given);
    const bid = this.bids.find(({ id, project }) => id === bare(wire) && project.platform === given.platform);
    if (bid === undefined) throw hands.no('BID_NOT_FOUND');
    if (bid.state !== 'open') hands.no('BID_STATE');
    const total = bid.own + bid.marketing;
    const amount = asked === undefined ? total : BigInt(asked.amount);
    if (amount > total) hands.no('BID_EXCEEDED');
    const marketing = ((total - amount) * bid.marketing) / total;
    const own = total - amount - marketing;
    hands.hold(bid.account, own - bid.own);
    hands.hold(this.#marketing(bid.project), marketing - bid.marketing);
    Object.assign(bid, { own, marketing, state: amount === total ? 'freed' : 'open' });
    bid.project.state = 'raising';
  }

  #lend(given: Given): void {
    const hands = this.#hands;
    const project = this.project(given);
    const { to } = dataOf(given);
    const advance = this.#advance(project);
    const from = this.modes(project.platform).advanceAccount;
    const receiver = project.payee ?? project.borrower;
    if (to !== undefined && bare(to) !== receiver) hands.no('LENDING_NOT_DIRECT');
    hands.mayAct(project.borrower);
    hands.passes(receiver);
    const bids = this.#open(project);
    const fee = half(project.amount * project.lendFee, 10_000n);
    const takes = new Map<string, bigint>();
    const take = (from: string, amount: bigint) => amount > 0n && takes.set(from, (takes.get(from) ?? 0n) + amount);
    for (const { account, own } of bids) take(account, own);
    for (const { marketing } of bids) take(this.#marketing(project), marketing);
    hands.move(
      given,
      [
        ...[...takes].map(([from, amount]) => ({ from, amount, freed: amount })),
        ...(from !== undefined && advance > 0n ? [{ from, amount: advance }] : []),
      ],
      [
        { to: receiver, amount: project.amount - fee },
        ...(fee === 0n ? [] : [{ to: hands.own(project.platform, 'commission'), amount: fee }]),
      ],
    );
    for (const [account, amount] of takes) hands.hold(account, -amount);
    for (const bid of bids) {
      bid.state = 'lent';
      project.claims.push({ id: bid.id, account: bid.account, left: bid.own + bid.marketing, earned: 0n });
    }
    if (from !== undefined && advance > 0n) project.claims.push({ id: given.id, account: from, left: advance, earned: 0n });
    const lentOn = hands.date(project.platform);
    Object.assign(project, { state: 'lent', lentOn, rows: rowsOf(project, project.amount, lentOn, 0) });
  }

  #miscarry(given: Given): void {
    const project = this.project(given);
    if (!['registered', 'raising', 'full'].includes(project.state)) this.#hands.no('PROJECT_STATE');
    const ends = this.#hands.ending(project.platform);
    if (given.origin === 'S' && !ends && !this.due().some(({ projectNo }) => projectNo === project.projectNo))
      this.#hands.no('PROJECT_STATE');
    for (const bid of this.#open(project)) {
      this.#hands.hold(bid.account, -bid.own);
      this.#hands.hold(this.#marketing(project), -bid.marketing);
      Object.assign(bid, { own: 0n, marketing: 0n, state: 'freed' });
    }
    project.state = project.state === 'registered' ? 'cancelled' : 'miscarried';
  }

  /** What an account has lent and not got back: by the number of the project. */
  claimsOf(account: string): Map<string, bigint> {
    const found = new Map<string, bigint>();
    for (const { projectNo, claims } of this.projects)
      for (const claim of claims)
        if (claim.account === account && claim.left > 0n) found.set(projectNo, (found.get(projectNo) ?? 0n) + claim.left);
    return found;
  }
}
