import { z } from 'zod';
import { BALANCE_MAX, type Id, Refused, refuse, toRfc3339, toWire, toWireAmount } from '../../kernel/index.js';
import { loadBooks } from '../../ledger/index.js';
import { type Route, type Runtime, rfc3339Schema, route, textSchema, wireId } from '../../runtime/index.js';
import { LENDING_TERMS_STATES, type LendingTerms, lendingTermsOf, listLendingTerms } from './store.js';
import { approveLendingTerms, proposeLendingTerms, rejectLendingTerms } from './terms.js';

const operator = { audience: 'operator', tag: 'Lending' } as const;
const params = z.strictObject({ platform: wireId('platform') });
const termsParams = z.strictObject({ platform: wireId('platform'), terms: wireId('lending-terms') });
const PATH = '/admin/v1/platforms/{platform}/lending-terms';
const targetOf = (platform: Id) => `platform ${toWire('platform', platform)}`;

const modes = {
  advance: z.boolean().meta({ description: 'Whether its advance account may pay a project in before its lenders do (垫付)' }),
  advanceCeiling: z
    .int()
    .min(0)
    .max(Number(BALANCE_MAX))
    .meta({ description: 'Most that its advances may stand at together; 0 where there are none' }),
  entrusted: z.boolean().meta({ description: 'Whether what was lent may go to a payee that the borrower confirmed (受托支付)' }),
  reserve: z.boolean().meta({ description: 'Whether its reserve may pay what borrowers do not (风险准备金)' }),
};
const accounts = {
  advanceAccount: z.string().nullable().meta({ description: 'Null until terms need one' }),
  reserveAccount: z.string().nullable(),
};
const inForceSchema = z
  .strictObject({ ...modes, ...accounts })
  .meta({ id: 'LendingModes', description: 'What a lending platform may do beyond lending directly; nothing, unless agreed' });
const termsSchema = z
  .strictObject({
    id: z.string().meta({ example: 'ltm_2236512894231552003' }),
    state: z.enum(LENDING_TERMS_STATES),
    ...modes,
    ...accounts,
    reason: z.string(),
    proposedBy: z.string(),
    proposedAt: rfc3339Schema,
    decidedBy: z.string().nullable(),
    decidedAt: rfc3339Schema.nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'LendingTerms', description: 'What two people of the bank agreed, or one proposed, for a lending platform' });

type Modes = Awaited<ReturnType<typeof lendingTermsOf>>;

function showModes(terms: Modes): z.input<typeof inForceSchema> {
  const { advance, advanceCeiling, entrusted, reserve, advanceAccountId, reserveAccountId } = terms;
  return {
    ...{ advance, advanceCeiling: toWireAmount(advanceCeiling), entrusted, reserve },
    advanceAccount: advanceAccountId && toWire('account', advanceAccountId),
    reserveAccount: reserveAccountId && toWire('account', reserveAccountId),
  };
}

function show({ vault }: Pick<Runtime, 'vault'>, terms: LendingTerms): z.input<typeof termsSchema> {
  return {
    id: toWire('lending-terms', terms.id),
    state: terms.state,
    ...showModes(terms),
    reason: vault.open(terms.reasonSealed),
    proposedBy: toWire('operator', terms.proposedBy),
    proposedAt: toRfc3339(terms.proposedMs),
    decidedBy: terms.decidedBy && toWire('operator', terms.decidedBy),
    decidedAt: terms.decidedMs && toRfc3339(terms.decidedMs),
    note: terms.noteSealed === null ? null : vault.open(terms.noteSealed),
  };
}

/** What lending platforms may do beyond lending directly: one person of the bank proposes, another approves; the platform reads. */
export function lendingTermsRoutes(rt: Runtime): Route[] {
  return [ownRoute(rt), listRoute(rt), proposeRoute(rt), approveRoute(rt), rejectRoute(rt)];
}

