import { agreementRecords, type Terms, versionRecords } from '../../src/agreements/index.js';
import { type Claim, claimQueueRecords, deductionRecords, disputeRecords, freezeEndRecords } from '../../src/claims/index.js';
import { BALANCE_MAX, type BusinessDate, type Id } from '../../src/kernel/index.js';
import type { AccountType } from '../../src/ledger/index.js';
import {
  backgroundRecords,
  categoryRecords,
  holdRecords,
  holdsForPurposeRecords,
  type Order,
  type OrderBackground,
  type OrderItem,
  orderKey,
  orderRecords,
  purposeKey,
  RELEASE_MAX,
} from '../../src/orders/index.js';
import { DESK, type Desk } from '../support/world/desk.js';
import { CLAIMED, ITEM, versionWith } from '../support/world/desk-claims.js';

/** What can be wrong with disputes, with what authorities order, with many holds at once, and with orders that have a background. */
export type Wrong = readonly [code: string, what: string, spoil: (desk: Desk) => unknown];

const { anna, platform } = DESK;
const ORDER = orderKey(platform, 'SO-1001');
const BOUND = orderKey(platform, CLAIMED.orderNo);

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const said = (fields: object) => (desk: Desk) => Object.assign(desk.data, structuredClone(fields));
const account = (id: Id, fields: object) => (desk: Desk) => Object.assign(desk.account(id), fields);
const noAccount = (id: Id) => (desk: Desk) => desk.removeAccount(id);
const type = (id: Id, of: AccountType) => account(id, { type: of });
const both =
  (...spoils: readonly ((desk: Desk) => unknown)[]) =>
  (desk: Desk) => {
    for (const spoil of spoils) spoil(desk);
  };

const manyHolds = (desk: Desk) => {
  const holds = Array.from({ length: RELEASE_MAX + 1 }, () => DESK.hold).map(
    (id, place) => String(BigInt(id) + BigInt(place)) as Id,
  );
  desk.put(holdsForPurposeRecords, purposeKey(platform, '保证'), { platformId: platform, holds, total: holds.length });
};

const dispute = (fields: object) => (desk: Desk) => desk.bend(disputeRecords, CLAIMED.dispute, fields);
const deduction = (fields: object) => (desk: Desk) => desk.bend(deductionRecords, CLAIMED.deduction, fields);
const noClaims = (desk: Desk) => desk.put(claimQueueRecords, anna, { accountId: anna, lastPlace: 1, claims: [] });
/** Another dispute over the same order holds so much of what anna got. */
const disputed = (amount: bigint) => (desk: Desk) => {
  const of = { accountId: anna, platformId: platform, kind: 'dispute', refId: DESK.hold, orderId: DESK.order } as const;
  const claim: Claim = { ...of, place: 1, amount, letGo: 0n, taken: 0n, createdMs: DESK.now, endedMs: null };
  desk.put(claimQueueRecords, anna, { accountId: anna, lastPlace: 1, claims: [claim] });
};

/** The order is bound to anna's agreement. */
const bound = (desk: Desk) => {
  const items: OrderItem[] = [{ ...ITEM, seller: anna }];
  const of = { orderId: DESK.order, platformId: platform, orderNo: 'SO-1001', buyer: 'U-1', items };
  desk.put(backgroundRecords, DESK.order, { ...of, bound: true, completedMs: null, dueMs: null });
};
const seller = (desk: Desk) => desk.open(anna, 'sub');
const background = (order: Id, fields: Partial<OrderBackground>) => (desk: Desk) => desk.bend(backgroundRecords, order, fields);
const unseen = (order: Id) => background(order, { items: [{ ...ITEM, seller: anna, evidence: null }] });
const counters = (order: string, fields: Partial<Order>) => (desk: Desk) => desk.bend(orderRecords, order, fields);

const agreed =
  (terms: Partial<Terms>, validTo: BusinessDate | null = null) =>
  (desk: Desk) => {
    const version = { ...versionWith(DESK, terms), validTo };
    desk.put(agreementRecords, anna, { accountId: anna, versions: [version] });
    desk.put(versionRecords, CLAIMED.version, version);
  };
