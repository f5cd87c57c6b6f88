import type { Desk, Directive } from '../dispatch/index.js';
import type { BusinessDate, Id, Minor } from '../kernel/index.js';
import type { Reconciliation } from '../reconciliation/index.js';
import type { Tx } from '../runtime/index.js';
import type { Clearing, Net } from './lines-store.js';
import type { Step } from './states.js';
import { leaveAlone, type StepRow, saveSteps } from './store.js';

/** A close at work. */
export interface Close {
  readonly desk: Desk;
  readonly platformId: Id;
  readonly shardId: number;
  readonly custodyNo: string;
  readonly date: BusinessDate;
  readonly next: BusinessDate;
  /** Accounts that are looked at and decided together. */
  readonly page: number;
  /** The control total of the day before, in minor units. */
  readonly controlBefore: Minor;
  /** An earlier run has begun this close. */
  readonly resumed: boolean;
  /** Steps that ended, as they did: done, or stopped in an earlier run. */
  readonly ended: Map<Step, StepRow>;
  /** Of the cut-off. */
  totals: { readonly custody: Minor; readonly children: Minor } | undefined;
  reconciliation: Reconciliation | undefined;
  /** What the channels' answers make; decided together with the first news. */
  readonly answered: Directive[];
  /** The clearing that it makes as it was written; undefined: it is to be read. */
  clearing: Clearing | undefined;
  nets: readonly Net[] | undefined;
  /** There is no clearing. */
  nothingDue: boolean;
  /** No payout of the platform is to be sent or under way. */
  nothingToPay: boolean;
  /**
   * What ended and is not written yet. Days on which nothing happens are many, and a commit is dear: a step that changed nothing
   * is written with the next that did, since after a crash it runs again and finds the same.
   */
  pending: { rows: StepRow[]; writes: ((tx: Tx) => Promise<void>)[] };
  readonly at: (point: ClosePoint) => void | Promise<void>;
}

/** Where a close may be interrupted: after each step, and where something was written down and is not acted upon yet. */
export type ClosePoint = `after ${Step}` | (typeof CLOSE_POINTS)[number];

/** The points within steps: after interest was written down and credited, a page of lines was written or decided, all were, all were sent. */
export const CLOSE_POINTS = [
  'interest written',
  'interest credited',
  'page written',
  'clearing written',
  'page decided',
  'clearing decided',
  'clearing sent',
] as const;

/** From so many instructions on a step is written at once, so that whoever watches sees the close get on. */
export const MANY = 500;

type Detail = Readonly<Record<string, unknown>>;

/** What a step answers. Its `write` is committed together with the step's row; with `keep` at once. */
export type StepResult =
  | { readonly state: 'done'; readonly detail: Detail; readonly keep: boolean; readonly write?: (tx: Tx) => Promise<void> }
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'stopped'; readonly reason: string; readonly detail: Detail; readonly write: (tx: Tx) => Promise<void> };

/** Another run of the same close was quicker. What it wrote is what this one would have written. */
export class TakenOver extends Error {}

/** A run that was not heard of for so long by the wall may be gone: the sweep rings for its close again. */
const ABANDONED_MS = 20_000;

/** Says that the close is at work, with what it writes anyway, so that nobody else is rung to it. */
export async function stayAtWork(tx: Tx, { desk, platformId, date }: Close): Promise<void> {
  await leaveAlone(tx, platformId, date, desk.rt.clock.wall() + ABANDONED_MS);
}

/** A step with many lines is written down as running, so that whoever watches sees it. */
export function asRunning(close: Close, step: Step): void {
  const startedMs = close.desk.rt.clock.now();
  if (!close.pending.rows.some((row) => row.step === step))
    close.pending.rows.push({ step, state: 'running', startedMs, finishedMs: null, detail: null });
}

export async function writePending(tx: Tx, { pending, platformId, date }: Close): Promise<void> {
  for (const write of pending.writes) await write(tx);
  await saveSteps(tx, platformId, date, pending.rows);
}

/** Call it when what `writePending` wrote is committed. */
export function forgetPending(close: Close): void {
  close.pending = { rows: [], writes: [] };
}

export async function keepPending(close: Close): Promise<void> {
  await close.desk.rt.db.withTx(
    'keep-steps',
    (tx) => writePending(tx, close).then(() => true),
    async () => undefined,
  );
  forgetPending(close);
}
