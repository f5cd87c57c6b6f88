import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { statesBefore, type VersionState } from './states.js';
import type { Terms } from './terms.js';
import { readTerms } from './wire.js';

export interface Agreement {
  readonly id: Id;
  readonly platformId: Id;
  /** The seller's account: it has one agreement. */
  readonly accountId: Id;
  readonly agreementNo: string;
  readonly createdMs: Instant;
}

/** A version with the steps that it went through. */
export interface StoredVersion {
  readonly id: Id;
  readonly agreementId: Id;
  readonly platformId: Id;
  readonly accountId: Id;
  readonly version: number;
  readonly amends: number | null;
  readonly terms: Terms;
  readonly contentHash: Buffer;
  readonly state: VersionState;
  readonly validFrom: BusinessDate;
  readonly validTo: BusinessDate | null;
  /** How many receivers have to sign, and how many have. */
  readonly needed: number;
  readonly signed: number;
  readonly submittedMs: Instant;
  readonly countersignedMs: Instant | null;
  readonly checkedMs: Instant | null;
  readonly checkedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly decidedBy: Id | null;
  readonly reasonSealed: string | null;
}

export type SignatureState = 'asked' | 'signed' | 'declined' | 'lapsed';

/** One receiver's word on one version. */
export interface Signature {
  readonly id: Id;
  readonly versionId: Id;
  readonly accountId: Id;
  readonly way: 'page' | 'paper';
  readonly state: SignatureState;
  /** On the page: who is asked, and by which question. */
  readonly userId: Id | null;
  readonly consentId: Id | null;
  readonly expiresMs: Instant | null;
  /** On paper: the number of the form, and who of the staff recorded it. */
  readonly voucherSealed: string | null;
  readonly recordedBy: Id | null;
  readonly createdMs: Instant;
  readonly signedMs: Instant | null;
}

interface AgreementRow {
  id: string;
  platform_id: string;
  account_id: string;
  agreement_no: string;
  created_ms: string;
}
interface VersionRow {
  id: string;
  agreement_id: string;
  platform_id: string;
  account_id: string;
  version: number;
  amends: number | null;
  terms: string;
  content_hash: Buffer;
  state: VersionState;
  valid_from: BusinessDate;
  valid_to: BusinessDate | null;
  needed: number;
  signed: number;
  submitted_ms: string;
  countersigned_ms: string | null;
  checked_ms: string | null;
  checked_by: string | null;
  decided_ms: string | null;
  decided_by: string | null;
  reason_sealed: string | null;
}
interface SignatureRow {
  id: string;
  version_id: string;
  account_id: string;
  way: Signature['way'];
  state: SignatureState;
  user_id: string | null;
  consent_id: string | null;
  consent_expires_ms: string | null;
  voucher_sealed: string | null;
  recorded_by: string | null;
  created_ms: string;
  signed_ms: string | null;
}

const instant = (value: string): Instant => Number(value) as Instant;
const instantOrNull = (value: string | null): Instant | null => (value === null ? null : instant(value));
const idOrNull = (value: string | null): Id | null => (value === null ? null : asId(value));

function agreementOf(row: AgreementRow): Agreement {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    agreementNo: row.agreement_no,
    createdMs: instant(row.created_ms),
  };
}

