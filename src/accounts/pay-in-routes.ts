import { z } from 'zod';
import { naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import { loadParameters, type Route, type Runtime, route, type Tx, wireId } from '../runtime/index.js';
import { PAY_IN_RULES, payInRule } from './pay-in-rules.js';
import { payInRecords, savePayIn } from './pay-in-store.js';
import { requireAccount } from './reading.js';
import type { AccountKey } from './store.js';

const rule = z.enum(PAY_IN_RULES);
const payInSchema = z
  .strictObject({
    account: z.string(),
    accepts: rule.meta({ description: 'What you set; anyone where you set nothing' }),
    inForce: rule.meta({ description: 'Never looser than the bank allows' }),
  })
  .meta({ id: 'PayIn', description: 'From whom an account takes transfers from outside 来账规则' });
const params = z.strictObject({ account: wireId('account') });
const platform = { audience: 'platform', tag: 'Accounts' } as const;

/** From whom sub-accounts take transfers: set by their platform, within what the bank allows. */
export function payInRoutes(rt: Runtime): Route[] {
  return [readRoute(rt), setRoute(rt)];
}

async function shown(tx: Tx, rt: Runtime, { id, type, platformId }: AccountKey): Promise<z.output<typeof payInSchema>> {
  const set = (await payInRecords.load(tx, [id])).get(id)?.rule;
  const agreed = (await loadBook(tx, platformId)).terms.agreements === 'required';
  const inForce = payInRule({ type, set, agreed, today: naturalDate(rt.clock.now()), parameters: await loadParameters(tx) });
  return { account: toWire('account', id), accepts: set ?? 'anyone', inForce };
}

/** @throws Refused NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED */
async function requireSub(tx: Tx, ...[id, owner]: [AccountKey['id'], AccountKey['platformId']]): Promise<AccountKey> {
  const account = await requireAccount(tx, id, owner);
  if (account.type !== 'sub') throw new Refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
  return account;
}

function readRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'GET',
    path: '/v1/accounts/{account}/pay-in',
    summary: 'From whom a sub-account takes transfers',
    summaryZh: '查询来账规则',
    params,
    answers: { 200: { description: 'The rule', schema: payInSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED'],
    handle: async ({ caller, params: of }) => ({
      status: 200,
      body: await rt.db.snapshot('pay-in', async (tx) => shown(tx, rt, await requireSub(tx, of.account, caller.platformId))),
    }),
  });
}

function setRoute(rt: Runtime): Route {
  return route({
    ...platform,
    method: 'PUT',
    path: '/v1/accounts/{account}/pay-in',
    summary: 'Sets from whom a sub-account takes transfers; what it does not take goes back to the payer',
    summaryZh: '设置来账规则',
    params,
    body: z.strictObject({ accepts: rule }),
    answers: { 200: { description: 'The rule', schema: payInSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED', 'ACCOUNT_CLOSED'],
    async handle({ caller: { platformId }, params: of, body: asked }) {
      const body = await rt.db.withTx(
        'set-pay-in',
        async (tx) => {
          await requireSub(tx, of.account, platformId);
          const turn = await lockShard(tx, (await loadBook(tx, platformId)).shardId, rt.clock.now());
          const account = await requireSub(tx, of.account, platformId);
          if (account.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
          await savePayIn(tx, { accountId: account.id, rule: asked.accepts }, turn.nowMs);
          return shown(tx, rt, account);
        },
        async () => undefined, // the same again changes nothing
      );
      return { status: 200, body };
    },
  });
}
