import {
  type BusinessDate,
  daysBetween,
  type Id,
  type Instant,
  type Minor,
  naturalDate,
  type Refusal,
  refuse,
  toRfc3339,
} from '../kernel/index.js';
import type { Party, Plan, PlanExit, PlanLine, PlanStage, Term } from './plan.js';

/** How a stage ended: met; failed at its deadline; unpaid in time; cancelled with the one before it; by an exit; decided by the bank. */
export const ENDINGS = ['met', 'failed', 'unpaid', 'cancelled', 'exited', 'decided'] as const;
export type How = (typeof ENDINGS)[number];

/** What became of a stage so far. */
export interface StageState {
  readonly key: string;
  readonly funded: Minor;
  /** When all of its amount was there. */
  readonly fundedMs: Instant | null;
  readonly end: StageEnd | null;
}

export interface StageEnd {
  readonly how: How;
  /** When it came about, however late the books were told. */
  readonly atMs: Instant;
  readonly instruction: Id;
  readonly postedMs: Instant;
  /** What of it went to whom; `payers` is what goes back. */
  readonly paid: readonly { readonly to: string; readonly amount: Minor }[];
}

/** A yes that a party gave: to a stage, an exit, the deal itself (`accept`), or against a stage (`<stage>:objection`). */
export interface Given {
  readonly item: string;
  readonly role: string;
  readonly atMs: Instant;
}

/** What two people of the bank decided of a stage or exit: that it is met as far as it is theirs, or who gets what of it. */
export interface Decided {
  readonly item: string;
  readonly lines: readonly PlanLine[] | null;
  readonly atMs: Instant;
}

/** A deal as the books have it. */
export interface Deal {
  readonly id: Id;
  readonly platformId: Id;
  readonly escrowNo: string;
  readonly plan: Plan;
  readonly openedMs: Instant;
  readonly stages: readonly StageState[];
  readonly given: readonly Given[];
  readonly decided: readonly Decided[];
  /** Counted up when an instruction of the system was refused, so that the next has a number of its own. */
  readonly turn: number;
  /** When time alone, or what was confirmed, has something to do. */
  readonly dueMs: Instant | null;
  readonly endedMs: Instant | null;
}

/** What one order of a deal brought for one stage, and what became of it. */
export interface Fund {
  readonly orderId: Id;
  readonly orderNo: string;
  readonly stage: string;
  readonly amount: Minor;
  readonly released: Minor;
  readonly back: Minor;
  /** What of `back` was sent on its way. */
  readonly sent: Minor;
}

export const ACCEPT = 'accept';
const OBJECTION = ':objection';
export const objectionTo = (key: string) => `${key}${OBJECTION}`;
const DAY = 86_400_000;
const BACK: readonly PlanLine[] = [{ to: 'payers', take: 'rest' }];

export function stageOf(deal: Deal, key: string): { readonly stage: PlanStage; readonly state: StageState } | undefined {
  const stage = deal.plan.stages.find((each) => each.key === key);
  const state = deal.stages.find((each) => each.key === key);
  return stage === undefined || state === undefined ? undefined : { stage, state };
}

export function partyOf({ plan }: Pick<Deal, 'plan'>, role: string): Party | undefined {
  return plan.parties.find((party) => party.role === role);
}

const isWhole = ({ amount }: PlanStage, { funded }: StageState) => funded >= amount;

/** From when on a condition is true, by what is known now; that may be in the future. Undefined: nobody knows yet. */
function metAt(term: Term, deal: Deal, of: { readonly item: string; readonly openMs: Instant }): Instant | undefined {
  if ('at' in term) return term.at;
  if ('since' in term) {
    const from = term.since === 'open' ? of.openMs : metAt(term.since, deal, of);
    return from === undefined ? undefined : ((from + term.days * DAY) as Instant);
  }
  if ('confirmed' in term) {
    const times = deal.given
      .filter(({ item, role }) => item === of.item && term.confirmed.includes(role))
      .map(({ atMs }) => atMs);
    return times.sort((a, b) => a - b)[term.quorum - 1];
  }
  if ('review' in term) return deal.decided.find(({ item, lines }) => item === of.item && lines === null)?.atMs;
  if ('any' in term) {
    const times = term.any.flatMap((each) => metAt(each, deal, of) ?? []);
    return times.length === 0 ? undefined : (Math.min(...times) as Instant);
  }
  const times = term.all.map((each) => metAt(each, deal, of));
  return times.some((time) => time === undefined) ? undefined : (Math.max(...(times as Instant[])) as Instant);
}

