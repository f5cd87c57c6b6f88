import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays, addMonths, type BusinessDate } from '../../src/kernel/index.js';
import {
  annuityOf,
  dueAsOf,
  earlyOf,
  isRepaid,
  type LoanState,
  type LoanTerms,
  leftOf,
  newLoan,
  owedByPlan,
  payAhead,
  payableOn,
  payDue,
  payEarly,
  planOf,
  REPAYMENT_METHODS,
  shareOut,
  sumOf,
} from '../../src/lending/plan.js';

const day = (text: string) => text as BusinessDate;
const LENT = day('2018-01-31');
const loan = (more: Partial<LoanTerms> = {}): LoanTerms => ({
  ...{ rate: 120_000n, penaltyRate: 180_000n, months: 12, method: 'annuity', lentOn: LENT },
  ...more,
});
const anyTerms = fc.record({
  rate: fc.bigInt({ min: 0n, max: 360_000n }),
  penaltyRate: fc.bigInt({ min: 0n, max: 540_000n }),
  months: fc.integer({ min: 1, max: 60 }),
  method: fc.constantFrom(...REPAYMENT_METHODS),
  lentOn: fc.integer({ min: 0, max: 1500 }).map((days) => addDays(day('2016-01-01'), days)),
});
const anyPrincipal = fc.oneof(fc.bigInt({ min: 1n, max: 500n }), fc.bigInt({ min: 1n, max: 500_000_000n }));
const total = (plan: readonly { principal: bigint; interest: bigint }[]) => ({
  principal: plan.reduce((sum, each) => sum + each.principal, 0n),
  interest: plan.reduce((sum, each) => sum + each.interest, 0n),
});

describe('a plan', () => {
  test('of equal instalments has the instalment that lenders of the world compute: the formula, rounded up', () => {
    // amount in yuan, months, yearly rate in millionths, instalment in fen
    const known: [bigint, number, bigint, bigint][] = [
      [28_000n, 60, 140_700n, 65_253n],
      [5_000n, 36, 126_100n, 16_754n],
      [2_000n, 36, 170_900n, 7_140n],
      [21_600n, 36, 67_200n, 66_419n],
    ];
    for (const [yuan, months, rate, instalment] of known) expect(annuityOf(yuan * 100n, rate, months)).toBe(instalment);
  });

  test('pays back the principal exactly, whatever the method, with dates that rise and interest on what is left', () => {
    fc.assert(
      fc.property(anyTerms, anyPrincipal, (terms, principal) => {
        const plan = planOf({ ...terms, principal });
        expect(total(plan).principal).toBe(principal);
        let left = principal;
        for (const [place, each] of plan.entries()) {
          expect(each.principal >= 0n && each.interest >= 0n && each.principal + each.interest > 0n).toBe(true);
          if (place > 0) expect(each.dueOn > (plan[place - 1]?.dueOn as string)).toBe(true);
          if (terms.method !== 'bullet') expect(each.interest).toBe((left * terms.rate * 2n + 12_000_000n) / 24_000_000n);
          left -= each.principal;
        }
        expect(plan.at(-1)?.dueOn ?? '').toBe(
          terms.method === 'bullet' ? addMonths(terms.lentOn, terms.months) : addMonths(terms.lentOn, plan.at(-1)?.no ?? 0),
        );
      }),
    );
  });

  test('of equal instalments has all of them equal, and the last not above', () => {
    fc.assert(
      fc.property(anyTerms, anyPrincipal, (terms, principal) => {
        const plan = planOf({ ...terms, method: 'annuity', principal });
        const regular = annuityOf(principal, terms.rate, terms.months);
        for (const each of plan.slice(0, -1)) expect(each.principal + each.interest).toBe(regular);
        const last = plan.at(-1);
        // Interest is rounded each month, so the last may be above by less than half a fen a month.
        expect((last?.principal ?? 0n) + (last?.interest ?? 0n) <= regular + BigInt(terms.months)).toBe(true);
      }),
    );
  });

  test('of the other methods, by hand: 1,000.00 for three months at 12 % from 31 January', () => {
    const of = (method: LoanTerms['method']) =>
      planOf({ ...loan({ method, months: 3 }), principal: 100_000n }).map((each) => [
        each.no,
        each.dueOn,
        each.principal,
        each.interest,
      ]);
    expect(of('equal-principal')).toEqual([
      [1, '2018-02-28', 33_333n, 1_000n],
      [2, '2018-03-31', 33_333n, 667n],
      [3, '2018-04-30', 33_334n, 333n],
    ]);
    expect(of('interest-first')).toEqual([
      [1, '2018-02-28', 0n, 1_000n],
      [2, '2018-03-31', 0n, 1_000n],
      [3, '2018-04-30', 100_000n, 1_000n],
    ]);
    expect(of('bullet')).toEqual([[1, '2018-04-30', 100_000n, 3_000n]]);
    // 1,000.00 × 1 % × 1.01³ ÷ (1.01³ − 1) = 340.0221…, up to 340.03
    expect(of('annuity')).toEqual([
      [1, '2018-02-28', 33_003n, 1_000n],
      [2, '2018-03-31', 33_333n, 670n],
      [3, '2018-04-30', 33_664n, 337n],
    ]);
  });
});

