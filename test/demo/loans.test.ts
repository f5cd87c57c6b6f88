import { describe, expect, it } from '@jest/globals';
import { type Loan, type PlannedLoan, parseLoans, planOf } from '../../scripts/demo/loans/data.js';
import { borrowerPaysIn, differencesOf, expectedOf, type LoanFound, scheduleOf } from '../../scripts/demo/loans/figures.js';
import { loansCsv } from '../../scripts/demo/loans/report.js';
import { DataFaulty } from '../../scripts/demo/orders.js';
import { memberOf } from '../../scripts/demo/people.js';
import { checkCardNumber, checkResidentId } from '../../src/kernel/index.js';
import { annuityOf, planOf as planByTheService } from '../../src/lending/index.js';

const ROW = {
  ...{ loan_id: '1', issue_month: 'Mar-2018', loan_purpose: 'moving', loan_amount: '28000', term: '60' },
  ...{ interest_rate: '14.07', installment: '652.53', loan_status: 'Current' },
};
const parsed = (...changes: Partial<Record<keyof typeof ROW, string>>[]) =>
  parseLoans(
    'loans.csv',
    changes.map((change, place) => ({ ...ROW, loan_id: String(place + 1), ...change })),
  );
const [loan] = parsed({}) as [Loan];

describe('loans from a file', () => {
  it('come to the fen, with the rate in millionths a year', () => {
    expect(loan).toMatchObject({
      ...{ loanId: '1', month: '2018-03', amount: 2_800_000n, months: 60, rate: 140_700n, installment: 65_253n },
      fate: 'on-time',
    });
  });

  it('have a fate by the words of their status', () => {
    const words = [
      'Fully Paid',
      'Current',
      'In Grace Period',
      'Late (16-30 days)',
      'Late (31-120 days)',
      'Charged Off',
      'Default',
    ];
    const fates = parsed(...words.map((loan_status) => ({ loan_status }))).map(({ fate }) => fate);
    expect(fates).toEqual(['settled', 'on-time', ...Array.from({ length: 5 }, () => 'late')]);
  });

  it.each([
    ['an amount of nothing', { loan_amount: '0' }, /loan_amount is "0"/],
    ['a rate with three places', { interest_rate: '14.075' }, /interest_rate is "14\.075"/],
    ['a month that does not exist', { issue_month: 'Mai-2018' }, /the month of the loan 1 is "Mai"/],
    ['a term beyond ten years', { term: '121' }, /term is "121"/],
    ['no status', { loan_status: '' }, /loan_status is ""/],
  ])('are refused with a sentence for %s', (_what, change, sentence) => {
    expect(() => parsed(change)).toThrow(sentence);
    expect(() => parsed(change)).toThrow(DataFaulty);
  });

  it('are refused when one stands there twice', () => {
    expect(() => parsed({}, { loan_id: '1' })).toThrow(/the loan 1 stands there twice/);
  });
});

describe('the plan of a run', () => {
  const amounts = Array.from({ length: 1_300 }, (_, place) => ({ loan_amount: String(1_000 + (place % 40) * 975) }));
  const { loans, lenders, borrowers } = planOf(parsed(...amounts));

  it('has 5 to 20 different lenders lend exactly the amount', () => {
    for (const { amount, bids } of loans) {
      expect(bids.reduce((sum, bid) => sum + bid.amount, 0n)).toBe(amount);
      expect(new Set(bids.map(({ lender }) => lender)).size).toBe(bids.length);
      expect(bids.length).toBeGreaterThanOrEqual(5);
      expect(bids.length).toBeLessThanOrEqual(20);
      expect(bids.every((bid) => bid.amount > 0n && bid.lender < lenders)).toBe(true);
    }
  });

  it('keeps every borrower within what a person may borrow on one platform', () => {
    const owed = new Map<number, bigint>();
    for (const { borrower, amount } of loans) owed.set(borrower, (owed.get(borrower) ?? 0n) + amount);
    expect([...owed.values()].every((sum) => sum <= 20_000_000n)).toBe(true);
    expect(owed.size).toBe(borrowers);
    expect(borrowers).toBeLessThan(loans.length);
  });

  it('is the same each time, and gives everybody an identity of his own that passes its checks', () => {
    expect(planOf(parsed(...amounts))).toEqual({ loans, lenders, borrowers });
    const people = Array.from({ length: 3_000 }, (_, number) => memberOf(number));
    const idNos = people.map(({ party }) => (party as { idNo: string }).idNo);
    expect(new Set(idNos).size).toBe(3_000);
    expect(new Set(people.map(({ card }) => card.account)).size).toBe(3_000);
    expect(new Set(people.map(({ mobile }) => mobile)).size).toBe(3_000);
    expect(idNos.every((idNo) => checkResidentId(idNo) !== undefined)).toBe(true);
    expect(people.every(({ card }) => checkCardNumber(card.account))).toBe(true);
  });
});