/** How and when a stage ends, by what is known now. Who gets what of it are the lines. */
export interface Ending {
  readonly how: How;
  readonly atMs: Instant;
  readonly lines: readonly PlanLine[];
  /** The exit that ended it. */
  readonly exit?: string;
}

/**
 * How a stage ends by what is known now: the earliest of all that would end it. It counts once its moment is there; until then something
 * earlier may come. Since it depends on moments alone and not on when it is looked at, a sweep that is late changes nothing. Only where a
 * dispute held up what it would have given can the bank divide it afterwards (`mayDecide`): then that counts instead.
 */
export function endingOf(deal: Deal, key: string): Ending | undefined {
  const end = stageOf(deal, key)?.state.end ?? null;
  if (end !== null) return { how: end.how, atMs: end.atMs, lines: [] };
  const first = firstEnding(deal, key);
  const decision = decisionOf(deal, key);
  return first !== undefined && decision !== undefined && first.atMs < decision.atMs ? decision : first;
}

/** Who gets what of a stage by what two people of the bank decided. */
function decisionOf({ decided }: Deal, key: string): Ending | undefined {
  const decision = decided.find(({ item, lines }) => item === key && lines !== null);
  return decision?.lines ? { how: 'decided', atMs: decision.atMs, lines: decision.lines } : undefined;
}

/** The earliest that ends a stage. The one behind it goes by that, however late what was disputed is divided. */
function firstEnding(deal: Deal, key: string): Ending | undefined {
  const found = stageOf(deal, key);
  if (found === undefined) return undefined;
  const { stage, state } = found;
  const open = openingOf(deal, stage, state);
  const possible: Ending[] = [];
  if (isWhole(stage, state) && typeof open === 'number') possible.push(...ownEndings(deal, stage, open));
  // Of two at the same moment what time alone brings is first: who swept then could not have seen the other.
  if (!isWhole(stage, state)) possible.push({ how: 'unpaid', atMs: stage.fundBy, lines: BACK });
  if (typeof open === 'object') possible.push(open);
  const exit = exitOf(deal);
  if (exit !== undefined) possible.push(exit);
  const decision = decisionOf(deal, key);
  if (decision !== undefined) possible.push(decision);
  return possible.reduce<Ending | undefined>(
    (first, each) => (first === undefined || each.atMs < first.atMs ? each : first),
    undefined,
  );
}

/** What its own conditions make of a stage that is open. */
function ownEndings(deal: Deal, stage: PlanStage, openMs: Instant): Ending[] {
  const met = metAt(stage.when, deal, { item: stage.key, openMs });
  const atMs = met === undefined ? undefined : (Math.max(met, openMs) as Instant);
  const objected = objectedAt(deal, stage);
  const isInTime = (time: Instant) => (stage.by === null || time < stage.by) && (objected === undefined || time <= objected);
  if (atMs !== undefined && isInTime(atMs)) return [{ how: 'met', atMs, lines: stage.pay }];
  if (stage.by === null || stage.otherwise === 'review' || (objected !== undefined && objected < stage.by)) return [];
  return [{ how: 'failed', atMs: stage.by, lines: stage.otherwise }];
}

function objectedAt(deal: Deal, stage: PlanStage): Instant | undefined {
  return metAt({ confirmed: stage.objects, quorum: 1 }, deal, { item: objectionTo(stage.key), openMs: deal.openedMs });
}

