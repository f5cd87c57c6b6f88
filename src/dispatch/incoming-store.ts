import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';

/** Who has a virtual account number, and where it stands. */
export interface VirtualAccount {
  readonly accountId: Id;
  readonly platformId: Id;
}

/** The electronic accounts under these virtual numbers, closed ones too; a number that nobody has is left out. */
export async function electronicByVirtualNo(tx: Tx, numbers: readonly string[]): Promise<Map<string, VirtualAccount>> {
  if (numbers.length === 0) return new Map();
  const rows = await tx.rows<{ virtual_no: string; account_id: string; platform_id: string }>(
    `SELECT virtual_no, account_id, platform_id FROM electronic_accounts WHERE virtual_no IN (${numbers.map(sql.text).join()})`,
  );
  return new Map(rows.map((row) => [row.virtual_no, { accountId: asId(row.account_id), platformId: asId(row.platform_id) }]));
}

/** A transfer that the core bank holds, or held, for us. */
export interface HeldTransfer {
  readonly reference: string;
  /** Null when nobody has the virtual number. */
  readonly to: VirtualAccount | null;
  readonly virtualNo: string;
  readonly amount: Minor;
  readonly payerSealed: string;
  readonly attempts: number;
}

/** Not answered for certain; or how it was answered, `disputed` where the core bank would not take the answer any more. */
export type TransferState = 'received' | 'accepted' | 'rejected' | 'disputed';

/** Those of these references that were received before, with what they were. */
export async function knownTransfers(
  tx: Tx,
  references: readonly string[],
): Promise<Map<string, { virtualNo: string; amount: Minor }>> {
  if (references.length === 0) return new Map();
  const rows = await tx.rows<{ reference: string; virtual_no: string; amount: string }>(
    `SELECT reference, virtual_no, amount FROM incoming_transfers WHERE reference IN (${references.map(sql.text).join()})`,
  );
  return new Map(rows.map((row) => [row.reference, { virtualNo: row.virtual_no, amount: BigInt(row.amount) }]));
}

/** @throws a duplicate-key error when another run has received one of them meanwhile */
export async function insertTransfers(
  tx: Tx,
  transfers: readonly Omit<HeldTransfer, 'attempts'>[],
  nowMs: Instant,
): Promise<void> {
  if (transfers.length === 0) return;
  const rows = transfers.map(
    (t) =>
      `${sql.text(t.reference)},${t.to?.platformId ?? 'NULL'},${t.to?.accountId ?? 'NULL'},${sql.text(t.virtualNo)},${t.amount},` +
      `${sql.text(t.payerSealed)},'received',NULL,0,0,${nowMs},${nowMs}`,
  );
  await tx.write(
    `INSERT INTO incoming_transfers (reference, platform_id, account_id, virtual_no, amount, payer_sealed, state, reason, attempts, next_ms,
       received_ms, changed_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** Which transfers are wanted: those of one platform, or those whose time has come by the wall. */
export type TransferScope = { readonly platformId: Id } | { readonly dueWallMs: Instant };

function within(scope: TransferScope): { condition: string; value: string | number } {
  return 'platformId' in scope
    ? { condition: 'platform_id = ?', value: scope.platformId }
    : { condition: 'next_ms <= ?', value: scope.dueWallMs };
}

/** Transfers that are not answered for certain, oldest first. */
export async function unansweredTransfers(tx: Tx, scope: TransferScope, limit: number): Promise<HeldTransfer[]> {
  const { condition, value } = within(scope);
  const rows = await tx.rows<{
    reference: string;
    platform_id: string | null;
    account_id: string | null;
    virtual_no: string;
    amount: string;
    payer_sealed: string;
    attempts: number;
  }>(
    `SELECT reference, platform_id, account_id, virtual_no, amount, payer_sealed, attempts FROM incoming_transfers
     WHERE state = 'received' AND ${condition} ORDER BY received_ms, reference LIMIT ?`,
    [value, limit],
  );
  return rows.map((row) => ({
    reference: row.reference,
    to:
      row.platform_id === null || row.account_id === null
        ? null
        : { platformId: asId(row.platform_id), accountId: asId(row.account_id) },
    virtualNo: row.virtual_no,
    amount: BigInt(row.amount),
    payerSealed: row.payer_sealed,
    attempts: row.attempts,
  }));
}

export async function countUnanswered(tx: Tx, scope: TransferScope): Promise<number> {
  const { condition, value } = within(scope);
  const [row] = await tx.rows<{ number: string }>(
    `SELECT COUNT(*) AS number FROM incoming_transfers WHERE state = 'received' AND ${condition}`,
    [value],
  );
  return Number(row?.number ?? 0);
}

/** Writes down how transfers were answered, or that they were not. One that is answered stays so. */
export async function noteTransfers(
  tx: Tx,
  references: readonly string[],
  change: {
    readonly state: TransferState;
    readonly reason: string | null;
    readonly nextWallMs: Instant;
    readonly nowMs: Instant;
  },
): Promise<void> {
  if (references.length === 0) return;
  await tx.write(
    `UPDATE incoming_transfers SET state = ?, reason = ?, next_ms = ?, changed_ms = ?, attempts = attempts + 1
     WHERE state = 'received' AND reference IN (${references.map(sql.text).join()})`,
    [change.state, change.reason, change.nextWallMs, change.nowMs],
  );
}
