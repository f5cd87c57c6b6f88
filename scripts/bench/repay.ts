import { addMonths, type Id } from '../../src/kernel/index.js';
import { newLoan, type Project, planOf, projectRecords } from '../../src/lending/index.js';
import { type Runtime, sql } from '../../src/runtime/index.js';
import {
  ACCOUNTS,
  type Asked,
  type BenchBook,
  cny,
  FIRST_DATE,
  fund,
  giver,
  measure,
  openBook,
  randomPair,
  transferOf,
  withRuntime,
} from './book.js';
import { median, seeded } from './figures.js';
import { fillPurses, openPurses, type Purse } from './purses.js';

const ROUNDS = 5;
const LOANS = 10_000;
const HOLDERS = 12;
const ENTRIES_OF_REPAYMENT = 1 + HOLDERS;
const ENTRIES_OF_TRANSFER = 2;
const PURSE = 1_000_000n; // what each borrower has: an instalment a round, and some left
const TERMS = { rate: 120_000n, penaltyRate: 0n, months: 36, method: 'annuity' } as const;

/** So long ago that by now an instalment is due for every round, the one to warm up with them. */
const LENT_ON = addMonths(FIRST_DATE, -(ROUNDS + 1));

/**
 * An instalment of each of 10,000 loans with 12 holders, who are drawn from 100,000 lenders, repaid under the borrowers' mandates; in turns with
 * plain transfers between as many accounts of another book. Figures are medians over five rounds.
 */
export function benchRepay(args: readonly string[]): Promise<Record<string, number>> {
  const chance = seeded(Number(args[args.indexOf('--seed') + 1] ?? 0) || 1);
  return withRuntime(async (rt) => {
    const other = await openBook(rt);
    const giveOther = giver(other.platformId);
    await fund(rt, other, giveOther);
    const book = await openBook(rt, 0);
    const give = giver(book.platformId);
    const loans = await lendAll(rt, book, chance);
    await fillPurses(
      rt,
      book,
      give,
      loans.map(({ borrower }) => borrower),
      PURSE,
    );
    const plain: number[] = [];
    const repaid: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const transfers = (await measure(rt, giveOther, () => transferOf(randomPair(other.subs, chance)))).posting;
      const due = loans.map((loan) => repaymentOf(loan, round));
      const repayments = (await measure(rt, give, () => due.pop() as Asked, LOANS)).posting;
      process.stderr.write(`round ${round}: transfers ${Math.round(transfers)}, repayments ${Math.round(repayments)} a second\n`);
      if (round === 0) continue; // warm-up
      plain.push(transfers);
      repaid.push(repayments);
    }
    const ratios = repaid.map(
      (value, round) => (value * ENTRIES_OF_REPAYMENT) / ((plain[round] as number) * ENTRIES_OF_TRANSFER),
    );
    return {
      loans: LOANS,
      holders: HOLDERS,
      perSecond: Math.round(median(repaid)),
      entriesPerSecond: Math.round(median(repaid) * ENTRIES_OF_REPAYMENT),
      postingEntriesPerSecond: Math.round(median(plain) * ENTRIES_OF_TRANSFER),
      ratio: Number(median(ratios).toFixed(3)),
    };
  });
}

interface Loan {
  readonly projectNo: string;
  readonly borrower: Purse;
  /** What its instalments are, one after another. */
  readonly instalments: readonly bigint[];
}

/** Loans of which nothing was paid yet, at no penalty: raising and lending them out is not measured. */
async function lendAll(rt: Runtime, book: BenchBook, chance: () => number): Promise<Loan[]> {
  const mandate = { projects: true, cap: PURSE, payees: [] };
  const lenders = await openPurses(rt, book, ACCOUNTS, { kind: 'bid', ...mandate });
  const borrowers = await openPurses(rt, book, LOANS, { kind: 'repayment', ...mandate });
  const now = rt.clock.now();
  const lent = borrowers.map((borrower, place) => {
    const amount = BigInt(HOLDERS * (50_000 + Math.floor(chance() * 50_000)));
    const project: Project = {
      ...{ ...TERMS, id: rt.newId(), platformId: book.platformId, projectNo: `B-${place}`, borrower: borrower.account },
      ...{ guarantor: null, payee: null, amount, lendFee: 100, interestFee: 0, lenderMin: null, lenderMax: null },
      ...{ raiseUntilMs: now, mode: 'direct', purpose: 'bench', contentHash: Buffer.alloc(32) },
      ...{ borrowerIndex: Buffer.from(borrower.account.padStart(64, '0'), 'hex'), state: 'lent', raised: amount, bids: 0 },
      ...{ claims: HOLDERS, lentOn: LENT_ON, loan: newLoan(amount), left: amount, unrecovered: 0n, turn: 0, dueMs: null },
      ...{ createdMs: now, endedMs: null },
    };
    return { borrower, project, holders: drawn(lenders, chance) };
  });
  for (let from = 0; from < lent.length; from += 1000) {
    const part = lent.slice(from, from + 1000);
    const claims = part.flatMap(({ project: { id, amount }, holders }) =>
      holders.map((account, place) => {
        const principal = amount / BigInt(HOLDERS);
        return `${rt.newId()},${id},${place + 1},${account},${principal},${principal},0,0`;
      }),
    );
    await rt.db.withTx('bench-loans', async (tx) => {
      await tx.write(projectRecords.saving(part.map(({ project }) => project)) as string);
      await tx.write(
        `INSERT INTO lending_claims (id, project_id, place, account_id, principal, principal_left, earned, turn) VALUES ${sql.tuples(claims)}`,
      );
    });
  }
  return lent.map(({ borrower, project: { projectNo, amount } }) => {
    const plan = planOf({ ...TERMS, principal: amount, lentOn: LENT_ON });
    return { projectNo, borrower, instalments: plan.map(({ principal, interest }) => principal + interest) };
  });
}

/** As many different ones as a loan has. */
function drawn(lenders: readonly Purse[], chance: () => number): Id[] {
  const found = new Set<Id>();
  while (found.size < HOLDERS) found.add((lenders[Math.floor(chance() * lenders.length)] as Purse).account);
  return [...found];
}

/** Each round pays one of those that are due. */
function repaymentOf({ projectNo, borrower: { account, mandate }, instalments }: Loan, round: number): Asked {
  const amount = cny(instalments[round] as bigint);
  return ['repayment', { projectNo, from: `acc_${account}`, amount, of: 'due', mandate: `mdt_${mandate}` }];
}
