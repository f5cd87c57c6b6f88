import { createRequire } from 'node:module';
import { test as property } from '@fast-check/jest';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { LegacyHighs } from 'highs';
import { CHANNELS, type ChannelCode } from '../../src/channels/index.js';
import { type Assignment, assign, type Bid, type Place } from '../../src/routing/assign.js';
import { type Routable, routeBatch, whatIf } from '../../src/routing/index.js';
import { at, payout, position } from './channel-stage.js';

// Its types say one thing of the module and Node another; so it is loaded by its name.
const loadHighs = createRequire(import.meta.url)('highs') as () => Promise<LegacyHighs>;
let highs: LegacyHighs;
beforeAll(async () => {
  highs = await loadHighs();
});

interface Batch {
  readonly places: readonly Place[];
  readonly bids: readonly Bid[];
}

const PLACES = 4;
const batches = fc
  .record({
    places: fc.array(
      fc.record({ share: fc.integer({ min: 0, max: 70 }), capacity: fc.option(fc.integer({ min: 0, max: 5 }), { nil: null }) }),
      {
        ...{ minLength: PLACES, maxLength: PLACES },
      },
    ),
    bids: fc.array(
      fc.record({
        amount: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 10_000_000 })),
        options: fc.uniqueArray(
          fc.record({
            place: fc.integer({ min: 0, max: PLACES - 1 }),
            cost: fc.integer({ min: 0, max: 300 }),
            late: fc.boolean(),
          }),
          { selector: ({ place }) => place, maxLength: PLACES },
        ),
      }),
      { maxLength: 11 },
    ),
  })
  .map(({ places, bids }): Batch => {
    const total = bids.reduce((sum, { amount }) => sum + amount, 0);
    return {
      places: places.map(({ share, capacity }) => ({
        float: share > 60 ? null : BigInt(Math.floor((total * share) / 100)),
        capacity,
      })),
      bids: bids.map(({ amount, options }) => ({
        amount: BigInt(amount),
        options: options.map((option) => ({ ...option, cost: BigInt(option.cost) })),
      })),
    };
  });

/** The exact optimum by the solver: first fewest that wait, then fewest that are late, then least cost; all weighed into one whole number. */
function solved({ places, bids }: Batch): { waiting: number; late: number; cost: number } {
  if (bids.length === 0) return { waiting: 0, late: 0, cost: 0 };
  const [late, wait] = [10_000, 10_000 * 20];
  const cost: string[] = [];
  const ones: string[] = [];
  const uses = places.map(() => ({ float: [] as string[], count: [] as string[] }));
  for (const [i, { amount, options }] of bids.entries()) {
    cost.push(`${wait} w${i}`);
    for (const { place, cost: fee, late: isLate } of options) {
      cost.push(`${Number(fee) + (isLate ? late : 0)} x${i}c${place}`);
      uses[place]?.float.push(`${amount} x${i}c${place}`);
      uses[place]?.count.push(`x${i}c${place}`);
    }
    ones.push([`w${i}`, ...options.map(({ place }) => `x${i}c${place}`)].join(' + '));
  }
  const rows = ones.map((one) => `${one} = 1`);
  for (const [place, { float, count }] of uses.entries()) {
    const limits = places[place] as Place;
    if (limits.float !== null && float.length > 0) rows.push(`${float.join(' + ')} <= ${limits.float}`);
    if (limits.capacity !== null && count.length > 0) rows.push(`${count.join(' + ')} <= ${limits.capacity}`);
  }
  const names = [...new Set(ones.flatMap((one) => one.split(' + ')))];
  const text = `Minimize\n o: ${cost.join(' + ')}\nSubject To\n${rows.map((row, at) => ` r${at}: ${row}`).join('\n')}\nBinary\n ${names.join(' ')}\nEnd\n`;
  const { Status, ObjectiveValue } = highs.solve(text, { mip_rel_gap: 0, mip_abs_gap: 0, mip_feasibility_tolerance: 1e-9 });
  expect(Status).toBe('Optimal');
  const value = Math.round(ObjectiveValue);
  return { waiting: Math.floor(value / wait), late: Math.floor((value % wait) / late), cost: value % late };
}

/** Everyone once, by a channel of his own or waiting; no float and no capacity exceeded; the sums are those of what was assigned. */
function expectSound({ places, bids }: Batch, { places: taken, cost, bound, waiting, late }: Assignment): void {
  expect(taken).toHaveLength(bids.length);
  const sums = { cost: 0n, late: 0 };
  const used = places.map(() => ({ float: 0n, count: 0 }));
  for (const [i, place] of taken.entries()) {
    if (place === null) continue;
    const option = bids[i]?.options.find((one) => one.place === place);
    expect(option).toBeDefined();
    sums.cost += option?.cost ?? 0n;
    sums.late += option?.late ? 1 : 0;
    const of = used[place] as { float: bigint; count: number };
    of.float += bids[i]?.amount ?? 0n;
    of.count += 1;
  }
  for (const [place, { float, count }] of used.entries()) {
    const limits = places[place] as Place;
    expect(limits.float === null || float <= limits.float).toBe(true);
    expect(limits.capacity === null || count <= limits.capacity).toBe(true);
  }
  expect({ cost, waiting, late }).toEqual({ ...sums, waiting: taken.filter((place) => place === null).length });
  expect(bound <= cost).toBe(true);
}

