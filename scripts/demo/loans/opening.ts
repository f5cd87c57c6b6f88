import { generateKeyPairSync } from 'node:crypto';
import { addDays, type BusinessDate, startOfDay, toRfc3339 } from '../../../src/kernel/index.js';
import { bearer, type Client, openClient, type Stopwatch, signAs, together } from '../http.js';
import { Page } from '../page.js';
import { type BankAccount, type Member, memberOf, usccOf } from '../people.js';

/** Somebody with an account on the lending platform: its number, where transfers to it go, and the account of his own that they come from. */
export interface Party {
  readonly account: string;
  readonly virtualNo: string;
  readonly own: BankAccount;
}

export interface Person extends Party {
  readonly user: string;
  readonly mobile: string;
  /** By which the platform bids, or repays, for him within its caps. */
  readonly mandate: string;
}

/** The lending platform as a customer of the bank, with everybody who lends and borrows there. */
export interface LendingHouse {
  readonly platformId: string;
  readonly custodyNo: string;
  readonly keyId: string;
  readonly privateKey: string;
  readonly clients: { readonly admin: Client; readonly teller: Client; readonly platform: Client; readonly bank: Client };
  readonly lenders: readonly Person[];
  readonly borrowers: readonly Person[];
  readonly guarantor: Party;
}

interface Opening {
  readonly api: string;
  readonly bank: string;
  /** Of two of the bank's staff, who record the words of one party each. */
  readonly token: string;
  readonly teller: string;
  readonly firstDay: BusinessDate;
  readonly lenders: number;
  readonly borrowers: number;
  readonly watch: Stopwatch;
  readonly tell: (line: string) => void;
}

const NAME = '示范网络借贷信息中介有限公司';
const CUSTODY_NO = '9990106000003';
const GUARANTOR = '示范融资担保有限公司';
const PASSWORD = '730516';
/** As many people open their accounts at once. */
export const AT_ONCE = 8;
const OPENING = 'opening accounts';
const PAGES = "the customers' pages";
const MANDATE_DAYS = 300;

/** Opens the platform with the strict profile of lending, its lenders and borrowers with their mandates, and the guarantor. */
export async function openLending(opening: Opening): Promise<LendingHouse> {
  const { api, bank: bankUrl, token, teller, firstDay, watch, tell } = opening;
  const bank = openClient(bankUrl, watch);
  const admin = openClient(api, watch, bearer(token));
  const what = OPENING;
  await bank.call({ method: 'POST', path: '/core/accounts', body: { custodyNo: CUSTODY_NO, name: NAME }, what });
  const own = { name: NAME, uscc: usccOf(77_777_777), custodyNo: CUSTODY_NO, openDate: firstDay, profile: 'lending' };
  const { id: platformId } = (await admin.call({ method: 'POST', path: '/admin/v1/platforms', body: own, what })) as {
    id: string;
  };
  await payNoInterest(admin, firstDay);
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const path = `/admin/v1/platforms/${platformId}/keys`;
  const { id: keyId } = (await admin.call({ method: 'POST', path, body: { publicKey }, what })) as { id: string };
  const platform = openClient(api, watch, signAs({ keyId, privateKey: pair.privateKey }));
  const clients = { admin, teller: openClient(api, watch, bearer(teller)), platform, bank };
  const people = Array.from({ length: opening.lenders + opening.borrowers }, (_, place) => place);
  let done = 0;
  const opened = await together(people, AT_ONCE, async (place) => {
    const lends = place < opening.lenders;
    const person = await openPerson(clients, place, { kinds: [lends ? 'bid' : 'repayment'], firstDay });
    done += 1;
    if (done % 50 === 0) tell(`${done} of ${people.length} people have an account and have given their mandate`);
    return person;
  });
  const lenders = opened.slice(0, opening.lenders);
  const guarantor = await openGuarantor(platform);
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    ...{ platformId, custodyNo: CUSTODY_NO, keyId, privateKey, clients },
    ...{ lenders, borrowers: opened.slice(opening.lenders), guarantor },
  };
}

