import { type Id, type Minor, naturalDate, type Refusal } from '../../kernel/index.js';
import { itemLeft, type Order } from '../../orders/index.js';
import { deviationOf, isInForce, reviewRecords } from '../../reviews/index.js';
import type { At, Facts } from '../kind.js';
import { accountsOf, overCap, type Shared } from './sharing.js';

/**
 * A split that gives others than the agreement's rule does, where a rule of the platform sends that to review instead of refusing it: all
 * that is left of one item, to receivers of its agreement, the same whole, no further off than the rule lets it be, and others than the
 * seller within the agreement's cap.
 * @param shared what the agreement makes
 * @returns undefined where it is to be refused; SPLIT_OVER_CAP
 */
export function deviatingShare(
  order: Order,
  shared: Shared,
  lines: Shared['lines'],
  facts: Facts,
  at: At,
): Refusal | (Shared & { readonly deviation: number }) | undefined {
  const most = mostDeviation(facts, at);
  const [item, another] = shared.background.items.filter(({ parts }) => parts.at(-1)?.by === at.instruction);
  if (most === undefined || item === undefined || another !== undefined || itemLeft(item) !== 0n) return undefined;
  const receivers = new Set(accountsOf(item, facts, at));
  if (lines.some(({ account }) => !receivers.has(account))) return undefined;
  const given = amountsOf(lines);
  const { bp, sameWhole } = deviationOf(given, amountsOf(shared.lines));
  if (!sameWhole || bp > most) return undefined;
  const part = { by: at.instruction, shares: Object.fromEntries(given) };
  const after = { ...item, parts: [...item.parts.slice(0, -1), part] };
  const background = { ...shared.background, items: shared.background.items.map((each) => (each === item ? after : each)) };
  return overCap(order, background, facts) ?? { lines, background, deviation: bp };
}

const amountsOf = (lines: Shared['lines']): ReadonlyMap<Id, Minor> =>
  new Map(lines.map(({ account, amount }) => [account, amount]));

/** How far off people may be asked to let it be, or have let it be; basis points. */
function mostDeviation(facts: Facts, at: At): number | undefined {
  if (at.reviewRules === undefined) return undefined;
  const reviewed = facts.record(reviewRecords, at.instruction);
  if (reviewed !== undefined) return Number(reviewed.reasons.find(({ by }) => by === 'deviation')?.figures.deviation ?? 0);
  const today = naturalDate(at.nowMs);
  const found = at.reviewRules.flatMap((rule) => (rule.test.by === 'deviation' && isInForce(rule, today) ? rule.test.most : []));
  return found.length === 0 ? undefined : Math.max(...found);
}
