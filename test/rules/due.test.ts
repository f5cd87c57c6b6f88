import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { payoutFee } from '../../src/agreements/pay-terms.js';
import { type DueFacts, type DueLine, dueOf, type NotPaidReason, requestNoOf, sharesOf } from '../../src/clearing/due-rules.js';
import { addDays, asId, type BusinessDate, type Calendar } from '../../src/kernel/index.js';

const day = (text: string) => text as BusinessDate;
const calendar: Calendar = { exceptions: new Map(), knownYears: new Set(['2026']) };
const TUESDAY = day('2026-03-03');
const SATURDAY = day('2026-03-07');
const NO_FEE = { fixed: 0n, percent: 0n };

type Terms = DueFacts['terms'];
function factsOf({
  terms,
  funds,
  ...rest
}: { terms?: Partial<Terms>; funds?: Partial<DueFacts['funds']> } & Partial<Omit<DueFacts, 'terms' | 'funds'>>): DueFacts {
  const bound = { holdBackDays: 0, minimum: 0n, merge: true, to: 'bound', fee: NO_FEE, feeMax: null } as const;
  return {
    ...{ accountId: asId('1'), state: 'open', boundBank: '102100099996', credits: [], slices: [], platformMax: 1_000n },
    terms: { cycle: 't+1', cycleDays: null, payDay: null, ...bound, ...terms },
    funds: { balance: 100n, held: 0n, kept: 0n, uncleared: 0n, ...funds },
    ...rest,
  };
}
const paid = (of: DueFacts, date = TUESDAY) => dueOf(of, { date, calendar, tellsFrozen: true });
const lines = (of: DueFacts, date = TUESDAY) => paid(of, date) as readonly DueLine[];

describe('what is available', () => {
  const amount = fc.bigInt({ min: 0n, max: 1_000n });
  property.prop([amount, amount, amount, amount])(
    'is due, not due yet and kept back, to the fen',
    (balance, heldPart, kept, youngPart) => {
      const [held, uncleared] = [heldPart, youngPart].map((part) => (part < balance ? part : balance)) as [bigint, bigint];
      const shares = sharesOf({ balance, held, kept, uncleared });
      expect(shares.due + shares.notDue + shares.kept).toBe(balance - held);
      for (const part of Object.values(shares)) expect(part >= 0n).toBe(true);
      // Never more than has cleared, than nobody holds and than the reserve leaves.
      expect(shares.due <= balance - uncleared).toBe(true);
      expect(shares.due === 0n || shares.due <= balance - held - kept).toBe(true);
    },
  );

  it.each([
    [100n, 0n, 0n, 0n, { due: 100n, notDue: 0n, kept: 0n }],
    [100n, 0n, 30n, 0n, { due: 70n, notDue: 0n, kept: 30n }],
    [100n, 0n, 30n, 50n, { due: 50n, notDue: 50n, kept: 0n }], // the reserve lies on what is not due
    [100n, 40n, 30n, 50n, { due: 30n, notDue: 10n, kept: 20n }],
    [100n, 60n, 0n, 50n, { due: 40n, notDue: 0n, kept: 0n }],
    [100n, 0n, 200n, 20n, { due: 0n, notDue: 20n, kept: 80n }],
  ])('of %s with %s held, %s kept and %s not due', (balance, held, kept, uncleared, shares) => {
    expect(sharesOf({ balance, held, kept, uncleared })).toEqual(shares);
  });
});

describe('a clearing', () => {
  it.each<[NotPaidReason, Parameters<typeof factsOf>[0], BusinessDate]>([
    ['closed', { state: 'closed' }, TUESDAY],
    ['stays', { terms: { to: 'sub-account' } }, TUESDAY],
    ['on-request', { terms: { cycle: 'on-request' } }, TUESDAY],
    ['no-settlement-account', { boundBank: undefined }, TUESDAY],
    ['other-destination', { terms: { to: 'own-bank' } }, TUESDAY],
    ['other-destination', { terms: { to: 'other-bank' }, boundBank: '' }, TUESDAY],
    ['frozen', { state: 'frozen' }, TUESDAY],
    ['not-a-pay-day', {}, SATURDAY],
    ['not-a-pay-day', { terms: { cycle: 'weekly', payDay: 5 } }, TUESDAY],
    ['not-due', { funds: { uncleared: 100n } }, TUESDAY],
    ['kept-back', { funds: { kept: 100n } }, TUESDAY],
    ['held', { funds: { held: 100n } }, TUESDAY],
    ['empty', { funds: { balance: 0n } }, TUESDAY],
    ['below-minimum', { terms: { minimum: 101n } }, TUESDAY],
    ['below-fee', { terms: { fee: { fixed: 100n, percent: 0n } } }, TUESDAY],
  ])('pays nothing: %s', (reason, of, date) => {
    expect(paid(factsOf(of), date)).toMatchObject({ reason, available: expect.anything() });
  });

  it('pays what is due on the account bound, to the fen, at the minimum too', () => {
    const of = { creditedOn: day('2026-03-02'), valueDate: TUESDAY, fee: 0n };
    expect(lines(factsOf({ terms: { minimum: 100n } }))).toEqual([{ accountId: '1', ...of, amount: 100n }]);
    expect(lines(factsOf({ terms: { to: 'own-bank' }, boundBank: '' }))).toHaveLength(1);
    expect(lines(factsOf({ terms: { to: 'other-bank' } }))).toHaveLength(1);
  });

  it('counts for the day that closed where it is paid on the day itself', () => {
    expect(lines(factsOf({ terms: { cycle: 'd+0' } }), SATURDAY)[0]?.valueDate).toBe('2026-03-06');
    expect(lines(factsOf({ terms: { cycle: 't+0' } }), SATURDAY)[0]?.valueDate).toBe('2026-03-06');
    expect(lines(factsOf({ terms: { cycle: 'd+1' } }), SATURDAY)[0]?.valueDate).toBe(SATURDAY);
  });

  it('tells when what is not due will be, and marks a year whose holidays nobody knows', () => {
    const slices = [
      { due: day('2026-12-31'), amount: 60n },
      { due: day('2027-01-04'), amount: 40n },
    ];
    const at = (date: string, uncleared: bigint, left = slices) =>
      paid(factsOf({ slices: left, funds: { balance: uncleared, uncleared } }), day(date));
    expect(at('2026-12-30', 100n)).toMatchObject({ reason: 'not-due', until: '2026-12-31', provisional: false });
    expect(at('2026-12-31', 40n, slices.slice(1))).toMatchObject({ reason: 'not-due', until: '2027-01-04', provisional: true });
  });
});

