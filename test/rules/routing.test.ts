import { describe, expect, it } from '@jest/globals';
import { CHANNELS, type ChannelCode } from '../../src/channels/index.js';
import { toRfc3339 } from '../../src/kernel/index.js';
import { channelTable, type Route, routeOne, termsSchema } from '../../src/routing/index.js';
import { priceOf } from '../../src/routing/terms.js';
import { at, outage, payout, position, shippedRows } from './channel-stage.js';

const FRIDAY = at('2025-09-26 10:00');
const SATURDAY = at('2025-09-27 10:00');
const shown = (moment: number | null) =>
  moment === null
    ? null
    : toRfc3339(moment as never)
        .slice(0, 16)
        .replace('T', ' ');

function whyNot(route: Route): Record<string, string> {
  return Object.fromEntries(route.others.flatMap((one) => (one.may ? [] : [[one.channel, one.why]])));
}

function without(...channels: ChannelCode[]) {
  return { refusedBy: channels };
}

describe('who banks with the custodian is paid in its own book and nowhere else', () => {
  it.each(['', '999100000011'])('bank code %j', (bankCode) => {
    const route = routeOne(payout(1_000_000_00n, { bankCode }), position(), SATURDAY);
    expect(route).toMatchObject({ channel: 'book', cost: 0n, arrivesAt: SATURDAY });
    expect(whyNot(route)).toEqual(Object.fromEntries(CHANNELS.filter((one) => one !== 'book').map((one) => [one, 'reach'])));
  });

  it('and waits when the book refused him', () => {
    expect(routeOne(payout(1n, { bankCode: '', ...without('book') }), position(), FRIDAY)).toMatchObject({
      channel: null,
      tryAgainAt: null,
    });
  });
});

describe('a payment of the limit passes, one fen more does not, and nothing is split', () => {
  it.each([
    [50_000_00n, 'beps'],
    [50_000_01n, 'hvps'],
  ] as const)('%s fen go by %s', (amount, channel) => {
    const at = routeOne(payout(amount, without('psp')), position(), FRIDAY);
    expect(at.channel).toBe(channel);
  });

  it.each(['beps', 'ibps', 'unionpay'] as const)('%s', (channel) => {
    const others = without(...CHANNELS.filter((one) => one !== channel));
    expect(routeOne(payout(50_000_00n, others), position(), FRIDAY).channel).toBe(channel);
    const over = routeOne(payout(50_000_01n, others), position(), FRIDAY);
    expect(over).toMatchObject({ channel: null, tryAgainAt: null });
    expect(whyNot(over)[channel]).toBe('above-limit');
  });

  it('on a day off a large one waits for the next session of HVPS', () => {
    const route = routeOne(payout(200_000_01n), position(), SATURDAY);
    expect(route.channel).toBeNull();
    expect(route.channel === null && shown(route.tryAgainAt)).toBe('2025-09-27 20:30');
    expect(whyNot(route)).toMatchObject({
      hvps: 'closed',
      beps: 'above-limit',
      psp: 'above-limit',
      book: 'reach',
      collect: 'reach',
    });
  });

  it('a limit may differ by day type, and one that is higher on days off is waited for', () => {
    const beps = shippedRows
      .filter(({ channel }) => channel === 'beps')
      .map((row) => {
        const limits = { working: { min: 1, max: 50_000_00 }, off: { min: 1, max: 500_000_00 } };
        return { ...row, terms: termsSchema.parse({ ...row.terms, limits }) };
      });
    const table = channelTable(beps, []);
    expect(routeOne(payout(500_000_00n), position({ table }), SATURDAY).channel).toBe('beps');
    expect(routeOne(payout(500_000_01n), position({ table }), SATURDAY).channel).toBeNull();
    const friday = routeOne(payout(500_000_00n), position({ table }), FRIDAY);
    expect(friday.channel === null && shown(friday.tryAgainAt)).toBe('2025-09-27 00:00');
  });
});

describe('a price is that of the tier of the amount', () => {
  const terms = (channel: string, on = '2025-09-26') => position().table.on(on as never, channel as ChannelCode) as never;
  it.each([
    ['hvps', 10_000_00n, 5_00n],
    ['hvps', 10_000_01n, 10_00n],
    ['hvps', 1_000_000_00n, 20_00n],
    ['hvps', 1_000_000_01n, 20_00n], // 20 in a million
    ['hvps', 10_000_000_00n, 200_00n],
    ['hvps', 99_000_000_00n, 200_00n], // at most
    ['psp', 1n, 80n], // at least
    ['psp', 1_500_00n, 90n],
    ['psp', 1_508_33n, 90n], // 90.4998
    ['psp', 1_508_34n, 91n], // 90.5004: half up
    ['psp', 200_000_00n, 10_00n],
    ['beps', 50_000_00n, 45n],
  ] as const)('%s of %s fen costs %s', (channel, amount, fee) => {
    expect(priceOf(terms(channel), amount)).toBe(fee);
  });

  it('and of its day', () => {
    expect(priceOf(terms('beps', '2021-09-29'), 1n)).toBe(50n);
    expect(priceOf(terms('beps', '2021-09-30'), 1n)).toBe(45n);
  });
});

