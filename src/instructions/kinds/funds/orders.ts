import { z } from 'zod';
import { freeUnits, withFrozen } from '../../../funds/index.js';
import { idAfter, refuse, toWire } from '../../../kernel/index.js';
import { moneySchema, wireId } from '../../../runtime/index.js';
import { type At, type Decision, type Facts, type Kind, refused } from '../../kind.js';
import { fundCode, voucher } from '../../wire.js';
import { fastNeeds, redeemedAtOnce } from './fast.js';
import { FUND_IDS, fundBook, fundNeeds, holdingChange, type Orderer, orderChange, ordered, orderer } from './ordering.js';

const subscriptionSchema = z.strictObject({
  account: wireId('account'),
  fund: fundCode,
  amount: moneySchema,
  mandate: wireId('mandate').optional(),
});

/**
 * Money of a Class II account buys units. It stands on the collection account until the company has confirmed them. Under a mandate it is the
 * sweep of what lies idle.
 */
export const fundSubscription: Kind<z.output<typeof subscriptionSchema>> = {
  name: 'fund-subscription',
  en: 'Purchase of fund units',
  zh: '基金申购',
  origins: ['P'],
  proof: 'will',
  schema: subscriptionSchema,
  example: { account: 'acc_2236512894231552006', fund: '000198', amount: { amount: 1000, currency: 'CNY' } },
  act: ({ account, fund, amount, mandate }) => ({ account, amount: amount.amount, payee: { fund }, mandate }),
  onFunds: true,
  ids: FUND_IDS,
  needs: fundNeeds,
  decide(data, facts, at) {
    const of = orderer(data, facts, at);
    if ('code' in of) return refused(of);
    if (!of.fund.sells) return refused(refuse('FUND_NOT_SOLD', undefined, { fund: of.fund.code }));
    const { amount } = data.amount;
    const { book, made } = fundBook(facts, at);
    const order = ordered(at.instruction, of, { direction: 'subscription', way: 'direct', amount, collected: amount }, at);
    return {
      opens: made.opens,
      postings: [
        { account: of.account.id, amount: -amount, draw: 'uncleared-first', flow: 'product' },
        { account: book.collectionId, amount, clears: 'inherit' },
      ],
      records: [...made.records, orderChange(order), holdingChange({ ...of.holding, pending: of.holding.pending + amount })],
      result: { order: toWire('fund-order', order.id), tradingDate: order.tradingDate },
    };
  },
};

const redemptionSchema = z.strictObject({
  account: wireId('account'),
  fund: fundCode,
  units: z
    .union([z.literal('all'), z.string().regex(/^[1-9][0-9]{0,14}$/, { error: 'must be a count of hundredths of units' })])
    .meta({ description: 'Hundredths of units, as digits; `all`: whatever is free' }),
  way: z.enum(['ordinary', 'fast', 'fast-or-ordinary']).meta({
    description:
      'fast: at once, out of what the bank advances, within the cap of the law, or refused. fast-or-ordinary: what cannot be had at once is ' +
      'redeemed in the ordinary way, all of it',
  }),
  mandate: wireId('mandate').optional(),
  voucher,
});
type Redemption = z.output<typeof redemptionSchema>;

/** Units are given back to their fund. The money comes back to the account that has them, and nowhere else: at once or when it is here. */
export const fundRedemption: Kind<Redemption> = {
  name: 'fund-redemption',
  en: 'Redemption of fund units',
  zh: '基金赎回',
  origins: ['P', 'O'],
  proof: 'will',
  schema: redemptionSchema,
  example: { account: 'acc_2236512894231552006', fund: '000198', units: '5000', way: 'fast' },
  // The money stays his own: nobody else is paid.
  act: ({ account, fund, units, mandate, voucher: form }) => ({
    account,
    redeems: fund,
    amount: units === 'all' ? undefined : BigInt(units),
    payee: { account },
    mandate,
    voucher: form,
  }),
  onFunds: true,
  ids: FUND_IDS,
  needs: fundNeeds,
  needsThen: (data, facts, at) => (data.way === 'ordinary' ? {} : fastNeeds(data, facts, at)),
  decide(data, facts, at) {
    const of = orderer(data, facts, at);
    if ('code' in of) return refused(of);
    const units = data.units === 'all' ? freeUnits(of.holding) : BigInt(data.units);
    if (units === 0n) return refused(refuse('FUND_UNITS_SHORT', undefined, { free: '0' }));
    return data.way === 'ordinary' ? later(of, units, at) : atOnce(data, of, units, facts, at);
  },
};

