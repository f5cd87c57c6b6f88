import { asId, type BusinessDate, type Id, type Instant, invariant } from '../../kernel/index.js';
import type { Tx } from '../../runtime/index.js';
import { TRIAL_TRANSITIONS, type TrialState } from '../states.js';

/** outward: the bank pays a little and the company says how much. inward: the company pays what it was told. */
export const TRIAL_DIRECTIONS = ['outward', 'inward'] as const;
export type TrialDirection = (typeof TRIAL_DIRECTIONS)[number];

/** Trial payments that are to show that an account is a company's own (小额打款验证). Its id is the message number and the reference. */
export interface Trial {
  readonly id: Id;
  readonly userId: Id;
  readonly direction: TrialDirection;
  /** JSON of the account, sealed. */
  readonly accountSealed: string;
  /** Fen as text, sealed: whoever reads the row must not learn what the company is to say. */
  readonly amountSealed: string;
  readonly state: TrialState;
  readonly wrongAnswers: number;
  readonly attempts: number;
  readonly nextMs: Instant;
  readonly expiresMs: Instant;
  readonly startedOn: BusinessDate;
  readonly createdMs: Instant;
  readonly decidedMs: Instant | null;
}

interface TrialRow {
  id: string;
  user_id: string;
  direction: TrialDirection;
  account_sealed: string;
  amount_sealed: string;
  state: TrialState;
  wrong_answers: number;
  attempts: number;
  next_ms: string;
  expires_ms: string;
  started_on: BusinessDate;
  created_ms: string;
  decided_ms: string | null;
}

function trialOf(row: TrialRow): Trial {
  return {
    id: asId(row.id),
    userId: asId(row.user_id),
    direction: row.direction,
    accountSealed: row.account_sealed,
    amountSealed: row.amount_sealed,
    state: row.state,
    wrongAnswers: row.wrong_answers,
    attempts: row.attempts,
    nextMs: Number(row.next_ms) as Instant,
    expiresMs: Number(row.expires_ms) as Instant,
    startedOn: row.started_on,
    createdMs: Number(row.created_ms) as Instant,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

const TRIAL = `SELECT id, user_id, direction, account_sealed, amount_sealed, state, wrong_answers, attempts, next_ms, expires_ms,
  started_on, created_ms, decided_ms FROM account_trials`;

/** @throws a duplicate-key error when one is under way */
export async function insertTrial(tx: Tx, of: Trial): Promise<void> {
  await tx.write(
    `INSERT INTO account_trials (id, user_id, direction, live, account_sealed, amount_sealed, state, wrong_answers, attempts, next_ms,
       expires_ms, started_on, created_ms, decided_ms) VALUES (?, ?, ?, 1, ?, ?, ?, 0, 0, ?, ?, ?, ?, NULL)`,
    [
      of.id,
      of.userId,
      of.direction,
      of.accountSealed,
      of.amountSealed,
      of.state,
      of.nextMs,
      of.expiresMs,
      of.startedOn,
      of.createdMs,
    ],
  );
}

/** All of these users, the last one first. */
export async function trialsOf(tx: Tx, userIds: readonly Id[]): Promise<Trial[]> {
  if (userIds.length === 0) return [];
  const rows = await tx.rows<TrialRow>(`${TRIAL} WHERE user_id IN (${userIds.join()}) ORDER BY id DESC`);
  return rows.map(trialOf);
}

/** Those with something to be done now: to pay, to look for, to end. */
export async function dueTrials(tx: Tx, nowMs: Instant, limit: number): Promise<Trial[]> {
  const rows = await tx.rows<TrialRow>(
    `${TRIAL} WHERE state IN ('asked', 'waiting') AND next_ms <= ? ORDER BY next_ms, id LIMIT ?`,
    [nowMs, limit],
  );
  return rows.map(trialOf);
}

/** Answers whether it was in the state before. The written guard of whatever ends it. */
export async function moveTrial(
  tx: Tx,
  trial: Trial,
  to: TrialState,
  { nowMs, nextMs, expiresMs = trial.expiresMs }: { nowMs: Instant; nextMs: Instant; expiresMs?: Instant },
): Promise<boolean> {
  invariant(TRIAL_TRANSITIONS[trial.state].includes(to), `a trial goes from ${trial.state} to ${to}`);
  const ended = TRIAL_TRANSITIONS[to].length === 0;
  const changed = await tx.write(
    'UPDATE account_trials SET state = ?, live = ?, next_ms = ?, expires_ms = ?, decided_ms = ? WHERE id = ? AND state = ?',
    [to, ended ? null : 1, nextMs, expiresMs, ended ? nowMs : null, trial.id, trial.state],
  );
  return changed === 1;
}

export async function putOffTrial(tx: Tx, trial: Trial, nextMs: Instant): Promise<void> {
  await tx.write('UPDATE account_trials SET attempts = attempts + 1, next_ms = ? WHERE id = ? AND state = ? AND attempts = ?', [
    nextMs,
    trial.id,
    trial.state,
    trial.attempts,
  ]);
}

/** Counts one wrong answer more before it is looked at; answers whether one was left. */
export async function countAnswer(tx: Tx, id: Id, max: number, nowMs: Instant): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE account_trials SET wrong_answers = wrong_answers + 1
     WHERE id = ? AND state = 'waiting' AND wrong_answers < ? AND expires_ms > ?`,
    [id, max, nowMs],
  );
  return changed === 1;
}
