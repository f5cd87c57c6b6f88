import type { BusinessDate, Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { Range } from './flows-store.js';

/** `due`: its totals are to be made (again), which begins with taking the old ones away; `running`: they are being made; `done`. */
export type WatchedState = 'due' | 'running' | 'done';

export interface WatchedDay {
  readonly date: BusinessDate;
  readonly state: WatchedState;
  readonly pass: number;
  /** SHA-256 over the totals of all customers, hexadecimal: the same however often the day is read. */
  readonly digest: string | null;
}

interface DayRow {
  on_date: BusinessDate;
  state: WatchedState;
  pass: number;
  digest: Buffer | null;
}

const DAY = 'SELECT on_date, state, pass, digest FROM supervision_days';

const dayOf = (row: DayRow): WatchedDay => ({
  date: row.on_date,
  state: row.state,
  pass: row.pass,
  digest: row.digest?.toString('hex') ?? null,
});

export async function watchedDay(tx: Tx, date: BusinessDate): Promise<WatchedDay | undefined> {
  const [row] = await tx.rows<DayRow>(`${DAY} WHERE on_date = ?`, [date]);
  return row && dayOf(row);
}

/** The oldest day that is not done, and the newest of all. */
export async function edgesOfDays(tx: Tx): Promise<{ undone: BusinessDate | undefined; newest: BusinessDate | undefined }> {
  const [undone] = await tx.rows<{ on_date: BusinessDate | null }>(
    "SELECT MIN(on_date) AS on_date FROM supervision_days WHERE state <> 'done'",
  );
  const [newest] = await tx.rows<{ on_date: BusinessDate | null }>('SELECT MAX(on_date) AS on_date FROM supervision_days');
  return { undone: undone?.on_date ?? undefined, newest: newest?.on_date ?? undefined };
}

/** Asks for a day once more; one that is under way is not asked for again. */
export async function askDay(tx: Tx, date: BusinessDate, nowMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO supervision_days (on_date, state, pass, digest, changed_ms) VALUES (?, 'due', 0, NULL, ?)
     ON DUPLICATE KEY UPDATE state = IF(state = 'done', 'due', state), changed_ms = VALUES(changed_ms)`,
    [date, nowMs],
  );
}

/** Takes the row of a day for this transaction, if it is in a state. */
export async function takeDay(tx: Tx, date: BusinessDate, state: WatchedState): Promise<boolean> {
  return (
    (await tx.write('UPDATE supervision_days SET changed_ms = changed_ms + 1 WHERE on_date = ? AND state = ?', [date, state])) ===
    1
  );
}

/** Its old totals are gone: from now on they are made, of what each shard decided in it. Call it with the day taken. */
export async function beginPass(tx: Tx, date: BusinessDate, ranges: ReadonlyMap<number, Range>): Promise<void> {
  for (const [shard, { afterSeq, toSeq }] of ranges)
    await tx.write(
      `INSERT INTO supervision_cursors (on_date, shard_id, after_seq, to_seq) VALUES (?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE after_seq = VALUES(after_seq), to_seq = VALUES(to_seq)`,
      [date, shard, String(afterSeq), String(toSeq)],
    );
  await tx.write("UPDATE supervision_days SET state = 'running', pass = pass + 1 WHERE on_date = ?", [date]);
}

export async function rangesOf(tx: Tx, date: BusinessDate): Promise<Map<number, Range>> {
  const rows = await tx.rows<{ shard_id: number; after_seq: string; to_seq: string }>(
    'SELECT shard_id, after_seq, to_seq FROM supervision_cursors WHERE on_date = ? ORDER BY shard_id',
    [date],
  );
  return new Map(rows.map((row) => [row.shard_id, { afterSeq: BigInt(row.after_seq), toSeq: BigInt(row.to_seq) }]));
}

/** Moves a cursor on; false where another worker moved it meanwhile, whose page it then was. */
export async function moveCursor(tx: Tx, date: BusinessDate, shardId: number, from: bigint, to: bigint): Promise<boolean> {
  const moved = await tx.write(
    'UPDATE supervision_cursors SET after_seq = ? WHERE on_date = ? AND shard_id = ? AND after_seq = ?',
    [String(to), date, shardId, String(from)],
  );
  return moved === 1;
}

export async function endPass(tx: Tx, date: BusinessDate, digest: Buffer): Promise<void> {
  await tx.write("UPDATE supervision_days SET state = 'done', digest = ? WHERE on_date = ? AND state = 'running'", [
    digest,
    date,
  ]);
}
