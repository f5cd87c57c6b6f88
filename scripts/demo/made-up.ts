import { createHash } from 'node:crypto';
import { addDays, type BusinessDate, type Minor, toYuan } from '../../src/kernel/index.js';
import { seeded } from '../bench/figures.js';
import type { Row, Tables } from './orders.js';

const SELLERS = 40;
const ORDERS = 600;
/** Orders of 36 days before, in and after the long holiday around National Day (国庆节, 1 to 8 October 2025). */
const FIRST_DAY = '2025-09-15' as BusinessDate;
const DAYS = 36;
const DELIVERY_DAYS = 9;

/**
 * A marketplace of its own, as the three tables of text that real data would be: deliveries fall into the holiday, some orders
 * are cancelled or under way, some are paid with too much or too little, one is not paid at all and one has no lines.
 */
export function madeUpTables(seed: number): Tables {
  const chance = seeded(seed);
  const below = (end: number) => Math.floor(chance() * end);
  const id = (what: string, number: number) => createHash('md5').update(`${seed}/${what}/${number}`).digest('hex');
  const sellerIds = Array.from({ length: SELLERS }, (_, number) => id('seller', number));
  const tables = { orders: [] as Row[], items: [] as Row[], payments: [] as Row[] };
  for (let number = 0; number < ORDERS; number += 1) {
    const orderId = id('order', number);
    // A few sellers have most of the trade, as everywhere.
    const lines = number === 17 ? [] : makeLines(chance, sellerIds);
    for (const [place, { sellerId, price, freight }] of lines.entries()) {
      const amounts = { price: toYuan(price), freight_value: toYuan(freight) };
      tables.items.push({ order_id: orderId, order_item_id: String(place + 1), seller_id: sellerId, ...amounts });
    }
    const due = lines.reduce((sum, { price, freight }) => sum + price + freight, lines.length === 0 ? 9_900n : 0n);
    for (const part of number === 42 ? [] : payIn(chance, due + paidWrongly(chance))) {
      tables.payments.push({ order_id: orderId, payment_value: toYuan(part) });
    }
    const day = Math.floor((number * DAYS) / ORDERS);
    tables.orders.push({ order_id: orderId, customer_id: id('customer', number), ...makeTimes(chance, day, below) });
  }
  return tables;
}

function makeLines(chance: () => number, sellerIds: readonly string[]) {
  const count = 1 + Math.floor(chance() ** 4 * 4);
  return Array.from({ length: count }, () => ({
    sellerId: sellerIds[Math.floor(chance() ** 2 * sellerIds.length)] as string,
    price: BigInt(500 + Math.floor(chance() ** 3 * 150_000)),
    freight: chance() < 0.3 ? 0n : BigInt(800 + Math.floor(chance() * 3_000)),
  }));
}

/** By how much a payment differs from what was due: now and then a coupon too many or a price that had changed. */
function paidWrongly(chance: () => number): Minor {
  const drawn = chance();
  if (drawn < 0.01) return -BigInt(1 + Math.floor(chance() * 400));
  return drawn < 0.025 ? BigInt(1 + Math.floor(chance() * 400)) : 0n;
}

function payIn(chance: () => number, total: Minor): Minor[] {
  if (chance() > 0.1) return [total];
  const voucher = total / 3n;
  return [voucher, total - voucher];
}

const STATUSES: readonly (readonly [share: number, status: string])[] = [
  [0.03, 'canceled'],
  [0.05, 'unavailable'],
  [0.08, 'shipped'],
  [0.1, 'processing'],
  [1, 'delivered'],
];

function makeTimes(chance: () => number, day: number, below: (end: number) => number): Row {
  const two = (value: number) => String(value).padStart(2, '0');
  const time = (date: BusinessDate) => `${date} ${two(below(24))}:${two(below(60))}:${two(below(60))}`;
  const bought = addDays(FIRST_DAY, day);
  const drawn = chance();
  const status = (STATUSES.find(([share]) => drawn < share) ?? STATUSES[4])?.[1] as string;
  const approved = addDays(bought, 1 + below(2));
  const purchase = time(bought);
  return {
    order_status: status,
    order_purchase_timestamp: purchase,
    order_approved_at: chance() < 0.5 ? time(approved) : '',
    order_delivered_customer_date:
      status === 'delivered' && chance() > 0.01 ? time(addDays(bought, 2 + below(DELIVERY_DAYS))) : '',
    order_estimated_delivery_date: `${addDays(bought, DELIVERY_DAYS)} 00:00:00`,
  };
}
