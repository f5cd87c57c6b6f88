import type { BusinessDate } from '../../src/kernel/index.js';
import { readAll } from './http.js';
import type { OpenMarket } from './opening.js';

/** A business day as the service tells it; amounts in fen. */
export interface Day {
  readonly businessDate: string;
  readonly state: 'open' | 'closing' | 'stopped' | 'closed';
  /** In the custody account by the books, and on all other accounts together. */
  readonly custody: number | null;
  readonly subAccounts: number | null;
  readonly statement: { readonly closing: number } | null;
  readonly reason: string | null;
}

const TRIES_MAX = 4;

/** Closes a day, as the bank's staff does it. @throws Error when it stops, or is not closed within two minutes */
export async function closeDay(
  { clients, platformId }: { readonly clients: Pick<OpenMarket['clients'], 'admin'>; readonly platformId: string },
  date: BusinessDate,
): Promise<void> {
  const path = `/admin/v1/platforms/${platformId}/days/${date}/close`;
  for (let tries = 1; ; tries += 1) {
    const headers = { prefer: 'wait=30' };
    const day = (await clients.admin.call({ method: 'POST', path, headers, what: 'closing days' })) as Day;
    if (day.state === 'closed') return;
    if (day.state === 'stopped') throw new Error(`The close of ${date} stopped: ${day.reason}`);
    if (tries === TRIES_MAX) throw new Error(`${date} is not closed after two minutes: ${day.reason ?? 'no reason is given'}`);
  }
}

export function readDays({ clients }: { readonly clients: Pick<OpenMarket['clients'], 'platform'> }): Promise<Day[]> {
  return readAll<Day>(clients.platform, '/v1/days');
}
