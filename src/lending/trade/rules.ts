import {
  type BusinessDate,
  type Id,
  type Instant,
  type Minor,
  type Refusal,
  refuse,
  toRfc3339,
  toWire,
} from '../../kernel/index.js';
import { addParts, owedByPlan, sumOf } from '../plan.js';
import { BIDS_MAX, type Claim, loanTerms, notNow, type Project } from '../rules.js';

/**
 * Claims that change hands (债权转让): what one lender offers of his claim, at what price, and what somebody else buys of it. Pure.
 *
 * An offer is of a claim as it stood: every payment on the claim ends it, since what is left is no more what was offered. The claim's count of
 * payments says so by itself, so no repayment has to know of offers.
 */

/** An offer. `ended`: it was overtaken by a payment on the claim, or by time; who looks can tell before the books write it down. */
export interface ClaimSale {
  readonly id: Id;
  readonly platformId: Id;
  readonly projectId: Id;
  readonly claimId: Id;
  readonly seller: Id;
  /** The principal that is offered, and for how much in all. Minor units. */
  readonly share: Minor;
  readonly price: Minor;
  /** What of both is sold. */
  readonly sold: Minor;
  readonly paid: Minor;
  /** Basis points of what the seller gets: from it to the platform. */
  readonly fee: number;
  readonly untilMs: Instant;
  /** How often the claim had been paid on. */
  readonly turn: number;
  readonly state: 'open' | 'sold' | 'cancelled' | 'ended';
  readonly createdMs: Instant;
}

/** Whether something of it can be bought now. */
export function isOpenSale(sale: ClaimSale, claims: readonly Claim[], nowMs: Instant): boolean {
  const claim = claims.find(({ id }) => id === sale.claimId);
  return sale.state === 'open' && nowMs < sale.untilMs && claim?.turn === sale.turn;
}

/** The offers with those written down as ended that are. */
export function withoutEnded(sales: readonly ClaimSale[], claims: readonly Claim[], nowMs: Instant): ClaimSale[] {
  return sales.map((sale) =>
    sale.state !== 'open' || isOpenSale(sale, claims, nowMs) ? sale : { ...sale, state: 'ended' as const },
  );
}

export interface Offer {
  readonly claimId: Id;
  readonly seller: Id;
  readonly share: Minor;
  readonly price: Minor;
  readonly untilMs: Instant;
}

/** The business date of the book, and the moment. */
export interface Today {
  readonly on: BusinessDate;
  readonly nowMs: Instant;
}

/**
 * All that a part of the principal that is left can still bring by the plan: with its interest, and the penalty as of today, cut to the fen.
 * Whoever pays more for it does not buy a claim but sends money to another member, past the limits of his account.
 */
function mostFor(project: Project, share: Minor, on: BusinessDate): Minor {
  const all = sumOf(addParts(owedByPlan(loanTerms(project), project.loan, on)));
  return (all * share) / project.left;
}

/**
 * Whether a lender may offer this: of a claim of his, not what he offers already, and for no more than it can bring.
 * @param open the offers that are open now
 * @returns PROJECT_STATE, CLAIM_NOT_FOUND, SALE_TERMS, SALE_EXCEEDED with what he can still offer
 */
export function decideSale(
  project: Project,
  claims: readonly Claim[],
  open: readonly ClaimSale[],
  offer: Offer,
  { on, nowMs }: Today,
): Refusal | undefined {
  if (project.state !== 'lent') return notNow(project);
  const claim = claims.find(({ id }) => id === offer.claimId);
  if (claim?.account !== offer.seller) return refuse('CLAIM_NOT_FOUND', undefined, { claim: toWire('claim', offer.claimId) });
  if (offer.untilMs <= nowMs) return refuse('SALE_TERMS', 'It ends in the past.', { until: toRfc3339(offer.untilMs) });
  const offered = open.reduce((sum, { claimId, share, sold }) => (claimId === claim.id ? sum + share - sold : sum), 0n);
  const left = claim.left - offered;
  if (offer.share > left) return refuse('SALE_EXCEEDED', undefined, { left: String(left) });
  const most = mostFor(project, offer.share, on);
  return offer.price > most ? refuse('SALE_TERMS', 'It costs more than it can still bring.', { most: String(most) }) : undefined;
}

/** What a part of an offer costs: in proportion to what is sold of it with this part, cut to the fen, so that the last part takes the rest. */
export function priceOf({ share, price, sold, paid }: ClaimSale, part: Minor): Minor {
  return (price * (sold + part)) / share - paid;
}

/** What somebody wants to buy. */
export interface Purchase {
  readonly id: Id;
  readonly buyer: Id;
  readonly share: Minor;
  /** What he said yes to. */
  readonly amount: Minor;
}

/**
 * What a part of an offer, or of what the platform advanced, makes of the claims once it is paid.
 * @returns the claims; SALE_EXCEEDED, PRICE_DIFFERS with the price, CLAIMS_MAX
 */
export function bought(
  project: Project,
  claims: readonly Claim[],
  of: { readonly claimId: Id; readonly left: Minor; readonly price: Minor },
  purchase: Purchase,
): readonly Claim[] | Refusal {
  const { share, amount } = purchase;
  if (share > of.left) return refuse('SALE_EXCEEDED', undefined, { left: String(of.left) });
  if (amount !== of.price) return refuse('PRICE_DIFFERS', undefined, { price: String(of.price) });
  const after = claims.map((claim) =>
    claim.id === of.claimId ? { ...claim, principal: claim.principal - share, left: claim.left - share } : claim,
  );
  // So many are paid in one instruction at most.
  if (after.filter(({ left }) => left > 0n).length >= BIDS_MAX) return refuse('CLAIMS_MAX', undefined, { most: BIDS_MAX });
  const { id, buyer } = purchase;
  return [...after, { id, no: project.claims + 1, account: buyer, principal: share, left: share, earned: 0n, turn: 0 }];
}

/** The offer after a part of it was sold. */
export function withSold(sale: ClaimSale, share: Minor, amount: Minor): ClaimSale {
  const sold = sale.sold + share;
  return { ...sale, sold, paid: sale.paid + amount, state: sold === sale.share ? 'sold' : 'open' };
}
