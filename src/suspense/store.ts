import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { itemState, leftOf } from './rules.js';
import type { ItemState, ProposalState } from './states.js';

/** Where money on suspense came from: a line of the statement that nobody expected, a transfer to no account of the platform, or a result of a payout or collection. */
export const SUSPENSE_SOURCES = ['statement', 'transfer', 'top-up', 'payout-failed', 'payout-returned'] as const;
export type SuspenseSource = (typeof SUSPENSE_SOURCES)[number];

/** One credit of a suspense account. Its id is that of the instruction that credited it. */
export interface SuspenseItem {
  readonly id: Id;
  readonly platformId: Id;
  readonly amount: Minor;
  readonly attributed: Minor;
  readonly returned: Minor;
  /** Taken back by a correction of what credited it. */
  readonly undone: Minor;
  readonly source: SuspenseSource;
  /** On the core bank's statement. */
  readonly reference: string;
  readonly payoutId: Id | null;
  /** The account that it was meant for, and that could not be credited. */
  readonly fromAccountId: Id | null;
  /** Who paid; name and account are sealed, an empty account is not known. */
  readonly payer: { readonly name: string; readonly account: string; readonly bankCode: string };
  /** The words that came with it, sealed; empty where there were none. */
  readonly told: string;
  /** The date from which it is withdrawable; null: it is. */
  readonly clears: BusinessDate | null;
  /** The last date on which it can have come in to the bank. */
  readonly fundedOn: BusinessDate;
  readonly sinceMs: Instant;
  readonly changedMs: Instant;
}

interface ItemRow {
  id: string;
  platform_id: string;
  amount: string;
  attributed: string;
  returned: string;
  undone: string;
  source: SuspenseSource;
  reference: string;
  payout_id: string | null;
  from_account_id: string | null;
  payer_name_sealed: string;
  payer_account_sealed: string;
  payer_bank: string;
  told_sealed: string;
  clears_on: BusinessDate | null;
  funded_on: BusinessDate;
  since_ms: string;
  changed_ms: string;
}

function itemOf(row: ItemRow): SuspenseItem {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    amount: BigInt(row.amount),
    attributed: BigInt(row.attributed),
    returned: BigInt(row.returned),
    undone: BigInt(row.undone),
    source: row.source,
    reference: row.reference,
    payoutId: row.payout_id === null ? null : asId(row.payout_id),
    fromAccountId: row.from_account_id === null ? null : asId(row.from_account_id),
    payer: { name: row.payer_name_sealed, account: row.payer_account_sealed, bankCode: row.payer_bank },
    told: row.told_sealed,
    clears: row.clears_on,
    fundedOn: row.funded_on,
    sinceMs: Number(row.since_ms) as Instant,
    changedMs: Number(row.changed_ms) as Instant,
  };
}

