import { BALANCE_MAX, type Id } from '../../src/kernel/index.js';
import { backgroundRecords, type OrderItem, orderKey, orderRecords } from '../../src/orders/index.js';
import { DESK, type Desk } from '../support/world/desk.js';
import { ITEM } from '../support/world/desk-claims.js';
import type { Wrong } from './kinds-claims.js';

/** What can be wrong with refunds of items and with what a platform adds to orders of its own. */
const { anna, platform } = DESK;
const ORDER = orderKey(platform, 'SO-1001');

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const said = (fields: object) => (desk: Desk) => Object.assign(desk.data, structuredClone(fields));
const order = (fields: object) => (desk: Desk) => desk.bend(orderRecords, ORDER, fields);
const noOrder = (desk: Desk) => desk.remove(orderRecords, ORDER);
const frozen = (id: (desk: Desk) => Id) => (desk: Desk) => Object.assign(desk.account(id(desk)), { state: 'frozen' });
const marketing = (desk: Desk) => desk.book.accounts.marketing;

/** The order is bound to anna's agreement. */
const bound =
  (item: Partial<OrderItem> = {}, fields: object = {}) =>
  (desk: Desk) => {
    const of = { orderId: DESK.order, platformId: platform, orderNo: 'SO-1001', buyer: 'U-1' };
    const items = [{ ...ITEM, seller: anna, ...item }];
    desk.put(backgroundRecords, DESK.order, { ...of, items, bound: true, completedMs: null, dueMs: null, ...fields });
  };
const both =
  (...spoils: readonly ((desk: Desk) => unknown)[]) =>
  (desk: Desk) => {
    for (const spoil of spoils) spoil(desk);
  };
/** A refund of some items of an order with an agreement. */
const ofItems = (...items: readonly object[]) => both(bound(), said({ amount: cny(500), recall: undefined, items }));

/** What a refund is refused for between the sums of its order and those who give back. */
export const GOODS_WRONGS: readonly Wrong[] = [
  ['SUBSIDY_EXCEEDED', 'more than the platform added', said({ amount: cny(500), recall: undefined, subsidy: cny(1) })],
  [
    'BACKGROUND_MISSING',
    'items of an order that has none',
    both(
      (desk) => desk.remove(backgroundRecords, DESK.order),
      said({ amount: cny(500), recall: undefined, items: [{ item: '1' }] }),
    ),
  ],
  [
    'RECALL_OFF_RULE',
    'all give back in proportion',
    both(bound(), said({ amount: cny(500), items: undefined, recall: [{ account: `acc_${anna}`, amount: cny(1) }] })),
  ],
  ['ITEM_UNKNOWN', 'no such item', ofItems({ item: '9' })],
  ['ITEM_REFUND', 'more than the item is worth', ofItems({ item: '1', amount: cny(10_001) })],
  ['REFUND_ITEMS_DIFFER', 'the items are less than the refund', ofItems({ item: '1', amount: cny(499) })],
  [
    'ITEM_REFUND',
    'the item was split, and nothing is recalled',
    both(ofItems({ item: '1', amount: cny(500) }), bound({ parts: [{ by: DESK.original, shares: { [anna]: 9_501n } }] })),
  ],
];

/** The item is worth what was paid, and what was split is not of it. */
export const SUBSIDY_WRONGS: Readonly<Record<string, readonly Wrong[]>> = {
  subsidy: [
    ['ORDER_NOT_FOUND', 'no such order', noOrder],
    ['ORDER_COMPLETED', 'nothing is split of it any more', bound({}, { completedMs: DESK.now })],
    ['SUBSIDY_NOT_NEEDED', 'its goods are paid for', bound()],
    [
      'BALANCE_OVERFLOW',
      'added and given back too often to be counted',
      order({ subsidised: BALANCE_MAX, subsidyReturned: BALANCE_MAX }),
    ],
    ['ACCOUNT_FROZEN', 'the marketing account is frozen', frozen(marketing)],
    [
      'FUNDS_INSUFFICIENT',
      'the platform has not so much',
      (desk) => Object.assign(desk.account(marketing(desk)), { balance: 799n }),
    ],
  ],
  'subsidy-return': [
    ['ORDER_NOT_FOUND', 'no such order', noOrder],
    ['SUBSIDY_EXCEEDED', 'more than it added', order({ subsidyReturned: 1n })],
    ['SUBSIDY_EXCEEDED', 'it was split', order({ split: 60_001n })],
    ['ACCOUNT_FROZEN', 'the order is frozen', frozen(() => DESK.order)],
  ],
};
