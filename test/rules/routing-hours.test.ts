import { describe, expect, it } from '@jest/globals';
import type { ChannelCode } from '../../src/channels/index.js';
import { toRfc3339 } from '../../src/kernel/index.js';
import { arrivalOf, openState, openUntil, windowsOf } from '../../src/routing/hours.js';

import { at, outage, position } from './channel-stage.js';

const shown = (moment: number | undefined) =>
  moment === undefined
    ? undefined
    : toRfc3339(moment as never)
        .slice(0, 16)
        .replace('T', ' ');

function look(channel: ChannelCode, moment: string, hours = position()) {
  const windows = windowsOf(hours, channel, at(moment));
  return {
    windows,
    state: openState(hours, channel, at(moment), windows),
    opens: shown(windows[0]?.from),
    closes: shown(openUntil(windows)),
  };
}

describe('HVPS is open from 20:30 of the day before each working day to 17:15', () => {
  it.each([
    // Friday: open until 17:15, and its evening opens nothing, since Saturday is off. But here Sunday the 28th is worked.
    ['2025-09-26 09:00', 'open', '2025-09-26 09:00', '2025-09-26 17:15'],
    ['2025-09-26 17:14:59', 'open', '2025-09-26 17:14', '2025-09-26 17:15'],
    ['2025-09-26 17:15', 'closed', '2025-09-27 20:30', '2025-09-28 17:15'],
    ['2025-09-26 20:30', 'closed', '2025-09-27 20:30', '2025-09-28 17:15'],
    ['2025-09-27 12:00', 'closed', '2025-09-27 20:30', '2025-09-28 17:15'],
    ['2025-09-28 10:00', 'open', '2025-09-28 10:00', '2025-09-28 17:15'], // a joined working Sunday counts
    ['2025-09-28 20:29:59', 'closed', '2025-09-28 20:30', '2025-09-29 17:15'],
    ['2025-09-28 20:30', 'open', '2025-09-28 20:30', '2025-09-29 17:15'],
    // The holiday of eight days: its eve at 20:30 opens nothing, its last day at 20:30 does.
    ['2025-09-30 17:15', 'closed', '2025-10-08 20:30', '2025-10-09 17:15'],
    ['2025-09-30 20:30', 'closed', '2025-10-08 20:30', '2025-10-09 17:15'],
    ['2025-10-01 02:00', 'closed', '2025-10-08 20:30', '2025-10-09 17:15'],
    ['2025-10-08 20:29:59', 'closed', '2025-10-08 20:30', '2025-10-09 17:15'],
    ['2025-10-08 20:30', 'open', '2025-10-08 20:30', '2025-10-09 17:15'],
    ['2025-10-10 21:00', 'open', '2025-10-10 21:00', '2025-10-11 17:15'], // Friday evening before a worked Saturday
    ['2025-10-11 17:15', 'closed', '2025-10-12 20:30', '2025-10-13 17:15'], // and an ordinary Sunday evening
    ['2025-01-27 21:00', 'closed', '2025-02-04 20:30', '2025-02-05 17:15'], // 春节
    ['2025-04-27 08:00', 'open', '2025-04-27 08:00', '2025-04-27 17:15'],
    ['2026-02-27 20:30', 'open', '2026-02-27 20:30', '2026-02-28 17:14'], // and from this year on nothing in the last minute
    ['2026-03-02 17:13:59', 'open', '2026-03-02 17:13', '2026-03-02 17:14'],
    ['2026-03-02 17:14', 'closed', '2026-03-02 20:30', '2026-03-03 17:14'],
    ['2026-03-02 17:15', 'closed', '2026-03-02 20:30', '2026-03-03 17:14'],
  ])('at %s: %s, opens %s, closes %s', (moment, state, opens, closes) => {
    expect(look('hvps', moment)).toMatchObject({ state, opens, closes });
  });

  it.each([
    ['2017-10-09 08:29', 'closed', '2017-10-09 08:30', '2017-10-09 17:00'],
    ['2018-01-21 23:29', 'closed', '2018-01-21 23:30', '2018-01-22 17:15'], // the first session with the new hours begins the evening before
    ['2018-01-23 20:30', 'closed', '2018-01-23 23:30', '2018-01-24 17:15'],
    ['2018-05-01 20:29', 'closed', '2018-05-01 20:30', '2018-05-02 17:15'],
    ['2018-05-01 20:30', 'open', '2018-05-01 20:30', '2018-05-02 17:15'],
    ['2016-03-31 10:00', 'closed', '2016-04-01 08:30', '2016-04-01 17:00'],
  ])('with the hours of its time, at %s: %s, opens %s, closes %s', (moment, state, opens, closes) => {
    expect(look('hvps', moment)).toMatchObject({ state, opens, closes });
  });
});

