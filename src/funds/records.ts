import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql } from '../runtime/index.js';
import type { Units } from './rules.js';
import type { FundOrderState } from './states.js';

/** A fund in the catalogue, as two people of the bank approved it. */
export interface Fund {
  /** Six digits. */
  readonly code: string;
  readonly name: string;
  readonly company: string;
  readonly kind: 'money' | 'other';
  /** Where the company gets the money of purchases. Name and account are sealed. */
  readonly custody: { readonly name: string; readonly account: string; readonly bankCode: string };
  /** So many trading days after T the company gets it. */
  readonly settlesIn: number;
  /** Whether units can be bought. */
  readonly sells: boolean;
}

export interface FundRow {
  code: string;
  name: string;
  company: string;
  kind: Fund['kind'];
  custody_name_sealed: string;
  custody_account_sealed: string;
  custody_bank: string;
  settles_in: number;
  sells: number;
}

export function fundOf(row: FundRow): Fund {
  return {
    ...{ code: row.code, name: row.name, company: row.company, kind: row.kind },
    custody: { name: row.custody_name_sealed, account: row.custody_account_sealed, bankCode: row.custody_bank },
    ...{ settlesIn: row.settles_in, sells: Number(row.sells) === 1 },
  };
}

/** By code. Read here, changed by two people of the bank. */
export const catalogueRecords: RecordType<Fund> = {
  name: 'fund',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<FundRow>('SELECT * FROM funds WHERE code IN (?)', [keys]);
    return new Map(rows.map((row) => [row.code, fundOf(row)]));
  },
  saving: () => {
    throw new Error('no instruction changes the catalogue of funds');
  },
};

/** What the company said of a fund's day. */
export interface FundDay {
  readonly fund: string;
  readonly date: BusinessDate;
  /** Its income is that of all natural days from this one on. */
  readonly from: BusinessDate;
  /** In 1/10,000 yuan. */
  readonly nav: bigint;
  /** Of a money fund: income of 10,000 units in 1/10,000 yuan. */
  readonly per10k: bigint | null;
  /** Of a money fund: in 1/1,000 percent a year. */
  readonly sevenDay: bigint | null;
}

export interface FundDayRow {
  fund_code: string;
  fund_date: BusinessDate;
  from_date: BusinessDate;
  nav: string;
  per_10k: string | null;
  seven_day: string | null;
}

export function fundDayOf(row: FundDayRow): FundDay {
  return {
    ...{ fund: row.fund_code, date: row.fund_date, from: row.from_date, nav: BigInt(row.nav) },
    per10k: row.per_10k === null ? null : BigInt(row.per_10k),
    sevenDay: row.seven_day === null ? null : BigInt(row.seven_day),
  };
}

/** The key of a fund's day. */
export function dayKey(fund: string, date: BusinessDate): string {
  return `${fund}:${date}`;
}

/** By fund and date. Taken from the company's files, never changed. */
export const fundDayRecords: RecordType<FundDay> = {
  name: 'fund-day',
  accountsOf: () => [],
  async load(tx, keys) {
    const pairs = keys.map((key) => key.split(':'));
    const rows = await tx.rows<FundDayRow>('SELECT * FROM fund_days WHERE (fund_code, fund_date) IN (?)', [pairs]);
    return new Map(rows.map((row) => [dayKey(row.fund_code, row.fund_date), fundDayOf(row)]));
  },
  saving: () => {
    throw new Error('no instruction changes what a company said of a day');
  },
};

/** The accounts of a book by which money of funds passes. */
export interface FundBook {
  readonly platformId: Id;
  readonly collectionId: Id;
  /** The bank's own money, out of which it pays redemptions at once. */
  readonly advanceId: Id;
  /** What of it was paid and is not back. Minor units. */
  readonly advanced: Minor;
}

