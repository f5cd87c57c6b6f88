import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import {
  type Deal,
  dealRecords,
  fundRecords,
  nextDue,
  ORDERS_MAX,
  partsOf,
  partyOf,
  withFunded,
  withParts,
} from '../../escrow/index.js';
import { BALANCE_MAX, type Id, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import { isElectronic } from '../../ledger/index.js';
import { orderKey, orderRecords, type Payer } from '../../orders/index.js';
import { moneySchema, orderNo, wireId } from '../../runtime/index.js';
import { type At, change, type Effects, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { paidOrder } from '../orders/paying.js';
import { PAYER_FIELDS, payer, reference, storedPayer } from '../wire.js';

const common = {
  escrow: wireId('escrow').meta({ description: 'The deal' }),
  orderNo: orderNo.meta({ description: "The platform's number of what this payer pays for; his later payments have the same" }),
  amount: moneySchema,
  stage: z
    .string()
    .max(40)
    .optional()
    .meta({ description: 'For which stage; absent: for those that lack money, in their order' }),
};

const paymentSchema = z.strictObject({ ...common, payer, reference });

interface Money {
  readonly escrow: Id;
  readonly orderNo: string;
  readonly amount: { readonly amount: Minor };
  readonly stage?: string | undefined;
}

function dealNeeds({ escrow, orderNo: no }: Money, at: At): NonNullable<Needs['records']> {
  return [
    [dealRecords, escrow],
    [fundRecords, escrow],
    [orderRecords, orderKey(at.platformId, no)],
  ];
}

/** Money that somebody pays for a deal from outside: it stands on an order of the deal, and leaves it by the deal's conditions alone. */
export const escrowPayment: Kind<z.output<typeof paymentSchema>> = {
  name: 'escrow-payment',
  en: 'Payment into a deal',
  zh: '托管入金',
  origins: ['P', 'O'],
  proof: 'inflow',
  schema: paymentSchema,
  personal: PAYER_FIELDS,
  stored: paymentSchema.extend({ payer: storedPayer }),
  example: {
    escrow: 'esc_2236512894231552070',
    orderNo: 'SO-2001',
    amount: { amount: 10_000, currency: 'CNY' },
    payer: { name: '张三', account: '622202000000000007', bankCode: '102100099996' },
    reference: 'COL-2001',
  },
  onDeals: () => true,
  needs: (data, at) => ({ accounts: [at.book.accounts.custody], records: dealNeeds(data, at) }),
  decide(data, facts, at) {
    const { amount } = data.amount;
    // What may have to go back needs somewhere to go.
    if (data.payer.account === '') return refused(refuse('REFUND_ACCOUNT_MISSING', undefined, { orderNo: data.orderNo }));
    const funded = fundedBy(data, { payer: data.payer, payerAccountId: null }, facts, at);
    if ('refused' in funded) return funded;
    const custody = facts.account(at.book.accounts.custody)?.balance ?? 0n;
    if (amount - custody > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    return {
      ...funded.effects,
      postings: [
        { account: at.book.accounts.custody, amount: -amount },
        { account: funded.accountId, amount },
      ],
      boundary: [{ reference: data.reference, amount }],
    };
  },
};

const fundingSchema = z.strictObject({
  ...common,
  from: wireId('account').meta({
    description: 'An electronic account, or the virtual sub-account of a company that has agreed to the deal',
  }),
});

/**
 * A party pays for a deal out of his account in the book: a person by his own act and no mandate, a company by its agreement to the deal,
 * which it signed.
 */
export const escrowFunding: Kind<z.output<typeof fundingSchema>> = {
  name: 'escrow-funding',
  en: 'Payment into a deal from an account',
  zh: '账户托管付款',
  origins: ['P'],
  proof: 'will',
  schema: fundingSchema,
  example: {
    escrow: 'esc_2236512894231552071',
    orderNo: 'SO-2002',
    amount: { amount: 2_000, currency: 'CNY' },
    from: 'acc_2236512894231552006',
  },
  onDeals: () => true,
  act: ({ from, amount, orderNo: no }) => ({ account: from, amount: amount.amount, payee: { orderNo: no } }),
  needs: (data, at) => ({ accounts: [data.from], records: dealNeeds(data, at) }),
  decide(data, facts, at) {
    const from = facts.account(data.from);
    if (from === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.from) }));
    if (!isElectronic(from.type) && from.type !== 'sub')
      return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: from.type }));
    const account = facts.record(electronicRecords, from.id)?.virtualNo ?? '';
    const payer = { payer: { name: '', account, bankCode: '' }, payerAccountId: from.id };
    const funded = fundedBy(data, from.type === 'sub' ? { ...payer, hasAgreed: true } : payer, facts, at);
    if ('refused' in funded) return funded;
    const { amount } = data.amount;
    return {
      ...funded.effects,
      postings: [
        { account: from.id, amount: -amount, draw: 'uncleared-first', ...(isElectronic(from.type) ? { flow: 'unbound' } : {}) },
        { account: funded.accountId, amount },
      ],
    };
  },
};

