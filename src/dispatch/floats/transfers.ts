import { BankRefused, BankUnreachable, type ChannelCode } from '../../channels/index.js';
import {
  type Id,
  type Instant,
  invariant,
  type Minor,
  naturalDate,
  Refused,
  refuse,
  startOfDay,
  toWire,
} from '../../kernel/index.js';
import { faultOf, type Runtime, type Tx } from '../../runtime/index.js';
import type { Desk } from '../desk.js';
import { tidyReason } from '../rules.js';
import { outlooks } from './forecast.js';
import { proposeTopUps } from './rules.js';
import { bookEntries, type FloatEntry, reserve, takeFloats } from './store.js';
import {
  approvedTransfers,
  decideTransfer,
  endTransfer,
  type FloatTransfer,
  findTransfer,
  insertTransfer,
  SYSTEM,
  transfersThatCount,
} from './transfer-store.js';

const CARRY_MAX = 100;

export type NewTransfer = Pick<FloatTransfer, 'from' | 'to' | 'amount' | 'reason' | 'proposedBy'>;

/**
 * One person, or the system, proposes to move the bank's own money between channels, or between one and the bank's vault. Nothing moves yet.
 * @throws Refused FLOAT_UNKNOWN for a channel whose float is not known, FLOAT_TRANSFER_OPEN
 */
export async function proposeTransfer(
  tx: Tx,
  { newId, clock }: Pick<Runtime, 'newId' | 'clock'>,
  of: NewTransfer,
): Promise<FloatTransfer> {
  const nowMs = clock.now();
  const floats = await takeFloats(tx, nowMs);
  for (const channel of [of.from, of.to])
    if (channel !== null && !floats.has(channel)) throw new Refused(refuse('FLOAT_UNKNOWN', undefined, { channel }));
  const transfer: FloatTransfer = {
    ...{ ...of, id: newId(), state: 'proposed' as const, proposedMs: nowMs },
    ...{ decidedBy: null, decidedMs: null, note: null, endedMs: null },
  };
  if (!(await insertTransfer(tx, transfer))) throw new Refused(refuse('FLOAT_TRANSFER_OPEN'));
  return transfer;
}

/** Who decides on a transfer, and what he has to say. */
export interface Decision {
  readonly id: Id;
  readonly by: Id;
  readonly note: string | null;
}

/**
 * Another person says yes. From this commit on the amount is reserved where it is taken from, so that no payout is given it meanwhile; the
 * worker tells the core bank.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, FLOAT_TRANSFER_DECIDED, FLOAT_INSUFFICIENT
 */
export async function approveTransfer(tx: Tx, { id, by, note }: Decision, nowMs: Instant): Promise<FloatTransfer> {
  const floats = await takeFloats(tx, nowMs); // before the transfer's own row, as everywhere
  const { from, amount } = await undecided(tx, id, by);
  if (!(await decideTransfer(tx, id, { state: 'approved', by, atMs: nowMs, note }))) throw decidedBefore();
  if (from !== null) {
    const float = floats.get(from);
    invariant(float, `the float of ${from} is known`);
    const free = float.balance - float.reserved;
    if (free < amount) throw new Refused(refuse('FLOAT_INSUFFICIENT', undefined, { channel: from, free: String(free) }));
    await reserve(tx, from, amount);
  }
  return required(tx, id);
}

/** Another person says no. @throws Refused NOT_FOUND, SAME_OPERATOR, FLOAT_TRANSFER_DECIDED */
export async function rejectTransfer(tx: Tx, { id, by, note }: Decision, nowMs: Instant): Promise<FloatTransfer> {
  await undecided(tx, id, by);
  if (!(await decideTransfer(tx, id, { state: 'rejected', by, atMs: nowMs, note }))) throw decidedBefore();
  return required(tx, id);
}

