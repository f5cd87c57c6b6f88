import { z } from 'zod';
import {
  catalogueRecords,
  type FundOrder,
  fundBookRecords,
  fundOrderRecords,
  type Holding,
  holdingKey,
  holdingRecords,
  SETTLED_AT_ONCE,
} from '../../../funds/index.js';
import {
  BALANCE_MAX,
  type Id,
  invariant,
  naturalDate,
  type Refusal,
  refuse,
  toWire,
  workingDayAfter,
} from '../../../kernel/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { orderedPayout } from '../../effects/payouts.js';
import { type At, arrivalDate, change, type Facts, type Kind, type Needs, type RecordChange, refused } from '../../kind.js';
import { fundCode, reference } from '../../wire.js';
import { FUND_IDS, fundBook, holdingChange, knownBook, orderChange } from './ordering.js';

const several = z
  .array(wireId('fund-order'))
  .min(1)
  .max(SETTLED_AT_ONCE)
  .refine((orders) => new Set(orders).size === orders.length, { error: 'each order is named once' });

/** The orders, all of one fund and in a state; or the first that is not. */
function ordersOf(
  ids: readonly Id[],
  of: { fund: string; direction: FundOrder['direction'] },
  facts: Facts,
): readonly FundOrder[] | Refusal {
  const orders: FundOrder[] = [];
  for (const id of ids) {
    const order = facts.record(fundOrderRecords, id);
    const where = { order: toWire('fund-order', id) };
    if (order?.fund !== of.fund || order.direction !== of.direction) return refuse('FUND_ORDER_NOT_FOUND', undefined, where);
    if (order.state !== 'confirmed') return refuse('FUND_ORDER_STATE', undefined, { ...where, state: order.state });
    orders.push(order);
  }
  return orders;
}

const proceedsSchema = z.strictObject({ fund: fundCode, amount: moneySchema, reference, orders: several });

/**
 * The fund company has paid for redemptions, as the statement of the custody account is to show under this reference: the money stands on
 * the collection account. What is for a purchase from the pot is that purchase's from now on.
 */