describe('what has to come out', () => {
  it.each([
    // The instalment, and the principal that three of them pay back: of the first as the public data has both.
    [{}, 65_253n, 98_414n],
    [{ loan_amount: '5000', term: '36', interest_rate: '12.61', installment: '167.54' }, 16_754n, 34_864n],
    // What is a whole number of fen stays one.
    [{ term: '1', installment: '28328.30' }, 2_832_830n, 2_800_000n],
  ])('is worked out by a second way that gives the instalments of the data', (change, installment, three) => {
    const [one] = parsed(change) as [Loan];
    const { paid, ...rest } = scheduleOf(one);
    expect(rest).toMatchObject({ installment, settled: 0n, compensated: 0n, fee: one.amount / 100n });
    expect(paid.reduce((sum, { principal }) => sum + principal, 0n)).toBe(three);
  });

  it('is the plan of the service, for many terms', () => {
    for (let place = 0; place < 400; place += 1) {
      const months = 1 + ((place * 7) % 60);
      const terms = { amount: BigInt(100_000 + place * 9_973), rate: BigInt((place * 1_013) % 360_000), months };
      const schedule = scheduleOf({ ...loan, ...terms });
      expect(schedule.installment).toBe(annuityOf(terms.amount, terms.rate, months));
      const of = { principal: terms.amount, rate: terms.rate, months, method: 'annuity', lentOn: '2018-01-10' } as const;
      const plan = planByTheService(of as Parameters<typeof planByTheService>[0]);
      expect(schedule.paid).toEqual(plan.slice(0, 3).map(({ principal, interest }) => ({ principal, interest })));
    }
  });

  it('is paid by the guarantor where the last instalment is missed, and settled where the loan was', () => {
    const late = scheduleOf({ ...loan, fate: 'late' });
    expect(late.compensated).toBe(65_253n);
    expect(borrowerPaysIn({ ...loan, fate: 'late' })).toBe(
      late.fee + (late.paid[0]?.interest ?? 0n) + (late.paid[1]?.interest ?? 0n),
    );
    const { paid, settled } = scheduleOf({ ...loan, fate: 'settled' });
    expect(paid.reduce((sum, { principal }) => sum + principal, settled)).toBe(loan.amount);
  });
});

describe('the checks', () => {
  const { loans } = planOf(parsed({}, { loan_status: 'Fully Paid' }, { loan_status: 'Charged Off' }));
  const expected = expectedOf(loans);
  const found: LoanFound = {
    figures: { ...expected.figures, custody: 9_000_000n, sumOfSubAccounts: 9_000_000n },
    loans: expected.loans,
  };
  const failed = (other: Partial<LoanFound>) => differencesOf({ ...found, ...other }, expected).filter(({ ok }) => !ok);

  it('find nothing where everything agrees', () => {
    expect(failed({})).toEqual([]);
    expect(expected.figures).toMatchObject({
      loans: 3,
      instalmentsPaid: 8,
      compensated: 65_253n,
      held: 0n,
      installmentMatches: 3,
    });
  });

  it('find a fen that is missing, or held, and a holder too few', () => {
    const figures = { ...found.figures, interest: found.figures.interest - 1n, held: 1n };
    expect(failed({ figures }).map(({ what }) => what)).toEqual(['interest', 'held', 'held = 0']);
    const { loanId } = loans[1] as PlannedLoan;
    const one = found.loans.get(loanId) as NonNullable<ReturnType<typeof found.loans.get>>;
    const others = new Map(found.loans).set(loanId, { ...one, holders: one.holders - 1 });
    expect(failed({ loans: others })).toMatchObject([{ found: `1 differ, the first ${loanId}` }]);
  });

  it('list the loans in yuan', () => {
    const of = { amount: 2_800_000n, installment: 65_253n, principalPaid: 98_414n, interestPaid: 97_345n, holders: 5 };
    expect(loansCsv(new Map([['1', of]]))).toBe(
      'loan_id,amount,installment,principal_paid,interest_paid,holders\n1,28000.00,652.53,984.14,973.45,5\n',
    );
  });
});
