import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { type Instant, type Minor, parseInstant, parseYuan } from '../../src/kernel/index.js';

/** Orders of a marketplace as three tables of text, in the format of the public Olist data set. */
export interface Tables {
  readonly orders: readonly Row[];
  readonly items: readonly Row[];
  readonly payments: readonly Row[];
}
export type Row = Readonly<Record<string, string>>;

export interface OrderLine {
  readonly sellerId: string;
  /** Fen, as everywhere here. */
  readonly price: Minor;
  readonly freight: Minor;
}

export interface MarketOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: string;
  readonly purchasedAt: Instant;
  readonly approvedAt: Instant | undefined;
  readonly deliveredAt: Instant | undefined;
  readonly estimatedAt: Instant;
  readonly lines: readonly OrderLine[];
  /** What the payment rows add up to. */
  readonly paid: Minor;
}

export interface Marketplace {
  readonly orders: readonly MarketOrder[];
  /** Everybody who sells anything, sorted. */
  readonly sellerIds: readonly string[];
}

/** The data is not what it should be; the message is a sentence for the person at the keyboard. */
export class DataFaulty extends Error {}

const COLUMNS = {
  orders: [
    'order_id',
    'customer_id',
    'order_status',
    'order_purchase_timestamp',
    'order_approved_at',
    'order_delivered_customer_date',
    'order_estimated_delivery_date',
  ],
  items: ['order_id', 'seller_id', 'price', 'freight_value'],
  payments: ['order_id', 'payment_value'],
} as const;
const FILES = { orders: 'orders.csv', items: 'order_items.csv', payments: 'order_payments.csv' } as const;
// `refund-` and the number are a request number of at most 64 characters.
const ORDER_ID = /^[A-Za-z0-9_.:-]{1,57}$/;
const NUMBER = /^[A-Za-z0-9_.:-]{1,64}$/;

/** @throws DataFaulty when a file is missing, is no CSV or lacks a column */
export function readTables(folder: string): Tables {
  const read = (table: keyof typeof FILES) => readTable(join(folder, FILES[table]), COLUMNS[table]);
  return { orders: read('orders'), items: read('items'), payments: read('payments') };
}

/** @throws DataFaulty when the file is missing, is no CSV or lacks a column */
export function readTable(path: string, columns: readonly string[]): Row[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new DataFaulty(`${path} cannot be read (${(error as { code?: string }).code}).`);
  }
  return parseTable(path, text, columns);
}

function parseTable(path: string, text: string, columns: readonly string[]): Row[] {
  let found: readonly string[] = [];
  const header = (names: string[]) => {
    found = names;
    return names;
  };
  let rows: Row[];
  try {
    rows = parse<Row>(text, { columns: header, bom: true, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new DataFaulty(`${path} is not well-formed CSV: ${(error as Error).message}.`);
  }
  const missing = columns.filter((column) => !found.includes(column));
  if (missing.length > 0) throw new DataFaulty(`${path} lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`);
  return rows;
}

/**
 * Puts the three tables together. Timestamps are taken as Shanghai time, amounts as decimals of at most two places.
 * @throws DataFaulty naming the table and the row
 */
export function joinTables(tables: Tables): Marketplace {
  const lines = new Map<string, OrderLine[]>();
  const paid = new Map<string, Minor>();
  const sellers = new Set<string>();
  for (const [place, row] of tables.items.entries()) {
    const at = { table: 'items', place } as const;
    const sellerId = field(row, 'seller_id', NUMBER, at);
    sellers.add(sellerId);
    const line = { sellerId, price: amount(row, 'price', at), freight: amount(row, 'freight_value', at) };
    const orderId = field(row, 'order_id', ORDER_ID, at);
    const before = lines.get(orderId);
    if (before === undefined) lines.set(orderId, [line]);
    else before.push(line);
  }
  for (const [place, row] of tables.payments.entries()) {
    const at = { table: 'payments', place } as const;
    const orderId = field(row, 'order_id', ORDER_ID, at);
    paid.set(orderId, (paid.get(orderId) ?? 0n) + amount(row, 'payment_value', at));
  }
  const seen = new Set<string>();
  const orders = tables.orders.map((row, place): MarketOrder => {
    const at = { table: 'orders', place } as const;
    const orderId = field(row, 'order_id', ORDER_ID, at);
    if (seen.has(orderId)) throw faulty(at, `the order ${orderId} stands there twice`);
    seen.add(orderId);
    return { orderId, ...parseOrder(row, at), lines: lines.get(orderId) ?? [], paid: paid.get(orderId) ?? 0n };
  });
  return { orders, sellerIds: [...sellers].sort() };
}

interface Place {
  readonly table: keyof typeof FILES;
  /** From 0, without the header. */
  readonly place: number;
}

function parseOrder(row: Row, at: Place) {
  const instant = (name: string): Instant | undefined => {
    const text = row[name] ?? '';
    if (text === '') return undefined;
    const parsed = parseInstant(`${text.replace(' ', 'T')}+08:00`);
    if (parsed === undefined) throw faulty(at, `${name} is "${text}", not a time like 2017-05-23 14:05:00`);
    return parsed;
  };
  const required = (name: string): Instant => {
    const parsed = instant(name);
    if (parsed === undefined) throw faulty(at, `${name} is empty`);
    return parsed;
  };
  return {
    customerId: field(row, 'customer_id', NUMBER, at),
    status: row.order_status ?? '',
    purchasedAt: required('order_purchase_timestamp'),
    approvedAt: instant('order_approved_at'),
    deliveredAt: instant('order_delivered_customer_date'),
    estimatedAt: required('order_estimated_delivery_date'),
  };
}

function field(row: Row, name: string, pattern: RegExp, at: Place): string {
  const text = row[name] ?? '';
  if (!pattern.test(text)) throw faulty(at, `${name} is "${text}", not a number that the service takes`);
  return text;
}

function amount(row: Row, name: string, at: Place): Minor {
  const text = row[name] ?? '';
  if (!/^\d{1,12}(\.\d{1,2})?$/.test(text)) throw faulty(at, `${name} is "${text}", not an amount like 129.90`);
  return parseYuan(text);
}

function faulty({ table, place }: Place, why: string): DataFaulty {
  return new DataFaulty(`${FILES[table]}, row ${place + 1} below the header: ${why}.`);
}
