import type { ChannelCode } from '../../channels/index.js';
import type { Instant } from '../../kernel/index.js';
import type { Desk } from '../desk.js';
import { noteChannelSuccess } from '../news/store.js';
import { addMinute, endUnanswered, noteUnanswered } from './store.js';

const MINUTE_MS = 60_000;
const TELL_EVERY_MS = 5_000;

/**
 * Calls a channel and remembers whether it gave a usable answer, and how fast. What failed is told the database at once, since the next batch
 * must know; what went well every few seconds, since each time costs a commit.
 */
export async function callChannel<T>(
  desk: Desk,
  channel: ChannelCode,
  call: () => Promise<T>,
  isAnswer: (answer: T) => boolean = () => true,
): Promise<T> {
  const begunMs = desk.rt.clock.wall();
  try {
    const answer = await call();
    await (isAnswer(answer) ? noteAnswer(desk, channel, begunMs) : noteSilence(desk, channel));
    return answer;
  } catch (error) {
    await noteSilence(desk, channel);
    throw error;
  }
}

async function noteAnswer({ rt, tallies }: Desk, channel: ChannelCode, begunMs: number): Promise<void> {
  const wallMs = rt.clock.wall();
  const tally = tallies.get(channel) ?? { answered: 0, latencyMs: 0, latencyMaxMs: 0, toldMs: 0, silent: false };
  tallies.set(channel, tally);
  const latencyMs = Math.max(0, wallMs - begunMs);
  tally.answered += 1;
  tally.latencyMs += latencyMs;
  tally.latencyMaxMs = Math.max(tally.latencyMaxMs, latencyMs);
  if (!tally.silent && wallMs - tally.toldMs < TELL_EVERY_MS) return;
  const { answered, latencyMs: total, latencyMaxMs } = tally;
  Object.assign(tally, { answered: 0, latencyMs: 0, latencyMaxMs: 0, toldMs: wallMs, silent: false });
  await rt.db.withTx(
    'note-channel-success',
    async (tx) => {
      await noteChannelSuccess(tx, channel, wallMs);
      await endUnanswered(tx, channel);
      await addMinute(tx, { channel, minuteMs: minuteOf(wallMs), answered, unanswered: 0, latencyMs: total, latencyMaxMs });
      return true;
    },
    async () => true,
  );
}

async function noteSilence({ rt, tallies }: Desk, channel: ChannelCode): Promise<void> {
  const wallMs = rt.clock.wall();
  const tally = tallies.get(channel);
  if (tally !== undefined) tally.silent = true;
  else tallies.set(channel, { answered: 0, latencyMs: 0, latencyMaxMs: 0, toldMs: 0, silent: true });
  await rt.db.withTx(
    'note-channel-silence',
    async (tx) => {
      await noteUnanswered(tx, channel, wallMs);
      await addMinute(tx, { channel, minuteMs: minuteOf(wallMs), answered: 0, unanswered: 1, latencyMs: 0, latencyMaxMs: 0 });
      return true;
    },
    async () => true,
  );
}

function minuteOf(wallMs: number): Instant {
  return (wallMs - (wallMs % MINUTE_MS)) as Instant;
}
