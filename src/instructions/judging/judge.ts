import { type At, type Decision, type Facts, type Kind, refused } from '../kind.js';
import { withDueDates } from './due.js';
import { escrowBound, escrowTouched } from './escrow-bound.js';
import { fundTouched } from './fund-bound.js';
import { withRecovery } from './income.js';
import { againstProfile, membersTouched } from './lending-profile.js';
import { withLimits } from './limits.js';
import { newBusiness } from './new-business.js';
import { reviewRefusal, withReview } from './review.js';
import { withWill } from './will.js';

/**
 * What becomes of an instruction, as far as rules can say: whether its platform may give such business at all and still, the kind's own rules, then whether the law lets it pass, then whether the
 * customer wants it, then whether people have to look at it. The ledger has the last word. Pure.
 */
export function judge(kind: Kind, data: unknown, facts: Facts, at: At): Decision {
  const unwanted = againstProfile(kind, at) ?? newBusiness(kind, at);
  if (unwanted !== undefined) return refused(unwanted);
  const reviewed = reviewRefusal(facts, at);
  if (reviewed !== undefined) return refused(reviewed);
  const bound = escrowBound(kind, data, facts, at);
  if (bound !== undefined) return refused(bound);
  const decision = kind.decide(data, facts, at);
  if ('refused' in decision || 'waits' in decision) return decision;
  const touched =
    escrowTouched(kind, data, decision, facts) ?? fundTouched(kind, decision, facts) ?? membersTouched(kind, decision, facts, at);
  if (touched !== undefined) return refused(touched);
  const lawful = withLimits(withDueDates(kind, withRecovery(kind, decision, facts, at), facts, at), facts, at);
  if ('code' in lawful) return refused(lawful);
  const willed = withWill(kind, data, lawful, facts, at);
  return 'code' in willed ? refused(willed) : withReview(kind, data, willed, facts, at);
}
