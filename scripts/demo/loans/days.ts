import { addDays, type BusinessDate, type Instant, type Minor, startOfDay } from '../../../src/kernel/index.js';
import { DrivenClock } from '../clock.js';
import { closeDay } from '../day.js';
import { cny, type Instalment, type Instruction, instruct, payIn, readProjects, registerAll } from './business.js';
import { dueOn, instalmentsOf, type Plan, type PlannedLoan } from './data.js';
import { borrowerPaysIn, scheduleOf } from './figures.js';
import type { LendingHouse, Party, Person } from './opening.js';

const MORNING_MS = 9 * 3_600_000;

/** What is to be done on one day. */
interface Agenda {
  readonly lend: PlannedLoan[];
  /** With the number of the instalment. */
  readonly due: { readonly loan: PlannedLoan; readonly no: number }[];
  /** The day after the guarantor has to step in. */
  readonly overdue: PlannedLoan[];
}

export interface DayDone {
  readonly date: BusinessDate;
  readonly day: number;
  readonly days: number;
  readonly lent: number;
  readonly instalments: number;
}

/** What the service said of a project that is lent out, once: nothing of its plan changes before it is settled. */
interface Lent {
  readonly project: string;
  readonly plan: readonly Instalment[];
}

function agendaOf(loans: readonly PlannedLoan[]): Map<BusinessDate, Agenda> {
  const agenda = new Map<BusinessDate, Agenda>();
  const on = (date: BusinessDate): Agenda => {
    const found = agenda.get(date) ?? { lend: [], due: [], overdue: [] };
    agenda.set(date, found);
    return found;
  };
  for (const loan of loans) {
    on(loan.lentOn).lend.push(loan);
    const last = instalmentsOf(loan);
    for (let no = 1; no <= last; no += 1)
      if (no === last && loan.fate === 'late') on(addDays(dueOn(loan, no), 1)).overdue.push(loan);
      else on(dueOn(loan, no)).due.push({ loan, no });
  }
  return agenda;
}

/** Every natural day of the run, in order. */
export function daysOf(loans: readonly PlannedLoan[]): BusinessDate[] {
  const wanted = [...agendaOf(loans).keys()].sort();
  const days: BusinessDate[] = [];
  for (let date = wanted[0] as BusinessDate; date <= (wanted.at(-1) as BusinessDate); date = addDays(date, 1)) days.push(date);
  return days;
}

/**
 * The loans day by day: money comes in, projects are registered, confirmed, raised and lent out, instalments paid, loans settled, the guarantor
 * called upon; and every day is closed. `run` throws when the service does anything else.
 */
export class LoanDays {
  readonly #house: LendingHouse;
  readonly #plan: Plan;
  readonly #lent = new Map<string, Lent>();
  readonly #hasBorrowed = new Set<number>();
  readonly #funded = new Set<string>();
  #paidIn = 0n;
  #instalments = 0;

  constructor(house: LendingHouse, plan: Plan) {
    this.#house = house;
    this.#plan = plan;
  }

  /** Everything that came in from outside. */
  get paidIn(): Minor {
    return this.#paidIn;
  }

  /** By loan: the project and its plan, as the service told it on the day it was lent out. */
  get lent(): ReadonlyMap<string, Lent> {
    return this.#lent;
  }

