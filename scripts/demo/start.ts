import { type BusinessDate, startOfDay } from '../../src/kernel/index.js';
import type { Database } from '../../src/runtime/index.js';
import { freePort } from '../services/index.mjs';
import { boundFloats } from './opening.js';
import type { Processes } from './processes.js';

/** It cannot be started like this; the message is a sentence for the person at the keyboard. */
export class Unusable extends Error {}

export interface Servers {
  readonly DATABASE_URL: string;
  readonly REDIS_URL: string;
}

export function findServers(): Servers {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (!DATABASE_URL || !REDIS_URL)
    throw new Unusable('DATABASE_URL and REDIS_URL are not set; `npm run demo` starts servers and sets them.');
  return { DATABASE_URL, REDIS_URL };
}

/** The service starts in the morning of the first day: its clock never goes back. */
export async function setFirstMoment(db: Database, firstDay: BusinessDate): Promise<void> {
  await db.withTx('first moment', async (tx) => {
    const [row] = await tx.rows<{ now_ms: string }>('SELECT now_ms FROM driven_clock WHERE id = 1');
    if (row !== undefined)
      throw new Unusable('This database has been used before. The run needs a migrated and otherwise empty one.');
    await tx.write('INSERT INTO driven_clock (id, now_ms) VALUES (1, ?)', [startOfDay(firstDay)]);
  });
}

export async function startProcesses(processes: Processes, servers: Servers): Promise<{ api: string; bank: string }> {
  const bank = await processes.start('bank', ['scripts/bank.ts', '--port', '0'], {});
  await boundFloats(bank.url);
  // The port is chosen beforehand: the addresses of hosted pages hold it, whichever process writes them.
  const port = String(await freePort());
  const own = { HOST: '127.0.0.1', PORT: port, METRICS_PORT: '0', PUBLIC_URL: `http://127.0.0.1:${port}` };
  const env = { ...servers, ...own, CLOCK: 'driven', BANK_URL: bank.url };
  const [api] = await Promise.all([
    processes.start('api', ['src/main.ts'], env),
    processes.start('worker', ['jobs/main.ts'], { ...env, TICK_MS: '250' }),
  ]);
  return { api: api.url, bank: bank.url };
}
