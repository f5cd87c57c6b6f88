import {
  countPassage,
  electronicRecords,
  frozenRefusal,
  idTaskRecords,
  limitUseRecords,
  pastUseRecords,
  standingRefusal,
} from '../../accounts/index.js';
import { type Id, invariant, type Minor, type Refusal } from '../../kernel/index.js';
import { isElectronic, type Posting, type RecordType } from '../../ledger/index.js';
import { isUnderWay, type Payout, payoutRecords, underWayRecords } from '../../payouts/index.js';
import { type At, change, type Effects, type Facts, type RecordChange } from '../kind.js';

/**
 * The limits of the law on a decision: every posting on an electronic account is checked and counted, whatever kind made it, so that no
 * kind can forget them. Answers the effects with what was counted, or the first refusal.
 */
export function withLimits(effects: Effects, facts: Facts, at: At): Effects | Refusal {
  let counting: Counting | undefined;
  for (const posting of effects.postings) {
    if (!isElectronic(facts.account(posting.account)?.type)) continue;
    counting ??= new Counting(facts, at, effects.records);
    const refusal = counting.count(posting);
    if (refusal !== undefined) return refusal;
  }
  for (const { account, amount, from, to } of effects.through ?? []) {
    counting ??= new Counting(facts, at, effects.records);
    const refusal = counting.count({ account, amount, flow: from }) ?? counting.count({ account, amount: -amount, flow: to });
    if (refusal !== undefined) return refusal;
  }
  return counting === undefined ? effects : { ...effects, records: counting.changes };
}

/**
 * Whether the law would let this much be credited now: for money that is here and must go elsewhere if not.
 * @param decided what else the decision changes: for a payout that has its result now room was kept
 */
export function mayCredit(
  facts: Facts,
  at: At,
  posting: Pick<Posting, 'account' | 'amount' | 'flow'>,
  decided: readonly RecordChange[],
): boolean {
  const account = facts.account(posting.account);
  if (!isElectronic(account?.type)) return account?.state !== 'closed';
  return new Counting(facts, at, decided).count(posting) === undefined;
}

/** Why the law would not let this pass now: for money that is held today and moves later. */
export function passageRefusal(facts: Facts, at: At, posting: Pick<Posting, 'account' | 'amount' | 'flow'>): Refusal | undefined {
  return isElectronic(facts.account(posting.account)?.type) ? new Counting(facts, at).count(posting) : undefined;
}

/** Why the owner of an electronic account may do no business with it now. */
export function mayAct(facts: Facts, at: At, account: Id): Refusal | undefined {
  const electronic = facts.record(electronicRecords, account);
  if (electronic === undefined) return undefined;
  const frozen = facts.account(account)?.state === 'frozen';
  return (
    standingRefusal(electronic, isAtCounter(at) ? 'counter' : 'out', at.nowMs, at.parameters) ??
    frozenRefusal({ account: electronic, amount: -1n, frozen })
  );
}

/** The bank's staff acts for its customer only where he stands before them. */
function isAtCounter({ origin }: At): boolean {
  return origin === 'O';
}

/** What the postings of one instruction have used so far; several of them may be on accounts of one owner. */
class Counting {
  readonly #facts: Facts;
  readonly #at: At;
  /** The records of the decision itself, then what was counted; of those under one key the last holds. */
  readonly changes: RecordChange[];

  constructor(facts: Facts, at: At, decided: readonly RecordChange[] = []) {
    this.#facts = facts;
    this.#at = at;
    this.changes = [...decided];
  }

  #record<Row>(of: RecordType<Row>, by: Id): Row | undefined {
    const changed = this.changes.findLast(({ type, key }) => type === of && key === by);
    return changed === undefined ? this.#facts.record(of, by) : (changed.row as Row);
  }

  /**
   * For what else room is kept under the cap of a Class III account: all that is under way of it, which comes with the account. A payout
   * that has its result now takes the room that was kept for it, and is not kept out by the others.
   */
  #reserved(account: Id): Minor {
    const underWay = this.#facts.record(underWayRecords, account);
    invariant(underWay, `what is under way of the Class III account ${account} is known`);
    for (const { type, key, row } of this.changes) {
      if (type !== payoutRecords) continue;
      const [before, after] = [this.#facts.record(payoutRecords, key), row as Payout];
      const ended = before !== undefined && isUnderWay(before.state) && !isUnderWay(after.state);
      if (ended && after.sourceAccountId === account) return 0n;
    }
    return underWay.paid + underWay.collected;
  }

  count(posting: Pick<Posting, 'account' | 'amount' | 'flow'>): Refusal | undefined {
    const account = this.#record(electronicRecords, posting.account);
    const ledger = this.#facts.account(posting.account);
    invariant(account && ledger, `the electronic account ${posting.account} has its particulars`);
    // A decision that ends the use of the account may still debit it: its standing is what it was before.
    const standing = (posting.amount < 0n ? this.#facts.record(electronicRecords, posting.account) : undefined) ?? account;
    const judged = standing.state === account.state ? account : { ...account, state: standing.state };
    const { customerId } = account;
    const use = this.#record(limitUseRecords, customerId);
    invariant(use, `customer ${customerId} has a use of limits`);
    const counted = countPassage({
      account: judged,
      uses: use.uses,
      amount: posting.amount,
      flow: posting.flow ?? 'unbound',
      atCounter: isAtCounter(this.#at),
      balanceAfter: ledger.balance + posting.amount,
      reserved: posting.amount > 0n && account.class === 3 ? this.#reserved(posting.account) : 0n,
      frozen: ledger.state === 'frozen',
      nowMs: this.#at.nowMs,
      parameters: this.#at.parameters,
    });
    if ('code' in counted) return counted;
    if (counted.account !== judged)
      this.changes.push(change(electronicRecords, account.accountId, { ...counted.account, state: account.state }));
    const touched = use.touched.has(account.accountId) ? use.touched : new Set([...use.touched, account.accountId]);
    this.changes.push(change(limitUseRecords, customerId, { uses: counted.uses, touched }));
    const own = counted.uses.find(({ accountId }) => accountId === account.accountId);
    invariant(own, `the account ${account.accountId} is among those of its owner`);
    const past = { use: own, usedMs: this.#at.nowMs };
    this.changes.push(change(pastUseRecords, `${account.accountId}:${past.usedMs}`, past));
    if (counted.idTaskDueMs !== undefined)
      this.changes.push(change(idTaskRecords, customerId, { customerId, dueMs: counted.idTaskDueMs }));
    return undefined;
  }
}
