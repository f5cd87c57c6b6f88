import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { type BusinessDate, type Id, Refused, refuse, toRfc3339, toWire, WIRE_MAX } from '../kernel/index.js';
import { isPlatformOwn, loadBook, lockShard } from '../ledger/index.js';
import {
  currencySchema,
  idAfter,
  page,
  pageQuery,
  pageSchema,
  type Route,
  type Runtime,
  rfc3339Schema,
  route,
  type Tx,
  textSchema,
  wireId,
} from '../runtime/index.js';
import { listWatches, type Reserve, reservesOn, saveWatch, type Watch, watchOn } from './watch-store.js';

const minor = z.int().meta({ description: 'Minor units' });
const markSchema = z.int().min(0).max(Number(WIRE_MAX));
const TAG = 'Refunds';

const watchSchema = z
  .strictObject({
    account: z.string(),
    currency: currencySchema,
    alert: minor.meta({ description: 'Less than this available: it is low, and you are told once; 0: never' }),
    low: z.boolean(),
    lowSince: rfc3339Schema.nullable(),
    reserve: z
      .strictObject({
        inForce: minor.meta({ description: 'What the clearing leaves: agreed, or else yours; never less than the bank’s' }),
        agreed: minor.nullable().meta({ description: 'By the agreement in force; null: none is' }),
        platform: minor,
        bank: minor,
      })
      .meta({ description: 'What stays on the account when its sub-merchant is paid' }),
  })
  .meta({ id: 'AccountWatch', description: 'What is to stay on an account, and below what its platform is told' });

function show({ accountId, alert, lowMs }: Watch, reserve: Reserve): z.output<typeof watchSchema> {
  return {
    account: toWire('account', accountId),
    currency: 'CNY',
    alert: Number(alert),
    low: lowMs !== null,
    lowSince: lowMs === null ? null : toRfc3339(lowMs),
    reserve: {
      inForce: Number(reserve.inForce),
      agreed: reserve.agreed === null ? null : Number(reserve.agreed),
      platform: Number(reserve.platform),
      bank: Number(reserve.bank),
    },
  };
}

async function shown(tx: Tx, watches: readonly Watch[], date: BusinessDate): Promise<z.output<typeof watchSchema>[]> {
  const ids = watches.map(({ accountId }) => accountId);
  const reserves = await reservesOn(tx, ids, date);
  return watches.map((watch) => show(watch, reserves.get(watch.accountId) as Reserve));
}

async function readWatch(tx: Tx, account: Id, platformId: Id) {
  const { businessDate } = await loadBook(tx, platformId);
  return (await shown(tx, [await watchOn(tx, account, platformId)], businessDate))[0] as z.output<typeof watchSchema>;
}

/** What a platform keeps back of its sub-merchants and wants to be told of, and what the bank keeps back. */
export function watchRoutes(rt: Runtime): Route[] {
  return [...readRoutes(rt), setRoute(rt), bankRoute(rt)];
}

function readRoutes({ db }: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/watches',
      audience: 'platform',
      tag: TAG,
      summary: 'Accounts of which something is kept back or watched; with `low=true` those with less available than their mark',
      summaryZh: '余额预警与留存列表',
      query: z.strictObject({ ...pageQuery, low: z.enum(['true', 'false']).optional() }),
      answers: { 200: { description: 'A page', schema: pageSchema(watchSchema) } },
      async handle({ caller: { platformId }, query }) {
        const list = `watches:${query.low ?? ''}`;
        const of = { platformId, after: idAfter(list, query.cursor), low: query.low === 'true' };
        const rows = await db.snapshot('list-watches', async (tx) => {
          const { businessDate } = await loadBook(tx, platformId);
          const watches = await listWatches(tx, of, query.limit + 1);
          const bodies = await shown(tx, watches, businessDate);
          return watches.map((watch, place) => ({ watch, body: bodies[place] as z.output<typeof watchSchema> }));
        });
        return {
          status: 200,
          body: page(
            list,
            rows,
            query.limit,
            ({ watch }) => [watch.accountId],
            ({ body }) => body,
          ),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/accounts/{account}/watch',
      audience: 'platform',
      tag: TAG,
      summary: 'What is to stay on an account, and below what you are told',
      summaryZh: '查询余额预警与留存',
      params: z.strictObject({ account: wireId('account') }),
      answers: { 200: { description: 'The watch', schema: watchSchema } },
      async handle({ caller: { platformId }, params }) {
        const body = await db.snapshot('read-watch', async (tx) => {
          await requireAccount(tx, params.account, platformId);
          return readWatch(tx, params.account, platformId);
        });
        return { status: 200, body };
      },
    }),
  ];
}

