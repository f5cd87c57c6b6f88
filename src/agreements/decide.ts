import { addDays, type Id, type Refusal, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { lookAtTerms } from './look.js';
import { endVersions, findVersion, moveVersions, type StoredVersion, signaturesOf } from './store.js';
import { signersOf } from './submit.js';
import type { Terms } from './terms.js';
import { type Approved, refusalOf, takesOver } from './version-check.js';

type Parts = Pick<Runtime, 'clock' | 'calendar' | 'vault'>;

/** What a member of the bank's staff decides about a version. */
export interface Decision {
  readonly version: Id;
  readonly by: Id;
  /** The cap for others than the seller, in basis points, said again by whoever accepts one beyond the bank's own. */
  readonly othersCap?: bigint | undefined;
}

/**
 * The first of two looks at the version that all receivers signed, and finds nothing against it.
 * @throws Refused NOT_FOUND, RECEIVER_NOT_SIGNED, AGREEMENT_STATE, SAME_OPERATOR, CAP_NOT_APPROVED, or what is wrong with it today
 */
export async function checkOnce(tx: Tx, rt: Parts, of: Decision): Promise<StoredVersion> {
  const version = await signedVersion(tx, of, 'countersigned');
  await assertAcceptable(tx, rt, version, of);
  return moved(tx, version, 'checked', { nowMs: rt.clock.now(), by: of.by });
}

/**
 * The second one approves it. It takes the shard: what is decided after the commit is decided by the version, from its first day on. What was in
 * force without an end ends the day before.
 * @throws Refused as `checkOnce`
 */
export async function approve(tx: Tx, rt: Parts, of: Decision): Promise<StoredVersion> {
  const found = await findVersion(tx, of.version);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const { shardId } = await loadBook(tx, found.platformId);
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  const version = await signedVersion(tx, of, 'checked');
  if (version.checkedBy === of.by) throw new Refused(refuse('SAME_OPERATOR'));
  const approved = await assertAcceptable(tx, rt, version, of);
  const ended = approved.filter((other) => takesOver(version, other)).map(({ id }) => id);
  await endVersions(tx, ended, addDays(version.validFrom, -1));
  return moved(tx, version, 'approved', { nowMs, by: of.by });
}

/** Anybody of the staff may say no until it is approved. @throws Refused NOT_FOUND, AGREEMENT_STATE */
export async function refuseVersion(
  tx: Tx,
  rt: Parts,
  { version: id, by, reason }: Decision & { readonly reason: string },
): Promise<StoredVersion> {
  const version = await findVersion(tx, id);
  if (version === undefined) throw new Refused(refuse('NOT_FOUND'));
  return moved(tx, version, 'refused', { nowMs: rt.clock.now(), by, reasonSealed: rt.vault.seal(reason) });
}

/** The platform takes it back until it is approved; twice changes nothing. @throws Refused AGREEMENT_STATE */
export async function withdraw(tx: Tx, rt: Pick<Parts, 'clock' | 'calendar'>, version: StoredVersion): Promise<StoredVersion> {
  if (version.state === 'withdrawn') return version;
  return moved(tx, version, 'withdrawn', { nowMs: rt.clock.now() });
}

/** @throws Refused NOT_FOUND, RECEIVER_NOT_SIGNED, AGREEMENT_STATE; SAME_OPERATOR for whoever recorded a signature */
async function signedVersion(tx: Tx, { version: id, by }: Decision, state: 'countersigned' | 'checked'): Promise<StoredVersion> {
  const version = await findVersion(tx, id);
  if (version === undefined) throw new Refused(refuse('NOT_FOUND'));
  const signed = ((await signaturesOf(tx, [id])).get(id) ?? []).filter((signature) => signature.state === 'signed');
  if (version.state === 'submitted') {
    const missing = signersOf(version).filter((account) => !signed.some(({ accountId }) => accountId === account));
    throw new Refused(
      refuse('RECEIVER_NOT_SIGNED', undefined, { missing: missing.map((account) => toWire('account', account)) }),
    );
  }
  if (version.state !== state) throw new Refused(refuse('AGREEMENT_STATE', undefined, { state: version.state }));
  if (signed.some(({ recordedBy }) => recordedBy === by)) throw new Refused(refuse('SAME_OPERATOR'));
  return version;
}

/** Answers the approved versions of the same agreement. */
async function assertAcceptable(
  tx: Tx,
  rt: Parts,
  version: StoredVersion,
  { othersCap }: Decision,
): Promise<readonly Approved[]> {
  const { agreementId, platformId, accountId: account, amends } = version;
  const lines = [{ account, amends, agreementId }];
  const { faults, lines: of, beyondCap, approved } = await lookAtTerms(tx, rt, platformId, { ...version, lines });
  const refusal = refusalOf([...(of[0] ?? []), ...faults]) ?? capRefusal(version.terms, beyondCap, othersCap);
  if (refusal !== undefined) throw new Refused(refusal);
  return approved.get(account) ?? [];
}

/** Terms beyond the bank's own cap are accepted by whoever says their cap again. */
export function capRefusal({ othersCap }: Terms, beyondCap: bigint | null, said: bigint | undefined): Refusal | undefined {
  if (beyondCap === null || said === othersCap) return undefined;
  return refuse('CAP_NOT_APPROVED', undefined, { othersCap: Number(othersCap), most: Number(beyondCap) });
}

type Move = Parameters<typeof moveVersions>[3];

async function moved(
  tx: Tx,
  version: StoredVersion,
  to: 'checked' | 'approved' | 'refused' | 'withdrawn',
  move: Move,
): Promise<StoredVersion> {
  if ((await moveVersions(tx, [version.id], to, move)) !== 1) {
    const now = await findVersion(tx, version.id);
    throw new Refused(refuse('AGREEMENT_STATE', undefined, { state: now?.state ?? version.state }));
  }
  return (await findVersion(tx, version.id)) ?? version;
}