/** By id. The engine checks that a suspense account moves by what its items do. */
export const suspenseRecords: RecordType<SuspenseItem> = {
  name: 'suspense-item',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ItemRow>(`SELECT * FROM suspense_items WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, itemOf(row)]));
  },
  saving(items) {
    const rows = items.map(
      (i) =>
        `${i.id},${i.platformId},${i.amount},${i.attributed},${i.returned},${i.undone},'${itemState(i)}','${i.source}',${sql.text(i.reference)},` +
        `${i.payoutId ?? 'NULL'},${i.fromAccountId ?? 'NULL'},${sql.text(i.payer.name)},${sql.text(i.payer.account)},` +
        `${sql.text(i.payer.bankCode)},${sql.text(i.told)},${i.clears === null ? 'NULL' : `'${i.clears}'`},'${i.fundedOn}',${i.sinceMs},${i.changedMs}`,
    );
    return `INSERT INTO suspense_items (id, platform_id, amount, attributed, returned, undone, state, source, reference, payout_id,
         from_account_id, payer_name_sealed, payer_account_sealed, payer_bank, told_sealed, clears_on, funded_on, since_ms, changed_ms)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE attributed = VALUES(attributed), returned = VALUES(returned), undone = VALUES(undone),
         state = VALUES(state), changed_ms = VALUES(changed_ms)`;
  },
};

/** Money of an account's owner that waits for a person. Minor units. */
export interface Suspended {
  readonly accountId: Id;
  readonly left: Minor;
}

/** What was collected for an account, or came back to it, and could not be credited. By account id; summed up from the items, stored nowhere. */
export const suspendedRecords: RecordType<Suspended> = {
  name: 'suspended',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ id: string; amount: string }>(
      `SELECT from_account_id AS id, CAST(SUM(amount - attributed - returned - undone) AS CHAR) AS amount FROM suspense_items
       WHERE from_account_id IN (${keys.join()}) GROUP BY from_account_id`,
    );
    const found = new Map(rows.map((row) => [row.id, BigInt(row.amount)]));
    return new Map(keys.map((key) => [key, { accountId: asId(key), left: found.get(key) ?? 0n }]));
  },
  sumsUp: {
    type: suspenseRecords,
    keyOf: (item: SuspenseItem) => item.fromAccountId ?? '',
    changed: (row: Suspended, before: SuspenseItem | undefined, after: SuspenseItem) => ({
      ...row,
      left: row.left + leftOf(after) - (before === undefined ? 0n : leftOf(before)),
    }),
  },
  saving: () => undefined,
};

/** What is proposed to do with an item: give it to a member's account, or send it back to its payer. */
export interface SuspenseProposal {
  readonly id: Id;
  readonly platformId: Id;
  readonly itemId: Id;
  readonly action: 'attribute' | 'return';
  /** Of an attribution: whose it is. */
  readonly accountId: Id | null;
  readonly amount: Minor;
  readonly reasonSealed: string;
  readonly state: ProposalState;
  /** What it was instructed as, once it was approved. */
  readonly instructionId: Id | null;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly noteSealed: string | null;
}

interface ProposalRow {
  id: string;
  platform_id: string;
  item_id: string;
  action: 'attribute' | 'return';
  account_id: string | null;
  amount: string;
  reason_sealed: string;
  state: ProposalState;
  instruction_id: string | null;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  note_sealed: string | null;
}

function proposalOf(row: ProposalRow): SuspenseProposal {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    itemId: asId(row.item_id),
    action: row.action,
    accountId: row.account_id === null ? null : asId(row.account_id),
    amount: BigInt(row.amount),
    reasonSealed: row.reason_sealed,
    state: row.state,
    instructionId: row.instruction_id === null ? null : asId(row.instruction_id),
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    noteSealed: row.note_sealed,
  };
}

/** The engine only carries an approved proposal on; who proposed and who approved is written by the routes. */
export const proposalRecords: RecordType<SuspenseProposal> = {
  name: 'suspense-proposal',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ProposalRow>(`SELECT * FROM suspense_proposals WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, proposalOf(row)]));
  },
  saving: (proposals) =>
    `UPDATE suspense_proposals SET state = CASE id ${proposals.map((p) => `WHEN ${p.id} THEN '${p.state}'`).join(' ')} END
     WHERE id IN (${proposals.map((p) => p.id).join()})`,
};

export async function insertProposal(tx: Tx, p: SuspenseProposal): Promise<void> {
  await tx.write(
    `INSERT INTO suspense_proposals (id, platform_id, item_id, action, account_id, amount, reason_sealed, state, proposed_by, proposed_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [p.id, p.platformId, p.itemId, p.action, p.accountId, String(p.amount), p.reasonSealed, p.state, p.proposedBy, p.proposedMs],
  );
}

export interface ProposalDecision {
  readonly state: 'approved' | 'rejected' | 'withdrawn';
  readonly by: Id;
  readonly atMs: Instant;
  readonly noteSealed: string | null;
}

/** Answers false when somebody decided it meanwhile: of two clicks at once one is the first. */
export async function decideProposal(tx: Tx, id: Id, of: ProposalDecision): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE suspense_proposals SET state = ?, decided_by = ?, decided_ms = ?, note_sealed = ? WHERE id = ? AND state = 'proposed'`,
    [of.state, of.by, of.atMs, of.noteSealed, id],
  );
  return changed === 1;
}

export async function noteInstruction(tx: Tx, id: Id, instruction: Id): Promise<void> {
  await tx.write('UPDATE suspense_proposals SET instruction_id = ? WHERE id = ?', [instruction, id]);
}

export async function findItem(tx: Tx, id: Id): Promise<SuspenseItem | undefined> {
  return (await suspenseRecords.load(tx, [id])).get(id);
}

export async function findProposal(tx: Tx, id: Id): Promise<SuspenseProposal | undefined> {
  return (await proposalRecords.load(tx, [id])).get(id);
}

/** Of an item, in the order they were made. */
export async function proposalsOf(tx: Tx, itemId: Id): Promise<SuspenseProposal[]> {
  const rows = await tx.rows<ProposalRow>('SELECT * FROM suspense_proposals WHERE item_id = ? ORDER BY id', [itemId]);
  return rows.map(proposalOf);
}

export interface ItemFilter {
  readonly platformId?: Id | undefined;
  readonly state?: ItemState | undefined;
  readonly after?: Id | undefined;
}

/** Items in the order they came. */
export async function listItems(tx: Tx, filter: ItemFilter, limit: number): Promise<SuspenseItem[]> {
  const conditions = ['id > ?'];
  const values: unknown[] = [filter.after ?? '0'];
  for (const [column, value] of [
    ['platform_id', filter.platformId],
    ['state', filter.state],
  ]) {
    if (value === undefined) continue;
    conditions.push(`${column} = ?`);
    values.push(value);
  }
  const rows = await tx.rows<ItemRow>(`SELECT * FROM suspense_items WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT ?`, [
    ...values,
    limit,
  ]);
  return rows.map(itemOf);
}
