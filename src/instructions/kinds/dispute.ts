import { z } from 'zod';
import {
  type ClaimQueue,
  claimLeft,
  claimQueueRecords,
  type Dispute,
  disputedOf,
  disputeRecords,
  findClaim,
  heldByClaim,
  withChanged,
  withClaim,
} from '../../claims/index.js';
import { type Id, invariant, type Minor, refuse, toRfc3339, toWire } from '../../kernel/index.js';
import { frozenOf, type HoldChange, type Posting } from '../../ledger/index.js';
import { backgroundRecords, type Order, orderKey, orderLeft, orderRecords, shareKey, shareRecords } from '../../orders/index.js';
import { instantSchema, moneySchema, orderNo, textSchema, wireId } from '../../runtime/index.js';
import { type At, arrivalDate, change, type Facts, type Kind, type Needs, type RecordChange, refused } from '../kind.js';
import { itemsGivenBack } from '../orders/items.js';
import { boundBackground } from '../orders/sharing.js';

const openSchema = z.strictObject({
  orderNo,
  amount: moneySchema,
  account: wireId('account').optional().meta({
    description: 'The receiver out of whose part of the order the rest is held, where the order itself has too little left',
  }),
  reason: textSchema(128),
  expiresAt: instantSchema.meta({ description: 'From then on it is over, and nothing is held for it' }),
});
type Opening = z.output<typeof openSchema>;

const smaller = (a: Minor, b: Minor): Minor => (a < b ? a : b);

function queueOf(facts: Facts, account: Id): ClaimQueue {
  const queue = facts.record(claimQueueRecords, account);
  invariant(queue, `the queue of claims on ${account} is there`);
  return queue;
}

/** What can be disputed of an order and, where a receiver is named, of what he got out of it. */
function disputable(data: Opening, order: Order, facts: Facts): { onOrder: Minor; onReceiver: Minor } {
  const onOrder = orderLeft(order) - disputedOf(queueOf(facts, order.accountId), order.accountId);
  if (data.account === undefined) return { onOrder, onReceiver: 0n };
  const share = facts.record(shareRecords, shareKey(order.accountId, data.account));
  const got = share === undefined ? 0n : share.split - share.returned;
  return { onOrder, onReceiver: got - disputedOf(queueOf(facts, data.account), order.accountId) };
}

const atLeastNothing = (amount: Minor): Minor => (amount > 0n ? amount : 0n);

/**
 * Lays claim to exactly the disputed amount: first to what the order has left, for the rest to what its receiver has. Of that some may
 * not be there now; it is held as it comes in.
 */
