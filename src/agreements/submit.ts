import { createHash } from 'node:crypto';
import { subMerchantsByAccount } from '../accounts/index.js';
import { type BusinessDate, canonicalJson, type Id, naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import { type Book, loadAccounts, loadBook } from '../ledger/index.js';
import { isDuplicateKey, loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { accountsNamed } from './rule-check.js';
import {
  type Agreement,
  approvedVersions,
  findAgreementByNo,
  findAgreementOf,
  findVersionByNo,
  insertAgreement,
  insertVersion,
  latestVersions,
  type StoredVersion,
} from './store.js';
import type { Terms } from './terms.js';
import { type AskedVersion, checkVersion, type Fault, refusalOf } from './version-check.js';
import { showTerms } from './wire.js';

/** What a platform submits: the next version of its agreement with one sub-merchant. */
export interface Submission extends AskedVersion {
  readonly agreementNo: string;
  readonly version: number;
  readonly account: Id;
}

export interface Submitted {
  readonly version: StoredVersion;
  readonly repeated: boolean;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock'>;

/** Who has to sign: the seller, and every other receiver whom the rule names. */
export function signersOf({ accountId, terms }: Pick<StoredVersion, 'accountId' | 'terms'>): Id[] {
  return [accountId, ...([...accountsNamed(terms.rule).keys()] as Id[])];
}

/**
 * Takes a version of an agreement. The number of agreement and version is remembered for ever: the same content again is the first request.
 * @throws Refused AGREEMENT_NO_REUSED, or every fault at once
 */
export async function submitVersion(rt: Parts, platformId: Id, asked: Submission): Promise<Submitted> {
  const contentHash = hashOf(asked);
  const before = (tx: Tx) => knownVersion(tx, platformId, asked, contentHash);
  let written: StoredVersion | undefined;
  const submit = () =>
    rt.db.withTx(
      'submit agreement',
      async (tx): Promise<Submitted> => {
        const known = await before(tx);
        if (known !== undefined) return { version: known, repeated: true };
        const seen = await lookAt(tx, rt, platformId, asked);
        const refusal = refusalOf(seen.faults);
        if (refusal !== undefined) throw new Refused(refusal);
        written = await write(tx, rt, { platformId, asked, contentHash, agreement: seen.agreement });
        return { version: written, repeated: false };
      },
      async () => {
        const known = await rt.db.read('submitted agreement', before);
        return known === undefined || known.id !== written?.id ? undefined : { version: known, repeated: false };
      },
    );
  try {
    return await submit();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return submit(); // another request came between: now it is seen
  }
}

function hashOf({ terms, agreementNo, version, account, amends, validFrom, validTo }: Submission): Buffer {
  const content = { agreementNo, version, account, amends, validFrom, validTo, terms: showTerms(terms) };
  return createHash('sha256').update(canonicalJson(content)).digest();
}

async function knownVersion(tx: Tx, platformId: Id, asked: Submission, contentHash: Buffer): Promise<StoredVersion | undefined> {
  const agreement = await findAgreementByNo(tx, platformId, asked.agreementNo);
  const known = agreement && (await findVersionByNo(tx, agreement.id, asked.version));
  if (known !== undefined && !known.contentHash.equals(contentHash))
    throw new Refused(refuse('AGREEMENT_NO_REUSED', undefined, { version: toWire('version', known.id) }));
  return known;
}

/** What there is to be said of a submission. */
export interface Seen {
  readonly agreement: Agreement | undefined;
  readonly faults: readonly Fault[];
  /** The bank's cap, where the terms go beyond it: whoever approves them has to say so. */
  readonly beyondCap: bigint | null;
}

/** Everything that is wrong with a submission today, its number included. Writes nothing. */
export async function lookAt(tx: Tx, rt: Pick<Parts, 'clock'>, platformId: Id, asked: Submission): Promise<Seen> {
  const agreement = await findAgreementByNo(tx, platformId, asked.agreementNo);
  const numbers = await numberFaults(tx, asked, agreement);
  const seen = await lookAtTerms(tx, rt, platformId, { ...asked, agreementId: agreement?.id });
  return { agreement, faults: [...numbers, ...seen.faults], beyondCap: seen.beyondCap };
}

async function numberFaults(tx: Tx, { account, version }: Submission, agreement: Agreement | undefined): Promise<Fault[]> {
  if (agreement === undefined) {
    const other = await findAgreementOf(tx, account);
    if (other !== undefined)
      return [
        { code: 'AGREEMENT_EXISTS', pointer: '/agreementNo', detail: 'is not the number of the agreement of this account' },
      ];
    return version === 1 ? [] : [{ code: 'AGREEMENT_VERSION_NOT_NEXT', pointer: '/version', detail: 'must be 1' }];
  }
  if (agreement.accountId !== account)
    return [
      { code: 'AGREEMENT_NO_REUSED', pointer: '/agreementNo', detail: 'is the number of the agreement of another account' },
    ];
  const [last] = await latestVersions(tx, agreement.id, 1);
  const next = (last?.version ?? 0) + 1;
  return version === next ? [] : [{ code: 'AGREEMENT_VERSION_NOT_NEXT', pointer: '/version', detail: `must be ${next}` }];
}

/** The same without the number: what is looked at again before each decision. */
export async function lookAtTerms(
  tx: Tx,
  { clock }: Pick<Parts, 'clock'>,
  platformId: Id,
  of: AskedVersion & { readonly account: Id; readonly agreementId: Id | undefined },
): Promise<Omit<Seen, 'agreement'>> {
  const book = await loadBook(tx, platformId);
  const parameters = await loadParameters(tx);
  const today = todayOf(book, naturalDate(clock.now()));
  const cap = parameters.on(today, 'split.others-cap');
  const named = [...accountsNamed(of.terms.rule).keys()] as Id[];
  const merchants = await subMerchantsByAccount(tx, [of.account, ...named]);
  const accounts = await loadAccounts(tx, [of.account, ...named], () => book.businessDate);
  const isOpen = (id: Id) =>
    merchants.get(id)?.platformId === platformId && accounts.get(id)?.type === 'sub' && accounts.get(id)?.state !== 'closed';
  const seller = merchants.get(of.account);
  const faults: Fault[] = [];
  if (!isOpen(of.account))
    faults.push({
      code: 'ACCOUNT_NOT_FOUND',
      pointer: '/account',
      detail: 'is no open account of a sub-merchant of the platform',
    });
  const checked = checkVersion(of, {
    today,
    accountId: of.account,
    openedOn: seller === undefined ? today : naturalDate(seller.openedMs),
    receivers: new Set(named.filter((id) => id !== of.account && isOpen(id))),
    approved: of.agreementId === undefined ? [] : await approvedVersions(tx, of.agreementId),
    sameDayDays: Number(parameters.on(today, 'same-day.days')),
  });
  return { faults: [...faults, ...checked], beyondCap: of.terms.othersCap > cap ? cap : null };
}

/** Orders are bound by the book's date, people think in natural days: nothing begins before either. */
function todayOf({ businessDate }: Book, natural: BusinessDate): BusinessDate {
  return businessDate > natural ? businessDate : natural;
}

interface Writing {
  readonly platformId: Id;
  readonly asked: Submission;
  readonly contentHash: Buffer;
  readonly agreement: Agreement | undefined;
}

async function write(tx: Tx, rt: Parts, { platformId, asked, contentHash, agreement }: Writing): Promise<StoredVersion> {
  const nowMs = rt.clock.now();
  const of = agreement ?? {
    ...{ id: rt.newId(), platformId, accountId: asked.account, agreementNo: asked.agreementNo, createdMs: nowMs },
  };
  if (agreement === undefined) await insertAgreement(tx, of);
  const { terms, version, amends, validFrom, validTo } = asked;
  const stored: StoredVersion = {
    ...{ id: rt.newId(), agreementId: of.id, platformId, accountId: of.accountId, version, amends, terms, contentHash },
    ...{ state: 'submitted', validFrom, validTo, needed: signersOf({ accountId: of.accountId, terms }).length, signed: 0 },
    ...{ submittedMs: nowMs, countersignedMs: null, checkedMs: null, checkedBy: null, decidedMs: null, decidedBy: null },
    reasonSealed: null,
  };
  await insertVersion(tx, stored, JSON.stringify(showTerms(terms satisfies Terms)));
  return stored;
}
