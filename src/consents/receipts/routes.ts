import { z } from 'zod';
import { type Id, invariant, publishedKeySchema, Refused, refuse } from '../../kernel/index.js';
import { type Route, type Runtime, route, type Tx, wireId } from '../../runtime/index.js';
import { findMandate } from '../mandates/store.js';
import { mandateUseRecords } from '../records.js';
import { findConsentOf } from '../store.js';
import { type GivenInstruction, receiptOfUse, storedReceipt } from './receipts.js';
import { type Receipt, receiptSchema } from './rules.js';

/** What of an instruction stands in a receipt; undefined when there is none of this id. Instructions stand below consents. */
export type FindGiven = (tx: Tx, id: Id) => Promise<GivenInstruction | undefined>;

/** Receipts for platforms, for the bank's staff, and the keys by which anybody verifies them. */
export function receiptRoutes(rt: Runtime, findGiven: FindGiven): Route[] {
  return [ownRoute(rt, findGiven), staffRoute(rt, findGiven), keysRoute(rt)];
}

const TAG = 'Receipts';
const Params = z.strictObject({
  subject: z.union([wireId('instruction'), wireId('mandate'), wireId('signature'), wireId('confirmation')]).meta({
    description: 'An instruction, a mandate, the signature of an agreement, or what a party to a deal confirmed',
    example: 'ins_2236512894231552003',
  }),
});
const answers = { 200: { description: 'The receipt; `npx cunguan verify` checks it', schema: receiptSchema } };

function ownRoute(rt: Runtime, findGiven: FindGiven): Route {
  return route({
    method: 'GET',
    path: '/v1/receipts/{subject}',
    audience: 'platform',
    tag: TAG,
    summary: "The signed receipt of the customer's answer to an instruction or mandate, or of a mandate's use",
    summaryZh: '电子回执查询',
    description: 'There is one when the customer has said yes or no, or when an instruction was posted under a mandate.',
    params: Params,
    answers,
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await receiptFor(rt, findGiven, params.subject, caller.platformId),
    }),
  });
}

function staffRoute(rt: Runtime, findGiven: FindGiven): Route {
  return route({
    method: 'GET',
    path: '/admin/v1/receipts/{subject}',
    audience: 'operator',
    permission: 'instructions.read',
    tag: TAG,
    summary: 'The signed receipt of an instruction or mandate of any platform',
    summaryZh: '电子回执查询（行内）',
    params: Params,
    answers,
    handle: async ({ params }) => ({ status: 200, body: await receiptFor(rt, findGiven, params.subject, undefined) }),
  });
}

/** @throws Refused NOT_FOUND, also for what is of another platform than `owner`, and while there is no answer yet */
async function receiptFor(rt: Runtime, findGiven: FindGiven, subject: Id, owner: Id | undefined): Promise<Receipt> {
  const isHis = (platformId: Id | undefined) => platformId !== undefined && (owner === undefined || platformId === owner);
  const missing = new Refused(refuse('NOT_FOUND', 'There is no receipt: nothing was answered, and no mandate was used.'));
  return rt.db.snapshot('receipt', async (tx) => {
    const consent =
      (await findConsentOf(tx, 'instruction', subject)) ??
      (await findConsentOf(tx, 'mandate', subject)) ??
      (await findConsentOf(tx, 'agreement', subject)) ??
      (await findConsentOf(tx, 'escrow', subject)) ??
      (await findConsentOf(tx, 'project', subject));
    if (consent !== undefined) {
      if (!isHis(consent.platformId) || consent.receiptSealed === null) throw missing;
      return storedReceipt(rt, consent);
    }
    const use = (await mandateUseRecords.load(tx, [subject])).get(subject);
    if (use === undefined) throw missing;
    const mandate = await findMandate(tx, use.mandateId);
    if (!isHis(mandate?.platformId)) throw missing;
    const granted = await findConsentOf(tx, 'mandate', use.mandateId);
    const given = await findGiven(tx, use.instruction);
    invariant(mandate && granted && given, `the use of ${use.mandateId} has a mandate, its consent and an instruction`);
    return receiptOfUse(rt, { use, mandate, given, granted });
  });
}

function keysRoute({ receiptKeys }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/receipt-keys',
    audience: 'public',
    tag: TAG,
    summary: "The bank's public keys of receipts, older ones too (RFC 7517)",
    summaryZh: '电子回执验签公钥',
    answers: { 200: { description: 'The keys', schema: z.strictObject({ keys: z.array(publishedKeySchema) }) } },
    handle: async () => ({ status: 200, body: { keys: receiptKeys.published } }),
  });
}