/** By platform; opened by the first instruction that needs them. */
export const fundBookRecords: RecordType<FundBook> = {
  name: 'fund-book',
  accountsOf: ({ collectionId, advanceId }) => [collectionId, advanceId],
  async load(tx, keys) {
    const rows = await tx.rows<{ platform_id: string; collection_id: string; advance_id: string; advanced: string }>(
      `SELECT * FROM fund_books WHERE platform_id IN (${keys.join()})`,
    );
    return new Map(
      rows.map((row) => [
        row.platform_id,
        {
          ...{ platformId: asId(row.platform_id), collectionId: asId(row.collection_id) },
          ...{ advanceId: asId(row.advance_id), advanced: BigInt(row.advanced) },
        },
      ]),
    );
  },
  saving: (books) =>
    `INSERT INTO fund_books (platform_id, collection_id, advance_id, advanced)
     VALUES ${sql.tuples(books.map((b) => `${b.platformId},${b.collectionId},${b.advanceId},${b.advanced}`))}
     ON DUPLICATE KEY UPDATE advanced = VALUES(advanced)`,
};

/** What an account has of a fund. */
export interface Holding {
  readonly accountId: Id;
  readonly fund: string;
  readonly platformId: Id;
  readonly customerId: Id;
  /** All confirmed units, those in redemptions among them. */
  readonly units: Units;
  /** In redemptions that are not confirmed. */
  readonly frozen: Units;
  /** Money of purchases that are not confirmed. Minor units. */
  readonly pending: Minor;
  /** What confirmed redemptions are still to bring to the account. Minor units. */
  readonly due: Minor;
  /** The last natural day whose income is among the units; null before there were any. */
  readonly incomeTo: BusinessDate | null;
  readonly income: Minor;
}

export interface HoldingRow {
  account_id: string;
  fund_code: string;
  platform_id: string;
  customer_id: string;
  units: string;
  frozen: string;
  pending: string;
  due: string;
  income_to: BusinessDate | null;
  income: string;
}

export function holdingOf(row: HoldingRow): Holding {
  return {
    ...{ accountId: asId(row.account_id), fund: row.fund_code, platformId: asId(row.platform_id) },
    ...{ customerId: asId(row.customer_id), units: BigInt(row.units), frozen: BigInt(row.frozen) },
    ...{ pending: BigInt(row.pending), due: BigInt(row.due), incomeTo: row.income_to, income: BigInt(row.income) },
  };
}

/** The key of a holding. */
export function holdingKey(account: Id, fund: string): string {
  return `${account}:${fund}`;
}

/** By account and fund. */
export const holdingRecords: RecordType<Holding> = {
  name: 'fund-holding',
  accountsOf: ({ accountId }) => [accountId],
  async load(tx, keys) {
    const pairs = keys.map((key) => key.split(':'));
    const rows = await tx.rows<HoldingRow>('SELECT * FROM fund_holdings WHERE (account_id, fund_code) IN (?)', [pairs]);
    return new Map(rows.map((row) => [holdingKey(asId(row.account_id), row.fund_code), holdingOf(row)]));
  },
  saving(holdings) {
    const rows = holdings.map(
      (h) =>
        `${h.accountId},${sql.text(h.fund)},${h.platformId},${h.customerId},${h.units},${h.frozen},${h.pending},${h.due},` +
        `${h.incomeTo === null ? 'NULL' : `'${h.incomeTo}'`},${h.income}`,
    );
    return `INSERT INTO fund_holdings (account_id, fund_code, platform_id, customer_id, units, frozen, pending, due, income_to, income)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE units = VALUES(units), frozen = VALUES(frozen), pending = VALUES(pending),
       due = VALUES(due), income_to = VALUES(income_to), income = VALUES(income)`;
  },
};

/**
 * Of a purchase. direct: with money of the account. pot: with the proceeds of a redemption. Of a redemption. ordinary: the customer gets
 * the proceeds when they are here. fast: he had them at once, and they go to the bank. exchange: they pay for another fund.
 */
export type FundOrderWay = 'direct' | 'pot' | 'ordinary' | 'fast' | 'exchange';

