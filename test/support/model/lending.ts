import type { Given } from '../given.js';
import { daysFrom, half, monthsAfter, type Row, rowsOf, share, sum } from './lending-plan.js';

/**
 * Lending for the plain bank: every instalment of a plan is a row with what is still to pay of it, made when a project is lent out, and
 * penalty is added day by day. Ids are bare digits, amounts minor units, times milliseconds, rates millionths a year.
 */
export interface ModelProjectTerms {
  readonly projectNo: string;
  readonly borrower: string;
  readonly guarantor: string | undefined;
  readonly amount: bigint;
  readonly months: number;
  readonly rate: bigint;
  readonly penaltyRate: bigint;
  readonly method: 'annuity' | 'equal-principal' | 'interest-first' | 'bullet';
  /** Basis points. */
  readonly lendFee: bigint;
  readonly interestFee: bigint;
  readonly least: bigint | undefined;
  readonly most: bigint | undefined;
  /** A day, at its beginning. */
  readonly until: string;
  /** Whose money it is lent with, and who gets it; absent: of lenders alone, to the borrower. */
  readonly mode?: 'direct' | 'advance' | 'entrusted';
  /** Whom the borrower had signed for that he is paid in his place. */
  readonly payee?: string | undefined;
}

/** What two people of the bank agreed that a platform may do beyond lending directly; its accounts stay once they are opened. */
export interface ModelModes {
  readonly advance: bigint | undefined;
  readonly entrusted: boolean;
  readonly reserve: boolean;
  readonly advanceAccount: string | undefined;
  readonly reserveAccount: string | undefined;
}

export interface ModelClaim {
  readonly id: string;
  readonly account: string;
  left: bigint;
  earned: bigint;
}

export interface ModelProject extends ModelProjectTerms {
  readonly id: string;
  readonly platform: string;
  readonly said: Set<string>;
  readonly by: Map<string, string>;
  state: 'registered' | 'raising' | 'full' | 'lent' | 'repaid' | 'miscarried' | 'cancelled';
  lentOn: string;
  rows: Row[];
  readonly claims: ModelClaim[];
  /** How often it was paid on. */
  payments: number;
  readonly paid: { id: string; payer: string; left: bigint }[];
}

interface ModelBid {
  readonly id: string;
  readonly project: ModelProject;
  readonly account: string;
  own: bigint;
  marketing: bigint;
  state: 'open' | 'lent' | 'freed';
}

/** What of the plain bank lending uses. */
export interface LendingHands {
  now(): number;
  no(code: string): never;
  date(platform: string): string;
  profile(platform: string): string;
  /** Whether it is wound up, and takes nothing new. */
  ending(platform: string): boolean;
  own(platform: string, purpose: string): string;
  value(parameter: string): bigint;
  /** Undefined of another platform's. */
  type(platform: string, account: string): string | undefined;
  /** Whose it is: a customer, or the account itself. */
  owner(account: string): string;
  free(account: string): bigint;
  /** Why its owner may do nothing with it. */
  mayAct(account: string): void;
  /** Why the law would not let so much leave it. */
  mayLeave(account: string, amount: bigint): void;
  willed(given: Given, of: { account: string; amount: bigint; project: string }): void;
  hold(account: string, amount: bigint): void;
  move(
    given: Given,
    takes: readonly { from: string; amount: bigint; freed?: bigint }[],
    gives: readonly { to: string; amount: bigint }[],
    will?: { account: string; amount: bigint; project: string },
  ): void;
  frozen(account: string): boolean;
  /** Refused where a court or a dispute would keep what comes to it. */
  passes(account: string): void;
}

interface LendingData {
  readonly projectNo: string;
  readonly account: string;
  readonly from: string;
  readonly to?: string;
  readonly bid: string;
  readonly compensation: string;
  readonly way: 'direct' | 'indirect';
  readonly of: 'due' | 'early' | 'part-early';
  readonly amount?: { readonly amount: number };
  readonly marketing?: { readonly amount: number };
}

