import { z } from 'zod';
import { requireAccount } from '../accounts/index.js';
import { type Id, Refused, refuse, toRfc3339, toWire, WIRE_MAX } from '../kernel/index.js';
import { type Book, loadBooks, lockShard, openAccounts } from '../ledger/index.js';
import {
  currencySchema,
  decodeCursor,
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
import { advanceRecords, marginRecords, owedOf, type Receivable } from './records.js';
import { SHORTAGE_STATES, type Shortage } from './shortages.js';
import { cancelShortage, findShortage, listReceivables, listShortages, retryShortages, setCeiling, setMargin } from './store.js';
import { watchRoutes } from './watch-routes.js';

const minor = z.int().meta({ description: 'Minor units' });
const limitSchema = z.int().min(0).max(Number(WIRE_MAX));
const yes = z.enum(['true', 'false']).optional();
const TAG = 'Refunds';

const shortageSchema = z
  .strictObject({
    refund: z.string().meta({ description: 'The instruction that waits' }),
    orderNo: z.string(),
    currency: currencySchema,
    amount: minor.meta({ description: 'Of the refund' }),
    missing: minor.meta({ description: 'What was missing when it was last tried' }),
    state: z.enum(SHORTAGE_STATES).meta({
      description: 'waiting; trying: an account was credited; covered, refused or cancelled: decided, or about to be',
    }),
    tries: z.int(),
    createdAt: rfc3339Schema,
    triedAt: rfc3339Schema,
    receivers: z.array(z.strictObject({ account: z.string(), wanted: minor, missing: minor })),
  })
  .meta({ id: 'Shortage', description: 'A refund that waits, or has waited, for money' });

function showShortage(of: Shortage): z.output<typeof shortageSchema> {
  return {
    refund: toWire('instruction', of.instruction),
    orderNo: of.orderNo,
    currency: 'CNY',
    amount: Number(of.amount),
    missing: Number(of.missing),
    state: of.state,
    tries: of.tries,
    createdAt: toRfc3339(of.createdMs),
    triedAt: toRfc3339(of.triedMs),
    receivers: of.lines
      .filter((line) => line.role === 'receiver')
      .map((line) => ({
        account: toWire('account', line.accountId),
        wanted: Number(line.wanted),
        missing: Number(line.missing),
      })),
  };
}

const receivableSchema = z
  .strictObject({
    refund: z.string().meta({ description: 'The refund that was advanced' }),
    orderNo: z.string(),
    debtor: z.string().meta({ description: 'The account that owes it to the platform’s own funds' }),
    currency: currencySchema,
    amount: minor,
    recovered: minor,
    owed: minor,
    createdAt: rfc3339Schema,
  })
  .meta({ id: 'Receivable', description: 'What a receiver owes his platform for a refund that it advanced' });

function showReceivable(of: Receivable): z.output<typeof receivableSchema> {
  return {
    refund: toWire('instruction', of.instruction),
    orderNo: of.orderNo,
    debtor: toWire('account', of.accountId),
    currency: 'CNY',
    amount: Number(of.amount),
    recovered: Number(of.recovered),
    owed: Number(owedOf(of)),
    createdAt: toRfc3339(of.createdMs),
  };
}

const advanceSchema = z
  .strictObject({ currency: currencySchema, ceiling: minor, outstanding: minor })
  .meta({ id: 'Advance', description: 'Up to how much own funds stand in for receivers, and how much of that is out' });

const marginSchema = z
  .strictObject({
    account: z.string(),
    margin: z.string().nullable().meta({ description: 'The margin account; null: there is none' }),
    target: minor.meta({ description: 'What later income fills it up to' }),
  })
  .meta({ id: 'Margin' });

/** What a platform reads of refunds that wait and of what it advanced, and what the bank's staff sets. */
export function refundRoutes(rt: Runtime): Route[] {
  return [...shortageRoutes(rt), cancelRoute(rt), ...coverRoutes(rt), ceilingRoute(rt), targetRoute(rt), ...watchRoutes(rt)];
}

function shortageRoutes({ db }: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/shortages',
      audience: 'platform',
      tag: TAG,
      summary: 'Refunds that wait for money, oldest first; with `all=true` those that have waited too',
      summaryZh: '缺款退款队列',
      query: z.strictObject({ ...pageQuery, all: yes }),
      answers: { 200: { description: 'A page', schema: pageSchema(shortageSchema) } },
      async handle({ caller: { platformId }, query }) {
        const list = `shortages:${query.all ?? ''}`;
        const of = { platformId, after: idAfter(list, query.cursor), waiting: query.all !== 'true' };
        const rows = await db.snapshot('list-shortages', (tx) => listShortages(tx, of, query.limit + 1));
        return { status: 200, body: page(list, rows, query.limit, (row) => [row.instruction], showShortage) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/shortages/{refund}',
      audience: 'platform',
      tag: TAG,
      summary: 'A refund that waits, or has waited, for money',
      summaryZh: '查询缺款退款',
      params: z.strictObject({ refund: wireId('instruction') }),
      answers: { 200: { description: 'The shortage', schema: shortageSchema } },
      async handle({ caller, params }) {
        const found = await db.snapshot('read-shortage', (tx) => findShortage(tx, caller.platformId, params.refund));
        if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
        return { status: 200, body: showShortage(found) };
      },
    }),
  ];
}