/** When a stage opened, or how it ends with the one before it; undefined: it waits for its money or for the one before it. */
function openingOf(deal: Deal, stage: PlanStage, state: StageState): Instant | Ending | undefined {
  const { fundedMs } = state;
  if (stage.after === null) return fundedMs ?? undefined;
  const before = firstEnding(deal, stage.after);
  if (before === undefined) return undefined;
  const goesOn = before.how === 'met' || before.how === 'decided' || stageOf(deal, stage.after)?.stage.failsAlone === true;
  // Whatever exit ended that one ends this one too.
  if (before.how === 'exited') return undefined;
  if (!goesOn) return { how: 'cancelled', atMs: before.atMs, lines: BACK };
  return fundedMs === null ? undefined : (Math.max(fundedMs, before.atMs) as Instant);
}

/** The first exit that was taken, with what it makes of every stage that is still open. */
function exitOf(deal: Deal): Ending | undefined {
  let first: { exit: PlanExit; atMs: Instant } | undefined;
  for (const exit of deal.plan.exits) {
    const atMs = metAt(exit.when, deal, { item: exit.key, openMs: deal.openedMs });
    if (atMs !== undefined && (first === undefined || atMs < first.atMs)) first = { exit, atMs };
  }
  if (first === undefined) return undefined;
  const { exit, atMs } = first;
  return { how: 'exited', atMs, lines: rowOf(exit, naturalDate(atMs)), exit: exit.key };
}

function rowOf({ rows, before }: PlanExit, on: BusinessDate): readonly PlanLine[] {
  const days = before === null ? 0 : daysBetween(on, before);
  const row = before === null ? rows[0] : (rows.find((each) => days >= each.days) ?? rows.at(-1));
  return row?.pay ?? BACK;
}

/** Ended for the books, or to be ended now. */
export function hasEnded(deal: Deal, key: string, nowMs: Instant): boolean {
  const ending = endingOf(deal, key);
  return ending !== undefined && ending.atMs <= nowMs;
}

/** Where a stage stands, in a word for whoever looks. */
export function standingOf(
  deal: Deal,
  key: string,
  nowMs: Instant,
): 'unfunded' | 'waiting' | 'open' | 'review' | 'due' | 'ended' {
  const found = stageOf(deal, key);
  if (found === undefined || found.state.end !== null) return 'ended';
  if (hasEnded(deal, key, nowMs)) return 'due';
  const { stage, state } = found;
  if (!isWhole(stage, state)) return 'unfunded';
  const open = openingOf(deal, stage, state);
  if (typeof open !== 'number' || open > nowMs) return 'waiting';
  const objected = objectedAt(deal, stage);
  return (stage.by !== null && stage.by <= nowMs) || (objected !== undefined && objected <= nowMs) ? 'review' : 'open';
}

/** When there is something to do: now or before where a stage has ended, or something is to be sent back. */
export function nextDue(deal: Deal, funds: readonly Fund[], nowMs: Instant): Instant | null {
  if (funds.some(({ back, sent }) => back > sent)) return nowMs;
  const times = deal.stages.flatMap(({ key, end }) => (end === null ? (endingOf(deal, key)?.atMs ?? []) : []));
  return times.length === 0 ? null : (Math.min(...times) as Instant);
}

export interface DueAct {
  /** The same for the same act until it was refused, so that it is done once however often the sweep comes. */
  readonly requestNo: string;
  readonly kind: 'escrow-release' | 'escrow-failure' | 'escrow-refund';
  /** Of a release or failure. */
  readonly stage?: string;
  /** Of a refund. */
  readonly orderNo?: string;
}

const short = (number: string | bigint) => BigInt(number).toString(36);

/** What the system has to instruct now. */
export function dueActs(deal: Deal, funds: readonly Fund[], nowMs: Instant): DueAct[] {
  const no = `esc:${short(deal.id)}:${deal.turn}`;
  const stages = deal.stages.flatMap(({ key, end }, place): DueAct[] => {
    const ending = end === null ? endingOf(deal, key) : undefined;
    if (ending === undefined || ending.atMs > nowMs) return [];
    if (ending.how === 'met') return [{ kind: 'escrow-release', stage: key, requestNo: `${no}:m${place}` }];
    return [{ kind: 'escrow-failure', stage: key, requestNo: `${no}:f${place}` }];
  });
  const orders = new Map<string, { orderNo: string; sent: Minor; back: Minor }>();
  for (const { orderId, orderNo, sent, back } of funds) {
    const before = orders.get(orderId) ?? { orderNo, sent: 0n, back: 0n };
    orders.set(orderId, { orderNo, sent: before.sent + sent, back: before.back + back });
  }
  const refunds = [...orders].filter(([, { sent, back }]) => back > sent);
  return [
    ...stages,
    ...refunds.map(([orderId, { orderNo, sent }]): DueAct => {
      return { kind: 'escrow-refund', orderNo, requestNo: `${no}:r${short(orderId)}.${short(sent)}` };
    }),
  ];
}

