import { z } from 'zod';
import { CHANNELS } from '../port.js';
import { draw } from './chance.js';

/**
 * What can go wrong, by script (for a message number, an account, a call) or by rate (seeded chance).
 *
 * - Of a call: `lost-answer` processed, then the connection drops; `not-received` dropped before anything is processed; `late`
 *   answered after `ms`; `garbage` processed, the answer unreadable; `maintenance` 503, nothing processed; `half-open` the
 *   connection stays open and nothing ever comes, nothing processed; `corrupt` a statement page whose digest is wrong.
 * - Of a payment: `refuse` the payee's account does not take it; `turn-away` this channel does not, another may; `not-now` it does not take it
 *   this time, the same number again may do better; `fail-later`, `turn-away-later` and `not-now-later` accepted, then that; `slow-result` final after `ms` more; `return` comes back `days`
 *   business dates later; `double-news` every item of it twice; `answer-missing` processed, but left out of the list of answers;
 *   of CNAPS also `cancelled` while it is not final, PR08 is said of it, whatever becomes of it; `discarded` the message that carries it
 *   is answered with ccms.911, nothing processed; `unnamed-return` what comes back does not say what it was; `odd-return` its message is
 *   one that nobody can read.
 * - Of the files of fund companies: `confirmation-missing` left out of the file that it belongs into, and in that of `days` later if any are named;
 *   `confirmation-twice`, `confirmation-failed` refused, nothing done; `confirmation-amount` other by `amount`; `confirmation-unknown` one more, of an
 *   order that nobody gave; `holding-units`, `dividend-units` other by `amount`; `quote-day` it names another day (`days` before); `files-late` those of
 *   a date are there `days` later; `file-damaged` its digest is wrong. What the company's own books say is never touched but by `confirmation-failed`.
 * - Of a statement, which stays consistent in itself: `line-missing`, `line-amount` (other by `amount`), `line-extra`.
 */
const CALL_FAULTS = ['lost-answer', 'not-received', 'late', 'garbage', 'maintenance', 'half-open', 'corrupt'] as const;
const PAYMENT_FAULTS = [
  'refuse',
  'turn-away',
  'not-now',
  'fail-later',
  'turn-away-later',
  'not-now-later',
  'slow-result',
  'return',
  'double-news',
  'answer-missing',
  'cancelled',
  'discarded',
  'unnamed-return',
  'odd-return',
] as const;
/** Faults of a payment that befall one answer, so that the next may be right. */
const OF_ONE_ANSWER: readonly FaultRule['fault'][] = ['answer-missing', 'discarded', 'not-now', 'not-now-later'];
const FUND_FAULTS = [
  'confirmation-missing',
  'confirmation-twice',
  'confirmation-failed',
  'confirmation-amount',
  'confirmation-unknown',
  'holding-units',
  'dividend-units',
  'quote-day',
  'files-late',
  'file-damaged',
] as const;
const LINE_FAULTS = ['line-missing', 'line-amount', 'line-extra'] as const;
export type CallFault = (typeof CALL_FAULTS)[number];
export type PaymentFault = (typeof PAYMENT_FAULTS)[number];
export type FundFault = (typeof FUND_FAULTS)[number];
export type LineFault = (typeof LINE_FAULTS)[number];

const Scope = z.enum([...CHANNELS, 'core', 'verification', 'sms', 'funds']);
export type Scope = z.infer<typeof Scope>;
const FaultName = z.enum([...CALL_FAULTS, ...PAYMENT_FAULTS, ...FUND_FAULTS, ...LINE_FAULTS]);
const Operation = z.enum([
  'submit',
  'query',
  'news',
  'float',
  'sign',
  'open',
  'inflows',
  'statement',
  'incoming',
  'answer',
  'identity',
  'elements',
  'trial-payment',
  'trial-inflow',
]);
type Operation = z.infer<typeof Operation>;

/** The call that a fault befalls when its rule names none; where there is none here, any of the scope. */
const USUAL: Readonly<Partial<Record<Scope, Operation>>> = {
  ...Object.fromEntries(CHANNELS.map((channel) => [channel, 'submit'])),
  core: 'statement',
};

