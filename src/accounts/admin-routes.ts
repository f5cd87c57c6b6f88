import { z } from 'zod';
import { naturalDate, toWire } from '../kernel/index.js';
import { PROFILES, platformSchema, readPlatform, showPlatform } from '../platforms/index.js';
import { businessDateSchema, pageSchema, type Route, type Runtime, route, textSchema, wireId } from '../runtime/index.js';
import { changePlatformSettlementAccount, changeTerms, openPlatform, requireBook, setFrozen } from './book.js';
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
import {
  accountSchema,
  bookSchema,
  entrySchema,
  pastBalanceSchema,
  settlementAccountSchema,
  showBook,
  subMerchantSchema,
  termsOf,
  termsRequest,
} from './wire.js';

const platformParams = z.strictObject({ platform: wireId('platform') });
const accountParams = z.strictObject({ account: wireId('account') });
const reasonBody = z.strictObject({ reason: textSchema(200).meta({ description: 'Why, for the audit trail' }) });

/** What the bank's staff may do with books and accounts. */
export function accountAdminRoutes(rt: Runtime): Route[] {
  return [
    openPlatformRoute(rt),
    bookRoute(rt),
    termsRoute(rt),
    bindRoute(rt),
    freezeRoute(rt, true),
    freezeRoute(rt, false),
    accountsRoute(rt),
    merchantsRoute(rt),
    accountRoute(rt),
    entriesRoute(rt),
  ];
}

const platforms = { audience: 'operator', tag: 'Platforms' } as const;
const accounts = { audience: 'operator', tag: 'Accounts' } as const;

const openBody = z.strictObject({
  name: textSchema(128),
  uscc: z
    .string()
    .regex(/^[0-9A-Z]{18}$/, { error: 'must be 18 digits and capital letters' })
    .optional(),
  profile: z.enum(PROFILES).default('marketplace').meta({ description: 'What sort of platform it is; it never changes' }),
  custodyNo: z
    .string()
    .regex(/^[A-Za-z0-9]{5,32}$/, { error: 'must be 5 to 32 letters and digits' })
    .meta({ description: 'Number of an account that is open at the core bank' }),
  openDate: businessDateSchema.optional().meta({ description: 'First business date; today when absent' }),
  terms: termsRequest.default({ transferMax: 0, feeMax: 0 }),
  settlementAccount: settlementAccountSchema.optional().meta({ description: "Where the platform's own money is paid" }),
});

function openPlatformRoute(rt: Runtime): Route {
  return route({
    ...platforms,
    method: 'POST',
    path: '/admin/v1/platforms',
    permission: 'platforms.write',
    summary: 'Opens a platform with its book and functional accounts',
    summaryZh: '开立平台及功能账户',
    body: openBody,
    answers: { 201: { description: 'Opened', schema: z.strictObject({ ...platformSchema.shape, book: bookSchema }) } },
    refusals: ['USCC_INVALID', 'CUSTODY_NO_REUSED', 'HOLDER_NAME_DIFFERS'],
    handle: async ({ body, tx }) => {
      const { openDate = naturalDate(rt.clock.now()), terms, ...rest } = body;
      const book = await openPlatform(tx, rt, { ...rest, openDate, terms: termsOf(terms) });
      const platform = await readPlatform(tx, book.platformId);
      const shown = showPlatform(platform as NonNullable<typeof platform>);
      return { status: 201, body: { ...shown, book: showBook(book) }, audit: { target: `platform ${shown.id}` } };
    },
  });
}

function bookRoute({ db }: Runtime): Route {
  return route({
    ...platforms,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/book',
    permission: 'platforms.read',
    summary: 'The book of a platform: open business date, terms, functional accounts',
    summaryZh: '平台账簿',
    params: platformParams,
    answers: { 200: { description: 'The book', schema: bookSchema } },
    handle: async ({ params }) => ({
      status: 200,
      body: showBook(await db.read('book', (tx) => requireBook(tx, params.platform))),
    }),
  });
}

