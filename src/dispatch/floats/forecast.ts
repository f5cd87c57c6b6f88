import { type ChannelCode, PAYING_CHANNELS } from '../../channels/index.js';
import { type Minor, naturalDate } from '../../kernel/index.js';
import { type Bare, bareInScope, bringsMoneyIn } from '../../payouts/index.js';
import { type Routable, routeBatch } from '../../routing/index.js';
import type { Runtime } from '../../runtime/index.js';
import { situationNow } from '../plan/situation.js';
import { daysLike, type Outlook, usualOf } from './rules.js';
import { loadFloats, spentBetween } from './store.js';

/** More payouts without a channel are not looked at: they are about to be routed, and then they count as reserved. */
const UNROUTED_MAX = 5_000;

/** How each float that is known stands for the rest of the natural day. */
export async function outlooks(rt: Pick<Runtime, 'db' | 'clock' | 'calendar' | 'config'>): Promise<Outlook[]> {
  const today = naturalDate(rt.clock.now());
  const days = daysLike(rt.calendar, today);
  const { floats, spent } = await rt.db.read('float-outlook', async (tx) => ({
    floats: await loadFloats(tx),
    spent: await spentBetween(tx, days.at(-1) ?? today, today),
  }));
  const unrouted = await unroutedByChannel(rt);
  return [...floats.values()].map(({ channel, balance, reserved, alertBelow }) => ({
    ...{ channel, free: balance - reserved, alertBelow },
    unrouted: unrouted.get(channel) ?? 0n,
    usual: usualOf(spent, channel, days),
    wentOut: spent.find((row) => row.channel === channel && row.date === today)?.spent ?? 0n,
  }));
}

/** What was created and has no channel yet, by the channel that each would take if floats had no end. */
async function unroutedByChannel({
  db,
  clock,
  calendar,
  config,
}: Parameters<typeof outlooks>[0]): Promise<Map<ChannelCode, Minor>> {
  const { payouts, position, atMs } = await db.read('unrouted', async (tx) => {
    const found: Bare[] = [];
    for (let shardId = 0; shardId < config.SHARDS && found.length < UNROUTED_MAX; shardId += 1) {
      const scope = { shardId, states: ['created'], routed: false } as const;
      found.push(...(await bareInScope(tx, scope, UNROUTED_MAX - found.length)).filter((payout) => !bringsMoneyIn(payout)));
    }
    return situationNow(tx, { clock, calendar }, found, new Map(PAYING_CHANNELS.map((channel) => [channel, null])));
  });
  const amounts = new Map<ChannelCode, Minor>();
  for (const [place, { channel }] of routeBatch(payouts, position, atMs).routes.entries())
    if (channel !== null) amounts.set(channel, (amounts.get(channel) ?? 0n) + (payouts[place] as Routable).amount);
  return amounts;
}
