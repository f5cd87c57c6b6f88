import { type Desk, decideNow } from '../dispatch/index.js';
import { inFunds } from '../funds/index.js';
import { findInstructions, systemInstruction } from '../instructions/index.js';
import { type BusinessDate, type Id, invariant, type Minor } from '../kernel/index.js';
import { type AccountType, type Book, loadBook } from '../ledger/index.js';
import { faultOf, type Runtime } from '../runtime/index.js';
import { projectReturns } from './lending.js';
import { makeReport } from './report.js';
import { type Return, STAYS, type StayReason, verdictOf } from './rules.js';
import { type Cursor, HELD_TYPES, type RoundNow, roundOf, standingsPage } from './standings.js';
import { findWindDown, movedOn, roundsDue, setRounded, type WindDown } from './store.js';

/**
 * In this order: what goes to another account of the book first, so that the same round pays it out from there. The platform's own money is
 * last: refunds of its customers may need it.
 */
const PHASES: readonly (readonly AccountType[])[] = [
  ['order'],
  ['margin'],
  ['sub', 'class-2', 'class-3'],
  ['reserve', 'advance'],
  ['own-funds', 'commission', 'marketing', 'fees'],
];

/** What a round did, and how the platform stands after it. */
export interface RoundOutcome {
  readonly date: BusinessDate;
  readonly given: number;
  readonly refused: number;
  readonly left: Left;
  /** The number of the report that was made. */
  readonly report: number | undefined;
}

/** What is still in custody, by the reasons. Minor units. */
export type Left = Partial<Record<StayReason, { readonly accounts: number; readonly amount: Minor }>>;

/**
 * One round of a wind-down: gives every instruction that brings money back to its owner, then looks whether anything is left that passes by
 * itself; when not, the report is made. Every instruction is made of the state it was decided on, so a round that was killed, or runs twice at once,
 * goes on and pays nothing twice.
 * @returns undefined when the platform is not being wound up
 */
export async function windDownRound(desk: Desk, platformId: Id): Promise<RoundOutcome | undefined> {
  const { rt } = desk;
  const found = await rt.db.read('wind-down', async (tx) => {
    const wind = await findWindDown(tx, platformId);
    if (wind === undefined || (wind.state !== 'winding-up' && wind.state !== 'settled')) return undefined;
    const book = await loadBook(tx, platformId);
    return { wind, book };
  });
  if (found === undefined) return undefined;
  const { wind, book } = found;
  let given = 0;
  let refused = 0;
  // What is not lent out is free again, and what is due of what was lent is with its lenders, before the rest is looked at.
  const projects = await projectReturns(rt, book);
  given += projects.length;
  refused += await give(desk, book, projects);
  for (const types of PHASES) {
    // Each phase sees what those before it left.
    const round = await rt.db.read('wind-down-round', (tx) => roundOf(tx, book, wind, rt.clock.now()));
    for await (const page of pagesOf(rt, { book, round, types })) {
      const due = page.flatMap((standing) => verdictOf(standing, round).give ?? []);
      given += due.length;
      refused += await give(desk, book, due);
    }
  }
  const left = await leftOver(rt, book, wind);
  const report = (await isDone(rt, book, left)) ? await makeReport(rt, book, wind) : undefined;
  await rt.db.withTx(
    'wind-down-rounded',
    (tx) => setRounded(tx, wind.id, book.businessDate),
    async () => undefined,
  );
  rt.log.info({ event: 'wind-down.round', platform: platformId, businessDate: book.businessDate, given, refused, report });
  return { date: book.businessDate, given, refused, left, report };
}

/** A round for every platform whose round of the day is not done. What goes wrong with one hinders no other. */
export async function windDownDue(desk: Desk): Promise<void> {
  const { rt } = desk;
  for (const platformId of await rt.db.read('wind-downs-due', roundsDue)) {
    try {
      await windDownRound(desk, platformId);
    } catch (error) {
      rt.log.error({ event: 'wind-down.failed', platform: platformId, error: faultOf(error) });
    }
  }
}

async function* pagesOf(rt: Runtime, of: { book: Book; round: RoundNow; types: readonly AccountType[] }) {
  for (let cursor: Cursor | undefined, first = true; first || cursor !== undefined; first = false) {
    const from: Cursor | undefined = cursor;
    const { page, next } = await rt.db.read('wind-down-page', (tx) => standingsPage(tx, rt.vault, { ...of, from }));
    if (page.length > 0) yield page;
    cursor = next;
  }
}

/** Answers how many were refused or wait for people. */
async function give(desk: Desk, { platformId, shardId }: Book, due: readonly Return[]): Promise<number> {
  const receipts = await decideNow(
    desk,
    due.map(({ requestNo, kind, data }) => ({
      shardId,
      submission: systemInstruction({ platformId, requestNo, kind, data, actor: 'wind-down' }),
    })),
  );
  const ids = receipts.flatMap((receipt) => ('id' in receipt ? [receipt.id] : []));
  invariant(ids.length === receipts.length, 'an instruction of a wind-down means the same under its number each time');
  const views = await desk.rt.db.read('wind-down-outcomes', (tx) => findInstructions(tx, ids));
  return ids.filter((id) => views.get(id)?.outcome?.state !== 'posted').length;
}

/** What is in custody still, by the reasons; and, without an amount, what is in funds: units are on no account. */
export async function leftOver(rt: Runtime, book: Book, wind: WindDown): Promise<Left> {
  const left: Partial<Record<StayReason, { accounts: number; amount: Minor }>> = {};
  const add = (reason: StayReason, amount: Minor, accounts = 1) => {
    const sum = left[reason] ?? { accounts: 0, amount: 0n };
    left[reason] = { accounts: sum.accounts + accounts, amount: sum.amount + amount };
  };
  const round = await rt.db.read('wind-down-round', (tx) => roundOf(tx, book, wind, rt.clock.now()));
  for await (const page of pagesOf(rt, { book, round, types: HELD_TYPES })) {
    for (const standing of page) {
      const { give: due, stays } = verdictOf(standing, round);
      if (due !== undefined) add('next-round', due.amount);
      for (const { reason, amount } of stays) add(reason, amount);
    }
  }
  const { holdings, orders } = await rt.db.read('wind-down-funds', (tx) => inFunds(tx, book.platformId));
  if (orders > 0) add('with-fund-company', 0n, orders);
  if (holdings > 0) add('in-funds', 0n, holdings);
  return left;
}

/** Nothing passes by itself any more, and the business date that is open has seen nothing yet: so the report of the date before says how it is. */
async function isDone(rt: Runtime, book: Book, left: Left): Promise<boolean> {
  if (Object.keys(left).some((reason) => STAYS[reason as StayReason].passes)) return false;
  return !(await rt.db.read('moved-today', (tx) => movedOn(tx, book.platformId, book.businessDate)));
}
