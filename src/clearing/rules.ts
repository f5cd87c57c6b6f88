import { type BusinessDate, type Refusal, refuse } from '../kernel/index.js';
import type { Clearing } from './lines-store.js';
import type { DayState } from './states.js';

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 300_000;

/** How long a close that waits for the bank is left alone, by how often it waited before: 1 s doubling to 5 min. */
export function retryDelayMs(attempts: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempts, 16), RETRY_MAX_MS);
}

export interface DayFacts {
  readonly date: BusinessDate;
  /** The open business date of the platform. */
  readonly openDate: BusinessDate;
  /** The natural date now. */
  readonly today: BusinessDate;
  /** What became of `date`, if its close has begun. */
  readonly state: DayState | undefined;
  /** The earliest day whose close has begun and not ended. */
  readonly unfinished: { readonly date: BusinessDate; readonly state: DayState } | undefined;
}

/** Whether a day can be closed now: `closed` already, `due` (the close begins or goes on), or why not. */
export function mayClose({ date, openDate, today, state, unfinished }: DayFacts): 'closed' | 'due' | Refusal {
  if (state === 'closed') return 'closed';
  if (unfinished?.state === 'stopped')
    return refuse('DAY_STOPPED', `The close of ${unfinished.date} stopped.`, { stopped: unfinished.date });
  if (unfinished?.date === date) return 'due';
  if (date === openDate && today > date) return 'due';
  return refuse('DAY_NOT_DUE', `The open business date is ${openDate}, today is ${today}.`, { openDate, today });
}

/** How far a stage of a clearing is, and how long the rest will take at the pace that it has had. */
export interface Progress {
  /** written: lines written down; decided: lines instructed and decided; sent: payouts handed to channels. */
  readonly stage: 'written' | 'decided' | 'sent';
  readonly done: number;
  /** While lines are being written nobody knows exactly how many there will be. */
  readonly total: number | null;
  /** Null: not long enough at work to say. */
  readonly perSecond: number | null;
  readonly secondsLeft: number | null;
}

/** @param wallMs now, by the wall; a clock that was set back makes no figure negative */
export function progressOf(clearing: Clearing, wallMs: number): Progress {
  const { state, lines, expected, decided, posted, sent, stageMs, stageDone } = clearing;
  const written = state === 'writing' || state === 'written';
  const paid = state === 'paid';
  const stage = written ? 'written' : paid ? 'sent' : 'decided';
  const done = written ? lines : paid ? sent : decided;
  const total = state === 'writing' ? expected : paid ? posted : lines;
  const seconds = (wallMs - stageMs) / 1000;
  const made = done - stageDone;
  if (seconds <= 0 || made <= 0) return { stage, done, total, perSecond: null, secondsLeft: null };
  const perSecond = made / seconds;
  const left = total === null ? null : Math.max(0, Math.round((total - done) / perSecond));
  return { stage, done, total, perSecond: Math.round(perSecond * 10) / 10, secondsLeft: left };
}