const Rule = z.strictObject({
  scope: Scope,
  fault: FaultName,
  /** The call that it befalls; `submit` of a channel, `statement` of the core bank, any of the others when absent. */
  on: Operation.optional(),
  /** A payment's number, a transfer's, a statement line's or an order's reference, an identity number, an account, a mobile, a fund, a company; any when absent. */
  messageNo: z.string().optional(),
  custodyNo: z.string().optional(),
  businessDate: z.string().optional(),
  /** How often; once for a fault of a call, a missing answer or `not-now`, always for the others when absent. */
  times: z.number().int().min(1).optional(),
  ms: z.number().int().min(0).max(600_000).optional(),
  days: z.number().int().min(0).max(1_000).optional(),
  reason: z.string().max(140).optional(),
  /** Of `line-extra`: under which it stands; one that nobody knows when absent. */
  reference: z.string().min(1).max(64).optional(),
  /** Fen as text. */
  amount: z
    .string()
    .regex(/^-?[1-9][0-9]{0,15}$/)
    .optional(),
});
export type FaultRule = z.infer<typeof Rule>;

export const FaultPlan = z.strictObject({
  rates: z.partialRecord(Scope, z.partialRecord(FaultName, z.number().min(0).max(1))).default({}),
  scripted: z.array(Rule).max(100_000).default([]),
  /** From acceptance by a channel to the final result, in milliseconds of the bank's time. */
  settleDelayMs: z.number().int().min(0).default(0),
  /** What `psp-collect` collects reaches the custody account in one sum, so many days after (of a weekend: on Monday); 0: each at once. */
  settleAfterDays: z.number().int().min(0).max(30).default(0),
});
export type FaultPlan = z.input<typeof FaultPlan>;

/** Where and of what a call is: its keys are the payments, or the account, that it concerns. */
export interface CallPoint {
  readonly scope: Scope;
  readonly on: Operation;
  readonly keys: readonly string[];
}

type Live = FaultRule & { left: number };
const DEFAULT_MS = 20;

export class Faults {
  settleDelayMs = 0;
  settleAfterDays = 0;
  /** Grows with every plan, so that what was derived from an older one is known to be stale. */
  version = 0;
  readonly seed: number;
  #rates: z.output<typeof FaultPlan>['rates'] = {};
  #rules = new Map<string, Live[]>();
  #seen = new Map<string, number>();

  constructor(seed: number, plan: FaultPlan) {
    this.seed = seed;
    this.replace(plan);
  }

  replace(plan: FaultPlan): void {
    const { rates, scripted, settleDelayMs, settleAfterDays } = FaultPlan.parse(plan);
    this.#rates = rates;
    this.settleDelayMs = settleDelayMs;
    this.settleAfterDays = settleAfterDays;
    this.version += 1;
    this.#rules = new Map();
    for (const rule of scripted) {
      const once = isCallFault(rule.fault) || OF_ONE_ANSWER.includes(rule.fault);
      const key = ruleKey(rule.scope, rule.fault, rule.messageNo);
      const rules = this.#rules.get(key) ?? [];
      rules.push({ ...rule, left: rule.times ?? (once ? 1 : Number.POSITIVE_INFINITY) });
      this.#rules.set(key, rules);
    }
  }