export const disputeOpen: Kind<Opening> = {
  name: 'dispute-open',
  en: 'Opening of a dispute',
  zh: '争议冻结',
  origins: ['P', 'O'],
  proof: 'reservation',
  schema: openSchema,
  personal: [{ path: ['reason'], mask: () => '***' }],
  stored: openSchema.extend({ reason: z.string() }),
  example: {
    orderNo: 'SO-1001',
    amount: { amount: 700, currency: 'CNY' },
    account: 'acc_2236512894231552003',
    reason: '货不对板',
    expiresAt: '2026-03-31T00:00:00+08:00',
  },
  // What was let go of a deal stays so: only what is still on its orders can be disputed.
  onDeals: ({ account }) => account === undefined,
  needs: (data, at) => ({
    ...(data.account === undefined ? {} : { accounts: [data.account] }),
    records: [
      [orderRecords, orderKey(at.platformId, data.orderNo)],
      ...(data.account === undefined ? [] : [[claimQueueRecords, data.account] as const]),
    ],
  }),
  needsThen(data, facts, at): Needs {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return {};
    const share = data.account === undefined ? [] : [[shareRecords, shareKey(order.accountId, data.account)] as const];
    return { records: [[claimQueueRecords, order.accountId], ...share] };
  },
  decide(data, facts, at) {
    const order = facts.record(orderRecords, orderKey(at.platformId, data.orderNo));
    if (order === undefined) return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: data.orderNo }));
    if (data.account !== undefined && facts.account(data.account) === undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
    if (data.expiresAt <= at.nowMs) return refused(refuse('DISPUTE_ENDED', 'The deadline is in the past.'));
    // The order was paid for in this very batch: what is claimed of it was not asked for.
    if (facts.record(claimQueueRecords, order.accountId) === undefined) return { waits: 'next-batch' };
    const amount = data.amount.amount;
    const most = disputable(data, order, facts);
    const onOrder = smaller(amount, atLeastNothing(most.onOrder));
    const onReceiver = amount - onOrder;
    if (onReceiver > atLeastNothing(most.onReceiver)) {
      const left = atLeastNothing(most.onOrder) + atLeastNothing(most.onReceiver);
      return refused(refuse('DISPUTE_EXCEEDS_ORDER', undefined, { left: String(left) }));
    }
    const dispute: Dispute = {
      ...{ id: at.instruction, platformId: at.platformId, orderId: order.accountId, orderNo: order.orderNo },
      ...{ receiverId: onReceiver > 0n ? (data.account ?? null) : null, amount, onOrder, onReceiver, givenBack: 0n },
      ...{
        reason: data.reason,
        state: 'open',
        ofBank: at.origin === 'O',
        deadlineMs: data.expiresAt,
        openedMs: at.nowMs,
        endedMs: null,
      },
    };
    const parts = partsOf(dispute);
    return {
      postings: [],
      claims: parts,
      records: [change(disputeRecords, dispute.id, dispute), ...parts.map((part) => claimed(dispute, part, facts, at))],
      result: { dispute: toWire('dispute', dispute.id), onOrder: String(onOrder), onReceiver: String(onReceiver) },
    };
  },
};

/** On which accounts a dispute lays claim to how much. */
function partsOf({ orderId, onOrder, receiverId, onReceiver }: Dispute): HoldChange[] {
  const parts: HoldChange[] = onOrder > 0n ? [{ account: orderId, amount: onOrder }] : [];
  if (receiverId !== null && onReceiver > 0n) parts.push({ account: receiverId, amount: onReceiver });
  return parts;
}

function claimed(dispute: Dispute, { account, amount }: HoldChange, facts: Facts, at: At): RecordChange {
  const { id: refId, platformId, orderId } = dispute;
  const claim = { refId, platformId, orderId, kind: 'dispute' as const, amount, createdMs: at.nowMs };
  return change(claimQueueRecords, account, withClaim(queueOf(facts, account), claim));
}

const endSchema = z.strictObject({
  dispute: wireId('dispute'),
  result: z.enum(['upheld', 'rejected']).meta({
    description:
      'upheld: what it holds stands on the order, and can be refunded; rejected: it is let go where it stands. ' +
      'What is disputed of a deal the bank divides by its review of the stage, and the dispute is rejected then',
  }),
});

