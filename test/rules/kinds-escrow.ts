import { type Deal, dealRecords, type Fund, fundRecords, ORDERS_MAX } from '../../src/escrow/index.js';
import { asId, type Id, type Instant } from '../../src/kernel/index.js';
import { orderKey, orderRecords } from '../../src/orders/index.js';
import { DESK, type Desk } from '../support/world/desk.js';
import { DEALS, STAKE } from '../support/world/desk-escrow.js';
import type { Wrong } from './kinds-claims.js';

type OfDeals = keyof typeof DEALS;
const { anna, ben, lily2 } = DESK;
const cny = (amount: number) => ({ amount, currency: 'CNY' });
const said = (fields: object) => (desk: Desk) => Object.assign(desk.data, structuredClone(fields));
const account = (id: Id, of: object) => (desk: Desk) => Object.assign(desk.account(id), of);

const noDeal = (kind: OfDeals) => (desk: Desk) => desk.remove(dealRecords, DEALS[kind].deal);
const deal = (kind: OfDeals, of: (deal: Deal) => object) => (desk: Desk) => {
  const { deal: key } = DEALS[kind];
  desk.bend(dealRecords, key, of(desk.get(dealRecords, key)));
};
const accepts = (kind: OfDeals) =>
  deal(kind, ({ plan }) => ({ plan: { ...plan, roles: plan.roles.map((role) => ({ ...role, accepts: true })) } }));
const endedBy = (kind: OfDeals) =>
  deal(kind, ({ stages }) => ({
    stages: stages.map((state) => ({
      ...state,
      end: { how: 'met', atMs: DESK.now, instruction: DESK.instruction, postedMs: DESK.now, paid: [] },
    })),
  }));
const order = (kind: OfDeals, of: { accountId: Id; payerAccountId?: Id | null }) => (desk: Desk) =>
  desk.put(orderRecords, orderKey(DESK.platform, DEALS[kind].orderNo), {
    ...desk.get(orderRecords, orderKey(DESK.platform, 'SO-1001')),
    ...{ orderNo: DEALS[kind].orderNo, payerAccountId: null, ...of },
  });
const [OTHER, OF_DEAL] = [asId('2236512894231552198'), asId('2236512894231552199')];
const staked = (kind: OfDeals) => (desk: Desk) => {
  const { deal: dealId, orderNo } = DEALS[kind];
  const fund: Fund = { orderId: OF_DEAL, orderNo, stage: 'lesson-1', amount: 0n, released: 0n, back: 0n, sent: 0n };
  desk.put(fundRecords, dealId, { dealId, funds: [fund] });
};
const crowded = (kind: OfDeals) => (desk: Desk) => {
  const { deal: dealId, orderNo } = DEALS[kind];
  deal(kind, ({ plan }) => ({ plan: { ...plan, roles: plan.roles.map((role) => ({ ...role, many: true })) } }))(desk);
  desk.remove(orderRecords, orderKey(DESK.platform, orderNo));
  const funds = Array.from({ length: ORDERS_MAX }, (_, place): Fund => {
    const orderId = String(BigInt(OF_DEAL) + 1_000n + BigInt(place)) as Id;
    return { orderId, orderNo: `B-${place}`, stage: 'lesson-1', amount: 1n, released: 0n, back: 0n, sent: 0n };
  });
  desk.put(fundRecords, dealId, { dealId, funds });
};
const late = (desk: Desk) => {
  desk.now = Date.parse('2026-03-10T00:00:00+08:00') as Instant;
};
const disputed = account(STAKE, { claimed: 10_001n });
const frozen = account(STAKE, { state: 'frozen' });

