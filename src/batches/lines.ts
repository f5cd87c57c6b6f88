import { parseInstruction, type Submission, tryOut, type Verdict } from '../instructions/index.js';
import { type Refusal, Refused } from '../kernel/index.js';
import { mapInBreaths, type Runtime } from '../runtime/index.js';
import { requestNoOf } from './rules.js';
import type { Batch, LineResult, StoredLine } from './store.js';

/** A line as an instruction of an attempt, or why it cannot be one any more: a kind may have been narrowed since its file was taken. */
export type Prepared =
  | { readonly line: StoredLine; readonly submission: Submission }
  | { readonly line: StoredLine; readonly refusal: Refusal };

/** Lines as the instructions that they become in an attempt. */
export function prepared(
  { vault }: Pick<Runtime, 'vault'>,
  { id, platformId, actor }: Batch,
  attempt: number,
  lines: readonly StoredLine[],
): Promise<Prepared[]> {
  return mapInBreaths(lines, (line): Prepared => {
    const data: unknown = JSON.parse(vault.open(line.body));
    try {
      const parsed = parseInstruction({ requestNo: requestNoOf(id, line.line, attempt), kind: line.kind, data }, 'P');
      return { line, submission: { ...parsed, platformId, origin: 'P', actor } };
    } catch (error) {
      if (error instanceof Refused) return { line, refusal: error.refusal };
      throw error;
    }
  });
}

/** The verdict on each line, in order; those that can be no instruction are refused. */
export function withRefused(lines: readonly Prepared[], verdicts: Iterable<Verdict>): LineVerdict[] {
  const next = verdicts[Symbol.iterator]();
  return lines.map((each) => {
    const { line, kind } = each.line;
    if ('submission' in each) {
      const { state, code, detail, instruction } = next.next().value as Verdict;
      return { line, kind, state, code, detail, instruction };
    }
    const { code, detail, fields } = each.refusal;
    return {
      line,
      kind,
      state: 'refused',
      code,
      detail: { ...(detail === undefined ? {} : { detail }), ...fields },
      instruction: null,
    };
  });
}

export interface LineVerdict extends Pick<LineResult, 'line' | 'code' | 'detail' | 'instruction'> {
  readonly kind: string;
  readonly state: Verdict['state'] | 'not-executed';
}

/**
 * Of a file that is all or nothing: a line that would have to wait is refused, and where any is refused, nothing of the others is executed.
 */
export function allOrNothing(verdicts: readonly LineVerdict[]): LineVerdict[] {
  const strict = verdicts.map((verdict): LineVerdict => {
    if (verdict.state === 'posted' || verdict.state === 'refused') return verdict;
    return { ...verdict, state: 'refused', code: 'BATCH_LINE_WAITS', detail: { waits: verdict.state }, instruction: null };
  });
  if (strict.every(({ state }) => state === 'posted')) return strict;
  return strict.map((verdict) =>
    verdict.state === 'posted' ? { ...verdict, state: 'not-executed', code: null, detail: null, instruction: null } : verdict,
  );
}

/** What would become of the lines if they were started now; nothing is written. */
export async function previewOf(rt: Runtime, batch: Batch, lines: readonly StoredLine[]): Promise<LineVerdict[]> {
  const all = await prepared(rt, batch, batch.attempt + 1, lines);
  const submissions = all.flatMap((each) => ('submission' in each ? [each.submission] : []));
  const verdicts = withRefused(all, submissions.length === 0 ? [] : await tryOut(rt, submissions));
  return batch.mode === 'atomic' ? allOrNothing(verdicts) : verdicts;
}
