import { asId, type BusinessDate, type Id } from '../../kernel/index.js';
import type { AccountType } from '../../ledger/index.js';
import type { Tx } from '../../runtime/index.js';

export interface InstructionHead {
  readonly id: Id;
  readonly origin: 'P' | 'S' | 'O';
  readonly kind: string;
  readonly requestNo: string;
}

/** The instructions of a platform behind one of them, in the order of their ids. */
export async function instructionHeads(tx: Tx, platformId: Id, after: Id, limit: number): Promise<InstructionHead[]> {
  const rows = await tx.rows<{ id: string; origin: 'P' | 'S' | 'O'; kind: string; request_no: string }>(
    'SELECT id, origin, kind, request_no FROM instructions WHERE platform_id = ? AND id > ? ORDER BY id LIMIT ?',
    [platformId, after, limit],
  );
  return rows.map((row) => ({ id: asId(row.id), origin: row.origin, kind: row.kind, requestNo: row.request_no }));
}

export async function accountTypes(tx: Tx, ids: readonly Id[]): Promise<Map<Id, AccountType>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ id: string; type: AccountType }>(`SELECT id, type FROM accounts WHERE id IN (${ids.join()})`);
  return new Map(rows.map((row) => [asId(row.id), row.type]));
}

/** The dates of the first entries of accounts. */
export async function firstDates(tx: Tx, ids: readonly Id[]): Promise<Map<Id, BusinessDate>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<{ account_id: string; business_date: BusinessDate }>(
    `SELECT account_id, business_date FROM entries WHERE account_id IN (${ids.join()}) AND seq = 1`,
  );
  return new Map(rows.map((row) => [asId(row.account_id), row.business_date]));
}
