import {
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  type Minor,
  mulDivHalfUp,
  naturalDate,
  type Refusal,
  refuse,
  toRfc3339,
  toWire,
} from '../kernel/index.js';
import {
  addParts,
  dueAsOf,
  type LoanState,
  type LoanTerms,
  owedByPlan,
  type Parts,
  type RepaymentMethod,
  shareOut,
  sumOf,
} from './plan.js';
import type { ProjectState } from './states.js';

/**
 * Projects that many lend to (网络借贷标的): what is raised, lent and repaid, worked out from the terms and from where a project stands. Pure,
 * whole fen.
 */

/** 直投: lender to borrower; 垫付: the platform's advance account lends what is not raised yet; 代付: the proceeds go to a named payee. */
export const FUNDING_MODES = ['direct', 'advance', 'entrusted'] as const;
export type FundingMode = (typeof FUNDING_MODES)[number];

/** The bank's dated rows, as these rules ask for them. */
interface Dated {
  on(date: BusinessDate, name: string): bigint;
}

/** What never changes of a project. */
export interface ProjectTerms {
  readonly projectNo: string;
  readonly borrower: Id;
  readonly guarantor: Id | null;
  /** Whom the proceeds are paid to in place of the borrower, by the instruction that he confirmed (受托支付). */
  readonly payee: Id | null;
  /** Minor units. */
  readonly amount: Minor;
  readonly months: number;
  /** Of a year, in millionths. */
  readonly rate: bigint;
  /** Of a year, in millionths, on what is overdue. */
  readonly penaltyRate: bigint;
  readonly method: RepaymentMethod;
  /** Basis points of what is lent: from the proceeds to the platform. */
  readonly lendFee: number;
  /** Basis points of the interest that a lender gets: from it to the platform. */
  readonly interestFee: number;
  /** Bounds of what one lender has in it, the platform's marketing money with it; null: none. */
  readonly lenderMin: Minor | null;
  readonly lenderMax: Minor | null;
  readonly raiseUntilMs: Instant;
  readonly mode: FundingMode;
  readonly purpose: string;
}

/** A project as the books have it. */
export interface Project extends ProjectTerms {
  readonly id: Id;
  readonly platformId: Id;
  readonly contentHash: Buffer;
  /** Blind index of who borrows, the same on every platform. */
  readonly borrowerIndex: Buffer;
  readonly state: ProjectState;
  /** The sum of its open bids, and how many they are. */
  readonly raised: Minor;
  readonly bids: number;
  /** How many claims were ever numbered. */
  readonly claims: number;
  readonly lentOn: BusinessDate | null;
  /** Where it stands in its plan; of nothing until it is lent. */
  readonly loan: LoanState;
  /** The principal that was not paid back. */
  readonly left: Minor;
  /** What was paid for the borrower and not recovered from him. */
  readonly unrecovered: Minor;
  /** Counted up when an instruction of the system was refused, so that the next has a number of its own. */
  readonly turn: number;
  /** From when on the sweep has something to do. */
  readonly dueMs: Instant | null;
  readonly createdMs: Instant;
  readonly endedMs: Instant | null;
}

/** What a lender has offered: held on his account, and what the platform adds on its marketing account. */
export interface Bid {
  readonly id: Id;
  readonly platformId: Id;
  readonly projectId: Id;
  readonly projectNo: string;
  readonly account: Id;
  readonly own: Minor;
  readonly marketing: Minor;
  /** What was cancelled of both. */
  readonly cancelled: Minor;
  readonly state: 'open' | 'lent' | 'freed';
  readonly createdMs: Instant;
}

/** What is owed to one lender (债权). */
export interface Claim {
  readonly id: Id;
  /** Its place among the claims of its project, from 1. */
  readonly no: number;
  readonly account: Id;
  readonly principal: Minor;
  /** The principal that was not paid back. */
  readonly left: Minor;
  /** Interest and penalty that its holder got, less the platform's fee. */
  readonly earned: Minor;
  /** Counted up by every payment on it. */
  readonly turn: number;
}

/** What somebody paid for the borrower, and what he gave back of it. */
export interface Compensation {
  readonly id: Id;
  readonly payer: Id;
  readonly way: 'direct' | 'indirect';
  readonly amount: Minor;
  readonly recovered: Minor;
}

/** Bids that one project can have: all of them are lent out, or given back, in one instruction. */
export const BIDS_MAX = 1_000;

const BASIS_POINTS = 10_000n;

export const bidTotal = ({ own, marketing }: Pick<Bid, 'own' | 'marketing'>): Minor => own + marketing;
export const toRaise = ({ amount, raised }: Project): Minor => amount - raised;

/** What the platform takes of a sum, half a fen up. @param share basis points */
export const feeOf = (amount: Minor, share: number): Minor => mulDivHalfUp(amount, BigInt(share), BASIS_POINTS);

/** The refusal of what a project of this state does not take. */
export function notNow(project: Project): Refusal {
  return refuse('PROJECT_STATE', `The project is ${project.state}.`, { project: project.projectNo, state: project.state });
}

