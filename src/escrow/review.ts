import { endOfProposal, type Id, type Instant, invariant, type Refusal, Refused, refuse } from '../kernel/index.js';
import { availableOf, loadAccounts } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { reckon, underLock } from './confirm.js';
import type { PlanLine } from './plan.js';
import { type Deal, type Decided, mayDecide } from './rules.js';
import { decideReview, findDeal, findReview, fundsOf, insertReview, type Review } from './store.js';

type Parts = Pick<Runtime, 'clock' | 'vault'>;

/**
 * The first of two people says what the bank finds: that what a condition leaves to it is so, or who gets what of a stage. Nothing follows yet.
 * @throws Refused ESCROW_NOT_FOUND, ESCROW_ITEM_UNKNOWN, ESCROW_ENDED, ESCROW_STAGE_ENDED, ESCROW_NO_REVIEW, ESCROW_PARTIES
 */
export async function proposeReview(
  tx: Tx,
  rt: Parts,
  of: { id: Id; escrow: Id; item: string; lines: readonly PlanLine[] | null; reason: string; by: Id },
): Promise<Review> {
  const found = await findDeal(tx, of.escrow);
  if (found === undefined) throw new Refused(refuse('ESCROW_NOT_FOUND'));
  const { deal, nowMs } = await underLock(tx, rt, found);
  const refusal = await decidable(tx, deal, of, nowMs);
  if (refusal !== undefined) throw new Refused(refusal);
  const review: Review = {
    ...{
      id: of.id,
      dealId: deal.id,
      platformId: deal.platformId,
      item: of.item,
      lines: of.lines,
      reasonSealed: rt.vault.seal(of.reason),
    },
    ...{ state: 'proposed', proposedBy: of.by, proposedMs: nowMs, decidedBy: null, decidedMs: null, noteSealed: null },
  };
  await insertReview(tx, review);
  return review;
}

/** Why the bank may not decide this now. A dispute is all that claims anything of the orders of a deal. Under the shard's row. */
async function decidable(tx: Tx, deal: Deal, of: Pick<Decided, 'item' | 'lines'>, nowMs: Instant): Promise<Refusal | undefined> {
  const funds = (await fundsOf(tx, deal.id)).filter(({ stage, amount }) => stage === of.item && amount > 0n);
  const ids = funds.map(({ orderId }) => orderId);
  const accounts = await loadAccounts(tx, ids, () => '9999-12-31' as never);
  const isDisputed = funds.some(({ orderId, amount }) => {
    const account = accounts.get(orderId);
    return account !== undefined && account.claimed > 0n && availableOf(account) < amount;
  });
  return mayDecide(deal, of, { nowMs, isDisputed });
}

/**
 * The second approves; from that moment it counts.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, PROPOSAL_DECIDED, ESCROW_ENDED, ESCROW_STAGE_ENDED when the stage ended meanwhile
 */
export async function approveReview(
  tx: Tx,
  rt: Parts,
  ids: { escrow: Id; review: Id },
  of: { by: Id; note: string | null },
): Promise<Review> {
  const review = await ofDeal(tx, ids);
  const state = endOfProposal(review, of.by, 'yes');
  const { deal, nowMs } = await underLock(tx, rt, { id: review.dealId, platformId: review.platformId });
  const refusal = await decidable(tx, deal, review, nowMs);
  if (refusal !== undefined) throw new Refused(refusal);
  const noteSealed = of.note === null ? null : rt.vault.seal(of.note);
  const decided = await decideReview(tx, review.id, { state, by: of.by, atMs: nowMs, noteSealed });
  if (!decided) throw new Refused(refuse('PROPOSAL_DECIDED'));
  await reckon(tx, deal.id, nowMs);
  return required(tx, ids);
}

/**
 * Whoever does not agree says so; who proposed it takes it back that way.
 * @throws Refused NOT_FOUND, PROPOSAL_DECIDED
 */
export async function rejectReview(
  tx: Tx,
  rt: Parts,
  ids: { escrow: Id; review: Id },
  of: { by: Id; note: string },
): Promise<Review> {
  const review = await ofDeal(tx, ids);
  const state = endOfProposal(review, of.by, 'no');
  const noteSealed = rt.vault.seal(of.note);
  if (!(await decideReview(tx, review.id, { state, by: of.by, atMs: rt.clock.now(), noteSealed })))
    throw new Refused(refuse('PROPOSAL_DECIDED'));
  return required(tx, ids);
}

async function ofDeal(tx: Tx, ids: { escrow: Id; review: Id }): Promise<Review> {
  const review = await findReview(tx, ids.review);
  if (review?.dealId !== ids.escrow) throw new Refused(refuse('NOT_FOUND'));
  return review;
}

async function required(tx: Tx, ids: { review: Id }): Promise<Review> {
  const review = await findReview(tx, ids.review);
  invariant(review, `the review ${ids.review} is there`);
  return review;
}
