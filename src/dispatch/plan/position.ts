import { z } from 'zod';
import { CHANNELS, type ChannelCode } from '../../channels/index.js';
import type { Instant, Minor } from '../../kernel/index.js';
import type { Position } from '../../routing/index.js';

/** What the channels had left when a batch was routed; what else a position has is in the dated rows. */
export type KeptPosition = Pick<Position, 'floats' | 'carried' | 'circuits'>;

const byChannel = <T extends z.ZodType>(value: T) => z.partialRecord(z.enum(CHANNELS), value);
const Kept = z.strictObject({
  floats: byChannel(z.string().nullable()),
  carried: byChannel(z.int()),
  circuits: byChannel(z.int()),
});

/** A position as it is kept with a plan. */
export function showPosition({ floats, carried, circuits }: KeptPosition): string {
  const text = (value: Minor | null) => (value === null ? null : value.toString());
  return JSON.stringify({
    floats: Object.fromEntries([...floats].map(([channel, free]) => [channel, text(free)])),
    carried: Object.fromEntries(carried),
    circuits: Object.fromEntries(circuits),
  });
}

/** The position that was kept with a plan. @throws when we did not write it */
export function readPosition(text: string): KeptPosition {
  const { floats, carried, circuits } = Kept.parse(JSON.parse(text));
  return {
    floats: new Map(entriesOf(floats).map(([channel, free]) => [channel, free === null ? null : BigInt(free)])),
    carried: new Map(entriesOf(carried)),
    circuits: new Map(entriesOf(circuits).map(([channel, until]) => [channel, until as Instant])),
  };
}

function entriesOf<T>(record: Partial<Record<ChannelCode, T>>): [ChannelCode, T][] {
  return Object.entries(record) as [ChannelCode, T][];
}