/** Why nobody can lend to it any more: its time may be over though nothing has ended it yet. @returns PROJECT_STATE */
export function notRaising(project: Project, nowMs: Instant): Refusal | undefined {
  const { projectNo, state, raiseUntilMs } = project;
  if (state !== 'raising') return notNow(project);
  if (nowMs < raiseUntilMs) return undefined;
  return refuse('PROJECT_STATE', 'Its time to raise is over.', { project: projectNo, until: toRfc3339(raiseUntilMs) });
}

/**
 * Whether a bid fits into what is still to raise.
 * @param before what this lender has in it already, on all his accounts
 * @returns PROJECT_STATE, PROJECT_RAISED (above what is left by so little as a fen), BID_BOUNDS, BIDS_MAX
 */
export function decideBid(
  project: Project,
  bid: Pick<Bid, 'own' | 'marketing'>,
  before: Minor,
  nowMs: Instant,
): Refusal | undefined {
  const over = notRaising(project, nowMs);
  if (over !== undefined) return over;
  const { projectNo, lenderMin, lenderMax } = project;
  const [asked, left] = [bidTotal(bid), toRaise(project)];
  if (asked > left) return refuse('PROJECT_RAISED', undefined, { project: projectNo, left: String(left) });
  // The last of it may be less than one lender has to give.
  const tooLittle = lenderMin !== null && before + asked < lenderMin && asked < left;
  if (tooLittle || (lenderMax !== null && before + asked > lenderMax))
    return refuse('BID_BOUNDS', undefined, { least: shown(lenderMin), most: shown(lenderMax), before: String(before) });
  return project.bids < BIDS_MAX ? undefined : refuse('BIDS_MAX', undefined, { most: BIDS_MAX });
}

const shown = (amount: Minor | null) => (amount === null ? null : String(amount));

/** The project with this much more raised (less, below zero): full when nothing is left to raise. */
export function withRaised(project: Project, by: Minor, bids: number, parameters: Dated): Project {
  const raised = project.raised + by;
  const state = raised === project.amount ? 'full' : 'raising';
  const after = { ...project, raised, bids: project.bids + bids, state } as const;
  return { ...after, dueMs: raiseEnd(after, parameters) };
}

/** A full project waits so many days longer for being lent out; then it miscarries as well. */
const DAY_MS = 86_400_000;

/** When time alone ends the raising of a project; null where there is nothing to end. */
export function raiseEnd({ state, raiseUntilMs }: Pick<Project, 'state' | 'raiseUntilMs'>, parameters: Dated): Instant | null {
  if (state === 'registered' || state === 'raising') return raiseUntilMs;
  if (state !== 'full') return null;
  const days = Number(parameters.on(naturalDate(raiseUntilMs), 'lending.lend-out.days'));
  return (raiseUntilMs + days * DAY_MS) as Instant;
}

/**
 * Takes part of a bid back, or all of it. The platform's part goes down with the lender's, cut to the fen, so that his own is never less of
 * it than it was.
 * @returns what is left of the bid; BID_STATE, BID_EXCEEDED
 */
export function cancelled(bid: Bid, amount: Minor): Bid | Refusal {
  if (bid.state !== 'open')
    return refuse('BID_STATE', `The bid is ${bid.state}.`, { bid: toWire('bid', bid.id), state: bid.state });
  const total = bidTotal(bid);
  if (amount > total) return refuse('BID_EXCEEDED', undefined, { bid: toWire('bid', bid.id), left: String(total) });
  const left = total - amount;
  const marketing = (bid.marketing * left) / total;
  const state = left === 0n ? 'freed' : 'open';
  return { ...bid, own: left - marketing, marketing, cancelled: bid.cancelled + amount, state };
}

/** What was agreed of the loan that a lent project is. */
export function loanTerms(project: Project): LoanTerms {
  const { rate, penaltyRate, months, method, lentOn } = project;
  invariant(lentOn, `the project ${project.id} was lent`);
  return { rate, penaltyRate, months, method, lentOn };
}

/** What of a lent project is due on a date, and what its next instalment takes with it. Minor units. */
export function dueOn(project: Project, on: BusinessDate): { readonly due: Minor; readonly withNext: Minor } {
  const terms = loanTerms(project);
  const due = sumOf(addParts(dueAsOf(terms, project.loan, on)));
  const next = owedByPlan(terms, project.loan, on).find((each) => each.dueOn > on);
  return { due, withNext: due + (next === undefined ? 0n : sumOf(next)) };
}

/** What one claim gets of a payment. */
export interface ClaimLine extends Parts {
  readonly claim: Claim;
  /** What the platform takes of the interest. */
  readonly fee: Minor;
}

/**
 * Divides a payment among the claims by the principal that each still has, to the fen; the fee is cut from what each gets of the interest.
 * Of the principal nobody gets more than he has, and the last payment gives each exactly the rest.
 */
