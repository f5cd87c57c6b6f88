import { BankUnreachable, type ChannelCode, hasFloat, PAYING_CHANNELS } from '../../channels/index.js';
import type { Instant, Minor } from '../../kernel/index.js';
import { faultOf } from '../../runtime/index.js';
import type { Desk } from '../desk.js';
import { callChannel } from '../health/health.js';
import { forgetMinutes } from '../health/store.js';
import { bookFloats, floatsNow } from './floats.js';
import { differenceOf, differsSince } from './rules.js';
import { type Float, loadFloats, noteTold, unheard } from './store.js';
import { approvedTransfers } from './transfer-store.js';
import { proposeNeeded } from './transfers.js';

/** Wall time between two questions to one channel. */
const ASK_EVERY_MS = 5 * 60_000;
const TRANSFERS_MAX = 500;
/** How channels answered is shown for an hour, and kept for a week to look back on. */
const MINUTES_KEPT_MS = 7 * 86_400_000;

/**
 * Asks each channel what is left of the bank's money there, every five minutes of wall time and at once after money was moved, and holds it against the books: people
 * are told when less than the alert mark is free, and when a channel has told something else twice in a row. Then what is lacking
 * somewhere is proposed to be moved there. Answers how many channels told.
 */
export async function watchFloats(desk: Desk): Promise<number> {
  const { rt, floatsAsked } = desk;
  const wallMs = rt.clock.wall();
  const known = await rt.db.read('floats', loadFloats);
  const due = PAYING_CHANNELS.filter((channel) => {
    const askedMs = floatsAsked.get(channel);
    const lastMs = askedMs === 0 ? 0 : Math.max(known.get(channel)?.toldMs ?? 0, askedMs ?? 0);
    return hasFloat(channel) && (lastMs === 0 || lastMs + ASK_EVERY_MS <= wallMs);
  });
  if (due.length === 0) return 0;
  for (const channel of due) floatsAsked.set(channel, wallMs);
  await (due.every((channel) => known.has(channel)) ? bookFloats(desk) : floatsNow(desk));
  let told = 0;
  for (const channel of due) if (known.has(channel) && (await askOne(desk, channel))) told += 1;
  await proposeNeeded(desk);
  await rt.db.withTx(
    'forget-minutes',
    (tx) => forgetMinutes(tx, (wallMs - MINUTES_KEPT_MS) as Instant).then(() => true),
    async () => true,
  );
  return told;
}

async function askOne(desk: Desk, channel: ChannelCode): Promise<boolean> {
  const { rt, channels } = desk;
  try {
    const before = await shouldTell(desk, channel);
    const told = await callChannel(desk, channel, () => channels.channels[channel].float());
    const after = await shouldTell(desk, channel);
    if (told === undefined || before === undefined || after === undefined) return false;
    const difference = differenceOf(told, before.amount, after.amount);
    const toldMs = rt.clock.wall();
    const differsMs = differsSince(difference, after.float.differsMs, toldMs);
    await rt.db.withTx(
      'note-float',
      (tx) => noteTold(tx, { channel, told, toldMs, difference, differsMs }).then(() => true),
      async () => undefined,
    );
    alarm(desk, after.float, { difference, persists: differsMs !== null && differsMs < toldMs });
    return true;
  } catch (error) {
    if (!(error instanceof BankUnreachable)) throw error;
    rt.log.warn({ event: 'channel.float-unreachable', channel, error: faultOf(error) });
    return false;
  }
}

/** What a channel should tell: what is free, and what is reserved for what it has not heard of. */
async function shouldTell({ rt }: Pick<Desk, 'rt'>, channel: ChannelCode): Promise<{ amount: Minor; float: Float } | undefined> {
  return rt.db.snapshot('float-should-be', async (tx) => {
    const float = (await loadFloats(tx)).get(channel);
    if (float === undefined) return undefined;
    const leaving = (await approvedTransfers(tx, TRANSFERS_MAX)).filter(({ from }) => from === channel);
    const reserved = leaving.reduce((sum, { amount }) => sum + amount, (await unheard(tx)).get(channel) ?? 0n);
    return { amount: float.balance - float.reserved + reserved, float };
  });
}

function alarm(
  { rt: { log } }: Pick<Desk, 'rt'>,
  { channel, balance, reserved, alertBelow }: Float,
  { difference, persists }: { difference: Minor; persists: boolean },
): void {
  const free = balance - reserved;
  if (alertBelow !== null && free < alertBelow)
    log.error({ event: 'float.below-mark', channel, free: String(free), mark: String(alertBelow) });
  if (persists) log.error({ event: 'float.differs', channel, difference: String(difference) });
}
