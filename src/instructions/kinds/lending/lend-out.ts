import { z } from 'zod';
import { type Id, type Minor, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import { type HoldChange, isElectronic } from '../../../ledger/index.js';
import {
  advancedRecords,
  BIDS_MAX,
  type Bid,
  bidRecords,
  bidTotal,
  type Claim,
  claimRecords,
  feeOf,
  lendingTermsRecords,
  newLoan,
  notNow,
  notRaising,
  openBidRecords,
  type Project,
  toRaise,
} from '../../../lending/index.js';
import { wireId } from '../../../runtime/index.js';
import { mayAct } from '../../judging/limits.js';
import { type At, change, type Facts, type Kind, refused } from '../../kind.js';
import {
  caughtOn,
  claimsChange,
  ofProject,
  openBidsOn,
  projectChange,
  projectIn,
  projectNeeds,
  projectNo,
  Sums,
} from './project.js';

const lendSchema = z.strictObject({
  projectNo,
  to: wireId('account').optional().meta({
    description: 'Where the platform means the money to go: nowhere but to the borrower, or the payee that he confirmed',
  }),
});

/**
 * A full project is lent out, once: all bids at the same moment, from each lender to the borrower, or to the payee whom he confirmed. Nobody is
 * asked again: each wanted it when he bid. The platform's fee goes out of the proceeds.
 */
export const lendOut: Kind<z.output<typeof lendSchema>> = {
  name: 'lend-out',
  en: 'Lending out of a full project',
  zh: '满标放款',
  origins: ['P'],
  proof: 'conditions',
  schema: lendSchema,
  example: { projectNo: 'LP-1003' },
  needs: (data, at) => ({
    accounts: [at.book.accounts.commission, at.book.accounts.marketing],
    records: [...projectNeeds(data, at), [lendingTermsRecords, at.platformId], [advancedRecords, at.platformId]],
  }),
  needsThen: ofProject(openBidRecords, claimRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    const advance = advanceFor(project, facts, at);
    if (advance !== undefined && 'code' in advance) return refused(advance);
    const { to } = data;
    const receiver = project.payee ?? project.borrower;
    if (to !== undefined && to !== receiver)
      return refused(refuse('LENDING_NOT_DIRECT', undefined, { account: toWire('account', to) }));
    const { borrower } = project;
    const unwilling = isElectronic(facts.account(borrower)?.type) ? mayAct(facts, at, borrower) : undefined;
    const unfit = unwilling ?? caughtOn(receiver, facts);
    if (unfit !== undefined) return refused(unfit);
    const bids = openBidsOn(project, facts);
    const fee = feeOf(project.amount, project.lendFee);
    const sums = new Sums();
    for (const { account, own } of bids) sums.add(account, -own);
    sums.add(at.book.accounts.marketing, -bids.reduce((sum, { marketing }) => sum + marketing, 0n));
    if (advance !== undefined) sums.add(advance.account, -advance.amount);
    sums.add(receiver, project.amount - fee).add(at.book.accounts.commission, fee);
    const claims = claimsOf(project, bids, advance, at);
    const lent: Project = {
      ...{ ...project, state: 'lent', lentOn: at.book.businessDate, loan: newLoan(project.amount), left: project.amount },
      ...{ bids: 0, claims: project.claims + claims.length, dueMs: null },
    };
    return {
      postings: sums.postings(facts, at),
      holds: freed(bids, at),
      records: [
        projectChange(lent, at),
        claimsChange(project, claims),
        ...bids.map((bid) => change(bidRecords, bid.id, { ...bid, state: 'lent' as const })),
        ...(advance === undefined ? [] : [change(advancedRecords, at.platformId, { outstanding: advance.outstanding })]),
      ],
      result: { lent: String(project.amount), fee: String(fee), paid: String(project.amount - fee), claims: claims.length },
    };
  },
};

interface Advance {
  readonly account: Id;
  readonly amount: Minor;
  /** What the platform's advances stand at with this one. */
  readonly outstanding: Minor;
}

/**
 * What the platform pays in before its lenders do (垫付): the rest of a project of that mode, out of its own advance account and up to the
 * ceiling that two people agreed, while it can be lent to. No other project is lent out before it is full.
 * @returns undefined of a project that is full; LENDING_MODE, PROJECT_STATE, BIDS_MAX, ADVANCE_CEILING
 */
function advanceFor(project: Project, facts: Facts, at: At): Advance | Refusal | undefined {
  const terms = facts.record(lendingTermsRecords, at.platformId);
  if (project.mode !== 'direct' && terms?.[project.mode] !== true)
    return refuse('LENDING_MODE', undefined, { mode: project.mode });
  if (project.state === 'full') return undefined;
  const account = terms?.advanceAccountId ?? null;
  if (project.mode !== 'advance' || account === null) return notNow(project);
  const over = notRaising(project, at.nowMs);
  if (over !== undefined) return over;
  // The advance is a claim besides those of the bids, and so many are paid in one instruction at most.
  if (project.bids >= BIDS_MAX) return refuse('BIDS_MAX', undefined, { most: BIDS_MAX });
  const amount = toRaise(project);
  const before = facts.record(advancedRecords, at.platformId)?.outstanding ?? 0n;
  const ceiling = terms?.advanceCeiling ?? 0n;
  if (before + amount > ceiling)
    return refuse('ADVANCE_CEILING', undefined, { ceiling: String(ceiling), left: String(ceiling - before) });
  return { account, amount, outstanding: before + amount };
}

/**
 * Every bid is a claim at face; what the platform added to it is the lender's. What the platform paid in is its own claim, until lenders buy it
 * at face or the borrower pays it back.
 */
function claimsOf({ claims: before }: Project, bids: readonly Bid[], advance: Advance | undefined, at: At): Claim[] {
  const lent = [
    ...bids.map((bid) => ({ id: bid.id, account: bid.account, principal: bidTotal(bid) })),
    ...(advance === undefined ? [] : [{ id: at.instruction, account: advance.account, principal: advance.amount }]),
  ];
  return lent.map((each, place) => ({ ...each, no: before + place + 1, left: each.principal, earned: 0n, turn: 0 }));
}

function freedBid(bid: Bid): Bid {
  return { ...bid, own: 0n, marketing: 0n, cancelled: bid.cancelled + bidTotal(bid), state: 'freed' };
}

/** What is not held any more when these bids are over. */
function freed(bids: readonly Bid[], at: At): HoldChange[] {
  const sums = new Sums();
  for (const { account, own, marketing } of bids) sums.add(account, -own).add(at.book.accounts.marketing, -marketing);
  return sums.entries().map(([account, amount]) => ({ account, amount }));
}

const miscarrySchema = z.strictObject({ projectNo });

/**
 * A project that is not lent out gives everything back: all that is held for it is free at the same moment, or nothing is. The bank does it by
 * itself when the time to raise is over. One that nobody could lend to yet is cancelled by it.
 */
export const miscarriage: Kind<z.output<typeof miscarrySchema>> = {
  name: 'miscarriage',
  en: 'Miscarriage of a project',
  zh: '流标',
  origins: ['P', 'S', 'O'],
  proof: 'reservation',
  schema: miscarrySchema,
  example: { projectNo: 'LP-1002' },
  needs: (data, at) => ({ accounts: [at.book.accounts.marketing], records: projectNeeds(data, at) }),
  needsThen: ofProject(openBidRecords),
  decide(data, facts, at) {
    const project = projectIn(data, facts, at);
    if ('code' in project) return refused(project);
    if (!['registered', 'raising', 'full'].includes(project.state)) return refused(notNow(project));
    const early = tooEarly(project, at);
    if (early !== undefined) return refused(early);
    const bids = openBidsOn(project, facts);
    const state = project.state === 'registered' ? ('cancelled' as const) : ('miscarried' as const);
    const over: Project = { ...project, state, raised: 0n, bids: 0, dueMs: null, endedMs: at.nowMs };
    return {
      postings: [],
      holds: freed(bids, at),
      records: [projectChange(over, at), ...bids.map((bid) => change(bidRecords, bid.id, freedBid(bid)))],
      result: { freed: String(project.raised) },
    };
  },
  whenRefused(data, facts, at) {
    const project = projectIn(data, facts, at);
    if (at.origin !== 'S' || 'code' in project || project.dueMs === null) return [];
    return [projectChange({ ...project, turn: project.turn + 1 }, at)];
  },
};

/** The bank ends nothing by itself before its time, which may have moved since the sweep looked. */
function tooEarly(project: Project, at: At): Refusal | undefined {
  const early = at.origin === 'S' && at.book.business !== 'winding-up' && (project.dueMs === null || project.dueMs > at.nowMs);
  return early ? notNow(project) : undefined;
}
