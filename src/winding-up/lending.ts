import { type Mandate, standingMandates } from '../consents/index.js';
import { type BusinessDate, type Id, type Instant, type Minor, toWire, toWireAmount } from '../kernel/index.js';
import { availableOf, type Book, type LedgerAccount, loadAccounts } from '../ledger/index.js';
import { dueOn, openProjects, type Project } from '../lending/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import type { Return } from './rules.js';

/**
 * Lending on a platform that is wound up or has vanished. What is not lent out goes back to those who bid; what was lent is repaid by its plan
 * as if the platform were there: on the days on which something is due the bank takes it of what the borrower has on his account, under his
 * mandate, or of a company by the contract that it signed. Without either staff gives the repayment on the form that he signs.
 */
const PAGE = 500;

/** A lent project with what the bank may take of its borrower. */
interface Collectable {
  readonly project: Project;
  readonly due: Minor;
  readonly withNext: Minor;
  readonly borrower: LedgerAccount;
  /** Undefined of a company. */
  readonly mandate: Mandate | undefined;
}

interface Moment {
  readonly book: Book;
  readonly nowMs: Instant;
}

/** What ends or collects, of all projects of the platform. Made of the state that it was decided on: the same state gives the same numbers. */
export async function projectReturns(rt: Pick<Runtime, 'db' | 'clock'>, book: Book): Promise<Return[]> {
  const returns: Return[] = [];
  const nowMs = rt.clock.now();
  for (let after: Id | undefined, more = true; more; ) {
    const from: Id | undefined = after;
    const page = await rt.db.read('wind-down-projects', async (tx) => {
      const projects = await openProjects(tx, book.platformId, from, PAGE);
      return { projects, collectable: await collectables(tx, projects, { book, nowMs }) };
    });
    returns.push(...page.projects.flatMap((project) => (project.state === 'lent' ? [] : [miscarried(project)])));
    // One account may owe on several projects: each is given what those before it leave.
    const left = new Map<Id, Minor>();
    for (const each of page.collectable) {
      const { borrower, due, mandate } = each;
      const free = left.get(borrower.id) ?? availableOf(borrower);
      const room = mandate === undefined ? free : leastOf(free, mandateRoom(mandate));
      const amount = leastOf(due, room);
      if (amount <= 0n) continue;
      left.set(borrower.id, free - amount);
      returns.push(collected(each, amount, book.businessDate));
    }
    after = page.projects.at(-1)?.id;
    more = page.projects.length === PAGE;
  }
  return returns;
}

/** What stays on accounts for the instalment that comes next, by account: where the bank may take it. */
export async function keptForProjects(tx: Tx, book: Book, nowMs: Instant): Promise<Map<Id, Minor>> {
  const kept = new Map<Id, Minor>();
  for (let after: Id | undefined, more = true; more; ) {
    const projects: Project[] = await openProjects(tx, book.platformId, after, PAGE);
    for (const { borrower, withNext } of await collectables(tx, projects, { book, nowMs }))
      kept.set(borrower.id, (kept.get(borrower.id) ?? 0n) + withNext);
    after = projects.at(-1)?.id;
    more = projects.length === PAGE;
  }
  return kept;
}

async function collectables(tx: Tx, projects: readonly Project[], { book, nowMs }: Moment): Promise<Collectable[]> {
  const lent = projects.filter(({ state }) => state === 'lent');
  const ids = [...new Set(lent.map(({ borrower }) => borrower))];
  if (ids.length === 0) return [];
  const accounts = await loadAccounts(tx, ids, () => book.businessDate);
  const mandates = await standingMandates(tx, ids, { kind: 'repayment', nowMs });
  return lent.flatMap((project) => {
    const borrower = accounts.get(project.borrower);
    const mandate = mandates.get(project.borrower)?.find(({ payees }) => payees.projects);
    if (borrower === undefined || (borrower.type !== 'sub' && mandate === undefined)) return [];
    return [{ project, ...dueOn(project, book.businessDate), borrower, mandate: borrower.type === 'sub' ? undefined : mandate }];
  });
}

const leastOf = (one: Minor, other: Minor): Minor => (one < other ? one : other);

/** What one more debit may take under it; the engine judges again. */
function mandateRoom({ paymentCap, totalCap, usedTotal }: Mandate): Minor {
  return leastOf(paymentCap, totalCap - usedTotal);
}

function miscarried({ id, projectNo, turn }: Project): Return {
  return { requestNo: `wd:miscarry:${id}:${turn}`, kind: 'miscarriage', amount: 0n, data: { projectNo } };
}

function collected({ project, mandate }: Collectable, amount: Minor, date: BusinessDate): Return {
  const { id, projectNo, borrower, loan } = project;
  const paid = loan.paidPrincipal + loan.paidInterest + loan.paidPenalty;
  return {
    requestNo: `wd:repay:${date}:${id}:${loan.next}:${paid}:${amount}`,
    kind: 'repayment',
    amount,
    data: {
      ...{ projectNo, from: toWire('account', borrower), amount: { amount: toWireAmount(amount), currency: 'CNY' }, of: 'due' },
      ...(mandate === undefined ? {} : { mandate: toWire('mandate', mandate.id) }),
    },
  };
}
