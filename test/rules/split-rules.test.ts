import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { checkRule } from '../../src/agreements/rule-check.js';
import {
  type Bounds,
  compileRule,
  evaluateRule,
  explainRule,
  type Level,
  type Line,
  type Receiver,
  type SplitRule,
  shareOfPart,
} from '../../src/agreements/rules.js';
import type { Id } from '../../src/kernel/index.js';
import { A, account, B, bounds, C, fen, items, line, rules } from './any-rule.js';

const percent = (to: Line['to'], basisPoints: number, rest: Partial<Line> = {}) =>
  line(to, { percent: BigInt(basisPoints), of: 'whole' }, rest);
const ofGoods = (to: Line['to'], basisPoints: number) => line(to, { percent: BigInt(basisPoints), of: 'goods' });
const fixed = (to: Line['to'], fen: number) => line(to, { fixed: BigInt(fen) });
const rule = (order: Level, others: Record<string, Level> = {}): SplitRule => ({ levels: { order, ...others } });
const level = (lines: Line[], remainder: Receiver = 'seller'): Level => ({ lines, remainder });

function given(of: SplitRule, whole: number, goods = whole, bounds: Bounds = {}): Record<string, number> {
  const shares = evaluateRule(compileRule(of, bounds), { whole: BigInt(whole), goods: BigInt(goods) });
  return Object.fromEntries(shares.map((share) => [share.receiver, Number(share.amount)]));
}

describe('a split rule, worked out by hand', () => {
  it('gives a commission of 10 % and the rest to the seller, the half fen rounded up for the commission', () => {
    const of = rule(level([percent('commission', 1000)]));
    expect(given(of, 10000)).toEqual({ commission: 1000, seller: 9000 });
    expect(given(of, 12345)).toEqual({ commission: 1235, seller: 11110 }); // 1234.5
    expect(given(rule(level([percent('commission', 1000, { rounding: 'down' })])), 12345)).toEqual({
      commission: 1234,
      seller: 11111,
    });
    expect(given(of, 1)).toEqual({ seller: 1 });
    expect(given(of, 0)).toEqual({});
  });

  it('takes a rate of the goods without the freight', () => {
    const of = rule(level([ofGoods('commission', 500), percent({ account: A }, 100)]));
    expect(given(of, 11000, 10000)).toEqual({ commission: 500, [A]: 110, seller: 10390 });
  });

  it('takes a rate of several lines, two for one receiver, in all', () => {
    const of = rule(level([percent('commission', 200), fixed('commission', 100)]));
    expect(given(of, 50000)).toEqual({ commission: 1100, seller: 48900 });
  });

  it('climbs a staircase step by step, and rounds once', () => {
    const tiers = [
      { upTo: 10_000n, percent: 1000n },
      { upTo: 100_000n, percent: 500n },
      { upTo: null, percent: 200n },
    ];
    const of = rule(level([line('commission', { tiers, of: 'whole' })]));
    expect(given(of, 10_000).commission).toBe(1000);
    expect(given(of, 10_001).commission).toBe(1000); // 1000.05
    expect(given(of, 10_010).commission).toBe(1001); // 1000.5
    expect(given(of, 150_000).commission).toBe(1000 + 4500 + 1000);
  });

  it('keeps a line between its minimum and its maximum, and the minimum makes no money', () => {
    const of = rule(level([percent('commission', 1000, { min: 100n, max: 500n })]));
    expect(given(of, 200)).toEqual({ commission: 100, seller: 100 });
    expect(given(of, 90)).toEqual({ commission: 90 });
    expect(given(of, 4000)).toEqual({ commission: 400, seller: 3600 });
    expect(given(of, 100_000)).toEqual({ commission: 500, seller: 99_500 });
  });

  it('cuts the lines in their order where they ask for more than there is, and then nothing remains', () => {
    const of = rule(level([fixed(account(A), 300), fixed(account(B), 500), fixed(account(C), 100)]));
    expect(given(of, 1000)).toEqual({ [A]: 300, [B]: 500, [C]: 100, seller: 100 });
    expect(given(of, 600)).toEqual({ [A]: 300, [B]: 300 });
    expect(given(of, 200)).toEqual({ [A]: 200 });
  });

  it('divides what a line hands to a level by the lines of that level, the last fen to its remainder', () => {
    const of = rule(level([percent({ level: 'channel' }, 1000), percent('commission', 500)]), {
      channel: level([percent({ level: 'agents' }, 5000), percent(account(A), 3333)], account(B)),
      agents: level([percent(account(C), 3333)], 'commission'),
    });
    // 999.9 → 1000: of them 500 to the agents (166.65 → 167 and 333), 333.3 → 333 to A, 167 left for B. Commission 499.95 → 500.
    expect(given(of, 9999)).toEqual({ [C]: 167, commission: 333 + 500, [A]: 333, [B]: 167, seller: 8499 });
    const { parts } = explainRule(compileRule(of), { whole: 9999n, goods: 9999n });
    expect(
      parts.map((part) => [
        part.level,
        part.line,
        typeof part.receiver === 'string' ? part.receiver : part.receiver.level,
        part.amount,
      ]),
    ).toEqual([
      ['order', 0, 'channel', 1000n],
      ['channel', 0, 'agents', 500n],
      ['agents', 0, C, 167n],
      ['agents', 'remainder', 'commission', 333n],
      ['channel', 1, A, 333n],
      ['channel', 'remainder', B, 167n],
      ['order', 1, 'commission', 500n],
      ['order', 'remainder', 'seller', 8499n],
    ]);
  });

  it('leaves with the seller what would pass the bound of the others or of the commission on a small item', () => {
    const of = rule(level([fixed('commission', 100), fixed(account(A), 200)]));
    expect(given(of, 1000, 1000, { others: 3000n })).toEqual({ commission: 100, [A]: 200, seller: 700 });
    expect(given(of, 999, 999, { others: 3000n })).toEqual({ commission: 100, [A]: 199, seller: 700 });
    expect(given(of, 1000, 1000, { others: 3000n, commission: 500n })).toEqual({ commission: 50, [A]: 200, seller: 750 });
  });
});

