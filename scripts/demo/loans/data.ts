import { join } from 'node:path';
import { addMonths, type BusinessDate, type Minor, parseYuan } from '../../../src/kernel/index.js';
import { seeded } from '../../bench/figures.js';
import { DataFaulty, type Row, readTable } from '../orders.js';

/** What becomes of a loan: settled early after three instalments; paid on time; the third is missed, and the guarantor pays it. */
export type Fate = 'settled' | 'on-time' | 'late';

/** A loan of the data, in the format of a public table of loans. */
export interface Loan {
  readonly loanId: string;
  /** `2018-03`. */
  readonly month: string;
  readonly purpose: string;
  /** Fen, as everywhere here. */
  readonly amount: Minor;
  /** Of a year, in millionths. */
  readonly rate: bigint;
  /** How many months it runs. */
  readonly months: number;
  /** What the data says that its regular instalment is. */
  readonly installment: Minor;
  readonly fate: Fate;
}

/** A loan as the run has it: who borrows, who lends how much, and when it is lent out. */
export interface PlannedLoan extends Loan {
  readonly projectNo: string;
  readonly lentOn: BusinessDate;
  /** Its place among the borrowers. */
  readonly borrower: number;
  readonly bids: readonly PlannedBid[];
}

export interface PlannedBid {
  /** His place among the lenders. */
  readonly lender: number;
  readonly amount: Minor;
}

export interface Plan {
  readonly loans: readonly PlannedLoan[];
  readonly lenders: number;
  readonly borrowers: number;
}

const COLUMNS = ['loan_id', 'issue_month', 'loan_purpose', 'loan_amount', 'term', 'interest_rate', 'installment', 'loan_status'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
// `L-` before it and `-part` behind it are request numbers.
const LOAN_ID = /^[A-Za-z0-9_.:-]{1,48}$/;

/** @throws DataFaulty naming the row */
export function readLoans(folder: string, limit: number): Loan[] {
  const path = join(folder, 'loans.csv');
  return parseLoans(path, readTable(path, COLUMNS).slice(0, limit));
}

export function parseLoans(path: string, rows: readonly Row[]): Loan[] {
  const seen = new Set<string>();
  return rows.map((row, place) => {
    const field = (name: string, pattern: RegExp): string => {
      const text = row[name] ?? '';
      if (pattern.test(text)) return text;
      throw new DataFaulty(`${path}, row ${place + 1} below the header: ${name} is "${text}".`);
    };
    const loanId = field('loan_id', LOAN_ID);
    if (seen.has(loanId)) throw new DataFaulty(`${path}: the loan ${loanId} stands there twice.`);
    seen.add(loanId);
    const [name = '', year = ''] = field('issue_month', /^[A-Z][a-z]{2}-\d{4}$/).split('-');
    if (!MONTHS.includes(name)) throw new DataFaulty(`${path}: the month of the loan ${loanId} is "${name}".`);
    return {
      loanId,
      month: `${year}-${String(MONTHS.indexOf(name) + 1).padStart(2, '0')}`,
      purpose: (row.loan_purpose ?? '').replaceAll('_', ' ') || '借款',
      amount: parseYuan(field('loan_amount', /^[1-9]\d{0,9}(\.\d{1,2})?$/)),
      months: Number(field('term', /^([1-9]|[1-9]\d|1[01]\d|120)$/)),
      rate: parseYuan(field('interest_rate', /^\d{1,2}(\.\d{1,2})?$/)) * 100n,
      installment: parseYuan(field('installment', /^\d{1,9}(\.\d{1,2})?$/)),
      fate: fateOf(field('loan_status', /./)),
    };
  });
}

function fateOf(status: string): Fate {
  if (/^fully paid$/i.test(status)) return 'settled';
  return /late|default|charged off|grace/i.test(status) ? 'late' : 'on-time';
}

/** Days of the issue month on which loans are lent out. */
const LENDING_DAYS = ['10', '20'];
const LENDERS = { least: 5, most: 20 };
/** So many lenders for a loan in the pool, and never fewer than one loan may have. */
const LOANS_PER_LENDER = 40;
const POOL_MOST = 80;
/** Up to so many loans everybody borrows once; above that he has several, as far as the law lets a person borrow on one platform. */
const BORROWERS_MOST = 430;
const PERSON_CAP = 20_000_000n;

/** Who lends what to whom and when, drawn with a seed. */
export function planOf(loans: readonly Loan[]): Plan {
  const chance = seeded(7);
  const lenders = Math.min(POOL_MOST, Math.max(LENDERS.most, Math.ceil(loans.length / LOANS_PER_LENDER)));
  const owed: Minor[] = [];
  const planned = loans.map((loan): PlannedLoan => {
    const borrower = borrowerFor(owed, loan.amount);
    owed[borrower] = (owed[borrower] ?? 0n) + loan.amount;
    const day = LENDING_DAYS[Math.floor(chance() * LENDING_DAYS.length)] as string;
    const lentOn = `${loan.month}-${day}` as BusinessDate;
    return { ...loan, projectNo: `L-${loan.loanId}`, lentOn, borrower, bids: bidsFor(loan.amount, lenders, chance) };
  });
  return { loans: planned, lenders, borrowers: owed.length };
}

/** A new one, or of those there are the one who owes least. @throws DataFaulty when no person may borrow so much */
function borrowerFor(owed: readonly Minor[], amount: Minor): number {
  if (amount > PERSON_CAP) throw new DataFaulty('A person may not borrow more than 200,000.00 on one platform.');
  if (owed.length < BORROWERS_MOST) return owed.length;
  const least = owed.reduce((place, each, other) => (each < (owed[place] as Minor) ? other : place), 0);
  return (owed[least] as Minor) + amount > PERSON_CAP ? owed.length : least;
}

/** From 5 to 20 different lenders with shares of chance, in whole yuan as far as the amount has them. */
function bidsFor(amount: Minor, pool: number, chance: () => number): PlannedBid[] {
  const wanted = LENDERS.least + Math.floor(chance() * (LENDERS.most - LENDERS.least + 1));
  const yuan = Number(amount / 100n);
  const chosen = new Set<number>();
  while (chosen.size < Math.min(wanted, Math.max(1, yuan))) chosen.add(Math.floor(chance() * pool));
  const weights = [...chosen].map(() => 1 + Math.floor(chance() * 9));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const bids = [...chosen].map((lender, place) => {
    // Everybody lends a yuan, and of the rest his share.
    const share = BigInt(1 + Math.floor(((yuan - chosen.size) * (weights[place] as number)) / all)) * 100n;
    return { lender, amount: share };
  });
  const given = bids.reduce((sum, bid) => sum + bid.amount, 0n);
  return bids.map((bid, place) => (place === 0 ? { ...bid, amount: bid.amount + amount - given } : bid));
}

/** After so many instalments a loan is settled, or the run leaves it; of one that misses an instalment it is the last of these. */
const INSTALMENTS = 3;

export const instalmentsOf = ({ months }: Pick<Loan, 'months'>): number => Math.min(INSTALMENTS, months);

/** When an instalment of it is due. @param no from 1 */
export const dueOn = ({ lentOn }: Pick<PlannedLoan, 'lentOn'>, no: number): BusinessDate => addMonths(lentOn, no);