function later(of: Orderer, units: bigint, at: At): Decision {
  const frozen = withFrozen(of.holding, units);
  if ('code' in frozen) return refused(frozen);
  const order = ordered(at.instruction, of, { direction: 'redemption', way: 'ordinary', units }, at);
  return {
    postings: [],
    records: [orderChange(order), holdingChange(frozen)],
    result: { order: toWire('fund-order', order.id), way: 'ordinary', tradingDate: order.tradingDate, paid: '0' },
  };
}

/** Why nothing is paid at once, but can be redeemed all the same. */
const IN_THE_WAY: readonly string[] = ['FUND_KIND', 'FUND_FAST_LIMIT', 'FUND_ADVANCE_SHORT'];

function atOnce({ way }: Redemption, of: Orderer, units: bigint, facts: Facts, at: At): Decision {
  const fast = redeemedAtOnce(of, units, facts, at);
  if ('code' in fast) return way === 'fast-or-ordinary' && IN_THE_WAY.includes(fast.code) ? later(of, units, at) : refused(fast);
  return {
    postings: [
      { account: fast.advanceId, amount: -units },
      { account: of.account.id, amount: units, clears: 'inherit', flow: 'product' },
    ],
    records: fast.records,
    result: {
      order: toWire('fund-order', fast.order.id),
      way: 'fast',
      tradingDate: fast.order.tradingDate,
      paid: String(units),
    },
  };
}

const exchangeSchema = z.strictObject({
  account: wireId('account'),
  from: fundCode.meta({ description: 'The money fund that pays' }),
  fund: fundCode.meta({ description: 'The fund whose units are bought' }),
  amount: moneySchema,
});

/**
 * Units of another fund are bought with units of the pot. The redemption is created with the purchase and its units are kept for it, but it
 * is sent only when the purchase is confirmed; its proceeds never come to the customer.
 */
export const fundExchange: Kind<z.output<typeof exchangeSchema>> = {
  name: 'fund-exchange',
  en: 'Purchase of a fund out of the pot',
  zh: '储蓄罐购基',
  origins: ['P'],
  proof: 'will',
  schema: exchangeSchema,
  example: {
    account: 'acc_2236512894231552006',
    from: '000198',
    fund: '110022',
    amount: { amount: 2000, currency: 'CNY' },
  },
  act: ({ account, from, fund, amount }) => ({ account, amount: amount.amount, payee: { fund }, redeems: from }),
  onFunds: true,
  ids: FUND_IDS,
  needs(data, at) {
    const { accounts, records } = fundNeeds(data, at);
    return { accounts, records: [...records, ...fundNeeds({ account: data.account, fund: data.from }, at).records] };
  },
  decide(data, facts, at) {
    const to = orderer(data, facts, at);
    if ('code' in to) return refused(to);
    const from = orderer({ account: data.account, fund: data.from }, facts, at);
    if ('code' in from) return refused(from);
    if (to.fund.code === from.fund.code || from.fund.kind !== 'money')
      return refused(refuse('FUND_KIND', undefined, { fund: from.fund.code }));
    if (!to.fund.sells) return refused(refuse('FUND_NOT_SOLD', undefined, { fund: to.fund.code }));
    const { amount } = data.amount;
    const frozen = withFrozen(from.holding, amount);
    if ('code' in frozen) return refused(frozen);
    const { made } = fundBook(facts, at);
    const [id, partner] = [at.instruction, idAfter(at.instruction, 1)];
    const purchase = ordered(id, to, { direction: 'subscription', way: 'pot', amount, partnerId: partner }, at);
    const paying = ordered(partner, from, { direction: 'redemption', way: 'exchange', units: amount, partnerId: id }, at);
    const redemption = { ...paying, state: 'waiting', tradingDate: null } as const;
    return {
      opens: made.opens,
      postings: [],
      records: [
        ...made.records,
        orderChange(purchase),
        orderChange(redemption),
        holdingChange(frozen),
        holdingChange({ ...to.holding, pending: to.holding.pending + amount }),
      ],
      result: {
        order: toWire('fund-order', id),
        redemption: toWire('fund-order', partner),
        tradingDate: purchase.tradingDate,
      },
    };
  },
};
