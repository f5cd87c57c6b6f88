import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/**
 * An order that was paid for. Its money is the balance of its account, and always paid + subsidised − subsidyReturned − split + returned
 * − refunded. What the platform added of its own is no money of the buyer's: he gets back at most what he paid.
 */
export interface Order {
  readonly accountId: Id;
  readonly platformId: Id;
  readonly orderNo: string;
  readonly payer: Payer;
  /** The electronic account of the same book that paid; null: it was paid from outside. */
  readonly payerAccountId: Id | null;
  readonly paid: Minor;
  readonly split: Minor;
  readonly returned: Minor;
  readonly refunded: Minor;
  /** What the platform added from its marketing account, and what of that went back there. */
  readonly subsidised: Minor;
  readonly subsidyReturned: Minor;
  readonly openedMs: Instant;
  /** The last date on which money that is on it can have come in to the bank. */
  readonly paidOn: BusinessDate;
}

/** Who paid, and the account a refund goes to. An empty account number: nothing can be refunded to. */
export interface Payer {
  readonly name: string;
  readonly account: string;
  /** 12-digit bank code; empty for the custodian itself. */
  readonly bankCode: string;
}

/** What one receiver got out of one order, and what of it went back. */
export interface OrderShare {
  readonly orderId: Id;
  readonly receiverId: Id;
  readonly split: Minor;
  readonly returned: Minor;
}

/** Money of an account that is reserved for a purpose. Ended when captured + released = amount. */
export interface Hold {
  readonly id: Id;
  readonly platformId: Id;
  readonly accountId: Id;
  readonly amount: Minor;
  readonly captured: Minor;
  readonly released: Minor;
  readonly purpose: string;
  readonly expiresMs: Instant | null;
  readonly createdMs: Instant;
}

interface OrderRow {
  account_id: string;
  platform_id: string;
  order_no: string;
  payer_name: string;
  payer_account: string;
  payer_bank: string;
  payer_account_id: string | null;
  paid: string;
  split: string;
  returned: string;
  refunded: string;
  subsidised: string;
  subsidy_returned: string;
  opened_ms: string;
  paid_on: BusinessDate;
}

function orderOf(row: OrderRow): Order {
  return {
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    orderNo: row.order_no,
    payer: { name: row.payer_name, account: row.payer_account, bankCode: row.payer_bank },
    payerAccountId: row.payer_account_id === null ? null : asId(row.payer_account_id),
    paid: BigInt(row.paid),
    split: BigInt(row.split),
    returned: BigInt(row.returned),
    refunded: BigInt(row.refunded),
    subsidised: BigInt(row.subsidised),
    subsidyReturned: BigInt(row.subsidy_returned),
    openedMs: Number(row.opened_ms) as Instant,
    paidOn: row.paid_on,
  };
}

export function orderKey(platformId: Id, orderNo: string): string {
  return `${platformId}/${orderNo}`;
}

export const orderRecords: RecordType<Order> = {
  name: 'order',
  accountsOf: (order) => (order.payerAccountId === null ? [order.accountId] : [order.accountId, order.payerAccountId]),
  async load(tx, keys) {
    const pairs = keys.map((key) => `${key.slice(0, 19)},${sql.text(key.slice(20))}`);
    const rows = await tx.rows<OrderRow>(`SELECT * FROM orders WHERE (platform_id, order_no) IN (${sql.tuples(pairs)})`);
    return new Map(rows.map((row) => [orderKey(asId(row.platform_id), row.order_no), orderOf(row)]));
  },
  saving(orders) {
    const rows = orders.map(
      (o) =>
        `${o.accountId},${o.platformId},${sql.text(o.orderNo)},${sql.text(o.payer.name)},${sql.text(o.payer.account)},` +
        `${sql.text(o.payer.bankCode)},${o.payerAccountId ?? 'NULL'},${o.paid},${o.split},${o.returned},${o.refunded},${o.openedMs},'${o.paidOn}',` +
        `${o.subsidised},${o.subsidyReturned}`,
    );
    return `INSERT INTO orders (account_id, platform_id, order_no, payer_name, payer_account, payer_bank, payer_account_id, paid, split, returned, refunded, opened_ms, paid_on,
         subsidised, subsidy_returned)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE paid = VALUES(paid), split = VALUES(split), returned = VALUES(returned), refunded = VALUES(refunded),
         paid_on = VALUES(paid_on), subsidised = VALUES(subsidised), subsidy_returned = VALUES(subsidy_returned)`;
  },
};

export function shareKey(orderId: Id, receiverId: Id): string {
  return `${orderId}/${receiverId}`;
}