/** What is wrong with a payment into a deal, whoever pays. */
const funding = (kind: 'escrow-payment' | 'escrow-funding', payerAccountId: Id | null): readonly Wrong[] => [
  ['ESCROW_NOT_FOUND', 'no such deal', noDeal(kind)],
  ['ESCROW_ORDER_TAKEN', 'another order has the number', order(kind, { accountId: OTHER })],
  [
    'ESCROW_PAYER_WRONG',
    'somebody else pays in it',
    deal(kind, ({ plan }) => ({ plan: { ...plan, parties: plan.parties.map((party) => ({ ...party, account: ben })) } })),
  ],
  ['ESCROW_PAYERS_FULL', 'many pay, and so many that no more can', crowded(kind)],
  ['ESCROW_ENDED', 'it has ended', deal(kind, () => ({ endedMs: DESK.now }))],
  ['ESCROW_NOT_ACCEPTED', 'nobody agreed to it', accepts(kind)],
  ['ESCROW_ITEM_UNKNOWN', 'no such stage', said({ stage: 'lesson-3' })],
  ['ESCROW_LATE', 'too late', late],
  ['ESCROW_STAGE_ENDED', 'the stages have ended', endedBy(kind)],
  ['ESCROW_OVERFUNDED', 'more than it is for', said({ amount: cny(20_001) })],
  [
    'ORDER_PAYER_DIFFERS',
    'another payer opened the order',
    (desk) => [order(kind, { accountId: OF_DEAL, payerAccountId })(desk), staked(kind)(desk)],
  ],
];

/** What is wrong with ending a stage, whichever way. */
const ending = (kind: 'escrow-release' | 'escrow-failure'): readonly Wrong[] => [
  ['ESCROW_NOT_FOUND', 'no such deal', noDeal(kind)],
  ['ESCROW_ITEM_UNKNOWN', 'no such stage', said({ stage: 'lesson-3' })],
  ['ESCROW_STAGE_ENDED', 'it was ended before', endedBy(kind)],
];

const stake = orderKey(DESK.platform, DEALS['escrow-refund'].orderNo);
const custodyFull = (desk: Desk) => Object.assign(desk.account(desk.book.accounts.custody), { balance: -(2n ** 53n - 1n) });

export const ESCROW_WRONGS: Readonly<Record<string, readonly Wrong[]>> = {
  'escrow-payment': [
    ['REFUND_ACCOUNT_MISSING', 'nowhere to send it back to', said({ payer: { name: '现金', account: '', bankCode: '' } })],
    ...funding('escrow-payment', lily2),
    ['BALANCE_OVERFLOW', 'custody can keep no more', custodyFull],
  ],
  'escrow-funding': [
    ['ACCOUNT_NOT_FOUND', 'no such account', (desk) => desk.removeAccount(lily2)],
    ['ACCOUNT_TYPE_NOT_ALLOWED', 'from an account that pays for no deal', account(lily2, { type: 'commission' })],
    ...funding('escrow-funding', null),
  ],
  'escrow-release': [
    ...ending('escrow-release'),
    ['ESCROW_CONDITION_UNMET', 'nobody confirmed it', deal('escrow-release', () => ({ given: [] }))],
    ['ESCROW_DISPUTED', 'part of it is disputed', disputed],
    ['ACCOUNT_FROZEN', 'its order is frozen', frozen],
    ['ACCOUNT_CLOSED', 'the school is closed', account(anna, { state: 'closed' })],
  ],
  'escrow-failure': [
    ...ending('escrow-failure'),
    ['ESCROW_NOT_FAILED', 'nobody ended it', deal('escrow-failure', () => ({ given: [] }))],
  ],
  'escrow-refund': [
    ['ESCROW_NOT_FOUND', 'no such deal', noDeal('escrow-refund')],
    ['ORDER_NOT_FOUND', 'the deal has no such order', said({ orderNo: 'SO-1001' })],
    ['ESCROW_NOTHING_BACK', 'all of it was sent', (desk) => desk.bend(orderRecords, stake, { refunded: 20_000n })],
    ['ESCROW_DISPUTED', 'part of it is disputed', disputed],
    [
      'REFUND_ACCOUNT_MISSING',
      'nowhere to send it',
      (desk) => desk.bend(orderRecords, stake, { payer: { name: '', account: '', bankCode: '' } }),
    ],
    ['ACCOUNT_FROZEN', 'its order is frozen', frozen],
  ],
};