const codes = (of: SplitRule, caps?: { others: bigint; commission: bigint }) =>
  checkRule(of, caps).map(({ code, fields }) => `${code} ${String(fields?.pointer)}`);

describe('a rule with faults', () => {
  it('is told all of them, each with its place', () => {
    const of = rule(
      level([
        percent('commission', 9000),
        percent(account(A), 1001),
        percent(account(A), 0),
        percent({ level: 'nowhere' }, 0),
        line(account(B), { fixed: 1n }, { min: 2n, max: 1n }),
        line(account(C), { tiers: [{ upTo: 5n, percent: 1n }], of: 'whole' }),
      ]),
    );
    expect(codes(of)).toEqual([
      'RULE_LEVEL_UNKNOWN /rule/levels/order/lines/3/to/level',
      'RULE_BOUNDS /rule/levels/order/lines/4/min',
      'RULE_TIERS /rule/levels/order/lines/5/take/tiers/0/upTo',
      'RULE_OVER_WHOLE /rule/levels/order/lines',
      'RULE_RECEIVERS /rule/levels/order/lines/2',
    ]);
  });

  it.each<[string, SplitRule, string[]]>([
    ['no first level', { levels: { a: level([]) } }, ['RULE_LEVEL_UNKNOWN /rule/levels']],
    [
      'a level that goes back',
      rule(level([percent({ level: 'a' }, 100)]), { a: level([percent({ level: 'order' }, 100)]) }),
      ['RULE_LEVEL_CYCLE /rule/levels/a/lines/0/to/level'],
    ],
    [
      'a level that hands to itself',
      rule(level([percent({ level: 'a' }, 100)]), { a: level([percent({ level: 'a' }, 100)]) }),
      ['RULE_LEVEL_CYCLE /rule/levels/a/lines/0/to/level'],
    ],
    [
      'a circle beside the tree',
      rule(level([]), { a: level([percent({ level: 'b' }, 1)]), b: level([percent({ level: 'a' }, 1)]) }),
      ['RULE_LEVEL_CYCLE /rule/levels/a', 'RULE_LEVEL_CYCLE /rule/levels/b'],
    ],
    ['a level nobody reaches', rule(level([]), { a: level([]) }), ['RULE_LEVEL_UNREACHABLE /rule/levels/a']],
    [
      'a level by two lines',
      rule(level([percent({ level: 'a' }, 1), fixed({ level: 'a' }, 1)]), { a: level([]) }),
      ['RULE_RECEIVERS /rule/levels/order/lines/1/to/level'],
    ],
    [
      'six levels one below another',
      rule(level([percent({ level: 'l2' }, 1)]), {
        l2: level([percent({ level: 'l3' }, 1)]),
        l3: level([percent({ level: 'l4' }, 1)]),
        l4: level([percent({ level: 'l5' }, 1)]),
        l5: level([percent({ level: 'l6' }, 1)]),
        l6: level([]),
      }),
      ['RULE_DEPTH /rule/levels/l5/lines/0/to/level'],
    ],
    [
      'goods below the first level',
      rule(level([percent({ level: 'a' }, 1)]), { a: level([ofGoods('commission', 1)]) }),
      ['RULE_BASE /rule/levels/a/lines/0/take/of'],
    ],
    [
      'fifty-one receivers',
      rule(
        level(Array.from({ length: 50 }, (_, place) => fixed(account(String(2236512894231552100n + BigInt(place)) as Id), 1))),
      ),
      ['RULE_RECEIVERS /rule/levels'],
    ],
    [
      'tiers that do not ascend',
      rule(
        level([
          line('commission', {
            of: 'whole',
            tiers: [
              { upTo: 9n, percent: 1n },
              { upTo: 9n, percent: 1n },
              { upTo: null, percent: 1n },
            ],
          }),
        ]),
      ),
      ['RULE_TIERS /rule/levels/order/lines/0/take/tiers/1/upTo'],
    ],
    [
      'an open tier before the last',
      rule(
        level([
          line('commission', {
            of: 'whole',
            tiers: [
              { upTo: null, percent: 1n },
              { upTo: null, percent: 1n },
            ],
          }),
        ]),
      ),
      ['RULE_TIERS /rule/levels/order/lines/0/take/tiers/0/upTo'],
    ],
  ])('%s', (_, of, expected) => {
    expect(codes(of)).toEqual(expected);
  });

  const caps = { others: 3000n, commission: 1000n };
  it.each<[string, SplitRule, string[]]>([
    ['at the cap', rule(level([percent('commission', 1000), percent(account(A), 2000)])), []],
    ['above it', rule(level([percent('commission', 1000), percent(account(A), 2001)])), ['RULE_CAP /rule']],
    ['above the profit', rule(level([percent('commission', 1001)])), ['RULE_PROFIT /rule']],
    ['the remainder counts', rule(level([percent('seller', 7000)], account(A))), []],
    ['and too much of it', rule(level([percent('seller', 6999)], account(A))), ['RULE_CAP /rule']],
    ['a maximum of the seller', rule(level([percent('seller', 9000, { max: 5n })], account(A))), ['RULE_CAP /rule']],
    ['the seller by goods only', rule(level([ofGoods('seller', 9000)], account(A))), ['RULE_CAP /rule']],
    ['levels below', rule(level([percent({ level: 'a' }, 6000)]), { a: level([percent('seller', 5000)], account(A)) }), []],
    [
      'a fen of levels below',
      rule(level([percent({ level: 'a' }, 6000)]), { a: level([percent('seller', 4999)], account(A)) }),
      ['RULE_CAP /rule'],
    ],
    [
      'the highest tier',
      rule(
        level([
          line('commission', {
            of: 'whole',
            tiers: [
              { upTo: 9n, percent: 1n },
              { upTo: null, percent: 1100n },
            ],
          }),
        ]),
      ),
      ['RULE_PROFIT /rule'],
    ],
    ['fixed amounts are for the evaluation', rule(level([fixed('commission', 100_000)])), []],
  ])('is held against the caps: %s', (_, of, expected) => {
    expect(codes(of, caps)).toEqual(expected);
  });
});

