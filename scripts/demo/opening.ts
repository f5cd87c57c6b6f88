import { generateKeyPairSync } from 'node:crypto';
import type { BusinessDate } from '../../src/kernel/index.js';
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
  readonly commissionAccount: string;
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
  readonly firstDay: BusinessDate;
  readonly sellerIds: readonly string[];
  readonly watch: Stopwatch;
}

/** Opens the platform with its custody account, registers its key and opens every seller as a sub-merchant. */
export async function openMarket({ api, bank: bankUrl, token, firstDay, sellerIds, watch }: Opening): Promise<OpenMarket> {
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
  const seen = (await platform.call({ method: 'GET', path: '/v1/platform', what })) as OwnPlatform;
  const commissionAccount = seen.accounts.find(({ type }) => type === 'commission')?.id;
  if (commissionAccount === undefined) throw new Error('The platform has no commission account.');
  const clients = { admin, platform, bank };
  return { platformId, custodyNo: CUSTODY_NO, keyId, privateKey, accountOf, commissionAccount, clients };
}

interface OwnPlatform {
  readonly accounts: readonly { readonly id: string; readonly type: string }[];
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
