import { z } from 'zod';
import { standingOf, type VerdictState } from '../instructions/index.js';
import { type Id, toRfc3339, toWire, toWireMoney } from '../kernel/index.js';
import { currencySchema, rfc3339Schema } from '../runtime/index.js';
import type { LineVerdict } from './lines.js';
import { requestNoOf } from './rules.js';
import { BATCH_MODES, BATCH_STATES } from './states.js';
import type { Batch, Counts, LineView } from './store.js';

const count = z.int();

const faultSchema = z.strictObject({
  place: z.int().nullable().meta({ description: 'From 1, in the order of the file; null: the file as a whole' }),
  line: z.int().nullable().meta({ description: 'The number that the line gives itself, where it can be read' }),
  code: z.string(),
  detail: z.string(),
  errors: z.array(z.unknown()).optional(),
});

export const batchSchema = z
  .strictObject({
    batch: z.string(),
    batchNo: z.string(),
    mode: z.enum(BATCH_MODES),
    state: z.enum(BATCH_STATES).meta({
      description:
        'rejected: not legal; accepted: legal, nothing is done; running; waiting: lines wait for a customer, money or the bank; finished',
    }),
    lines: count,
    total: z
      .strictObject({ amount: z.int(), currency: currencySchema })
      .meta({ description: 'What the amounts of the lines sum to' }),
    attempt: count.meta({ description: 'How often lines were started' }),
    counts: z
      .strictObject({ ready: count, posted: count, refused: count, notExecuted: count, waiting: count })
      .meta({ description: 'Of the lines, as they stand now' }),
    faults: z.array(faultSchema).meta({ description: 'Why it is not legal; at most 100' }),
    receivedAt: rfc3339Schema,
    startedAt: rfc3339Schema.nullable(),
    endedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'BatchOfLines', description: 'A file of instructions under a number of its own' });

const WAITING = ['received', 'awaiting-consent', 'awaiting-funds', 'in-review'] as const;
const lineState = z.enum(['ready', 'posted', 'refused', 'not-executed', ...WAITING]);

export const lineSchema = z
  .strictObject({
    line: z.int(),
    kind: z.string(),
    state: lineState,
    attempt: count.meta({ description: 'In which it was given last, or will be' }),
    requestNo: z.string().meta({ description: 'Of the instruction that it becomes in this attempt' }),
    instruction: z.string().nullable(),
    code: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'BatchLine' });

export const previewSchema = z
  .strictObject({
    asOf: rfc3339Schema,
    executes: z.boolean().meta({ description: 'Whether anything would be posted' }),
    counts: z.strictObject({ posted: count, refused: count, notExecuted: count, waiting: count }),
    lines: z.array(
      z.strictObject({
        line: z.int(),
        kind: z.string(),
        state: lineState,
        code: z.string().nullable(),
        detail: lineSchema.shape.detail,
      }),
    ),
  })
  .meta({ id: 'BatchPreview', description: 'What would become of each line if they were started now' });

export function showBatch(batch: Batch, counts: Counts | undefined): z.input<typeof batchSchema> {
  const at = (ms: Batch['startedMs']) => (ms === null ? null : toRfc3339(ms));
  return {
    batch: toWire('batch', batch.id),
    batchNo: batch.batchNo,
    mode: batch.mode,
    state: batch.state,
    lines: batch.lineCount,
    total: toWireMoney(batch.total),
    attempt: batch.attempt,
    counts: counts ?? { ready: 0, posted: 0, refused: 0, notExecuted: 0, waiting: 0 },
    faults: batch.faults.map(({ errors, ...fault }) => ({ ...fault, ...(errors === undefined ? {} : { errors: [...errors] }) })),
    receivedAt: toRfc3339(batch.receivedMs),
    startedAt: at(batch.startedMs),
    endedAt: at(batch.endedMs),
  };
}

type Told = Parameters<typeof standingOf>;

/** A line, with the outcome of the instruction that it became, or what that waits for. */
export function showLine(batch: Id, view: LineView, outcome: Told[0], awaited: Told[1]) {
  const { line, kind, attempt, instruction } = view;
  return {
    line,
    kind,
    state: view.state === 'given' ? standingOf(outcome, awaited) : view.state,
    attempt,
    requestNo: requestNoOf(batch, line, attempt),
    instruction: instruction === null ? null : toWire('instruction', instruction),
    code: outcome?.code ?? view.code,
    detail: outcome?.detail ?? view.detail,
  };
}

function countsOf(states: readonly (VerdictState | 'not-executed')[]) {
  const of = (...wanted: string[]) => states.filter((state) => wanted.includes(state)).length;
  const [posted, refused, notExecuted] = [of('posted'), of('refused'), of('not-executed')];
  return { posted, refused, notExecuted, waiting: states.length - posted - refused - notExecuted };
}

export function showPreview(asOf: Batch['receivedMs'], verdicts: readonly LineVerdict[]) {
  const counts = countsOf(verdicts.map(({ state }) => state));
  return {
    asOf: toRfc3339(asOf),
    executes: counts.posted + counts.waiting > 0,
    counts,
    lines: verdicts.map(({ line, kind, state, code, detail }) => ({ line, kind, state, code, detail })),
  };
}