function versionOf(row: VersionRow): StoredVersion {
  return {
    id: asId(row.id),
    agreementId: asId(row.agreement_id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    version: Number(row.version),
    amends: row.amends === null ? null : Number(row.amends),
    terms: readTerms(row.terms),
    contentHash: row.content_hash,
    state: row.state,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    needed: Number(row.needed),
    signed: Number(row.signed),
    submittedMs: instant(row.submitted_ms),
    countersignedMs: instantOrNull(row.countersigned_ms),
    checkedMs: instantOrNull(row.checked_ms),
    checkedBy: idOrNull(row.checked_by),
    decidedMs: instantOrNull(row.decided_ms),
    decidedBy: idOrNull(row.decided_by),
    reasonSealed: row.reason_sealed,
  };
}

function signatureOf(row: SignatureRow): Signature {
  return {
    id: asId(row.id),
    versionId: asId(row.version_id),
    accountId: asId(row.account_id),
    way: row.way,
    state: row.state,
    userId: idOrNull(row.user_id),
    consentId: idOrNull(row.consent_id),
    expiresMs: instantOrNull(row.consent_expires_ms),
    voucherSealed: row.voucher_sealed,
    recordedBy: idOrNull(row.recorded_by),
    createdMs: instant(row.created_ms),
    signedMs: instantOrNull(row.signed_ms),
  };
}

/** @throws a duplicate-key error when the number is taken, or the account has an agreement */
export async function insertAgreement(tx: Tx, a: Agreement): Promise<void> {
  await tx.write('INSERT INTO agreements (id, platform_id, account_id, agreement_no, created_ms) VALUES (?, ?, ?, ?, ?)', [
    a.id,
    a.platformId,
    a.accountId,
    a.agreementNo,
    a.createdMs,
  ]);
}

async function agreements(tx: Tx, where: string, values: readonly unknown[]): Promise<Agreement[]> {
  return (await tx.rows<AgreementRow>(`SELECT * FROM agreements WHERE ${where}`, values)).map(agreementOf);
}

/** @param platformId leaves out agreements of others */
export async function findAgreement(tx: Tx, id: Id, platformId?: Id): Promise<Agreement | undefined> {
  const [found] = await agreements(tx, 'id = ?', [id]);
  return platformId !== undefined && found?.platformId !== platformId ? undefined : found;
}

export async function findAgreementByNo(tx: Tx, platformId: Id, agreementNo: string): Promise<Agreement | undefined> {
  return (await agreements(tx, 'platform_id = ? AND agreement_no = ?', [platformId, agreementNo]))[0];
}

export async function findAgreementOf(tx: Tx, accountId: Id): Promise<Agreement | undefined> {
  return (await agreements(tx, 'account_id = ?', [accountId]))[0];
}

/** In the order they were made, after `after`. */
export function listAgreements(tx: Tx, platformId: Id, after: string, limit: number): Promise<Agreement[]> {
  return agreements(tx, 'platform_id = ? AND id > ? ORDER BY id LIMIT ?', [platformId, after, limit]);
}

/** @throws a duplicate-key error when the agreement has this version */
export async function insertVersion(tx: Tx, v: StoredVersion, terms: string): Promise<void> {
  await tx.write(
    `INSERT INTO agreement_versions (id, agreement_id, platform_id, account_id, version, amends, terms, content_hash, state, valid_from,
       valid_to, needed, signed, submitted_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[v.id, v.agreementId, v.platformId, v.accountId, v.version, v.amends, terms, v.contentHash, v.state, v.validFrom],
      ...[v.validTo, v.needed, v.signed, v.submittedMs],
    ],
  );
}

async function versions(tx: Tx, where: string, values: readonly unknown[]): Promise<StoredVersion[]> {
  return (await tx.rows<VersionRow>(`SELECT * FROM agreement_versions WHERE ${where}`, values)).map(versionOf);
}

export async function findVersion(tx: Tx, id: Id): Promise<StoredVersion | undefined> {
  return (await versions(tx, 'id = ?', [id]))[0];
}

export async function findVersionByNo(tx: Tx, agreementId: Id, version: number): Promise<StoredVersion | undefined> {
  return (await versions(tx, 'agreement_id = ? AND version = ?', [agreementId, version]))[0];
}

/** The latest first. */
export function latestVersions(tx: Tx, agreementId: Id, limit: number): Promise<StoredVersion[]> {
  return versions(tx, 'agreement_id = ? ORDER BY version DESC LIMIT ?', [agreementId, limit]);
}

export function approvedVersions(tx: Tx, agreementId: Id): Promise<StoredVersion[]> {
  return versions(tx, "agreement_id = ? AND state = 'approved' ORDER BY version", [agreementId]);
}

/** In the order they were submitted, after `after`. */
export function versionsInState(tx: Tx, state: VersionState, after: string, limit: number): Promise<StoredVersion[]> {
  return versions(tx, 'state = ? AND id > ? ORDER BY id LIMIT ?', [state, after, limit]);
}

export interface VersionMove {
  readonly nowMs: Instant;
  /** Who of the staff; absent where the platform withdraws. */
  readonly by?: Id | undefined;
  readonly reasonSealed?: string | undefined;
}

/** Moves a version on; answers whether it was in a state before. The written guard of every decision about it. */
export async function moveVersion(
  tx: Tx,
  id: Id,
  to: Exclude<VersionState, 'submitted' | 'countersigned'>,
  { nowMs, by, reasonSealed }: VersionMove,
): Promise<boolean> {
  const step = to === 'checked' ? 'checked_ms = ?, checked_by = ?' : 'decided_ms = ?, decided_by = ?';
  const from = statesBefore(to).map(sql.text).join();
  const changed = await tx.write(
    `UPDATE agreement_versions SET state = ?, ${step}, reason_sealed = ? WHERE id = ? AND state IN (${from})`,
    [to, nowMs, by ?? null, reasonSealed ?? null, id],
  );
  return changed === 1;
}

/** One receiver more has signed; with the last one the version is countersigned. Answers whether it still waited for signatures. */
export async function countSignature(tx: Tx, id: Id, nowMs: Instant): Promise<boolean> {
  const counted = await tx.write(
    "UPDATE agreement_versions SET signed = signed + 1 WHERE id = ? AND state = 'submitted' AND signed < needed",
    [id],
  );
  if (counted !== 1) return false;
  await tx.write(
    "UPDATE agreement_versions SET state = 'countersigned', countersigned_ms = ? WHERE id = ? AND state = 'submitted' AND signed = needed",
    [nowMs, id],
  );
  return true;
}

/** An approved version ends earlier than it said. Answers whether it was one that would have gone on. */
export async function endVersion(tx: Tx, id: Id, validTo: BusinessDate): Promise<boolean> {
  const changed = await tx.write(
    `UPDATE agreement_versions SET valid_to = ? WHERE id = ? AND state = 'approved' AND valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)`,
    [validTo, id, validTo, validTo],
  );
  return changed === 1;
}

/** @throws a duplicate-key error when the receiver is asked already, or has signed */
export async function insertSignature(tx: Tx, s: Signature): Promise<void> {
  await tx.write(
    `INSERT INTO agreement_signatures (id, version_id, account_id, live, way, state, user_id, consent_id, consent_expires_ms,
       voucher_sealed, recorded_by, created_ms, signed_ms) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[s.id, s.versionId, s.accountId, s.way, s.state, s.userId, s.consentId, s.expiresMs],
      ...[s.voucherSealed, s.recordedBy, s.createdMs, s.signedMs],
    ],
  );
}

