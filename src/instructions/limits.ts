import {
  type CustomerUse,
  countPassage,
  type ElectronicAccount,
  electronicRecords,
  idTaskRecords,
  limitUseRecords,
  standingRefusal,
} from '../accounts/index.js';
import { type Id, type Instant, invariant, type Minor, type Refusal } from '../kernel/index.js';
import { isElectronic, type Posting } from '../ledger/index.js';
import { type At, change, type Effects, type Facts, type RecordChange } from './kind.js';

/**
 * The limits of the law on a decision: every posting on an electronic account is checked and counted, whatever kind made it, so that no
 * kind can forget them. Answers the effects with what was counted, or the first refusal.
 */
export function withLimits(effects: Effects, facts: Facts, at: At): Effects | Refusal {
  let counting: Counting | undefined;
  for (const posting of effects.postings) {
    if (!isElectronic(facts.account(posting.account)?.type)) continue;
    counting ??= new Counting(facts, at);
    const refusal = counting.count(posting, effects.records);
    if (refusal !== undefined) return refusal;
  }
  return counting === undefined ? effects : { ...effects, records: [...(effects.records ?? []), ...counting.records()] };
}

/** Whether the law would let this much be credited now: for money that is here and must go elsewhere if not. */
export function mayCredit(facts: Facts, at: At, account: Id, amount: Minor, flow: Posting['flow']): boolean {
  if (!isElectronic(facts.account(account)?.type)) return facts.account(account)?.state !== 'closed';
  return new Counting(facts, at).count({ account, amount, flow: flow ?? 'unbound' }) === undefined;
}

/** Why the owner of an electronic account may do no business with it now. */
export function mayAct(facts: Facts, at: At, account: Id): Refusal | undefined {
  const electronic = facts.record(electronicRecords, account);
  return electronic && standingRefusal(electronic, isAtCounter(at) ? 'counter' : 'out', at.nowMs, at.parameters);
}

/** The bank's staff acts for its customer only where he stands before them. */
function isAtCounter({ origin }: At): boolean {
  return origin === 'O';
}

/** What the postings of one instruction have used so far; several of them may be on accounts of one owner. */
class Counting {
  readonly #facts: Facts;
  readonly #at: At;
  readonly #accounts = new Map<Id, ElectronicAccount>();
  readonly #uses = new Map<Id, CustomerUse>();
  readonly #tasks = new Map<Id, Instant>();

  constructor(facts: Facts, at: At) {
    this.#facts = facts;
    this.#at = at;
  }

  /** @param decided the records of the decision itself, among which the account's may be */
  count(posting: Pick<Posting, 'account' | 'amount' | 'flow'>, decided: readonly RecordChange[] = []): Refusal | undefined {
    const own = decided.find(({ type, key }) => type === electronicRecords && key === posting.account);
    const account =
      this.#accounts.get(posting.account) ??
      (own?.row as ElectronicAccount | undefined) ??
      this.#facts.record(electronicRecords, posting.account);
    const ledger = this.#facts.account(posting.account);
    invariant(account && ledger, `the electronic account ${posting.account} has its particulars`);
    // A decision that ends the use of the account may still debit it: its standing is what it was before.
    const standing = (posting.amount < 0n ? this.#facts.record(electronicRecords, posting.account) : undefined) ?? account;
    const judged = standing.state === account.state ? account : { ...account, state: standing.state };
    const { customerId } = account;
    const use = this.#uses.get(customerId) ?? this.#facts.record(limitUseRecords, customerId);
    invariant(use, `customer ${customerId} has a use of limits`);
    const counted = countPassage({
      account: judged,
      uses: use.uses,
      amount: posting.amount,
      flow: posting.flow ?? 'unbound',
      atCounter: isAtCounter(this.#at),
      balanceAfter: ledger.balance + posting.amount,
      nowMs: this.#at.nowMs,
      parameters: this.#at.parameters,
    });
    if ('code' in counted) return counted;
    if (counted.account !== judged) this.#accounts.set(account.accountId, { ...counted.account, state: account.state });
    const touched = use.touched.has(account.accountId) ? use.touched : new Set([...use.touched, account.accountId]);
    this.#uses.set(customerId, { uses: counted.uses, touched });
    if (counted.idTaskDueMs !== undefined) this.#tasks.set(customerId, counted.idTaskDueMs);
    return undefined;
  }

  records(): RecordChange[] {
    return [
      ...[...this.#accounts].map(([id, account]) => change(electronicRecords, id, account)),
      ...[...this.#uses].map(([id, use]) => change(limitUseRecords, id, use)),
      ...[...this.#tasks].map(([customerId, dueMs]) => change(idTaskRecords, customerId, { customerId, dueMs })),
    ];
  }
}
