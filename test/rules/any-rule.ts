import fc from 'fast-check';
import type { Bounds, ItemAmounts, Line, Receiver, SplitRule, Take } from '../../src/agreements/rules.js';
import type { Id } from '../../src/kernel/index.js';

/** Arbitrary split rules: up to four levels, percent, fixed amounts and tiers with their bounds, and five parties. */
export const A = '2236512894231552001' as Id;
export const B = '2236512894231552002' as Id;
export const C = '2236512894231552003' as Id;
export const account = (id: Id): Receiver => ({ account: id });

export const line = (to: Line['to'], take: Take, rest: Partial<Line> = {}): Line => ({
  to,
  take,
  min: null,
  max: null,
  rounding: 'half-up',
  ...rest,
});
export const fen = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 100_000_000 })).map(BigInt);
const receiver = fc.constantFrom<Receiver>('seller', 'commission', account(A), account(B), account(C));
const base = fc.constantFrom('whole' as const, 'goods' as const);
const tiers = fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { maxLength: 3 }).chain((ends) =>
  fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: ends.length + 1, maxLength: ends.length + 1 }).map((rates) => {
    const ascending = [...ends].sort((a, b) => a - b);
    return rates.map((rate, place) => ({
      upTo: place < ends.length ? BigInt(ascending[place] as number) : null,
      percent: BigInt(rate),
    }));
  }),
);
const take = (isFirst: boolean) => {
  const of = isFirst ? base : fc.constant('whole' as const);
  return fc.oneof(
    fc.record({ percent: fc.integer({ min: 0, max: 3000 }).map(BigInt), of }),
    fc.record({ fixed: fen }),
    fc.record({ tiers, of }),
  ) as fc.Arbitrary<Take>;
};
const bound = fc.option(fen, { nil: null });
const someLine = (isFirst: boolean) =>
  fc
    .record({
      to: receiver,
      take: take(isFirst),
      min: bound,
      max: bound,
      rounding: fc.constantFrom('half-up' as const, 'down' as const),
    })
    .map((made): Line => (made.min !== null && made.max !== null && made.min > made.max ? { ...made, max: null } : made));
const someLevel = (isFirst: boolean) => fc.record({ lines: fc.array(someLine(isFirst), { maxLength: 4 }), remainder: receiver });

/** A rule of up to four levels: each level after the first is handed an amount by one line of an earlier one. */
export const rules: fc.Arbitrary<SplitRule> = fc
  .record({
    first: someLevel(true),
    below: fc.array(fc.record({ made: someLevel(false), parent: fc.nat(), at: fc.nat(), take: take(false) }), { maxLength: 3 }),
  })
  .map(({ first, below }) => {
    const levels: [string, { lines: Line[]; remainder: Receiver }][] = [['order', first]];
    below.forEach(({ made, parent, at, take: handed }, place) => {
      const above = (levels[parent % levels.length] as (typeof levels)[number])[1];
      above.lines.splice(at % (above.lines.length + 1), 0, line({ level: `l${place}` }, handed));
      levels.push([`l${place}`, made]);
    });
    return { levels: Object.fromEntries(levels) };
  });
export const items: fc.Arbitrary<ItemAmounts> = fc
  .tuple(fen, fen)
  .map(([a, b]) => (a < b ? { whole: b, goods: a } : { whole: a, goods: b }));
export const bounds: fc.Arbitrary<Bounds> = fc.record(
  { others: fc.integer({ min: 0, max: 10_000 }).map(BigInt), commission: fc.integer({ min: 0, max: 10_000 }).map(BigInt) },
  { requiredKeys: [] },
);
