import { changeAnswered } from '../../accounts/index.js';
import { agreementAnswered } from '../../agreements/index.js';
import { type AnswerHandlers, mandateAnswered } from '../../consents/index.js';
import { escrowAnswered } from '../../escrow/index.js';
import { projectAnswered } from '../../lending/index.js';
import { activateUser, declineUser } from '../../parties/index.js';
import type { Runtime } from '../../runtime/index.js';
import { releaseToInbox } from './asking.js';

/**
 * What follows from a customer's answer, subject by subject, in the transaction of the answer. It stands here because all that can be
 * asked about is above; the API and the sweep end consents by the same list.
 */
export function answerHandlers(rt: Runtime): AnswerHandlers {
  return {
    instruction: (tx, instruction) => releaseToInbox(tx, rt, instruction),
    mandate: mandateAnswered(rt),
    card: changeAnswered(rt),
    mobile: changeAnswered(rt),
    agreement: agreementAnswered(rt),
    escrow: escrowAnswered(rt),
    project: projectAnswered(rt),
    activation: async (tx, _subject, ending, { platformId, userId }) => {
      if (userId === null) return undefined;
      if (ending === 'given') await activateUser(tx, userId, platformId, rt.clock.now());
      if (ending === 'declined') await declineUser(tx, userId, rt.clock.now());
      return undefined;
    },
  };
}