describe('a small batch is assigned as the solver assigns it', () => {
  property.prop([batches], { numRuns: 400, seed: 20250926 })(
    'fewest wait, fewest are late, least cost; and it is proved',
    (batch) => {
      const assigned = assign(batch.places, batch.bids);
      expectSound(batch, assigned);
      const { waiting, late, cost } = solved(batch);
      expect({ waiting: assigned.waiting, late: assigned.late, cost: Number(assigned.cost) }).toEqual({ waiting, late, cost });
      expect({ bound: assigned.bound, least: assigned.leastWait }).toEqual({ bound: assigned.cost, least: true });
    },
  );

  property.prop([batches], { numRuns: 100, seed: 7 })('the bound holds also where the search is cut short', (batch) => {
    const assigned = assign(batch.places, batch.bids, { nodesMax: 3 });
    expectSound(batch, assigned);
    const best = solved(batch);
    if (assigned.waiting === best.waiting && assigned.late === best.late)
      expect(Number(assigned.bound)).toBeLessThanOrEqual(best.cost);
  });
});

describe('a larger batch', () => {
  const large = (seed: number, size: number): Batch => {
    const numbers = fc.sample(fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 60 })), {
      seed,
      numRuns: size,
    });
    const bids = numbers.map(([a, power]): Bid => {
      const amount = BigInt(Math.ceil((a * 2 ** (power / 10)) / 8));
      const options = [
        { place: 0, cost: 500n + (amount > 1_000_000n ? 500n : 0n), late: false },
        { place: 1, cost: 45n, late: false },
        { place: 2, cost: 54n, late: false },
        { place: 3, cost: (amount * 600n) / 1_000_000n + 80n, late: false },
      ];
      return { amount, options: amount > 5_000_000n ? options.slice(0, 1) : options };
    });
    const total = bids.reduce((sum, { amount }) => sum + amount, 0n);
    return {
      places: [
        { float: (total * 78n) / 100n, capacity: null },
        { float: (total * 14n) / 100n, capacity: Math.floor(size / 3) },
        { float: (total * 10n) / 100n, capacity: Math.floor(size / 4) },
        { float: (total * 10n) / 100n, capacity: Math.floor(size / 3) },
      ],
      bids,
    };
  };

  it.each([1, 2, 3])('with floats and capacities that bind is within a hundredth of the bound (seed %s)', (seed) => {
    const batch = large(seed, 4_000);
    const assigned = assign(batch.places, batch.bids, { nodesMax: 20_000 });
    expectSound(batch, assigned);
    expect(Number(assigned.cost) / Number(assigned.bound)).toBeLessThanOrEqual(1.01);
    expect(assign(batch.places, batch.bids, { nodesMax: 20_000 })).toEqual(assigned);
  });
});

describe('routes of a batch', () => {
  const moment = at('2025-09-26 10:00');
  const FLOATS = new Map(CHANNELS.map((channel) => [channel, null as bigint | null]));

  it('give the cheap float to those who save most by it, and say to the others what they miss', () => {
    // 10,000.00 costs 5.00 by HVPS and 50.00 more 10.00; the float of IBPS holds one of them.
    const payouts = [payout(50_000_00n), payout(10_000_00n)];
    const floats = new Map([
      ...FLOATS,
      ['beps', 0n] as const,
      ['psp', 0n] as const,
      ['unionpay', 0n] as const,
      ['ibps', 50_000_00n] as const,
    ]);
    const { routes, cost, bound } = routeBatch(payouts, position({ floats }), moment);
    expect(routes.map(({ channel }) => channel)).toEqual(['ibps', 'hvps']);
    expect({ cost, bound }).toEqual({ cost: 5_54n, bound: 5_54n });
    expect(routes[1]?.others.find(({ channel }) => channel === 'ibps')).toMatchObject({ may: false, why: 'float' });
    expect(routes[0]?.others.find(({ channel }) => channel === 'hvps')).toMatchObject({ may: true, cost: 10_00n });
  });

  it('let the older of two alike go, whatever the order they come in', () => {
    const floats = new Map([['ibps', 100n] as const]);
    const older = payout(100n, { createdMs: at('2025-09-25 10:00') });
    const younger = payout(100n);
    for (const payouts of [
      [older, younger],
      [younger, older],
    ]) {
      const { routes, waiting } = routeBatch(payouts, position({ floats }), moment);
      expect(waiting).toBe(1);
      expect(routes[payouts.indexOf(older)]).toMatchObject({ channel: 'ibps' });
      expect(routes[payouts.indexOf(younger)]).toMatchObject({ channel: null, tryAgainAt: moment + 300_000 });
    }
  });

  it('keep a promise before they save', () => {
    const floats = new Map<ChannelCode, bigint | null>([
      ['ibps', 100n],
      ['beps', null],
    ]);
    const patient = payout(100n);
    const urgent = payout(100n, { arrivesBy: at('2025-09-26 10:02') });
    const { routes } = routeBatch([patient, urgent], position({ floats }), moment);
    expect(routes.map(({ channel }) => channel)).toEqual(['beps', 'ibps']);
    expect(routes[1]).toMatchObject({ promise: 'kept' });
  });

  it('an own-bank payee stands in no other channel, whatever there is to save', () => {
    const payouts: Routable[] = [payout(1n, { bankCode: '' }), payout(1n)];
    const { routes } = routeBatch(payouts, position(), moment);
    expect(routes.map(({ channel }) => channel)).toEqual(['book', 'beps']);
  });

  it('what-if tells what another float would have cost and who would have gone elsewhere', () => {
    const payouts = [payout(100n), payout(200n)];
    const less = new Map([...FLOATS, ['beps', 100n] as const]);
    expect(whatIf(payouts, moment, position(), position({ floats: less }))).toMatchObject({
      before: { cost: 90n, waiting: 0, channels: [{ channel: 'beps', count: 2, amount: 300n, cost: 90n }] },
      after: { cost: 99n, waiting: 0 },
      costDifference: 9n,
      moved: [{ from: 'beps', to: 'ibps', count: 1, amount: 200n }],
    });
  });
});
