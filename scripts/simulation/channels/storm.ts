import { CHANNELS } from '../../../src/channels/index.js';
import type { FaultPlan } from '../../../src/channels/simulator/index.js';
import type { Chance } from '../chance.js';

/** Everything that can go wrong with a payment or a call, on every channel and at the core bank, more or less of it. */
export function allFaults(chance: Chance): FaultPlan {
  const settleDelayMs = chance.weighted([
    [0, 3],
    [60_000, 3],
    [1_800_000, 2],
  ] as const);
  const rates = Object.fromEntries(CHANNELS.map((channel) => [channel, channelFaults(chance)]));
  return { rates: { ...rates, core: { ...callFaults(chance.between(0, 2)), corrupt: 0.05 } }, settleDelayMs };
}

function callFaults(force: number) {
  return {
    'lost-answer': 0.05 * force,
    'not-received': 0.05 * force,
    late: 0.03 * force,
    garbage: 0.04 * force,
    maintenance: 0.04 * force,
    'half-open': 0.004 * force,
  };
}

function channelFaults(chance: Chance) {
  const force = chance.between(0, 4);
  const closed = chance.happens(0.1);
  return {
    ...callFaults(force),
    ...(closed ? { maintenance: 0.9 } : {}),
    refuse: 0.03,
    'turn-away': 0.06,
    'turn-away-later': 0.03,
    'not-now': 0.06,
    'not-now-later': 0.04,
    'fail-later': 0.03,
    'slow-result': 0.05,
    return: 0.04,
    'double-news': 0.1,
    'answer-missing': 0.03 * force,
  };
}
