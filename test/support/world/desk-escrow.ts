import { exampleDeal } from '../../../scripts/docs/example-deals.js';
import { dealRecords, type Fund, fundRecords, withFunded } from '../../../src/escrow/index.js';
import { asId, type BusinessDate, type Id, type Instant } from '../../../src/kernel/index.js';
import type { AccountType, RecordType } from '../../../src/ledger/index.js';
import { orderKey, orderRecords } from '../../../src/orders/index.js';

interface Drawers {
  readonly kind: { readonly name: string };
  readonly now: Instant;
  open(account: Id, type: AccountType): { balance: bigint };
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
}

const id = (place: number) => asId(`2236512894231552${String(place).padStart(3, '0')}`);

/** What the examples of deals speak of: the deal of each kind, and the order that pays for it. */
export const DEALS = {
  'escrow-payment': { deal: id(70), orderNo: 'SO-2001' },
  'escrow-funding': { deal: id(71), orderNo: 'SO-2002' },
  'escrow-release': { deal: id(72), orderNo: 'SO-2003' },
  'escrow-failure': { deal: id(73), orderNo: 'SO-2004' },
  'escrow-refund': { deal: id(74), orderNo: 'SO-2005' },
} as const;
export const STAKE = id(110);

/** A deal such that the example of this kind can be posted. */
export function furnishDeal(desk: Drawers, names: { platform: Id; anna: Id; lily2: Id }): void {
  const { name } = desk.kind;
  if (!(name in DEALS)) return;
  const { deal: dealId, orderNo } = DEALS[name as keyof typeof DEALS];
  const given = {
    'escrow-release': [{ item: 'lesson-1', role: 'student' }],
    'escrow-failure': [{ item: 'student-stops', role: 'student' }],
  }[name];
  const empty = exampleDeal({
    ...{ id: dealId, platformId: names.platform, school: names.anna, openedMs: desk.now },
    ...{ student: name === 'escrow-funding' ? names.lily2 : null, given: given ?? [] },
  });
  const isPaid = name !== 'escrow-payment' && name !== 'escrow-funding';
  const lessons = ['lesson-1', 'lesson-2'];
  const parts = lessons.map((stage) => ({ stage, amount: 10_000n }));
  desk.put(dealRecords, dealId, isPaid ? withFunded(empty, parts, desk.now) : empty);
  const back = name === 'escrow-refund' ? 10_000n : 0n;
  const funds = lessons.map((stage): Fund => ({ orderId: STAKE, orderNo, stage, amount: 10_000n, released: 0n, back, sent: 0n }));
  desk.put(fundRecords, dealId, { dealId, funds: isPaid ? funds : [] });
  if (!isPaid) return;
  const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };
  const counters = { paid: 20_000n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
  desk.put(orderRecords, orderKey(names.platform, orderNo), {
    ...{ accountId: STAKE, platformId: names.platform, orderNo, payer, payerAccountId: null },
    ...{ ...counters, openedMs: desk.now, paidOn: '2026-03-02' as BusinessDate },
  });
  desk.open(STAKE, 'escrow').balance = 20_000n;
}
