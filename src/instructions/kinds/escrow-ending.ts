import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import {
  backOf,
  type Deal,
  dealRecords,
  endingOf,
  endStage,
  type Fund,
  fundRecords,
  lacksOf,
  nextDue,
  type Passing,
  stageOf,
  withSent,
} from '../../escrow/index.js';
import {
  type Id,
  type Instant,
  invariant,
  type Minor,
  type Refusal,
  refuse,
  toWire,
  workingDayAfter,
} from '../../kernel/index.js';
import { availableOf, isElectronic, type Posting } from '../../ledger/index.js';
import { type Order, type OrderShare, orderKey, orderRecords, shareKey, shareRecords } from '../../orders/index.js';
import { orderNo, wireId } from '../../runtime/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import {
  type At,
  change,
  type Decision,
  type Effects,
  type Facts,
  type Kind,
  type Needs,
  type RecordChange,
  refused,
} from '../kind.js';

const stageSchema = z.strictObject({
  escrow: wireId('escrow').meta({ description: 'The deal' }),
  stage: z.string().max(40),
});
type OfStage = z.output<typeof stageSchema>;

/** After a refusal the system tries a stage again so much later: a dispute or a freeze may have ended. */
const PAUSE_MS = 10 * 60_000;

function fundsIn(facts: Facts, escrow: Id): readonly Fund[] {
  return facts.record(fundRecords, escrow)?.funds ?? [];
}

function stageNeeds({ escrow, stage }: OfStage, facts: Facts, at: At): Needs {
  const deal = facts.record(dealRecords, escrow);
  if (deal === undefined) return {};
  const mine = fundsIn(facts, escrow).filter((fund) => fund.stage === stage);
  const accounts = deal.plan.parties.flatMap(({ account }) => account ?? []);
  return {
    accounts,
    records: [
      ...mine.map((fund) => [orderRecords, orderKey(at.platformId, fund.orderNo)] as const),
      ...mine.flatMap(({ orderId }) => accounts.map((account) => [shareRecords, shareKey(orderId, account)] as const)),
    ],
  };
}

/** An instruction of the system that was refused comes again, later and under another number. */
function tryAgain({ escrow }: { readonly escrow: Id }, facts: Facts, at: At): RecordChange[] {
  const deal = facts.record(dealRecords, escrow);
  if (at.origin !== 'S' || deal === undefined) return [];
  const due = nextDue(deal, fundsIn(facts, escrow), at.nowMs);
  const later = at.nowMs + PAUSE_MS;
  const dueMs = due === null ? null : (Math.max(due, later) as Instant);
  return [change(dealRecords, escrow, { ...deal, turn: deal.turn + 1, dueMs })];
}

/** The deal, if this stage of it can end now, or why not. */
function endable({ escrow, stage }: OfStage, isMet: boolean, facts: Facts, at: At): Refusal | Deal {
  const deal = facts.record(dealRecords, escrow);
  if (deal === undefined) return refuse('ESCROW_NOT_FOUND', undefined, { escrow: toWire('escrow', escrow) });
  const found = stageOf(deal, stage);
  if (found === undefined) return refuse('ESCROW_ITEM_UNKNOWN', undefined, { item: stage });
  if (found.state.end !== null) return refuse('ESCROW_STAGE_ENDED', undefined, { stage });
  const ending = endingOf(deal, stage);
  const has = ending !== undefined && ending.atMs <= at.nowMs;
  if (has && (ending.how === 'met') === isMet) return deal;
  if (!isMet) return refuse('ESCROW_NOT_FAILED', undefined, { stage });
  const lacks = has ? { ended: ending.how } : { lacks: shownLacks(lacksOf(deal, stage, at.nowMs)) };
  return refuse('ESCROW_CONDITION_UNMET', undefined, { stage, ...lacks });
}

const shownLacks = (lacks: unknown) =>
  JSON.parse(JSON.stringify(lacks, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each))) as unknown;