describe('what a channel has left', () => {
  it('a float takes what it holds to the fen', () => {
    const floats = new Map([['ibps', 100n] as const, ['beps', 99n] as const]);
    const route = routeOne(payout(100n), position({ floats }), FRIDAY);
    expect(route.channel).toBe('ibps');
    expect(whyNot(route)).toMatchObject({ beps: 'float', hvps: 'float', unionpay: 'float' });
    const none = routeOne(payout(101n), position({ floats }), FRIDAY);
    expect(none).toMatchObject({ channel: null, tryAgainAt: FRIDAY + 300_000 });
  });

  it('a capacity counts payments of a day', () => {
    const only = without('beps', 'ibps', 'hvps', 'psp');
    expect(routeOne(payout(1n, only), position({ carried: new Map([['unionpay', 199_999]]) }), FRIDAY).channel).toBe('unionpay');
    const full = routeOne(payout(1n, only), position({ carried: new Map([['unionpay', 200_000]]) }), FRIDAY);
    expect(whyNot(full).unionpay).toBe('capacity');
    expect(full.channel === null && shown(full.tryAgainAt)).toBe('2025-09-27 00:00');
  });

  it('neither an open circuit nor maintenance is routed over', () => {
    const until = at('2025-09-26 10:05');
    const of = position({
      circuits: new Map([['beps', until]]),
      outages: [outage('ibps', '2025-09-26 09:00', '2025-09-26 11:00')],
    });
    const route = routeOne(payout(1n), of, FRIDAY);
    expect(route.channel).toBe('psp');
    expect(whyNot(route)).toMatchObject({ beps: 'circuit-open', ibps: 'maintenance' });
    expect(route.others.find(({ channel }) => channel === 'beps')).toMatchObject({ until });
    expect(routeOne(payout(1n), of, until).channel).toBe('beps');
  });
});

describe('a promised speed', () => {
  const small = (arrivesBy: string) => routeOne(payout(1_000_00n, { arrivesBy: at(arrivesBy) }), position(), FRIDAY);
  it('that all keep leaves the cheapest', () => {
    expect(small('2025-09-26 11:00')).toMatchObject({ channel: 'beps', promise: 'kept', cost: 45n });
  });
  it('takes the cheapest of those that keep it', () => {
    expect(small('2025-09-26 10:59:59')).toMatchObject({ channel: 'ibps', promise: 'kept', cost: 54n });
    expect(small('2025-09-26 10:01')).toMatchObject({ channel: 'ibps', promise: 'kept' });
  });
  it('that none can keep takes the one by which it arrives first, and says so', () => {
    expect(small('2025-09-26 10:00:59')).toMatchObject({ channel: 'ibps', promise: 'late', arrivesAt: at('2025-09-26 10:01') });
  });
});

describe('a collection', () => {
  it('goes over the collecting channels alone, whatever bank the card is of, and needs no float', () => {
    for (const bankCode of ['', '102100099996']) {
      const route = routeOne(payout(100_00n, { bankCode, collects: true }), position({ floats: new Map() }), FRIDAY);
      expect(route).toMatchObject({ channel: 'collect', cost: 20n });
      expect(whyNot(route).book).toBe('reach');
    }
  });
});

describe('terms that make no sense are refused', () => {
  const good = shippedRows.find(({ channel }) => channel === 'hvps')?.terms as object;
  it.each([
    ['a price without an end', { price: [{ upTo: 100, fee: 1 }] }],
    [
      'tiers that do not rise',
      {
        price: [
          { upTo: 100, fee: 1 },
          { upTo: 100, fee: 2 },
          { upTo: null, fee: 3 },
        ],
      },
    ],
    ['a limit upside down', { limits: { working: { min: 2, max: 1 }, off: { min: 1, max: null } } }],
    ['rounds out of order', { rounds: ['10:00', '09:00'] }],
    ['a time that is none', { rounds: ['24:00'] }],
    ['closing before it opens', { hours: { open: 'working-days', from: '17:00', fromDay: 'same-day', to: '09:00' } }],
    ['half a fen', { price: [{ upTo: null, fee: 0.5 }] }],
  ])('%s', (_what, wrong) => {
    expect(termsSchema.safeParse({ ...good, ...wrong }).success).toBe(false);
    expect(termsSchema.safeParse(good).success).toBe(true);
  });
});
