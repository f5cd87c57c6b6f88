import {
  addDays,
  addMonths,
  type BusinessDate,
  type Instant,
  type Minor,
  naturalDate,
  type Refusal,
  type RefusalCode,
  refuse,
  startOfDay,
  toWire,
} from '../kernel/index.js';
import type { Posting } from '../ledger/index.js';
import { isIdTaskOverdue } from '../parties/index.js';
import type { Parameters } from '../runtime/index.js';
import type { ElectronicAccount, LimitUse } from './electronic.js';

/**
 * What the law lets an electronic account do, applied to every posting on it (银发〔2015〕392号, 〔2016〕261号, 〔2016〕302号, 〔2018〕16号).
 * Pure. Days are natural days in Shanghai, years calendar years; each limit is the row in force on the day.
 */
export interface Passage {
  readonly account: ElectronicAccount;
  /** The use of all electronic accounts that the owner has at the bank, this one's among them. */
  readonly uses: readonly LimitUse[];
  /** Credit positive, debit negative. */
  readonly amount: Minor;
  readonly flow: Flow;
  /** The owner stands at the counter. */
  readonly atCounter?: boolean;
  readonly balanceAfter: Minor;
  /** What may still come on it without being asked: out of it and not with the payee yet, or being collected for it. */
  readonly reserved: Minor;
  /** The ledger lets nothing leave it. */
  readonly frozen: boolean;
  readonly nowMs: Instant;
  readonly parameters: Parameters;
}

/** With whom, as a posting says it. */
type Flow = NonNullable<Posting['flow']>;

/** What a posting leaves behind on the account, on the use of the limits, and of the owner's duties. */
export interface Counted {
  readonly account: ElectronicAccount;
  readonly uses: readonly LimitUse[];
  /** Two-way turnover of the owner's Class III accounts has reached the mark: until then a copy of his ID must be there. */
  readonly idTaskDueMs?: Instant;
}

/** Checks one posting and counts it, or says why the law forbids it. Refusals stand in the order in which they are to be found. */
export function countPassage(passage: Passage): Counted | Refusal {
  const { account, amount, flow, nowMs } = passage;
  const today = naturalDate(nowMs);
  const refusal =
    standingRefusal(account, businessOf(passage), nowMs, passage.parameters) ??
    frozenRefusal(passage) ??
    productRefusal(passage) ??
    inflowRefusal(passage) ??
    bucketRefusal(passage, today) ??
    capRefusal(passage, today);
  if (refusal !== undefined) return refusal;
  const uses = passage.uses.map((use) =>
    use.accountId === account.accountId ? used(rolled(use, today), amount, flow, today) : use,
  );
  // Only its owner's renewed verification ends dormancy, not money that others send.
  const aliveMs = isNoUse(flow) || isDormant(account, today, passage.parameters) ? account.aliveMs : null;
  const funded = account.funded || (flow === 'bound' && amount > 0n);
  const after = aliveMs === account.aliveMs && funded === account.funded ? account : { ...account, aliveMs, funded };
  const dueMs = idTaskOf(after, uses, today, passage.parameters);
  if (dueMs === undefined) return { account: after, uses };
  return { account: { ...after, owner: { ...after.owner, idTaskDueMs: dueMs } }, uses, idTaskDueMs: dueMs };
}

/**
 * As what the money of lending counts on an electronic account: by itself in no bucket of a day or year, as the accounts were that banks
 * kept for lending platforms; in all of them where the bank set it so.
 */
export function lendingFlow(parameters: Parameters, today: BusinessDate): 'product' | 'unbound' {
  return parameters.on(today, 'class-2.lending-counted') === 1n ? 'unbound' : 'product';
}

/**
 * What is done with an account: `out` is business of its owner outside the counter, `counter` the same with him standing there; `in` is
 * money that comes; `exempt` money that must come back, what an investment of his brings, or the bank's own: one of several who lent
 * together must not keep the others from theirs.
 */
export type Business = 'out' | 'counter' | 'in' | 'exempt';

function businessOf({ amount, flow, atCounter }: Passage): Business {
  if (amount < 0n) return atCounter ? 'counter' : 'out';
  return isNoUse(flow) || flow === 'product' ? 'exempt' : 'in';
}

/** What must come back, and the bank's own interest: no use of the account. */
function isNoUse(flow: Flow): boolean {
  return flow === 'exempt' || flow === 'back';
}

/** A court, or the bank, keeps what is on it: told before anybody is asked whether he wants it to leave. */
export function frozenRefusal({ account, amount, frozen }: Pick<Passage, 'account' | 'amount' | 'frozen'>): Refusal | undefined {
  if (amount > 0n || !frozen) return undefined;
  return refuse('ACCOUNT_FROZEN', undefined, { account: toWire('account', account.accountId) });
}

