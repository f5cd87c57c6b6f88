import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { type OrderShare, shareRecords } from '../orders/index.js';
import { sql } from '../runtime/index.js';

/** All that receivers got out of one order, by the receiver's id. Summed up from the shares, stored nowhere. */
export interface OrderShares {
  readonly orderId: Id;
  readonly shares: readonly OrderShare[];
}

export const orderSharesRecords: RecordType<OrderShares> = {
  name: 'order-shares',
  accountsOf: ({ shares }) => shares.map((share) => share.receiverId),
  async load(tx, keys) {
    const found = new Map<string, OrderShares>(keys.map((key) => [key, { orderId: asId(key), shares: [] }]));
    const rows = await tx.rows<{ order_id: string; receiver_id: string; split: string; returned: string }>(
      `SELECT order_id, receiver_id, split, returned FROM order_shares WHERE order_id IN (${keys.join()}) ORDER BY order_id, receiver_id`,
    );
    for (const row of rows) {
      const { orderId, shares } = found.get(row.order_id) as OrderShares;
      const share = { orderId, receiverId: asId(row.receiver_id), split: BigInt(row.split), returned: BigInt(row.returned) };
      found.set(row.order_id, { orderId, shares: [...shares, share] });
    }
    return found;
  },
  sumsUp: {
    type: shareRecords,
    keyOf: (share: OrderShare) => share.orderId,
    changed: ({ orderId, shares }: OrderShares, _before: OrderShare | undefined, after: OrderShare) => ({
      orderId,
      shares: [...shares.filter((share) => share.receiverId !== after.receiverId), after].sort((a, b) =>
        a.receiverId < b.receiverId ? -1 : 1,
      ),
    }),
  },
  saving: () => undefined,
};

/** The margin of a sub-merchant, by his sub-account; `marginId` null: he has none. */
export interface Margin {
  readonly accountId: Id;
  readonly platformId: Id | undefined;
  readonly marginId: Id | null;
  /** Minor units that later income fills it up to; 0: it is not filled up. */
  readonly target: Minor;
}

export const marginRecords: RecordType<Margin> = {
  name: 'margin',
  accountsOf: ({ marginId }) => (marginId === null ? [] : [marginId]),
  async load(tx, keys) {
    const found = new Map<string, Margin>(
      keys.map((key) => [key, { accountId: asId(key), platformId: undefined, marginId: null, target: 0n }]),
    );
    const rows = await tx.rows<{ account_id: string; platform_id: string; margin_id: string; target: string }>(
      `SELECT account_id, platform_id, margin_id, target FROM margins WHERE account_id IN (${keys.join()})`,
    );
    for (const row of rows) {
      found.set(row.account_id, {
        accountId: asId(row.account_id),
        platformId: asId(row.platform_id),
        marginId: asId(row.margin_id),
        target: BigInt(row.target),
      });
    }
    return found;
  },
  saving(margins) {
    const rows = margins.map(({ accountId, platformId, marginId, target }) => `${accountId},${platformId},${marginId},${target}`);
    return `INSERT INTO margins (account_id, platform_id, margin_id, target) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE target = VALUES(target)`;
  },
};

/** How far a platform's own funds may stand in for its receivers, and how much of that is out; minor units. */
export interface Advance {
  readonly platformId: Id;
  readonly ceiling: Minor;
  readonly outstanding: Minor;
}

export const advanceRecords: RecordType<Advance> = {
  name: 'advance',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, Advance>(keys.map((key) => [key, { platformId: asId(key), ceiling: 0n, outstanding: 0n }]));
    const rows = await tx.rows<{ platform_id: string; ceiling: string; outstanding: string }>(
      `SELECT platform_id, ceiling, outstanding FROM advances WHERE platform_id IN (${keys.join()})`,
    );
    for (const row of rows) {
      found.set(row.platform_id, {
        platformId: asId(row.platform_id),
        ceiling: BigInt(row.ceiling),
        outstanding: BigInt(row.outstanding),
      });
    }
    return found;
  },
  saving(advances) {
    const rows = advances.map(({ platformId, ceiling, outstanding }) => `${platformId},${ceiling},${outstanding}`);
    return `INSERT INTO advances (platform_id, ceiling, outstanding) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE outstanding = VALUES(outstanding)`;
  },
};

/** What a receiver owes his platform since it advanced a refund for him. */
export interface Receivable {
  /** The refund that was advanced. */
  readonly instruction: Id;
  /** Who owes. */
  readonly accountId: Id;
  readonly platformId: Id;
  readonly orderNo: string;
  readonly amount: Minor;
  readonly recovered: Minor;
  readonly createdMs: Instant;
}

export interface ReceivableRow {
  instruction_id: string;
  account_id: string;
  platform_id: string;
  order_no: string;
  amount: string;
  recovered: string;
  created_ms: string;
}

