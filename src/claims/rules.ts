import { addMonths, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';

/** court: an authority had money frozen; dispute: buyer and seller are at odds over it. */
export type ClaimKind = 'court' | 'dispute';

/** What somebody lays claim to of one account. It may be more than there is: what comes in later belongs to it too. */
export interface Claim {
  readonly accountId: Id;
  /** The order of arrival on the account, from 1; it never changes. */
  readonly place: number;
  readonly platformId: Id;
  readonly kind: ClaimKind;
  /** The freeze or the dispute. */
  readonly refId: Id;
  /** The order that is disputed. */
  readonly orderId: Id | null;
  readonly amount: Minor;
  readonly letGo: Minor;
  readonly taken: Minor;
  readonly createdMs: Instant;
  readonly endedMs: Instant | null;
}

/** The claims on an account that have not ended, in the order in which they came. */
export interface ClaimQueue {
  readonly accountId: Id;
  readonly lastPlace: number;
  readonly claims: readonly Claim[];
}

/** What is still claimed; nothing once it has ended. */
export function claimLeft({ amount, letGo, taken, endedMs }: Claim): Minor {
  return endedMs === null ? amount - letGo - taken : 0n;
}

/** The sum of what is claimed of the account: what the ledger keeps with it. */
export function claimedIn({ claims }: ClaimQueue): Minor {
  return claims.reduce((sum, claim) => sum + claimLeft(claim), 0n);
}

/**
 * What each claim has of the money that is there: the earlier takes first, a later one what is left.
 * @param there what of the claims is there (`frozenOf` the account), minor units
 */
export function heldByClaims({ claims }: ClaimQueue, there: Minor): { readonly claim: Claim; readonly held: Minor }[] {
  let rest = there;
  return claims.map((claim) => {
    const left = claimLeft(claim);
    const held = left < rest ? left : rest;
    rest -= held;
    return { claim, held };
  });
}

/** What one of them has. */
export function heldByClaim(queue: ClaimQueue, refId: Id, there: Minor): Minor {
  return heldByClaims(queue, there).find(({ claim }) => claim.refId === refId)?.held ?? 0n;
}

export function findClaim(queue: ClaimQueue | undefined, refId: Id): Claim | undefined {
  return queue?.claims.find((claim) => claim.refId === refId && claim.endedMs === null);
}

/** The queue with one more claim at its end. */
export function withClaim(
  queue: ClaimQueue,
  of: Pick<Claim, 'platformId' | 'kind' | 'refId' | 'orderId' | 'amount' | 'createdMs'>,
): ClaimQueue {
  const place = queue.lastPlace + 1;
  const claim: Claim = { ...of, accountId: queue.accountId, place, letGo: 0n, taken: 0n, endedMs: null };
  return { ...queue, lastPlace: place, claims: [...queue.claims, claim] };
}

/** The queue with one of its claims changed. */
export function withChanged(
  queue: ClaimQueue,
  refId: Id,
  fields: Partial<Pick<Claim, 'letGo' | 'taken' | 'endedMs'>>,
): ClaimQueue {
  return { ...queue, claims: queue.claims.map((claim) => (claim.refId === refId ? { ...claim, ...fields } : claim)) };
}

/** What open disputes over an order lay claim to on this account. */
export function disputedOf(queue: ClaimQueue, orderId: Id): Minor {
  return queue.claims.reduce((sum, claim) => (claim.orderId === orderId ? sum + claimLeft(claim) : sum), 0n);
}

/** 民诉法解释（2022 年修正）第四百八十五条: deposits are frozen for a year at most, and a renewal for another. */
const TERM_MAX_MONTHS = 12;

/** Whether a freeze may last until that day. */
export function mayLast({ from, until, today }: { from: BusinessDate; until: BusinessDate; today: BusinessDate }): boolean {
  return from <= today && until >= today && until <= addMonths(today, TERM_MAX_MONTHS);
}
