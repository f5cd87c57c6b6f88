import { payeeNames, subMerchantsByAccount } from '../accounts/index.js';
import { type AnswerHandler, askConsent } from '../consents/index.js';
import { type Id, type Instant, invariant, naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import { type Customer, loadParties, requireActingUser } from '../parties/index.js';
import { readPlatform } from '../platforms/index.js';
import { type Asked, isDuplicateKey, loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { shownVersion } from './shown.js';
import {
  countSignatures,
  findAgreement,
  findSignature,
  findVersion,
  insertSignatures,
  type Signature,
  type StoredVersion,
  settleSignatures,
  signaturesOf,
} from './store.js';
import { signersOf } from './submit.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'config'>;

/** A receiver's signature as it is asked for on a page of the bank; with the address the first time. */
export interface AskedSignature {
  readonly signature: Signature;
  readonly asked: Asked | undefined;
  readonly repeated: boolean;
}

/**
 * Puts a version to the person behind one of its receivers, on a page that the bank hosts; he signs with his trade password and a code. While a
 * question is open the same request is answered with it.
 * @throws Refused AGREEMENT_STATE, RECEIVER_NOT_ALLOWED, RECEIVER_SIGNED, SIGNER_NOT_THE_RECEIVER, NOT_FOUND for a user that the platform
 *   does not have, or why that user may do nothing
 */
export async function askSignature(
  rt: Parts,
  version: StoredVersion,
  of: { readonly account: Id; readonly user: Id },
): Promise<AskedSignature> {
  const before = async (tx: Tx) => {
    const live = await liveSignature(tx, version.id, of.account);
    if (live?.state === 'signed')
      throw new Refused(refuse('RECEIVER_SIGNED', undefined, { account: toWire('account', of.account) }));
    return live;
  };
  let written: AskedSignature | undefined;
  const ask = () =>
    rt.db.withTx(
      'ask signature',
      async (tx) => {
        const known = await before(tx);
        if (known !== undefined) return again(known);
        written = await write(tx, rt, version, of);
        return written;
      },
      async () => ((await rt.db.read('asked signature', before))?.id === written?.signature.id ? written : undefined),
    );
  try {
    return await ask();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return ask();
  }
}

const again = (signature: Signature): AskedSignature => ({ signature, asked: askedOf(signature), repeated: true });

/** The question while it is open, without its address. */
export function askedOf({ state, consentId, expiresMs }: Signature): Asked | undefined {
  return state !== 'asked' || consentId === null || expiresMs === null ? undefined : { consent: consentId, expiresMs };
}

async function liveSignature(tx: Tx, versionId: Id, account: Id): Promise<Signature | undefined> {
  const all = (await signaturesOf(tx, [versionId])).get(versionId) ?? [];
  return all.find((each) => each.accountId === account && (each.state === 'asked' || each.state === 'signed'));
}

async function write(
  tx: Tx,
  rt: Parts,
  { id: versionId, platformId }: StoredVersion,
  { account, user: userId }: { readonly account: Id; readonly user: Id },
): Promise<AskedSignature> {
  const version = await waiting(tx, versionId, account);
  const nowMs = rt.clock.now();
  const today = naturalDate(nowMs);
  const parameters = await loadParameters(tx);
  const { customer } = await requireActingUser(tx, { platformId, userId, vault: rt.vault, asOf: { today, nowMs, parameters } });
  await requireSigner(tx, rt, account, customer);
  const hours = Number(parameters.on(today, 'agreement.answer-hours'));
  const expiresMs = (nowMs + hours * 3_600_000) as Instant;
  const id = rt.newId();
  const agreement = await findAgreement(tx, version.agreementId);
  const platform = await readPlatform(tx, platformId);
  invariant(agreement && platform, `version ${versionId} has an agreement and a platform`);
  const names = await payeeNames(tx, rt.vault, signersOf(version));
  const asked = await askConsent(tx, rt, {
    ...{ subject: 'agreement', subjectId: id, platformId, customerId: customer.id, needs: 'both', expiresMs },
    shown: shownVersion({ version, agreementNo: agreement.agreementNo, platform: platform.name, names, answerUntil: expiresMs }),
  });
  const signature: Signature = {
    ...{ id, versionId, accountId: account, way: 'page', state: 'asked', userId, consentId: asked.consent, expiresMs },
    ...{ voucherSealed: null, recordedBy: null, createdMs: nowMs, signedMs: null },
  };
  await insertSignatures(tx, [signature]);
  return { signature, asked, repeated: false };
}

/** A version that waits for the signature of this account. @throws Refused AGREEMENT_STATE, RECEIVER_NOT_ALLOWED */
async function waiting(tx: Tx, versionId: Id, account: Id): Promise<StoredVersion> {
  const version = await findVersion(tx, versionId);
  invariant(version, `version ${versionId} is there`);
  if (!signersOf(version).includes(account))
    throw new Refused(
      refuse('RECEIVER_NOT_ALLOWED', 'The version names no such receiver.', { account: toWire('account', account) }),
    );
  if (version.state !== 'submitted') throw new Refused(refuse('AGREEMENT_STATE', undefined, { state: version.state }));
  return version;
}

/** Only the person himself signs on a page: for a company its representative comes to the bank, or sends the signed form. */
async function requireSigner(tx: Tx, { vault }: Pick<Parts, 'vault'>, account: Id, customer: Customer): Promise<void> {
  const merchant = (await subMerchantsByAccount(tx, [account])).get(account);
  const party = merchant && (await loadParties(tx, vault, [merchant.partyId])).get(merchant.partyId);
  const fields = { account: toWire('account', account) };
  if (party?.kind !== 'person') throw new Refused(refuse('SIGNER_NOT_THE_RECEIVER', 'A company signs on paper.', fields));
  if (customer.idType !== 'resident-id' || customer.idNo !== party.idNo)
    throw new Refused(refuse('SIGNER_NOT_THE_RECEIVER', undefined, fields));
}

/**
 * What follows from the receiver's answer, in its transaction.
 * @throws Refused AGREEMENT_STATE when the version was withdrawn or refused meanwhile, RECEIVER_SIGNED when it was signed on paper: his
 *   yes comes to nothing then
 */
export function agreementAnswered({ clock }: Pick<Runtime, 'clock'>): AnswerHandler {
  return async (tx, id, ending) => {
    const to = ({ given: 'signed', declined: 'declined', expired: 'lapsed', locked: 'lapsed' } as const)[ending];
    const nowMs = clock.now();
    const changed = (await settleSignatures(tx, [id], to, nowMs)) === 1;
    if (ending !== 'given') return undefined;
    if (!changed) throw new Refused(refuse('RECEIVER_SIGNED'));
    const signature = await findSignature(tx, id);
    invariant(signature, `the signature ${id} is there`);
    if ((await countSignatures(tx, [signature.versionId], 1, nowMs)) !== 1) throw new Refused(refuse('AGREEMENT_STATE'));
    return undefined;
  };
}

/**
 * A member of staff saw the receiver's signature on a form. A question that is open on a page lapses with that.
 * @throws Refused NOT_FOUND, AGREEMENT_STATE, RECEIVER_NOT_ALLOWED, RECEIVER_SIGNED
 */
export async function recordSignature(
  tx: Tx,
  rt: Pick<Parts, 'newId' | 'clock' | 'vault'>,
  of: { readonly version: Id; readonly account: Id; readonly voucher: string; readonly by: Id },
): Promise<void> {
  if ((await findVersion(tx, of.version)) === undefined) throw new Refused(refuse('NOT_FOUND'));
  const live = await liveSignature(tx, of.version, of.account);
  const signed = refuse('RECEIVER_SIGNED', undefined, { account: toWire('account', of.account) });
  if (live?.state === 'signed') throw new Refused(signed);
  const { id: versionId } = await waiting(tx, of.version, of.account);
  const nowMs = rt.clock.now();
  if (live !== undefined && (await settleSignatures(tx, [live.id], 'lapsed', nowMs)) !== 1) throw new Refused(signed);
  const signature: Signature = {
    ...{ id: rt.newId(), versionId, accountId: of.account, way: 'paper', state: 'signed', userId: null, consentId: null },
    ...{ expiresMs: null, voucherSealed: rt.vault.seal(of.voucher), recordedBy: of.by, createdMs: nowMs, signedMs: nowMs },
  };
  try {
    await insertSignatures(tx, [signature]);
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(signed);
    throw error;
  }
  if ((await countSignatures(tx, [versionId], 1, nowMs)) !== 1) throw new Refused(refuse('AGREEMENT_STATE'));
}
