import { z } from 'zod';
import { type Id, type Instant, Refused, refuse } from '../kernel/index.js';
import { businessDateSchema, decodeCursor, instantSchema, merchantNo, page, pageQuery, type Runtime } from '../runtime/index.js';
import { balanceAsOf, readEntries, requireAccount, viewAccounts } from './reading.js';
import { listAccountIds, listSubMerchants, subMerchantsByNumber } from './store.js';
import { viewSubMerchants } from './sub-merchants.js';
import { accountTypeSchema, showAccount, showEntry, showPastBalance, showSubMerchant } from './wire.js';

/** Lists and accounts as both the platforms' routes and those of the bank's staff answer them. */
type Parts = Pick<Runtime, 'db' | 'clock' | 'vault'>;

export const accountsQuery = z.strictObject({ ...pageQuery, type: accountTypeSchema.optional() });

export async function pageOfAccounts({ db }: Parts, platformId: Id, query: z.output<typeof accountsQuery>) {
  const list = `accounts:${platformId}:${query.type ?? ''}`;
  const [type, id] = query.cursor === undefined ? ['', '0'] : decodeCursor(list, 2, query.cursor).map(String);
  const rows = await db.snapshot('accounts', async (tx) => {
    const ids = await listAccountIds(tx, platformId, { type: query.type, after: [type ?? '', id ?? '0'] }, query.limit + 1);
    return viewAccounts(tx, platformId, ids);
  });
  return page(list, rows, query.limit, ({ account }) => [account.type, account.id], showAccount);
}

export const accountQuery = z.strictObject({
  asOf: instantSchema
    .optional()
    .meta({ description: 'A past instant: then the balance of that moment is answered. In an address + is written %2B' }),
});

/** @param owner the platform that asks; absent for the bank's staff */
export async function oneAccount({ db, clock }: Parts, id: Id, owner: Id | undefined, asOf: Instant | undefined) {
  if (asOf === undefined) {
    return db.snapshot('account', async (tx) => {
      const { platformId } = await requireAccount(tx, id, owner);
      const [view] = await viewAccounts(tx, platformId, [id]);
      return view && showAccount(view);
    });
  }
  if (asOf > clock.now()) {
    const fault = { in: 'query', pointer: '/asOf', detail: 'lies in the future' };
    throw new Refused(refuse('SHAPE_INVALID', 'asOf lies in the future.', { errors: [fault] }));
  }
  return showPastBalance(await db.read('balance as of', (tx) => balanceAsOf(tx, id, owner, asOf)));
}

export const entriesQuery = z.strictObject({
  ...pageQuery,
  order: z.enum(['newest', 'oldest']).default('newest').meta({ description: 'Which entry comes first' }),
  from: businessDateSchema.optional().meta({ description: 'First business date' }),
  to: businessDateSchema.optional().meta({ description: 'Last business date' }),
});

export async function pageOfEntries({ db }: Parts, id: Id, owner: Id | undefined, query: z.output<typeof entriesQuery>) {
  const { from, to, order, limit } = query;
  const list = `entries:${id}:${order}:${from ?? ''}:${to ?? ''}`;
  const after = query.cursor === undefined ? undefined : Number(decodeCursor(list, 1, query.cursor)[0]);
  if (after !== undefined && !Number.isSafeInteger(after)) throw new Refused(refuse('CURSOR_INVALID'));
  const rows = await db.read('entries', (tx) => readEntries(tx, id, owner, { from, to, order, after }, limit + 1));
  return page(list, rows, limit, (entry) => [entry.seq], showEntry);
}

export const subMerchantsQuery = z.strictObject({ ...pageQuery, merchantNo: merchantNo.optional() });

export async function pageOfSubMerchants({ db, vault }: Parts, platformId: Id, query: z.output<typeof subMerchantsQuery>) {
  const list = `sub-merchants:${platformId}`;
  const after = query.cursor === undefined ? '0' : String(decodeCursor(list, 1, query.cursor)[0]);
  const number = query.merchantNo;
  const rows = await db.snapshot('sub-merchants', async (tx) => {
    const found =
      number === undefined
        ? await listSubMerchants(tx, platformId, after, query.limit + 1)
        : [...(await subMerchantsByNumber(tx, platformId, [number])).values()];
    return viewSubMerchants(tx, vault, found);
  });
  return page(list, rows, query.limit, ({ merchant }) => [merchant.id], showSubMerchant);
}
