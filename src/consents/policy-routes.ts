import { z } from 'zod';
import { Refused, refuse } from '../kernel/index.js';
import { PROFILES, type Profile, readPlatform } from '../platforms/index.js';
import { type Route, type Runtime, route } from '../runtime/index.js';
import { decidePolicy, type PolicyTable, PROOF_KINDS, type ProofKind, policyKey, proofNeeded } from './policy.js';
import { loadPolicies, savePolicy } from './policy-store.js';
import { FACTORS } from './records.js';

const needed = {
  needs: z.enum(FACTORS).meta({ description: "What the customer's own act takes" }),
  mandates: z.boolean().meta({ description: 'Whether a live mandate may stand in for his act' }),
};
const policySchema = z
  .strictObject({
    profile: z.enum(PROFILES),
    kind: z.enum(PROOF_KINDS),
    ...needed,
    set: z.boolean().meta({ description: 'Whether the bank has set it; false: the default' }),
  })
  .meta({ id: 'ProofPolicy' });
const listSchema = z.strictObject({ items: z.array(policySchema) });

function show(table: PolicyTable, profile: Profile, kind: ProofKind): z.output<typeof policySchema> {
  return { profile, kind, ...proofNeeded(table, profile, kind), set: table.rows.has(policyKey(profile, kind)) };
}

/** Which kinds need which proof: read by all, set by the bank alone. */
export function policyRoutes(rt: Runtime): Route[] {
  return [ownPoliciesRoute(rt), policiesRoute(rt), setPolicyRoute(rt)];
}

function ownPoliciesRoute({ db }: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/proof-policies',
    audience: 'platform',
    tag: 'Consents',
    summary: "What proof of the customer's will each kind needs on this platform",
    summaryZh: '本平台各类指令所需的客户验证方式',
    answers: { 200: { description: 'Every kind', schema: listSchema } },
    handle: ({ caller }) =>
      db.snapshot('own policies', async (tx) => {
        const platform = await readPlatform(tx, caller.platformId);
        if (platform === undefined) throw new Refused(refuse('NOT_FOUND'));
        const table = await loadPolicies(tx);
        return { status: 200, body: { items: PROOF_KINDS.map((kind) => show(table, platform.profile, kind)) } };
      }),
  });
}

const operator = { audience: 'operator', tag: 'Consents' } as const;

function policiesRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: '/admin/v1/proof-policies',
    permission: 'platforms.read',
    summary: "What proof of the customer's will each kind needs, by profile",
    summaryZh: '各类平台、各类指令所需的客户验证方式',
    answers: { 200: { description: 'Every profile and kind', schema: listSchema } },
    handle: async () => {
      const table = await db.read('policies', loadPolicies);
      return {
        status: 200,
        body: { items: PROFILES.flatMap((profile) => PROOF_KINDS.map((kind) => show(table, profile, kind))) },
      };
    },
  });
}

function setPolicyRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/admin/v1/proof-policies/{profile}/{kind}',
    permission: 'platforms.write',
    summary: 'Sets what proof a kind needs on platforms of a profile, never less than its floor',
    summaryZh: '设置某类平台某类指令所需的客户验证方式',
    params: z.strictObject({ profile: z.enum(PROFILES), kind: z.enum(PROOF_KINDS) }),
    body: z.strictObject(needed),
    answers: { 200: { description: 'As it stands now', schema: policySchema } },
    refusals: ['POLICY_TOO_LOOSE'],
    handle: async ({ params: { profile, kind }, body, tx }) => {
      const refusal = decidePolicy(kind, body);
      if (refusal !== undefined) throw new Refused(refusal);
      await savePolicy(tx, profile, kind, body, clock.now());
      return {
        status: 200,
        body: show(await loadPolicies(tx), profile, kind),
        audit: { target: `proof-policy ${policyKey(profile, kind)}` },
      };
    },
  });
}
