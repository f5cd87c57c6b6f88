import type { ChannelCode } from '../../channels/index.js';
import type { Id, Minor } from '../../kernel/index.js';
import { routeBatch } from '../../routing/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { situationNow } from './situation.js';

/** By which channels payouts would go now. Fen. */
export interface Forecast {
  readonly channels: readonly {
    readonly channel: ChannelCode;
    readonly payouts: number;
    readonly amount: Minor;
    readonly cost: Minor;
  }[];
  /** Those that no channel would carry now. */
  readonly waiting: number;
}

/**
 * How a clearing would be routed if it were paid now, with the floats as we last knew them. Nothing is reserved or written, and no channel is
 * asked: when it is paid the channels may have other floats.
 */
export async function forecastClearing(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  payments: readonly { readonly id: Id; readonly amount: Minor; readonly bankCode: string }[],
): Promise<Forecast> {
  const wanted = payments.map((payment) => ({
    ...payment,
    createdMs: rt.clock.now(),
    purpose: 'clearing' as const,
    attempts: 0,
  }));
  const { payouts, position, atMs } = await situationNow(tx, rt, wanted);
  const { routes } = routeBatch(payouts, position, atMs);
  const by = new Map<ChannelCode, { payouts: number; amount: Minor; cost: Minor }>();
  for (const [place, route] of routes.entries()) {
    if (route.channel === null) continue;
    const { channel, cost } = route;
    const sum = by.get(channel) ?? { payouts: 0, amount: 0n, cost: 0n };
    const { amount } = payments[place] as (typeof payments)[number];
    by.set(channel, { payouts: sum.payouts + 1, amount: sum.amount + amount, cost: sum.cost + cost });
  }
  const channels = [...by].map(([channel, of]) => ({ channel, ...of })).sort((a, b) => b.payouts - a.payouts);
  return { channels, waiting: routes.filter(({ channel }) => channel === null).length };
}
