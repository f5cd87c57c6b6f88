import type { Minor } from '../../../src/kernel/index.js';
import { readDays } from '../day.js';
import { type Check, same } from '../figures.js';
import { readAll, together } from '../http.js';
import type { Instalment, Project } from './business.js';
import type { PlannedLoan } from './data.js';
import type { LoanFound, LoanResult } from './figures.js';
import { AT_ONCE, type LendingHouse } from './opening.js';

interface Bid {
  readonly own: number;
  readonly marketing: number;
  readonly state: string;
}
interface Claim {
  readonly projectNo: string;
  readonly principal: number;
  readonly left: number;
  readonly earned: number;
}
interface Account {
  readonly type: string;
  readonly balance: number;
  readonly held: number;
}
interface Instruction {
  readonly kind: string;
  readonly state: string;
  readonly requestNo: string;
}

interface Listed extends Pick<Project, 'id' | 'projectNo' | 'amount' | 'lentOn'> {
  readonly unrecovered: number;
}

const minor = (value: number): Minor => BigInt(value);
function sum<Item>(items: readonly Item[], of: (item: Item) => number): Minor {
  return items.reduce((all, item) => all + minor(of(item)), 0n);
}

/** Reads the figures of the run back from the service, over its API: nothing here comes from what the run counted. */
export async function readLoanFigures(
  house: LendingHouse,
  loans: readonly PlannedLoan[],
  plans: ReadonlyMap<string, { readonly plan: readonly Instalment[] }>,
): Promise<LoanFound> {
  const { platform } = house.clients;
  const projects = await readAll<Listed>(platform, '/v1/lending-projects');
  const byLender = await together(house.lenders, AT_ONCE, async ({ account }) => ({
    bids: await readAll<Bid>(platform, `/v1/accounts/${account}/bids`),
    claims: await readAll<Claim>(platform, `/v1/accounts/${account}/claims`),
  }));
  const bids = byLender.flatMap((of) => of.bids);
  const claims = byLender.flatMap((of) => of.claims);
  const accounts = await readAll<Account>(platform, '/v1/accounts');
  const repayments = await readAll<Instruction>(platform, '/v1/instructions?kind=repayment');
  const days = (await readDays(house)).filter(({ state }) => state === 'closed');
  const day = days.toSorted((one, other) => (one.businessDate < other.businessDate ? -1 : 1)).at(-1);
  const results = resultsOf(loans, projects, claims, plans);
  const commission = accounts.filter(({ type }) => type === 'commission');
  return {
    figures: {
      loans: projects.length,
      raised: sum(
        bids.filter(({ state }) => state === 'lent'),
        ({ own, marketing }) => own + marketing,
      ),
      lentOut: sum(
        projects.filter(({ lentOn }) => lentOn !== null),
        ({ amount }) => amount,
      ),
      instalmentsPaid: repayments.filter(({ state, requestNo }) => state === 'posted' && /-due-\d+$/.test(requestNo)).length,
      principal: sum(claims, ({ principal, left }) => principal - left),
      interest: sum(claims, ({ earned }) => earned),
      compensated: sum(projects, ({ unrecovered }) => unrecovered),
      platformFees: sum(commission, ({ balance }) => balance),
      held: sum(accounts, ({ held }) => held),
      custody: minor(day?.custody ?? -1),
      sumOfSubAccounts: minor(day?.subAccounts ?? -1),
      installmentMatches: loans.filter(({ loanId, installment }) => results.get(loanId)?.installment === installment).length,
    },
    loans: results,
  };
}

function resultsOf(
  loans: readonly PlannedLoan[],
  projects: readonly Listed[],
  claims: readonly Claim[],
  plans: ReadonlyMap<string, { readonly plan: readonly Instalment[] }>,
): Map<string, LoanResult> {
  const byProject = new Map<string, Claim[]>(projects.map(({ projectNo }) => [projectNo, []]));
  for (const claim of claims) byProject.get(claim.projectNo)?.push(claim);
  const amounts = new Map(projects.map(({ projectNo, amount }) => [projectNo, amount]));
  return new Map(
    loans.map(({ loanId, projectNo }) => {
      const of = byProject.get(projectNo) ?? [];
      const first = plans.get(loanId)?.plan[0];
      return [
        loanId,
        {
          amount: minor(amounts.get(projectNo) ?? -1),
          installment: first === undefined ? -1n : minor(first.principal + first.interest),
          principalPaid: sum(of, ({ principal, left }) => principal - left),
          interestPaid: sum(of, ({ earned }) => earned),
          holders: of.length,
        },
      ];
    }),
  );
}

interface Books {
  readonly custody: readonly { readonly custodyNo: string; readonly balance: string }[];
  readonly totals: { readonly inflow: string; readonly paid: string };
}

/** The figures against one another, against the accounts one by one, and against the books of the bank simulator. */
export async function agreesWithBooks(
  house: LendingHouse,
  { figures }: LoanFound,
  { paidIn, closed }: { readonly paidIn: Minor; readonly closed: number },
): Promise<Check[]> {
  const { platform, bank } = house.clients;
  const books = (await bank.call({ method: 'GET', path: '/sandbox/books', what: 'reading' })) as Books;
  const custody = books.custody.find(({ custodyNo }) => custodyNo === house.custodyNo)?.balance ?? '-1';
  const accounts = await readAll<Account>(platform, '/v1/accounts');
  const subs = accounts.filter(({ type }) => type !== 'custody');
  const days = await readDays(house);
  return [
    same('everything that was paid in = custody', paidIn, figures.custody),
    same("bank's books: custody account = custody", BigInt(custody), figures.custody),
    same("bank's books: inflow = paid in, nothing paid out", BigInt(books.totals.inflow) - BigInt(books.totals.paid), paidIn),
    same(
      'all accounts one by one = custody',
      sum(subs, ({ balance }) => balance),
      figures.custody,
    ),
    same('days that are closed and proved', days.filter(({ state }) => state === 'closed').length, closed),
  ];
}
