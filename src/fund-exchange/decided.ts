import { type Desk, decideNow } from '../dispatch/index.js';
import { findInstructions, type Submission } from '../instructions/index.js';
import { type Id, invariant } from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';

/** What became of an instruction of ours: `posted`, or the code of its refusal. */
export interface Decided {
  readonly code: string;
  /** What the outcome tells besides: the fields of a refusal, the result of a posted one. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/**
 * Gives instructions of the system and has them decided before it answers. Given again they have the outcome that they had; one that comes under its number
 * with other words has the code REQUEST_NO_REUSED.
 */
export async function decided(desk: Desk, given: readonly Submission[]): Promise<Decided[]> {
  if (given.length === 0) return [];
  const { rt } = desk;
  const platformIds = [...new Set(given.map(({ platformId }) => platformId))];
  const books = await rt.db.read('books-of-funds', (tx) => loadBooks(tx, platformIds));
  const receipts = await decideNow(
    desk,
    given.map((submission) => {
      const book = books.get(submission.platformId);
      invariant(book, `platform ${submission.platformId} has a book`);
      return { shardId: book.shardId, submission };
    }),
  );
  const ids = receipts.map((receipt) => ('id' in receipt ? receipt.id : undefined));
  const known = ids.filter((id): id is Id => id !== undefined);
  const views = await rt.db.read('fund-outcomes', (tx) => findInstructions(tx, known));
  return receipts.map((receipt) => {
    if ('refused' in receipt) return { code: receipt.refused.code, detail: {} };
    const outcome = views.get(receipt.id)?.outcome;
    invariant(outcome, `the instruction ${receipt.id} is decided`);
    return { code: outcome.state === 'posted' ? 'posted' : (outcome.code ?? 'refused'), detail: outcome.detail ?? {} };
  });
}
