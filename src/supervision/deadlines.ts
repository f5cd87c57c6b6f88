import { naturalDate } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { countLate } from './large-value-store.js';
import { countAlarming } from './suspicion-store.js';

/** How many reports are late: large values whose last day has passed, and confirmed suspicions whose day of alarm has come. For the gauge. */
export async function watchDeadlines({ db, clock, metrics }: Pick<Runtime, 'db' | 'clock' | 'metrics'>): Promise<void> {
  const today = naturalDate(clock.now());
  const late = await db.read('late-reports', async (tx) => ({
    'large-value': await countLate(tx, today),
    suspicion: await countAlarming(tx, today),
  }));
  for (const [kind, count] of Object.entries(late)) metrics.reportsLate.set({ kind }, count);
}
