import { createHash } from 'node:crypto';
import { canonicalJson, type Id, Refused, refuse, toWire } from '../kernel/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { type Line, lookAt } from './look.js';
import { accountsNamed } from './rule-check.js';
import {
  type Agreement,
  findAgreementByNo,
  findVersionByNo,
  insertAgreements,
  insertVersions,
  keepTerms,
  type StoredVersion,
} from './store.js';
import type { Terms } from './terms.js';
import { type AskedTerms, type Fault, refusalOf } from './version-check.js';
import { storedTerms } from './wire.js';

/** What a platform submits: the next version of its agreement with one sub-merchant. */
export interface Submission extends AskedTerms, Line {}

export interface Submitted {
  readonly version: StoredVersion;
  readonly repeated: boolean;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'calendar'>;

/** Who has to sign: the seller, and every other receiver whom the rule names. */
export function signersOf({ accountId, terms }: Pick<StoredVersion, 'accountId' | 'terms'>): Id[] {
  return [accountId, ...([...accountsNamed(terms.rule).keys()] as Id[])];
}

/**
 * Takes a version of an agreement. The number of agreement and version is remembered for ever: the same content again is the first request.
 * @throws Refused AGREEMENT_NO_REUSED, or every fault at once
 */
export async function submitVersion(rt: Parts, platformId: Id, asked: Submission): Promise<Submitted> {
  const kept = keptTerms(asked.terms);
  const contentHash = contentHashOf(asked, asked, kept);
  const before = (tx: Tx) => knownVersion(tx, platformId, asked, contentHash);
  let written: StoredVersion | undefined;
  const submit = () =>
    rt.db.withTx(
      'submit agreement',
      async (tx): Promise<Submitted> => {
        const known = await before(tx);
        if (known !== undefined) return { version: known, repeated: true };
        const { faults, agreements } = await lookAtOne(tx, rt, platformId, asked);
        const refusal = refusalOf(faults);
        if (refusal !== undefined) throw new Refused(refusal);
        [written] = await writeVersions(tx, rt, {
          platformId,
          asked: { ...asked, lines: [asked] },
          kept,
          agreements,
          groupId: null,
        });
        return { version: written as StoredVersion, repeated: false };
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

/** Everything that is wrong with a submission today, its number included. Writes nothing. */
export async function lookAtOne(tx: Tx, rt: Pick<Parts, 'clock' | 'calendar'>, platformId: Id, asked: Submission) {
  const { terms, validFrom, validTo } = asked;
  const seen = await lookAt(tx, rt, platformId, { terms, validFrom, validTo, lines: [asked] });
  const faults: Fault[] = [...(seen.lines[0] ?? []), ...seen.faults];
  return { faults, beyondCap: seen.beyondCap, agreements: seen.agreements };
}

/** Terms as they are kept: their canonical text, and the hash under which it is found. */
export interface KeptTerms {
  readonly json: string;
  readonly hash: Buffer;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

export function keptTerms(terms: Terms): KeptTerms {
  const json = canonicalJson(storedTerms(terms));
  return { json, hash: sha256(json) };
}

/** Of what was submitted about one seller, alone or with others. */
function contentHashOf(
  { validFrom, validTo }: AskedTerms,
  { agreementNo, version, account, amends }: Line,
  { hash }: KeptTerms,
): Buffer {
  return sha256(canonicalJson({ agreementNo, version, account, amends, validFrom, validTo, terms: hash.toString('hex') }));
}

async function knownVersion(tx: Tx, platformId: Id, asked: Line, contentHash: Buffer): Promise<StoredVersion | undefined> {
  const agreement = await findAgreementByNo(tx, platformId, asked.agreementNo);
  const known = agreement && (await findVersionByNo(tx, agreement.id, asked.version));
  if (known !== undefined && !known.contentHash.equals(contentHash))
    throw new Refused(refuse('AGREEMENT_NO_REUSED', undefined, { version: toWire('version', known.id) }));
  return known;
}

export interface Writing {
  readonly platformId: Id;
  readonly asked: AskedTerms & { readonly lines: readonly Line[] };
  readonly kept: KeptTerms;
  /** Of each line, where there is one. */
  readonly agreements: readonly (Agreement | undefined)[];
  readonly groupId: Id | null;
}

/** Writes a version of each line, and the agreements that are new. @throws a duplicate-key error when somebody was faster */
export async function writeVersions(
  tx: Tx,
  rt: Pick<Parts, 'newId' | 'clock' | 'calendar'>,
  { platformId, asked, kept, agreements, groupId }: Writing,
): Promise<StoredVersion[]> {
  const { terms, validFrom, validTo, lines } = asked;
  const nowMs = rt.clock.now();
  const fresh: Agreement[] = [];
  const versions = lines.map((line, place): StoredVersion => {
    const { account, agreementNo, version, amends } = line;
    const known = agreements[place];
    const agreement = known ?? { id: rt.newId(), platformId, accountId: account, agreementNo, createdMs: nowMs };
    if (known === undefined) fresh.push(agreement);
    const { id: agreementId, accountId } = agreement;
    return {
      ...{ id: rt.newId(), agreementId, platformId, accountId, version, amends, groupId, terms, termsHash: kept.hash },
      ...{ contentHash: contentHashOf(asked, line, kept), state: 'submitted', validFrom, validTo },
      ...{ needed: signersOf({ accountId, terms }).length, signed: 0, submittedMs: nowMs, countersignedMs: null },
      ...{ checkedMs: null, checkedBy: null, decidedMs: null, decidedBy: null, reasonSealed: null },
    };
  });
  await keepTerms(tx, kept.hash, kept.json);
  await insertAgreements(tx, fresh);
  await insertVersions(tx, versions);
  return versions;
}
