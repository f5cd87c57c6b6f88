import { POT } from '../../scripts/docs/example-funds.js';
import type { ElectronicAccount } from '../../src/accounts/index.js';
import { electronicRecords } from '../../src/accounts/index.js';
import { consentRecords } from '../../src/consents/index.js';
import {
  catalogueRecords,
  dayKey,
  type FastUse,
  type Fund,
  type FundOrder,
  fastUseKey,
  fastUseRecords,
  fundDayRecords,
  fundOrderRecords,
  type Holding,
  holdingKey,
  holdingRecords,
} from '../../src/funds/index.js';
import { BALANCE_MAX, type BusinessDate, type Id } from '../../src/kernel/index.js';
import type { AccountType } from '../../src/ledger/index.js';
import { DESK, type Desk } from '../support/world/desk.js';
import type { Wrong } from './kinds-claims.js';

const { lily2 } = DESK;
const POT_OF = holdingKey(lily2, POT.money);
const noAccount = (desk: Desk) => desk.removeAccount(lily2);
const type = (of: AccountType) => (desk: Desk) => Object.assign(desk.account(lily2), { type: of });
const noFund = (code: string) => (desk: Desk) => desk.remove(catalogueRecords, code);
const fund = (code: string, of: Partial<Fund>) => (desk: Desk) => desk.bend(catalogueRecords, code, of);
const electronic = (of: Partial<ElectronicAccount>) => (desk: Desk) => desk.bend(electronicRecords, lily2, of);
const holding = (of: Partial<Holding>) => (desk: Desk) => desk.bend(holdingRecords, POT_OF, of);
const order = (id: Id, of: Partial<FundOrder>) => (desk: Desk) => desk.bend(fundOrderRecords, id, of);
const noOrder = (id: Id) => (desk: Desk) => desk.remove(fundOrderRecords, id);
const balance = (id: Id, of: bigint) => (desk: Desk) => Object.assign(desk.account(id), { balance: of });
const frozen = (desk: Desk) => Object.assign(desk.account(lily2), { state: 'frozen' });
const unasked = (desk: Desk) => desk.remove(consentRecords, DESK.instruction);
const said = (fields: object) => (desk: Desk) => Object.assign(desk.data, structuredClone(fields));
const today = DESK.today;
const used = (amount: bigint) => (desk: Desk) => {
  const use: FastUse = { customerId: DESK.lily, fund: POT.money, date: today, used: amount };
  desk.put(fastUseRecords, fastUseKey(use), use);
};
const custodyFull = (desk: Desk) => Object.assign(desk.account(desk.book.accounts.custody), { balance: -BALANCE_MAX });
const uncleared = (id: Id) => (desk: Desk) =>
  Object.assign(desk.account(id), { uncleared: [{ due: '2026-03-03' as BusinessDate, amount: desk.account(id).balance }] });

const ordering = (code: string): readonly Wrong[] => [
  ['ACCOUNT_NOT_FOUND', 'no such account', noAccount],
  ['ACCOUNT_TYPE_NOT_ALLOWED', 'no electronic account', type('sub')],
  ['FUND_NOT_FOUND', 'no such fund', noFund(code)],
  ['ACCOUNT_FROZEN', 'it is frozen', frozen],
];

