import { type Directive, decideNow } from '../dispatch/index.js';
import { findInstructions, systemInstruction } from '../instructions/index.js';
import { invariant, type Minor } from '../kernel/index.js';
import { openReviews } from '../reviews/index.js';
import type { Close } from './progress.js';

/** One instruction of a close that was written down before. */
export interface Instructed {
  /** Made of date and account, so that a second run instructs nothing anew. */
  readonly requestNo: string;
  readonly data: unknown;
  readonly amount: Minor;
}

/** What became of the instructions of a step. */
export interface Tally {
  readonly posted: number;
  readonly postedAmount: Minor;
  /** How many were refused, by code. */
  readonly refused: Readonly<Record<string, number>>;
  /** How many people of the bank have to look at; what they decide is done on the date of that moment. */
  readonly inReview: number;
}

const GROUP = 2_000;

/** Has instructions of one kind decided, and tells what became of them. What was decided before is not decided again. */
export async function instructAll(close: Close, kind: string, lines: readonly Instructed[]): Promise<Tally> {
  const refused: Record<string, number> = {};
  let posted = 0;
  let postedAmount = 0n;
  let inReview = 0;
  for (let from = 0; from < lines.length; from += GROUP) {
    const group = lines.slice(from, from + GROUP);
    for (const [place, code] of (await instruct(close, kind, group)).entries()) {
      if (code === null) {
        posted += 1;
        postedAmount += (group[place] as Instructed).amount;
      } else if (code === IN_REVIEW) inReview += 1;
      else refused[code] = (refused[code] ?? 0) + 1;
    }
  }
  return { posted, postedAmount, refused, inReview };
}

const IN_REVIEW = 'in-review';

/** The codes of the refusals, null for what is posted, in the order of the lines; or that it is in review. */
async function instruct({ desk, platformId, shardId }: Close, kind: string, lines: readonly Instructed[]) {
  const directives = lines.map(
    ({ requestNo, data }): Directive => ({
      shardId,
      submission: systemInstruction({ platformId, requestNo, kind, data, actor: 'clearing' }),
    }),
  );
  const receipts = await decideNow(desk, directives);
  const ids = receipts.map((receipt) => {
    invariant('id' in receipt, 'an instruction of a close means the same under its number each time');
    return receipt.id;
  });
  const { views, reviews } = await desk.rt.db.read('close-outcomes', async (tx) => {
    const found = await findInstructions(tx, ids);
    const undecided = ids.filter((id) => !found.get(id)?.outcome);
    return { views: found, reviews: await openReviews(tx, undecided) };
  });
  return ids.map((id) => {
    const outcome = views.get(id)?.outcome;
    if (!outcome && reviews.has(id)) return IN_REVIEW;
    invariant(outcome, 'an instruction of a close is decided');
    return outcome.state === 'posted' ? null : (outcome.code ?? '');
  });
}