/** What became of a stage: its money goes to those whose it is, and what falls to payers stays on their orders until it is sent. */
function ended(data: OfStage, isMet: boolean, facts: Facts, at: At): Decision {
  const deal = endable(data, isMet, facts, at);
  if ('code' in deal) return refused(deal);
  const { escrow, stage } = data;
  const after = endStage(deal, fundsIn(facts, escrow), { stage, instruction: at.instruction, nowMs: at.nowMs });
  const orders = ordersOf(after.passings, after.funds, facts, at);
  const disputed = disputedIn(orders, facts);
  if (disputed !== undefined) return refused(disputed);
  const dueMs = nextDue(after.deal, after.funds, at.nowMs);
  const end = stageOf(after.deal, stage)?.state.end;
  return {
    postings: postingsOf(after.passings, orders, facts, at),
    records: [
      change(dealRecords, escrow, { ...after.deal, dueMs }),
      change(fundRecords, escrow, { dealId: escrow, funds: after.funds }),
      ...orders.map(({ order, gives }) =>
        change(orderRecords, orderKey(at.platformId, order.orderNo), { ...order, split: order.split + gives }),
      ),
      ...after.passings.map((passing) => sharedBy(passing, facts)),
    ],
    result: {
      how: end?.how,
      paid: end?.paid.map(({ to, amount }) => ({ to, amount: String(amount) })) ?? [],
    },
  };
}

interface Giving {
  readonly order: Order;
  readonly gives: Minor;
}

function ordersOf(passings: readonly Passing[], funds: readonly Fund[], facts: Facts, at: At): Giving[] {
  return [...new Set(passings.map(({ orderId }) => orderId))].map((orderId) => {
    const no = funds.find((fund) => fund.orderId === orderId)?.orderNo ?? '';
    const order = facts.record(orderRecords, orderKey(at.platformId, no));
    invariant(order, `the order ${orderId} of a deal is there`);
    return { order, gives: passings.reduce((sum, passing) => (passing.orderId === orderId ? sum + passing.amount : sum), 0n) };
  });
}

/** What is disputed of an order is not let go; the rest of it is. */
function disputedIn(orders: readonly Giving[], facts: Facts): Refusal | undefined {
  for (const { order, gives } of orders) {
    const account = facts.account(order.accountId);
    if (account !== undefined && account.claimed > 0n && availableOf(account) < gives)
      return refuse('ESCROW_DISPUTED', undefined, { orderNo: order.orderNo, available: String(availableOf(account)) });
  }
  return undefined;
}

function postingsOf(passings: readonly Passing[], orders: readonly Giving[], facts: Facts, at: At): Posting[] {
  const today = at.book.businessDate;
  const gets = new Map<Id, Minor>();
  for (const { account, amount } of passings) gets.set(account, (gets.get(account) ?? 0n) + amount);
  // Like any split: not before the bank's statement of the day on which the last of it came in was seen.
  const last = orders.reduce((latest, { order }) => (order.paidOn > latest ? order.paidOn : latest), today);
  const clears = workingDayAfter(at.calendar, last);
  return [
    ...orders.map(({ order, gives }) => ({ account: order.accountId, amount: -gives })),
    ...[...gets].map(
      ([account, amount]): Posting =>
        isElectronic(facts.account(account)?.type) ? { account, amount, clears, flow: 'unbound' } : { account, amount, clears },
    ),
  ];
}

function sharedBy({ orderId, account, amount }: Passing, facts: Facts): RecordChange {
  const key = shareKey(orderId, account);
  const none: OrderShare = { orderId, receiverId: account, split: 0n, returned: 0n };
  const share = facts.record(shareRecords, key) ?? none;
  return change(shareRecords, key, { ...share, split: share.split + amount });
}

/** A stage whose conditions are met: its money is let go as the template says. The bank reads that from the deal; whoever asks only asks. */
export const escrowRelease: Kind<OfStage> = {
  name: 'escrow-release',
  en: 'Release of a stage of a deal',
  zh: '托管释放',
  origins: ['P', 'S', 'O'],
  proof: 'conditions',
  income: true,
  schema: stageSchema,
  example: { escrow: 'esc_2236512894231552072', stage: 'lesson-1' },
  onDeals: () => true,
  needs: ({ escrow }) => ({
    records: [
      [dealRecords, escrow],
      [fundRecords, escrow],
    ],
  }),
  needsThen: stageNeeds,
  decide: (data, facts, at) => ended(data, true, facts, at),
  whenRefused: tryAgain,
};

/** A stage that failed, was not paid in time, was ended by an exit or decided by the bank: its money goes where the deal says for that. */
export const escrowFailure: Kind<OfStage> = {
  name: 'escrow-failure',
  en: 'Ending of a stage that was not met',
  zh: '托管条件未成就处置',
  origins: ['P', 'S', 'O'],
  proof: 'conditions',
  income: true,
  schema: stageSchema,
  example: { escrow: 'esc_2236512894231552073', stage: 'lesson-1' },
  onDeals: () => true,
  needs: ({ escrow }) => ({
    records: [
      [dealRecords, escrow],
      [fundRecords, escrow],
    ],
  }),
  needsThen: stageNeeds,
  decide: (data, facts, at) => ended(data, false, facts, at),
  whenRefused: tryAgain,
};