export const shareRecords: RecordType<OrderShare> = {
  name: 'order-share',
  accountsOf: (share) => [share.receiverId],
  async load(tx, keys) {
    const pairs = keys.map((key) => key.replace('/', ','));
    const rows = await tx.rows<{ order_id: string; receiver_id: string; split: string; returned: string }>(
      `SELECT order_id, receiver_id, split, returned FROM order_shares WHERE (order_id, receiver_id) IN (${sql.tuples(pairs)})`,
    );
    return new Map(
      rows.map((row) => {
        const share = {
          orderId: asId(row.order_id),
          receiverId: asId(row.receiver_id),
          split: BigInt(row.split),
          returned: BigInt(row.returned),
        };
        return [shareKey(share.orderId, share.receiverId), share];
      }),
    );
  },
  saving(shares) {
    const rows = shares.map((share) => `${share.orderId},${share.receiverId},${share.split},${share.returned}`);
    return `INSERT INTO order_shares (order_id, receiver_id, split, returned) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE split = VALUES(split), returned = VALUES(returned)`;
  },
};

interface HoldRow {
  id: string;
  platform_id: string;
  account_id: string;
  amount: string;
  captured: string;
  released: string;
  purpose: string;
  expires_ms: string | null;
  created_ms: string;
}

function holdOf(row: HoldRow): Hold {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    amount: BigInt(row.amount),
    captured: BigInt(row.captured),
    released: BigInt(row.released),
    purpose: row.purpose,
    expiresMs: row.expires_ms === null ? null : (Number(row.expires_ms) as Instant),
    createdMs: Number(row.created_ms) as Instant,
  };
}

export const holdRecords: RecordType<Hold> = {
  name: 'hold',
  accountsOf: (hold) => [hold.accountId],
  async load(tx, keys) {
    const rows = await tx.rows<HoldRow>(`SELECT * FROM holds WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, holdOf(row)]));
  },
  saving(holds) {
    const rows = holds.map(
      (h) =>
        `${h.id},${h.platformId},${h.accountId},${h.amount},${h.captured},${h.released},${sql.text(h.purpose)},` +
        `${h.expiresMs ?? 'NULL'},${h.createdMs},${holdRemaining(h) > 0n ? (h.expiresMs ?? 'NULL') : 'NULL'}`,
    );
    return `INSERT INTO holds (id, platform_id, account_id, amount, captured, released, purpose, expires_ms, created_ms, due_ms)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE captured = VALUES(captured), released = VALUES(released),
         due_ms = VALUES(due_ms)`;
  },
};

/** What can still be split or refunded. */
export function orderLeft(order: Order): Minor {
  return orderNet(order) - order.split + order.returned;
}

/** What came in for an order, net of what went back: from the buyer, and of the platform's own. */
export function orderNet(order: Pick<Order, 'paid' | 'refunded' | 'subsidised' | 'subsidyReturned'>): Minor {
  return order.paid - order.refunded + subsidyLeft(order);
}

/** What of the platform's own money an order still has the use of. */
export function subsidyLeft({ subsidised, subsidyReturned }: Pick<Order, 'subsidised' | 'subsidyReturned'>): Minor {
  return subsidised - subsidyReturned;
}

/** What is left of a hold. */
export function holdRemaining(hold: Hold): Minor {
  return hold.amount - hold.captured - hold.released;
}

export async function findOrder(tx: Tx, platformId: Id, orderNo: string): Promise<Order | undefined> {
  return (await orderRecords.load(tx, [orderKey(platformId, orderNo)])).values().next().value;
}

/** Orders of a platform in the order they were opened, after `after`. */
export async function listOrders(tx: Tx, platformId: Id, after: Id | undefined, limit: number): Promise<Order[]> {
  const rows = await tx.rows<OrderRow>(
    'SELECT * FROM orders WHERE platform_id = ? AND account_id > ? ORDER BY account_id LIMIT ?',
    [platformId, after ?? '0', limit],
  );
  return rows.map(orderOf);
}

export async function sharesOfOrder(tx: Tx, orderId: Id): Promise<OrderShare[]> {
  const rows = await tx.rows<{ order_id: string; receiver_id: string; split: string; returned: string }>(
    'SELECT * FROM order_shares WHERE order_id = ? ORDER BY receiver_id',
    [orderId],
  );
  return rows.map((row) => ({
    orderId,
    receiverId: asId(row.receiver_id),
    split: BigInt(row.split),
    returned: BigInt(row.returned),
  }));
}

export async function findHold(tx: Tx, id: Id): Promise<Hold | undefined> {
  return (await holdRecords.load(tx, [id])).get(id);
}

/** Holds on an account of this platform, oldest first. */
export async function listHolds(
  tx: Tx,
  of: { platformId: Id; accountId: Id; after?: Id | undefined },
  limit: number,
): Promise<Hold[]> {
  const rows = await tx.rows<HoldRow>(
    'SELECT * FROM holds WHERE account_id = ? AND platform_id = ? AND id > ? ORDER BY id LIMIT ?',
    [of.accountId, of.platformId, of.after ?? '0', limit],
  );
  return rows.map(holdOf);
}

/** Holds past their expiry with something left, for the sweep. */
export async function expiredHolds(tx: Tx, nowMs: Instant, limit: number): Promise<Hold[]> {
  const rows = await tx.rows<HoldRow>('SELECT * FROM holds WHERE due_ms <= ? ORDER BY due_ms LIMIT ?', [nowMs, limit]);
  return rows.map(holdOf);
}