/** Six months without use since the opening (银发〔2016〕261号, 一(二)). */
function isDormant({ aliveMs }: ElectronicAccount, today: BusinessDate, parameters: Parameters): boolean {
  return aliveMs !== null && addMonths(naturalDate(aliveMs), Number(parameters.on(today, 'dormancy.months'))) <= today;
}

/** The stops that an owner who comes to the counter in person does not run into: the bank has him there to ask. */
const STOPS_OUTSIDE_ONLY = ['mobile-shared'];

/** Whether the account may be used at all: its own state, its owner's standing, six months without use. */
export function standingRefusal(
  account: ElectronicAccount,
  business: Business,
  nowMs: Instant,
  parameters: Parameters,
): Refusal | undefined {
  const no = (code: RefusalCode, fields: Record<string, unknown> = {}) =>
    refuse(code, undefined, { account: toWire('account', account.accountId), ...fields });
  if (account.state === 'closed') return no('ACCOUNT_CLOSED');
  if (business === 'exempt') return undefined;
  if (account.state === 'closing') return no('ACCOUNT_CLOSING');
  if (account.state === 'blocked') return no('ACCOUNT_BLOCKED');
  const { owner } = account;
  if (business === 'counter')
    return owner.stopped === null || STOPS_OUTSIDE_ONLY.includes(owner.stopped) ? undefined : no('CUSTOMER_STOPPED');
  if (account.class === 3 && isIdTaskOverdue(owner, nowMs)) return no('CUSTOMER_STOPPED', { reason: 'id-document' });
  const today = naturalDate(nowMs);
  if (business === 'in' && parameters.on(today, 'stopped.credits') === 1n) return undefined;
  if (owner.stopped !== null) return no('CUSTOMER_STOPPED');
  const grace = Number(parameters.on(today, 'id-expiry.grace-days'));
  if (owner.idExpires !== null && addDays(owner.idExpires, grace) < today)
    return no('ID_DOCUMENT_EXPIRED', { expired: owner.idExpires });
  return isDormant(account, today, parameters) ? no('ACCOUNT_DORMANT') : undefined;
}

/** A Class III account is for small payments: nothing is invested from it (银发〔2016〕302号; a Class II account may, without a limit). */
function productRefusal({ account, flow }: Pick<Passage, 'account' | 'flow'>): Refusal | undefined {
  if (flow !== 'product' || account.class === 2) return undefined;
  return refuse('PRODUCT_NOT_ALLOWED', undefined, { account: toWire('account', account.accountId) });
}

/** Others may pay into Class II once the person was seen face to face, into Class III once the bound account has paid in. */
function inflowRefusal({ account, amount, flow }: Passage): Refusal | undefined {
  if (amount < 0n || flow !== 'unbound') return undefined;
  const where = { account: toWire('account', account.accountId) };
  if (account.class === 2 && !account.faceToFace) return refuse('INFLOW_NOT_CONFIRMED', undefined, where);
  if (account.class === 3 && !account.funded) return refuse('INFLOW_NOT_ACTIVATED', undefined, where);
  return undefined;
}

/** One bucket of a limit: what is left of it now. */
export interface Quota {
  readonly bucket: 'out.day' | 'out.year' | 'in.day' | 'in.year';
  readonly limit: Minor;
  readonly used: Minor;
  readonly left: Minor;
}

interface Bucket {
  readonly code: RefusalCode;
  readonly used: (use: LimitUse) => Minor;
  /** The parameter of each class. */
  readonly names: Readonly<Record<2 | 3, string>>;
}

const BUCKETS: Readonly<Record<Quota['bucket'], Bucket>> = {
  'out.day': { code: 'LIMIT_OUT_DAY', used: (use) => use.dayOut, names: { 2: 'class-2.out.day', 3: 'class-3.out.day' } },
  'out.year': { code: 'LIMIT_OUT_YEAR', used: (use) => use.yearOut, names: { 2: 'class-2.out.year', 3: 'class-3.out.year' } },
  'in.day': { code: 'LIMIT_IN_DAY', used: (use) => use.dayIn, names: { 2: 'class-2.in.day', 3: 'class-3.in.day' } },
  'in.year': { code: 'LIMIT_IN_YEAR', used: (use) => use.yearIn, names: { 2: 'class-2.in.year', 3: 'class-3.in.year' } },
};
const OUT = ['out.day', 'out.year'] as const;
const IN = ['in.day', 'in.year'] as const;

/**
 * The four buckets of an account on a day. They count the account alone or, where the bank set it so, all accounts of its class that
 * the owner has at the bank.
 */
