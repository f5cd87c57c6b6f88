import { type Id, invariant, type Minor, naturalDate, type Refusal, refuse } from '../../kernel/index.js';
import { ACCOUNT_TYPES, type HoldChange, type LedgerAccount, newAccount, post } from '../../ledger/index.js';
import { watchNameIndex } from '../../parties/index.js';
import { type Payout, payoutRecords } from '../../payouts/index.js';
import {
  type Counts,
  countedUp,
  countsKey,
  countsRecords,
  deadlineOf,
  isInForce,
  isKept,
  type Looked,
  lastPayoutRecords,
  listedRecords,
  minuteOf,
  payeeKey,
  payeeRecords,
  type Review,
  type ReviewHold,
  type ReviewRule,
  type ReviewTest,
  reasonsFor,
  reviewAskedRecords,
  reviewHoldRecords,
  reviewRecords,
} from '../../reviews/index.js';
import {
  type At,
  change,
  type Decision,
  type Effects,
  type Facts,
  type Kind,
  type Needs,
  type RecordChange,
  refused,
  type Waiting,
} from '../kind.js';
import { waitsNoMore } from '../orders/shortages.js';

/**
 * Whether two people look at an instruction before it is executed, by the rules of its platform. Asked here for every kind, once all else
 * would let it pass. A platform that never had a rule costs nothing.
 */

/** What is to be seen of every instruction of a platform with rules: whether it is in review already. */
export function reviewedNeeds(at: At): Needs {
  return at.reviewRules === undefined ? {} : { records: [[reviewRecords, at.instruction]] };
}

/** Whom an instruction concerns: what its rules look at, and what is counted up when it is executed. */
interface Concerned {
  /** What it takes of whom, but of the bank's working accounts. */
  readonly debits: readonly HoldChange[];
  /** What only passes through a customer's account and leaves it as it was: looked at like a debit, but nothing of it can be held. */
  readonly passing: readonly HoldChange[];
  /** Those of both that counters and payees are kept for: not an order, which is new each time. */
  readonly payers: readonly HoldChange[];
  readonly payees: readonly Id[];
  readonly payout: Payout | undefined;
}

function concerned(effects: Effects, facts: Facts): Concerned {
  const debits: HoldChange[] = [];
  const passing = (effects.through ?? []).map(({ account, amount }) => ({ account, amount }));
  const payers: HoldChange[] = [...passing];
  const payees: Id[] = [];
  for (const { account: id, amount } of effects.postings) {
    const account = facts.account(id);
    if (account === undefined || ACCOUNT_TYPES[account.type].belongsTo === 'bank') continue;
    if (amount < 0n) debits.push({ account: id, amount: -amount });
    if (amount < 0n && account.type !== 'order') payers.push({ account: id, amount: -amount });
    if (amount > 0n && isPayee(account)) payees.push(id);
  }
  const made = effects.records?.find(({ type }) => type === payoutRecords);
  return { debits, passing, payers, payees, payout: made?.row as Payout | undefined };
}

const isPayee = ({ type }: LedgerAccount) => type === 'sub' || type === 'class-2' || type === 'class-3';

function keptRules(kind: Kind, at: At): ReviewRule[] {
  const today = naturalDate(at.nowMs);
  return (at.reviewRules ?? []).filter((rule) => rule.kinds.includes(kind.name) && isKept(rule, today));
}

/** Whom accounts pay is kept of every kind: who was paid before was, in whatever way. */
function keepsPayees(at: At): boolean {
  const today = naturalDate(at.nowMs);
  return (at.reviewRules ?? []).some((rule) => rule.test.by === 'new-payee' && isKept(rule, today));
}

const tests = (rules: readonly ReviewRule[], by: ReviewTest['by']) => rules.some(({ test }) => test.by === by);

/**
 * What the rules of a platform have to see of an instruction, by what it would do as things stand; asked when all else is there. What was
 * decided by people is counted up by what was looked at then.
 */
export function reviewNeeds(kind: Kind, data: unknown, facts: Facts, at: At): Needs {
  const rules = keptRules(kind, at);
  if (rules.length === 0 && !keepsPayees(at)) return {};
  const reviewed = facts.record(reviewRecords, at.instruction);
  if (reviewed !== undefined) {
    const { subjects, pairs } = reviewed.lookedAt;
    return {
      records: [
        ...subjects.map((id) => [countsRecords, countsKey(id, kind.name, minuteOf(at.nowMs))] as const),
        ...pairs.map((key) => [payeeRecords, key] as const),
      ],
    };
  }
  const decision = kind.decide(data, facts, at);
  const of = 'postings' in decision ? concerned(decision, facts) : named(kind, data, facts, at);
  return { records: neededFor(of, rules, at) };
}

