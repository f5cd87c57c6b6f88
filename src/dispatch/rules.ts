import type { ChannelCode } from '../channels/index.js';
import { invariant, maskCardNumber, maskName } from '../kernel/index.js';
import type { Payout } from '../payouts/index.js';

const FIRST_QUERY_MS = 2_000;
export const QUERY_DELAY_MAX_MS = 300_000;
const REASON_MAX = 128; // what the books keep

/** @throws when it was not routed */
export function channelOf(payout: Payout): ChannelCode {
  invariant(payout.channel, `payout ${payout.id} has a channel`);
  return payout.channel;
}

/** How long to wait before a payout is asked after, by how often it was sent, asked after or put off before: 2 s doubling to 5 min. */
export function queryDelayMs(attempts: number): number {
  return Math.min(FIRST_QUERY_MS * 2 ** Math.min(attempts, 16), QUERY_DELAY_MAX_MS);
}

/** Words of a channel without the payee's name and account number in them: they are kept and shown as they are. */
export function withoutPayee(reason: string | undefined, { name, account }: Payout['payee']): string | undefined {
  const masked = account === '' ? reason : reason?.replaceAll(account, maskCardNumber(account));
  return name === '' ? masked : masked?.replaceAll(name, maskName(name));
}

/** Words from outside in the form that the books take: one line, at most 128 characters, never empty. */
export function tidyReason(reason: string | undefined, otherwise = 'no reason given'): string {
  let tidy = '';
  for (const char of (reason ?? '').replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim()) {
    if (tidy.length + char.length > REASON_MAX) break;
    tidy += char;
  }
  return tidy.trim() || otherwise;
}

/** Things of one key together, in the order in which the keys came. */
export function groupBy<T, K>(things: readonly T[], keyOf: (thing: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return groups;
}