function cancelRoute(rt: Runtime): Route {
  return route({
    method: 'POST',
    path: '/v1/shortages/{refund}/cancel',
    audience: 'platform',
    tag: TAG,
    summary: 'Takes a refund that waits out of the queue; it is refused with REFUND_CANCELLED',
    summaryZh: '取消缺款退款',
    description: 'Cancelling twice changes nothing. A refund that is covered meanwhile is not cancelled.',
    params: z.strictObject({ refund: wireId('instruction') }),
    answers: { 202: { description: 'It is refused as soon as the engine comes to it', schema: shortageSchema } },
    refusals: ['SHORTAGE_ENDED'],
    async handle({ caller, params }) {
      const cancelled = await rt.db.withTx(
        'cancel-shortage',
        (tx) => cancelOf(tx, rt, caller.platformId, params.refund),
        async () => undefined, // a cancelled one is cancelled again without change
      );
      await rt.bells.ring('execute-shard', String(cancelled.shardId));
      return { status: 202, body: showShortage(cancelled) };
    },
  });
}

/**
 * Takes a refund out of the queue. Call it in a transaction; ring the shard's bell after the commit.
 * @throws Refused NOT_FOUND, SHORTAGE_ENDED
 */
export async function cancelOf(tx: Tx, rt: Pick<Runtime, 'clock'>, platformId: Id, refund: Id): Promise<Shortage> {
  const found = await findShortage(tx, platformId, refund);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  await lockShard(tx, found.shardId, rt.clock.now());
  const now = (await findShortage(tx, platformId, refund)) as Shortage;
  if (now.state === 'covered' || now.state === 'refused')
    throw new Refused(refuse('SHORTAGE_ENDED', undefined, { state: now.state }));
  await cancelShortage(tx, now);
  return { ...now, state: 'cancelled' };
}

function coverRoutes({ db }: Runtime): Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/receivables',
      audience: 'platform',
      tag: TAG,
      summary: 'What receivers owe for refunds that the platform advanced, oldest first; with `all=true` what is paid too',
      summaryZh: '垫款应收列表',
      query: z.strictObject({ ...pageQuery, all: yes }),
      answers: { 200: { description: 'A page', schema: pageSchema(receivableSchema) } },
      async handle({ caller: { platformId }, query }) {
        const list = `receivables:${query.all ?? ''}`;
        const [refund, debtor] =
          query.cursor === undefined ? ['0', '0'] : decodeCursor(list, 2, query.cursor).map((part) => String(part));
        const of = { platformId, after: [refund ?? '0', debtor ?? '0'] as const, open: query.all !== 'true' };
        const rows = await db.read('list-receivables', (tx) => listReceivables(tx, of, query.limit + 1));
        return {
          status: 200,
          body: page(list, rows, query.limit, (row) => [row.instruction, row.accountId], showReceivable),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/advance',
      audience: 'platform',
      tag: TAG,
      summary: "Up to how much the platform's own funds stand in for receivers, and how much of that is out",
      summaryZh: '垫款额度',
      answers: { 200: { description: 'The advance', schema: advanceSchema } },
      async handle({ caller }) {
        const rows = await db.read('advance', (tx) => advanceRecords.load(tx, [caller.platformId]));
        return { status: 200, body: showAdvance(rows.get(caller.platformId)) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/accounts/{account}/margin',
      audience: 'platform',
      tag: TAG,
      summary: 'The margin of a sub-merchant',
      summaryZh: '商户保证金',
      params: z.strictObject({ account: wireId('account') }),
      answers: { 200: { description: 'The margin', schema: marginSchema } },
      async handle({ caller, params }) {
        const body = await db.read('margin', async (tx) => {
          await requireAccount(tx, params.account, caller.platformId);
          return showMargin(tx, params.account);
        });
        return { status: 200, body };
      },
    }),
  ];
}

