import type { Minor } from '../../../src/kernel/index.js';
import { type Check, same } from '../figures.js';
import { instalmentsOf, type Loan, type PlannedLoan } from './data.js';

/** The figures of a run; amounts in fen. */
export interface LoanFigures {
  readonly loans: number;
  /** What lenders bid and lent. */
  readonly raised: Minor;
  readonly lentOut: Minor;
  /** By the borrowers themselves, by the plan. */
  readonly instalmentsPaid: number;
  /** What reached the lenders, whoever paid it. */
  readonly principal: Minor;
  readonly interest: Minor;
  /** What of it the guarantor paid. */
  readonly compensated: Minor;
  readonly platformFees: Minor;
  readonly held: Minor;
  readonly custody: Minor;
  readonly sumOfSubAccounts: Minor;
  /** Loans whose regular instalment is the data's to the fen. */
  readonly installmentMatches: number;
}

/** What became of one loan. */
export interface LoanResult {
  readonly amount: Minor;
  readonly installment: Minor;
  readonly principalPaid: Minor;
  readonly interestPaid: Minor;
  readonly holders: number;
}

/** What is paid of one loan: an instalment each, by the plan. */
export interface Schedule {
  /** The regular one. */
  readonly installment: Minor;
  /** Those that the run pays, whoever does. */
  readonly paid: readonly { readonly principal: Minor; readonly interest: Minor }[];
  /** What settles it afterwards; nothing where it is not settled. */
  readonly settled: Minor;
  /** What the guarantor pays. */
  readonly compensated: Minor;
  readonly fee: Minor;
}

/** Digits behind the point: far more than a fen of any loan needs. */
const ONE = 10n ** 50n;
/** Of a fen: what is nearer than this to a whole number is that number. */
const FINE = 10n ** 20n;
const MONTHLY = 12_000_000n;

/**
 * The annuity as what has the loan's amount for its present value: amount ÷ (v + v² + … + vⁿ) with v = 1 ÷ (1 + a month's rate), up to
 * the next fen; fixed-point numbers. A second way to what the service works out by the closed formula in whole numbers.
 */
function installmentOf({ amount, rate, months }: Pick<Loan, 'amount' | 'rate' | 'months'>): Minor {
  let value = ONE;
  let sum = 0n;
  for (let month = 1; month <= months; month += 1) {
    value = (value * MONTHLY) / (MONTHLY + rate);
    sum += value;
  }
  // The value of a yuan is cut off at the last digit, which must not make a whole number of fen a little more than that.
  const fine = (amount * ONE * FINE) / sum - 1n;
  return fine / FINE + 1n;
}

/** What has to be paid of a loan, worked out from its terms by the rules of the run alone. */
export function scheduleOf(loan: Loan): Schedule {
  const installment = installmentOf(loan);
  let left = loan.amount;
  const paid = Array.from({ length: instalmentsOf(loan) }, (_, place) => {
    const interest = (2n * left * loan.rate + MONTHLY) / (2n * MONTHLY);
    const regular = installment - interest;
    const principal = place + 1 === loan.months || regular > left ? left : regular;
    left -= principal;
    return { principal, interest };
  });
  const last = paid.at(-1);
  const compensated = loan.fate === 'late' && last !== undefined ? last.principal + last.interest : 0n;
  // On the day of the third instalment no interest of the next month has run.
  return { installment, paid, settled: loan.fate === 'settled' ? left : 0n, compensated, fee: (loan.amount + 50n) / 100n };
}

/** What has to come out, and for each loan. */
export interface LoanExpected {
  readonly figures: Omit<LoanFigures, 'custody' | 'sumOfSubAccounts'>;
  readonly loans: ReadonlyMap<string, LoanResult>;
}

/** From the terms and bids alone: without projects, instructions or days. */
export function expectedOf(loans: readonly PlannedLoan[]): LoanExpected {
  const sum = { raised: 0n, lentOut: 0n, principal: 0n, interest: 0n, compensated: 0n, platformFees: 0n };
  let [instalmentsPaid, installmentMatches] = [0, 0];
  const results = new Map<string, LoanResult>();
  for (const loan of loans) {
    const { paid, settled, compensated, installment, fee } = scheduleOf(loan);
    const principal = paid.reduce((all, each) => all + each.principal, settled);
    const interest = paid.reduce((all, each) => all + each.interest, 0n);
    const holders = loan.bids.length;
    results.set(loan.loanId, { amount: loan.amount, installment, principalPaid: principal, interestPaid: interest, holders });
    sum.raised += loan.bids.reduce((all, { amount }) => all + amount, 0n);
    sum.lentOut += loan.amount;
    sum.principal += principal;
    sum.interest += interest;
    sum.compensated += compensated;
    sum.platformFees += fee;
    instalmentsPaid += paid.length - (loan.fate === 'late' ? 1 : 0);
    if (installment === loan.installment) installmentMatches += 1;
  }
  return { figures: { loans: loans.length, ...sum, instalmentsPaid, held: 0n, installmentMatches }, loans: results };
}

/** What a borrower pays in for a loan: the fee that he was lent less by, and the interest. His principal he still has. */
export function borrowerPaysIn(loan: Loan): Minor {
  const { paid, fee, compensated } = scheduleOf(loan);
  const own = compensated > 0n ? paid.slice(0, -1) : paid;
  return own.reduce((all, { interest }) => all + interest, fee);
}

export interface LoanFound {
  readonly figures: LoanFigures;
  readonly loans: ReadonlyMap<string, LoanResult>;
}

/** In the public data the instalment of so few loans in 5,000 is not the formula's. */
const ODD_ONES = 2;

/** The service's figures against those that the terms demand, and each loan's. */
export function differencesOf(found: LoanFound, expected: LoanExpected): Check[] {
  const names = Object.keys(expected.figures) as (keyof LoanExpected['figures'])[];
  const figures = names.map((name) => same(name, found.figures[name], expected.figures[name]));
  const wrong = [...expected.loans].filter(([loanId, of]) => {
    const one = found.loans.get(loanId);
    return one === undefined || (Object.keys(of) as (keyof LoanResult)[]).some((name) => one[name] !== of[name]);
  });
  const told = wrong.length === 0 ? `${expected.loans.size} loans` : `${wrong.length} differ, the first ${wrong[0]?.[0]}`;
  const { custody, sumOfSubAccounts, raised, lentOut, held, loans, installmentMatches } = found.figures;
  const odd = loans - installmentMatches;
  return [
    ...figures,
    { what: 'instalment, payments and holders of every loan', ok: wrong.length === 0, found: told },
    same('raised = lentOut', raised, lentOut),
    same('held = 0', held, 0n),
    same('custody = sumOfSubAccounts', custody, sumOfSubAccounts),
    { what: "instalments that are not the data's: at most 2", ok: odd <= ODD_ONES, found: String(odd) },
  ];
}