const total = (list: readonly bigint[]) => list.reduce((sum, amount) => sum + amount, 0n);

describe('any split rule', () => {
  property.prop([rules, items, bounds], { seed: 401, numRuns: 600 })(
    'gives away exactly what there is, and nobody less than nothing',
    (of, item, most) => {
      const { shares, parts } = explainRule(compileRule(of, most), item);
      expect(evaluateRule(compileRule(of, most), item)).toEqual(shares);
      expect(total(shares.map(({ amount }) => amount))).toBe(item.whole);
      for (const { amount } of shares) expect(amount).toBeGreaterThan(0n);
      for (const { amount } of parts) expect(amount).toBeGreaterThanOrEqual(0n);
      expect(new Set(shares.map((share) => share.receiver)).size).toBe(shares.length);
      // Each level hands out exactly what it was handed.
      for (const name of Object.keys(of.levels)) {
        const out = total(parts.filter((part) => part.level === name).map(({ amount }) => amount));
        const into = parts.find((part) => typeof part.receiver === 'object' && part.receiver.level === name);
        expect(out).toBe(name === 'order' ? item.whole : (into?.amount ?? 0n));
      }
    },
  );

  property.prop([rules, items, bounds], { seed: 402, numRuns: 800 })(
    'gives others than the seller no more than their bounds',
    (of, item, most) => {
      const shares = evaluateRule(compileRule(of, most), item);
      const others = total(shares.filter((share) => share.receiver !== 'seller').map(({ amount }) => amount));
      const commission = shares.find((share) => share.receiver === 'commission')?.amount ?? 0n;
      if (most.others !== undefined) expect(others * 10_000n).toBeLessThanOrEqual(item.whole * most.others);
      if (most.commission !== undefined) expect(commission * 10_000n).toBeLessThanOrEqual(item.whole * most.commission);
    },
  );

  property.prop([rules, items], { seed: 403, numRuns: 800 })(
    'gives each line what it asks for until the level is empty, and then nothing',
    (of, item) => {
      const { parts } = explainRule(compileRule(of), item);
      for (const [name, { lines }] of Object.entries(of.levels)) {
        const mine = parts.filter((part) => part.level === name);
        const amount = total(mine.map((part) => part.amount));
        let left = amount;
        lines.forEach(({ min, max }, place) => {
          const taken = mine.find((part) => part.line === place)?.amount as bigint;
          if (max !== null) expect(taken).toBeLessThanOrEqual(max);
          if (min !== null && taken < min) expect(taken).toBe(left);
          left -= taken;
        });
        expect(mine.find((part) => part.line === 'remainder')?.amount).toBe(left);
      }
    },
  );

  property.prop([rules, items, fen], { seed: 404, numRuns: 800 })(
    'never gives a line of the first level less because the item is worth more, while the lines leave a rest',
    (of, item, more) => {
      const larger = { whole: item.whole + more, goods: item.goods + more };
      const [before, after] = [item, larger].map((each) =>
        explainRule(compileRule(of), each).parts.filter((part) => part.level === 'order' && typeof part.line === 'number'),
      );
      if (total((before ?? []).map(({ amount }) => amount)) === item.whole) return;
      (before ?? []).forEach((part, place) => {
        expect((after ?? [])[place]?.amount).toBeGreaterThanOrEqual(part.amount);
      });
    },
  );

  property.prop([rules, items], { seed: 405, numRuns: 800 })(
    'keeps within what the check of its rates foretold, but for fixed amounts and minima',
    (of, item) => {
      const levels = Object.entries(of.levels).map(([name, { lines, remainder }]): [string, Level] => {
        const plain = lines.filter(({ take: asked }) => !('fixed' in asked)).map((each) => ({ ...each, min: null }));
        return [name, { lines: plain, remainder: name === 'order' ? 'seller' : remainder }];
      });
      const plain = { levels: Object.fromEntries(levels) };
      if (checkRule(plain, { others: 3000n, commission: 3000n }).length > 0) return;
      const shares = evaluateRule(compileRule(plain), item);
      const others = total(shares.filter((share) => share.receiver !== 'seller').map(({ amount }) => amount));
      const lines = Object.values(of.levels).reduce((count, each) => count + each.lines.length, 0);
      expect(others).toBeLessThanOrEqual((item.whole * 3000n) / 10_000n + BigInt(lines) + 1n); // each line rounds by less than a fen
    },
  );
});