/** Where it could not be decided yet, since one before it in the batch may make it possible: all accounts that it names. */
function named(kind: Kind, data: unknown, facts: Facts, at: At): Concerned {
  const ids = [...(kind.needs(data, at).accounts ?? []), ...(kind.needsThen?.(data, facts, at).accounts ?? [])];
  const accounts = [...new Set(ids)].flatMap((id) => facts.account(id) ?? []);
  const own = accounts.filter(({ type }) => ACCOUNT_TYPES[type].belongsTo !== 'bank' && type !== 'order');
  const debits = own.map(({ id: account }) => ({ account, amount: 0n }));
  const few = own.length <= NAMED_MAX;
  return { debits, passing: [], payers: few ? debits : [], payees: own.filter(isPayee).map(({ id }) => id), payout: undefined };
}

const NAMED_MAX = 4; // beyond, pairs of all of them are many: the instruction is the first of the next batch

function neededFor(
  { payers, payees, payout }: Concerned,
  rules: readonly ReviewRule[],
  at: At,
): NonNullable<Needs['records']>[number][] {
  const records: NonNullable<Needs['records']>[number][] = [];
  const sources = [...payers.map(({ account }) => account), ...(payout === undefined ? [] : [payout.sourceAccountId])];
  if (tests(rules, 'velocity')) for (const key of countKeys(payers, kindsOf(rules), at)) records.push([countsRecords, key]);
  if (keepsPayees(at)) for (const { key } of pairsOf({ payers, payees, payout }, at)) records.push([payeeRecords, key]);
  if (tests(rules, 'new-payee') || tests(rules, 'changed-account'))
    for (const account of sources) records.push([lastPayoutRecords, account]);
  if (tests(rules, 'list-hit')) for (const key of listedKeys({ payers, payees, payout }, at)) records.push([listedRecords, key]);
  return records;
}

function kindsOf(rules: readonly ReviewRule[]): string[] {
  return [...new Set(rules.flatMap(({ test, kinds }) => (test.by === 'velocity' ? kinds : [])))];
}

function countKeys(payers: Concerned['payers'], kinds: readonly string[], at: At): string[] {
  const subjects = [at.platformId, ...payers.map(({ account }) => account)];
  return subjects.flatMap((subject) => kinds.map((kind) => countsKey(subject, kind, minuteOf(at.nowMs))));
}

interface Pair {
  readonly key: string;
  readonly payer: Id;
  readonly payee: Id | null;
}

function pairsOf({ payers, payees, payout }: Pick<Concerned, 'payers' | 'payees' | 'payout'>, at: At): Pair[] {
  const within = payers.flatMap(({ account: payer }) =>
    payees.filter((payee) => payee !== payer).map((payee) => ({ key: payeeKey(payer, payee), payer, payee: payee as Id | null })),
  );
  if (payout === undefined) return within;
  // Who pays a refund is the order's payer himself; an order is new each time, so only accounts have payees outside.
  const outside = payers.map(({ account: payer }) => ({ key: payeeKey(payer, outsideOf(payout, at)), payer, payee: null }));
  return [...within, ...outside];
}

function outsideOf({ payee }: Payout, { vault }: At): string {
  return vault.index('review-payee', `${vault.read(payee.account)} ${payee.bankCode}`).toString('hex');
}

function listedKeys({ payers, payees, payout }: Pick<Concerned, 'payers' | 'payees' | 'payout'>, at: At): string[] {
  const name = payout === undefined ? [] : [payeeName(payout, at)];
  return [...payers.map(({ account }) => account as string), ...payees, ...name];
}

function payeeName({ payee }: Payout, { vault }: At): string {
  return `name:${watchNameIndex(vault, vault.read(payee.name)).toString('hex')}`;
}

/** What has ended by people or by its deadline against the instruction. */
export function reviewRefusal(facts: Facts, at: At): Refusal | undefined {
  if (at.reviewRules === undefined) return undefined;
  const state = facts.record(reviewRecords, at.instruction)?.state;
  if (state === 'rejected') return refuse('REVIEW_REJECTED');
  return state === 'lapsed' ? refuse('REVIEW_LAPSED') : undefined;
}

