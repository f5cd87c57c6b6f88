import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';

/**
 * The queue of refunds that not all of the money was there for. Such a refund is received and not decided; it stands outside the inbox
 * until an account that it waits on is credited, and is then tried again, in the order in which refunds came.
 */
export const SHORTAGE_STATES = ['waiting', 'trying', 'cancelled', 'covered', 'refused'] as const;
export type ShortageState = (typeof SHORTAGE_STATES)[number];

export interface Shortage {
  /** The refund. */
  readonly instruction: Id;
  readonly platformId: Id;
  readonly shardId: number;
  readonly orderNo: string;
  /** Of the refund; minor units. */
  readonly amount: Minor;
  /** What was missing when it was last tried. */
  readonly missing: Minor;
  readonly state: ShortageState;
  readonly tries: number;
  readonly createdMs: Instant;
  readonly triedMs: Instant;
  readonly lines: readonly ShortageLine[];
}

/** receiver: gives back; order: gives what is left on it; cover: a credit there may help (a margin, the platform's own funds). */
export type ShortageRole = 'receiver' | 'order' | 'cover';

export interface ShortageLine {
  readonly instruction: Id;
  readonly accountId: Id;
  readonly role: ShortageRole;
  /** What the refund wants of it; of an order: all that is refunded. */
  readonly wanted: Minor;
  readonly missing: Minor;
  readonly open: boolean;
}

export interface ShortageRow {
  instruction_id: string;
  platform_id: string;
  shard_id: number;
  order_no: string;
  amount: string;
  missing: string;
  state: ShortageState;
  tries: number;
  created_ms: string;
  tried_ms: string;
}

interface LineRow {
  instruction_id: string;
  account_id: string;
  role: ShortageRole;
  wanted: string;
  missing: string;
  waiting_on: string | null;
}

function lineOf(row: LineRow): ShortageLine {
  return {
    instruction: asId(row.instruction_id),
    accountId: asId(row.account_id),
    role: row.role,
    wanted: BigInt(row.wanted),
    missing: BigInt(row.missing),
    open: row.waiting_on !== null,
  };
}

export async function withLines(tx: Tx, rows: readonly ShortageRow[]): Promise<Shortage[]> {
  if (rows.length === 0) return [];
  const found = await tx.rows<LineRow>(
    `SELECT * FROM shortage_lines WHERE instruction_id IN (${rows.map((row) => row.instruction_id).join()})
     ORDER BY instruction_id, account_id`,
  );
  const lines = found.map(lineOf);
  return rows.map((row) => ({
    instruction: asId(row.instruction_id),
    platformId: asId(row.platform_id),
    shardId: row.shard_id,
    orderNo: row.order_no,
    amount: BigInt(row.amount),
    missing: BigInt(row.missing),
    state: row.state,
    tries: row.tries,
    createdMs: Number(row.created_ms) as Instant,
    triedMs: Number(row.tried_ms) as Instant,
    lines: lines.filter((line) => line.instruction === row.instruction_id),
  }));
}

/** By the refund's id; undefined where it never waited. */
export const shortageRecords: RecordType<Shortage> = {
  name: 'shortage',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ShortageRow>(`SELECT * FROM shortages WHERE instruction_id IN (${keys.join()})`);
    return new Map((await withLines(tx, rows)).map((shortage) => [shortage.instruction, shortage]));
  },
  saving(shortages) {
    const rows = shortages.map(
      (s) =>
        `${s.instruction},${s.platformId},${s.shardId},${sql.text(s.orderNo)},${s.amount},${s.missing},'${s.state}',${s.tries},` +
        `${s.createdMs},${s.triedMs}`,
    );
    return `INSERT INTO shortages (instruction_id, platform_id, shard_id, order_no, amount, missing, state, tries, created_ms, tried_ms)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE missing = VALUES(missing), state = VALUES(state), tries = VALUES(tries), tried_ms = VALUES(tried_ms)`;
  },
};

export function shortageLineKey(instruction: Id, accountId: Id): string {
  return `${instruction}/${accountId}`;
}

export const shortageLineRecords: RecordType<ShortageLine> = {
  name: 'shortage-line',
  accountsOf: () => [],
  load: async () => new Map(), // they are read with their shortage
  saving(lines) {
    const rows = lines.map(
      (line) =>
        `${line.instruction},${line.accountId},'${line.role}',${line.wanted},${line.missing},${line.open ? line.accountId : 'NULL'}`,
    );
    return `INSERT INTO shortage_lines (instruction_id, account_id, role, wanted, missing, waiting_on) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE role = VALUES(role), wanted = VALUES(wanted), missing = VALUES(missing), waiting_on = VALUES(waiting_on)`;
  },
};

/** The refunds that want money of one account and wait, oldest first. Summed up from the lines, stored nowhere. */
export interface Queue {
  readonly accountId: Id;
  readonly waiting: readonly { readonly instruction: Id; readonly wanted: Minor }[];
}

export const queueRecords: RecordType<Queue> = {
  name: 'shortage-queue',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, Queue>(keys.map((key) => [key, { accountId: asId(key), waiting: [] }]));
    const rows = await tx.rows<LineRow>(
      `SELECT * FROM shortage_lines WHERE waiting_on IN (${keys.join()}) AND role <> 'cover' ORDER BY waiting_on, instruction_id`,
    );
    for (const { accountId, instruction, wanted } of rows.map(lineOf)) {
      const { waiting } = found.get(accountId) as Queue;
      found.set(accountId, { accountId, waiting: [...waiting, { instruction, wanted }] });
    }
    return found;
  },
  sumsUp: {
    type: shortageLineRecords,
    keyOf: (line: ShortageLine) => line.accountId,
    changed: ({ accountId, waiting }: Queue, _before: ShortageLine | undefined, line: ShortageLine) => ({
      accountId,
      waiting: [
        ...waiting.filter((each) => each.instruction !== line.instruction),
        ...(line.open && line.role !== 'cover' ? [{ instruction: line.instruction, wanted: line.wanted }] : []),
      ].sort((a, b) => (a.instruction < b.instruction ? -1 : 1)),
    }),
  },
  saving: () => undefined,
};
