import { type At, type Decision, type Facts, type Kind, refused } from './kind.js';
import { withLimits } from './limits.js';
import { withWill } from './will.js';

/**
 * What becomes of an instruction, as far as rules can say: the kind's own rules, then whether the customer wants it, then whether the law
 * lets it pass. The ledger has the last word. Pure.
 */
export function judge(kind: Kind, data: unknown, facts: Facts, at: At): Decision {
  const decision = kind.decide(data, facts, at);
  if ('refused' in decision) return decision;
  const willed = withWill(kind, data, decision, facts, at);
  if ('code' in willed) return refused(willed);
  const limited = withLimits(willed, facts, at);
  return 'code' in limited ? refused(limited) : limited;
}
