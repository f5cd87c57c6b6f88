import type { Id, Instant } from '../../kernel/index.js';
import { isDuplicateKey, type Runtime, type Tx, type Vault } from '../../runtime/index.js';
import { endStop, insertStop, STOP_REASONS, type StopReason, setDocumented, setStopped, stopsOf } from './stop-records.js';
import { endTask, tasksOfCustomer } from './task-records.js';

/**
 * Takes a customer for this transaction: his row, and the shards of all books in which he has electronic accounts, so that the
 * engine decides nothing of his between the change and its commit. `accounts` knows where they are and hands it in.
 * @throws Refused NOT_FOUND
 */
export type LockCustomer = (tx: Tx, customerId: Id) => Promise<void>;

export type PartyParts = Pick<Runtime, 'newId' | 'clock' | 'vault'>;

export interface StopOrder {
  readonly customerId: Id;
  readonly reason: StopReason;
  /** For the file; sealed, since it speaks of people. */
  readonly note: string;
  /** Null: the system. */
  readonly by: Id | null;
}

/** Stops a customer's business outside the counter, for one more reason. Twice for the same one changes nothing. */
export async function stopCustomer(tx: Tx, rt: PartyParts, lock: LockCustomer, order: StopOrder): Promise<void> {
  await lock(tx, order.customerId);
  try {
    await insertStop(tx, rt.newId(), changeOf(rt, order));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
  }
  await showStop(tx, order.customerId);
}

/** Ends one reason; he is free when it was the last. Answers whether it held. */
export async function freeCustomer(tx: Tx, rt: PartyParts, lock: LockCustomer, order: StopOrder): Promise<boolean> {
  await lock(tx, order.customerId);
  const ended = await endStop(tx, changeOf(rt, order));
  await showStop(tx, order.customerId);
  return ended;
}

function changeOf({ vault, clock }: PartyParts, { customerId, reason, note, by }: StopOrder) {
  return { customerId, reason, noteSealed: vault.seal(note), by, nowMs: clock.now() };
}

async function showStop(tx: Tx, customerId: Id): Promise<void> {
  const live = (await stopsOf(tx, customerId)).filter((stop) => stop.live);
  const [first] = live.sort((a, b) => STOP_REASONS.indexOf(a.reason) - STOP_REASONS.indexOf(b.reason));
  await setStopped(tx, customerId, first?.reason ?? null, first?.startedMs ?? null);
}

/** The copy of his identity document that was asked for is there, whoever brought it. Call it with the customer locked. */
export async function takeDocument(
  tx: Tx,
  customerId: Id,
  by: { readonly operatorId: Id | null; readonly reason: string | null; readonly nowMs: Instant; readonly vault: Vault },
): Promise<void> {
  await setDocumented(tx, customerId);
  const reasonSealed = by.reason === null ? null : by.vault.seal(by.reason);
  for (const task of await tasksOfCustomer(tx, customerId, 'id-document')) {
    if (task.state === 'open') await endTask(tx, task.id, 'done', { operatorId: by.operatorId, reasonSealed, nowMs: by.nowMs });
  }
}