/** What a condition still lacks. */
export type Lack =
  | { readonly lacks: 'time'; readonly until: string }
  | { readonly lacks: 'confirmation'; readonly of: readonly string[]; readonly more: number }
  | { readonly lacks: 'review' }
  | { readonly lacks: 'money'; readonly amount: Minor }
  | { readonly lacks: 'stage'; readonly stage: string }
  | { readonly lacks: 'one-of'; readonly each: readonly (readonly Lack[])[] };

function lacksOfTerm(term: Term, deal: Deal, of: { readonly item: string; readonly openMs: Instant }, nowMs: Instant): Lack[] {
  const met = metAt(term, deal, of);
  if (met !== undefined && met <= nowMs) return [];
  if ('all' in term) return term.all.flatMap((each) => lacksOfTerm(each, deal, of, nowMs));
  if ('any' in term) return [{ lacks: 'one-of', each: term.any.map((each) => lacksOfTerm(each, deal, of, nowMs)) }];
  if ('review' in term) return [{ lacks: 'review' }];
  if ('confirmed' in term) {
    const given = new Set(deal.given.filter(({ item }) => item === of.item).map(({ role }) => role));
    const open = term.confirmed.filter((role) => !given.has(role));
    return [{ lacks: 'confirmation', of: open, more: term.quorum - (term.confirmed.length - open.length) }];
  }
  if (met !== undefined) return [{ lacks: 'time', until: toRfc3339(met) }];
  return 'since' in term && term.since !== 'open' ? lacksOfTerm(term.since, deal, of, nowMs) : [];
}

/** What a stage that has not ended still lacks before its money is let go. */
export function lacksOf(deal: Deal, key: string, nowMs: Instant): Lack[] {
  const found = stageOf(deal, key);
  if (found === undefined || found.state.end !== null || hasEnded(deal, key, nowMs)) return [];
  const { stage, state } = found;
  if (!isWhole(stage, state)) return [{ lacks: 'money', amount: stage.amount - state.funded }];
  const open = openingOf(deal, stage, state);
  if (typeof open !== 'number' || open > nowMs) return [{ lacks: 'stage', stage: stage.after ?? '' }];
  if (standingOf(deal, key, nowMs) === 'review') return [{ lacks: 'review' }];
  return lacksOfTerm(stage.when, deal, { item: key, openMs: open }, nowMs);
}

/** The roles whose word counts for something, wherever it stands in a condition. */
function rolesIn(term: Term): string[] {
  if ('confirmed' in term) return [...term.confirmed];
  if ('since' in term) return term.since === 'open' ? [] : rolesIn(term.since);
  if ('all' in term) return term.all.flatMap(rolesIn);
  return 'any' in term ? term.any.flatMap(rolesIn) : [];
}

const takesReview = (term: Term): boolean =>
  'review' in term ||
  ('since' in term && term.since !== 'open' && takesReview(term.since)) ||
  ('all' in term && term.all.some(takesReview)) ||
  ('any' in term && term.any.some(takesReview));

/** Whose word an item waits for; undefined: the deal has no such item. */
export function askedRoles({ plan }: Pick<Deal, 'plan'>, item: string): string[] | undefined {
  if (item === ACCEPT) return plan.roles.filter(({ accepts }) => accepts).map(({ role }) => role);
  const exit = plan.exits.find(({ key }) => key === item);
  if (exit !== undefined) return rolesIn(exit.when);
  const isObjection = item.endsWith(OBJECTION);
  const key = isObjection ? item.slice(0, -OBJECTION.length) : item;
  const stage = plan.stages.find((each) => each.key === key);
  return stage && (isObjection ? [...stage.objects] : rolesIn(stage.when));
}

