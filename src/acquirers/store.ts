import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { AcquirerLine } from './rules.js';
import type { AcquirerFileState } from './states.js';

/** Who acquires for platforms, and the account from which its money comes, sealed: buyers' refunds go back there. */
export interface Acquirer {
  readonly code: string;
  readonly name: string;
  readonly accountSealed: string;
  readonly bankCode: string;
}

export async function findAcquirer(tx: Tx, code: string): Promise<Acquirer | undefined> {
  const [row] = await tx.rows<{ code: string; name: string; account_sealed: string; bank_code: string }>(
    'SELECT code, name, account_sealed, bank_code FROM acquirers WHERE code = ?',
    [code],
  );
  return row && { code: row.code, name: row.name, accountSealed: row.account_sealed, bankCode: row.bank_code };
}

export async function listAcquirers(tx: Tx): Promise<Acquirer[]> {
  const rows = await tx.rows<{ code: string; name: string; account_sealed: string; bank_code: string }>(
    'SELECT code, name, account_sealed, bank_code FROM acquirers ORDER BY code',
  );
  return rows.map((row) => ({ code: row.code, name: row.name, accountSealed: row.account_sealed, bankCode: row.bank_code }));
}

export async function saveAcquirer(tx: Tx, { code, name, accountSealed, bankCode }: Acquirer): Promise<void> {
  await tx.write(
    `INSERT INTO acquirers (code, name, account_sealed, bank_code) VALUES (?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE name = VALUES(name), account_sealed = VALUES(account_sealed), bank_code = VALUES(bank_code)`,
    [code, name, accountSealed, bankCode],
  );
}

export interface StoredFile {
  readonly id: Id;
  readonly platformId: Id;
  readonly acquirer: string;
  readonly fileNo: string;
  /** Of the trades; null of a file that was taken before this was kept. */
  readonly date: BusinessDate | null;
  readonly reference: string;
  readonly total: Minor;
  readonly fee: Minor;
  readonly contentHash: Buffer;
  readonly state: AcquirerFileState;
  readonly uploadedBy: Id;
  readonly uploadedMs: Instant;
  readonly decidedBy: Id | null;
  readonly feeInstruction: Id | null;
  /** How often what the books refused was instructed anew. */
  readonly retries: number;
}

interface FileRow {
  id: string;
  platform_id: string;
  acquirer: string;
  file_no: string;
  business_date: BusinessDate | null;
  reference: string;
  total: string;
  fee: string;
  content_hash: Buffer;
  state: AcquirerFileState;
  uploaded_by: string;
  uploaded_ms: string;
  decided_by: string | null;
  fee_instruction: string | null;
  retries: number;
}

function fileOf(row: FileRow): StoredFile {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    acquirer: row.acquirer,
    fileNo: row.file_no,
    date: row.business_date,
    reference: row.reference,
    total: BigInt(row.total),
    fee: BigInt(row.fee),
    contentHash: row.content_hash,
    state: row.state,
    uploadedBy: asId(row.uploaded_by),
    uploadedMs: Number(row.uploaded_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    feeInstruction: row.fee_instruction === null ? null : asId(row.fee_instruction),
    retries: row.retries,
  };
}

export async function findFile(tx: Tx, id: Id): Promise<StoredFile | undefined> {
  const [row] = await tx.rows<FileRow>('SELECT * FROM acquirer_files WHERE id = ?', [id]);
  return row && fileOf(row);
}

export async function findFileByNo(tx: Tx, acquirer: string, fileNo: string): Promise<StoredFile | undefined> {
  const [row] = await tx.rows<FileRow>('SELECT * FROM acquirer_files WHERE acquirer = ? AND file_no = ?', [acquirer, fileNo]);
  return row && fileOf(row);
}

/** Which files are wanted. */
export interface FileFilter {
  readonly platformId?: Id | undefined;
  readonly acquirer?: string | undefined;
  readonly state?: AcquirerFileState | undefined;
  readonly date?: BusinessDate | undefined;
  readonly before?: Id | undefined;
}

/** Files, the latest first. */
export async function listFiles(tx: Tx, of: FileFilter, limit: number): Promise<StoredFile[]> {
  const wanted = [
    ['id < ?', of.before],
    ['platform_id = ?', of.platformId],
    ['acquirer = ?', of.acquirer],
    ['state = ?', of.state],
    ['business_date = ?', of.date],
  ] as const;
  const given = wanted.filter(([, value]) => value !== undefined);
  const where = given.length === 0 ? '' : `WHERE ${given.map(([condition]) => condition).join(' AND ')}`;
  const values = [...given.map(([, value]) => value), limit];
  return (await tx.rows<FileRow>(`SELECT * FROM acquirer_files ${where} ORDER BY id DESC LIMIT ?`, values)).map(fileOf);
}