describe('BEPS, IBPS and the own book never close but for outages', () => {
  it.each(['book', 'beps', 'ibps', 'unionpay', 'psp', 'collect'] as const)('%s', (channel) => {
    for (const moment of ['2025-10-01 03:00', '2025-09-26 20:30', '2025-09-28 17:20'])
      expect(look(channel, moment)).toMatchObject({ state: 'open', closes: undefined });
  });
});

describe('an outage closes', () => {
  const down = position({
    outages: [outage('beps', '2017-10-28 00:00', '2017-10-28 08:00'), outage('hvps', '2025-09-26 16:00', null)],
  });
  it.each([
    ['beps', '2017-10-27 23:59', 'open', '2017-10-27 23:59', '2017-10-28 00:00'],
    ['beps', '2017-10-28 00:00', 'maintenance', '2017-10-28 08:00', undefined],
    ['beps', '2017-10-28 08:00', 'open', '2017-10-28 08:00', undefined],
    ['hvps', '2025-09-26 15:00', 'open', '2025-09-26 15:00', '2025-09-26 16:00'],
    ['hvps', '2025-09-26 16:30', 'maintenance', undefined, undefined],
  ] as const)('%s at %s: %s, opens %s, closes %s', (channel, moment, state, opens, closes) => {
    expect(look(channel, moment, down)).toMatchObject({ state, opens, closes });
  });

  it('that runs into closing time lets the channel open with its next session', () => {
    const until = position({ outages: [outage('hvps', '2025-09-26 16:00', '2025-09-26 19:00')] });
    expect(look('hvps', '2025-09-26 16:30', until).opens).toBe('2025-09-27 20:30');
  });
});

describe('a payment arrives', () => {
  const arrives = (channel: ChannelCode, moment: string, hours = position()) => {
    const arrival = arrivalOf(hours, windowsOf(hours, channel, at(moment)));
    return { at: shown(arrival?.at), provisional: arrival?.provisional };
  };
  it.each([
    ['book', '2025-10-01 03:00', '2025-10-01 03:00'],
    ['ibps', '2025-10-01 03:00', '2025-10-01 03:01'],
    ['beps', '2025-09-26 14:29', '2025-09-26 15:00'], // the round of 14:30, and half an hour
    ['beps', '2025-09-26 14:30', '2025-09-26 16:30'], // that round is gone
    ['beps', '2025-09-26 21:00', '2025-09-27 01:00'], // the first of the next day, also on a day off
    ['hvps', '2025-09-26 17:14', '2025-09-26 17:16'],
  ] as const)('%s sent at %s: %s', (channel, moment, expected) => {
    expect(arrives(channel, moment)).toEqual({ at: expected, provisional: false });
  });

  it('with the first round after an outage, since none is held while it lasts', () => {
    const down = position({ outages: [outage('beps', '2025-09-26 14:15', '2025-09-26 17:00')] });
    expect(arrives('beps', '2025-09-26 14:00', down).at).toBe('2025-09-26 19:00');
  });

  it('provisionally, when it hangs on a year whose calendar nobody knows yet', () => {
    expect(arrives('hvps', '2027-01-04 10:00')).toEqual({ at: '2027-01-04 10:02', provisional: true });
    expect(arrives('beps', '2026-12-31 22:00')).toEqual({ at: '2027-01-01 01:00', provisional: true });
    expect(look('hvps', '2026-12-31 17:15').windows[0]).toMatchObject({ provisional: true });
  });
});
