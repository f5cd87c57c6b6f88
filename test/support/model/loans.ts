import type { Given } from '../given.js';
import { bare, dataOf, type LendingHands, leftOf, type ModelModes, type ModelProject, type Parts } from './lending-books.js';
import { daysFrom, half, monthsAfter, type Row, rowsOf, share, sum } from './lending-plan.js';

/** What the loans of the plain bank know of their projects. */
interface Projects {
  project(given: Given): ModelProject;
  modes(platform: string): ModelModes;
}

/** Projects that are lent: what is owed of them day by day, and who pays whom. */
export class Loans {
  readonly #hands: LendingHands;
  readonly #of: Projects;

  constructor(hands: LendingHands, of: Projects) {
    this.#hands = hands;
    this.#of = of;
  }

  /** By kind. */
  readonly rules: Readonly<Record<string, (given: Given) => void>> = {
    repayment: (given) => this.#repay(given),
    compensation: (given) => this.#compensate(given),
    recovery: (given) => this.#recover(given),
  };

  /** Penalty of each row up to a day, and what of it is not paid. */
  #penalty(project: ModelProject, row: Row, on: string): bigint {
    const product = row.product + (on > row.counted ? (row.principal + row.interest) * daysFrom(row.counted, on) : 0n);
    return half(product * project.penaltyRate, 360n * 1_000_000n) - row.penaltyPaid;
  }

  #owedOn(project: ModelProject, on: string): bigint {
    const due = project.rows.filter((row) => row.due <= on);
    return sum(due.map((row) => row.principal + row.interest + this.#penalty(project, row, on)));
  }

  /** What is to be paid of it today by the plan, with the instalment after that, and what would settle it. */
  owes(project: ModelProject): { due: bigint; next: bigint; early: bigint } {
    const on = this.#hands.date(project.platform);
    const [due, first] = [this.#owedOn(project, on), project.rows.find((row) => row.due > on)];
    const { principal, interest, penalty } = this.#early(project);
    const next = first === undefined ? 0n : first.principal + first.interest;
    return { due, next, early: principal + interest + penalty };
  }

  /** All that its lenders can still get by the plan, with the penalty as of today. */
  worth(project: ModelProject): bigint {
    const on = this.#hands.date(project.platform);
    return sum(project.rows.map((row) => row.principal + row.interest + this.#penalty(project, row, on)));
  }

  /** Pays the oldest first; undefined where the amount is more than may be paid. */
  #payDue(project: ModelProject, amount: bigint, ahead: boolean): { parts: Parts; keep: () => void } | undefined {
    const on = this.#hands.date(project.platform);
    const rows = project.rows.map((row) => ({ ...row }));
    const parts: Parts = { principal: 0n, interest: 0n, penalty: 0n };
    let rest = amount;
    const overdue = rows.filter(({ due }) => due <= on);
    const [planned, behind] = [this.#planned(project), this.#behind(project)];
    const coming = rowsOf(project, planned, project.lentOn, behind).find(({ due }) => due > on);
    const early = ahead && monthsAfter(project.lentOn, behind) <= on;
    const payable = [...overdue, ...(early ? rows.filter(({ no }) => no === coming?.no) : [])];
    for (const row of payable) {
      if (rest === 0n) break;
      const least = (one: bigint, other: bigint) => (one < other ? one : other);
      const penalty = least(rest, this.#penalty(project, row, on));
      if (on > row.counted)
        Object.assign(row, { product: row.product + (row.principal + row.interest) * daysFrom(row.counted, on), counted: on });
      const interest = least(rest - penalty, row.interest);
      const principal = least(rest - penalty - interest, row.principal);
      rest -= penalty + interest + principal;
      row.penaltyPaid += penalty;
      row.interest -= interest;
      row.principal -= principal;
      parts.penalty += penalty;
      parts.interest += interest;
      parts.principal += principal;
    }
    if (rest > 0n) return undefined;
    const isOpen = (row: Row) => row.principal + row.interest > 0n || (row.due <= on && this.#penalty(project, row, on) > 0n);
    return { parts, keep: () => Object.assign(project, { rows: rows.filter(isOpen) }) };
  }

  /** What is owed of the running period's interest by the day: whole months by the month, days of a year of 360, a month 30 at the most. */
  #broken(project: ModelProject, principal: bigint, next: number, on: string): bigint {
    const before = project.method === 'bullet' ? 0 : next - 1;
    const last = project.method === 'bullet' ? project.months : next;
    let days = 0n;
    for (let month = before; month < last; month += 1) {
      const [from, to] = [monthsAfter(project.lentOn, month), monthsAfter(project.lentOn, month + 1)];
      if (on >= to) days += 30n;
      else if (on > from) days += daysFrom(from, on) > 30n ? 30n : daysFrom(from, on);
    }
    return half(principal * project.rate * days, 360n * 1_000_000n);
  }

  #early(project: ModelProject): Parts {
    const on = this.#hands.date(project.platform);
    const due = project.rows.filter((row) => row.due <= on);
    const ahead = project.rows.filter((row) => row.due > on);
    const parts: Parts = {
      principal: sum(project.rows.map(({ principal }) => principal)),
      interest: sum(due.map(({ interest }) => interest)),
      penalty: sum(due.map((row) => this.#penalty(project, row, on))),
    };
    const [first] = ahead;
    if (first === undefined) return parts;
    const plan = rowsOf(project, this.#planned(project), project.lentOn, this.#behind(project)).find(
      ({ no }) => no === first.no,
    ) as Row;
    const whole = sum(ahead.map(({ principal }) => principal)) + (plan.principal - first.principal);
    const accrued = this.#broken(project, whole, first.no, on);
    const paid = plan.interest - first.interest;
    return { ...parts, interest: parts.interest + (accrued > paid ? accrued - paid : 0n) };
  }

  /** The plan in force was made of so much, after so many months. */
  readonly #plans = new Map<string, { principal: bigint; behind: number }>();
  #planned = (project: ModelProject) => this.#plans.get(project.id)?.principal ?? project.amount;
  #behind = (project: ModelProject) => this.#plans.get(project.id)?.behind ?? 0;

  #repay(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.#of.project(given);
    const amount = BigInt(data.amount?.amount ?? 0);
    const from = bare(data.from);
    if (from !== project.borrower) hands.no('PROJECT_WRONG_PARTY');
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    if (data.of === 'due') {
      const paid = this.#payDue(project, amount, true);
      if (paid === undefined) throw hands.no('REPAYMENT_EXCEEDED');
      this.#payOut(given, project, from, paid);
    } else if (data.of === 'early') {
      const parts = this.#early(project);
      if (parts.principal + parts.interest + parts.penalty !== amount) hands.no('REPAYMENT_INEXACT');
      this.#payOut(given, project, from, { parts, keep: () => Object.assign(project, { rows: [] }) });
    } else this.#payAhead(given, project, from, amount);
  }

  #payAhead(given: Given, project: ModelProject, from: string, amount: bigint): void {
    const on = this.#hands.date(project.platform);
    const [first] = project.rows;
    const left = sum(project.rows.map(({ principal }) => principal));
    if (first === undefined || first.due <= on) throw this.#hands.no('REPAYMENT_NOT_AHEAD');
    const plan = rowsOf(project, this.#planned(project), project.lentOn, this.#behind(project)).find(({ no }) => no === first.no);
    if (plan?.principal !== first.principal || plan.interest !== first.interest) this.#hands.no('REPAYMENT_NOT_AHEAD');
    let principal = amount;
    while (principal > 0n && principal + this.#broken(project, principal, first.no, on) > amount) principal -= 1n;
    if (principal === 0n || principal >= left) this.#hands.no('REPAYMENT_NOT_AHEAD');
    const behind = project.method === 'bullet' ? 0 : first.no - 1;
    this.#payOut(given, project, from, {
      parts: { principal, interest: amount - principal, penalty: 0n },
      keep: () => {
        this.#plans.set(project.id, { principal: left - principal, behind });
        project.rows = rowsOf(project, left - principal, project.lentOn, behind);
      },
    });
  }

  #payOut(given: Given, project: ModelProject, from: string, { parts, keep }: { parts: Parts; keep: () => void }): void {
    const hands = this.#hands;
    const claims = project.claims.filter(({ left }) => left > 0n);
    const weights = claims.map(({ left }) => left);
    const [principal, interest, penalty] = [
      share(parts.principal, weights),
      share(parts.interest, weights),
      share(parts.penalty, weights),
    ];
    const gives = new Map<string, bigint>();
    let fees = 0n;
    const lines = claims.map((claim, place) => {
      const fee = ((interest[place] as bigint) * project.interestFee) / 10_000n;
      const earned = (interest[place] as bigint) + (penalty[place] as bigint) - fee;
      const back = principal[place] as bigint;
      fees += fee;
      gives.set(claim.account, (gives.get(claim.account) ?? 0n) + back + earned);
      return { claim, back, earned };
    });
    if (fees > 0n) gives.set(hands.own(project.platform, 'commission'), fees);
    const amount = parts.principal + parts.interest + parts.penalty;
    hands.move(
      given,
      [{ from, amount }],
      [...gives].flatMap(([to, each]) => (each === 0n ? [] : [{ to, amount: each }])),
      { account: from, amount, project: project.projectNo },
    );
    for (const { claim, back, earned } of lines) {
      claim.left -= back;
      claim.earned += earned;
    }
    keep();
    project.payments += 1;
    if (leftOf(project) === 0n) project.state = 'repaid';
  }

  #compensate(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.#of.project(given);
    const from = bare(data.from);
    const amount = BigInt(data.amount?.amount ?? 0);
    const { reserve, reserveAccount } = this.#of.modes(project.platform);
    if (from !== project.guarantor && !(reserve && from === reserveAccount)) hands.no('COMPENSATION_PAYER');
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    if (data.way === 'indirect') hands.passes(project.borrower);
    if (amount > this.#owedOn(project, hands.date(project.platform))) hands.no('COMPENSATION_EXCEEDED');
    const paid = this.#payDue(project, amount, false);
    if (paid === undefined) throw hands.no('COMPENSATION_EXCEEDED');
    this.#payOut(given, project, from, paid);
    project.paid.push({ id: given.id, payer: from, left: amount });
  }

  #recover(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.#of.project(given);
    const amount = BigInt(data.amount?.amount ?? 0);
    if (bare(data.from) !== project.borrower) hands.no('PROJECT_WRONG_PARTY');
    const paid = project.paid.find(({ id }) => id === bare(data.compensation));
    if (paid === undefined) throw hands.no('COMPENSATION_NOT_FOUND');
    if (amount > paid.left) hands.no('RECOVERY_EXCEEDED');
    const will = { account: project.borrower, amount, project: project.projectNo };
    hands.move(given, [{ from: project.borrower, amount }], [{ to: paid.payer, amount }], will);
    paid.left -= amount;
  }
}
