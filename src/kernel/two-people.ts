import type { Id } from './ids.js';
import { Refused, refuse } from './refusals.js';

/**
 * What becomes of what one member of staff proposed when one of them says yes or no 双人复核: another approves or rejects it, who proposed it takes it
 * back, and each proposal ends once. Two who say so at once are told apart by the write that this is decided with.
 * @throws Refused PROPOSAL_DECIDED when it has ended; SAME_OPERATOR when he would approve what he proposed himself
 */
export function endOfProposal(
  { state, proposedBy }: { readonly state: string; readonly proposedBy: Id },
  by: Id,
  says: 'yes' | 'no',
): 'approved' | 'rejected' | 'withdrawn' {
  if (state !== 'proposed') throw new Refused(refuse('PROPOSAL_DECIDED', undefined, { state }));
  if (says === 'no') return proposedBy === by ? 'withdrawn' : 'rejected';
  if (proposedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  return 'approved';
}
