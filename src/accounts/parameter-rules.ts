import { type BusinessDate, type Minor, type Refusal, refuse, WIRE_MAX } from '../kernel/index.js';

/**
 * What values a parameter of the law may have: amounts in fen by default; what counts or says yes or no has its own bounds. A row that
 * made no sense would stop every batch that needs it.
 */
const FLAGS = ['limits.per-customer', 'stopped.credits', 'interest.below-yuan', 'class-2.lending-counted'];
const AMOUNTS =
  /^class-[23]\.(?:in|out)\.(?:day|year)$|^class-3\.(?:balance|turnover)$|^(?:pass-through|sleeping|refund-churn)\.amount$|^large-value\.(?:company|person|cash|cross-border)$|^lending\.(?:person|company)\.(?:platform|all)$/;
/^class-[23]\.(?:in|out)\.(?:day|year)$|^class-3\.(?:balance|turnover)$|^(?:pass-through|sleeping|refund-churn)\.amount$|^large-value\.(?:company|person|cash|cross-border)$|^fund-redemption\.(?:fast-day|advance-ceiling)$/;
const COUNT_MAX = 10_000n;
/** What is not merely a count; the most that makes sense. */
const MOST: Readonly<Record<string, Minor>> = {
  'interest.demand': 1_000_000n,
  'lending.rate-cap': 1_000_000n,
  'trial.amount': 50n,
  'adult.age': 150n,
  'pay-in.floor': 2n,
  'psp-collect.days': 30n,
};
/** Of these nothing at all would be none. */
const LEAST_ONE = [
  'dormancy.months',
  'consent.minutes',
  'collection.hours',
  'mobile.identities',
  'trial.amount',
  'trial.attempts',
  'trial.hours',
  'mandate.answer-hours',
  'mandate.years',
  'mandate.link-minutes',
  'code.wrong-per-day',
  'code.sms-per-day',
  'code.sms-per-ten-minutes',
  'agreement.answer-hours',
  'escrow.answer-hours',
  'lending.answer-hours',
  'large-value.company',
  'large-value.person',
  'large-value.days',
  'suspicious.days',
  'structuring.days',
  'structuring.window',
  'retention.contract.years',
  'retention.relation.years',
];

function boundsOf(name: string): readonly [least: Minor, most: Minor] {
  if (FLAGS.includes(name)) return [0n, 1n];
  if (AMOUNTS.test(name)) return [0n, WIRE_MAX];
  return [LEAST_ONE.includes(name) ? 1n : 0n, MOST[name] ?? COUNT_MAX];
}

export interface NewParameter {
  readonly name: string;
  readonly validFrom: BusinessDate;
  readonly value: Minor;
}

/** Whether a row may be added today: what was in force is not rewritten, and a value has bounds. @returns why not, or undefined */
export function decideParameter({ name, validFrom, value }: NewParameter, today: BusinessDate): Refusal | undefined {
  if (validFrom < today) return refuse('PARAMETER_BACKDATED', undefined, { today });
  const [least, most] = boundsOf(name);
  if (value < least || value > most)
    return refuse('PARAMETER_VALUE', `${name} is ${least} to ${most}.`, { least: String(least), most: String(most) });
  return undefined;
}