export interface FundOrder {
  /** The same digits as the instruction that made it; of a redemption that pays for a purchase the next one. */
  readonly id: Id;
  readonly platformId: Id;
  readonly shardId: number;
  readonly accountId: Id;
  readonly customerId: Id;
  readonly fund: string;
  readonly direction: 'subscription' | 'redemption';
  readonly way: FundOrderWay;
  /** Of a purchase what was paid; of a redemption what it brings, nothing before it is confirmed. Minor units. */
  readonly amount: Minor;
  /** Of a redemption what was asked; of a purchase what it brought, nothing before it is confirmed. */
  readonly units: Units;
  readonly nav: bigint | null;
  readonly state: FundOrderState;
  /** T; null while it waits. */
  readonly tradingDate: BusinessDate | null;
  readonly confirmedOn: BusinessDate | null;
  /** Of a purchase that is confirmed: when the company gets the money. */
  readonly settlesOn: BusinessDate | null;
  /** What of the collection account is this order's. Minor units. */
  readonly collected: Minor;
  readonly partnerId: Id | null;
  /** Of a purchase: the payout by which the company got the money. */
  readonly settlementId: Id | null;
  readonly reason: string | null;
  /** How often it was sent. */
  readonly attempts: number;
  readonly createdMs: Instant;
  readonly changedMs: Instant;
}

export interface FundOrderRow {
  id: string;
  platform_id: string;
  shard_id: number;
  account_id: string;
  customer_id: string;
  fund_code: string;
  direction: FundOrder['direction'];
  way: FundOrderWay;
  amount: string;
  units: string;
  nav: string | null;
  state: FundOrderState;
  trading_date: BusinessDate | null;
  confirmed_on: BusinessDate | null;
  settles_on: BusinessDate | null;
  collected: string;
  partner_id: string | null;
  settlement_id: string | null;
  reason: string | null;
  attempts: number;
  created_ms: string;
  changed_ms: string;
}

export function fundOrderOf(row: FundOrderRow): FundOrder {
  return {
    ...{ id: asId(row.id), platformId: asId(row.platform_id), shardId: row.shard_id, accountId: asId(row.account_id) },
    ...{ customerId: asId(row.customer_id), fund: row.fund_code, direction: row.direction, way: row.way },
    ...{ amount: BigInt(row.amount), units: BigInt(row.units), nav: row.nav === null ? null : BigInt(row.nav) },
    ...{ state: row.state, tradingDate: row.trading_date, confirmedOn: row.confirmed_on, settlesOn: row.settles_on },
    ...{ collected: BigInt(row.collected), partnerId: row.partner_id === null ? null : asId(row.partner_id) },
    ...{ settlementId: row.settlement_id === null ? null : asId(row.settlement_id), reason: row.reason },
    ...{ attempts: row.attempts, createdMs: Number(row.created_ms) as Instant, changedMs: Number(row.changed_ms) as Instant },
  };
}

const date = (value: BusinessDate | null) => (value === null ? 'NULL' : `'${value}'`);

