import { type BusinessDate, invariant } from '../kernel/index.js';
import type { AccountType } from '../ledger/index.js';
import type { Parameters } from '../runtime/index.js';

/** From whom an account takes transfers from outside, the loosest first; `own-account` is the settlement account bound to it. */
export const PAY_IN_RULES = ['anyone', 'own-account', 'nobody'] as const;
export type PayInRule = (typeof PAY_IN_RULES)[number];

interface PayIn {
  readonly type: AccountType;
  /** What its platform set; undefined: nothing. */
  readonly set: PayInRule | undefined;
  /** Whether the platform's orders need agreements: then others pay orders, of which the bank knows the goods, and not accounts. */
  readonly agreed: boolean;
  readonly today: BusinessDate;
  readonly parameters: Parameters;
}

/**
 * The rule in force: what the platform set, and never looser than the bank's floor (parameter `pay-in.floor`). The platform's own funds
 * take nothing but the platform's own money, or buyers' money could be paid past every order.
 */
export function payInRule({ type, set = 'anyone', agreed, today, parameters }: PayIn): PayInRule {
  const floor = PAY_IN_RULES[Number(parameters.on(today, 'pay-in.floor'))];
  invariant(floor, 'the floor of transfers to accounts is one of the rules');
  const least = type === 'own-funds' || agreed ? 'own-account' : 'anyone';
  return stricter(stricter(set, floor), least);
}

function stricter(one: PayInRule, other: PayInRule): PayInRule {
  return PAY_IN_RULES.indexOf(one) > PAY_IN_RULES.indexOf(other) ? one : other;
}

/** @param own the payer is the settlement account that is bound to the account */
export function takes(rule: PayInRule, own: boolean): boolean {
  return rule === 'anyone' || (rule === 'own-account' && own);
}
