import { canonicalJson, endOfProposal, type Id, type Instant, Refused, refuse, toWire, toWireMoney } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { membersAmong } from './matching-store.js';
import { leftOf } from './rules.js';
import {
  decideProposal,
  findItem,
  findProposal,
  insertProposal,
  noteInstruction,
  type SuspenseItem,
  type SuspenseProposal,
} from './store.js';

/** An instruction of the system, as whoever receives instructions wants it. */
export interface SuspenseInstruction {
  readonly platformId: Id;
  readonly origin: 'S';
  /** The proposal's: it is instructed once, however often it is approved. */
  readonly requestNo: string;
  readonly kind: string;
  readonly body: string;
  readonly actor: string;
}

/** Receives it in the transaction of the approval; what is rung afterwards makes a shard decide it. */
export type GiveInstruction = (tx: Tx, of: SuspenseInstruction) => Promise<{ id: Id; ring: () => Promise<void> }>;

export interface Who {
  readonly operator: Id;
  readonly nowMs: Instant;
}

export type Wanted = Pick<SuspenseProposal, 'action' | 'accountId' | 'reasonSealed'> & { readonly amount: bigint | undefined };

/** @throws Refused NOT_FOUND */
export async function requireItem(tx: Tx, id: Id): Promise<SuspenseItem> {
  const item = await findItem(tx, id);
  if (item === undefined) throw new Refused(refuse('NOT_FOUND'));
  return item;
}

/**
 * The first of two people says what shall become of an item, or of a part of it. Nothing moves yet, and nothing is reserved: whether it can
 * be posted is decided when it is.
 * @throws Refused NOT_FOUND, SUSPENSE_EXCEEDED, SUSPENSE_PAYER_UNKNOWN, ACCOUNT_NOT_FOUND (no open account of a member of this platform)
 */
export async function propose(tx: Tx, id: Id, itemId: Id, wanted: Wanted, who: Who): Promise<SuspenseProposal> {
  const item = await requireItem(tx, itemId);
  const left = leftOf(item);
  const { amount = left } = wanted;
  if (amount > left || left === 0n) throw new Refused(refuse('SUSPENSE_EXCEEDED', undefined, { left: String(left) }));
  if (wanted.action === 'return' && item.payer.account === '') throw new Refused(refuse('SUSPENSE_PAYER_UNKNOWN'));
  const { accountId } = wanted;
  if (accountId !== null && (await membersAmong(tx, item.platformId, [accountId])).length === 0)
    throw new Refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', accountId) }));
  const proposal: SuspenseProposal = {
    ...{ id, platformId: item.platformId, itemId, action: wanted.action, accountId, amount },
    ...{ reasonSealed: wanted.reasonSealed, state: 'proposed' as const, instructionId: null },
    ...{ proposedBy: who.operator, proposedMs: who.nowMs, decidedBy: null, decidedMs: null, noteSealed: null },
  };
  await insertProposal(tx, proposal);
  return proposal;
}

/**
 * The second of two people approves, and in the same commit the books are instructed under the proposal's own number.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, PROPOSAL_DECIDED
 */
export async function approve(
  tx: Tx,
  ids: { readonly item: Id; readonly proposal: Id },
  noteSealed: string | null,
  who: Who,
  give: GiveInstruction,
): Promise<{ proposal: SuspenseProposal; ring: () => Promise<void> }> {
  const proposal = await required(tx, ids);
  const state = endOfProposal(proposal, who.operator, 'yes');
  // First the row: of two who approve at once the second waits here, and then finds it decided.
  await decided(tx, proposal, { state, by: who.operator, atMs: who.nowMs, noteSealed });
  const { id: instructionId, ring } = await give(tx, instructionOf(proposal, who.operator));
  await noteInstruction(tx, proposal.id, instructionId);
  return { proposal: await required(tx, ids), ring };
}

/**
 * Whoever does not agree says so, and why; who proposed it takes it back that way.
 * @throws Refused NOT_FOUND, PROPOSAL_DECIDED
 */
export async function reject(
  tx: Tx,
  ids: { readonly item: Id; readonly proposal: Id },
  noteSealed: string,
  who: Who,
): Promise<SuspenseProposal> {
  const proposal = await required(tx, ids);
  const state = endOfProposal(proposal, who.operator, 'no');
  await decided(tx, proposal, { state, by: who.operator, atMs: who.nowMs, noteSealed });
  return required(tx, ids);
}

async function required(tx: Tx, ids: { readonly item: Id; readonly proposal: Id }): Promise<SuspenseProposal> {
  const proposal = await findProposal(tx, ids.proposal);
  if (proposal?.itemId !== ids.item) throw new Refused(refuse('NOT_FOUND'));
  return proposal;
}

async function decided(tx: Tx, { id }: SuspenseProposal, to: Parameters<typeof decideProposal>[2]): Promise<void> {
  if (!(await decideProposal(tx, id, to))) throw new Refused(refuse('PROPOSAL_DECIDED'));
}

function instructionOf(proposal: SuspenseProposal, approver: Id): SuspenseInstruction {
  const amount = toWireMoney(proposal.amount);
  const data = { proposal: toWire('proposal', proposal.id), item: toWire('suspense', proposal.itemId), amount };
  const { accountId } = proposal;
  return {
    platformId: proposal.platformId,
    origin: 'S',
    requestNo: `suspense:${proposal.id}`,
    kind: accountId === null ? 'suspense-return' : 'suspense-attribution',
    body: canonicalJson(accountId === null ? data : { ...data, account: toWire('account', accountId) }),
    actor: toWire('operator', approver),
  };
}
