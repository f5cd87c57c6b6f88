import type { CycleTerms } from '../accounts/index.js';
import { type BusinessDate, type Minor, mulDivHalfUp, type Refusal, refuse } from '../kernel/index.js';
import { WHOLE_BP } from './rules.js';
import { type AgreementsOf, ownCycle, type PayoutTerms, SETTLED_AS_BOUND, versionOn } from './terms.js';

/** How a seller is paid on a date, whoever says so: the agreement in force, or what he was opened with. */
export interface PayTerms extends CycleTerms, Omit<PayoutTerms, 'day'> {
  /** The most of one fee; null: what the bank agreed with the platform. */
  readonly feeMax: Minor | null;
}

/**
 * The terms by which a seller is paid. An agreement in force says all of it; without one his own cycle counts, and his money is paid
 * whole to the account that he bound: an agreement that ended does not keep what is his.
 */
export function payTermsOf(agreements: AgreementsOf | undefined, own: CycleTerms, date: BusinessDate): PayTerms {
  const version = agreements && versionOn(agreements, date);
  if (version === undefined) {
    const { day: _, ...payout } = SETTLED_AS_BOUND;
    return { cycle: own.cycle, cycleDays: own.cycleDays, payDay: own.payDay, ...payout, feeMax: null };
  }
  const { cycle, cycleDays, payout, feeMax } = version.terms;
  const { day, ...rest } = payout;
  return { cycle: ownCycle(cycle), cycleDays, payDay: day, ...rest, feeMax };
}

/**
 * The fee of one payout, out of the same money: a fixed part and a part of all that leaves the account, never above the cap for one fee.
 * Half a fen is rounded up.
 * @param gross minor units, the fee with it
 * @param platformMax what the bank agreed with the platform, where the agreement names no cap of its own
 */
export function payoutFee({ fee, feeMax }: Pick<PayTerms, 'fee' | 'feeMax'>, gross: Minor, platformMax: Minor): Minor {
  const asked = fee.fixed + mulDivHalfUp(gross, fee.percent, WHOLE_BP);
  const most = feeMax ?? platformMax;
  return asked < most ? asked : most;
}

/** Whether a payout may cost a fee. @returns PROOF_MISSING where none is agreed, TERMS_EXCEEDED where it is more than that */
export function decidePayoutFee(
  terms: Pick<PayTerms, 'fee' | 'feeMax'>,
  of: { readonly amount: Minor; readonly fee: Minor; readonly platformMax: Minor },
): Refusal | undefined {
  const agreed = payoutFee(terms, of.amount + of.fee, of.platformMax);
  if (agreed === 0n) return refuse('PROOF_MISSING', 'No fee of a payout is agreed.');
  return of.fee > agreed ? refuse('TERMS_EXCEEDED', undefined, { feeMax: String(agreed) }) : undefined;
}
