import {
  catalogueRecords,
  dayKey,
  type FastUse,
  type Fund,
  type FundOrder,
  fundBookRecords,
  fundDayRecords,
  fundOrderRecords,
  type Holding,
  holdingKey,
  holdingRecords,
  newOrder,
} from '../../src/funds/index.js';
import { asId, type BusinessDate, type Id, type Instant } from '../../src/kernel/index.js';
import type { AccountType, RecordType } from '../../src/ledger/index.js';

/** Where the records and accounts of the examples go. */
export interface FundDrawers {
  open(account: Id, type: AccountType): { balance: bigint };
  put<Row>(type: RecordType<Row>, key: string, row: Row): void;
}

const id = (place: number) => asId(`2236512894231552${String(place).padStart(3, '0')}`);
const date = (text: string) => text as BusinessDate;

/** What the examples of funds speak of. */
export const POT = {
  money: '000198',
  other: '110022',
  collection: id(130),
  advance: id(131),
  bought: id(80),
  redeemed: id(81),
  expected: id(82),
  owed: id(83),
} as const;

/** What the engine has of what a customer redeemed at once, before he did. */
export function noFastUse(key: string): FastUse {
  const [customerId = '', fund = '', day = ''] = key.split(':');
  return { customerId: asId(customerId), fund, date: date(day), used: 0n };
}

const CUSTODY = { name: '基金托管户', account: '110060000018010000', bankCode: '105100000017' };
const fundOf = (code: string, kind: Fund['kind'], settlesIn: number): Fund => ({
  ...{ code, name: `基金${code}`, company: '示例基金管理有限公司', kind, custody: CUSTODY, settlesIn, sells: true },
});

/**
 * A pot of 200.00 units and four orders, such that the example of every kind about funds can be posted. What has to stand on the accounts for
 * it is put there by whoever opens them.
 */
export function furnishFunds(
  { open, put }: FundDrawers,
  of: { readonly platform: Id; readonly account: Id; readonly customer: Id; readonly now: Instant },
): void {
  for (const fund of [fundOf(POT.money, 'money', 1), fundOf(POT.other, 'other', 2)]) put(catalogueRecords, fund.code, fund);
  const book = { platformId: of.platform, collectionId: POT.collection, advanceId: POT.advance, advanced: 0n };
  put(fundBookRecords, of.platform, book);
  open(POT.collection, 'fund-collection').balance = 7_500n;
  open(POT.advance, 'fund-advance').balance = 100_000n;
  const owner = { platformId: of.platform, accountId: of.account, customerId: of.customer };
  const holding: Holding = {
    ...{ ...owner, fund: POT.money, units: 20_000n, frozen: 0n, pending: 7_000n, due: 1_200n },
    ...{ incomeTo: date('2026-03-02'), income: 0n },
  };
  put(holdingRecords, holdingKey(of.account, POT.money), holding);
  const day = {
    fund: POT.money,
    date: date('2026-03-03'),
    from: date('2026-03-03'),
    nav: 10_000n,
    per10k: 4_021n,
    sevenDay: 1_480n,
  };
  put(fundDayRecords, dayKey(POT.money, day.date), day);
  const order = (place: Id, made: Partial<FundOrder> & Pick<FundOrder, 'direction' | 'way' | 'state'>) => {
    const common = { ...owner, id: place, shardId: 0, fund: POT.money, tradingDate: date('2026-02-27'), createdMs: of.now };
    put(fundOrderRecords, place, newOrder({ ...common, ...made }));
  };
  const confirmed = { state: 'confirmed', nav: 10_000n, confirmedOn: date('2026-03-02') } as const;
  order(POT.bought, { direction: 'subscription', way: 'direct', state: 'sent', amount: 3_000n, collected: 3_000n });
  order(POT.redeemed, { direction: 'redemption', way: 'ordinary', ...confirmed, amount: 500n, units: 500n, collected: 500n });
  order(POT.expected, { direction: 'redemption', way: 'ordinary', ...confirmed, amount: 700n, units: 700n });
  order(POT.owed, {
    ...{ direction: 'subscription', way: 'direct', ...confirmed, amount: 4_000n, units: 4_000n, collected: 4_000n },
    settlesOn: date('2026-03-02'),
  });
}