export const FUND_WRONGS: Readonly<Record<string, readonly Wrong[]>> = {
  'fund-subscription': [
    ...ordering(POT.money),
    ['FUND_NOT_SOLD', 'its units are not sold', fund(POT.money, { sells: false })],
    ['PRODUCT_NOT_ALLOWED', 'a Class III account', electronic({ class: 3 })],
    ['CONSENT_REQUIRED', 'nobody asked her', unasked],
    ['FUNDS_INSUFFICIENT', 'it has not so much', balance(lily2, 999n)],
  ],
  'fund-redemption': [
    ...ordering(POT.money),
    ['FUND_KIND', 'no money fund', fund(POT.money, { kind: 'other' })],
    ['FUND_UNITS_SHORT', 'one hundredth too few', holding({ units: 4_999n })],
    ['FUND_FAST_LIMIT', 'one hundredth over the cap of the day', used(995_001n)],
    ['FUND_ADVANCE_SHORT', 'the bank has put less there', balance(POT.advance, 4_999n)],
    ['CONSENT_REQUIRED', 'nobody asked her', unasked],
  ],
  'fund-exchange': [
    ...ordering(POT.other),
    ['FUND_KIND', 'no money fund pays', fund(POT.money, { kind: 'other' })],
    ['FUND_NOT_SOLD', 'its units are not sold', fund(POT.other, { sells: false })],
    ['FUND_UNITS_SHORT', 'one hundredth too few', holding({ units: 1_999n })],
    ['CONSENT_REQUIRED', 'nobody asked her', unasked],
  ],
  'pot-payment': [
    ...ordering(POT.money),
    ['ORDER_PAYER_DIFFERS', 'another paid the order', said({ to: { orderNo: 'SO-1001' } })],
    ['FUND_UNITS_SHORT', 'one hundredth too few', holding({ units: 1_499n })],
    ['FUND_FAST_LIMIT', 'one hundredth over the cap of the day', used(998_501n)],
    ['FUND_ADVANCE_SHORT', 'the bank has put less there', balance(POT.advance, 1_499n)],
    [
      'FUNDS_INSUFFICIENT',
      'a court takes what comes in',
      (desk) => Object.assign(desk.account(lily2), { claimed: desk.account(lily2).balance + 1n }),
    ],
    ['CONSENT_REQUIRED', 'nobody asked her', unasked],
  ],
  'fund-confirmation': [
    ['FUND_ORDER_NOT_FOUND', 'no such order', noOrder(POT.bought)],
    ['FUND_ORDER_STATE', 'it was never sent', order(POT.bought, { state: 'created' })],
    [
      'FUND_DAY_MISSING',
      'nobody told the value of its day',
      (desk) => {
        fund(POT.money, { kind: 'other' })(desk);
        desk.remove(fundDayRecords, dayKey(POT.money, '2026-02-27' as BusinessDate));
      },
    ],
    ['FUND_CONFIRMATION_DIFFERS', 'one fen more was ordered', order(POT.bought, { amount: 3_001n })],
    ['FUND_INCOME_ORDER', 'income of a day is missing', holding({ incomeTo: '2026-03-01' as BusinessDate })],
  ],
  'fund-failure': [
    ['FUND_ORDER_NOT_FOUND', 'no such order', noOrder(POT.bought)],
    ['FUND_ORDER_STATE', 'it is confirmed', order(POT.bought, { state: 'confirmed' })],
  ],
  'fund-income': [
    ['FUND_NOT_FOUND', 'no such holding', (desk) => desk.remove(holdingRecords, POT_OF)],
    ['FUND_KIND', 'no money fund', fund(POT.money, { kind: 'other' })],
    [
      'FUND_DAY_MISSING',
      'nobody told the day',
      (desk) => desk.remove(fundDayRecords, dayKey(POT.money, '2026-03-03' as BusinessDate)),
    ],
    ['FUND_INCOME_ORDER', 'the day before is missing', holding({ incomeTo: '2026-03-01' as BusinessDate })],
    ['FUND_INCOME_DIFFERS', 'the company says more', said({ units: '9' })],
  ],
  'fund-proceeds': [
    ['FUND_ORDER_NOT_FOUND', 'no such redemption', noOrder(POT.expected)],
    ['FUND_ORDER_STATE', 'it is not confirmed', order(POT.expected, { state: 'sent' })],
    ['FUND_PROCEEDS_DIFFER', 'it brings one fen more', order(POT.expected, { amount: 701n })],
    ['BALANCE_OVERFLOW', 'custody can have no more', custodyFull],
  ],
  'fund-proceeds-paid': [
    ['FUND_ORDER_NOT_FOUND', 'no such redemption', noOrder(POT.redeemed)],
    ['FUND_ORDER_STATE', 'its money is not here', order(POT.redeemed, { collected: 0n })],
  ],
  'fund-settlement': [
    ['FUND_NOT_FOUND', 'no such fund', noFund(POT.money)],
    ['FUND_ORDER_NOT_FOUND', 'no such purchase', noOrder(POT.owed)],
    ['FUND_ORDER_STATE', 'it is not due', order(POT.owed, { settlesOn: '2026-03-03' as BusinessDate })],
    ['FUNDS_UNCLEARED', 'its money has not cleared', uncleared(POT.collection)],
  ],
  'fund-advance': [['FUND_ADVANCE_CEILING', 'one fen above the ceiling', balance(POT.advance, 999_900_001n)]],
};
