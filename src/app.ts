import {
  accountAdminRoutes,
  accountChangeRoutes,
  accountRoutes,
  customerLock,
  electronicAdminRoutes,
  electronicRoutes,
  parameterRoutes,
} from './accounts/index.js';
import { acquirerRoutes, type GiveAcquired } from './acquirers/index.js';
import { agreementAdminRoutes, agreementRoutes } from './agreements/index.js';
import { batchRoutes } from './batches/index.js';
import { disputeRoutes, judicialRoutes } from './claims/index.js';
import { clearingRoutes } from './clearing/index.js';
import { askConsent, consentRoutes, mandateRoutes, policyRoutes, receiptRoutes } from './consents/index.js';
import { dispatchRoutes } from './dispatch/index.js';
import { escrowAdminRoutes, escrowRoutes } from './escrow/index.js';
import { explainRoutes } from './explain/index.js';
import { fundFileRoutes } from './fund-exchange/index.js';
import { fundAdminRoutes, fundRoutes } from './funds/index.js';
import {
  type Answers,
  answerHandlers,
  createAnswers,
  createIntake,
  dryRunRoutes,
  findInstructions,
  type Intake,
  instructionRoutes,
  orderDeduction,
  receiveInTx,
  reviewParts,
  type Submission,
} from './instructions/index.js';
import { Refused } from './kernel/index.js';
import { lendingAdminRoutes, lendingRoutes } from './lending/index.js';
import { auditTrail, operatorAuthentication, operatorRoutes } from './operators/index.js';
import { orderRoutes } from './orders/index.js';
import { partyRoutes } from './parties/index.js';
import { platformAuthentication, platformRoutes } from './platforms/index.js';
import { proofRoutes } from './proofs/index.js';
import { reconciliationRoutes } from './reconciliation/index.js';
import { refundRoutes } from './refunds/index.js';
import { reportingRoutes } from './reporting/index.js';
import { reviewRoutes } from './reviews/index.js';
import { routingRoutes } from './routing/index.js';
import { clockRoutes, createHttpApp, type Route, type StartedRuntime, subscriberConnection, type Tx } from './runtime/index.js';
import { supervisionRoutes } from './supervision/index.js';
import { type GiveInstruction, suspenseRoutes } from './suspense/index.js';
import { windDownRoutes } from './winding-up/index.js';

/** What the API process keeps besides its runtime: the intake of instructions and the ear for their outcomes. */
export interface AppParts {
  readonly intake: Intake;
  readonly answers: Answers;
}

export async function openParts(runtime: StartedRuntime): Promise<AppParts> {
  return {
    intake: createIntake(runtime),
    answers: await createAnswers(runtime, subscriberConnection(runtime.config.REDIS_URL, runtime.log)),
  };
}

/** Every route of the service, part by part in the order of the folders. */
export function allRoutes(runtime: StartedRuntime, parts: AppParts): Route[] {
  const { drivenClock, redis, config } = runtime;
  return [
    ...(drivenClock ? clockRoutes(drivenClock, redis, config.REDIS_PREFIX) : []),
    ...platformRoutes(runtime),
    ...partyRoutes(runtime, customerLock(runtime)),
    ...accountRoutes(runtime),
    ...accountAdminRoutes(runtime),
    ...electronicRoutes(runtime),
    ...accountChangeRoutes(runtime, (tx, question) => askConsent(tx, runtime, question)),
    ...electronicAdminRoutes(runtime),
    ...parameterRoutes(runtime),
    ...policyRoutes(runtime),
    ...consentRoutes(runtime, { handlers: answerHandlers(runtime) }),
    ...mandateRoutes(runtime),
    ...receiptRoutes(runtime, async (tx, id) => (await findInstructions(tx, [id])).get(id)),
    ...agreementRoutes(runtime),
    ...agreementAdminRoutes(runtime),
    ...orderRoutes(runtime),
    ...escrowRoutes(runtime),
    ...escrowAdminRoutes(runtime),
    ...lendingRoutes(runtime),
    ...lendingAdminRoutes(runtime),
    ...fundRoutes(runtime),
    ...fundAdminRoutes(runtime),
    ...disputeRoutes(runtime),
    ...judicialRoutes(runtime, orderDeduction(runtime)),
    ...refundRoutes(runtime),
    ...suspenseRoutes(runtime, giveInTx(runtime)),
    ...reviewRoutes(runtime, reviewParts(runtime)),
    ...routingRoutes(runtime),
    ...instructionRoutes(runtime, parts),
    ...dryRunRoutes(runtime),
    ...batchRoutes(runtime),
    ...acquirerRoutes(runtime, giveInTx(runtime)),
    ...dispatchRoutes(runtime),
    ...reconciliationRoutes(runtime),
    ...fundFileRoutes(runtime),
    ...proofRoutes(runtime),
    ...reportingRoutes(runtime),
    ...clearingRoutes(runtime),
    ...supervisionRoutes(runtime),
    ...windDownRoutes(runtime),
    ...explainRoutes(runtime),
    ...operatorRoutes(runtime),
  ];
}

/** Two people of the bank decide, and the books are instructed in the same commit. */
function giveInTx(runtime: StartedRuntime): GiveInstruction & GiveAcquired {
  return async (tx: Tx, of: Submission) => {
    const { receipt, shardId } = await receiveInTx(tx, runtime, of);
    if ('refused' in receipt) throw new Refused(receipt.refused);
    return { id: receipt.id, ring: () => runtime.bells.ring('execute-shard', String(shardId)) };
  };
}

/** The API without a port: what `main.ts` listens with and tests call. */
export function createApp(runtime: StartedRuntime, parts: AppParts) {
  return createHttpApp({
    routes: allRoutes(runtime, parts),
    authenticate: { platform: platformAuthentication(runtime), operator: operatorAuthentication(runtime) },
    audit: auditTrail(runtime),
    runtime,
  });
}