export function shareAmong(claims: readonly Claim[], parts: Parts, interestFee: number): ClaimLine[] {
  const open = claims.filter(({ left }) => left > 0n);
  const weights = open.map(({ left }) => left);
  const [principal, interest, penalty] = [parts.principal, parts.interest, parts.penalty].map((part) => shareOut(part, weights));
  return open.map((claim, place): ClaimLine => {
    const earned = interest?.[place] ?? 0n;
    const fee = (earned * BigInt(interestFee)) / BASIS_POINTS;
    return { claim, principal: principal?.[place] ?? 0n, interest: earned, penalty: penalty?.[place] ?? 0n, fee };
  });
}

/** The claims after these lines were paid. */
export function withPaid(claims: readonly Claim[], lines: readonly ClaimLine[]): Claim[] {
  const paid = new Map(lines.map((line) => [line.claim.id, line]));
  return claims.map((claim) => {
    const line = paid.get(claim.id);
    if (line === undefined) return claim;
    const earned = claim.earned + line.interest + line.penalty - line.fee;
    return { ...claim, left: claim.left - line.principal, earned, turn: claim.turn + 1 };
  });
}

/**
 * The project after a payment of its plan. Of one instalment its principal is paid last, so with the last fen of principal nothing else is
 * owed, and it is repaid.
 */
export function withLoan(project: Project, loan: LoanState, paid: Parts, nowMs: Instant): Project {
  const left = project.left - paid.principal;
  const after = { ...project, loan, left };
  return left > 0n ? after : { ...after, state: 'repaid', endedMs: nowMs };
}

/** Who may borrow how much, by the law (银监会令〔2016〕第1号第十七条): names of the dated parameters. */
export const CAPS = {
  person: { platform: 'lending.person.platform', all: 'lending.person.all' },
  company: { platform: 'lending.company.platform', all: 'lending.company.all' },
} as const;

/** What a borrower owes or is raising: on one platform and on all of the bank. Minor units. */
export interface Borrowed {
  readonly platform: Minor;
  readonly all: Minor;
}

/** @returns PROJECT_CAP with the cap that the amount would pass */
export function decideCap(
  kind: keyof typeof CAPS,
  amount: Minor,
  borrowed: Borrowed,
  today: BusinessDate,
  parameters: Dated,
): Refusal | undefined {
  for (const where of ['platform', 'all'] as const) {
    const cap = parameters.on(today, CAPS[kind][where]);
    const left = cap > borrowed[where] ? cap - borrowed[where] : 0n;
    if (amount > left) return refuse('PROJECT_CAP', undefined, { where, cap: String(cap), left: String(left) });
  }
  return undefined;
}

/**
 * Whether the bank takes such terms: no rate above what the law protects, an end that lies ahead, bounds that let it be raised.
 * @returns PROJECT_TERMS with the field that is wrong
 */
export function decideTerms(terms: ProjectTerms, nowMs: Instant, parameters: Dated): Refusal | undefined {
  const wrong = (pointer: string, detail: string) => refuse('PROJECT_TERMS', detail, { pointer });
  const most = parameters.on(naturalDate(nowMs), 'lending.rate-cap');
  if (terms.rate > most) return wrong('/rate', `The rate is above ${most} millionths a year.`);
  if (terms.penaltyRate > most) return wrong('/penaltyRate', `The rate is above ${most} millionths a year.`);
  if (terms.raiseUntilMs <= nowMs) return wrong('/raiseUntil', 'The end of the raising lies in the past.');
  const { lenderMin, lenderMax, amount } = terms;
  if (lenderMin !== null && lenderMin > amount) return wrong('/lenderMin', 'It is above the amount.');
  if (lenderMax !== null && lenderMax * BigInt(BIDS_MAX) < amount) return wrong('/lenderMax', 'So it takes too many lenders.');
  if (lenderMin !== null && lenderMax !== null && lenderMin > lenderMax) return wrong('/lenderMin', 'It is above the most.');
  if ((terms.mode === 'entrusted') !== (terms.payee !== null))
    return wrong('/payee', 'Who is paid in place of the borrower is named where the mode is entrusted.');
  if (feeOf(amount, terms.lendFee) >= amount) return wrong('/lendFee', 'The fee leaves nothing.');
  return undefined;
}

/** Whose word a project takes before anybody can lend to it. */
export const ROLES = ['borrower', 'guarantor'] as const;
export type Role = (typeof ROLES)[number];

export function rolesOf({ guarantor }: Pick<Project, 'guarantor'>): Role[] {
  return guarantor === null ? ['borrower'] : ['borrower', 'guarantor'];
}

export const accountOf = (project: Project, role: Role): Id | null => project[role];

/** Whether somebody may still be asked for his word, or give it. @returns PROJECT_STATE, PROJECT_WRONG_PARTY */
export function mayConfirm(project: Project, role: Role, nowMs: Instant): Refusal | undefined {
  if (accountOf(project, role) === null) return refuse('PROJECT_WRONG_PARTY', 'The project names nobody for it.', { role });
  return project.state !== 'registered' || nowMs >= project.raiseUntilMs ? notNow(project) : undefined;
}

/** What the sweep instructs for a project whose time is over. */
export function dueOf({ id, platformId, projectNo, turn }: Project) {
  return { platformId, requestNo: `raised:${id}:${turn}`, kind: 'miscarriage', data: { projectNo } };
}