/** Ends a dispute and lets go what it holds; where it is upheld, what it holds of the receiver goes back to the order first. */
export const disputeEnd: Kind<z.output<typeof endSchema>> = {
  name: 'dispute-end',
  en: 'End of a dispute',
  zh: '争议了结',
  origins: ['P', 'S', 'O'],
  proof: 'order',
  schema: endSchema,
  example: { dispute: 'dsp_2236512894231552012', result: 'upheld' },
  needs: (data) => ({ records: [[disputeRecords, data.dispute]] }),
  needsThen(data, facts, at): Needs {
    const dispute = facts.record(disputeRecords, data.dispute);
    if (dispute === undefined) return {};
    const { orderId, receiverId, orderNo: no } = dispute;
    const ofReceiver =
      receiverId === null
        ? []
        : [[claimQueueRecords, receiverId] as const, [shareRecords, shareKey(orderId, receiverId)] as const];
    return {
      records: [
        [orderRecords, orderKey(at.platformId, no)],
        [backgroundRecords, orderId],
        [claimQueueRecords, orderId],
        ...ofReceiver,
      ],
    };
  },
  decide(data, facts, at) {
    const dispute = facts.record(disputeRecords, data.dispute);
    if (dispute === undefined)
      return refused(refuse('DISPUTE_NOT_FOUND', undefined, { dispute: toWire('dispute', data.dispute) }));
    if (dispute.state !== 'open') return refused(refuse('DISPUTE_ENDED', undefined, { state: dispute.state }));
    if (dispute.ofBank && at.origin === 'P') return refused(refuse('DISPUTE_OF_BANK'));
    const { deadlineMs } = dispute;
    // What is past its deadline is over: it can only be let go.
    if (deadlineMs <= at.nowMs && data.result === 'upheld')
      return refused(refuse('DISPUTE_ENDED', undefined, { endedAt: toRfc3339(deadlineMs) }));
    if (data.result === 'upheld' && facts.account(dispute.orderId)?.type === 'escrow')
      return refused(
        refuse('ESCROW_BOUND', 'The bank divides what is disputed of a deal by its review of the stage.', {
          orderNo: dispute.orderNo,
        }),
      );
    const back = data.result === 'upheld' ? givenBack(dispute, facts, at) : { amount: 0n, postings: [], records: [] };
    const state = at.origin === 'S' ? 'lapsed' : data.result;
    const after: Dispute = { ...dispute, state, givenBack: back.amount, endedMs: at.nowMs };
    const ended = partsOf(dispute).map(({ account }) => letGo(dispute, account, back.amount, facts, at));
    return {
      postings: back.postings,
      claims: ended.flatMap(({ claim }) => claim),
      records: [change(disputeRecords, dispute.id, after), ...ended.map(({ record }) => record), ...back.records],
      result: { state, givenBack: String(back.amount) },
    };
  },
};

/** Lets go what is still claimed of an account after `taken` of the receiver's went back. */
function letGo(dispute: Dispute, account: Id, taken: Minor, facts: Facts, at: At) {
  const queue = queueOf(facts, account);
  const claim = findClaim(queue, dispute.id);
  invariant(claim, `dispute ${dispute.id} has its claim on ${account}`);
  const given = account === dispute.receiverId ? taken : 0n;
  const left = claimLeft(claim) - given;
  const after = withChanged(queue, dispute.id, { taken: claim.taken + given, letGo: claim.letGo + left, endedMs: at.nowMs });
  const none = left === 0n;
  return { claim: none ? [] : [{ account, amount: -left }], record: change(claimQueueRecords, account, after) };
}

interface Back {
  readonly amount: Minor;
  readonly postings: readonly Posting[];
  readonly records: readonly RecordChange[];
}

/** What the dispute holds of the receiver, as far as he has not given it back otherwise, goes back to the order. */
function givenBack({ id, orderId, receiverId, orderNo: no }: Dispute, facts: Facts, at: At): Back {
  const account = receiverId === null ? undefined : facts.account(receiverId);
  const key = orderKey(at.platformId, no);
  const order = facts.record(orderRecords, key);
  invariant(order, `the order of dispute ${id} is there`);
  if (account === undefined) return { amount: 0n, postings: [], records: [] };
  const share = facts.record(shareRecords, shareKey(orderId, account.id));
  invariant(share, `what ${account.id} got out of the order is there`);
  const amount = smaller(heldByClaim(queueOf(facts, account.id), id, frozenOf(account)), share.split - share.returned);
  if (amount === 0n) return { amount, postings: [], records: [] };
  // As with any return of a split: what has not cleared may have come in as late as now.
  const paidOn = account.uncleared.length > 0 ? arrivalDate(at) : order.paidOn;
  const background = boundBackground(order, facts);
  const back = { by: at.instruction, lines: [{ account: account.id, amount }], shares: [share] };
  const items = background && itemsGivenBack(background, back);
  return {
    amount,
    postings: [
      { account: account.id, amount: -amount, draw: 'uncleared-first', claim: 'dispute' },
      { account: orderId, amount },
    ],
    records: [
      change(orderRecords, key, { ...order, returned: order.returned + amount, paidOn }),
      change(shareRecords, shareKey(orderId, account.id), { ...share, returned: share.returned + amount }),
      ...(background && items ? [change(backgroundRecords, orderId, { ...background, items })] : []),
    ],
  };
}