/** What came of a question; answers whether it was still open. */
export async function settleSignature(tx: Tx, id: Id, to: Exclude<SignatureState, 'asked'>, nowMs: Instant): Promise<boolean> {
  const signed = to === 'signed';
  const changed = await tx.write(
    `UPDATE agreement_signatures SET state = ?, live = ${signed ? '1' : 'NULL'}, signed_ms = ? WHERE id = ? AND state = 'asked'`,
    [to, signed ? nowMs : null, id],
  );
  return changed === 1;
}

export async function findSignature(tx: Tx, id: Id): Promise<Signature | undefined> {
  const [row] = await tx.rows<SignatureRow>('SELECT * FROM agreement_signatures WHERE id = ?', [id]);
  return row && signatureOf(row);
}

/** What is asked, signed or came to nothing, by version, the oldest first. */
export async function signaturesOf(tx: Tx, versionIds: readonly Id[]): Promise<Map<Id, Signature[]>> {
  const found = new Map<Id, Signature[]>();
  if (versionIds.length === 0) return found;
  const rows = await tx.rows<SignatureRow>(
    `SELECT * FROM agreement_signatures WHERE version_id IN (${versionIds.join()}) ORDER BY id`,
  );
  for (const signature of rows.map(signatureOf))
    found.set(signature.versionId, [...(found.get(signature.versionId) ?? []), signature]);
  return found;
}

/** Numbers of agreements by id. */
export async function agreementsById(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Agreement>> {
  if (ids.length === 0) return new Map();
  return new Map((await agreements(tx, `id IN (${ids.join()})`, [])).map((found) => [found.id, found]));
}