function showAdvance(of: { ceiling: bigint; outstanding: bigint } | undefined): z.output<typeof advanceSchema> {
  return { currency: 'CNY', ceiling: Number(of?.ceiling ?? 0n), outstanding: Number(of?.outstanding ?? 0n) };
}

async function showMargin(tx: Tx, account: Id): Promise<z.output<typeof marginSchema>> {
  const margin = (await marginRecords.load(tx, [account])).get(account);
  const id = margin?.marginId ?? null;
  return {
    account: toWire('account', account),
    margin: id === null ? null : toWire('account', id),
    target: Number(margin?.target ?? 0n),
  };
}

async function lockedBook(tx: Tx, rt: Pick<Runtime, 'clock'>, platformId: Id): Promise<Book> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  await lockShard(tx, book.shardId, rt.clock.now());
  return book;
}

const reason = textSchema(200).meta({ description: 'Why, for the audit trail' });

function ceilingRoute(rt: Runtime): Route {
  return route({
    method: 'PUT',
    path: '/admin/v1/platforms/{platform}/advance',
    audience: 'operator',
    permission: 'platforms.write',
    tag: TAG,
    summary: "Sets up to how much a platform's own funds stand in for receivers; 0: not at all",
    summaryZh: '设置平台垫款额度',
    params: z.strictObject({ platform: wireId('platform') }),
    body: z.strictObject({ ceiling: limitSchema, reason }),
    answers: { 200: { description: 'The advance', schema: advanceSchema } },
    async handle({ params, body, tx }) {
      const { shardId } = await lockedBook(tx, rt, params.platform);
      await setCeiling(tx, params.platform, BigInt(body.ceiling));
      await retryShortages(tx, shardId, { platformId: params.platform });
      const rows = await advanceRecords.load(tx, [params.platform]);
      return {
        status: 200,
        body: showAdvance(rows.get(params.platform)),
        audit: { target: `platform ${toWire('platform', params.platform)}`, note: body.reason },
        afterCommit: () => rt.bells.ring('execute-shard', String(shardId)),
      };
    },
  });
}

function targetRoute(rt: Runtime): Route {
  return route({
    method: 'PUT',
    path: '/admin/v1/accounts/{account}/margin',
    audience: 'operator',
    permission: 'platforms.write',
    tag: TAG,
    summary: 'Sets what the margin of a sub-merchant is filled up to by later income; opens it where there is none',
    summaryZh: '设置保证金目标额',
    params: z.strictObject({ account: wireId('account') }),
    body: z.strictObject({ target: limitSchema, reason }),
    answers: { 200: { description: 'The margin', schema: marginSchema } },
    refusals: ['ACCOUNT_TYPE_NOT_ALLOWED', 'ACCOUNT_CLOSED'],
    async handle({ params, body, tx }) {
      const { platformId } = await requireAccount(tx, params.account, undefined);
      await lockedBook(tx, rt, platformId);
      await setTarget(tx, rt, params.account, BigInt(body.target));
      return {
        status: 200,
        body: await showMargin(tx, params.account),
        audit: { target: `account ${toWire('account', params.account)}`, note: body.reason },
      };
    },
  });
}

/**
 * Sets what later income fills a sub-merchant's margin up to, in minor units, and opens its account where there is none. Call it under
 * the shard's lock.
 * @throws Refused NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED, ACCOUNT_CLOSED
 */
export async function setTarget(tx: Tx, rt: Pick<Runtime, 'newId'>, accountId: Id, target: bigint): Promise<void> {
  const { platformId, type, state } = await requireAccount(tx, accountId, undefined);
  if (type !== 'sub') throw new Refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type }));
  if (state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
  const before = (await marginRecords.load(tx, [accountId])).get(accountId)?.marginId ?? null;
  const marginId = before ?? rt.newId();
  if (before === null) await openAccounts(tx, [{ id: marginId, platformId, type: 'margin' }]);
  await setMargin(tx, { accountId, platformId, marginId, target });
}
