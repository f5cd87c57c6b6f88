import { z } from 'zod';
import {
  catalogueRecords,
  dayKey,
  type Fund,
  type FundOrder,
  fundBookRecords,
  fundDayRecords,
  fundOrderRecords,
  holdingKey,
  holdingRecords,
  NAV_ONE,
  tradingDayAfter,
  tradingDayOf,
  unitsFor,
  withBought,
  withIncome,
  withSold,
  worthOf,
} from '../../../funds/index.js';
import { type BusinessDate, type Id, invariant, type Refusal, refuse, toWire } from '../../../kernel/index.js';
import { businessDateSchema, currencySchema, moneySchema, textSchema, wireId } from '../../../runtime/index.js';
import { type At, type Decision, type Facts, type Kind, type Needs, type RecordChange, refused } from '../../kind.js';
import { digits, fundCode } from '../../wire.js';
import { holdingChange, knownBook, orderChange } from './ordering.js';

const confirmationSchema = z.strictObject({
  order: wireId('fund-order'),
  date: businessDateSchema.meta({ description: "The company's own day" }),
  nav: digits.meta({ description: 'In 1/10,000 yuan' }),
  units: digits.meta({ description: 'Hundredths of units' }),
  // The last units of a fund may be worth less than half a fen.
  amount: z.union([moneySchema, z.strictObject({ amount: z.literal(0).transform(() => 0n), currency: currencySchema })]),
});
type Confirmation = z.output<typeof confirmationSchema>;

function orderNeeds({ order }: { order: Id }, at: At): Needs {
  return {
    records: [
      [fundOrderRecords, order],
      [fundBookRecords, at.platformId],
    ],
  };
}

/** What an order names: its fund with the day that it was traded on, its holding, and the order that it belongs together with. */
function orderNeedsThen({ order: id }: { order: Id }, facts: Facts): Needs {
  const order = facts.record(fundOrderRecords, id);
  if (order === undefined) return {};
  const partner = order.partnerId === null ? undefined : facts.record(fundOrderRecords, order.partnerId);
  return {
    records: [order, partner].flatMap((each) =>
      each === undefined
        ? []
        : [
            [catalogueRecords, each.fund] as const,
            [holdingRecords, holdingKey(each.accountId, each.fund)] as const,
            ...(each.partnerId === null ? [] : [[fundOrderRecords, each.partnerId] as const]),
            ...(each.tradingDate === null ? [] : [[fundDayRecords, dayKey(each.fund, each.tradingDate)] as const]),
          ],
    ),
  };
}

/** An order that is with the company, with its fund and its holding; or why not. */
function sentOrder(id: Id, facts: Facts) {
  const order = facts.record(fundOrderRecords, id);
  if (order === undefined) return refuse('FUND_ORDER_NOT_FOUND', undefined, { order: toWire('fund-order', id) });
  if (order.state !== 'sent')
    return refuse('FUND_ORDER_STATE', undefined, { order: toWire('fund-order', id), state: order.state });
  return { order, ...partsOf(order, facts) };
}

function partsOf(order: FundOrder, facts: Facts) {
  const fund = facts.record(catalogueRecords, order.fund);
  const holding = facts.record(holdingRecords, holdingKey(order.accountId, order.fund));
  invariant(fund && holding, `the order ${order.id} has its fund and its holding`);
  return { fund, holding };
}

/** The order that one belongs together with. */
function partnerOf(order: FundOrder, facts: Facts): FundOrder {
  const partner = order.partnerId === null ? undefined : facts.record(fundOrderRecords, order.partnerId);
  invariant(partner, `the order ${order.id} belongs together with another`);
  return partner;
}

/** Whether the company did what was ordered, at the value that it told of the day. @returns why not, or undefined */
function notAsOrdered(
  order: FundOrder,
  fund: Fund,
  { date, nav, units, amount }: Confirmation,
  facts: Facts,
): Refusal | undefined {
  const { tradingDate } = order;
  invariant(tradingDate, `the order ${order.id} was sent for a trading day`);
  const differs = (what: string) => refuse('FUND_CONFIRMATION_DIFFERS', what, { order: toWire('fund-order', order.id) });
  if (date <= tradingDate) return differs('It is confirmed on a later day than it is traded on.');
  const told = fund.kind === 'money' ? NAV_ONE : facts.record(fundDayRecords, dayKey(fund.code, tradingDate))?.nav;
  if (told === undefined) return refuse('FUND_DAY_MISSING', undefined, { fund: fund.code, date: tradingDate });
  if (nav !== told) return differs(`The value of ${tradingDate} is ${told}.`);
  const asked =
    order.direction === 'subscription'
      ? { amount: order.amount, units: unitsFor(order.amount, nav) }
      : { amount: worthOf(order.units, nav), units: order.units };
  if (amount.amount !== asked.amount) return differs(`The amount is ${asked.amount}.`);
  return units === asked.units ? undefined : differs(`The units are ${asked.units}.`);
}

