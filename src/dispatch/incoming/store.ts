import type { VirtualAccount } from '../../accounts/index.js';
import { asId, type Id, type Instant, type Minor } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';

/** The platforms whose custody accounts have these numbers, each with its suspense account; the letters must be the same. */
export async function suspenseByCustodyNo(tx: Tx, custodyNumbers: readonly string[]): Promise<Map<string, VirtualAccount>> {
  if (custodyNumbers.length === 0) return new Map();
  const rows = await tx.rows<{ custody_no: string; platform_id: string; suspense_id: string }>(
    `SELECT custody_no, platform_id, suspense_id FROM books WHERE custody_no IN (${custodyNumbers.map(sql.text).join()})`,
  );
  return new Map(rows.map((row) => [row.custody_no, { accountId: asId(row.suspense_id), platformId: asId(row.platform_id) }]));
}

/** The message that brought a transfer: unique by clearing system, sending institution and number. */
export interface TransferMessage {
  readonly channel: string;
  readonly sender: string;
  readonly messageNo: string;
}

/** A transfer that the core bank holds, or held, for us. */
export interface HeldTransfer {
  readonly reference: string;
  /** Null when nobody has the number, and no custody account is named by it. */
  readonly to: VirtualAccount | null;
  readonly virtualNo: string;
  readonly amount: Minor;
  readonly payerSealed: string;
  /** The payer's words; '' where there were none. */
  readonly remarkSealed: string;
  readonly attempts: number;
  /** What two people decided of it; null: the books do. */
  readonly decision: TransferDecision | null;
}

/** The ways on for a transfer whose message came before: as if it were the only one, or back to its payer. */
export const TRANSFER_DECISIONS = ['accept', 'send-back'] as const;
export type TransferDecision = (typeof TRANSFER_DECISIONS)[number];

/** A transfer as it is written down: its message, and what becomes of it where that message came before. */
export interface ReceivedTransfer extends Omit<HeldTransfer, 'attempts' | 'decision'> {
  readonly message: TransferMessage;
  readonly state: 'received' | 'duplicate' | 'conflict';
  readonly reason: string | null;
}

/**
 * Not answered for certain; or how it was answered, `disputed` where the core bank would not take the answer any more. A message acts once:
 * `duplicate` is the same again, `conflict` the same message with another content; neither is answered until two people have decided.
 */
export const TRANSFER_STATES = ['received', 'accepted', 'rejected', 'disputed', 'duplicate', 'conflict'] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

/** What a transfer said, for comparing with what it says now. */
export interface KnownTransfer extends Pick<HeldTransfer, 'reference' | 'virtualNo' | 'amount' | 'payerSealed'> {
  readonly message: TransferMessage;
}

/** Transfers that were received before, under these references or by these messages. */
export async function knownTransfers(
  tx: Tx,
  references: readonly string[],
  messages: readonly TransferMessage[],
): Promise<KnownTransfer[]> {
  if (references.length === 0) return [];
  const tuples = messages.map((m) => `(${sql.text(m.channel)},${sql.text(m.sender)},${sql.text(m.messageNo)},1)`);
  const columns = 'reference, virtual_no, amount, payer_sealed, channel, sender_bank, message_no';
  const rows = await tx.rows<{
    reference: string;
    virtual_no: string;
    amount: string;
    payer_sealed: string;
    channel: string;
    sender_bank: string;
    message_no: string;
  }>(
    `SELECT ${columns} FROM incoming_transfers WHERE reference IN (${references.map(sql.text).join()})
     UNION SELECT ${columns} FROM incoming_transfers WHERE (channel, sender_bank, message_no, acts) IN (${tuples.join()})`,
  );
  return rows.map((row) => ({
    reference: row.reference,
    virtualNo: row.virtual_no,
    amount: BigInt(row.amount),
    payerSealed: row.payer_sealed,
    message: { channel: row.channel, sender: row.sender_bank, messageNo: row.message_no },
  }));
}

