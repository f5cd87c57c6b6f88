import { CHANNELS, type ChannelCode } from '../../src/channels/index.js';
import type { BusinessDate, Calendar, Id, Instant } from '../../src/kernel/index.js';
import { parseInstant } from '../../src/kernel/index.js';
import { CALENDAR_DAYS, CALENDAR_YEARS } from '../../src/migrations/data/calendar.js';
import { CHANNEL_TERMS } from '../../src/migrations/data/channel-terms.js';
import {
  type ChannelTable,
  channelTable,
  type Outage,
  type Position,
  type Routable,
  termsSchema,
} from '../../src/routing/index.js';

/** The calendar and the channels as they are shipped, without a database. */
const calendar: Calendar = {
  exceptions: new Map(
    CALENDAR_DAYS.flatMap(([year, , days]) =>
      days.split(' ').map((day) => [`${year}-${day.slice(0, 5)}`, day.endsWith('+')] as const),
    ),
  ),
  knownYears: new Set(
    Array.from({ length: CALENDAR_YEARS.last - CALENDAR_YEARS.first + 1 }, (_, at) => String(CALENDAR_YEARS.first + at)),
  ),
};

export const shippedRows = CHANNEL_TERMS.map(([channel, validFrom, terms, source]) => ({
  channel: channel as ChannelCode,
  validFrom: validFrom as BusinessDate,
  terms: termsSchema.parse(terms),
  source,
}));

/** A moment in Shanghai: `2025-09-26 17:14:59`. */
export function at(text: string): Instant {
  const instant = parseInstant(`${text.replace(' ', 'T')}${text.length === 16 ? ':00' : ''}+08:00`);
  if (instant === undefined) throw new Error(`no moment: ${text}`);
  return instant;
}

export function outage(channel: ChannelCode, from: string, to: string | null): Outage {
  return { id: '2236512894231552003' as Id, channel, fromMs: at(from), toMs: to === null ? null : at(to), reason: 'maintenance' };
}

/** Every channel as shipped, with all the float in the world unless told otherwise. */
export function position(of: Partial<Position> & { readonly outages?: readonly Outage[] } = {}): Position {
  const table: ChannelTable = channelTable(shippedRows, of.outages ?? []);
  return {
    table,
    calendar,
    floats: new Map(CHANNELS.map((channel) => [channel, null])),
    carried: new Map(),
    circuits: new Map(),
    ...of,
  };
}

let made = 0;
export function payout(amount: bigint, of: Partial<Routable> = {}): Routable {
  made += 1;
  const id = String(2236512894231552003n + BigInt(made)) as Id;
  return { id, amount, bankCode: '102100099996', collects: false, createdMs: at('2025-09-26 10:00'), ...of };
}