/** So that all money of the run is that of the loans. */
async function payNoInterest(admin: Client, firstDay: BusinessDate): Promise<void> {
  const body = { validFrom: addDays(firstDay, 1), value: 0, source: '演示：存款不计息，仅示借贷资金' };
  await admin.call({ method: 'PUT', path: '/admin/v1/parameters/interest.demand', body, what: OPENING });
}

/** His identity, a Class II account bound to his card, a trade password, and a mandate: what a customer does before he lends or borrows. */
async function openPerson(
  clients: LendingHouse['clients'],
  place: number,
  { kinds, firstDay }: { readonly kinds: readonly string[]; readonly firstDay: BusinessDate },
): Promise<Person> {
  const { party, mobile, card }: Member = memberOf(place);
  const { platform } = clients;
  const headers = { prefer: 'wait=30' };
  const post = (path: string, body: object) => platform.call({ method: 'POST', path, body, headers, what: OPENING });
  const user = (await post('/v1/users', { userNo: `U-${place}`, party })) as { id: string; state: string };
  if (user.state !== 'verified') throw new Error(`The user U-${place} is ${user.state}.`);
  const bound = { account: card.account, bankCode: card.bankCode, mobile };
  const body = { openingNo: `O-${place}`, user: user.id, class: 2, card: bound };
  const { account, state } = (await post('/v1/electronic-accounts', body)) as { account: string; state: string };
  if (state !== 'opened') throw new Error(`The account O-${place} is ${state}.`);
  const { virtualNo } = (await platform.call({
    method: 'GET',
    path: `/v1/electronic-accounts/${account}`,
    what: OPENING,
  })) as { virtualNo: string };
  const link = (await post(`/v1/users/${user.id}/password-link`, {})) as { consent: { url: string } };
  const page = new Page(link.consent.url, { ...clients, mobile, what: PAGES });
  await page.approve({ code: await page.code(), newPassword: PASSWORD, repeatPassword: PASSWORD });
  const mandate = await grantMandate(clients, { user: user.id, account, mobile, kinds, firstDay, place });
  return { account, virtualNo, own: card, user: user.id, mobile, mandate };
}

const cny = (amount: number) => ({ amount, currency: 'CNY' });

async function grantMandate(
  clients: LendingHouse['clients'],
  of: {
    readonly user: string;
    readonly account: string;
    readonly mobile: string;
    readonly kinds: readonly string[];
    readonly firstDay: BusinessDate;
    readonly place: number;
  },
): Promise<string> {
  const { user, account, kinds, firstDay, place } = of;
  const asked = (await clients.platform.call({
    method: 'POST',
    path: '/v1/mandates',
    body: {
      ...{ mandateNo: `M-${place}`, user, account, kinds, payees: { projects: true } },
      ...{ paymentCap: cny(20_000_000), totalCap: cny(500_000_000) },
      expiresAt: toRfc3339(startOfDay(addDays(firstDay, MANDATE_DAYS))),
    },
    what: OPENING,
  })) as { mandate: string; consent: { url: string } };
  await sayYes(clients, of.mobile, asked.consent.url);
  return asked.mandate;
}

/** A customer reads what is put to him on a page of the bank, and says yes with his password and a code. */
export async function sayYes(clients: LendingHouse['clients'], mobile: string, url: string): Promise<void> {
  await new Page(url, { ...clients, mobile, what: PAGES }).approveWith(PASSWORD);
}

/** A company that stands for every loan. What it has stays with it until it pays for somebody. */
async function openGuarantor(platform: Client): Promise<Party> {
  const own = { name: GUARANTOR, account: '990106000000000026', bankCode: '' };
  const party = { kind: 'company', name: GUARANTOR, idNo: usccOf(66_666_666), legalRepresentative: '韩梅梅' };
  const body = { merchantNo: 'GUARANTOR', party, settlementAccount: own, cycle: 'on-request' };
  const { account } = (await platform.call({ method: 'POST', path: '/v1/sub-merchants', body, what: OPENING })) as {
    account: string;
  };
  const { virtualNo } = (await platform.call({ method: 'GET', path: `/v1/accounts/${account}`, what: OPENING })) as {
    virtualNo: string;
  };
  return { account, virtualNo, own };
}
