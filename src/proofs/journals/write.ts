import { addDays, asId, type BusinessDate, type Id, invariant, toWire } from '../../kernel/index.js';
import { type ClosingBalance, closingPages, type Entry, entriesOfInstructions, loadBook } from '../../ledger/index.js';
import type { Database } from '../../runtime/index.js';
import { beancount } from './beancount.js';
import type { JournalFormat, JournalLine } from './format.js';
import { hledger } from './hledger.js';
import { accountTypes, firstDates, type InstructionHead, instructionHeads } from './store.js';

export const JOURNAL_FORMATS = { hledger, beancount } as const;

/** Which books, and how. Dates are business dates, both inclusive. */
export interface JournalOf {
  readonly platformId: Id;
  readonly format: keyof typeof JOURNAL_FORMATS;
  /** From the first entry when absent; else what was there before stands as opening balances. */
  readonly from?: BusinessDate | undefined;
  /** The last date that is over when absent. */
  readonly to?: BusinessDate | undefined;
}

/** The journal would end before it begins, or on a date that is not over. */
export class PeriodWrong extends Error {}

const PAGE = 1_000;
const ORIGINS = { P: 'platform', S: 'bank', O: 'operator' } as const;

/**
 * The books of a platform as a plain-text journal, part by part: its accounts, what they had, a dated transaction for each instruction that posted, and
 * what each account has at the end, as an assertion that the reading program checks. Of dates that are over, so it is the same each time.
 * Transactions stand in the order in which they were asked for; both programs sort by date. Memory is that of a page.
 * @throws PeriodWrong
 */
export async function* journal(db: Database, { platformId, format, from, to: until }: JournalOf): AsyncGenerator<string> {
  const book = await db.read('journal-book', (tx) => loadBook(tx, platformId));
  const to = until ?? addDays(book.businessDate, -1);
  if (to >= book.businessDate || (from !== undefined && from > to))
    throw new PeriodWrong(`the books are open from ${book.businessDate} on; a journal ends before, and not before it begins`);
  const write: JournalFormat = JOURNAL_FORMATS[format];
  yield write.head({ platform: toWire('platform', platformId), custodyNo: book.custodyNo, from, to });
  for await (const page of closingPages({ db }, { platformId, date: to }, PAGE)) {
    const dates = await db.read('journal-opened', (tx) =>
      firstDates(
        tx,
        page.map(({ account }) => account),
      ),
    );
    const openedOn = (account: Id) => {
      const first = dates.get(account);
      invariant(first, `account ${account} has a first entry`);
      return from !== undefined && first < from ? from : first;
    };
    yield page.map(({ account, type }) => write.account({ account, type, opened: openedOn(account) })).join('');
  }
  if (from !== undefined) {
    for await (const page of closingPages({ db }, { platformId, date: addDays(from, -1) }, PAGE))
      yield page
        .filter(({ balance }) => balance !== 0n)
        .map((closing) => write.opening(from, lineOf(closing)))
        .join('');
  }
  yield* transactions(db, { platformId, write, from: from ?? ('0000-01-01' as BusinessDate), to });
  for await (const page of closingPages({ db }, { platformId, date: to }, PAGE))
    if (page.length > 0) yield write.closing(to, page.map(lineOf));
}

function lineOf({ account, type, balance }: Pick<ClosingBalance, 'account' | 'type' | 'balance'>): JournalLine {
  return { account, type, amount: -balance };
}

async function* transactions(
  db: Database,
  of: { readonly platformId: Id; readonly write: JournalFormat; readonly from: BusinessDate; readonly to: BusinessDate },
): AsyncGenerator<string> {
  for (let after = asId('0'); ; ) {
    const at = after;
    const { heads, entries, types } = await db.read('journal-instructions', async (tx) => {
      const found = await instructionHeads(tx, of.platformId, at, PAGE);
      const posted = await entriesOfInstructions(
        tx,
        found.map(({ id }) => id),
      );
      return { heads: found, entries: posted, types: await accountTypes(tx, [...new Set(posted.map(({ account }) => account))]) };
    });
    const byInstruction = new Map<Id, Entry[]>();
    for (const entry of entries) {
      const postings = byInstruction.get(entry.instruction) ?? [];
      postings.push(entry);
      byInstruction.set(entry.instruction, postings);
    }
    const texts = heads.map((head) => transactionOf(of, head, byInstruction.get(head.id) ?? [], types));
    yield texts.join('');
    const last = heads.at(-1);
    if (last === undefined || heads.length < PAGE) return;
    after = last.id;
  }
}

function transactionOf(
  { write, from, to }: { readonly write: JournalFormat; readonly from: BusinessDate; readonly to: BusinessDate },
  head: InstructionHead,
  entries: readonly Entry[],
  types: Awaited<ReturnType<typeof accountTypes>>,
): string {
  const date = entries[0]?.businessDate;
  if (date === undefined || date < from || date > to) return '';
  return write.transaction({
    date,
    instruction: toWire('instruction', head.id),
    kind: head.kind,
    origin: ORIGINS[head.origin],
    requestNo: head.requestNo,
    lines: entries.map(({ account, amount }) => {
      const type = types.get(account);
      invariant(type, `account ${account} is there`);
      return { account, type, amount: -amount };
    }),
  });
}