/** By id. The engine checks that the collection account moves by what of it is its orders'. */
export const fundOrderRecords: RecordType<FundOrder> = {
  name: 'fund-order',
  accountsOf: ({ accountId }) => [accountId],
  async load(tx, keys) {
    const rows = await tx.rows<FundOrderRow>(`SELECT * FROM fund_orders WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, fundOrderOf(row)]));
  },
  saving(orders) {
    const rows = orders.map(
      (o) =>
        `${o.id},${o.platformId},${o.shardId},${o.accountId},${o.customerId},${sql.text(o.fund)},'${o.direction}','${o.way}',${o.amount},` +
        `${o.units},${o.nav ?? 'NULL'},'${o.state}',${date(o.tradingDate)},${date(o.confirmedOn)},${date(o.settlesOn)},${o.collected},` +
        `${o.partnerId ?? 'NULL'},${o.settlementId ?? 'NULL'},${sql.nullableText(o.reason)},${o.attempts},${o.createdMs},${o.changedMs}`,
    );
    return `INSERT INTO fund_orders (id, platform_id, shard_id, account_id, customer_id, fund_code, direction, way, amount, units, nav, state,
         trading_date, confirmed_on, settles_on, collected, partner_id, settlement_id, reason, attempts, created_ms, changed_ms)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE amount = VALUES(amount), units = VALUES(units), nav = VALUES(nav),
       state = VALUES(state), trading_date = VALUES(trading_date), confirmed_on = VALUES(confirmed_on), settles_on = VALUES(settles_on),
       collected = VALUES(collected), settlement_id = VALUES(settlement_id), reason = VALUES(reason), attempts = VALUES(attempts),
       changed_ms = VALUES(changed_ms)`;
  },
};

/** By payout: the purchases that it settled. */
export const settledByRecords: RecordType<{ readonly orders: readonly Id[] }> = {
  name: 'fund-orders-settled',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ id: string; settlement_id: string }>(
      `SELECT id, settlement_id FROM fund_orders WHERE settlement_id IN (${keys.join()}) ORDER BY id`,
    );
    return new Map(
      keys.map((key) => [key, { orders: rows.filter((row) => row.settlement_id === key).map(({ id }) => asId(id)) }]),
    );
  },
  saving: () => undefined,
};

/** What a customer has redeemed at once of a fund on a natural day, over all his accounts at the bank. */
export interface FastUse {
  readonly customerId: Id;
  readonly fund: string;
  readonly date: BusinessDate;
  readonly used: Minor;
}

/** The key of a use. */
export function fastUseKey({ customerId, fund, date: day }: Omit<FastUse, 'used'>): string {
  return `${customerId}:${fund}:${day}`;
}

/** By customer, fund and date. His accounts may stand on several shards: whoever is about to count writes the row first. */
export const fastUseRecords: RecordType<FastUse> = {
  name: 'fund-fast-use',
  accountsOf: () => [],
  async lock(tx, keys) {
    const rows = [...keys].sort().map((key) => key.split(':').map(sql.text).join());
    await tx.write(
      `INSERT INTO fund_fast_uses (customer_id, fund_code, use_date, used, turn) VALUES ${sql.tuples(rows.map((row) => `${row},0,0`))}
       ON DUPLICATE KEY UPDATE turn = turn + 1`,
    );
  },
  async load(tx, keys) {
    const found = new Map<string, FastUse>();
    for (const key of keys) {
      const [customerId, fund, day] = key.split(':') as [string, string, BusinessDate];
      found.set(key, { customerId: asId(customerId), fund, date: day, used: 0n });
    }
    const rows = await tx.rows<{ customer_id: string; fund_code: string; use_date: BusinessDate; used: string }>(
      'SELECT customer_id, fund_code, use_date, used FROM fund_fast_uses WHERE (customer_id, fund_code, use_date) IN (?)',
      [keys.map((key) => key.split(':'))],
    );
    for (const { customer_id, fund_code: fund, use_date, used } of rows) {
      const use = { customerId: asId(customer_id), fund, date: use_date, used: BigInt(used) };
      found.set(fastUseKey(use), use);
    }
    return found;
  },
  saving(uses) {
    const rows = uses.map(({ customerId, fund, date: day, used }) => `${customerId},${sql.text(fund)},'${day}',${used},0`);
    return `INSERT INTO fund_fast_uses (customer_id, fund_code, use_date, used, turn) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE used = VALUES(used)`;
  },
};

/** Whether an account still has, or is to get, anything of funds. By account; summed up from its holdings, stored nowhere. */
export const fundsOnRecords: RecordType<{ readonly held: number }> = {
  name: 'funds-on-account',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ account_id: string; held: string }>(
      `SELECT account_id, COUNT(*) AS held FROM fund_holdings WHERE account_id IN (${keys.join()}) AND (units > 0 OR pending > 0 OR due > 0)
       GROUP BY account_id`,
    );
    const held = new Map(rows.map((row) => [row.account_id, Number(row.held)]));
    return new Map(keys.map((key) => [key, { held: held.get(key) ?? 0 }]));
  },
  sumsUp: {
    type: holdingRecords,
    keyOf: (holding: Holding) => holding.accountId,
    changed: ({ held }: { readonly held: number }, before: Holding | undefined, after: Holding) => ({
      held: held + Number(isHeld(after)) - Number(before !== undefined && isHeld(before)),
    }),
  },
  saving: () => undefined,
};

function isHeld({ units, pending, due }: Holding): boolean {
  return units > 0n || pending > 0n || due > 0n;
}