async function undecided(tx: Tx, id: Id, by: Id): Promise<FloatTransfer> {
  const transfer = await findTransfer(tx, id);
  if (transfer === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (transfer.state !== 'proposed') throw decidedBefore();
  if (transfer.proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  return transfer;
}

function decidedBefore(): Refused {
  return new Refused(refuse('FLOAT_TRANSFER_DECIDED'));
}

async function required(tx: Tx, id: Id): Promise<FloatTransfer> {
  const transfer = await findTransfer(tx, id);
  invariant(transfer, `transfer ${id} is there`);
  return transfer;
}

/**
 * Tells the core bank of approved transfers, each under its own number until there is an answer, and books what it answered. Answers how many
 * were answered.
 */
export async function carryTransfers({
  rt,
  channels,
  floatsAsked,
}: Pick<Desk, 'rt' | 'channels' | 'floatsAsked'>): Promise<number> {
  let answered = 0;
  for (const transfer of await rt.db.read('approved-transfers', (tx) => approvedTransfers(tx, CARRY_MAX))) {
    const { id, from, to, amount } = transfer;
    try {
      await channels.coreBank.moveFloat(id, from, to, amount);
      await end(rt, transfer, 'moved', null);
      // What these told before is of the time before: left alone it would be shown as a difference until they are next asked.
      for (const channel of [from, to]) if (channel !== null) floatsAsked.set(channel, 0);
    } catch (error) {
      if (error instanceof BankUnreachable) {
        rt.log.warn({ event: 'float.transfer-unanswered', transfer: id, error: faultOf(error) });
        continue;
      }
      if (!(error instanceof BankRefused)) throw error;
      rt.log.error({ event: 'float.transfer-refused', transfer: id, error: faultOf(error) });
      await end(rt, transfer, 'failed', tidyReason(error.message));
    }
    answered += 1;
  }
  return answered;
}

/** Books what became of a transfer, in one commit with its state; once, however often it is heard. */
async function end(
  rt: Runtime,
  { id, from, to, amount }: FloatTransfer,
  state: 'moved' | 'failed',
  note: string | null,
): Promise<void> {
  const nowMs = rt.clock.now();
  await rt.db.withTx(
    'end-transfer',
    async (tx) => {
      await takeFloats(tx, nowMs);
      if (!(await endTransfer(tx, id, { state, atMs: nowMs, note }))) return true;
      if (from !== null) await reserve(tx, from, -amount);
      if (state === 'failed') return true;
      const entry = (channel: ChannelCode | null, change: Minor): FloatEntry[] =>
        channel === null ? [] : [{ id: rt.newId(), channel, kind: 'transfer', amount: change, payments: 0, transferId: id }];
      await bookEntries(tx, [...entry(from, -amount), ...entry(to, amount)], nowMs);
      return true;
    },
    async () => undefined, // a transfer that has ended is not ended again
  );
}

/** Proposes what channels lack from those that have more than they need. Answers how many were proposed. */
export async function proposeNeeded({ rt }: Pick<Desk, 'rt'>): Promise<number> {
  const known = await outlooks(rt);
  const open = await rt.db.read('transfers-that-count', (tx) => transfersThatCount(tx, startOfDay(naturalDate(rt.clock.now()))));
  const wanted = proposeTopUps(known, open.filter(counts));
  if (wanted.length === 0) return 0;
  const proposed = await rt.db.withTx(
    'propose-top-ups',
    async (tx) => {
      const made: FloatTransfer[] = [];
      for (const { from, to, amount } of wanted) {
        const reason = `${to} lacks it for today; ${from} has more than it needs`;
        try {
          made.push(await proposeTransfer(tx, rt, { from, to, amount, reason, proposedBy: SYSTEM }));
        } catch (error) {
          if (!(error instanceof Refused)) throw error; // somebody else was faster
        }
      }
      return made;
    },
    async () => undefined, // what is open between two channels is not proposed again
  );
  for (const { id, from, to, amount } of proposed)
    rt.log.warn({ event: 'float.top-up-proposed', transfer: toWire('float-transfer', id), from, to, amount: String(amount) });
  return proposed.length;
}

function counts(transfer: FloatTransfer): transfer is FloatTransfer & { state: 'proposed' | 'approved' | 'rejected' } {
  return transfer.state !== 'moved' && transfer.state !== 'failed';
}
