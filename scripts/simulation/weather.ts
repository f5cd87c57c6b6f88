import type { FaultPlan } from '../../src/channels/simulator/index.js';
import type { Chance } from './chance.js';

/** The same all the time, so that a line that is wrong today is wrong tomorrow. */
export const STATEMENT_FAULTS = { 'line-missing': 0.01, 'line-amount': 0.01, 'line-extra': 0.02 };

/** How the bank behaves for a while. */
export function weather(chance: Chance, statements: boolean): { name: string; plan: FaultPlan } {
  const name = chance.weighted([
    ['calm', 3],
    ['rough', 5],
    ['storm', 2],
    ['closed', 1],
  ] as const);
  const settleDelayMs = chance.weighted([
    [0, 3],
    [60_000, 3],
    [3_600_000, 2],
  ] as const);
  const force = { calm: 0, rough: 1, storm: 3, closed: 1 }[name];
  const call = {
    'lost-answer': 0.06 * force,
    'not-received': 0.05 * force,
    late: 0.03 * force,
    garbage: 0.03 * force,
    maintenance: name === 'closed' ? 0.8 : 0.03 * force,
    'half-open': 0.004 * force,
  };
  const payment = {
    refuse: 0.03,
    'fail-later': 0.05,
    'slow-result': 0.05,
    return: 0.05,
    'double-news': 0.1,
    'answer-missing': 0.04 * force,
  };
  const lines = statements ? STATEMENT_FAULTS : {};
  const core = { ...call, 'half-open': 0, corrupt: 0.04 * force, ...lines };
  const late = chance.happens(0.2) ? [{ scope: 'beps' as const, fault: 'late' as const, ms: 400, times: 1 }] : [];
  return {
    name,
    plan: { rates: { book: { ...call, ...payment }, beps: { ...call, ...payment }, core }, scripted: late, settleDelayMs },
  };
}
