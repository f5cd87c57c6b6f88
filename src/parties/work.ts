import type { Verification } from '../channels/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { runRenewals } from './documents/documents.js';
import { dueRenewals } from './documents/records.js';
import { dueTrials } from './documents/trial-records.js';
import { runTrials } from './documents/trials.js';
import { dueUsers } from './users/records.js';
import { verifyUsers } from './verify.js';
import type { LockCustomer } from './watch/stops.js';
import { areIdTasksMissing, raiseIdTasks } from './watch/tasks.js';
import { isScreeningDue, screenCustomers } from './watch/watch-list.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'log'>;

/** Asks others all that is due: after users, new documents, accounts of companies. Answers how much it looked at. */
export async function askOthers(rt: Parts, verification: Verification, lock: LockCustomer): Promise<number> {
  const users = await verifyUsers(rt, verification, lock);
  const renewals = await runRenewals(rt, verification, lock);
  return users + renewals + (await runTrials(rt, verification));
}

/** Holds customers against a new watch list, and makes a task for each who owes a copy of his identity document. */
export async function lookAfterCustomers(rt: Parts, lock: LockCustomer): Promise<number> {
  const screened = await screenCustomers(rt, lock);
  return (
    screened +
    (await rt.db.withTx(
      'raise tasks',
      (tx) => raiseIdTasks(rt, tx),
      async () => undefined,
    ))
  );
}

/** Whether either has something to do, for the sweep. */
export async function partiesWork(tx: Tx, rt: Pick<Parts, 'clock'>): Promise<{ readonly ask: boolean; readonly look: boolean }> {
  const nowMs = rt.clock.now();
  const some = await Promise.all([dueUsers(tx, nowMs, 1), dueRenewals(tx, nowMs, 1), dueTrials(tx, nowMs, 1)]);
  return { ask: some.some((rows) => rows.length > 0), look: (await isScreeningDue(tx)) || (await areIdTasksMissing(tx)) };
}