const DIRECT_ALONE: ModelModes = {
  ...{ advance: undefined, entrusted: false, reserve: false, advanceAccount: undefined, reserveAccount: undefined },
};

/** So many lenders at the most. */
const BIDS_MAX = 1_000n;
const DAY = 86_400_000;
const bare = (wire: string) => wire.slice(4);
const dataOf = ({ data }: Given) => data as unknown as LendingData;
interface Parts {
  principal: bigint;
  interest: bigint;
  penalty: bigint;
}

export class Lending {
  readonly projects: ModelProject[] = [];
  readonly bids: ModelBid[] = [];
  /** By platform. */
  readonly #modes = new Map<string, ModelModes>();
  readonly #hands: LendingHands;

  constructor(hands: LendingHands) {
    this.#hands = hands;
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
    const owes = (of: readonly ModelProject[]) => sum(of.map((p) => (p.state === 'lent' ? this.#left(p) : p.amount)));
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
      picture[`project ${p.id}`] = `${p.state} raised ${raised} left ${this.#left(p)} unrecovered ${unrecovered}`;
      for (const claim of p.claims)
        picture[`claim ${claim.id}`] = `of ${claim.account} left ${claim.left} earned ${claim.earned}`;
    }
    for (const bid of this.bids) picture[`bid ${bid.id}`] = `${bid.state} own ${bid.own} marketing ${bid.marketing}`;
    return picture;
  }

  #left({ claims }: ModelProject): bigint {
    return sum(claims.map(({ left }) => left));
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
    repayment: (given) => this.#repay(given),
    compensation: (given) => this.#compensate(given),
    recovery: (given) => this.#recover(given),
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

  /** Penalty of each row up to a day, and what of it is not paid. */
  #penalty(project: ModelProject, row: Row, on: string): bigint {
    const product = row.product + (on > row.counted ? (row.principal + row.interest) * daysFrom(row.counted, on) : 0n);
    return half(product * project.penaltyRate, 360n * 1_000_000n) - row.penaltyPaid;
  }

  #owedOn(project: ModelProject, on: string): bigint {
    const due = project.rows.filter((row) => row.due <= on);
    return sum(due.map((row) => row.principal + row.interest + this.#penalty(project, row, on)));
  }

  /** What is to be paid of it today by the plan, with the instalment after that, and what would settle it. */
  owes(project: ModelProject): { due: bigint; next: bigint; early: bigint } {
    const on = this.#hands.date(project.platform);
    const [due, first] = [this.#owedOn(project, on), project.rows.find((row) => row.due > on)];
    const { principal, interest, penalty } = this.#early(project);
    const next = first === undefined ? 0n : first.principal + first.interest;
    return { due, next, early: principal + interest + penalty };
  }

  /** What an account has lent and not got back: by the number of the project. */
  claimsOf(account: string): Map<string, bigint> {
    const found = new Map<string, bigint>();
    for (const { projectNo, claims } of this.projects)
      for (const claim of claims)
        if (claim.account === account && claim.left > 0n) found.set(projectNo, (found.get(projectNo) ?? 0n) + claim.left);
    return found;
  }

  /** All that its lenders can still get by the plan, with the penalty as of today. */
  worth(project: ModelProject): bigint {
    const on = this.#hands.date(project.platform);
    return sum(project.rows.map((row) => row.principal + row.interest + this.#penalty(project, row, on)));
  }

  /** Pays the oldest first; undefined where the amount is more than may be paid. */
  #payDue(project: ModelProject, amount: bigint, ahead: boolean): { parts: Parts; keep: () => void } | undefined {
    const on = this.#hands.date(project.platform);
    const rows = project.rows.map((row) => ({ ...row }));
    const parts: Parts = { principal: 0n, interest: 0n, penalty: 0n };
    let rest = amount;
    const overdue = rows.filter(({ due }) => due <= on);
    const [planned, behind] = [this.#planned(project), this.#behind(project)];
    const coming = rowsOf(project, planned, project.lentOn, behind).find(({ due }) => due > on);
    const early = ahead && monthsAfter(project.lentOn, behind) <= on;
    const payable = [...overdue, ...(early ? rows.filter(({ no }) => no === coming?.no) : [])];
    for (const row of payable) {
      if (rest === 0n) break;
      const least = (one: bigint, other: bigint) => (one < other ? one : other);
      const penalty = least(rest, this.#penalty(project, row, on));
      if (on > row.counted)
        Object.assign(row, { product: row.product + (row.principal + row.interest) * daysFrom(row.counted, on), counted: on });
      const interest = least(rest - penalty, row.interest);
      const principal = least(rest - penalty - interest, row.principal);
      rest -= penalty + interest + principal;
      row.penaltyPaid += penalty;
      row.interest -= interest;
      row.principal -= principal;
      parts.penalty += penalty;
      parts.interest += interest;
      parts.principal += principal;
    }
    if (rest > 0n) return undefined;
    const isOpen = (row: Row) => row.principal + row.interest > 0n || (row.due <= on && this.#penalty(project, row, on) > 0n);
    return { parts, keep: () => Object.assign(project, { rows: rows.filter(isOpen) }) };
  }

  /** What is owed of the running period's interest by the day: whole months by the month, days of a year of 360, a month 30 at the most. */
  #broken(project: ModelProject, principal: bigint, next: number, on: string): bigint {
    const before = project.method === 'bullet' ? 0 : next - 1;
    const last = project.method === 'bullet' ? project.months : next;
    let days = 0n;
    for (let month = before; month < last; month += 1) {
      const [from, to] = [monthsAfter(project.lentOn, month), monthsAfter(project.lentOn, month + 1)];
      if (on >= to) days += 30n;
      else if (on > from) days += daysFrom(from, on) > 30n ? 30n : daysFrom(from, on);
    }
    return half(principal * project.rate * days, 360n * 1_000_000n);
  }

  #early(project: ModelProject): Parts {
    const on = this.#hands.date(project.platform);
    const due = project.rows.filter((row) => row.due <= on);
    const ahead = project.rows.filter((row) => row.due > on);
    const parts: Parts = {
      principal: sum(project.rows.map(({ principal }) => principal)),
      interest: sum(due.map(({ interest }) => interest)),
      penalty: sum(due.map((row) => this.#penalty(project, row, on))),
    };
    const [first] = ahead;
    if (first === undefined) return parts;
    const plan = rowsOf(project, this.#planned(project), project.lentOn, this.#behind(project)).find(
      ({ no }) => no === first.no,
    ) as Row;
    const whole = sum(ahead.map(({ principal }) => principal)) + (plan.principal - first.principal);
    const accrued = this.#broken(project, whole, first.no, on);
    const paid = plan.interest - first.interest;
    return { ...parts, interest: parts.interest + (accrued > paid ? accrued - paid : 0n) };
  }

  /** The plan in force was made of so much, after so many months. */
  readonly #plans = new Map<string, { principal: bigint; behind: number }>();
  #planned = (project: ModelProject) => this.#plans.get(project.id)?.principal ?? project.amount;
  #behind = (project: ModelProject) => this.#plans.get(project.id)?.behind ?? 0;

  #repay(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.project(given);
    const amount = BigInt(data.amount?.amount ?? 0);
    const from = bare(data.from);
    if (from !== project.borrower) hands.no('PROJECT_WRONG_PARTY');
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    if (data.of === 'due') {
      const paid = this.#payDue(project, amount, true);
      if (paid === undefined) throw hands.no('REPAYMENT_EXCEEDED');
      this.#payOut(given, project, from, paid);
    } else if (data.of === 'early') {
      const parts = this.#early(project);
      if (parts.principal + parts.interest + parts.penalty !== amount) hands.no('REPAYMENT_INEXACT');
      this.#payOut(given, project, from, { parts, keep: () => Object.assign(project, { rows: [] }) });
    } else this.#payAhead(given, project, from, amount);
  }

  #payAhead(given: Given, project: ModelProject, from: string, amount: bigint): void {
    const on = this.#hands.date(project.platform);
    const [first] = project.rows;
    const left = sum(project.rows.map(({ principal }) => principal));
    if (first === undefined || first.due <= on) throw this.#hands.no('REPAYMENT_NOT_AHEAD');
    const plan = rowsOf(project, this.#planned(project), project.lentOn, this.#behind(project)).find(({ no }) => no === first.no);
    if (plan?.principal !== first.principal || plan.interest !== first.interest) this.#hands.no('REPAYMENT_NOT_AHEAD');
    let principal = amount;
    while (principal > 0n && principal + this.#broken(project, principal, first.no, on) > amount) principal -= 1n;
    if (principal === 0n || principal >= left) this.#hands.no('REPAYMENT_NOT_AHEAD');
    const behind = project.method === 'bullet' ? 0 : first.no - 1;
    this.#payOut(given, project, from, {
      parts: { principal, interest: amount - principal, penalty: 0n },
      keep: () => {
        this.#plans.set(project.id, { principal: left - principal, behind });
        project.rows = rowsOf(project, left - principal, project.lentOn, behind);
      },
    });
  }

  #payOut(given: Given, project: ModelProject, from: string, { parts, keep }: { parts: Parts; keep: () => void }): void {
    const hands = this.#hands;
    const claims = project.claims.filter(({ left }) => left > 0n);
    const weights = claims.map(({ left }) => left);
    const [principal, interest, penalty] = [
      share(parts.principal, weights),
      share(parts.interest, weights),
      share(parts.penalty, weights),
    ];
    const gives = new Map<string, bigint>();
    let fees = 0n;
    const lines = claims.map((claim, place) => {
      const fee = ((interest[place] as bigint) * project.interestFee) / 10_000n;
      const earned = (interest[place] as bigint) + (penalty[place] as bigint) - fee;
      const back = principal[place] as bigint;
      fees += fee;
      gives.set(claim.account, (gives.get(claim.account) ?? 0n) + back + earned);
      return { claim, back, earned };
    });
    if (fees > 0n) gives.set(hands.own(project.platform, 'commission'), fees);
    const amount = parts.principal + parts.interest + parts.penalty;
    hands.move(
      given,
      [{ from, amount }],
      [...gives].flatMap(([to, each]) => (each === 0n ? [] : [{ to, amount: each }])),
      { account: from, amount, project: project.projectNo },
    );
    for (const { claim, back, earned } of lines) {
      claim.left -= back;
      claim.earned += earned;
    }
    keep();
    project.payments += 1;
    if (this.#left(project) === 0n) project.state = 'repaid';
  }

  #compensate(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.project(given);
    const from = bare(data.from);
    const amount = BigInt(data.amount?.amount ?? 0);
    const { reserve, reserveAccount } = this.modes(project.platform);
    if (from !== project.guarantor && !(reserve && from === reserveAccount)) hands.no('COMPENSATION_PAYER');
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    if (data.way === 'indirect') hands.passes(project.borrower);
    if (amount > this.#owedOn(project, hands.date(project.platform))) hands.no('COMPENSATION_EXCEEDED');
    const paid = this.#payDue(project, amount, false);
    if (paid === undefined) throw hands.no('COMPENSATION_EXCEEDED');
    this.#payOut(given, project, from, paid);
    project.paid.push({ id: given.id, payer: from, left: amount });
  }

  #recover(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.project(given);
    const amount = BigInt(data.amount?.amount ?? 0);
    if (bare(data.from) !== project.borrower) hands.no('PROJECT_WRONG_PARTY');
    const paid = project.paid.find(({ id }) => id === bare(data.compensation));
    if (paid === undefined) throw hands.no('COMPENSATION_NOT_FOUND');
    if (amount > paid.left) hands.no('RECOVERY_EXCEEDED');
    const will = { account: project.borrower, amount, project: project.projectNo };
    hands.move(given, [{ from: project.borrower, amount }], [{ to: paid.payer, amount }], will);
    paid.left -= amount;
  }
}
