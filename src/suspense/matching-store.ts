import { asId, type Id, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';

/** Only accounts of members can own what lies on suspense. */
const MEMBERS = "('sub', 'class-2', 'class-3')";
const MATCHES_MAX = 50; // of one reason: more speak for nobody

/** Of a platform: open member accounts among these. */
export async function membersAmong(tx: Tx, platformId: Id, ids: readonly Id[]): Promise<Id[]> {
  if (ids.length === 0) return [];
  const rows = await tx.rows<{ id: string }>(
    `SELECT id FROM accounts WHERE platform_id = ? AND id IN (${ids.join()}) AND type IN ${MEMBERS} AND state <> 'closed' ORDER BY id`,
    [platformId],
  );
  return rows.map((row) => asId(row.id));
}

/** Member accounts whose settlement account or card has this number, or this holder: by blind index. */
export async function membersBoundTo(tx: Tx, platformId: Id, by: 'account_index' | 'holder_index', index: Buffer): Promise<Id[]> {
  const rows = await tx.rows<{ id: string }>(
    `SELECT a.id FROM settlement_accounts AS s JOIN accounts AS a ON a.id = s.account_id
     WHERE s.${by} = ? AND a.platform_id = ? AND a.type IN ${MEMBERS} AND a.state <> 'closed' ORDER BY a.id LIMIT ?`,
    [index, platformId, MATCHES_MAX],
  );
  return rows.map((row) => asId(row.id));
}

export async function membersOfVirtualNumbers(tx: Tx, platformId: Id, numbers: readonly string[]): Promise<Id[]> {
  if (numbers.length === 0) return [];
  const list = numbers.map(sql.text).join();
  const rows = await tx.rows<{ id: string }>(
    `SELECT a.id FROM accounts AS a JOIN (SELECT account_id FROM sub_merchants WHERE virtual_no IN (${list})
       UNION SELECT account_id FROM electronic_accounts WHERE virtual_no IN (${list})) AS v ON v.account_id = a.id
     WHERE a.platform_id = ? AND a.state <> 'closed' ORDER BY a.id`,
    [platformId],
  );
  return rows.map((row) => asId(row.id));
}

export interface NamedOrder {
  readonly orderNo: string;
  readonly paid: Minor;
  readonly receivers: readonly Id[];
}

/** The platform's orders under these numbers, and who got a share of them. */
export async function ordersNamed(tx: Tx, platformId: Id, numbers: readonly string[]): Promise<NamedOrder[]> {
  if (numbers.length === 0) return [];
  const rows = await tx.rows<{ order_no: string; paid: string; receiver_id: string }>(
    `SELECT o.order_no, o.paid, s.receiver_id FROM orders AS o JOIN order_shares AS s ON s.order_id = o.account_id
     WHERE o.platform_id = ? AND o.order_no IN (${numbers.map(sql.text).join()}) ORDER BY o.order_no, s.receiver_id`,
    [platformId],
  );
  const orders = new Map<string, { orderNo: string; paid: Minor; receivers: Id[] }>();
  for (const row of rows) {
    const order = orders.get(row.order_no) ?? { orderNo: row.order_no, paid: BigInt(row.paid), receivers: [] };
    order.receivers.push(asId(row.receiver_id));
    orders.set(row.order_no, order);
  }
  return [...orders.values()];
}
