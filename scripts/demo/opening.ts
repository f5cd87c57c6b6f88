import { generateKeyPairSync } from 'node:crypto';
import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import { bearer, type Client, openClient, type Stopwatch, signAs } from './http.js';
import { sellerOf, usccOf } from './people.js';

/** The marketplace as a customer of the bank: what the replay needs to go on. */
export interface OpenMarket {
  readonly platformId: string;
  readonly custodyNo: string;
  /** `key_…` and the private key in PEM. */
  readonly keyId: string;
  readonly privateKey: string;
  /** The account number on the wire, by seller. */
  readonly accountOf: ReadonlyMap<string, string>;
  readonly clients: Clients;
}

/** The three that the run talks to: the bank's staff, the platform and the core bank. */
export interface Clients {
  readonly admin: Client;
  readonly platform: Client;
  readonly bank: Client;
}

const NAME = '示范集市有限公司';
const CUSTODY_NO = '9990106000001';
const SELLERS_MAX = 1_000;

interface Opening {
  readonly api: string;
  readonly bank: string;
  readonly token: string;
  /** Of two who check and approve. */
  readonly reviewers: readonly string[];
  readonly firstDay: BusinessDate;
  readonly sellerIds: readonly string[];
  readonly watch: Stopwatch;
}

/** Opens the platform with its custody account, registers its key, opens every seller as a sub-merchant and has all agree on the terms. */
export async function openMarket({
  api,
  bank: bankUrl,
  token,
  reviewers,
  firstDay,
  sellerIds,
  watch,
}: Opening): Promise<OpenMarket> {
  const what = 'opening accounts';
  const bank = openClient(bankUrl, watch);
  const admin = openClient(api, watch, bearer(token));
  await bank.call({ method: 'POST', path: '/core/accounts', body: { custodyNo: CUSTODY_NO, name: NAME }, what });
  const own = { name: NAME, uscc: usccOf(99_999_999), custodyNo: CUSTODY_NO, openDate: firstDay };
  const settlementAccount = { name: NAME, account: '990106000000000018', bankCode: '' };
  const opened = await admin.call({ method: 'POST', path: '/admin/v1/platforms', body: { ...own, settlementAccount }, what });
  const { id: platformId } = opened as { id: string };
  const pair = generateKeyPairSync('ed25519');
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keyPath = `/admin/v1/platforms/${platformId}/keys`;
  const { id: keyId } = (await admin.call({ method: 'POST', path: keyPath, body: { publicKey }, what })) as { id: string };
  const platform = openClient(api, watch, signAs({ keyId, privateKey: pair.privateKey }));
  const accountOf = await openSellers(platform, sellerIds, what);
  const clients = { admin, platform, bank };
  await boundChannels(clients, firstDay);
  await agree(
    { ...clients, reviewers: reviewers.map((of) => openClient(api, watch, bearer(of))) },
    platformId,
    accountOf,
    firstDay,
  );
  return { platformId, custodyNo: CUSTODY_NO, keyId, privateKey, accountOf, clients };
}

/** Payments of a day that the contracts of this bank's small systems allow it here; what is more goes out by the large-value system. */
const CAPACITIES = { beps: 3, ibps: 1 } as const;