/** @throws a duplicate-key error when its number, or a trade of it, came meanwhile */
export async function insertFile(
  tx: Tx,
  of: Omit<StoredFile, 'state' | 'decidedBy' | 'feeInstruction' | 'retries'>,
  lines: readonly AcquirerLine[],
): Promise<void> {
  await tx.write(
    `INSERT INTO acquirer_files (id, platform_id, acquirer, file_no, business_date, reference, total, fee, content_hash, state, uploaded_by, uploaded_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'checked', ?, ?)`,
    [
      of.id,
      of.platformId,
      of.acquirer,
      of.fileNo,
      of.date,
      of.reference,
      String(of.total),
      String(of.fee),
      of.contentHash,
      of.uploadedBy,
      of.uploadedMs,
    ],
  );
  const rows = lines.map(
    (line) =>
      `${of.id},${line.lineNo},${sql.text(of.acquirer)},${sql.text(line.tradeNo)},${sql.text(line.orderNo)},${line.amount},1,NULL`,
  );
  await tx.write(
    `INSERT INTO acquirer_trades (file_id, line_no, acquirer, trade_no, order_no, amount, counts, instruction_id) VALUES ${sql.tuples(rows)}`,
  );
}

/** Which of these trades stand in a file that was not rejected. */
export async function tradesTaken(tx: Tx, acquirer: string, tradeNos: readonly string[]): Promise<Set<string>> {
  const rows = await tx.rows<{ trade_no: string }>(
    `SELECT trade_no FROM acquirer_trades WHERE acquirer = ? AND counts = 1 AND trade_no IN (${tradeNos.map(sql.text).join()})`,
    [acquirer],
  );
  return new Set(rows.map((row) => row.trade_no));
}

export interface StoredLine extends AcquirerLine {
  readonly instructionId: Id | null;
}

export async function linesOf(tx: Tx, fileId: Id): Promise<StoredLine[]> {
  const rows = await tx.rows<{
    line_no: number;
    trade_no: string;
    order_no: string;
    amount: string;
    instruction_id: string | null;
  }>('SELECT line_no, trade_no, order_no, amount, instruction_id FROM acquirer_trades WHERE file_id = ? ORDER BY line_no', [
    fileId,
  ]);
  return rows.map((row) => ({
    lineNo: row.line_no,
    tradeNo: row.trade_no,
    orderNo: row.order_no,
    amount: BigInt(row.amount),
    instructionId: row.instruction_id === null ? null : asId(row.instruction_id),
  }));
}

/** @returns whether it was still waiting for a decision */
export async function decideFile(tx: Tx, id: Id, to: AcquirerFileState, by: Id, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE acquirer_files SET state = ?, decided_by = ?, decided_ms = ? WHERE id = ? AND state = 'checked'",
    [to, by, nowMs, id],
  );
  // What was rejected may come again in another file.
  if (changed === 1 && to === 'rejected') await tx.write('UPDATE acquirer_trades SET counts = NULL WHERE file_id = ?', [id]);
  return changed === 1;
}

/** @returns whether this try is the one that counts: of two at once the second finds another number */
export async function beginRetry(tx: Tx, { id, retries }: Pick<StoredFile, 'id' | 'retries'>): Promise<boolean> {
  return (await tx.write('UPDATE acquirer_files SET retries = retries + 1 WHERE id = ? AND retries = ?', [id, retries])) === 1;
}

/** @param fee undefined: stays as it is */
export async function noteInstructions(
  tx: Tx,
  fileId: Id,
  lines: readonly (readonly [lineNo: number, instruction: Id])[],
  fee: Id | null | undefined,
): Promise<void> {
  if (lines.length > 0) {
    const cases = lines.map(([lineNo, id]) => `WHEN ${lineNo} THEN ${id}`).join(' ');
    const which = lines.map(([lineNo]) => lineNo).join();
    await tx.write(
      `UPDATE acquirer_trades SET instruction_id = CASE line_no ${cases} END WHERE file_id = ? AND line_no IN (${which})`,
      [fileId],
    );
  }
  if (fee !== undefined) await tx.write('UPDATE acquirer_files SET fee_instruction = ? WHERE id = ?', [fee, fileId]);
}