describe('an item that is split in parts', () => {
  const parts = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 });
  property.prop([fc.array(fen, { minLength: 1, maxLength: 7 }), parts], { seed: 406, numRuns: 400 })(
    'gives exactly each part, nobody more than his amount, and ends exactly there',
    (full, percents) => {
      let got = full.map(() => 0n);
      const all = total(full);
      const step = (part: bigint) => {
        const given = shareOfPart(full, got, part);
        expect(total(given)).toBe(part);
        got = got.map((amount, place) => amount + (given[place] as bigint));
        got.forEach((amount, place) => {
          expect(given[place]).toBeGreaterThanOrEqual(0n);
          expect(amount).toBeLessThanOrEqual(full[place] as bigint);
        });
      };
      for (const each of percents) step(((all - total(got)) * BigInt(each)) / 100n);
      step(all - total(got));
      expect(got).toEqual(full);
    },
  );

  property.prop([fc.array(fc.tuple(fen, fen), { minLength: 1, maxLength: 7 }), fc.integer({ min: 0, max: 100 })], {
    seed: 407,
    numRuns: 800,
  })('whatever they got before, also where a return took some of it back or they have more than they should', (pairs, share) => {
    const full = pairs.map(([amount]) => amount);
    const got = pairs.map(([, amount]) => amount);
    const capacity = full.map((amount, place) => (amount > (got[place] as bigint) ? amount - (got[place] as bigint) : 0n));
    const part = (total(capacity) * BigInt(share)) / 100n;
    const given = shareOfPart(full, got, part);
    expect(total(given)).toBe(part);
    given.forEach((amount, place) => {
      expect(amount).toBeGreaterThanOrEqual(0n);
      expect(amount).toBeLessThanOrEqual(capacity[place] as bigint);
    });
    if (share === 100) expect(given).toEqual(capacity);
  });

  it('three thirds of ten yuan in three parts, by hand', () => {
    const full = [334n, 333n, 333n];
    const first = shareOfPart(full, [0n, 0n, 0n], 100n);
    expect(first).toEqual([34n, 33n, 33n]); // 33.4, 33.3, 33.3 floored; the fen left goes to the first
    expect(shareOfPart(full, first, 500n)).toEqual([167n, 167n, 166n]); // of 600: 200.4, 199.8, 199.8; less what they have: 166, 166, 166
  });
});