function termsRoute(rt: Runtime): Route {
  return route({
    ...platforms,
    method: 'PUT',
    path: '/admin/v1/platforms/{platform}/terms',
    permission: 'platforms.write',
    summary: 'Sets what the bank agreed beforehand',
    summaryZh: '设置约定额度',
    params: platformParams,
    body: termsRequest,
    answers: { 200: { description: 'The book', schema: bookSchema } },
    handle: async ({ params, body, tx }) => {
      const book = await changeTerms(tx, rt, params.platform, termsOf(body));
      return { status: 200, body: showBook(book), audit: { target: `platform ${toWire('platform', params.platform)}` } };
    },
  });
}

function bindRoute({ vault }: Runtime): Route {
  return route({
    ...platforms,
    method: 'PUT',
    path: '/admin/v1/platforms/{platform}/settlement-account',
    permission: 'platforms.write',
    summary: "Binds the account to which the platform's own money is paid",
    summaryZh: '绑定平台结算账户',
    params: platformParams,
    body: settlementAccountSchema,
    answers: { 200: { description: 'The book', schema: bookSchema } },
    refusals: ['HOLDER_NAME_DIFFERS'],
    handle: async ({ params, body, tx }) => {
      const book = await changePlatformSettlementAccount(tx, vault, params.platform, body);
      return { status: 200, body: showBook(book), audit: { target: `platform ${toWire('platform', params.platform)}` } };
    },
  });
}

function freezeRoute(rt: Runtime, frozen: boolean): Route {
  return route({
    ...accounts,
    method: 'POST',
    path: `/admin/v1/accounts/{account}/${frozen ? 'freeze' : 'unfreeze'}`,
    permission: 'platforms.write',
    summary: frozen ? 'Freezes an account: nothing leaves it, money may come in' : 'Ends the freeze of an account',
    summaryZh: frozen ? '冻结账户' : '解除冻结',
    params: accountParams,
    body: reasonBody,
    answers: {
      200: { description: 'The state it has now', schema: z.strictObject({ id: z.string(), state: z.enum(['open', 'frozen']) }) },
    },
    refusals: ['ACCOUNT_CLOSED', 'ACCOUNT_TYPE_NOT_ALLOWED'],
    handle: async ({ params, body, tx }) => {
      const state = await setFrozen(tx, rt, params.account, frozen);
      const id = toWire('account', params.account);
      return { status: 200, body: { id, state }, audit: { target: `account ${id}`, note: body.reason } };
    },
  });
}

function accountsRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/accounts',
    permission: 'accounts.read',
    summary: 'Accounts of a platform with their balances',
    summaryZh: '平台账户列表',
    params: platformParams,
    query: accountsQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(accountSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params, query }) => {
      await rt.db.read('book', (tx) => requireBook(tx, params.platform));
      return { status: 200, body: await pageOfAccounts(rt, params.platform, query) };
    },
  });
}

function merchantsRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/admin/v1/platforms/{platform}/sub-merchants',
    permission: 'accounts.read',
    summary: 'Sub-merchants of a platform',
    summaryZh: '平台商户列表',
    params: platformParams,
    query: subMerchantsQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(subMerchantSchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params, query }) => {
      await rt.db.read('book', (tx) => requireBook(tx, params.platform));
      return { status: 200, body: await pageOfSubMerchants(rt, params.platform, query) };
    },
  });
}

function accountRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/admin/v1/accounts/{account}',
    permission: 'accounts.read',
    summary: 'One account and its balances, now or at a past instant',
    summaryZh: '账户余额查询',
    params: accountParams,
    query: accountQuery,
    answers: {
      200: { description: 'Balances now, or with `asOf` the balance then', schema: z.union([accountSchema, pastBalanceSchema]) },
    },
    handle: async ({ params, query }) => ({ status: 200, body: await oneAccount(rt, params.account, undefined, query.asOf) }),
  });
}

function entriesRoute(rt: Runtime): Route {
  return route({
    ...accounts,
    method: 'GET',
    path: '/admin/v1/accounts/{account}/entries',
    permission: 'accounts.read',
    summary: 'Entries of an account',
    summaryZh: '账户明细查询',
    params: accountParams,
    query: entriesQuery,
    answers: { 200: { description: 'A page', schema: pageSchema(entrySchema) } },
    refusals: ['CURSOR_INVALID'],
    handle: async ({ params, query }) => ({ status: 200, body: await pageOfEntries(rt, params.account, undefined, query) }),
  });
}
