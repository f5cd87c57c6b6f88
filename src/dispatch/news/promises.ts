import { type Id, workingDayAfter } from '../../kernel/index.js';
import { loadBook, lockShard, postponeOwed } from '../../ledger/index.js';
import { notePaidOver, promisedTooLate, setClearsOn } from '../../payouts/index.js';
import type { Tx } from '../../runtime/index.js';
import type { Desk } from '../desk.js';

/** What a channel says of a collection: under which reference, and when, it pays it over. */
type Told = Parameters<typeof notePaidOver>[1];

/**
 * Keeps what channels tell of what they pay over. Where the date is later than what was made of a collection could leave, that waits
 * as well: until the working day after the one that was told. What may leave already stays so, and its day stops if the money does not come.
 * Done again, it changes nothing.
 */
export async function takePromises(desk: Desk, told: Told): Promise<void> {
  const { db } = desk.rt;
  if (told.length === 0) return;
  const ids = told.map(({ payoutId }) => payoutId);
  const late = await db.withTx(
    'note-paid-over',
    async (tx) => {
      await notePaidOver(tx, told);
      return promisedTooLate(tx, ids);
    },
    async () => undefined,
  );
  for (const shardId of new Set(late.map((collection) => collection.shardId))) {
    const of = late.filter((collection) => collection.shardId === shardId).map(({ payoutId }) => payoutId);
    await db.withTx(
      'postpone-owed',
      async (tx) => {
        await postpone(tx, desk, shardId, of);
        return true;
      },
      async () => undefined,
    );
  }
}

async function postpone(tx: Tx, { rt }: Desk, shardId: number, ids: readonly Id[]): Promise<void> {
  await lockShard(tx, shardId, rt.clock.now());
  // One by one: each is part of what its platform's accounts have, and the next sees what the one before has left.
  for (const { payoutId, platformId, amount, dueOn, clearsOn } of await promisedTooLate(tx, ids)) {
    if (clearsOn <= (await loadBook(tx, platformId)).businessDate) continue;
    const to = workingDayAfter(rt.calendar, dueOn);
    await postponeOwed(tx, { platformId, amount, from: clearsOn, to });
    await setClearsOn(tx, payoutId, to);
  }
}