const refundSchema = z.strictObject({ escrow: wireId('escrow').meta({ description: 'The deal' }), orderNo });

/**
 * What goes back of one order of a deal goes to whoever paid it: outside by a payout, to an account of the book at once. Where a payout
 * came back it can be asked for again.
 */
export const escrowRefund: Kind<z.output<typeof refundSchema>> = {
  name: 'escrow-refund',
  en: 'Refund out of a deal',
  zh: '托管退款',
  origins: ['P', 'S', 'O'],
  proof: 'conditions',
  schema: refundSchema,
  example: { escrow: 'esc_2236512894231552074', orderNo: 'SO-2005' },
  onDeals: () => true,
  needs: ({ escrow, orderNo: no }, at) => ({
    accounts: [at.book.accounts['in-transit']],
    records: [
      [dealRecords, escrow],
      [fundRecords, escrow],
      [orderRecords, orderKey(at.platformId, no)],
    ],
  }),
  needsThen({ orderNo: no }, facts, at) {
    const payer = facts.record(orderRecords, orderKey(at.platformId, no))?.payerAccountId ?? null;
    return payer === null ? {} : { accounts: [payer], records: [[settlementAccountRecords, payer]] };
  },
  decide({ escrow, orderNo: no }, facts, at) {
    const deal = facts.record(dealRecords, escrow);
    if (deal === undefined) return refused(refuse('ESCROW_NOT_FOUND', undefined, { escrow: toWire('escrow', escrow) }));
    const funds = fundsIn(facts, escrow);
    const order = facts.record(orderRecords, orderKey(at.platformId, no));
    if (order === undefined || !funds.some(({ orderId }) => orderId === order.accountId))
      return refused(refuse('ORDER_NOT_FOUND', undefined, { orderNo: no }));
    const amount = backOf(funds, order.accountId) - order.refunded;
    if (amount <= 0n) return refused(refuse('ESCROW_NOTHING_BACK', undefined, { orderNo: no }));
    const disputed = disputedIn([{ order, gives: amount }], facts);
    if (disputed !== undefined) return refused(disputed);
    const paid = paidBack(order, amount, facts, at);
    if ('code' in paid) return refused(paid);
    const after = withSent(funds, order.accountId);
    return {
      ...paid,
      postings: [{ account: order.accountId, amount: -amount }, ...paid.postings],
      records: [
        change(dealRecords, escrow, { ...deal, dueMs: nextDue(deal, after, at.nowMs) }),
        change(fundRecords, escrow, { dealId: escrow, funds: after }),
        change(orderRecords, orderKey(at.platformId, no), { ...order, refunded: order.refunded + amount }),
        ...(paid.records ?? []),
      ],
    };
  },
  whenRefused: tryAgain,
};

/** To the account of the book that paid while it is open; else by a payout, to whoever paid or to the card or account he bound. */
function paidBack(order: Order, amount: Minor, facts: Facts, at: At): Refusal | Effects {
  const { payerAccountId: account } = order;
  if (
    account !== null &&
    facts.account(account)?.state !== 'closed' &&
    facts.record(electronicRecords, account)?.state !== 'closed'
  ) {
    const today = at.book.businessDate;
    const clears = workingDayAfter(at.calendar, order.paidOn > today ? order.paidOn : today);
    const flow = isElectronic(facts.account(account)?.type) ? { flow: 'exempt' as const } : {};
    return { postings: [{ account, amount, clears, ...flow }] };
  }
  const payee = account === null ? order.payer : facts.record(settlementAccountRecords, account);
  if (payee === undefined || payee.account === '') return refuse('REFUND_ACCOUNT_MISSING', undefined, { orderNo: order.orderNo });
  const payout = orderedPayout(at, {
    ...{ purpose: 'refund', source: order.accountId, orderNo: order.orderNo, amount, payee },
    ...(order.paidOn >= at.book.businessDate ? { fundedOn: order.paidOn } : {}),
  });
  return {
    postings: [{ account: at.book.accounts['in-transit'], amount }],
    records: payout.records,
    events: payout.events,
    result: { payout: payout.no },
  };
}