/** The bank has no money with UnionPay or a payment institution. Told before the service looks, which opens its own account of them with what it finds. */
export async function boundFloats(bankUrl: string): Promise<void> {
  const floats = [
    { channel: 'unionpay', balance: '0' },
    { channel: 'psp', balance: '0' },
  ];
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${bankUrl}/sandbox/floats`, { method: 'PUT', headers, body: JSON.stringify({ floats }) });
  if (!answer.ok) throw new Error(`the bank simulator did not take the floats: ${answer.status} ${await answer.text()}`);
}

/** Little room in the systems for small payments: the router has to choose. */
async function boundChannels({ admin }: Clients, firstDay: BusinessDate): Promise<void> {
  const validFrom = addDays(firstDay, 1);
  const what = 'channels';
  for (const [channel, capacity] of Object.entries(CAPACITIES)) {
    const path = `/admin/v1/channels/${channel}/terms`;
    const { items } = (await admin.call({ method: 'GET', path, what })) as { items: { validFrom: string; terms: object }[] };
    const inForce = items.findLast((row) => row.validFrom <= validFrom);
    const terms = { ...inForce?.terms, capacity };
    await admin.call({ method: 'PUT', path, body: { validFrom, terms, source: '示范协议' }, what });
  }
}

/** The commission: 10 % of the price of the goods, half a fen rounded up; the seller has the rest, and all of the freight. */
const TERMS = {
  rule: { levels: { order: { lines: [{ to: 'commission', take: { percent: 1000, of: 'goods' } }], remainder: 'seller' } } },
  ...{ othersCap: 3000, profitMax: 3000, cycle: 'T+1' },
};

/**
 * From now on the bank splits by agreements alone. The platform submits the same terms for all its sellers, who have signed on paper;
 * one person of the bank records that, another checks and a third approves.
 */
async function agree(
  { admin, platform, reviewers }: Pick<Clients, 'admin' | 'platform'> & { reviewers: readonly Client[] },
  platformId: string,
  accountOf: OpenMarket['accountOf'],
  validFrom: BusinessDate,
): Promise<void> {
  const what = 'agreements';
  const terms = { transferMax: 0, feeMax: 0, agreements: 'required' };
  await admin.call({ method: 'PUT', path: `/admin/v1/platforms/${platformId}/terms`, body: terms, what });
  const accounts = [...accountOf.values()];
  for (let from = 0; from < accounts.length; from += SELLERS_MAX) {
    const lines = accounts.slice(from, from + SELLERS_MAX).map((account, place) => {
      return { agreementNo: `AGR-${from + place + 1}`, version: 1, account };
    });
    const body = { groupNo: `AGR-${from / SELLERS_MAX + 1}`, validFrom, terms: TERMS, lines };
    const { id } = (await platform.call({ method: 'POST', path: '/v1/agreement-groups', body, what })) as { id: string };
    const group = `/admin/v1/agreement-groups/${id}`;
    const list = { accounts: 'missing', voucher: `纸质协议清单-${from / SELLERS_MAX + 1}` };
    await admin.call({ method: 'POST', path: `${group}/signatures`, body: list, what });
    for (const [place, verb] of ['check', 'approve'].entries()) {
      const path = `${group}/${verb}`;
      const { moved } = (await (reviewers[place] as Client).call({ method: 'POST', path, body: {}, what })) as { moved: number };
      if (moved !== lines.length) throw new Error(`${verb} of ${id}: ${moved} of ${lines.length} agreements`);
    }
  }
}

interface OpenedBatch {
  readonly items: readonly {
    readonly merchantNo: string;
    readonly status: number;
    readonly subMerchant?: { readonly account: string };
    readonly problem?: { readonly code: string; readonly detail?: string };
  }[];
}

async function openSellers(platform: Client, sellerIds: readonly string[], what: string): Promise<Map<string, string>> {
  const accountOf = new Map<string, string>();
  for (let from = 0; from < sellerIds.length; from += SELLERS_MAX) {
    const body = sellerIds.slice(from, from + SELLERS_MAX).map((sellerId, place) => sellerOf(sellerId, from + place));
    const answer = await platform.call({ method: 'POST', path: '/v1/sub-merchants/batches', body, what });
    for (const { merchantNo, subMerchant, problem } of (answer as OpenedBatch).items) {
      if (subMerchant === undefined) {
        throw new Error(`Seller ${merchantNo} was not opened: ${problem?.code} ${problem?.detail ?? ''}`);
      }
      accountOf.set(merchantNo, subMerchant.account);
    }
  }
  return accountOf;
}