/** @throws a duplicate-key error when another run has received one of them meanwhile */
export async function insertTransfers(tx: Tx, transfers: readonly ReceivedTransfer[], nowMs: Instant): Promise<void> {
  if (transfers.length === 0) return;
  const rows = transfers.map(
    (t) =>
      `${sql.text(t.reference)},${t.to?.platformId ?? 'NULL'},${t.to?.accountId ?? 'NULL'},${sql.text(t.virtualNo)},${t.amount},` +
      `${sql.text(t.payerSealed)},${sql.text(t.remarkSealed)},'${t.state}',${sql.nullableText(t.reason)},0,0,${nowMs},${nowMs},` +
      `${sql.text(t.message.channel)},${sql.text(t.message.sender)},${sql.text(t.message.messageNo)},` +
      (t.state === 'received' ? '1' : 'NULL'),
  );
  await tx.write(
    `INSERT INTO incoming_transfers (reference, platform_id, account_id, virtual_no, amount, payer_sealed, remark_sealed, state, reason,
       attempts, next_ms, received_ms, changed_ms, channel, sender_bank, message_no, acts) VALUES ${sql.tuples(rows)}`,
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
    remark_sealed: string;
    attempts: number;
    decision: TransferDecision | null;
  }>(
    `SELECT reference, platform_id, account_id, virtual_no, amount, payer_sealed, remark_sealed, attempts, decision FROM incoming_transfers
     WHERE state = 'received' AND ${condition} ORDER BY received_ms, reference LIMIT ?`,
    [value, limit],
  );
  return rows.map((row) => ({
    reference: row.reference,
    to: ownerOf(row),
    virtualNo: row.virtual_no,
    amount: BigInt(row.amount),
    payerSealed: row.payer_sealed,
    remarkSealed: row.remark_sealed,
    attempts: row.attempts,
    decision: row.decision,
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

/** A transfer as the bank's staff sees it. */
export interface ListedTransfer extends Pick<HeldTransfer, 'reference' | 'to' | 'virtualNo' | 'amount' | 'payerSealed'> {
  readonly message: TransferMessage;
  readonly state: TransferState;
  readonly reason: string | null;
  readonly receivedMs: Instant;
  readonly decision: TransferDecision | null;
}

/** Transfers in the order of their references. */
export async function listTransfers(
  tx: Tx,
  { state, platformId, after }: { state: TransferState | undefined; platformId: Id | undefined; after: string },
  limit: number,
): Promise<ListedTransfer[]> {
  const conditions = ['reference > ?'];
  const values: unknown[] = [after];
  if (state !== undefined) conditions.push(`state = '${state}'`);
  if (platformId !== undefined) conditions.push(`platform_id = ${platformId}`);
  const rows = await tx.rows<ListedRow>(
    `SELECT * FROM incoming_transfers WHERE ${conditions.join(' AND ')} ORDER BY reference LIMIT ?`,
    [...values, limit],
  );
  return rows.map(listedOf);
}

interface ListedRow {
  reference: string;
  platform_id: string | null;
  account_id: string | null;
  virtual_no: string;
  amount: string;
  payer_sealed: string;
  state: TransferState;
  reason: string | null;
  received_ms: string;
  channel: string;
  sender_bank: string;
  message_no: string;
  decision: TransferDecision | null;
}

function listedOf(row: ListedRow): ListedTransfer {
  return {
    reference: row.reference,
    to: ownerOf(row),
    virtualNo: row.virtual_no,
    amount: BigInt(row.amount),
    payerSealed: row.payer_sealed,
    message: { channel: row.channel, sender: row.sender_bank, messageNo: row.message_no },
    state: row.state,
    reason: row.reason,
    receivedMs: Number(row.received_ms) as Instant,
    decision: row.decision,
  };
}

export async function findTransfer(tx: Tx, reference: string): Promise<ListedTransfer | undefined> {
  const [row] = await tx.rows<ListedRow>('SELECT * FROM incoming_transfers WHERE reference = ?', [reference]);
  return row && listedOf(row);
}

/** Lets one that did not act by itself be answered as people decided. @returns whether it was still waiting for that */
export async function releaseTransfer(tx: Tx, reference: string, decision: TransferDecision, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE incoming_transfers SET state = 'received', decision = ?, next_ms = 0, changed_ms = ?
     WHERE reference = ? AND state IN ('duplicate', 'conflict')`,
    [decision, nowMs, reference],
  );
  return changed === 1;
}

/** Whose the number is; null where it is nobody's. */
function ownerOf({ platform_id: platform, account_id: account }: { platform_id: string | null; account_id: string | null }) {
  return platform === null || account === null ? null : { platformId: asId(platform), accountId: asId(account) };
}