/** The money that is held for the review of this instruction, which is to be let go before it is decided anew. */
export function heldForReview(facts: Facts, at: At): readonly ReviewHold[] {
  if (at.reviewRules === undefined) return [];
  return facts.record(reviewRecords, at.instruction)?.held.filter(({ open }) => open) ?? [];
}

/** What is written when that money is let go, or held again. */
export function reviewHolds(held: readonly ReviewHold[], open: boolean, facts: Facts, at: At): RecordChange[] {
  const review = facts.record(reviewRecords, at.instruction);
  const after = held.map((hold) => ({ ...hold, open }));
  return [
    ...(review === undefined ? [] : [change(reviewRecords, at.instruction, { ...review, held: after })]),
    ...after.map((hold) => change(reviewHoldRecords, `${hold.instruction}/${hold.accountId}`, hold)),
  ];
}

/**
 * The decision as it was, with what the rules count; or that it is in review, with what is held for it. Where something that a rule looks at
 * was not loaded, the instruction is the first of the next batch.
 */
export function withReview(kind: Kind, data: unknown, effects: Effects, facts: Facts, at: At): Decision {
  const kept = keptRules(kind, at);
  const review = at.reviewRules === undefined ? undefined : facts.record(reviewRecords, at.instruction);
  if (kept.length === 0 && review === undefined && !keepsPayees(at)) return effects;
  const of = concerned(effects, facts);
  if (review !== undefined) {
    invariant(review.state !== 'open', 'what people still look at is in no batch');
    if (isOvertaken(review, of, at)) return refused(refuse('REVIEW_OVERTAKEN'));
    return { ...effects, records: [...(effects.records ?? []), ...countedUpFor(kind, of, kept, facts, at)] };
  }
  if (neededFor(of, kept, at).some(([type, key]) => facts.record(type, key) === undefined)) return { waits: 'next-batch' };
  const inForce = kept.filter((rule) => isInForce(rule, naturalDate(at.nowMs)));
  const reasons = reasonsFor(inForce, lookedAt(effects, of, kept, facts, at), at.nowMs);
  if (reasons.length === 0)
    return { ...effects, records: [...(effects.records ?? []), ...countedUpFor(kind, of, kept, facts, at)] };
  const hopeless = cannotBePosted(effects, facts, at);
  if (hopeless !== undefined) return refused(hopeless);
  const hit = inForce.filter(({ id }) => reasons.some(({ rule }) => rule === id));
  const question = asked(kind, effects, of, { reasons, ...deadlineOf(hit, at.nowMs) }, at);
  // What had waited for money has it now: it keeps nothing from others any more, and comes back by the review alone.
  const left = [...waitsNoMore('covered', facts, at), ...(kind.whenInReview?.(data, facts, at) ?? [])];
  return { ...question, records: [...question.records, ...left] };
}

/** Whether it would now take more than was looked at, or pay somebody who was not: people said yes to something else. */
function isOvertaken({ amount, lookedAt: { payees } }: Review, of: Concerned, at: At): boolean {
  return takenBy(of) > amount || shownPayees(of, at).some((payee) => !payees.includes(payee));
}

const takenBy = ({ debits, passing }: Concerned): Minor => [...debits, ...passing].reduce((sum, { amount }) => sum + amount, 0n);

/** All who are paid; one outside by the blind indexes of his account and of his name, since each of them can be changed. */
function shownPayees({ payees, payout }: Concerned, at: At): string[] {
  return [...payees, ...(payout === undefined ? [] : [outsideOf(payout, at), payeeName(payout, at)])];
}