export function receivableOf(row: ReceivableRow): Receivable {
  return {
    instruction: asId(row.instruction_id),
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    orderNo: row.order_no,
    amount: BigInt(row.amount),
    recovered: BigInt(row.recovered),
    createdMs: Number(row.created_ms) as Instant,
  };
}

export function receivableKey(instruction: Id, accountId: Id): string {
  return `${instruction}/${accountId}`;
}

export function owedOf({ amount, recovered }: Pick<Receivable, 'amount' | 'recovered'>): Minor {
  return amount - recovered;
}

export const receivableRecords: RecordType<Receivable> = {
  name: 'receivable',
  accountsOf: () => [],
  async load(tx, keys) {
    const pairs = keys.map((key) => key.replace('/', ','));
    const rows = await tx.rows<ReceivableRow>(
      `SELECT * FROM receivables WHERE (instruction_id, account_id) IN (${sql.tuples(pairs)})`,
    );
    return new Map(
      rows.map(receivableOf).map((receivable) => [receivableKey(receivable.instruction, receivable.accountId), receivable]),
    );
  },
  saving(receivables) {
    const rows = receivables.map(
      (r) =>
        `${r.instruction},${r.accountId},${r.platformId},${sql.text(r.orderNo)},${r.amount},${r.recovered},${r.createdMs},` +
        `${owedOf(r) > 0n ? r.accountId : 'NULL'}`,
    );
    return `INSERT INTO receivables (instruction_id, account_id, platform_id, order_no, amount, recovered, created_ms, open_of)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE recovered = VALUES(recovered), open_of = VALUES(open_of)`;
  },
};

/** All that one account still owes, oldest first. Summed up from the receivables, stored nowhere. */
export interface Debt {
  readonly accountId: Id;
  readonly open: readonly Receivable[];
}

export const debtRecords: RecordType<Debt> = {
  name: 'debt',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, Debt>(keys.map((key) => [key, { accountId: asId(key), open: [] }]));
    const rows = await tx.rows<ReceivableRow>(
      `SELECT * FROM receivables WHERE open_of IN (${keys.join()}) ORDER BY open_of, instruction_id`,
    );
    for (const receivable of rows.map(receivableOf)) {
      const { accountId, open } = found.get(receivable.accountId) as Debt;
      found.set(accountId, { accountId, open: [...open, receivable] });
    }
    return found;
  },
  sumsUp: {
    type: receivableRecords,
    keyOf: (receivable: Receivable) => receivable.accountId,
    changed: ({ accountId, open }: Debt, _before: Receivable | undefined, after: Receivable) => ({
      accountId,
      open: [...open.filter((each) => each.instruction !== after.instruction), ...(owedOf(after) > 0n ? [after] : [])].sort(
        (a, b) => (a.instruction < b.instruction ? -1 : 1),
      ),
    }),
  },
  saving: () => undefined,
};

/** Part of an income that its receiver did not get: it paid what he owed, or went to his margin. */
export interface Diversion {
  readonly accountId: Id;
  readonly purpose: 'debt' | 'margin';
  /** The refund that was advanced, or the margin account. */
  readonly target: Id;
  readonly amount: Minor;
}

/** All that was diverted of what one instruction brought in. */
export interface Diversions {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly parts: readonly Diversion[];
  readonly undoneBy: Id | null;
}

interface DiversionRow {
  instruction_id: string;
  account_id: string;
  purpose: Diversion['purpose'];
  target_id: string;
  platform_id: string;
  amount: string;
  undone_by: string | null;
}

export const diversionRecords: RecordType<Diversions> = {
  name: 'diversions',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<DiversionRow>(
      `SELECT * FROM diversions WHERE instruction_id IN (${keys.join()}) ORDER BY instruction_id, account_id, target_id`,
    );
    const found = new Map<string, Diversions>();
    for (const row of rows) {
      const { purpose } = row;
      const part = { accountId: asId(row.account_id), purpose, target: asId(row.target_id), amount: BigInt(row.amount) };
      found.set(row.instruction_id, {
        instruction: asId(row.instruction_id),
        platformId: asId(row.platform_id),
        parts: [...(found.get(row.instruction_id)?.parts ?? []), part],
        undoneBy: row.undone_by === null ? null : asId(row.undone_by),
      });
    }
    return found;
  },
  saving(diversions) {
    const rows = diversions.flatMap(({ instruction, platformId, parts, undoneBy }) =>
      parts.map(
        ({ accountId, purpose, target, amount }) =>
          `${instruction},${accountId},'${purpose}',${target},${platformId},${amount},${undoneBy ?? 'NULL'}`,
      ),
    );
    return `INSERT INTO diversions (instruction_id, account_id, purpose, target_id, platform_id, amount, undone_by)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE undone_by = VALUES(undone_by)`;
  },
};