describe('payouts that are not merged', () => {
  const credits = [
    { date: day('2026-03-03'), amount: 5n },
    { date: day('2026-03-02'), amount: 30n },
    { date: day('2026-03-01'), amount: 20n },
    { date: day('2026-02-28'), amount: 50n },
  ];
  const apart = (balance: bigint, uncleared: bigint, kept = 0n) =>
    lines(factsOf({ terms: { merge: false }, credits, funds: { balance, uncleared, kept } })).map(({ creditedOn, amount }) => [
      creditedOn,
      amount,
    ]);

  it('are one for each business date of the credits, the oldest money first', () => {
    expect(apart(105n, 5n)).toEqual([
      ['2026-02-28', 50n],
      ['2026-03-01', 20n],
      ['2026-03-02', 30n],
    ]);
    // Of what was spent meanwhile the oldest is gone; what is kept back is the latest.
    expect(apart(60n, 5n)).toEqual([
      ['2026-02-28', 5n],
      ['2026-03-01', 20n],
      ['2026-03-02', 30n],
    ]);
    expect(apart(105n, 5n, 60n)).toEqual([['2026-02-28', 45n]]);
  });

  it('have each its number, and what is older than was looked for belongs to the oldest', () => {
    expect(apart(200n, 5n)[0]).toEqual(['2026-02-28', 145n]);
    const numbers = lines(factsOf({ terms: { merge: false }, credits, funds: { balance: 105n, uncleared: 5n } })).map((line) =>
      requestNoOf(line, TUESDAY),
    );
    expect(numbers).toEqual(['clearing:2026-03-03:1:2026-02-28', 'clearing:2026-03-03:1:2026-03-01', 'clearing:2026-03-03:1']);
  });

  const amount = fc.bigInt({ min: 0n, max: 100n });
  property.prop([fc.array(amount, { maxLength: 6 }), amount, amount, amount, fc.boolean()])(
    'are together what one would be, with a fee of each and never more than it',
    (amounts, spentPart, kept, youngPart, merge) => {
      const of = amounts.map((each, place) => ({ date: addDays(TUESDAY, -place), amount: each }));
      const sum = amounts.reduce((total, each) => total + each, 0n);
      const balance = sum - (spentPart < sum ? spentPart : sum);
      const uncleared = youngPart < balance ? youngPart : balance;
      const funds = { balance, held: 0n, kept, uncleared };
      const fee = { fixed: 3n, percent: 100n };
      const due = paid(factsOf({ terms: { merge, fee: merge ? fee : NO_FEE }, credits: of, funds }));
      if ('reason' in due) return;
      const total = due.reduce((all, line) => all + line.amount + line.fee, 0n);
      expect(total).toBe(sharesOf(funds).due);
      expect(new Set(due.map(({ creditedOn }) => creditedOn)).size).toBe(due.length);
      for (const line of due) expect(line.amount > 0n && line.creditedOn < TUESDAY).toBe(true);
    },
  );
});

describe('the fee of a payout', () => {
  it.each([
    [60n, 10n, null, 10_000n, 70n],
    [60n, 10n, 65n, 10_000n, 65n],
    [0n, 10n, null, 500n, 1n], // 0.5 fen is one
    [0n, 10n, null, 499n, 0n],
    [60n, 0n, 0n, 10_000n, 0n],
  ])('fixed %s and %s basis points, at most %s, of %s: %s', (fixed, percent, feeMax, gross, fee) => {
    expect(payoutFee({ fee: { fixed, percent }, feeMax }, gross, 1_000n)).toBe(fee);
  });

  it('is never more than the bank agreed with the platform, where the agreement names no cap', () => {
    expect(payoutFee({ fee: { fixed: 60n, percent: 0n }, feeMax: null }, 100n, 50n)).toBe(50n);
    expect(payoutFee({ fee: { fixed: 60n, percent: 0n }, feeMax: null }, 100n, 0n)).toBe(0n);
  });
});
