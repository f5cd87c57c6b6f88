import type { ChannelCode } from '../../channels/index.js';
import { type Calendar, type Id, type Minor, Refused, refuse } from '../../kernel/index.js';
import { type ChannelTable, type ChannelTerms, type WhatIf, whatIf } from '../../routing/index.js';
import type { Tx } from '../../runtime/index.js';
import { situationOf } from './situation.js';
import { attemptsOfPlan, findPlan, type Plan } from './store.js';

/**
 * More payouts are not assigned again on request: the assignment of a batch is one computation, during which nothing else is served. Ten thousand
 * are under a second.
 */
export const WHAT_IF_MAX = 10_000;

/** What shall have been otherwise. */
export interface Otherwise {
  readonly floats: ReadonlyMap<ChannelCode, Minor | null>;
  /** As if they had been in force all along. */
  readonly terms: ReadonlyMap<ChannelCode, ChannelTerms>;
}

/**
 * Assigns the payouts of a past plan again, as the channels stood and as they would have stood. Nothing is written. What waited then is no part
 * of it: a payout is planned when it gets a channel.
 * @throws Refused NOT_FOUND, PLAN_TOO_LARGE
 */
export async function planOtherwise(
  tx: Tx,
  rt: { readonly calendar: Calendar },
  planId: Id,
  { floats, terms }: Otherwise,
): Promise<{ plan: Plan; result: WhatIf }> {
  const plan = await findPlan(tx, planId);
  if (plan === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (plan.payouts > WHAT_IF_MAX)
    throw new Refused(refuse('PLAN_TOO_LARGE', undefined, { payouts: plan.payouts, most: WHAT_IF_MAX }));
  const rows = await attemptsOfPlan(tx, planId);
  const wanted = rows.map(({ payoutId, attempt, ...of }) => ({ ...of, id: payoutId, attempts: attempt - 1 }));
  const { payouts, position: was } = await situationOf(tx, rt, plan, wanted);
  const would = { ...was, floats: new Map([...was.floats, ...floats]), table: withTerms(was.table, terms) };
  return { plan, result: whatIf(payouts, plan.atMs, was, would) };
}

function withTerms(table: ChannelTable, terms: Otherwise['terms']): ChannelTable {
  return { ...table, on: (date, channel) => terms.get(channel) ?? table.on(date, channel) };
}
