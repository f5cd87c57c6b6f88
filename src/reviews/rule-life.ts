import { type BusinessDate, type Id, invariant, naturalDate, type Refusal, Refused, refuse } from '../kernel/index.js';
import { loadBooks, lockShard } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { REVIEWABLE_KINDS, type ReviewRule, type ReviewTest } from './rules.js';
import { askEnd, decideRule, endRule, findRule, insertRule, type StoredRule, seedPayees, setReviewed } from './store.js';

/** Rules come and go by two people of the bank: one asks, another agrees. */
type Parts = Pick<Runtime, 'newId' | 'clock'>;

export type NewRule = Pick<ReviewRule, 'name' | 'kinds' | 'test' | 'minutes' | 'onDeadline' | 'from' | 'until'>;

/** Why a rule could not be applied; undefined: it can. */
function unfitRule({ kinds, test, from, until }: NewRule, today: BusinessDate): Refusal | undefined {
  const unknown = kinds.find((kind) => !(REVIEWABLE_KINDS as readonly string[]).includes(kind));
  if (unknown !== undefined) return refuse('REVIEW_RULE_INVALID', undefined, { kind: unknown, kinds: REVIEWABLE_KINDS });
  if (test.by === 'deviation' && kinds.some((kind) => kind !== 'split'))
    return refuse('REVIEW_RULE_INVALID', 'Only a split deviates from an agreement.', { kinds });
  if (test.by === 'velocity' && test.times === null && test.sum === null)
    return refuse('REVIEW_RULE_INVALID', 'A number or a sum is to be counted.');
  if (from < today || (until !== null && until < from))
    return refuse('REVIEW_RULE_INVALID', 'A rule begins today at the earliest, and does not end before it.', { from, until });
  return undefined;
}

/** @throws Refused NOT_FOUND (no such platform), REVIEW_RULE_INVALID */
export async function proposeRule(tx: Tx, rt: Parts, platformId: Id, of: NewRule, by: Id): Promise<StoredRule> {
  if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
  const nowMs = rt.clock.now();
  const refusal = unfitRule(of, naturalDate(nowMs));
  if (refusal !== undefined) throw new Refused(refusal);
  const rule: StoredRule = {
    ...of,
    ...{ id: rt.newId(), platformId, state: 'proposed', proposedBy: by, proposedMs: nowMs },
    ...{ decidedBy: null, decidedMs: null, endAskedBy: null, endedBy: null, endedMs: null },
  };
  await insertRule(tx, rule);
  return rule;
}

/**
 * Another person agrees, or anybody of the staff declines. It takes the shard: what is decided after the commit is judged by the rule from
 * its first day on.
 * @throws Refused NOT_FOUND, REVIEW_RULE_STATE, SAME_OPERATOR, REVIEW_RULE_INVALID (its last day is over)
 */
export async function approveRule(
  tx: Tx,
  rt: Parts,
  id: Id,
  { state, by }: { state: 'approved' | 'declined'; by: Id },
): Promise<StoredRule> {
  const { rule, nowMs } = await taken(tx, rt, id);
  if (rule.state !== 'proposed') throw new Refused(refuse('REVIEW_RULE_STATE', undefined, { state: rule.state }));
  if (state === 'approved') {
    if (rule.proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
    if (rule.until !== null && rule.until < naturalDate(nowMs)) throw new Refused(refuse('REVIEW_RULE_INVALID'));
    await setReviewed(tx, rule.platformId);
    if (seeds(rule.test)) await seedPayees(tx, rule.platformId);
  }
  invariant(await decideRule(tx, id, { state, by, nowMs }), `rule ${id} was proposed`);
  return again(tx, id);
}

const seeds = ({ by }: ReviewTest) => by === 'new-payee';

/**
 * The first who calls it asks for the end of a rule, another ends it; until then it is in force.
 * @throws Refused NOT_FOUND, REVIEW_RULE_STATE, SAME_OPERATOR
 */
export async function endRuleAsked(tx: Tx, rt: Parts, id: Id, by: Id): Promise<StoredRule> {
  const { rule, nowMs } = await taken(tx, rt, id);
  if (rule.state !== 'approved') throw new Refused(refuse('REVIEW_RULE_STATE', undefined, { state: rule.state }));
  if (rule.endAskedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  if (rule.endAskedBy === null) await askEnd(tx, id, by);
  else invariant(await endRule(tx, id, by, nowMs), `rule ${id} was approved`);
  return again(tx, id);
}

async function taken(tx: Tx, { clock }: Pick<Parts, 'clock'>, id: Id) {
  const found = await findRule(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const book = (await loadBooks(tx, [found.platformId])).get(found.platformId);
  invariant(book, `platform ${found.platformId} has a book`);
  const { nowMs } = await lockShard(tx, book.shardId, clock.now());
  return { rule: await again(tx, id), nowMs };
}

async function again(tx: Tx, id: Id): Promise<StoredRule> {
  const rule = await findRule(tx, id);
  invariant(rule, `rule ${id} is there`);
  return rule;
}