export function quotasOf(
  account: Pick<ElectronicAccount, 'accountId' | 'class'>,
  uses: readonly LimitUse[],
  today: BusinessDate,
  parameters: Parameters,
): Quota[] {
  const counted = countedUses(account, uses, today, parameters);
  return (Object.keys(BUCKETS) as Quota['bucket'][]).map((bucket) => {
    const { used: of, names } = BUCKETS[bucket];
    const limit = parameters.on(today, names[account.class]);
    const used = counted.reduce((total, use) => total + of(use), 0n);
    return { bucket, limit, used, left: limit > used ? limit - used : 0n };
  });
}

function countedUses(
  { accountId, class: level }: Pick<ElectronicAccount, 'accountId' | 'class'>,
  uses: readonly LimitUse[],
  today: BusinessDate,
  parameters: Parameters,
): LimitUse[] {
  const together = parameters.on(today, 'limits.per-customer') === 1n;
  const counted: LimitUse[] = [];
  for (const use of uses) if (together ? use.class === level : use.accountId === accountId) counted.push(rolled(use, today));
  return counted;
}

function bucketRefusal({ account, uses, amount, flow, parameters }: Passage, today: BusinessDate): Refusal | undefined {
  if (flow !== 'unbound') return undefined;
  const asked = amount < 0n ? -amount : amount;
  const counted = countedUses(account, uses, today, parameters);
  for (const bucket of amount < 0n ? OUT : IN) {
    const { used: of, names, code } = BUCKETS[bucket];
    const limit = parameters.on(today, names[account.class]);
    let used = asked;
    for (const use of counted) used += of(use);
    if (used <= limit) continue;
    const left = limit + asked > used ? limit + asked - used : 0n;
    return refuse(code, undefined, {
      account: toWire('account', account.accountId),
      limit: String(limit),
      left: String(left),
    });
  }
  return undefined;
}

/** The most that may stand on an account of this class; undefined: no cap. */
export function balanceCap(of: 2 | 3, today: BusinessDate, parameters: Parameters): Minor | undefined {
  return of === 3 ? parameters.on(today, 'class-3.balance') : undefined;
}

/**
 * Room is kept for what comes without being asked: a credit that can be refused must not push a collection, or a withdrawal that fails,
 * over the cap. What only comes back from a payment that never happened was the owner's all the time: no cap refuses that.
 */
function capRefusal(passage: Passage, today: BusinessDate): Refusal | undefined {
  const { account, amount, flow, balanceAfter, reserved, parameters } = passage;
  const cap = balanceCap(account.class, today, parameters);
  if (amount < 0n || flow === 'back' || cap === undefined || balanceAfter + reserved <= cap) return undefined;
  return refuse('BALANCE_CAP', undefined, { account: toWire('account', account.accountId), cap: String(cap) });
}

/** The same use seen from a later day: what belonged to another day or year is gone. */
function rolled(use: LimitUse, today: BusinessDate): LimitUse {
  if (use.day >= today) return use;
  const sameYear = use.day.slice(0, 4) === today.slice(0, 4);
  return { ...use, day: today, dayIn: 0n, dayOut: 0n, yearIn: sameYear ? use.yearIn : 0n, yearOut: sameYear ? use.yearOut : 0n };
}

function used(use: LimitUse, amount: Minor, flow: Flow, today: BusinessDate): LimitUse {
  const size = amount < 0n ? -amount : amount;
  if (flow === 'exempt' || flow === 'back') return use;
  if (typeof flow === 'object') {
    if (naturalDate(flow.reversal) !== today) return use;
    // A credit undoes a debit: it gives back what went out; a debit gives back what came in.
    const less = (value: Minor) => (value > size ? value - size : 0n);
    return amount > 0n
      ? { ...use, dayOut: less(use.dayOut), yearOut: less(use.yearOut), turnover: less(use.turnover) }
      : { ...use, dayIn: less(use.dayIn), yearIn: less(use.yearIn), turnover: less(use.turnover) };
  }
  const turnover = use.turnover + size;
  if (flow === 'bound' || flow === 'product') return { ...use, turnover };
  return amount < 0n
    ? { ...use, turnover, dayOut: use.dayOut + size, yearOut: use.yearOut + size }
    : { ...use, turnover, dayIn: use.dayIn + size, yearIn: use.yearIn + size };
}

/** From the day on which the turnover reached the mark the owner has seven days; when the eighth begins, his Class III accounts stop. */
function idTaskOf(
  account: ElectronicAccount,
  uses: readonly LimitUse[],
  today: BusinessDate,
  parameters: Parameters,
): Instant | undefined {
  const { owner } = account;
  if (account.class !== 3 || owner.documented || owner.idTaskDueMs !== null) return undefined;
  const turnover = uses.reduce((sum, use) => sum + (use.class === 3 ? use.turnover : 0n), 0n);
  if (turnover < parameters.on(today, 'class-3.turnover')) return undefined;
  return startOfDay(addDays(today, Number(parameters.on(today, 'class-3.turnover.days')) + 1));
}