/** The fund company has carried out an order, as its file says: units are there, or gone. */
export const fundConfirmation: Kind<Confirmation> = {
  name: 'fund-confirmation',
  en: 'Confirmation of an order of units',
  zh: '基金份额确认',
  origins: ['S'],
  proof: 'company',
  schema: confirmationSchema,
  example: {
    order: 'fno_2236512894231552080',
    date: '2026-03-03',
    nav: '10000',
    units: '3000',
    amount: { amount: 3000, currency: 'CNY' },
  },
  onFunds: true,
  needs: orderNeeds,
  needsThen: orderNeedsThen,
  decide(data, facts, at) {
    const sent = sentOrder(data.order, facts);
    if ('code' in sent) return refused(sent);
    const { order, fund, holding } = sent;
    const wrong = notAsOrdered(order, fund, data, facts);
    if (wrong !== undefined) return refused(wrong);
    const { date, nav, units } = data;
    const { amount } = data.amount;
    const confirmed = { ...order, amount, units, nav, state: 'confirmed' as const, confirmedOn: date, changedMs: at.nowMs };
    if (order.direction === 'redemption') {
      const after = withSold(fund, holding, { units, date, due: order.way === 'ordinary' ? amount : 0n });
      // Nobody pays for what is worth nothing.
      const sold = amount === 0n ? { ...confirmed, state: 'settled' as const } : confirmed;
      return 'code' in after ? refused(after) : done([orderChange(sold), holdingChange(after)]);
    }
    const after = withBought(fund, holding, { amount, units, date });
    if ('code' in after) return refused(after);
    const settlesOn = settlementDate(confirmed, fund, date, at);
    const freed = order.way === 'pot' ? [orderChange(sendable(partnerOf(order, facts), at))] : [];
    return done([orderChange({ ...confirmed, settlesOn }), holdingChange(after), ...freed], { settlesOn });
  },
};

/** When the company gets the money: so many trading days after T; of a purchase from the pot, after its confirmation. */
function settlementDate(
  { way, tradingDate }: FundOrder,
  { settlesIn }: Fund,
  date: BusinessDate,
  { calendar }: At,
): BusinessDate {
  const on = tradingDayAfter(calendar, way === 'pot' || tradingDate === null ? date : tradingDate, settlesIn);
  return on < date ? date : on;
}

/** A redemption that waited, or that the company refused though others rely on it, goes out with the next file. */
function sendable(order: FundOrder, at: At, reason: string | null = null): FundOrder {
  return {
    ...order,
    ...{ state: 'created', tradingDate: tradingDayOf(at.calendar, at.nowMs), reason, changedMs: at.nowMs },
  };
}

function done(records: readonly RecordChange[], result?: Record<string, string>): Decision {
  return { postings: [], records, ...(result === undefined ? {} : { result }) };
}

const failureSchema = z.strictObject({ order: wireId('fund-order'), reason: textSchema(128) });

/**
 * The fund company has not carried out an order: money goes back to the account that it came from, units are free. A redemption that the bank
 * or another purchase relies on is sent again on the next trading day: its money is spent already.
 */
export const fundFailure: Kind<z.output<typeof failureSchema>> = {
  name: 'fund-failure',
  en: 'Refusal of an order of units',
  zh: '基金委托失败',
  origins: ['S'],
  proof: 'company',
  schema: failureSchema,
  example: { order: 'fno_2236512894231552080', reason: '超过单日申购上限' },
  onFunds: true,
  needs: orderNeeds,
  needsThen: orderNeedsThen,
  decide({ order: id, reason }, facts, at) {
    const sent = sentOrder(id, facts);
    if ('code' in sent) return refused(sent);
    const { order, holding } = sent;
    if (order.way === 'fast' || order.way === 'exchange') return done([orderChange(sendable(order, at, reason))]);
    const failed = { ...order, state: 'failed' as const, collected: 0n, reason, changedMs: at.nowMs };
    if (order.direction === 'redemption')
      return done([orderChange(failed), holdingChange({ ...holding, frozen: holding.frozen - order.units })]);
    const records = [orderChange(failed), holdingChange({ ...holding, pending: holding.pending - order.amount })];
    if (order.way === 'pot') {
      const waiting = partnerOf(order, facts);
      const pot = partsOf(waiting, facts).holding;
      return done([
        ...records,
        orderChange({ ...waiting, state: 'failed', reason, changedMs: at.nowMs }),
        holdingChange({ ...pot, frozen: pot.frozen - waiting.units }),
      ]);
    }
    return {
      postings: [
        { account: knownBook(facts, at).collectionId, amount: -order.amount },
        { account: order.accountId, amount: order.amount, clears: 'inherit', flow: 'back' },
      ],
      records,
    };
  },
};

const incomeSchema = z.strictObject({
  account: wireId('account'),
  fund: fundCode,
  date: businessDateSchema,
  units: digits.optional().meta({ description: "What the company's own file has; hundredths of units" }),
});

/** What units have earned on a day is added to them. */
export const fundIncome: Kind<z.output<typeof incomeSchema>> = {
  name: 'fund-income',
  en: 'Income of fund units, reinvested',
  zh: '基金收益结转份额',
  origins: ['S'],
  proof: 'company',
  schema: incomeSchema,
  example: { account: 'acc_2236512894231552006', fund: '000198', date: '2026-03-03' },
  onFunds: true,
  needs: ({ account, fund, date }) => ({
    accounts: [account],
    records: [
      [catalogueRecords, fund],
      [holdingRecords, holdingKey(account, fund)],
      [fundDayRecords, dayKey(fund, date)],
    ],
  }),
  decide({ account, fund: code, date, units: told }, facts) {
    const fund = facts.record(catalogueRecords, code);
    const holding = facts.record(holdingRecords, holdingKey(account, code));
    if (fund === undefined || holding === undefined) return refused(refuse('FUND_NOT_FOUND', undefined, { fund: code }));
    if (fund.kind !== 'money') return refused(refuse('FUND_KIND', undefined, { fund: code }));
    const day = facts.record(fundDayRecords, dayKey(code, date));
    if (day === undefined) return refused(refuse('FUND_DAY_MISSING', undefined, { fund: code, date }));
    const earned = withIncome(holding, day);
    if ('code' in earned) return refused(earned);
    if (told !== undefined && told !== earned.units)
      return refused(refuse('FUND_INCOME_DIFFERS', undefined, { ours: String(earned.units), theirs: String(told) }));
    return done([holdingChange(earned.holding)], { units: String(earned.units) });
  },
};
