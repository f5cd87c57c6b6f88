import { consentRecords } from '../../consents/index.js';
import type { Id } from '../../kernel/index.js';
import { missingOf } from '../../refunds/index.js';
import { openReviews } from '../../reviews/index.js';
import type { Tx } from '../../runtime/index.js';
import type { Awaited } from './views.js';

/** What undecided instructions wait for: answers of customers, money, or people of the bank. What only waits for its turn is not among them. */
export async function readAwaited(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Awaited>> {
  if (ids.length === 0) return new Map();
  const pending = [...(await consentRecords.load(tx, ids)).values()].filter(({ state }) => state === 'pending');
  return new Map<Id, Awaited>([
    ...[...(await missingOf(tx, ids))].map(([id, missing]) => [id, { missing }] as const),
    ...[...(await openReviews(tx, ids))].map(([id, decideByMs]) => [id, { decideByMs }] as const),
    ...pending.map(({ id, instruction, expiresMs }) => [instruction, { consent: id, expiresMs }] as const),
  ]);
}
