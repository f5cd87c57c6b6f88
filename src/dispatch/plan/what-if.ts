import type { ChannelCode } from '../../channels/index.js';
import { type Calendar, type Id, type Minor, Refused, refuse } from '../../kernel/index.js';
import type { PayoutPurpose } from '../../payouts/index.js';
import { type ChannelTable, type ChannelTerms, loadChannelTable, type WhatIf, whatIf } from '../../routing/index.js';
import { loadParameters, mapInBreaths, type Tx } from '../../runtime/index.js';
import { toRoutable } from './plan.js';
import { readPosition } from './position.js';
import { attemptsOf, attemptsOfPlan, findPlan, type Plan } from './store.js';

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
  { calendar }: { readonly calendar: Calendar },
  planId: Id,
  { floats, terms }: Otherwise,
): Promise<{ plan: Plan; result: WhatIf }> {
  const plan = await findPlan(tx, planId);
  if (plan === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (plan.payouts > WHAT_IF_MAX)
    throw new Refused(refuse('PLAN_TOO_LARGE', undefined, { payouts: plan.payouts, most: WHAT_IF_MAX }));
  const rows = await attemptsOfPlan(tx, planId);
  const again = rows.filter(({ attempt }) => attempt > 1).map(({ payoutId }) => payoutId);
  const before = await attemptsOf(tx, again);
  const parameters = await loadParameters(tx);
  const payouts = await mapInBreaths(rows, (row) => {
    const earlier = (before.get(row.payoutId) ?? []).filter(({ attempt }) => attempt < row.attempt);
    const { amount, bankCode, createdMs } = row;
    const bare = { id: row.payoutId, amount, bankCode, createdMs, purpose: row.purpose as PayoutPurpose };
    return toRoutable(bare, earlier, parameters, plan.atMs);
  });
  const kept = readPosition(plan.position);
  const table = await loadChannelTable(tx, plan.atMs);
  const was = { ...kept, calendar, table };
  const would = { ...was, floats: new Map([...kept.floats, ...floats]), table: withTerms(table, terms) };
  return { plan, result: whatIf(payouts, plan.atMs, was, would) };
}

function withTerms(table: ChannelTable, terms: Otherwise['terms']): ChannelTable {
  return { ...table, on: (date, channel) => terms.get(channel) ?? table.on(date, channel) };
}
