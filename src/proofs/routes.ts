import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import type { BusinessDate, Id } from '../kernel/index.js';
import { businessDateSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { custodyProof, inclusionProof } from './inclusion.js';
import { custodyProofSchema, inclusionProofSchema } from './rules.js';

const TAG = 'Proofs of custody';
const AccountDate = z.strictObject({ account: wireId('account'), date: businessDateSchema });
const Day = z.strictObject({ date: businessDateSchema });
const PlatformDay = z.strictObject({ platform: wireId('platform'), date: businessDateSchema });

const inclusion = { 200: { description: 'The proof; `npx cunguan verify` checks it offline', schema: inclusionProofSchema } };
const custody = { 200: { description: 'The proof; `npx cunguan verify` checks it offline', schema: custodyProofSchema } };

/** Proofs of custody for platforms, who hand them on to whom they concern, and for the bank's staff. */
export function proofRoutes(rt: Runtime): Route[] {
  return [ownInclusionRoute(rt), ownDayRoute(rt), staffInclusionRoute(rt), staffDayRoute(rt)];
}

/** @param owner undefined for the bank's staff, who see the accounts of all platforms */
async function inclusionOf(rt: Runtime, account: Id, owner: Id | undefined, date: BusinessDate) {
  const found = await rt.db.read('account-to-prove', (tx) => requireAccount(tx, account, owner));
  return inclusionProof(rt, { id: account, type: found.type, platformId: found.platformId }, date);
}

function ownInclusionRoute(rt: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/accounts/{account}/proofs/{date}',
    audience: 'platform',
    tag: TAG,
    summary: "The proof that an account's closing balance is in what the bank attested of a day",
    summaryZh: '余额包含证明查询',
    description:
      'It is for whoever holds the account: it tells of no other account, and the public key of the bank is enough to check it.',
    params: AccountDate,
    answers: inclusion,
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await inclusionOf(rt, params.account, caller.platformId, params.date),
    }),
  });
}

function ownDayRoute(rt: Runtime): Route {
  return route({
    method: 'GET',
    path: '/v1/days/{date}/proof',
    audience: 'platform',
    tag: TAG,
    summary: 'What the bank attested of the end of a business day',
    summaryZh: '存管证明查询',
    description: 'Each names the hash of the one of the day before.',
    params: Day,
    answers: custody,
    refusals: ['NOT_FOUND'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: await custodyProof(rt, { platformId: caller.platformId, date: params.date }),
    }),
  });
}

function staffInclusionRoute(rt: Runtime): Route {
  return route({
    method: 'GET',
    path: '/admin/v1/accounts/{account}/proofs/{date}',
    audience: 'operator',
    permission: 'accounts.read',
    tag: TAG,
    summary: 'The inclusion proof of any account, for a holder who asks the bank itself',
    summaryZh: '余额包含证明查询（行内）',
    params: AccountDate,
    answers: inclusion,
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => ({ status: 200, body: await inclusionOf(rt, params.account, undefined, params.date) }),
  });
}

function staffDayRoute(rt: Runtime): Route {
  return route({
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/days/{date}/proof',
    audience: 'operator',
    permission: 'days.read',
    tag: TAG,
    summary: "What the bank attested of the end of a platform's business day",
    summaryZh: '存管证明查询（行内）',
    params: PlatformDay,
    answers: custody,
    refusals: ['NOT_FOUND'],
    handle: async ({ params }) => ({
      status: 200,
      body: await custodyProof(rt, { platformId: params.platform, date: params.date }),
    }),
  });
}
