import { endOfProposal, type Id, type Instant, invariant, Refused, refuse } from '../../kernel/index.js';
import { isDuplicateKey, type Tx } from '../../runtime/index.js';
import { decideProposal, insertProposal, proposalsOf, type TransferProposal } from './proposal-store.js';
import { findTransfer, type ListedTransfer, releaseTransfer, type TransferDecision } from './store.js';

export interface Seen {
  readonly transfer: ListedTransfer;
  readonly proposals: readonly TransferProposal[];
}

/** A transfer and what was proposed about it. @throws Refused NOT_FOUND */
export async function requireTransfer(tx: Tx, reference: string): Promise<Seen> {
  const transfer = await findTransfer(tx, reference);
  if (transfer === undefined) throw new Refused(refuse('NOT_FOUND'));
  return { transfer, proposals: await proposalsOf(tx, reference) };
}

/**
 * The first of two people says what shall become of a transfer whose message came before. Nothing moves yet.
 * @throws Refused NOT_FOUND, TRANSFER_NOT_WAITING, TRANSFER_PROPOSED
 */
export async function propose(
  tx: Tx,
  of: Pick<TransferProposal, 'id' | 'reference' | 'reasonSealed' | 'proposedBy' | 'proposedMs'> & {
    readonly action: TransferDecision;
  },
): Promise<Seen> {
  const { transfer } = await requireTransfer(tx, of.reference);
  if (transfer.state !== 'duplicate' && transfer.state !== 'conflict')
    throw new Refused(refuse('TRANSFER_NOT_WAITING', undefined, { state: transfer.state }));
  try {
    await insertProposal(tx, of);
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('TRANSFER_PROPOSED'));
    throw error;
  }
  return requireTransfer(tx, of.reference);
}

export interface Decision {
  readonly reference: string;
  readonly proposal: Id;
  readonly by: Id;
  readonly nowMs: Instant;
  readonly noteSealed: string | null;
}

/**
 * The second approves: the transfer is answered from now on like any other, which the worker repeats until the core bank has heard it. Accepted,
 * the books still have the last word.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, PROPOSAL_DECIDED
 */
export async function approve(tx: Tx, decision: Decision): Promise<Seen> {
  const proposal = await proposalOf(tx, decision);
  await decide(tx, decision, endOfProposal(proposal, decision.by, 'yes'));
  invariant(
    await releaseTransfer(tx, decision.reference, proposal.action, decision.nowMs),
    `the transfer ${decision.reference} waits as long as a proposal about it does`,
  );
  return requireTransfer(tx, decision.reference);
}

/** Whoever does not agree says so; who proposed it takes it back that way. @throws Refused NOT_FOUND, PROPOSAL_DECIDED */
export async function reject(tx: Tx, decision: Decision): Promise<Seen> {
  const proposal = await proposalOf(tx, decision);
  await decide(tx, decision, endOfProposal(proposal, decision.by, 'no'));
  return requireTransfer(tx, decision.reference);
}

async function proposalOf(tx: Tx, { reference, proposal }: Decision): Promise<TransferProposal> {
  const found = (await proposalsOf(tx, reference)).find(({ id }) => id === proposal);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  return found;
}

async function decide(
  tx: Tx,
  { proposal, by, nowMs, noteSealed }: Decision,
  state: 'approved' | 'rejected' | 'withdrawn',
): Promise<void> {
  if (!(await decideProposal(tx, proposal, { state, by, nowMs, noteSealed }))) throw new Refused(refuse('PROPOSAL_DECIDED'));
}