const goods = (fields: object) => (desk: Desk) => {
  const [row] = desk.get(categoryRecords, 'goods');
  desk.put(categoryRecords, 'goods', row === undefined ? [] : [{ ...row, ...fields }]);
};
const required = (desk: Desk) => Object.assign(desk.book.terms, { agreements: 'required' });
/** The platform needs agreements, and says what was bought. */
const bought = (fields: object) => (desk: Desk) => {
  required(desk);
  const { no: item, name, category, quantity } = ITEM;
  const items = [{ item, seller: `acc_${anna}`, name, category, quantity, price: cny(9_000), freight: cny(1_000) }];
  desk.data.background = { buyer: 'U-1', items, ...desk.data.background, ...fields };
};
const paidBefore = (desk: Desk) => {
  const { name, account, bankCode } = desk.data.payer;
  const order: Order = {
    ...{ accountId: DESK.order, platformId: platform, orderNo: 'SO-1001', payer: { name, account, bankCode } },
    ...{ payerAccountId: null, paid: 1n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n },
    ...{ openedMs: DESK.now, paidOn: DESK.today },
  };
  desk.put(orderRecords, ORDER, order);
  desk.open(DESK.order, 'order');
};

/** What an order's first payment may be refused for because of what stands behind it, in the order in which it is told. */
export const BACKGROUND_WRONGS: readonly Wrong[] = [
  ['BACKGROUND_GIVEN', 'it was told before', both(bought({}), paidBefore)],
  ['BACKGROUND_MISSING', 'nothing is told', both(required, said({ background: undefined }))],
  ['ACCOUNT_NOT_FOUND', 'no such seller', noAccount(anna)],
  ['ACCOUNT_TYPE_NOT_ALLOWED', 'the seller is the platform', type(anna, 'commission')],
  ['CATEGORY_UNKNOWN', 'no such goods', (desk) => desk.remove(categoryRecords, 'goods')],
  ['AGREEMENT_MISSING', 'nothing is agreed with the seller', (desk) => desk.remove(agreementRecords, anna)],
  ['AGREEMENT_ENDED', 'the agreement is over', agreed({}, '2026-03-01' as BusinessDate)],
  ['CATEGORY_FORBIDDEN', 'the bank forbids such goods', goods({ allowed: false })],
  ['CATEGORY_FORBIDDEN', 'the agreement forbids such goods', both(bought({}), agreed({ forbidden: ['goods'] }))],
  ['COMPLETION_PAST', 'it would be complete', bought({ completesAt: '2026-03-02T09:00:00+08:00' })],
  ['ORDER_CAP', 'too much for one order', both(bought({}), agreed({ orderMax: 9_999n }))],
  ['VOLUME_EXCEEDED', 'too much for the month', both(bought({}), agreed({ volume: { day: null, month: 9_999n } }))],
];

/** What a split of an order may be refused for because of the agreements behind it. */
export const SHARING_WRONGS: readonly Wrong[] = [
  ['ORDER_COMPLETED', 'it is completed', both(bound, background(DESK.order, { completedMs: DESK.now }))],
  ['NOTHING_TO_SPLIT', 'no goods are left', both(bound, said({ items: undefined }), background(DESK.order, { items: [] }))],
  ['ITEM_UNKNOWN', 'no such item', both(bound, said({ items: [{ item: '9' }] }))],
  ['ITEM_SPLIT', 'more than the item', both(bound, said({ items: [{ item: '1', amount: cny(10_001) }] }))],
  ['EVIDENCE_MISSING', 'nobody has shown that it was delivered', both(bound, unseen(DESK.order), said({ items: undefined }))],
  ['SPLIT_OVER_CAP', 'too much for others', both(bound, counters(ORDER, { refunded: 57_000n, returned: 7_000n }))],
  [
    'SPLIT_OFF_RULE',
    'other lines than the agreement makes',
    both(bound, seller, (desk) => said(desk.kind.example as object)(desk)),
  ],
  ['LINES_MISSING', 'nobody says who gets what', said({ lines: undefined })],
];

