import { z } from 'zod';
import { Refused } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { readPlatform, showPlatform } from '../platforms/index.js';
import { pageSchema, problemOf, problemSchema, type Route, type Runtime, route, wireId } from '../runtime/index.js';
import { FUNCTIONAL_ACCOUNTS } from './book.js';
import {
  accountQuery,
  accountsQuery,
  entriesQuery,
  oneAccount,
  pageOfAccounts,
  pageOfEntries,
  pageOfSubMerchants,
  subMerchantsQuery,
} from './pages.js';
import { payInRoutes } from './pay-in-routes.js';
import { viewAccounts } from './reading.js';
import { openSettlementAccount, settlementAccountsOf } from './store.js';
import { changeSettlementAccount, closeSubMerchant, isOpening, openSubMerchants, viewSubMerchant } from './sub-merchants.js';
import {
  accountSchema,
  boundSchema,
  entrySchema,
  openingSchema,
  ownPlatformSchema,
  pastBalanceSchema,
  settlementAccountSchema,
  showAccount,
  showBook,
  showBound,
  showOpening,
  showOwnSettlementAccount,
  showSubMerchant,
  subMerchantRequest,
  subMerchantSchema,
} from './wire.js';

const merchantParams = z.strictObject({ merchant: wireId('merchant') });
const accountParams = z.strictObject({ account: wireId('account') });
const OPENING_REFUSALS = [
  'MERCHANT_NO_REUSED',
  'USCC_INVALID',
  'ID_NUMBER_INVALID',
  'HOLDER_NAME_DIFFERS',
  'CARD_NUMBER_INVALID',
  'CYCLE_INVALID',
  'SETTLEMENT_TOO_EARLY',
] as const;

/** What platforms may ask about their sub-merchants and accounts. */
export function accountRoutes(rt: Runtime): Route[] {
  return [
    openRoute(rt),
    openBatchRoute(rt),
    listMerchantsRoute(rt),
    readMerchantRoute(rt),
    bindRoute(rt),
    closeRoute(rt),
    listAccountsRoute(rt),
    readAccountRoute(rt),
    ...payInRoutes(rt),
    entriesRoute(rt),
    ownPlatformRoute(rt),
  ];
}

const merchants = { audience: 'platform', tag: 'Sub-merchants' } as const;
const accounts = { audience: 'platform', tag: 'Accounts' } as const;

function openRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'POST',
    path: '/v1/sub-merchants',
    summary: 'Opens a sub-merchant with its virtual sub-account',
    summaryZh: '开立商户及虚拟子账户',
    description: 'The merchant number is remembered for ever: the same particulars again get the first answer again (200).',
    body: subMerchantRequest,
    answers: {
      201: { description: 'Opened', schema: openingSchema },
      200: { description: 'Opened before, with the same particulars', schema: openingSchema },
    },
    refusals: OPENING_REFUSALS,
    handle: async ({ caller, body }) => {
      const [result] = await openSubMerchants(rt, caller.platformId, [body]);
      if (result === undefined || !isOpening(result)) throw new Refused(result ?? { code: 'FAULT' });
      return { status: result.repeated ? 200 : 201, body: showOpening(result) };
    },
  });
}

const LINES_MAX = 1000;
const BATCH_BYTES = 2 * 1024 * 1024;

const batchLine = z.strictObject({
  line: z.int().meta({ description: 'From 1' }),
  merchantNo: z.string(),
  status: z.int().meta({ description: '201 opened, 200 opened before; else the status of the problem' }),
  subMerchant: openingSchema.optional(),
  problem: problemSchema.optional(),
});

function openBatchRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'POST',
    path: '/v1/sub-merchants/batches',
    summary: `Opens up to ${LINES_MAX} sub-merchants`,
    summaryZh: '批量开立商户',
    description:
      'A line of the wrong shape refuses the whole; any other fault only its own line. Repeat it as often as you like.',
    body: z.array(subMerchantRequest).min(1).max(LINES_MAX),
    bodyLimit: BATCH_BYTES,
    answers: { 200: { description: 'The result of each line', schema: z.strictObject({ items: z.array(batchLine) }) } },
    refusals: OPENING_REFUSALS,
    handle: async ({ caller, body, requestId }) => {
      const results = await openSubMerchants(rt, caller.platformId, body, (line) => `/${line}`);
      const items = results.map((result, index) => {
        const line = { line: index + 1, merchantNo: body[index]?.merchantNo };
        if (isOpening(result)) return { ...line, status: result.repeated ? 200 : 201, subMerchant: showOpening(result) };
        const problem = problemOf(result, requestId);
        return { ...line, status: problem.status, problem };
      });
      return { status: 200, body: { items } };
    },
  });
}

function listMerchantsRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'GET',
    path: '/v1/sub-merchants',
    summary: 'Sub-merchants in the order they were opened',
    summaryZh: '商户列表',
    query: subMerchantsQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(subMerchantSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, query }) => ({ status: 200, body: await pageOfSubMerchants(rt, caller.platformId, query) }),
  });
}

function readMerchantRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'GET',
    path: '/v1/sub-merchants/{merchant}',
    summary: 'One sub-merchant',
    summaryZh: '商户详情',
    params: merchantParams,
    answers: { 200: { description: 'The sub-merchant as it stands', schema: subMerchantSchema } },
    handle: async ({ caller, params }) => {
      const view = await rt.db.snapshot('sub-merchant', (tx) =>
        viewSubMerchant(tx, rt.vault, caller.platformId, params.merchant),
      );
      return { status: 200, body: showSubMerchant(view) };
    },
  });
}

function bindRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'PUT',
    path: '/v1/sub-merchants/{merchant}/settlement-account',
    summary: "Binds another settlement account in the sub-merchant's own name",
    summaryZh: '变更结算账户',
    description: 'Payouts that are made already keep the account they were made with.',
    params: merchantParams,
    body: settlementAccountSchema,
    answers: { 200: { description: 'Bound', schema: boundSchema } },
    refusals: ['ACCOUNT_CLOSED', 'HOLDER_NAME_DIFFERS', 'CARD_NUMBER_INVALID'],
    handle: async ({ caller, params, body }) => {
      const { warnings } = await changeSettlementAccount(rt, caller.platformId, params.merchant, body);
      return { status: 200, body: showBound(body, warnings) };
    },
  });
}

function closeRoute(rt: Runtime): Route {
  return route({
    ...merchants,
    method: 'POST',
    path: '/v1/sub-merchants/{merchant}/close',
    summary: 'Closes a sub-merchant and its account for ever',
    summaryZh: '商户销户',
    params: merchantParams,
    answers: { 200: { description: 'Closed', schema: subMerchantSchema } },
    refusals: ['ACCOUNT_FROZEN', 'ACCOUNT_NOT_EMPTY'],
    handle: async ({ caller, params }) => ({
      status: 200,
      body: showSubMerchant(await closeSubMerchant(rt, caller.platformId, params.merchant)),
    }),
  });
}

function listAccountsRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/v1/accounts',
    summary: 'Accounts with their balances',
    summaryZh: '账户列表',
    query: accountsQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(accountSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, query }) => ({ status: 200, body: await pageOfAccounts(rt, caller.platformId, query) }),
  });
}

function readAccountRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/v1/accounts/{account}',
    summary: 'One account and its balances, now or at a past instant',
    summaryZh: '账户余额查询',
    params: accountParams,
    query: accountQuery,
    answers: {
      200: { description: 'Balances now, or with `asOf` the balance then', schema: z.union([accountSchema, pastBalanceSchema]) },
    },
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await oneAccount(rt, params.account, caller.platformId, query.asOf),
    }),
  });
}

function entriesRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/v1/accounts/{account}/entries',
    summary: 'Entries of an account',
    summaryZh: '账户明细查询',
    params: accountParams,
    query: entriesQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(entrySchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ caller, params, query }) => ({
      status: 200,
      body: await pageOfEntries(rt, params.account, caller.platformId, query),
    }),
  });
}

function ownPlatformRoute({ db, vault }: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/v1/platform',
    summary: 'The platform itself: particulars, terms, functional accounts, open business date',
    summaryZh: '平台自身信息',
    answers: { 200: { description: 'The platform that asks', schema: ownPlatformSchema } },
    handle: async ({ caller: { platformId } }) =>
      db.snapshot('own platform', async (tx) => {
        const platform = await readPlatform(tx, platformId);
        const book = await loadBook(tx, platformId);
        const views = await viewAccounts(
          tx,
          platformId,
          FUNCTIONAL_ACCOUNTS.map((type) => book.accounts[type]),
        );
        const bound = (await settlementAccountsOf(tx, [book.accounts['own-funds']])).get(book.accounts['own-funds']);
        const { custodyNo, businessDate, terms } = showBook(book);
        const { createdAt: _, ...particulars } = showPlatform(platform as NonNullable<typeof platform>);
        const settlementAccount = showOwnSettlementAccount(bound && openSettlementAccount(vault, bound));
        return {
          status: 200,
          body: { ...particulars, custodyNo, businessDate, terms, settlementAccount, accounts: views.map(showAccount) },
        };
      }),
  });
}