  /** The plan as it stands, every rule with how often it will still befall something; null: always. */
  shown() {
    const rules = [...this.#rules.values()].flat();
    const scripted = rules.map(({ left, ...rule }) => ({ ...rule, left: Number.isFinite(left) ? left : null }));
    const { settleDelayMs, settleAfterDays } = this;
    return { rates: this.#rates, scripted, settleDelayMs, settleAfterDays };
  }

  /** Takes a plan as if nothing had been drawn before. */
  restart(plan: FaultPlan): void {
    this.#seen = new Map();
    this.replace(plan);
  }

  /** What befalls this call, if anything; each call is a new draw. */
  ofCall(point: CallPoint): { fault: CallFault; ms: number } | undefined {
    const byScript = this.#scriptedCall(point);
    if (byScript !== undefined) return byScript;
    const rates = this.#rates[point.scope];
    if (rates === undefined) return undefined;
    let chance = draw(this.seed, this.#nth(`${point.scope}|${point.on}|${point.keys[0] ?? ''}`));
    for (const fault of CALL_FAULTS) {
      if (fault === 'corrupt' && point.on !== 'statement') continue;
      chance -= rates[fault] ?? 0;
      if (chance < 0) return { fault, ms: DEFAULT_MS };
    }
    return undefined;
  }

  /** Whether this befalls that payment: the same whenever it is asked, but for what befalls one answer, which is drawn anew. */
  ofPayment(scope: Scope, fault: PaymentFault, messageNo: string): FaultRule | undefined {
    const rule = this.#take(ruleKey(scope, fault, messageNo)) ?? this.#take(ruleKey(scope, fault, undefined));
    if (rule !== undefined) return rule;
    const rate = this.#rates[scope]?.[fault];
    if (rate === undefined) return undefined;
    const key = `${scope}|${fault}|${messageNo}`;
    if (draw(this.seed, OF_ONE_ANSWER.includes(fault) ? this.#nth(key) : key) >= rate) return undefined;
    return { scope, fault, days: 1 + Math.floor(draw(this.seed, `days|${key}`) * 3) };
  }

  /**
   * Whether this befalls what a fund company tells of an order, an account, a fund, a kind of file or itself, and on which date; by script each rule as
   * often as it says.
   */
  ofFund(fault: FundFault, key: string, date?: string): FaultRule | undefined {
    const fits = (rule: Live) => rule.left > 0 && (rule.businessDate ?? date) === date;
    const rule = [...this.#listed('funds', fault, key), ...this.#listed('funds', fault, undefined)].find(fits);
    if (rule !== undefined) {
      rule.left -= 1;
      return rule;
    }
    const rate = this.#rates.funds?.[fault];
    if (rate === undefined) return undefined;
    return draw(this.seed, `funds|${fault}|${key}|${date ?? ''}`) < rate ? { scope: 'funds', fault } : undefined;
  }

  /** Whether this befalls that statement line; for `line-extra` the reference is '' and the whole date is meant. */
  ofLine(fault: LineFault, custodyNo: string, businessDate: string, reference: string): FaultRule | undefined {
    const fits = (rule: FaultRule) =>
      (rule.custodyNo ?? custodyNo) === custodyNo && (rule.businessDate ?? businessDate) === businessDate;
    const scripted = [...this.#listed('core', fault, reference), ...this.#listed('core', fault, undefined)].find(fits);
    if (scripted !== undefined) return scripted;
    const rate = this.#rates.core?.[fault];
    if (rate === undefined) return undefined;
    return draw(this.seed, `${fault}|${custodyNo}|${businessDate}|${reference}`) < rate ? { scope: 'core', fault } : undefined;
  }

  #scriptedCall(point: CallPoint): { fault: CallFault; ms: number } | undefined {
    if (this.#rules.size === 0) return undefined;
    const fits = (rule: Live) => rule.left > 0 && (rule.on ?? USUAL[point.scope] ?? point.on) === point.on;
    for (const fault of CALL_FAULTS) {
      for (const key of [...point.keys, undefined]) {
        const rule = this.#listed(point.scope, fault, key).find(fits);
        if (rule === undefined) continue;
        rule.left -= 1;
        return { fault, ms: rule.ms ?? DEFAULT_MS };
      }
    }
    return undefined;
  }

  #listed(scope: Scope, fault: FaultRule['fault'], key: string | undefined): Live[] {
    return this.#rules.get(ruleKey(scope, fault, key)) ?? [];
  }

  #take(key: string): FaultRule | undefined {
    const rule = this.#rules.get(key)?.find((each) => each.left > 0);
    if (rule !== undefined) rule.left -= 1;
    return rule;
  }

  #nth(key: string): string {
    const count = (this.#seen.get(key) ?? 0) + 1;
    this.#seen.set(key, count);
    return `${key}|${count}`;
  }
}

function ruleKey(scope: Scope, fault: FaultRule['fault'], key: string | undefined): string {
  return key === undefined ? `${scope}|${fault}` : `${scope}|${fault}|${key}`;
}

function isCallFault(fault: FaultRule['fault']): fault is CallFault {
  return (CALL_FAULTS as readonly string[]).includes(fault);
}