interface From {
  readonly payer: Payer;
  readonly payerAccountId: Id | null;
  /** He says nothing now: he must have agreed to the deal. */
  readonly hasAgreed?: true;
}

/** What a payment makes of the deal and of its order; the postings are the kind's. */
function fundedBy(
  { escrow, orderNo: no, amount: { amount }, stage }: Money,
  from: From,
  facts: Facts,
  at: At,
): { refused: Refusal } | { accountId: Id; effects: Pick<Effects, 'opens' | 'records' | 'result'> } {
  const deal = facts.record(dealRecords, escrow);
  if (deal === undefined) return refused(refuse('ESCROW_NOT_FOUND', undefined, { escrow: toWire('escrow', escrow) }));
  const funds = facts.record(fundRecords, escrow)?.funds ?? [];
  const order = facts.record(orderRecords, orderKey(at.platformId, no));
  if (order !== undefined && !funds.some(({ orderId }) => orderId === order.accountId))
    return refused(refuse('ESCROW_ORDER_TAKEN', undefined, { orderNo: no }));
  const orders = new Set(funds.map(({ orderId }) => orderId));
  const wrong = payerFault(deal, from, { isNew: order === undefined, orders: orders.size });
  if (wrong !== undefined) return refused(wrong);
  const parts = partsOf(deal, { amount, stage, nowMs: at.nowMs });
  if ('code' in parts) return refused(parts);
  // The deal takes the place of an agreement: who gets what, and when, stands in it.
  const within = { ...at, book: { ...at.book, terms: { ...at.book.terms, agreements: 'none' as const } } };
  const { payer, payerAccountId } = from;
  const paid = paidOrder({ orderNo: no, amount, payer, payerAccountId }, at.instruction, facts, within);
  if ('code' in paid) return refused(paid);
  const after = withFunded(deal, parts, at.nowMs);
  const fundsAfter = withParts(funds, { orderId: paid.accountId, orderNo: no }, parts);
  return {
    accountId: paid.accountId,
    effects: {
      opens: paid.opens.map(({ id }) => ({ id, type: 'escrow' })),
      records: [
        ...paid.records,
        change(dealRecords, deal.id, { ...after, dueMs: nextDue(after, fundsAfter, at.nowMs) }),
        change(fundRecords, deal.id, { dealId: deal.id, funds: fundsAfter }),
      ],
      result: { stages: parts.map((part) => ({ stage: part.stage, amount: String(part.amount) })) },
    },
  };
}

/** Whether whoever pays is he who pays in this deal. */
function payerFault(
  deal: Deal,
  { payerAccountId, hasAgreed }: From,
  of: { isNew: boolean; orders: number },
): Refusal | undefined {
  const role = deal.plan.roles.find(({ pays }) => pays);
  const bound = role === undefined ? null : (partyOf(deal, role.role)?.account ?? null);
  if (bound !== null && bound !== payerAccountId) return refuse('ESCROW_PAYER_WRONG');
  if (hasAgreed && (bound === null || role?.accepts !== true))
    return refuse('ESCROW_PAYER_WRONG', 'Its owner was not asked, and has not agreed to this deal.');
  if (!of.isNew || of.orders === 0) return undefined;
  if (role?.many !== true) return refuse('ESCROW_PAYER_WRONG', 'In this deal one order is paid for.');
  return of.orders < ORDERS_MAX ? undefined : refuse('ESCROW_PAYERS_FULL');
}