export const CLAIM_WRONGS: Readonly<Record<string, readonly Wrong[]>> = {
  'bulk-release': [
    ['HOLD_REPEATED', 'a hold twice', said({ holds: [`hld_${DESK.hold}`, `hld_${DESK.hold}`], purpose: undefined })],
    ['HOLDS_TOO_MANY', 'too many for this purpose', both(said({ holds: undefined, purpose: '保证' }), manyHolds)],
    ['HOLD_NOT_FOUND', 'none for this purpose', said({ holds: undefined, purpose: '别的' })],
    ['HOLD_NOT_FOUND', 'no such hold', (desk) => desk.remove(holdRecords, DESK.hold)],
    ['HOLD_ENDED', 'the hold is used up', (desk) => desk.bend(holdRecords, DESK.hold, { captured: 500n })],
  ],
  'dispute-open': [
    ['ORDER_NOT_FOUND', 'no such order', (desk) => desk.remove(orderRecords, ORDER)],
    ['ACCOUNT_NOT_FOUND', 'no such receiver', both(said({ account: `acc_${anna}` }), noAccount(anna))],
    ['DISPUTE_ENDED', 'it would be over before it begins', said({ expiresAt: '2026-03-02T09:00:00+08:00' })],
    ['DISPUTE_EXCEEDS_ORDER', 'more than the order has', said({ amount: cny(50_001), account: undefined })],
    ['DISPUTE_EXCEEDS_ORDER', 'more than she got besides', said({ amount: cny(60_001), account: `acc_${anna}` })],
    ['DISPUTE_EXCEEDS_ORDER', 'what she got is disputed', both(said({ amount: cny(50_002) }), disputed(9_999n))],
    ['ACCOUNT_CLOSED', 'her account is closed', both(said({ amount: cny(50_001) }), account(anna, { state: 'closed' }))],
  ],
  'dispute-end': [
    ['DISPUTE_NOT_FOUND', 'no such dispute', (desk) => desk.remove(disputeRecords, CLAIMED.dispute)],
    ['DISPUTE_ENDED', 'it was ended', dispute({ state: 'rejected' })],
    ['DISPUTE_OF_BANK', 'the bank opened it', dispute({ ofBank: true })],
    ['DISPUTE_ENDED', 'its deadline has passed', dispute({ deadlineMs: DESK.now })],
    ['ESCROW_BOUND', 'its order is of a deal', account(DESK.order, { type: 'escrow' })],
    ['ACCOUNT_FROZEN', 'what she should give back is frozen', account(anna, { state: 'frozen' })],
  ],
  'judicial-deduction': [
    ['DEDUCTION_NOT_FOUND', 'nobody asked for it', (desk) => desk.remove(deductionRecords, CLAIMED.deduction)],
    ['DEDUCTION_DECIDED', 'nobody approved it', deduction({ state: 'proposed' })],
    ['DEDUCTION_DECIDED', 'it was declined', deduction({ state: 'declined' })],
    ['DEDUCTION_DECIDED', 'it is on its way', deduction({ state: 'ordered' })],
    ['FREEZE_ENDED', 'the freeze was lifted', noClaims],
    ['FREEZE_ENDED', 'its last day is over', (desk) => desk.put(freezeEndRecords, CLAIMED.freeze, { dueMs: DESK.now })],
    ['DEDUCTION_EXCEEDS_FREEZE', 'more than is frozen', account(anna, { balance: 699n, uncleared: [] })],
    ['ACCOUNT_CLOSED', 'the account is closed', account(anna, { state: 'closed' })],
    [
      'FUNDS_UNCLEARED',
      'it has not cleared',
      account(anna, { uncleared: [{ due: '2026-03-03' as BusinessDate, amount: 19_301n }] }),
    ],
  ],
  'order-complete': [
    ['ORDER_NOT_FOUND', 'no such order', (desk) => desk.remove(orderRecords, BOUND)],
    ['BACKGROUND_MISSING', 'no agreement is behind it', (desk) => desk.remove(backgroundRecords, CLAIMED.bound)],
    ['ORDER_COMPLETED', 'it is completed', background(CLAIMED.bound, { completedMs: DESK.now })],
    ['EVIDENCE_MISSING', 'nobody has shown that it was delivered', unseen(CLAIMED.bound)],
    ['SPLIT_OVER_CAP', 'too much for others', counters(BOUND, { split: 10_000n, refunded: 7_000n, returned: 17_000n })],
    ['ACCOUNT_NOT_FOUND', 'no such seller', noAccount(anna)],
    ['ACCOUNT_TYPE_NOT_ALLOWED', 'the seller is the platform', type(anna, 'own-funds')],
    [
      'BALANCE_OVERFLOW',
      'split and returned too often to be counted',
      counters(BOUND, { split: BALANCE_MAX, returned: BALANCE_MAX }),
    ],
    ['ACCOUNT_FROZEN', 'the order is frozen', account(CLAIMED.bound, { state: 'frozen' })],
    ['FUNDS_INSUFFICIENT', 'some of it is disputed', account(CLAIMED.bound, { claimed: 1n })],
    ['ACCOUNT_CLOSED', 'the seller is closed', account(anna, { state: 'closed' })],
  ],
};