function setRoute(rt: Runtime): Route {
  return route({
    method: 'PUT',
    path: '/v1/accounts/{account}/watch',
    audience: 'platform',
    tag: TAG,
    summary: 'Sets below what you are told, and what stays on a sub-merchant’s account when he is paid',
    summaryZh: '设置余额预警与留存',
    description:
      'A reserve can be set only where no agreement with the sub-merchant is in force, which else says what stays; of your own accounts nothing is kept back.',
    params: z.strictObject({ account: wireId('account') }),
    body: z.strictObject({ alert: markSchema.optional(), reserve: markSchema.optional() }),
    answers: { 200: { description: 'The watch', schema: watchSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED', 'ACCOUNT_CLOSED', 'RESERVE_AGREED'],
    async handle({ caller: { platformId }, params, body: asked }) {
      const body = await rt.db.withTx(
        'set-watch',
        async (tx) => {
          const before = await lockedWatch(tx, rt, params.account, platformId, asked.reserve !== undefined);
          const { businessDate } = await loadBook(tx, platformId);
          const agreed = (await reservesOn(tx, [params.account], businessDate)).get(params.account)?.agreed ?? null;
          if (asked.reserve !== undefined && agreed !== null)
            throw new Refused(refuse('RESERVE_AGREED', undefined, { agreed: String(agreed) }));
          const { alert = Number(before.alert), reserve = Number(before.reserve) } = asked;
          await saveWatch(tx, { ...before, alert: BigInt(alert), reserve: BigInt(reserve) });
          return readWatch(tx, params.account, platformId);
        },
        async () => undefined, // the same again changes nothing
      );
      return { status: 200, body };
    },
  });
}

function bankRoute(rt: Runtime): Route {
  return route({
    method: 'PUT',
    path: '/admin/v1/accounts/{account}/reserve',
    audience: 'operator',
    permission: 'platforms.write',
    tag: TAG,
    summary: 'Sets what the bank keeps back of a sub-merchant’s money when he is paid, whatever was agreed; 0: nothing',
    summaryZh: '设置银行留存额',
    params: z.strictObject({ account: wireId('account') }),
    body: z.strictObject({ reserve: markSchema, reason: textSchema(200).meta({ description: 'Why, for the audit trail' }) }),
    answers: { 200: { description: 'The watch', schema: watchSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED', 'ACCOUNT_CLOSED'],
    async handle({ params, body, tx }) {
      const { platformId } = await requireAccount(tx, params.account, undefined);
      const before = await lockedWatch(tx, rt, params.account, platformId, true);
      await saveWatch(tx, { ...before, bankReserve: BigInt(body.reserve) });
      return {
        status: 200,
        body: await readWatch(tx, params.account, platformId),
        audit: { target: `account ${toWire('account', params.account)}`, note: body.reason },
      };
    },
  });
}

/** @throws Refused NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED, ACCOUNT_CLOSED */
async function lockedWatch(tx: Tx, rt: Pick<Runtime, 'clock'>, id: Id, platformId: Id, reserves: boolean): Promise<Watch> {
  const { type, state } = await requireAccount(tx, id, platformId);
  if (type !== 'sub' && (reserves || !isPlatformOwn(type)))
    throw new Refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type }));
  if (state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
  const { shardId } = await loadBook(tx, platformId);
  await lockShard(tx, shardId, rt.clock.now());
  return watchOn(tx, id, platformId);
}
