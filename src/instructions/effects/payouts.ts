import { electronicRecords, type SettlementAccount, settlementAccountsOf } from '../../accounts/index.js';
import { claimQueueRecords, findClaim, freezeOfPayoutRecords, withChanged } from '../../claims/index.js';
import { addDays, asId, type BusinessDate, type Id, invariant, type Minor, refuse, toWire } from '../../kernel/index.js';
import type { RecordType } from '../../ledger/index.js';
import { orderKey, orderRecords } from '../../orders/index.js';
import { mayBecome, type Payout, type PayoutState, payoutRecords } from '../../payouts/index.js';
import { type At, change, type Effects, type Facts, type Needs, type RecordChange, refused } from '../kind.js';

/** The account that the owner of an account bound for what is paid out to him. Read here, changed in `accounts`. */
export const settlementAccountRecords: RecordType<SettlementAccount> = {
  name: 'settlement-account',
  accountsOf: () => [],
  load: (tx, keys) => settlementAccountsOf(tx, keys.map(asId)),
  saving: () => {
    throw new Error('no instruction changes a settlement account');
  },
};

interface NewPayout {
  readonly purpose: Payout['purpose'];
  readonly source: Id;
  readonly orderNo?: string;
  readonly amount: Minor;
  readonly payee: Payout['payee'];
  /** When the last of its money came in; the day before, when that is not said. */
  readonly fundedOn?: BusinessDate;
}

/** What an instruction that orders a payout does besides its postings. The payout's number is the instruction's: there can be only one. */
export function orderedPayout(at: At, of: NewPayout): Required<Pick<Effects, 'records' | 'events'>> & { no: string } {
  const payout = newPayout(at, of);
  return {
    no: toWire('payout', payout.id),
    records: [change(payoutRecords, payout.id, payout)],
    events: [{ topic: 'payout.created', ref: payout.id }],
  };
}

function newPayout(at: At, of: NewPayout): Payout {
  return {
    id: at.instruction,
    platformId: at.platformId,
    shardId: at.book.shardId,
    purpose: of.purpose,
    sourceAccountId: of.source,
    orderNo: of.orderNo ?? null,
    amount: of.amount,
    payee: of.payee,
    businessDate: at.book.businessDate,
    // What is withdrawable today came in before today.
    fundedOn: of.fundedOn ?? addDays(at.book.businessDate, -1),
    state: 'created',
    channel: null,
    reason: null,
    attempts: 0,
    nextMs: at.nowMs,
    createdMs: at.nowMs,
    changedMs: at.nowMs,
  };
}

/** Which payout a result is of, and what was true when it was said: what is said of another time or by another channel is not of this payout. */
interface ResultOf {
  readonly payout: Payout['id'];
  /** It is ended because nobody was told of it: so only where that is true, whoever sends it meanwhile. */
  readonly unsent?: true | undefined;
  /** The channel that says it: it speaks of the payout only while it has it. */
  readonly channel?: string | undefined;
  /** How often it had been sent, asked after or taken back when it was looked at: so only while that is so. */
  readonly attempts?: number | undefined;
}

/** A payout in its new state, or the refusal that it cannot get there from where it is. */
export function movedPayout(facts: Facts, at: At, said: ResultOf, to: PayoutState, reason: string | null) {
  const { payout: id, unsent = false, channel, attempts } = said;
  const payout = facts.record(payoutRecords, id);
  if (payout === undefined) return refused(refuse('PAYOUT_NOT_FOUND', undefined, { payout: toWire('payout', id) }));
  const asSaid = unsent ? payout.state === 'created' : payout.state !== 'created';
  if (!asSaid || !mayBecome(payout.state, to))
    return refused(refuse('PAYOUT_STATE_CONFLICT', undefined, { from: payout.state, to }));
  const isStale = (channel ?? payout.channel) !== payout.channel || (attempts ?? payout.attempts) !== payout.attempts;
  if (isStale) {
    const detail = 'It was given to another channel, or sent again, after this was said of it.';
    return refused(refuse('PAYOUT_STATE_CONFLICT', detail, { from: payout.state, to }));
  }
  const after: Payout = { ...payout, state: to, reason, changedMs: at.nowMs };
  return { payout, change: change(payoutRecords, id, after) };
}

/** The order behind a refund, which its failure or return changes. */
export function refundedOrder(facts: Facts, at: At, id: Id): Needs {
  const orderNo = facts.record(payoutRecords, id)?.orderNo;
  return orderNo ? { records: [[orderRecords, orderKey(at.platformId, orderNo)]] } : {};
}

/** A refund that did not reach the payer is not a refund: the order's counter goes back with the money. */
export function unrefunded(facts: Facts, at: At, payout: Payout): RecordChange[] {
  if (payout.orderNo === null) return [];
  const key = orderKey(at.platformId, payout.orderNo);
  const order = facts.record(orderRecords, key);
  invariant(order, 'the order of a refund is there');
  return [change(orderRecords, key, { ...order, refunded: order.refunded - payout.amount })];
}

/** The freeze out of whose money a payout went, which its failure or return gives it back to. */
export function freezeNeeds(facts: Facts, id: Id): Needs {
  const payout = facts.record(payoutRecords, id);
  if (payout?.purpose !== 'judicial') return {};
  return {
    records: [
      [freezeOfPayoutRecords, id],
      [claimQueueRecords, payout.sourceAccountId],
    ],
  };
}

/** A deduction that did not reach the authority: its money is frozen again for it, if the freeze has not ended meanwhile. */
export function frozenAgain(facts: Facts, to: Id, payout: Payout): Required<Pick<Effects, 'records' | 'claims'>> {
  const none = { records: [], claims: [] };
  if (payout.purpose !== 'judicial' || to !== payout.sourceAccountId) return none;
  const queue = facts.record(claimQueueRecords, to);
  const freezeId = facts.record(freezeOfPayoutRecords, payout.id)?.freezeId;
  const claim = freezeId && findClaim(queue, freezeId);
  if (queue === undefined || !claim) return none;
  const after = withChanged(queue, claim.refId, { taken: claim.taken - payout.amount });
  return { records: [change(claimQueueRecords, to, after)], claims: [{ account: to, amount: payout.amount }] };
}

/**
 * What the result of a closing's payout makes of the electronic account: it is closed for ever when the money has arrived, and usable
 * again when it came back, or when other money was put back on it meanwhile.
 */
export function endedClosing(facts: Facts, at: At, payout: Payout, result: 'settled' | 'failed') {
  const account = payout.purpose === 'closing' ? facts.record(electronicRecords, payout.sourceAccountId) : undefined;
  const ended: Required<Pick<Effects, 'records' | 'closes'>> = { records: [], closes: [] };
  if (account?.state !== 'closing') return ended;
  const left = facts.account(account.accountId);
  if (result === 'failed' || left?.balance !== 0n || left.claimed > 0n)
    return { ...ended, records: [change(electronicRecords, account.accountId, { ...account, state: 'active' as const })] };
  const closed = { ...account, state: 'closed' as const, closedMs: at.nowMs };
  return { records: [change(electronicRecords, account.accountId, closed)], closes: [account.accountId] };
}
