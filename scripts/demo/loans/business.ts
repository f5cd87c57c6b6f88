import { addDays, type BusinessDate, type Minor, startOfDay, toRfc3339 } from '../../../src/kernel/index.js';
import { together } from '../http.js';
import type { PlannedLoan } from './data.js';
import { AT_ONCE, type LendingHouse, type Party, sayYes } from './opening.js';

/** What the platform, customers and the bank do in a day; each function does it for many loans and waits for what becomes of it. */

const BATCH_MAX = 5_000;
const DECIDED_MS = 120_000;
const TRANSFERS_MS = 120_000;
const LOOK_EVERY_MS = 100;
/** The public data says nothing of what is due for being late, and the guarantor pays on the day after. */
const PENALTY_RATE = 0;
/** 1 % of what is lent. */
const LEND_FEE = 100;
const REGISTERING = 'registering projects';

export interface Instalment {
  readonly no: number;
  readonly dueOn: string;
  readonly principal: number;
  readonly interest: number;
}

/** A project as the service tells it; amounts in fen. */
export interface Project {
  readonly id: string;
  readonly projectNo: string;
  readonly state: string;
  readonly amount: number;
  readonly lentOn: string | null;
  readonly plan: readonly Instalment[];
  readonly due: { readonly total: number };
  readonly early: number | null;
}

export const cny = (amount: Minor | number) => ({ amount: Number(amount), currency: 'CNY' });

/**
 * Registers a project, has its borrower confirm it and the guarantor's signature recorded: now it can be lent to. A borrower confirms his first
 * project on a page of the bank, the others on paper at the counter. @returns its id
 */
async function register(
  { clients, borrowers, guarantor }: LendingHouse,
  loan: PlannedLoan,
  firstOfHis: boolean,
): Promise<string> {
  const borrower = borrowers[loan.borrower] as (typeof borrowers)[number];
  const what = REGISTERING;
  const body = {
    ...{ projectNo: loan.projectNo, borrower: borrower.account, guarantor: guarantor.account, amount: cny(loan.amount) },
    ...{ months: loan.months, rate: Number(loan.rate), penaltyRate: PENALTY_RATE, method: 'annuity', lendFee: LEND_FEE },
    ...{ raiseUntil: toRfc3339(startOfDay(addDays(loan.lentOn, 1))), purpose: loan.purpose },
  };
  const { id } = (await clients.platform.call({ method: 'POST', path: '/v1/lending-projects', body, what })) as { id: string };
  const words = `lending-projects/${id}/confirmations`;
  const paper = (role: string) => ({
    method: 'POST' as const,
    path: `/admin/v1/${words}`,
    body: { role, voucher: loan.projectNo },
  });
  await clients.teller.call({ ...paper('guarantor'), what });
  if (firstOfHis) {
    const asked = { role: 'borrower', user: borrower.user };
    const { consent } = (await clients.platform.call({ method: 'POST', path: `/v1/${words}`, body: asked, what })) as {
      consent: { url: string };
    };
    await sayYes(clients, borrower.mobile, consent.url);
  } else await clients.admin.call({ ...paper('borrower'), what });
  return id;
}

/** @param hasBorrowed who has confirmed a project on a page before; those of today are added @returns the ids of the projects, by loan */
export async function registerAll(
  house: LendingHouse,
  loans: readonly PlannedLoan[],
  hasBorrowed: Set<number>,
): Promise<ReadonlyMap<string, string>> {
  const firsts = loans.filter(({ borrower }) => !hasBorrowed.has(borrower) && hasBorrowed.add(borrower));
  const first = new Set(firsts);
  const ids = await together(loans, AT_ONCE, (loan) => register(house, loan, first.has(loan)));
  return new Map(loans.map((loan, place) => [loan.loanId, ids[place] as string]));
}

export interface Instruction {
  readonly requestNo: string;
  readonly kind: 'bid' | 'lend-out' | 'repayment' | 'compensation';
  readonly data: object;
}

interface BatchAnswer {
  readonly batch: string;
  readonly undecided: number;
  readonly lines: readonly { readonly requestNo: string; readonly state: string; readonly code: string | null }[];
}

/** Gives instructions in batches. @throws Error when one of them is not posted */
export async function instruct({ clients }: LendingHouse, instructions: readonly Instruction[]): Promise<void> {
  for (let from = 0; from < instructions.length; from += BATCH_MAX) {
    const given = instructions.slice(from, from + BATCH_MAX);
    const what = `instructions: ${given[0]?.kind}`;
    let answer = (await clients.platform.call({
      method: 'POST',
      path: '/v1/instructions/batches',
      body: given.map((instruction) => `${JSON.stringify(instruction)}\n`).join(''),
      headers: { 'content-type': 'application/x-ndjson', prefer: 'wait=30' },
      what,
    })) as BatchAnswer;
    for (const until = performance.now() + DECIDED_MS; answer.undecided > 0 && performance.now() < until; ) {
      await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
      const path = `/v1/instructions/batches/${answer.batch}`;
      answer = (await clients.platform.call({ method: 'GET', path, what })) as BatchAnswer;
    }
    const wrong = answer.lines.find(({ state }) => state !== 'posted');
    if (wrong !== undefined) throw new Error(`${wrong.requestNo} is ${wrong.state} ${wrong.code ?? ''}; it has to be posted.`);
  }
}

interface Transfer {
  readonly to: Party;
  readonly amount: Minor;
  readonly reference: string;
}

/** Money comes to accounts from their owners' own accounts elsewhere, and waits until the bank has taken it. @throws Error when it sends any back */
export async function payIn(
  { clients: { bank } }: LendingHouse,
  businessDate: BusinessDate,
  transfers: readonly Transfer[],
): Promise<void> {
  const what = 'transfers coming in';
  const wanted = transfers.filter(({ amount }) => amount > 0n);
  await together(wanted, AT_ONCE, ({ to, amount, reference }) => {
    const body = { virtualNo: to.virtualNo, amount: String(amount), payer: to.own, reference, businessDate };
    return bank.call({ method: 'POST', path: '/sandbox/transfers', body, what });
  });
  const open = new Set(wanted.map(({ reference }) => reference));
  for (const until = performance.now() + TRANSFERS_MS; open.size > 0; ) {
    const { items } = (await bank.call({ method: 'GET', path: '/sandbox/transfers', what })) as {
      items: readonly { readonly reference: string; readonly state: string; readonly reason?: string }[];
    };
    for (const { reference, state, reason } of items) {
      if (state === 'rejected') throw new Error(`The transfer ${reference} was sent back: ${reason}`);
      if (state === 'accepted') open.delete(reference);
    }
    if (open.size === 0) return;
    if (performance.now() > until) throw new Error(`${open.size} transfers were not taken within two minutes.`);
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
  }
}

/** The projects as they stand, in the order of the ids. */
export function readProjects({ clients }: LendingHouse, ids: readonly string[]): Promise<Project[]> {
  return together(ids, AT_ONCE, async (id) => {
    const path = `/v1/lending-projects/${id}`;
    return (await clients.platform.call({ method: 'GET', path, what: 'reading projects' })) as Project;
  });
}
