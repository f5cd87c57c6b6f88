import { coverOf, type Mandate, quotaOf, standingMandates } from '../consents/index.js';
import { type BusinessDate, type Id, type Instant, type Minor, toWire, toWireMoney } from '../kernel/index.js';
import { availableOf, type Book, type LedgerAccount, loadAccounts } from '../ledger/index.js';
import { dueOn, openProjects, type Project } from '../lending/index.js';
import { inPages, type Runtime, type Tx } from '../runtime/index.js';
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
  /** Those that cover it, the oldest first; undefined of a company. */
  readonly mandates: readonly Mandate[] | undefined;
}

interface Moment {
  readonly book: Book;
  readonly nowMs: Instant;
}

/** What ends or collects, of all projects of the platform. Made of the state that it was decided on: the same state gives the same numbers. */
export async function projectReturns(rt: Pick<Runtime, 'db' | 'clock'>, book: Book): Promise<Return[]> {
  const returns: Return[] = [];
  const nowMs = rt.clock.now();
  const room = new Room(nowMs);
  const read = (after: Id) => rt.db.read('wind-down-projects', (tx) => openProjects(tx, book.platformId, { after, limit: PAGE }));
  for await (const projects of inPages(PAGE, ({ id }) => id, read)) {
    returns.push(...projects.flatMap((project) => (project.state === 'lent' ? [] : [miscarried(project)])));
    for (const each of await rt.db.read('wind-down-collectable', (tx) => collectables(tx, projects, { book, nowMs }))) {
      const taken = room.take(each);
      if (taken !== undefined) returns.push(collected(each, taken, book.businessDate));
    }
  }
  return returns;
}

/** What stays on accounts for the instalment that comes next, by account: where the bank may take it. */
export async function keptForProjects(tx: Tx, book: Book, nowMs: Instant): Promise<Map<Id, Minor>> {
  const kept = new Map<Id, Minor>();
  const read = (after: Id) => openProjects(tx, book.platformId, { after, limit: PAGE });
  for await (const projects of inPages(PAGE, ({ id }) => id, read))
    for (const { borrower, withNext } of await collectables(tx, projects, { book, nowMs }))
      kept.set(borrower.id, (kept.get(borrower.id) ?? 0n) + withNext);
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
    const covering = (mandates.get(project.borrower) ?? []).filter(({ payees }) => payees.projects);
    if (borrower === undefined || (borrower.type !== 'sub' && covering.length === 0)) return [];
    const of = borrower.type === 'sub' ? undefined : covering;
    return [{ project, ...dueOn(project, book.businessDate), borrower, mandates: of }];
  });
}

const leastOf = (one: Minor, other: Minor): Minor => (one < other ? one : other);

/** What is taken of a borrower in one debit, and under which mandate. */
interface Taken {
  readonly amount: Minor;
  readonly mandate: Mandate | undefined;
}

/**
 * What may still be taken in one round: an account may owe on several projects, and one mandate may cover them all, so each is given what
 * those before it leave. The engine judges again.
 */
class Room {
  readonly #free = new Map<Id, Minor>();
  readonly #used = new Map<Id, Mandate>();
  readonly #nowMs: Instant;

  constructor(nowMs: Instant) {
    this.#nowMs = nowMs;
  }

  /** Of what is due as much as can be had, under the mandate that lets most of it be taken now; undefined when that is nothing. */
  take({ project, borrower, due, mandates }: Collectable): Taken | undefined {
    const free = this.#free.get(borrower.id) ?? availableOf(borrower);
    const most = leastOf(due, free);
    const ways: Taken[] = mandates === undefined ? [{ amount: most, mandate: undefined }] : [];
    for (const each of mandates ?? []) {
      const mandate = this.#used.get(each.id) ?? each;
      ways.push({ mandate, amount: leastOf(most, quotaOf(mandate, this.#nowMs).payment) });
    }
    const [best] = ways.sort((one, other) => (one.amount === other.amount ? 0 : one.amount > other.amount ? -1 : 1));
    if (best === undefined || best.amount <= 0n) return undefined;
    const { amount, mandate } = best;
    this.#free.set(borrower.id, free - amount);
    if (mandate === undefined) return best;
    const payee = { project: project.projectNo };
    const after = coverOf(mandate, { kind: 'repayment', account: borrower.id, payee, amount, nowMs: this.#nowMs });
    if ('code' in after) return undefined;
    this.#used.set(mandate.id, after);
    return best;
  }
}

function miscarried({ id, projectNo, turn }: Project): Return {
  return { requestNo: `wd:miscarry:${id}:${turn}`, kind: 'miscarriage', amount: 0n, data: { projectNo } };
}

function collected({ project }: Collectable, { amount, mandate }: Taken, date: BusinessDate): Return {
  const { id, projectNo, borrower, loan } = project;
  const paid = loan.paidPrincipal + loan.paidInterest + loan.paidPenalty;
  return {
    requestNo: `wd:repay:${date}:${id}:${loan.next}:${paid}:${amount}`,
    kind: 'repayment',
    amount,
    data: {
      ...{ projectNo, from: toWire('account', borrower), amount: toWireMoney(amount), of: 'due' },
      ...(mandate === undefined ? {} : { mandate: toWire('mandate', mandate.id) }),
    },
  };
}