function lookedAt(effects: Effects, of: Concerned, kept: readonly ReviewRule[], facts: Facts, at: At): Looked {
  const { payout } = of;
  const isListed = (key: string) => facts.record(listedRecords, key)?.listed === true;
  const isLast = (account: Id) => {
    const last = facts.record(lastPayoutRecords, account)?.payee;
    if (last == null || payout === undefined) return undefined;
    const same = at.vault.read(last.account) === at.vault.read(payout.payee.account);
    return same && last.bankCode === payout.payee.bankCode;
  };
  const pays = payout !== undefined && payout.orderNo === null ? [payout.sourceAccountId] : [];
  return {
    amount: takenBy(of),
    payers: of.payers,
    deviation: effects.deviation,
    newPayees: tests(kept, 'new-payee')
      ? pairsOf(of, at).filter(
          ({ key, payer, payee }) =>
            facts.record(payeeRecords, key)?.seen === false && !(payee === null && isLast(payer) === true),
        )
      : [],
    listed: [...of.payers.map(({ account }) => account), ...of.payees].filter(isListed),
    payeeListed: payout !== undefined && tests(kept, 'list-hit') && isListed(payeeName(payout, at)),
    changed: pays.filter((account) => isLast(account) === false),
    counts: (per, account, kinds) =>
      kinds.flatMap((kind) => {
        const key = countsKey(per === 'platform' ? at.platformId : account, kind, minuteOf(at.nowMs));
        return facts.record(countsRecords, key) ?? [];
      }),
  };
}

/** What the ledger would refuse anyway, which a hold alone would not find out: it posts to copies of the accounts. */
function cannotBePosted(effects: Effects, facts: Facts, at: At): Refusal | undefined {
  const copies = new Map<Id, LedgerAccount>(
    (effects.opens ?? []).map(({ id, type }) => [id, newAccount(id, at.platformId, type)] as const),
  );
  const find = (id: Id): LedgerAccount => {
    const account = copies.get(id) ?? facts.account(id);
    invariant(account, `account ${id} is in the working set`);
    const copy = copies.get(id) ?? { ...account };
    copies.set(id, copy);
    return copy;
  };
  const stamp = { instruction: at.instruction, businessDate: at.book.businessDate, postedMs: at.nowMs };
  const posted = post(effects, stamp, find);
  return 'code' in posted ? posted : undefined;
}

function asked(
  kind: Kind,
  effects: Effects,
  of: Concerned,
  why: Pick<Review, 'reasons' | 'dueMs' | 'onDeadline'>,
  at: At,
): Extract<Waiting, { waits: 'review' }> {
  const { instruction, platformId } = at;
  const held: ReviewHold[] = notHeldYet(of, effects).map(({ account: accountId, amount }) => ({
    ...{ instruction, accountId, platformId, amount, open: true },
  }));
  const review: Review = {
    ...{ instruction, platformId, shardId: at.book.shardId, kind: kind.name, state: 'open' as const, held, ...why },
    ...{ amount: takenBy(of), askedMs: at.nowMs, decidedMs: null },
    lookedAt: {
      subjects: [platformId, ...of.payers.map(({ account }) => account)],
      pairs: pairsOf(of, at).map(({ key }) => key),
      payees: shownPayees(of, at),
    },
  };
  return {
    waits: 'review',
    holds: held.map(({ accountId, amount }) => ({ account: accountId, amount })),
    records: [
      change(reviewRecords, instruction, review),
      ...held.map((hold) => change(reviewHoldRecords, `${instruction}/${hold.accountId}`, hold)),
      change(reviewAskedRecords, instruction, { instruction, askedMs: at.nowMs, reasons: why.reasons }),
    ],
  };
}

/** What a hold keeps already that this instruction uses up need not be held again. */
function notHeldYet({ debits }: Concerned, { holds }: Effects): HoldChange[] {
  return debits.flatMap(({ account, amount }) => {
    const freed = (holds ?? []).reduce(
      (sum, of) => (of.account === account && of.amount < 0n ? sum - of.amount : sum),
      0n as Minor,
    );
    return amount > freed ? [{ account, amount: amount - freed }] : [];
  });
}

/** The counters and payees after it is executed, as far as they were loaded. */
function countedUpFor(kind: Kind, of: Concerned, kept: readonly ReviewRule[], facts: Facts, at: At): RecordChange[] {
  const changes: RecordChange[] = [];
  const minute = minuteOf(at.nowMs);
  const count = (subject: Id, amount: Minor) => {
    const key = countsKey(subject, kind.name, minute);
    const counts: Counts | undefined = facts.record(countsRecords, key);
    if (counts !== undefined) changes.push(change(countsRecords, key, countedUp(counts, amount, at.nowMs)));
  };
  if (tests(kept, 'velocity')) {
    count(at.platformId, takenBy(of));
    for (const { account, amount } of of.payers) count(account, amount);
  }
  if (keepsPayees(at))
    for (const { key } of pairsOf(of, at))
      if (facts.record(payeeRecords, key)?.seen === false)
        changes.push(change(payeeRecords, key, { key, seen: true, platformId: at.platformId }));
  return changes;
}
