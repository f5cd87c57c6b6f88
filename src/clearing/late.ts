import { findInstructions, type Receipt, receiveInTx } from '../instructions/index.js';
import { type BusinessDate, fromWire, type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { decideLate, findLate, insertLate, type LateCorrection, lateByNumber } from './late-store.js';
import { findDay } from './store.js';

// A day that is proved is opened again for nothing but this: two people have an instruction posted, on the date that is open, whose value
// date is the old day. Entries of the day, its totals and its proof stay what they were.

export interface Proposed {
  readonly requestNo: string;
  readonly kind: string;
  /** The canonical JSON of its data. */
  readonly body: string;
  readonly reason: string;
}

/**
 * One of the staff wants an instruction to count for a day that is over. The same again answers what there is.
 * @throws Refused DAY_NOT_OVER, DAY_BEFORE_FIRST, LATE_CORRECTION_OTHER_DAY, LATE_CORRECTION_REUSED
 */
export async function proposeLate(
  tx: Tx,
  rt: Runtime,
  { platformId, date, by }: { platformId: Id; date: BusinessDate; by: Id },
  of: Proposed,
): Promise<LateCorrection> {
  const nowMs = await lock(tx, rt, platformId);
  const { provedTo } = await loadBook(tx, platformId);
  if (date > provedTo) throw new Refused(refuse('DAY_NOT_OVER', undefined, { provedTo }));
  await requireOfDay(tx, date, of);
  if ((await findDay(tx, platformId, date)) === undefined) throw new Refused(refuse('DAY_BEFORE_FIRST'));
  const before = await lateByNumber(tx, platformId, of.requestNo);
  if (before !== undefined) {
    const same = before.valueDate === date && before.kind === of.kind && rt.vault.read(before.bodySealed) === of.body;
    if (!same) throw new Refused(refuse('LATE_CORRECTION_REUSED'));
    return before;
  }
  const late: LateCorrection = {
    ...{ id: rt.newId(), platformId, valueDate: date, requestNo: of.requestNo, kind: of.kind },
    ...{ bodySealed: rt.vault.seal(of.body), reasonSealed: rt.vault.seal(of.reason), state: 'proposed', instructionId: null },
    ...{ proposedBy: by, proposedMs: nowMs, decidedBy: null, decidedMs: null },
  };
  await insertLate(tx, late);
  return late;
}

/** What a correction undoes was posted on the day that the correction counts for. */
async function requireOfDay(tx: Tx, date: BusinessDate, { kind, body }: Proposed): Promise<void> {
  if (kind !== 'correction') return;
  const id = fromWire(String((JSON.parse(body) as { instruction?: unknown }).instruction));
  const of = (await findInstructions(tx, [id])).get(id)?.outcome?.businessDate;
  if (of !== date) throw new Refused(refuse('LATE_CORRECTION_OTHER_DAY', undefined, { businessDate: of ?? null }));
}

/**
 * Another member of staff says yes: the instruction is received in the same commit and decided like any other.
 * @throws Refused NOT_FOUND, LATE_CORRECTION_DECIDED, SAME_OPERATOR, REQUEST_NO_REUSED
 */
export async function approveLate(tx: Tx, rt: Runtime, id: Id, by: Id): Promise<{ late: LateCorrection; shardId: number }> {
  const { late, nowMs } = await proposedLate(tx, rt, id);
  if (late.proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  const { platformId, requestNo, kind, bodySealed, valueDate } = late;
  const body = rt.vault.read(bodySealed);
  const submission = { platformId, origin: 'O' as const, requestNo, kind, body, actor: toWire('operator', by), valueDate };
  const { receipt, shardId } = await receiveInTx(tx, rt, submission);
  const instructionId = idOf(receipt);
  if (!(await decideLate(tx, id, { state: 'approved', instructionId, by, nowMs }))) throw decidedBefore(late);
  return { late: { ...late, state: 'approved', instructionId, decidedBy: by, decidedMs: nowMs }, shardId };
}

/** A number that somebody used for an instruction of the open date meanwhile stands for that. */
function idOf(receipt: Receipt): Id {
  if ('refused' in receipt) throw new Refused(receipt.refused);
  if (receipt.replay) throw new Refused(refuse('REQUEST_NO_REUSED'));
  return receipt.id;
}

/** Anybody of the staff may say no, whoever proposed it among them. @throws Refused NOT_FOUND, LATE_CORRECTION_DECIDED */
export async function declineLate(tx: Tx, rt: Runtime, id: Id, by: Id): Promise<LateCorrection> {
  const { late, nowMs } = await proposedLate(tx, rt, id);
  if (!(await decideLate(tx, id, { state: 'declined', instructionId: null, by, nowMs }))) throw decidedBefore(late);
  return { ...late, state: 'declined', decidedBy: by, decidedMs: nowMs };
}

async function proposedLate(tx: Tx, rt: Runtime, id: Id) {
  const found = await findLate(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const nowMs = await lock(tx, rt, found.platformId);
  const late = await findLate(tx, id);
  if (late?.state !== 'proposed') throw decidedBefore(late);
  return { late, nowMs };
}

function decidedBefore(late: LateCorrection | undefined): Refused {
  return new Refused(refuse('LATE_CORRECTION_DECIDED', undefined, { state: late?.state ?? null }));
}

async function lock(tx: Tx, rt: Runtime, platformId: Id) {
  const { shardId } = await loadBook(tx, platformId);
  return (await lockShard(tx, shardId, rt.clock.now())).nowMs;
}