export const fundProceeds: Kind<z.output<typeof proceedsSchema>> = {
  name: 'fund-proceeds',
  en: 'Proceeds of redeemed units',
  zh: '基金赎回款到账',
  origins: ['S'],
  proof: 'inflow',
  schema: proceedsSchema,
  example: {
    fund: '000198',
    amount: { amount: 700, currency: 'CNY' },
    reference: 'FR-000198-20260303',
    orders: ['fno_2236512894231552082'],
  },
  onFunds: true,
  needs: ({ orders }, at) => ({
    accounts: [at.book.accounts.custody],
    records: [[fundBookRecords, at.platformId], ...orders.map((id) => [fundOrderRecords, id] as const)],
  }),
  needsThen: ({ orders }, facts) => ({
    records: orders.flatMap((id) => {
      const partner = facts.record(fundOrderRecords, id)?.partnerId ?? null;
      return partner === null ? [] : [[fundOrderRecords, partner] as const];
    }),
  }),
  decide({ fund, amount: { amount }, reference: of, orders: ids }, facts, at) {
    const orders = ordersOf(ids, { fund, direction: 'redemption' }, facts);
    if ('code' in orders) return refused(orders);
    const paid = orders.find(({ collected }) => collected > 0n);
    if (paid !== undefined)
      return refused(refuse('FUND_ORDER_STATE', 'Its proceeds are here.', { order: toWire('fund-order', paid.id) }));
    const sum = orders.reduce((all, order) => all + order.amount, 0n);
    if (sum !== amount) return refused(refuse('FUND_PROCEEDS_DIFFER', undefined, { sum: String(sum) }));
    const { custody } = at.book.accounts;
    if (amount - (facts.account(custody)?.balance ?? 0n) > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    return {
      postings: [
        { account: custody, amount: -amount },
        { account: knownBook(facts, at).collectionId, amount, clears: workingDayAfter(at.calendar, arrivalDate(at)) },
      ],
      records: orders.flatMap((order) => withProceeds(order, facts, at)),
      boundary: [{ reference: of, amount }],
    };
  },
};

function withProceeds(order: FundOrder, facts: Facts, at: At): RecordChange[] {
  const changedMs = at.nowMs;
  if (order.way !== 'exchange') return [orderChange({ ...order, collected: order.amount, changedMs })];
  const purchase = order.partnerId === null ? undefined : facts.record(fundOrderRecords, order.partnerId);
  invariant(purchase?.state === 'confirmed', `the purchase that ${order.id} pays for is confirmed`);
  return [
    orderChange({ ...order, state: 'settled', changedMs }),
    orderChange({ ...purchase, collected: purchase.collected + order.amount, changedMs }),
  ];
}

const paidSchema = z.strictObject({ order: wireId('fund-order') });

/** What came in for a redemption goes to the account that had the units; where that was paid at once, to the bank. */
export const fundProceedsPaid: Kind<z.output<typeof paidSchema>> = {
  name: 'fund-proceeds-paid',
  en: 'Proceeds paid to the account they are for',
  zh: '基金赎回款入账',
  origins: ['S'],
  proof: 'company',
  schema: paidSchema,
  example: { order: 'fno_2236512894231552081' },
  onFunds: true,
  needs: ({ order }, at) => ({
    records: [
      [fundOrderRecords, order],
      [fundBookRecords, at.platformId],
    ],
  }),
  needsThen({ order: id }, facts): Needs {
    const order = facts.record(fundOrderRecords, id);
    return order === undefined ? {} : { records: [[holdingRecords, holdingKey(order.accountId, order.fund)]] };
  },
  decide({ order: id }, facts, at) {
    const order = facts.record(fundOrderRecords, id);
    const where = { order: toWire('fund-order', id) };
    if (order?.direction !== 'redemption') return refused(refuse('FUND_ORDER_NOT_FOUND', undefined, where));
    const { amount, collected, state } = order;
    if (state !== 'confirmed' || collected === 0n) return refused(refuse('FUND_ORDER_STATE', undefined, { ...where, state }));
    const book = knownBook(facts, at);
    const holding = facts.record(holdingRecords, holdingKey(order.accountId, order.fund));
    invariant(holding, `the order ${id} has a holding`);
    const settled = orderChange({ ...order, state: 'settled', collected: 0n, changedMs: at.nowMs });
    // What came in for it is younger than what others have paid for units, and goes first.
    const from = { account: book.collectionId, amount: -amount, draw: 'uncleared-first' as const };
    if (order.way === 'fast')
      return {
        postings: [from, { account: book.advanceId, amount, clears: 'inherit' }],
        records: [settled, change(fundBookRecords, at.platformId, { ...book, advanced: book.advanced - amount })],
      };
    const after: Holding = { ...holding, due: holding.due - amount };
    return {
      postings: [from, { account: order.accountId, amount, clears: 'inherit', flow: 'product' }],
      records: [settled, holdingChange(after)],
    };
  },
};

const settlementSchema = z.strictObject({ fund: fundCode, orders: several });

/** The money of purchases that are confirmed goes to the custody account of their fund, in one payment. */
export const fundSettlement: Kind<z.output<typeof settlementSchema>> = {
  name: 'fund-settlement',
  en: 'Settlement of purchases with their fund',
  zh: '基金申购款交收',
  origins: ['S'],
  proof: 'company',
  schema: settlementSchema,
  example: { fund: '000198', orders: ['fno_2236512894231552083'] },
  onFunds: true,
  needs: ({ fund, orders }, at) => ({
    accounts: [at.book.accounts['in-transit']],
    records: [[catalogueRecords, fund], [fundBookRecords, at.platformId], ...orders.map((id) => [fundOrderRecords, id] as const)],
  }),
  decide({ fund: code, orders: ids }, facts, at) {
    const fund = facts.record(catalogueRecords, code);
    if (fund === undefined) return refused(refuse('FUND_NOT_FOUND', undefined, { fund: code }));
    const orders = ordersOf(ids, { fund: code, direction: 'subscription' }, facts);
    if ('code' in orders) return refused(orders);
    const today = naturalDate(at.nowMs);
    const early = orders.find(({ settlesOn, collected, amount }) => (settlesOn ?? '9999') > today || collected !== amount);
    if (early !== undefined) {
      const { id, settlesOn, collected } = early;
      const where = { order: toWire('fund-order', id), settlesOn, collected: String(collected) };
      return refused(refuse('FUND_ORDER_STATE', 'Its money is not due, or not here.', where));
    }
    const { collectionId } = knownBook(facts, at);
    const amount = orders.reduce((sum, order) => sum + order.amount, 0n);
    const payout = orderedPayout(at, { purpose: 'fund-settlement', source: collectionId, amount, payee: fund.custody });
    const settled = { state: 'settled', collected: 0n, settlementId: at.instruction, changedMs: at.nowMs } as const;
    return {
      postings: [
        { account: collectionId, amount: -amount, draw: 'cleared-only' },
        { account: at.book.accounts['in-transit'], amount },
      ],
      records: [...payout.records, ...orders.map((order) => orderChange({ ...order, ...settled }))],
      events: payout.events,
      result: { payout: payout.no, amount: String(amount) },
    };
  },
};

const advanceSchema = z.strictObject({
  direction: z.enum(['in', 'out']).meta({ description: 'in: the bank puts its own money there. out: it takes it back' }),
  amount: moneySchema,
  reference,
});

/**
 * The bank puts its own money where redemptions are advanced from, up to the ceiling, or takes it back; the statement of the custody account
 * shows it under the reference. No customer's money is ever there.
 */
export const fundAdvance: Kind<z.output<typeof advanceSchema>> = {
  name: 'fund-advance',
  en: "The bank's own money for redemptions at once",
  zh: '快速赎回垫资调拨',
  origins: ['O'],
  proof: 'bank',
  schema: advanceSchema,
  example: { direction: 'in', amount: { amount: 100_000, currency: 'CNY' }, reference: 'ADV-20260302-1' },
  onFunds: true,
  ids: FUND_IDS,
  needs: (_data, at) => ({ accounts: [at.book.accounts.custody], records: [[fundBookRecords, at.platformId]] }),
  decide({ direction, amount: { amount }, reference: of }, facts, at) {
    const { book, made } = fundBook(facts, at);
    const { custody } = at.book.accounts;
    if (direction === 'out')
      return {
        opens: made.opens,
        postings: [
          { account: book.advanceId, amount: -amount, draw: 'cleared-only' },
          { account: custody, amount },
        ],
        records: made.records,
        boundary: [{ reference: of, amount: -amount }],
      };
    const ceiling = at.parameters.on(naturalDate(at.nowMs), 'fund-redemption.advance-ceiling');
    const there = (facts.account(book.advanceId)?.balance ?? 0n) + book.advanced;
    if (there + amount > ceiling) return refused(refuse('FUND_ADVANCE_CEILING', undefined, { left: String(ceiling - there) }));
    return {
      opens: made.opens,
      postings: [
        { account: custody, amount: -amount },
        { account: book.advanceId, amount, clears: workingDayAfter(at.calendar, arrivalDate(at)) },
      ],
      records: made.records,
      boundary: [{ reference: of, amount }],
    };
  },
};
