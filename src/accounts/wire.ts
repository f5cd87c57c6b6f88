import { z } from 'zod';
import { maskCardNumber, toRfc3339, toWire, WIRE_MAX } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, type Book, type Entry, type Terms } from '../ledger/index.js';
import { maskedParty, maskedPartySchema, partySchema, type Warning } from '../parties/index.js';
import { PROFILES } from '../platforms/index.js';
import { bankCodeSchema, currencySchema, merchantNo, rfc3339Schema, textSchema } from '../runtime/index.js';
import { CYCLES } from './cycle.js';
import type { AccountView, PastBalance } from './reading.js';
import { balancesOf, type SettlementAccount } from './rules.js';
import type { Opening, SubMerchantView } from './sub-merchants.js';

/** What the accounts' routes take and answer. */
export const settlementAccountSchema = z
  .strictObject({
    name: textSchema(128).meta({ description: "The holder's name; it must be the owner's own" }),
    account: z
      .string()
      .regex(/^[A-Za-z0-9]{5,34}$/, { error: 'must be 5 to 34 letters and digits' })
      .meta({ description: 'Card or account number', example: '6228480012345678903' }),
    bankCode: bankCodeSchema.default(''),
  })
  .meta({ id: 'SettlementAccount', description: "An account outside, in its owner's own name" });

const payDay = z
  .int()
  .min(1)
  .max(31)
  .meta({ description: 'Of weekly: 1 Monday to 7 Sunday; of monthly: 1 to 31, the last day of a shorter month' });

export const subMerchantRequest = z
  .strictObject({
    merchantNo,
    party: partySchema,
    settlementAccount: settlementAccountSchema,
    cycle: z
      .enum(CYCLES)
      .default('t+1')
      .meta({
        description:
          'When what came in is paid out by itself, unless an agreement in force says otherwise: d counts natural days, t working days; ' +
          'on-request: only by a withdrawal',
      }),
    cycleDays: z.int().min(0).max(366).optional().meta({ description: 'N of t+n, 2 to 30' }),
    payDay: payDay.optional(),
  })
  .meta({ id: 'NewSubMerchant' });

const termAmount = z.int().min(0).max(Number(WIRE_MAX)).meta({ description: 'Minor units an instruction; 0: nothing agreed' });
const agreements = z
  .enum(['none', 'required'])
  .meta({ description: "required: orders are taken and split by the sellers' agreements alone" });
const collected = z
  .enum(['at-once', 'when-settled'])
  .meta({ description: 'When customers can use what a channel collects that pays over later; it leaves only after that' });
const termsFields = { transferMax: termAmount, feeMax: termAmount };
export const termsRequest = z
  .strictObject({ ...termsFields, agreements: agreements.optional(), collected: collected.optional() })
  .meta({
    id: 'NewTerms',
    description:
      'Whether agreements are required, and when what is collected can be used, stays as it was when nothing is said of it',
  });
const termsSchema = z.strictObject({ ...termsFields, agreements, collected }).meta({ id: 'Terms' });

export function termsOf({ transferMax, feeMax, ...rest }: z.output<typeof termsRequest>): Terms {
  return { transferMax: BigInt(transferMax), feeMax: BigInt(feeMax), ...rest };
}

function showTerms({
  transferMax,
  feeMax,
  agreements = 'none',
  collected = 'when-settled',
}: Terms): z.output<typeof termsSchema> {
  return { transferMax: Number(transferMax), feeMax: Number(feeMax), agreements, collected };
}

const accountType = z.enum(Object.keys(ACCOUNT_TYPES) as [AccountType, ...AccountType[]]);
export const accountTypeSchema = accountType.meta({ description: 'Purpose of the account' });
const minor = z.int().meta({ description: 'Minor units' });
const accountId = z.string().meta({ example: 'acc_2236512894231552003' });

const maskedAccountSchema = z.strictObject({
  name: z.string(),
  account: z.string().meta({ example: '622848*********8903' }),
  bankCode: z.string().meta({ description: 'Empty for the custodian itself' }),
});

function maskedAccount({ name, account, bankCode }: SettlementAccount) {
  return { name, account: maskCardNumber(account), bankCode };
}

const warningsSchema = z
  .array(z.strictObject({ code: z.enum(['BANK_CODE_CHECK', 'ACCOUNT_NUMBER_CHECK']), pointer: z.string(), detail: z.string() }))
  .meta({ description: 'What looks wrong and was accepted all the same' });

const merchantFields = {
  id: z.string().meta({ example: 'mer_2236512894231552003' }),
  merchantNo: z.string(),
  account: accountId.meta({ description: 'Its virtual sub-account' }),
  virtualNo: z.string().meta({ description: 'Its virtual account number, 19 digits', example: '9156000000000000003' }),
  cycle: z.enum(CYCLES),
  cycleDays: z.int().nullable(),
  payDay: payDay.nullable(),
  party: maskedPartySchema,
  settlementAccount: maskedAccountSchema,
  openedAt: rfc3339Schema,
};

/** What the opening answered, the same every time. */
export const openingSchema = z.strictObject({ ...merchantFields, warnings: warningsSchema }).meta({ id: 'SubMerchantOpening' });

export function showOpening({ merchant, asked, warnings }: Opening): z.output<typeof openingSchema> {
  return {
    ...merchantOf(merchant),
    party: maskedParty(asked.party),
    settlementAccount: maskedAccount(asked.settlementAccount),
    warnings: [...warnings],
  };
}

export const subMerchantSchema = z
  .strictObject({ ...merchantFields, state: z.enum(['open', 'frozen', 'closed']), closedAt: rfc3339Schema.nullable() })
  .meta({ id: 'SubMerchant' });

