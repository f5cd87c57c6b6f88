import { type Id, type Instant, invariant, type Minor, Refused, refuse, toWire } from '../kernel/index.js';
import { frozenOf, loadBook, lockShard } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { type Deduction, deductionRecords } from './records.js';
import { findClaim, heldByClaim } from './rules.js';
import { claimsOn, type DeductionView, deductionsOf, findDeduction, findFreeze } from './store.js';

/** Deductions out of frozen money: one of the staff asks, another approves, and only then an instruction is given. */
type Parts = Pick<Runtime, 'newId' | 'clock' | 'vault'>;

export interface NewDeduction {
  readonly documentNo: string;
  readonly amount: Minor;
  readonly payee: { readonly name: string; readonly account: string; readonly bankCode: string };
}

/**
 * @throws Refused NOT_FOUND, FREEZE_ENDED, DEDUCTION_EXCEEDS_FREEZE, FREEZE_DOCUMENT_REUSED
 */
export async function proposeDeduction(tx: Tx, rt: Parts, freezeId: Id, of: NewDeduction, by: Id): Promise<DeductionView> {
  const freeze = await findFreeze(tx, freezeId);
  if (freeze === undefined) throw new Refused(refuse('NOT_FOUND'));
  const { accountId, platformId } = freeze;
  const nowMs = await lock(tx, rt, platformId);
  const before = (await deductionsOf(tx, freezeId)).find((view) => view.deduction.documentNo === of.documentNo && lives(view));
  if (before !== undefined) {
    if (!isSame(rt, before.deduction, of)) throw new Refused(refuse('FREEZE_DOCUMENT_REUSED'));
    return before;
  }
  await requireHeld(tx, { freezeId, accountId, platformId, amount: of.amount }, nowMs);
  const { name, account, bankCode } = of.payee;
  const deduction: Deduction = {
    ...{ id: rt.newId(), freezeId, accountId, platformId, documentNo: of.documentNo, amount: of.amount, state: 'proposed' },
    payee: { name: rt.vault.seal(name), account: rt.vault.seal(account), bankCode },
    ...{ askedBy: by, askedMs: nowMs, decidedBy: null, decidedMs: null, instructionId: null, payoutId: null },
  };
  await save(tx, deduction);
  return { deduction, outcome: undefined, payoutState: null };
}

/** Not declined, not refused by the books, and not come back from the payee's bank. */
function lives({ deduction, outcome, payoutState }: DeductionView): boolean {
  const cameBack = payoutState === 'failed' || payoutState === 'returned';
  return deduction.state !== 'declined' && outcome?.state !== 'refused' && !cameBack;
}

function isSame({ vault }: Pick<Parts, 'vault'>, { amount, payee }: Deduction, of: NewDeduction): boolean {
  const opened = [vault.read(payee.name), vault.read(payee.account), payee.bankCode];
  return amount === of.amount && opened.join('\n') === [of.payee.name, of.payee.account, of.payee.bankCode].join('\n');
}

/** Once its last day is over a freeze has ended, also while nobody has written that down. */
async function requireHeld(
  tx: Tx,
  of: { readonly freezeId: Id; readonly accountId: Id; readonly platformId: Id; readonly amount: Minor },
  nowMs: Instant,
): Promise<void> {
  const freeze = await findFreeze(tx, of.freezeId);
  const { queue, account } = await claimsOn(tx, of.platformId, of.accountId);
  if (freeze === undefined || freeze.dueMs <= nowMs || findClaim(queue, of.freezeId) === undefined)
    throw new Refused(refuse('FREEZE_ENDED', undefined, { freeze: toWire('freeze', of.freezeId) }));
  const held = heldByClaim(queue, of.freezeId, frozenOf(account));
  if (of.amount > held) throw new Refused(refuse('DEDUCTION_EXCEEDS_FREEZE', undefined, { held: String(held) }));
}

async function lock(tx: Tx, rt: Pick<Parts, 'clock'>, platformId: Id) {
  const { shardId } = await loadBook(tx, platformId);
  return (await lockShard(tx, shardId, rt.clock.now())).nowMs;
}

async function save(tx: Tx, deduction: Deduction): Promise<void> {
  const statement = deductionRecords.saving([deduction]);
  invariant(statement, 'a deduction is saved by a statement');
  await tx.write(statement);
}

/** Gives the instruction of an approved deduction in the same transaction; answers its id. */
export type OrderDeduction = (tx: Tx, deduction: Deduction, by: Id) => Promise<{ instruction: Id; shardId: number }>;

/**
 * Another member of staff says yes, and the instruction is received in the same commit.
 * @throws Refused NOT_FOUND, DEDUCTION_DECIDED, SAME_OPERATOR, FREEZE_ENDED, DEDUCTION_EXCEEDS_FREEZE
 */
export async function approveDeduction(tx: Tx, rt: Pick<Parts, 'clock'>, order: OrderDeduction, id: Id, by: Id) {
  const { deduction, nowMs } = await proposed(tx, rt, id);
  if (deduction.askedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  await requireHeld(tx, deduction, nowMs);
  const { instruction, shardId } = await order(tx, deduction, by);
  const approved: Deduction = { ...deduction, state: 'approved', decidedBy: by, decidedMs: nowMs, instructionId: instruction };
  await save(tx, approved);
  return { view: { deduction: approved, outcome: undefined, payoutState: null }, shardId };
}

/** Anybody of the staff may say no, whoever asked among them. @throws Refused NOT_FOUND, DEDUCTION_DECIDED */
export async function declineDeduction(tx: Tx, rt: Pick<Parts, 'clock'>, id: Id, by: Id): Promise<DeductionView> {
  const { deduction, nowMs } = await proposed(tx, rt, id);
  const declined: Deduction = { ...deduction, state: 'declined', decidedBy: by, decidedMs: nowMs };
  await save(tx, declined);
  return { deduction: declined, outcome: undefined, payoutState: null };
}

async function proposed(tx: Tx, rt: Pick<Parts, 'clock'>, id: Id) {
  const found = await findDeduction(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const nowMs = await lock(tx, rt, found.deduction.platformId);
  const now = await findDeduction(tx, id);
  if (now?.deduction.state !== 'proposed')
    throw new Refused(refuse('DEDUCTION_DECIDED', undefined, { state: now?.deduction.state }));
  return { deduction: now.deduction, nowMs };
}