/**
 * Whether a party may say yes to an item now; undefined: he may.
 * @returns ESCROW_ITEM_UNKNOWN, ESCROW_WRONG_PARTY, ESCROW_ENDED, ESCROW_STAGE_ENDED, ESCROW_STAGE_NOT_OPEN
 */
export function mayConfirm(deal: Deal, item: string, role: string, nowMs: Instant): Refusal | undefined {
  const roles = askedRoles(deal, item);
  if (roles === undefined) return refuse('ESCROW_ITEM_UNKNOWN', undefined, { item });
  if (!roles.includes(role)) return refuse('ESCROW_WRONG_PARTY', undefined, { item, role, parties: roles });
  const isEnded = deal.endedMs !== null || deal.stages.every(({ key }) => hasEnded(deal, key, nowMs));
  if (isEnded) return refuse('ESCROW_ENDED');
  const key = item.endsWith(OBJECTION) ? item.slice(0, -OBJECTION.length) : item;
  if (item === ACCEPT || stageOf(deal, key) === undefined) return undefined;
  const standing = standingOf(deal, key, nowMs);
  if (standing === 'ended' || standing === 'due') return refuse('ESCROW_STAGE_ENDED', undefined, { stage: key });
  if (standing === 'review') return refuse('ESCROW_STAGE_ENDED', 'The bank decides of it now.', { stage: key });
  if (standing !== 'open') return refuse('ESCROW_STAGE_NOT_OPEN', undefined, { stage: key });
  return undefined;
}

/** Whether what a stage gives its receivers waits for the end of a dispute, so that the bank can still divide it. */
function isHeldUp(deal: Deal, key: string, isDisputed: boolean): boolean {
  const ending = endingOf(deal, key);
  if (!isDisputed || ending === undefined || stageOf(deal, key)?.state.end !== null) return false;
  return ending.how !== 'decided' && ending.lines.some(({ to }) => to !== 'payers');
}

/**
 * Whether the bank may decide this now.
 * @param lines who is to get what of a stage; null: what the condition leaves to the bank is so
 * @param isDisputed whether a dispute holds what the stage needs to end
 * @returns ESCROW_ITEM_UNKNOWN, ESCROW_ENDED, ESCROW_STAGE_ENDED, ESCROW_NO_REVIEW, ESCROW_PARTIES
 */
export function mayDecide(
  deal: Deal,
  { item, lines }: Pick<Decided, 'item' | 'lines'>,
  { nowMs, isDisputed }: { readonly nowMs: Instant; readonly isDisputed: boolean },
): Refusal | undefined {
  const exit = deal.plan.exits.find(({ key }) => key === item);
  const found = stageOf(deal, item);
  if (exit === undefined && found === undefined) return refuse('ESCROW_ITEM_UNKNOWN', undefined, { item });
  if (deal.endedMs !== null) return refuse('ESCROW_ENDED');
  const isOver = hasEnded(deal, item, nowMs) && (lines === null || !isHeldUp(deal, item, isDisputed));
  if (found !== undefined && isOver) return refuse('ESCROW_STAGE_ENDED', undefined, { stage: item });
  if (lines === null) {
    const when = exit?.when ?? found?.stage.when;
    return when !== undefined && takesReview(when) ? undefined : refuse('ESCROW_NO_REVIEW', undefined, { item });
  }
  if (found === undefined) return refuse('ESCROW_NO_REVIEW', 'Of an exit the template says who gets what.', { item });
  const unknown = lines.find(({ to }) => to !== 'payers' && !partyOf(deal, to)?.account);
  return unknown === undefined ? undefined : refuse('ESCROW_PARTIES', 'Nobody of that role receives.', { role: unknown.to });
}

/** Who still has to agree to the deal before anything is paid in. */
export function notAccepted(deal: Deal): string[] {
  const given = new Set(deal.given.filter(({ item }) => item === ACCEPT).map(({ role }) => role));
  return deal.plan.roles.filter(({ role, accepts }) => accepts && !given.has(role)).map(({ role }) => role);
}
