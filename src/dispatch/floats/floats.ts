import { BankUnreachable, type ChannelCode, hasFloat, PAYING_CHANNELS } from '../../channels/index.js';
import type { Id, Minor } from '../../kernel/index.js';
import { faultOf, type Runtime, type Tx } from '../../runtime/index.js';
import type { Desk } from '../desk.js';
import { callChannel } from '../health/health.js';
import { groupBy } from '../rules.js';
import {
  bookEntries,
  type FloatEntry,
  loadFloats,
  markBooked,
  openFloat,
  reserve,
  takeFloats,
  type Unbooked,
  unbooked,
  unrestored,
} from './store.js';

const BOOK_MAX = 2_000;

/**
 * Books on the floats what became of payouts: what is final is spent, what a channel turned away or could not pay is free again. Doing it twice
 * changes nothing; what is not booked yet counts as reserved, so that nothing is given away twice meanwhile. Answers how many were booked.
 */
export async function bookFloats({ rt }: Pick<Desk, 'rt'>): Promise<number> {
  for (let booked = 0; ; ) {
    const found = await rt.db.read('floats-to-book', (tx) => unbooked(tx, BOOK_MAX));
    if (found.length === 0) return booked;
    await rt.db.withTx(
      'book-floats',
      (tx) => book(tx, rt, found),
      async () => undefined,
    );
    booked += found.length;
    if (found.length < BOOK_MAX) return booked;
  }
}

/** Books that payouts came back into their channels' floats. Doing it twice changes nothing. */
export async function restoreFloats(desk: Pick<Desk, 'rt'>, payoutIds: readonly Id[]): Promise<void> {
  if (payoutIds.length === 0) return;
  await bookFloats(desk); // what was never booked as spent cannot come back
  const { rt } = desk;
  const found = await rt.db.read('floats-to-restore', (tx) => unrestored(tx, payoutIds));
  if (found.length === 0) return;
  await rt.db.withTx(
    'restore-floats',
    (tx) => book(tx, rt, found),
    async () => undefined,
  );
}

async function book(tx: Tx, { clock, newId }: Pick<Runtime, 'clock' | 'newId'>, found: readonly Unbooked[]): Promise<true> {
  const nowMs = clock.now();
  await takeFloats(tx, nowMs);
  const booked = (await markBooked(tx, found)).filter(({ channel }) => hasFloat(channel));
  for (const [channel, group] of groupBy(booked, (each) => each.channel)) {
    const released = sum(group.filter(({ becomes }) => becomes !== 'back'));
    if (released > 0n) await reserve(tx, channel, -released);
    const entries: FloatEntry[] = [];
    for (const [becomes, kind, sign] of [
      ['spent', 'spent', -1n],
      ['back', 'returned', 1n],
    ] as const) {
      const payments = group.filter((each) => each.becomes === becomes);
      if (payments.length > 0)
        entries.push({ id: newId(), channel, kind, amount: sign * sum(payments), payments: payments.length });
    }
    await bookEntries(tx, entries, nowMs);
  }
  return true;
}

function sum(of: readonly { readonly amount: Minor }[]): Minor {
  return of.reduce((total, { amount }) => total + amount, 0n);
}

/**
 * What is free in each channel, for routing, with all booked that became of payouts. A float of which nothing is known yet is asked of its
 * channel; one that does not answer has nothing for now.
 */
export async function floatsNow(desk: Desk): Promise<Map<ChannelCode, Minor | null>> {
  const { rt, channels } = desk;
  await bookFloats(desk);
  let floats = await rt.db.read('floats', loadFloats);
  const unknown = PAYING_CHANNELS.filter((channel) => hasFloat(channel) && !floats.has(channel));
  if (unknown.length > 0) {
    await Promise.all(
      unknown.map(async (channel) => {
        try {
          const told = await callChannel(desk, channel, () => channels.channels[channel].float());
          if (told === undefined) return;
          await rt.db.withTx(
            'open-float',
            async (tx) => {
              const at = { nowMs: rt.clock.now(), wallMs: rt.clock.wall() };
              await openFloat(tx, rt.newId(), { channel, balance: told }, at);
              return true;
            },
            async () => undefined,
          );
        } catch (error) {
          if (!(error instanceof BankUnreachable)) throw error;
          rt.log.warn({ event: 'channel.float-unreachable', channel, error: faultOf(error) });
        }
      }),
    );
    floats = await rt.db.read('floats', loadFloats);
  }
  return freeOf(floats);
}

/** What is free of floats that were read; `null` where none is needed. */
export function freeOf(floats: Awaited<ReturnType<typeof loadFloats>>): Map<ChannelCode, Minor | null> {
  return new Map(
    PAYING_CHANNELS.map((channel) => {
      if (!hasFloat(channel)) return [channel, null];
      const float = floats.get(channel);
      return [channel, float === undefined ? 0n : float.balance - float.reserved];
    }),
  );
}
