import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type Accrual,
  type DayEnd,
  earned,
  interestOn,
  interestReference,
  isInterestDay,
  paidUpTo,
  productOf,
  segmentsOf,
} from '../../src/accounts/interest.js';
import { reference } from '../../src/instructions/wire.js';
import { addDays, asId, type BusinessDate } from '../../src/kernel/index.js';
import { PARAMETERS } from '../../src/migrations/data/parameters.js';
import { parametersOf } from '../../src/runtime/parameters.js';

const day = (text: string) => text as BusinessDate;
const ACCOUNT = asId('2236512894231552006');

function accrualOf(ends: readonly (readonly [day: string, balance: bigint])[], carried = 0n): Accrual {
  const days = ends.map(([of, balance], place): DayEnd => ({ day: day(of), balance, seq: place + 1 }));
  return { accountId: ACCOUNT, platformId: asId('1'), carried: { day: day('2000-01-01'), balance: carried, seq: 0 }, days };
}

const shipped = PARAMETERS.map(([name, validFrom, value, source]) => ({
  name,
  validFrom: day(validFrom),
  value: BigInt(value),
  source,
}));
const bankPays = (...rates: [from: string, rate: bigint][]) =>
  parametersOf([
    ...shipped,
    ...rates.map(([from, value]) => ({ name: 'interest.demand', validFrom: day(from), value, source: '本行挂牌' })),
  ]);

/** The rule as a child would do it: each day by itself. */
function naive(accrual: Accrual, from: BusinessDate, through: BusinessDate, belowYuan: boolean): bigint {
  let product = 0n;
  for (let date = from; date <= through; date = addDays(date, 1)) {
    const balance = accrual.days.findLast((end) => end.day <= date)?.balance ?? accrual.carried.balance;
    product += belowYuan ? balance : (balance / 100n) * 100n;
  }
  return product;
}

describe('demand interest', () => {
  it('of 10,000.00 yuan over the 92 days to 20 June at 0.30 % is 7.67 yuan', () => {
    const quarter = { from: day('2026-03-21'), through: day('2026-06-20'), rateOn: day('2026-06-20') };
    const parameters = bankPays(['2026-01-01', 3000n]);
    expect(earned(accrualOf([['2026-03-21', 1_000_000n]]), quarter, parameters)).toEqual({
      from: '2026-03-21',
      through: '2026-06-20',
      product: 92_000_000n,
      rate: 3000n,
      amount: 767n,
    });
  });

  it('counts the day of a deposit and not that of a withdrawal', () => {
    const stay = accrualOf([
      ['2026-04-10', 100_000n],
      ['2026-04-15', 0n],
    ]);
    expect(segmentsOf(stay, day('2026-04-01'), day('2026-04-30'))).toEqual([
      { from: '2026-04-01', days: 9, balance: 0n },
      { from: '2026-04-10', days: 5, balance: 100_000n },
      { from: '2026-04-15', days: 16, balance: 0n },
    ]);
    expect(productOf(segmentsOf(stay, day('2026-04-01'), day('2026-04-30')), true)).toBe(500_000n);
  });

  it.each([
    ['2027-12-21', '2028-03-20', 91n], // with 29 February
    ['2026-12-21', '2027-03-20', 90n],
    ['2028-02-28', '2028-03-01', 3n],
    ['2028-02-29', '2028-02-29', 1n],
    ['2028-02-29', '2028-02-28', 0n],
  ])('counts actual days: %s to %s', (from, through, days) => {
    expect(productOf(segmentsOf(accrualOf([], 100n), day(from), day(through)), true)).toBe(100n * days);
  });

  it('takes the rate of the interest day for the whole period, and that of the day of the closing', () => {
    const parameters = bankPays(['2026-01-01', 3000n], ['2026-06-10', 1000n]);
    const accrual = accrualOf([], 1_000_000n);
    const period = { from: day('2026-03-21'), through: day('2026-06-20') };
    expect(earned(accrual, { ...period, rateOn: day('2026-06-20') }, parameters).amount).toBe(256n); // 255.56
    const closedBefore = { from: day('2026-03-21'), through: day('2026-06-09'), rateOn: day('2026-06-10') };
    expect(earned(accrual, closedBefore, parameters).rate).toBe(1000n);
    expect(earned(accrual, { ...closedBefore, through: day('2026-06-08'), rateOn: day('2026-06-09') }, parameters).rate).toBe(
      3000n,
    );
  });

  it('of what stands below a whole yuan is paid only where the bank says so', () => {
    const accrual = accrualOf([], 199n);
    const of = { from: day('2026-01-01'), through: day('2026-01-10'), rateOn: day('2026-01-10') };
    expect(earned(accrual, of, bankPays()).product).toBe(1000n);
    const generous = parametersOf([
      ...shipped,
      { name: 'interest.below-yuan', validFrom: day('2026-01-01'), value: 1n, source: '本行' },
    ]);
    expect(earned(accrual, of, generous).product).toBe(1990n);
    expect(earned(accrualOf([], 99n), of, bankPays()).product).toBe(0n);
  });

  it.each([
    [120_000n, 1500n, 1n], // 0.5 fen
    [119_999n, 1500n, 0n],
    [360_000n, 1500n, 2n], // 1.5 fen
    [0n, 3500n, 0n],
  ])('on %s at %s is %s fen, rounded half up', (product, rate, expected) => {
    expect(interestOn(product, rate)).toBe(expected);
  });

  const balances = fc.array(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.bigInt({ min: 0n, max: 2n ** 53n - 1n })), {
    maxLength: 30,
  });
  const accruals = balances.map((pairs) => {
    const byDay = new Map(pairs.map(([place, balance]) => [addDays(day('2027-11-01'), place), balance]));
    return accrualOf([...byDay].sort(([a], [b]) => (a < b ? -1 : 1)));
  });
  property.prop([accruals, fc.integer({ min: -10, max: 410 }), fc.integer({ min: -1, max: 200 }), fc.boolean()])(
    'is what adding each day by itself gives',
    (accrual, start, length, belowYuan) => {
      const from = addDays(day('2027-11-01'), start);
      const through = addDays(from, length);
      expect(productOf(segmentsOf(accrual, from, through), belowYuan)).toBe(naive(accrual, from, through, belowYuan));
    },
  );

  property.prop([accruals, fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 })])(
    'is the same when the period before was put away',
    (accrual, first, second) => {
      const through = addDays(day('2027-11-01'), first);
      const [from, to] = [addDays(through, 1), addDays(through, second)];
      const later = paidUpTo(accrual, through);
      expect(productOf(segmentsOf(later, from, to), true)).toBe(naive(accrual, from, to, true));
      expect(later.days.every((end) => end.day > through)).toBe(true);
      expect(later.carried).toMatchObject({ day: through, seq: accrual.days.filter((end) => end.day <= through).length });
    },
  );
});

describe('interest days', () => {
  it('are the 20th of each last month of a quarter', () => {
    const found: string[] = [];
    for (let date = day('2028-01-01'); date < '2029-01-01'; date = addDays(date, 1)) if (isInterestDay(date)) found.push(date);
    expect(found).toEqual(['2028-03-20', '2028-06-20', '2028-09-20', '2028-12-20']);
  });

  it('give a reference that no platform can use', () => {
    const own = interestReference(ACCOUNT, day('2026-03-20'));
    expect(own).toBe('INT2236512894231552006.20260320');
    expect(reference.safeParse(own).success).toBe(false);
    expect(reference.safeParse('INT-2026').success).toBe(true);
  });
});
