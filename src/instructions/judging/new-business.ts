import { type Refusal, refuse } from '../../kernel/index.js';
import type { At, Kind } from '../kind.js';

/**
 * What each kind is to a platform that is wound up. new: business that begins something, which nobody gives any more; staff: what only the
 * bank's staff may still order, having seen that it is owed; due: what ends what was begun, or gives money back, and goes on.
 */
export const BUSINESS: Readonly<Record<string, 'new' | 'staff' | 'due'>> = {
  payment: 'new',
  'combined-payment': 'new',
  subsidy: 'new',
  'margin-deposit': 'new',
  hold: 'new',
  'top-up': 'new',
  'account-payment': 'new',
  'escrow-payment': 'new',
  'escrow-funding': 'new',
  bid: 'new',
  'lend-out': 'new',
  'fund-subscription': 'new',
  'fund-exchange': 'new',
  'pot-payment': 'new',
  fee: 'staff',
  'acquirer-fee': 'staff',
  split: 'due',
  'split-return': 'due',
  'order-complete': 'due',
  refund: 'due',
  'subsidy-return': 'due',
  'margin-release': 'due',
  transfer: 'due',
  release: 'due',
  capture: 'due',
  'bulk-release': 'due',
  'dispute-open': 'due',
  'dispute-end': 'due',
  withdrawal: 'due',
  'own-transfer': 'due',
  // The money is here already, and goes back to its owner with the rest.
  'incoming-transfer': 'due',
  'escrow-release': 'due',
  'escrow-failure': 'due',
  'escrow-refund': 'due',
  'bid-cancel': 'due',
  miscarriage: 'due',
  // What was lent goes back to its lenders, whatever becomes of the platform.
  repayment: 'due',
  compensation: 'due',
  recovery: 'due',
  // What was saved in funds goes back to the account that it came from.
  'fund-redemption': 'due',
  'fund-confirmation': 'due',
  'fund-failure': 'due',
  'fund-income': 'due',
  'fund-proceeds': 'due',
  'fund-proceeds-paid': 'due',
  'fund-settlement': 'due',
  'fund-advance': 'due',
  'claim-sale': 'new',
  'claim-purchase': 'new',
  'claim-sale-cancel': 'due',
  correction: 'due',
  'take-over': 'new',
  'hand-over': 'due',
  clearing: 'due',
  'account-closing': 'due',
  interest: 'due',
  'judicial-deduction': 'due',
  'payout-settled': 'due',
  'payout-failed': 'due',
  'payout-returned': 'due',
  'channel-settled': 'due',
  'collection-credited': 'due',
  'suspense-credit': 'due',
  'suspense-attribution': 'due',
  'suspense-return': 'due',
  'statement-adjustment': 'due',
};

/** Why a platform that stops is refused this; a kind that nobody has sorted counts as new. The one place that asks it, for every kind. */
export function newBusiness({ name }: Kind, { book, origin }: Pick<At, 'book' | 'origin'>): Refusal | undefined {
  const { business = 'open' } = book;
  if (business === 'open') return undefined;
  const sort = BUSINESS[name] ?? 'new';
  const goesOn = sort === 'due' || (sort === 'staff' && origin !== 'P');
  return goesOn ? undefined : refuse('WINDING_UP', undefined, { kind: name, business });
}
