import { entriesBetween, placesOfDates, requireAccount, viewAccounts } from '../../accounts/index.js';
import { kinds } from '../../instructions/index.js';
import { type BusinessDate, type Id, invariant, maskName, Refused, refuse } from '../../kernel/index.js';
import { loadBook } from '../../ledger/index.js';
import { readPlatform } from '../../platforms/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { holderOf, postedOf } from '../check-files/books-store.js';
import { counterOf, type StatementHead, type StatementLine, shownAmount } from './rules.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'clock'>;

export interface StatementWanted {
  readonly account: Id;
  /** The platform that asks; absent for the bank's staff. */
  readonly owner: Id | undefined;
  readonly from: BusinessDate;
  readonly to: BusinessDate;
}

/**
 * What stands above a statement. Its lines are fixed by it: what is posted afterwards is not among them.
 * @throws Refused NOT_FOUND, also for an account of another platform; SHAPE_INVALID when the period ends before it begins
 */
export async function readHead(
  { db, vault, clock }: Parts,
  { account: id, owner, from, to }: StatementWanted,
): Promise<StatementHead> {
  if (from > to) {
    const fault = { in: 'query', pointer: '/to', detail: 'lies before `from`' };
    throw new Refused(refuse('SHAPE_INVALID', 'The period ends before it begins.', { errors: [fault] }));
  }
  return db.snapshot('statement', async (tx) => {
    const { platformId, type, entryCount } = await requireAccount(tx, id, owner);
    const { first, last } = await placesOfDates(tx, id, entryCount, { from, to });
    const [view] = await viewAccounts(tx, platformId, [id]);
    const { businessDate } = await loadBook(tx, platformId);
    const platform = await readPlatform(tx, platformId);
    const holder = await holderOf(tx, vault, id, type);
    invariant(view && platform, `the account ${id} and its platform are there`);
    return {
      ...{ account: id, type, platformId, platformName: platform.name, from, to, final: to < businessDate, first, last },
      merchantNo: view.merchant?.merchantNo ?? null,
      virtualNo: view.virtualNo ?? null,
      holder: holder === undefined ? null : maskName(holder),
      opening: shownAmount(type, await balanceAt(tx, id, first - 1)),
      closing: shownAmount(type, await balanceAt(tx, id, last)),
      madeMs: clock.now(),
    };
  });
}

async function balanceAt(tx: Tx, id: Id, seq: number): Promise<bigint> {
  const [entry] = await entriesBetween(tx, id, { first: seq, last: seq, newestFirst: false }, 1);
  return entry?.balance ?? 0n;
}

const PAGE = 200;

/** The lines of a statement, page by page. */
export async function* readLines({ db, vault }: Parts, head: StatementHead): AsyncGenerator<readonly StatementLine[]> {
  const { account, type, last } = head;
  const read = (sealed: string) => vault.read(sealed);
  for (let from = head.first; from <= last; from += PAGE) {
    const range = { first: from, last: Math.min(last, from + PAGE - 1), newestFirst: false };
    const { entries, posted } = await db.read('statement-lines', async (tx) => {
      const found = await entriesBetween(tx, account, range, PAGE);
      return {
        entries: found,
        posted: await postedOf(
          tx,
          found.map(({ instruction }) => instruction),
        ),
      };
    });
    yield entries.map((entry): StatementLine => {
      const of = posted.get(entry.instruction);
      const own = of?.entries.find((each) => each.account === account);
      invariant(of && own, `the instruction ${entry.instruction} of an entry was posted`);
      const { zh = of.kind, en = of.kind } = kinds.get(of.kind) ?? {};
      return {
        ...{ seq: entry.seq, businessDate: entry.businessDate, postedMs: entry.postedMs, instruction: entry.instruction },
        ...{ requestNo: of.requestNo, kind: of.kind, kindWords: { zh, en }, counter: counterOf(of, own, read) },
        amount: shownAmount(type, entry.amount),
        balance: shownAmount(type, entry.balance),
      };
    });
  }
}
