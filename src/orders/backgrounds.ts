import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/** What stands behind an order: who bought what of whom. */
export interface OrderBackground {
  readonly orderId: Id;
  readonly platformId: Id;
  readonly orderNo: string;
  /** The platform's own number of the buyer. */
  readonly buyer: string;
  /** It is split by the agreements of its items alone; without items it can only go back to the buyer. */
  readonly bound: boolean;
  readonly items: readonly OrderItem[];
  /** From when on nothing is split any more; null: open. */
  readonly completedMs: Instant | null;
  /** When it completes by itself; null: only when it is told to, or it has. */
  readonly dueMs: Instant | null;
}

/** Goods of one seller in an order. Amounts in minor units. */
export interface OrderItem {
  readonly no: string;
  readonly seller: Id;
  /** The version of the seller's agreement that was in force when it was paid; null: the platform needs none. */
  readonly version: Id | null;
  readonly name: string;
  readonly category: string;
  readonly quantity: number;
  readonly price: Minor;
  readonly freight: Minor;
  /** What shows that it was delivered or done: a waybill, a receipt of a service. */
  readonly evidence: string | null;
  /** What of it went back to the buyer, and to the platform of what it had added. */
  readonly refunded: Minor;
  /** What of it was split and given back, one part an instruction. */
  readonly parts: readonly ItemPart[];
}

/** What one split gave to whom, by account; less than nothing where it was given back. Minor units. */
export interface ItemPart {
  readonly by: Id;
  readonly shares: Readonly<Record<string, Minor>>;
}

/** Price and freight together: what an item is split of. */
export function itemWhole({ price, freight }: Pick<OrderItem, 'price' | 'freight'>): Minor {
  return price + freight;
}

/** What each account has got of an item, by account. */
export function itemGot({ parts }: Pick<OrderItem, 'parts'>): Map<Id, Minor> {
  const got = new Map<Id, Minor>();
  for (const { shares } of parts)
    for (const [account, amount] of Object.entries(shares)) got.set(asId(account), (got.get(asId(account)) ?? 0n) + amount);
  return got;
}

/** What of an item can still be refunded, be it split or not. */
export function itemRefundable(item: Pick<OrderItem, 'price' | 'freight' | 'refunded'>): Minor {
  return itemWhole(item) - item.refunded;
}

/** What of an item can still be split. */
export function itemLeft(item: Pick<OrderItem, 'price' | 'freight' | 'refunded' | 'parts'>): Minor {
  let left = itemRefundable(item);
  for (const amount of itemGot(item).values()) left -= amount;
  return left;
}

interface BackgroundRow {
  order_id: string;
  platform_id: string;
  order_no: string;
  buyer: string;
  bound: number;
  items: string;
  completed_ms: string | null;
  due_ms: string | null;
}

interface StoredItem extends Omit<OrderItem, 'price' | 'freight' | 'refunded' | 'parts'> {
  readonly price: string;
  readonly freight: string;
  readonly refunded: string;
  readonly parts: readonly { readonly by: Id; readonly shares: Readonly<Record<string, string>> }[];
}

function itemOf(item: StoredItem): OrderItem {
  const parts = item.parts.map(({ by, shares }) => ({ by, shares: withValues(shares, BigInt) }));
  return { ...item, price: BigInt(item.price), freight: BigInt(item.freight), refunded: BigInt(item.refunded), parts };
}

function storedItem(item: OrderItem): StoredItem {
  const parts = item.parts.map(({ by, shares }) => ({ by, shares: withValues(shares, String) }));
  return { ...item, price: String(item.price), freight: String(item.freight), refunded: String(item.refunded), parts };
}

function withValues<From, To>(of: Readonly<Record<string, From>>, to: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(of).map(([key, value]) => [key, to(value)]));
}

function backgroundOf(row: BackgroundRow): OrderBackground {
  return {
    orderId: asId(row.order_id),
    platformId: asId(row.platform_id),
    orderNo: row.order_no,
    buyer: row.buyer,
    bound: Number(row.bound) === 1,
    items: (JSON.parse(row.items) as StoredItem[]).map(itemOf),
    completedMs: row.completed_ms === null ? null : (Number(row.completed_ms) as Instant),
    dueMs: row.due_ms === null ? null : (Number(row.due_ms) as Instant),
  };
}

/** By the order's account. */
export const backgroundRecords: RecordType<OrderBackground> = {
  name: 'order-background',
  accountsOf: ({ items }) => items.map((item) => item.seller),
  async load(tx, keys) {
    const rows = await tx.rows<BackgroundRow>(`SELECT * FROM order_backgrounds WHERE order_id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.order_id, backgroundOf(row)]));
  },
  saving(backgrounds) {
    const rows = backgrounds.map(
      (b) =>
        `${b.orderId},${b.platformId},${sql.text(b.orderNo)},${sql.text(b.buyer)},${b.bound ? 1 : 0},${sql.text(JSON.stringify(b.items.map(storedItem)))},` +
        `${b.completedMs ?? 'NULL'},${b.completedMs === null ? (b.dueMs ?? 'NULL') : 'NULL'}`,
    );
    return `INSERT INTO order_backgrounds (order_id, platform_id, order_no, buyer, bound, items, completed_ms, due_ms)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE items = VALUES(items), completed_ms = VALUES(completed_ms), due_ms = VALUES(due_ms)`;
  },
};

export async function findBackground(tx: Tx, orderId: Id): Promise<OrderBackground | undefined> {
  return (await backgroundRecords.load(tx, [orderId])).get(orderId);
}

/** Orders whose time to complete by themselves has come, for the sweep. */
export async function ordersDue(tx: Tx, nowMs: Instant, limit: number): Promise<OrderBackground[]> {
  const rows = await tx.rows<BackgroundRow>('SELECT * FROM order_backgrounds WHERE due_ms <= ? ORDER BY due_ms LIMIT ?', [
    nowMs,
    limit,
  ]);
  return rows.map(backgroundOf);
}

/** What was paid for the goods of a seller on a date and in its month. Minor units. */
export interface SellerTurnover {
  readonly accountId: Id;
  readonly platformId: Id;
  readonly on: BusinessDate;
  readonly day: Minor;
  readonly month: Minor;
}

/** By the seller's account. */
export const turnoverRecords: RecordType<SellerTurnover> = {
  name: 'seller-turnover',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{
      account_id: string;
      platform_id: string;
      on_date: BusinessDate;
      day_amount: string;
      month_amount: string;
    }>(`SELECT * FROM seller_turnovers WHERE account_id IN (${keys.join()})`);
    return new Map(
      rows.map((row) => [
        row.account_id,
        {
          accountId: asId(row.account_id),
          platformId: asId(row.platform_id),
          on: row.on_date,
          day: BigInt(row.day_amount),
          month: BigInt(row.month_amount),
        },
      ]),
    );
  },
  saving(turnovers) {
    const rows = turnovers.map((t) => `${t.accountId},${t.platformId},'${t.on}',${t.day},${t.month}`);
    return `INSERT INTO seller_turnovers (account_id, platform_id, on_date, day_amount, month_amount) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE on_date = VALUES(on_date), day_amount = VALUES(day_amount), month_amount = VALUES(month_amount)`;
  },
};

/** The same turnover seen from a later date: what belonged to another day or month is gone. */
export function turnoverOn(turnover: SellerTurnover, date: BusinessDate): SellerTurnover {
  if (turnover.on >= date) return turnover;
  const month = turnover.on.slice(0, 7) === date.slice(0, 7) ? turnover.month : 0n;
  return { ...turnover, on: date, day: 0n, month };
}
