import { asId, type Id, type Instant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';
import type { TransferDecision } from './store.js';

/** `withdrawn` by whoever proposed it, `rejected` by another. */
export const TRANSFER_PROPOSAL_STATES = ['proposed', 'approved', 'rejected', 'withdrawn'] as const;
export type TransferProposalState = (typeof TRANSFER_PROPOSAL_STATES)[number];

/** What somebody wants to become of a transfer that did not act by itself. */
export interface TransferProposal {
  readonly id: Id;
  readonly reference: string;
  readonly action: TransferDecision;
  readonly reasonSealed: string;
  readonly state: TransferProposalState;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly noteSealed: string | null;
}

/** @throws a duplicate-key error while another waits for a decision about the same transfer */
export async function insertProposal(
  tx: Tx,
  of: Pick<TransferProposal, 'id' | 'reference' | 'action' | 'reasonSealed' | 'proposedBy' | 'proposedMs'>,
): Promise<void> {
  await tx.write(
    `INSERT INTO transfer_proposals (id, reference, action, reason_sealed, state, live, proposed_by, proposed_ms)
     VALUES (?, ?, ?, ?, 'proposed', 1, ?, ?)`,
    [of.id, of.reference, of.action, of.reasonSealed, of.proposedBy, of.proposedMs],
  );
}

/** Oldest first. */
export async function proposalsOf(tx: Tx, reference: string): Promise<TransferProposal[]> {
  const rows = await tx.rows<{
    id: string;
    reference: string;
    action: TransferDecision;
    reason_sealed: string;
    state: TransferProposalState;
    proposed_by: string;
    proposed_ms: string;
    decided_by: string | null;
    decided_ms: string | null;
    note_sealed: string | null;
  }>('SELECT * FROM transfer_proposals WHERE reference = ? ORDER BY id', [reference]);
  return rows.map((row) => ({
    id: asId(row.id),
    reference: row.reference,
    action: row.action,
    reasonSealed: row.reason_sealed,
    state: row.state,
    proposedBy: asId(row.proposed_by),
    proposedMs: Number(row.proposed_ms) as Instant,
    decidedBy: row.decided_by === null ? null : asId(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    noteSealed: row.note_sealed,
  }));
}

/** @returns whether it was still waiting for a decision */
export async function decideProposal(
  tx: Tx,
  id: Id,
  to: {
    readonly state: Exclude<TransferProposalState, 'proposed'>;
    readonly by: Id;
    readonly nowMs: Instant;
    readonly noteSealed: string | null;
  },
): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE transfer_proposals SET state = ?, live = NULL, decided_by = ?, decided_ms = ?, note_sealed = ? WHERE id = ? AND state = 'proposed'`,
    [to.state, to.by, to.nowMs, to.noteSealed, id],
  );
  return changed === 1;
}
