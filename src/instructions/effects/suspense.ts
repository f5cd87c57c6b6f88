import { type BusinessDate, type Id, invariant, type Minor } from '../../kernel/index.js';
import type { Payout } from '../../payouts/index.js';
import { leftOf, type SuspenseItem, type SuspenseSource, suspenseRecords } from '../../suspense/index.js';
import { type At, arrivalDate, change, type Effects, type Facts, type RecordChange } from '../kind.js';

interface NewItem {
  readonly amount: Minor;
  readonly source: SuspenseSource;
  readonly reference: string;
  readonly payer: SuspenseItem['payer'];
  readonly told?: string | undefined;
  readonly payout?: Payout | undefined;
  readonly clears?: BusinessDate | undefined;
}

/**
 * The item of money that an instruction credits to suspense. Whatever kind does that adds it to its records, or the engine stops. Its id is
 * the instruction's: there can be only one.
 */
export function suspended(at: At, of: NewItem): RecordChange {
  const source = of.payout?.sourceAccountId;
  const item: SuspenseItem = {
    id: at.instruction,
    platformId: at.platformId,
    amount: of.amount,
    attributed: 0n,
    returned: 0n,
    undone: 0n,
    source: of.source,
    reference: of.reference,
    payoutId: of.payout?.id ?? null,
    // What was sent back to its payer and came again was meant for nobody here.
    fromAccountId: source === undefined || source === at.book.accounts.suspense ? null : source,
    payer: of.payer,
    told: of.told ?? '',
    clears: of.clears ?? null,
    fundedOn: arrivalDate(at),
    sinceMs: at.nowMs,
    changedMs: at.nowMs,
  };
  return change(suspenseRecords, item.id, item);
}

/** The item of a payout or collection whose money went to suspense; nothing where it went elsewhere. */
export function suspendedPayout(at: At, to: Id, payout: Payout, source: SuspenseSource, clears?: BusinessDate): RecordChange[] {
  if (to !== at.book.accounts.suspense) return [];
  const { amount, payee: payer, id } = payout;
  return [suspended(at, { amount, source, reference: source === 'payout-returned' ? `RT${id}` : id, payer, payout, clears })];
}

/** The suspense account moves by what its items do, so that each fen on it has a story. @throws invariant */
export function assertSuspense(effects: Effects, facts: Facts, at: At): void {
  let moved = 0n;
  for (const { account, amount } of effects.postings) if (account === at.book.accounts.suspense) moved += amount;
  let told = 0n;
  for (const { type, key, row } of effects.records ?? []) {
    if (type !== suspenseRecords) continue;
    const before = facts.record(suspenseRecords, key);
    told += leftOf(row as SuspenseItem) - (before === undefined ? 0n : leftOf(before));
  }
  invariant(moved === told, 'every movement of suspense is one of its items');
}
