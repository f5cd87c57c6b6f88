import { type Directive, decideNow } from '../dispatch/index.js';
import { findInstructions, systemInstruction } from '../instructions/index.js';
import { invariant, type Minor } from '../kernel/index.js';
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
}

const GROUP = 2_000;

/** Has instructions of one kind decided, and tells what became of them. What was decided before is not decided again. */
export async function instructAll(close: Close, kind: string, lines: readonly Instructed[]): Promise<Tally> {
  const refused: Record<string, number> = {};
  let posted = 0;
  let postedAmount = 0n;
  for (let from = 0; from < lines.length; from += GROUP) {
    const group = lines.slice(from, from + GROUP);
    for (const [place, code] of (await instruct(close, kind, group)).entries()) {
      if (code === null) {
        posted += 1;
        postedAmount += (group[place] as Instructed).amount;
      } else refused[code] = (refused[code] ?? 0) + 1;
    }
  }
  return { posted, postedAmount, refused };
}

/** The codes of the refusals, null for what is posted, in the order of the lines. */
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
  const views = await desk.rt.db.read('close-outcomes', (tx) => findInstructions(tx, ids));
  return ids.map((id) => {
    const outcome = views.get(id)?.outcome;
    invariant(outcome, 'an instruction of a close is decided');
    return outcome.state === 'posted' ? null : (outcome.code ?? '');
  });
}