export function showSubMerchant({
  merchant,
  party,
  settlementAccount,
  state,
}: SubMerchantView): z.output<typeof subMerchantSchema> {
  return {
    ...merchantOf(merchant),
    party: maskedParty(party),
    settlementAccount: maskedAccount(settlementAccount),
    state,
    closedAt: merchant.closedMs === null ? null : toRfc3339(merchant.closedMs),
  };
}

function merchantOf(merchant: Opening['merchant']) {
  return {
    id: toWire('merchant', merchant.id),
    merchantNo: merchant.merchantNo,
    account: toWire('account', merchant.accountId),
    virtualNo: merchant.virtualNo,
    cycle: merchant.cycle,
    cycleDays: merchant.cycleDays,
    payDay: merchant.payDay,
    openedAt: toRfc3339(merchant.openedMs),
  };
}

export const boundSchema = z.strictObject({ settlementAccount: maskedAccountSchema, warnings: warningsSchema });

export function showBound(to: SettlementAccount, warnings: readonly Warning[]): z.output<typeof boundSchema> {
  return { settlementAccount: maskedAccount(to), warnings: [...warnings] };
}

export const accountSchema = z
  .strictObject({
    id: accountId,
    type: accountType,
    state: z.enum(['open', 'frozen', 'closed']),
    merchant: z.string().nullable().meta({ description: 'The sub-merchant whose account it is' }),
    merchantNo: z.string().nullable(),
    virtualNo: z.string().nullable().meta({
      description: 'Where others pay in; that of an electronic account stands in `GET /v1/electronic-accounts/{account}`',
    }),
    currency: currencySchema,
    balance: minor,
    held: minor.meta({ description: 'Reserved by holds, or frozen by disputes and authorities' }),
    available: minor.meta({ description: 'balance − held: what may move within the platform' }),
    uncleared: minor.meta({ description: 'Not withdrawable yet' }),
    withdrawable: minor.meta({ description: 'balance − the larger of held and uncleared: what may leave the bank' }),
    entryCount: z.int().meta({ description: 'Entries of the account so far' }),
    headHash: z.string().meta({ description: 'Hash of the last entry, hex: the head of its chain' }),
  })
  .meta({ id: 'Account', description: 'An account and its balances, in minor units' });

export function showAccount({ account, merchant, virtualNo }: AccountView) {
  return {
    id: toWire('account', account.id),
    type: account.type,
    state: account.state,
    merchant: merchant === undefined ? null : toWire('merchant', merchant.id),
    merchantNo: merchant?.merchantNo ?? null,
    virtualNo: virtualNo ?? null,
    currency: 'CNY',
    ...balancesOf(account),
    entryCount: account.entryCount,
    headHash: account.headHash.toString('hex'),
  };
}

export const pastBalanceSchema = z
  .strictObject({
    id: accountId,
    type: accountType,
    asOf: rfc3339Schema,
    currency: currencySchema,
    balance: minor,
    seq: z.int().meta({ description: 'Place of the last entry by then; 0: none' }),
  })
  .meta({ id: 'PastBalance', description: 'The balance at a past instant' });

export function showPastBalance({ id, type, asOf, balance, seq }: PastBalance) {
  return { id: toWire('account', id), type, asOf: toRfc3339(asOf), currency: 'CNY', balance, seq };
}

export const entrySchema = z
  .strictObject({
    seq: z.int().meta({ description: "Place in the account's chain, from 1" }),
    instruction: z.string().meta({ example: 'ins_2236512894231552003' }),
    amount: minor.meta({ description: 'Positive: money in' }),
    balance: minor.meta({ description: 'After this entry' }),
    businessDate: z.string().meta({ format: 'date' }),
    postedAt: rfc3339Schema,
    hash: z.string().meta({ description: 'SHA-256 over the hash before and this entry, hex' }),
  })
  .meta({ id: 'Entry' });

export function showEntry(entry: Entry) {
  return {
    seq: entry.seq,
    instruction: toWire('instruction', entry.instruction),
    amount: entry.amount,
    balance: entry.balance,
    businessDate: entry.businessDate,
    postedAt: toRfc3339(entry.postedMs),
    hash: entry.hash.toString('hex'),
  };
}

export const bookSchema = z
  .strictObject({
    platform: z.string().meta({ example: 'plt_2236512894231552003' }),
    shard: z.int(),
    currency: currencySchema,
    custodyNo: z.string().meta({ description: 'Number of the custody account at the core bank' }),
    businessDate: z.string().meta({ description: 'The open business date', format: 'date' }),
    terms: termsSchema,
    accounts: z.record(z.string(), accountId).meta({ description: 'The functional accounts by purpose' }),
  })
  .meta({ id: 'Book' });

export function showBook(book: Book): z.output<typeof bookSchema> {
  return {
    platform: toWire('platform', book.platformId),
    shard: book.shardId,
    currency: book.currency,
    custodyNo: book.custodyNo,
    businessDate: book.businessDate,
    terms: showTerms(book.terms),
    accounts: Object.fromEntries(Object.entries(book.accounts).map(([type, id]) => [type, toWire('account', id)])),
  };
}

export const ownPlatformSchema = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    uscc: z.string().nullable(),
    profile: z.enum(PROFILES),
    state: z.enum(['active', 'suspended']),
    custodyNo: z.string(),
    businessDate: z.string().meta({ description: 'The open business date', format: 'date' }),
    terms: termsSchema,
    settlementAccount: maskedAccountSchema.nullable().meta({ description: "Where the platform's own money is paid" }),
    accounts: z.array(accountSchema).meta({ description: 'The functional accounts' }),
  })
  .meta({ id: 'OwnPlatform' });

export function showOwnSettlementAccount(bound: SettlementAccount | undefined) {
  return bound === undefined ? null : maskedAccount(bound);
}
