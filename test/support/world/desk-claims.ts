import {
  type AgreementVersion,
  agreementRecords,
  compileTerms,
  SETTLED_AS_BOUND,
  type Terms,
  versionRecords,
} from '../../../src/agreements/index.js';
import {
  type Claim,
  claimQueueRecords,
  type Deduction,
  type Dispute,
  deductionRecords,
  disputeRecords,
  freezeEndRecords,
} from '../../../src/claims/index.js';
import { asId, type BusinessDate, type Id, type Instant } from '../../../src/kernel/index.js';
import type { AccountType, LedgerAccount, RecordType } from '../../../src/ledger/index.js';
import {
  backgroundRecords,
  categoryRecords,
  type Order,
  type OrderItem,
  orderKey,
  orderRecords,
} from '../../../src/orders/index.js';

/** Where a desk keeps its accounts and records. */
interface Drawers {
  readonly kind: { readonly name: string };
  readonly now: Instant;
  open(account: Id, type: AccountType): { balance: bigint };
  account(account: Id): Pick<LedgerAccount, 'claimed'>;
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
}

interface Names {
  readonly platform: Id;
  readonly anna: Id;
  readonly order: Id;
}

/** What the examples of these kinds speak of. */
export const CLAIMED = {
  dispute: asId('2236512894231552012'),
  freeze: asId('2236512894231552013'),
  deduction: asId('2236512894231552014'),
  version: asId('2236512894231552053'),
  bound: asId('2236512894231552103'),
  orderNo: 'SO-1003',
} as const;
const STAFF = [asId('2236512894231552061'), asId('2236512894231552062')] as const;
const FIRST = '2026-01-01' as BusinessDate;
const CREDITED = { subsidised: 0n, subsidyReturned: 0n };

/** What was agreed with a seller: ten percent are the platform's. */
const TERMS: Terms = {
  rule: {
    levels: {
      order: {
        lines: [{ to: 'commission', take: { percent: 1_000n, of: 'whole' }, min: null, max: null, rounding: 'half-up' }],
        remainder: 'seller',
      },
    },
  },
  ...{ othersCap: 3_000n, profitMax: 1_000n, feeMax: null, orderMax: null, volume: { day: null, month: null } },
  ...{ cycle: 'T+1', cycleDays: null, payout: SETTLED_AS_BOUND, refund: 'pro-rata', reserve: 0n, categories: [], forbidden: [] },
};

export const ITEM: Omit<OrderItem, 'seller'> = {
  ...{ no: '1', version: CLAIMED.version, name: '毛毯', category: 'goods', quantity: 2, price: 9_000n, freight: 1_000n },
  ...{ evidence: 'SF1234567890', refunded: 0n, parts: [] },
};

/** What disputes, authorities, and orders with agreements need besides; only the kinds that look at it get it. */
export function furnish(desk: Drawers, names: Names): void {
  const version = versionWith(names);
  desk.put(agreementRecords, names.anna, { accountId: names.anna, versions: [version] });
  desk.put(versionRecords, CLAIMED.version, version);
  const goods = { validFrom: FIRST, zh: '百货', en: 'Goods', allowed: true };
  desk.put(categoryRecords, 'goods', [{ ...goods, code: 'goods', evidence: 'logistics' }]);
  if (desk.kind.name === 'order-complete') openBoundOrder(desk, names);
  if (desk.kind.name === 'dispute-end') openDispute(desk, names);
  if (desk.kind.name === 'judicial-deduction') approveDeduction(desk, names);
}

export function versionWith({ platform, anna }: Names, terms: Partial<Terms> = {}): AgreementVersion {
  const all = { ...TERMS, ...terms };
  return {
    ...{ id: CLAIMED.version, agreementId: CLAIMED.version, platformId: platform, accountId: anna, version: 1, amends: null },
    ...{ validFrom: FIRST, validTo: null, terms: all, rule: compileTerms(all) },
  };
}

function openBoundOrder(desk: Drawers, { platform, anna }: Names): void {
  const payer = { name: '张三', account: '6222020000000000078', bankCode: '102100099996' };
  const { bound: accountId, orderNo } = CLAIMED;
  const order: Order = {
    ...{ accountId, platformId: platform, orderNo, payer, payerAccountId: null, paid: 10_000n, split: 0n, returned: 0n },
    ...{ refunded: 0n, ...CREDITED, openedMs: desk.now, paidOn: '2026-03-02' as BusinessDate },
  };
  desk.put(orderRecords, orderKey(platform, orderNo), order);
  desk.open(accountId, 'order').balance = 10_000n;
  const items = [{ ...ITEM, seller: anna }];
  const background = {
    orderId: accountId,
    platformId: platform,
    orderNo,
    buyer: 'U-1',
    items,
    bound: true,
    completedMs: null,
    dueMs: null,
  };
  desk.put(backgroundRecords, accountId, background);
}

/** Claims on an account, as they stand in its queue and in its sum. */
function claim(desk: Drawers, account: Id, of: Pick<Claim, 'kind' | 'refId' | 'orderId' | 'amount' | 'platformId'>): void {
  const row: Claim = { ...of, accountId: account, place: 1, letGo: 0n, taken: 0n, createdMs: desk.now, endedMs: null };
  desk.put(claimQueueRecords, account, { accountId: account, lastPlace: 1, claims: [row] });
  Object.assign(desk.account(account), { claimed: of.amount });
}

/** Of 700 fen, 300 on the order and 400 on what anna got out of it. */
function openDispute(desk: Drawers, { platform, anna, order }: Names): void {
  const { dispute: id } = CLAIMED;
  const dispute: Dispute = {
    ...{ id, platformId: platform, orderId: order, orderNo: 'SO-1001', receiverId: anna, amount: 700n, onOrder: 300n },
    ...{ onReceiver: 400n, givenBack: 0n, reason: '货不对板', state: 'open', deadlineMs: (desk.now + 86_400_000) as Instant },
    ...{ ofBank: false, openedMs: desk.now, endedMs: null },
  };
  desk.put(disputeRecords, id, dispute);
  const of = { kind: 'dispute' as const, refId: id, orderId: order, platformId: platform };
  claim(desk, order, { ...of, amount: 300n });
  claim(desk, anna, { ...of, amount: 400n });
}

/** A freeze of anna's account over 1,000 fen, and 700 of them that two of the staff agreed to pay out. */
function approveDeduction(desk: Drawers, { platform, anna }: Names): void {
  const { freeze: freezeId, deduction: id } = CLAIMED;
  claim(desk, anna, { kind: 'court', refId: freezeId, orderId: null, platformId: platform, amount: 1_000n });
  desk.put(freezeEndRecords, freezeId, { dueMs: (desk.now + 1) as Instant });
  const deduction: Deduction = {
    ...{ id, freezeId, accountId: anna, platformId: platform, documentNo: '（2026）执1号', amount: 700n, state: 'approved' },
    payee: { name: '某市人民法院', account: '6222020000000000078', bankCode: '' },
    ...{ askedBy: STAFF[0], askedMs: desk.now, decidedBy: STAFF[1], decidedMs: desk.now, instructionId: null, payoutId: null },
  };
  desk.put(deductionRecords, id, deduction);
}