function ownRoute({ db }: Runtime): Route {
  return route({
    audience: 'platform',
    tag: 'Lending',
    method: 'GET',
    path: '/v1/lending-terms',
    summary: 'What this platform may do beyond lending directly',
    summaryZh: '查询平台出借模式',
    answers: { 200: { description: 'The terms in force', schema: inForceSchema } },
    handle: async ({ caller }) => ({
      status: 200,
      body: showModes(await db.read('lending-terms', (tx) => lendingTermsOf(tx, caller.platformId))),
    }),
  });
}

function listRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: PATH,
    permission: 'platforms.read',
    summary: 'Lending terms of a platform: what holds, and all that was proposed, the last first',
    summaryZh: '平台出借模式及审批记录',
    params,
    answers: {
      200: {
        description: 'The terms',
        schema: z.strictObject({ inForce: inForceSchema, proposed: z.array(termsSchema) }),
      },
    },
    handle: async ({ params: { platform } }) => ({
      status: 200,
      body: await rt.db.snapshot('lending-terms', async (tx) => {
        if (!(await loadBooks(tx, [platform])).has(platform)) throw new Refused(refuse('NOT_FOUND'));
        const all = await listLendingTerms(tx, platform);
        return { inForce: showModes(await lendingTermsOf(tx, platform)), proposed: all.map((each) => show(rt, each)) };
      }),
    }),
  });
}

function proposeRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: PATH,
    permission: 'lending.write',
    summary: 'Proposes what a lending platform may do beyond lending directly; another person has to approve it',
    summaryZh: '拟定平台出借模式',
    params,
    body: z.strictObject({ ...modes, reason: textSchema(200) }),
    answers: { 201: { description: 'Proposed', schema: termsSchema } },
    refusals: ['NOT_FOUND', 'LENDING_NOT_OFFERED'],
    handle: async ({ caller, params: { platform }, body: { advanceCeiling, ...body }, tx }) => {
      const of = { ...body, advanceCeiling: BigInt(advanceCeiling), platformId: platform, by: caller.operatorId };
      const terms = await proposeLendingTerms(tx, rt, of);
      return {
        status: 201,
        body: show(rt, terms),
        audit: { target: targetOf(platform), note: toWire('lending-terms', terms.id) },
      };
    },
  });
}

function approveRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `${PATH}/{terms}/approve`,
    permission: 'lending.write',
    summary: 'Approves what another proposed; it holds from now on, and accounts that it needs are opened',
    summaryZh: '复核通过平台出借模式',
    params: termsParams,
    body: z.strictObject({ note: textSchema(200).optional() }),
    answers: { 200: { description: 'In force', schema: termsSchema } },
    refusals: ['NOT_FOUND', 'LENDING_NOT_OFFERED', 'SAME_OPERATOR', 'PROPOSAL_DECIDED'],
    handle: async ({ caller, params: { platform, terms: id }, body, tx }) => {
      const of = { by: caller.operatorId, note: body.note ?? null };
      const terms = await approveLendingTerms(tx, rt, { platformId: platform, terms: id }, of);
      return {
        status: 200,
        body: show(rt, terms),
        audit: { target: targetOf(platform), note: toWire('lending-terms', terms.id) },
      };
    },
  });
}

function rejectRoute(rt: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: `${PATH}/{terms}/reject`,
    permission: 'lending.write',
    summary: 'Rejects a proposal; whoever proposed it takes it back that way',
    summaryZh: '退回或撤回平台出借模式',
    params: termsParams,
    body: z.strictObject({ note: textSchema(200) }),
    answers: { 200: { description: 'Rejected or withdrawn', schema: termsSchema } },
    refusals: ['NOT_FOUND', 'PROPOSAL_DECIDED'],
    handle: async ({ caller, params: { platform, terms: id }, body, tx }) => {
      const of = { by: caller.operatorId, note: body.note };
      const terms = await rejectLendingTerms(tx, rt, { platformId: platform, terms: id }, of);
      return {
        status: 200,
        body: show(rt, terms),
        audit: { target: targetOf(platform), note: toWire('lending-terms', terms.id) },
      };
    },
  });
}