describe('a loan', () => {
  const principal = 1_000_000n;
  const fresh = newLoan(principal);

  test('is paid the oldest first: penalty, interest, principal; and in parts to the fen', () => {
    const terms = loan();
    const plan = planOf({ ...terms, principal });
    const [one, two] = plan as [(typeof plan)[0], (typeof plan)[0]];
    const regular = one.principal + one.interest; // 888.49
    expect(regular).toBe(88_849n);
    expect(dueAsOf(terms, fresh, day('2018-02-27'))).toEqual([]);
    const late = day('2018-04-10'); // 41 days after the first, 10 after the second
    // 888.49 × 18 % ÷ 360 × 41 = 18.214, and × 10 = 4.44245
    expect(dueAsOf(terms, fresh, late)).toEqual([
      { ...one, penalty: 1_821n },
      { ...two, penalty: 444n },
    ]);
    const part = payDue(terms, fresh, { amount: 1_821n + 5_000n, on: late, ahead: false });
    expect(part?.lines).toEqual([{ no: 1, penalty: 1_821n, interest: 5_000n, principal: 0n }]);
    // Ten days later: 18.214 + 838.49 × 0.0005 × 10 = 22.4065, of which 18.21 was paid; and of the second 888.49 × 0.0005 × 20 = 8.88
    expect(dueAsOf(terms, part?.state as LoanState, day('2018-04-20'))).toEqual([
      { no: 1, dueOn: one.dueOn, principal: one.principal, interest: one.interest - 5_000n, penalty: 420n },
      { ...two, penalty: 888n },
    ]);
    const rest = 2n * regular - 5_000n + 420n + 888n;
    expect(payDue(terms, part?.state as LoanState, { amount: rest + 1n, on: day('2018-04-20'), ahead: false })).toBeUndefined();
    const all = payDue(terms, part?.state as LoanState, { amount: rest, on: day('2018-04-20'), ahead: false });
    expect(all?.state).toEqual({ ...fresh, next: 3 });
  });

  test('may be paid one instalment ahead of its date and no further', () => {
    const terms = loan();
    const on = day('2018-02-10');
    expect(payDue(terms, fresh, { amount: 88_849n, on, ahead: true })?.state).toEqual({ ...fresh, next: 2 });
    expect(payDue(terms, fresh, { amount: 88_850n, on, ahead: true })).toBeUndefined();
    expect(payDue(terms, fresh, { amount: 1n, on, ahead: false })).toBeUndefined();
  });

  test('is not paid further ahead by one payment after the other, nor with principal ahead of time in between', () => {
    const terms = loan();
    const on = day('2018-02-10');
    const one = payDue(terms, fresh, { amount: 88_849n, on, ahead: true })?.state as LoanState;
    expect(payDue(terms, one, { amount: 1n, on, ahead: true })).toBeUndefined();
    const made = payAhead(terms, one, { amount: 100_000n, on })?.state as LoanState;
    expect(payDue(terms, made, { amount: 1n, on, ahead: true })).toBeUndefined();
    // From the day on which the first was due the second may be paid.
    for (const state of [one, made]) {
      const [second] = owedByPlan(terms, state, day('2018-02-28'));
      const paid = payDue(terms, state, { amount: sumOf(second as typeof second & object), on: day('2018-02-28'), ahead: true });
      expect(paid?.state.next).toBe(3);
      expect(payDue(terms, paid?.state as LoanState, { amount: 1n, on: day('2018-03-30'), ahead: true })).toBeUndefined();
    }
  });

  test('is settled early for what is left and the days: never more than the month would have cost', () => {
    const terms = loan();
    // Lent on 31 January: after 10 days 10,000.00 × 12 % ÷ 360 × 10 = 33.33
    expect(earlyOf(terms, fresh, day('2018-02-10'))).toEqual({ principal, interest: 3_333n, penalty: 0n });
    expect(earlyOf(terms, fresh, LENT)).toEqual({ principal, interest: 0n, penalty: 0n });
    // On the due date itself the instalment is due with its whole month.
    expect(earlyOf(terms, fresh, day('2018-02-28'))).toEqual({ principal, interest: 10_000n, penalty: 0n });
    const amount = principal + 3_333n;
    for (const wrong of [amount - 1n, amount + 1n])
      expect(payEarly(terms, fresh, { amount: wrong, on: day('2018-02-10') })).toBeUndefined();
    const settled = payEarly(terms, fresh, { amount, on: day('2018-02-10') });
    expect(isRepaid(terms, settled?.state as LoanState)).toBe(true);
    expect(leftOf(terms, settled?.state as LoanState)).toBe(0n);
    // Of a bullet the months that are over count as months: 3 months and 10 days.
    const bullet = loan({ method: 'bullet' });
    expect(earlyOf(bullet, fresh, day('2018-05-10'))).toEqual({ principal, interest: 30_000n + 3_333n, penalty: 0n });
  });

  test('is planned anew after principal was paid ahead of time, on the same dates', () => {
    const terms = loan({ method: 'equal-principal', months: 4 });
    const paid = payAhead(terms, fresh, { amount: 401_333n, on: day('2018-02-10') });
    // 4,000.00 for ten days at 12 %: 13.33
    expect(paid?.lines).toEqual([{ no: 1, principal: 400_000n, interest: 1_333n, penalty: 0n }]);
    expect(owedByPlan(terms, paid?.state as LoanState, LENT).map((each) => [each.dueOn, each.principal, each.interest])).toEqual([
      ['2018-02-28', 150_000n, 6_000n],
      ['2018-03-31', 150_000n, 4_500n],
      ['2018-04-30', 150_000n, 3_000n],
      ['2018-05-31', 150_000n, 1_500n],
    ]);
    expect(payAhead(terms, fresh, { amount: 400_000n, on: day('2018-02-28') })).toBeUndefined(); // something is due
    expect(payAhead(terms, fresh, { amount: 1_100_000n, on: day('2018-02-10') })).toBeUndefined(); // that settles it
  });

  test('that is paid in any way ends with all its principal paid, once', () => {
    const step = fc.record({
      days: fc.integer({ min: 0, max: 45 }),
      how: fc.constantFrom('due' as const, 'due' as const, 'ahead' as const, 'part-early' as const),
      share: fc.bigInt({ min: 1n, max: 1000n }),
    });
    fc.assert(
      fc.property(anyTerms, anyPrincipal, fc.array(step, { maxLength: 40 }), (terms, amount, steps) => {
        let state = newLoan(amount);
        let on = terms.lentOn;
        let principalPaid = 0n;
        const take = (paid: ReturnType<typeof payDue>, given: bigint) => {
          if (paid === undefined) return;
          expect(paid.lines.reduce((sum, line) => sum + sumOf(line), 0n)).toBe(given);
          for (const line of paid.lines) {
            expect(line.principal >= 0n && line.interest >= 0n && line.penalty >= 0n).toBe(true);
            principalPaid += line.principal;
          }
          state = paid.state;
          expect(leftOf(terms, state)).toBe(amount - principalPaid);
        };
        for (const { days, how, share } of steps) {
          on = addDays(on, days);
          const owed = dueAsOf(terms, state, on).reduce((sum, each) => sum + sumOf(each), 0n);
          for (const each of owedByPlan(terms, state, on)) expect(each.penalty >= 0n && each.principal >= 0n).toBe(true);
          for (const ahead of [false, true]) {
            const most = payableOn(terms, state, { on, ahead });
            expect(payDue(terms, state, { amount: most + 1n, on, ahead })).toBeUndefined();
            if (most > 0n) expect(payDue(terms, state, { amount: most, on, ahead })).toBeDefined();
          }
          const given = how === 'due' ? (owed * share) / 1000n : (leftOf(terms, state) * share) / 2000n;
          if (given === 0n) continue;
          if (how === 'part-early') take(payAhead(terms, state, { amount: given, on }), given);
          else take(payDue(terms, state, { amount: given, on, ahead: how === 'ahead' }), given);
        }
        if (!isRepaid(terms, state)) {
          const settling = sumOf(earlyOf(terms, state, on));
          expect(payEarly(terms, state, { amount: settling + 1n, on })).toBeUndefined();
          take(payEarly(terms, state, { amount: settling, on }), settling);
        }
        expect(principalPaid).toBe(amount);
        expect(isRepaid(terms, state)).toBe(true);
      }),
    );
  });
});

test('what is shared out adds up, is never more than a fen from the exact share, and not above what one has', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 0n, max: 10_000_000n }), { minLength: 1, maxLength: 40 }),
      fc.nat(1000),
      (weights, part) => {
        const sum = weights.reduce((all, each) => all + each, 0n);
        const amount = (sum * BigInt(part)) / 1000n;
        const shares = shareOut(amount, weights);
        expect(shares.reduce((all, each) => all + each, 0n)).toBe(amount);
        for (const [place, share] of shares.entries()) {
          const weight = weights[place] as bigint;
          expect(share <= weight).toBe(true);
          if (sum > 0n) {
            const exact = amount * weight;
            expect(share * sum - exact < sum && exact - share * sum < sum).toBe(true);
          }
        }
      },
    ),
  );
  expect(shareOut(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
  expect(shareOut(2n, [10n, 5n, 5n])).toEqual([1n, 1n, 0n]);
});