  async run(tell: (done: DayDone) => void): Promise<void> {
    const agenda = agendaOf(this.#plan.loans);
    const days = daysOf(this.#plan.loans);
    const clock = new DrivenClock(this.#house.clients.admin);
    for (const [place, date] of days.entries()) {
      const today = agenda.get(date);
      if (today !== undefined) {
        await clock.moveTo((startOfDay(date) + MORNING_MS) as Instant);
        await this.#lendersPayIn(date, today.lend);
        await this.#lend(today.lend);
        await this.#borrowersPayIn(date, today.due);
        await this.#repay(today.due);
        await this.#settle(today.due);
        await this.#compensate(date, today.overdue);
      }
      await clock.moveTo(startOfDay(addDays(date, 1)));
      await closeDay(this.#house, date);
      tell({ date, day: place + 1, days: days.length, lent: this.#lent.size, instalments: this.#instalments });
    }
  }

  async #payIn(date: BusinessDate, sums: ReadonlyMap<Party, Minor>, why: string): Promise<void> {
    const transfers = [...sums].map(([to, amount], place) => ({ to, amount, reference: `${why}-${date}-${place}` }));
    await payIn(this.#house, date, transfers);
    this.#paidIn += transfers.reduce((sum, { amount }) => sum + amount, 0n);
  }

  /** On the first lending day of a month each lender brings what he will lend in it. */
  async #lendersPayIn(date: BusinessDate, lend: readonly PlannedLoan[]): Promise<void> {
    const months = new Set(lend.map(({ month }) => month).filter((month) => !this.#funded.has(month)));
    const sums = new Map<Party, Minor>();
    for (const { month, bids } of this.#plan.loans) {
      if (!months.has(month)) continue;
      this.#funded.add(month);
      for (const { lender, amount } of bids) add(sums, this.#house.lenders[lender] as Party, amount);
    }
    await this.#payIn(date, sums, 'LEND');
  }

  async #lend(loans: readonly PlannedLoan[]): Promise<void> {
    const { lenders } = this.#house;
    const ids = await registerAll(this.#house, loans, this.#hasBorrowed);
    const bids = loans.flatMap(({ loanId, projectNo, bids: of }) =>
      of.map(({ lender, amount }, place): Instruction => {
        const { account, mandate } = lenders[lender] as Person;
        const data = { projectNo, account, amount: cny(amount), mandate };
        return { requestNo: `L-${loanId}-bid-${place + 1}`, kind: 'bid', data };
      }),
    );
    await instruct(this.#house, bids);
    await instruct(
      this.#house,
      loans.map(({ loanId, projectNo }) => ({ requestNo: `L-${loanId}-lend`, kind: 'lend-out', data: { projectNo } })),
    );
    const projects = await readProjects(this.#house, [...ids.values()]);
    for (const [place, loanId] of [...ids.keys()].entries()) {
      const { id: project, plan } = projects[place] as (typeof projects)[number];
      this.#lent.set(loanId, { project, plan });
    }
  }

  /** On the day of his first instalment a borrower brings the interest and fees of all that he borrows in the run. */
  async #borrowersPayIn(date: BusinessDate, due: Agenda['due']): Promise<void> {
    const paying = new Set(due.map(({ loan }) => loan.borrower).filter((borrower) => !this.#funded.has(`borrower ${borrower}`)));
    const sums = new Map<Party, Minor>();
    for (const loan of this.#plan.loans) {
      if (!paying.has(loan.borrower)) continue;
      this.#funded.add(`borrower ${loan.borrower}`);
      add(sums, this.#house.borrowers[loan.borrower] as Party, borrowerPaysIn(loan));
    }
    await this.#payIn(date, sums, 'INTEREST');
  }

  #repayment(loan: PlannedLoan, of: 'due' | 'early', amount: number, requestNo: string): Instruction {
    const { account: from, mandate } = this.#house.borrowers[loan.borrower] as Person;
    return { requestNo, kind: 'repayment', data: { projectNo: loan.projectNo, from, amount: cny(amount), of, mandate } };
  }

  async #repay(due: Agenda['due']): Promise<void> {
    const repayments = due.map(({ loan, no }) => {
      const { principal, interest } = this.#lentOf(loan).plan[no - 1] as Instalment;
      return this.#repayment(loan, 'due', principal + interest, `L-${loan.loanId}-due-${no}`);
    });
    await instruct(this.#house, repayments);
    this.#instalments += repayments.length;
  }

  #lentOf({ loanId }: PlannedLoan): Lent {
    const lent = this.#lent.get(loanId);
    if (lent === undefined) throw new Error(`The loan ${loanId} is not lent out.`);
    return lent;
  }

  /** After the last instalment of the run: what the service says that it takes to settle it on this day. */
  async #settle(due: Agenda['due']): Promise<void> {
    const settled = due.filter(({ loan, no }) => loan.fate === 'settled' && no === instalmentsOf(loan)).map(({ loan }) => loan);
    const projects = await readProjects(
      this.#house,
      settled.map((loan) => this.#lentOf(loan).project),
    );
    const early = settled.flatMap((loan, place) => {
      const amount = projects[place]?.early ?? 0;
      return amount === 0 ? [] : [this.#repayment(loan, 'early', amount, `L-${loan.loanId}-early`)];
    });
    await instruct(this.#house, early);
  }

  /** The guarantor pays what the service says is overdue: straight to the lenders. Its money for all of them comes with the first. */
  async #compensate(date: BusinessDate, overdue: readonly PlannedLoan[]): Promise<void> {
    if (overdue.length === 0) return;
    const { guarantor } = this.#house;
    if (!this.#funded.has('guarantor')) {
      this.#funded.add('guarantor');
      const all = this.#plan.loans.reduce((sum, loan) => sum + scheduleOf(loan).compensated, 0n);
      await this.#payIn(date, new Map([[guarantor, all]]), 'GUARANTEE');
    }
    const projects = await readProjects(
      this.#house,
      overdue.map((loan) => this.#lentOf(loan).project),
    );
    const given = overdue.map(({ loanId, projectNo }, place): Instruction => {
      const amount = cny(projects[place]?.due.total ?? 0);
      const data = { projectNo, from: guarantor.account, amount, way: 'direct' };
      return { requestNo: `L-${loanId}-guarantor`, kind: 'compensation', data };
    });
    await instruct(this.#house, given);
  }
}

function add(sums: Map<Party, Minor>, party: Party, amount: Minor): void {
  sums.set(party, (sums.get(party) ?? 0n) + amount);
}
