import { type FundOrder, fundOrderRecords, settledByRecords } from '../../funds/index.js';
import { invariant, type Minor } from '../../kernel/index.js';
import type { Payout } from '../../payouts/index.js';
import { type At, change, type Effects, type Facts, type Needs, type RecordChange } from '../kind.js';

/** The purchases whose money a payout took to their fund. */
export function settledNeeds(payout: Payout | undefined, facts: Facts): NonNullable<Needs['records']> {
  if (payout?.purpose !== 'fund-settlement') return [];
  const settled = facts.record(settledByRecords, payout.id)?.orders ?? [];
  return [[settledByRecords, payout.id], ...settled.map((id) => [fundOrderRecords, id] as const)];
}

/** Money that did not reach a fund is its purchases' again, on the collection account; they are settled anew. */
export function unsettled(payout: Payout, facts: Facts, at: At): RecordChange[] {
  if (payout.purpose !== 'fund-settlement') return [];
  return (facts.record(settledByRecords, payout.id)?.orders ?? []).map((id) => {
    const order = facts.record(fundOrderRecords, id);
    invariant(order?.settlementId === payout.id, `the order ${id} was settled by ${payout.id}`);
    const again = { ...order, state: 'confirmed', collected: order.amount, settlementId: null, changedMs: at.nowMs } as const;
    return change(fundOrderRecords, id, again);
  });
}

/** The collection account moves by what of it is its orders', so that each fen on it is one order's. @throws invariant */
export function assertCollection(effects: Effects, facts: Facts): void {
  const opened = effects.opens?.find(({ type }) => type === 'fund-collection')?.id;
  let moved: Minor = 0n;
  for (const { account, amount } of effects.postings)
    if (account === opened || facts.account(account)?.type === 'fund-collection') moved += amount;
  let collected: Minor = 0n;
  for (const { type, key, row } of effects.records ?? []) {
    if (type !== fundOrderRecords) continue;
    collected += (row as FundOrder).collected - (facts.record(fundOrderRecords, key)?.collected ?? 0n);
  }
  invariant(moved === collected, 'every movement of the collection account is its orders’');
}
