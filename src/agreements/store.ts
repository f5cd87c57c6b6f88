import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { statesBefore, type VersionState } from './states.js';
import type { Terms } from './terms.js';
import type { Approved } from './version-check.js';
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
  /** Where it was submitted together with others. */
  readonly groupId: Id | null;
  readonly terms: Terms;
  readonly termsHash: Buffer;
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
  group_id: string | null;
  terms_hash: Buffer;
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

function versionOf(row: VersionRow, terms: Terms): StoredVersion {
  return {
    id: asId(row.id),
    agreementId: asId(row.agreement_id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    version: Number(row.version),
    amends: row.amends === null ? null : Number(row.amends),
    groupId: idOrNull(row.group_id),
    terms,
    termsHash: row.terms_hash,
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

/** @throws a duplicate-key error when a number is taken, or an account has an agreement */
export async function insertAgreements(tx: Tx, all: readonly Agreement[]): Promise<void> {
  if (all.length === 0) return;
  const rows = all.map((a) => `${a.id},${a.platformId},${a.accountId},${sql.text(a.agreementNo)},${a.createdMs}`);
  await tx.write(`INSERT INTO agreements (id, platform_id, account_id, agreement_no, created_ms) VALUES ${sql.tuples(rows)}`);
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

/** The platform's own with one of these numbers, and those of one of these accounts. */
export async function agreementsOf(
  tx: Tx,
  platformId: Id,
  numbers: readonly string[],
  accounts: readonly Id[],
): Promise<Agreement[]> {
  const own = `platform_id = ${platformId}`;
  const byNumber = await agreements(tx, `${own} AND agreement_no IN (${numbers.map(sql.text).join()})`, []);
  const byAccount = await agreements(tx, `${own} AND account_id IN (${accounts.join()})`, []); // by its own key: with OR neither would be used
  return [...new Map([...byNumber, ...byAccount].map((of) => [of.id, of])).values()];
}

/** In the order they were made, after `after`. */
export function listAgreements(tx: Tx, platformId: Id, after: string, limit: number): Promise<Agreement[]> {
  return agreements(tx, 'platform_id = ? AND id > ? ORDER BY id LIMIT ?', [platformId, after, limit]);
}

/** @throws a duplicate-key error when an agreement has this version already */
export async function insertVersions(tx: Tx, all: readonly StoredVersion[]): Promise<void> {
  const rows = all.map((v) =>
    [
      ...[
        v.id,
        v.agreementId,
        v.platformId,
        v.accountId,
        v.version,
        v.amends ?? 'NULL',
        v.groupId ?? 'NULL',
        sql.hex(v.termsHash),
      ],
      ...[
        sql.hex(v.contentHash),
        `'${v.state}'`,
        `'${v.validFrom}'`,
        sql.nullableText(v.validTo),
        v.needed,
        v.signed,
        v.submittedMs,
      ],
    ].join(),
  );
  await tx.write(
    `INSERT INTO agreement_versions (id, agreement_id, platform_id, account_id, version, amends, group_id, terms_hash, content_hash, state,
       valid_from, valid_to, needed, signed, submitted_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** Terms are kept once, whoever agrees on them. @param json canonical */
export async function keepTerms(tx: Tx, hash: Buffer, json: string): Promise<void> {
  await tx.write('INSERT INTO agreement_terms (hash, terms) VALUES (?, ?) ON DUPLICATE KEY UPDATE hash = agreement_terms.hash', [
    hash,
    json,
  ]);
}

/** Terms by their hash in hex. */
export async function loadTerms(tx: Tx, hashes: readonly Buffer[]): Promise<Map<string, Terms>> {
  if (hashes.length === 0) return new Map();
  const rows = await tx.rows<{ hash: Buffer; terms: string }>(
    `SELECT hash, terms FROM agreement_terms WHERE hash IN (${hashes.map(sql.hex).join()})`,
  );
  return new Map(rows.map(({ hash, terms }) => [hash.toString('hex'), readTerms(terms)]));
}

async function versions(tx: Tx, where: string, values: readonly unknown[]): Promise<StoredVersion[]> {
  const rows = await tx.rows<VersionRow>(`SELECT * FROM agreement_versions WHERE ${where}`, values);
  const hashes = new Map(rows.map(({ terms_hash }) => [terms_hash.toString('hex'), terms_hash]));
  const terms = await loadTerms(tx, [...hashes.values()]);
  return rows.map((row) => versionOf(row, terms.get(row.terms_hash.toString('hex')) as Terms));
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

/** The number of each agreement's last version. */
export async function lastVersions(tx: Tx, agreementIds: readonly Id[]): Promise<Map<Id, number>> {
  if (agreementIds.length === 0) return new Map();
  const rows = await tx.rows<{ agreement_id: string; last: number }>(
    `SELECT agreement_id, MAX(version) AS last FROM agreement_versions WHERE agreement_id IN (${agreementIds.join()}) GROUP BY agreement_id`,
  );
  return new Map(rows.map((row) => [asId(row.agreement_id), Number(row.last)]));
}

/** When the approved versions of agreements are in force, by agreement, in the order of their numbers. */
export async function approvedVersions(tx: Tx, agreementIds: readonly Id[]): Promise<Map<Id, Approved[]>> {
  const found = new Map<Id, Approved[]>();
  if (agreementIds.length === 0) return found;
  const rows = await tx.rows<Pick<VersionRow, 'id' | 'agreement_id' | 'version' | 'amends' | 'valid_from' | 'valid_to'>>(
    `SELECT id, agreement_id, version, amends, valid_from, valid_to FROM agreement_versions
     WHERE agreement_id IN (${agreementIds.join()}) AND state = 'approved' ORDER BY agreement_id, version`,
  );
  for (const row of rows) {
    const agreementId = asId(row.agreement_id);
    const of = found.get(agreementId) ?? [];
    found.set(agreementId, of);
    of.push({
      ...{ id: asId(row.id), version: Number(row.version), amends: row.amends === null ? null : Number(row.amends) },
      ...{ validFrom: row.valid_from, validTo: row.valid_to },
    });
  }
  return found;
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

/** Moves versions on; answers how many were in a state before. The written guard of every decision about them. */
export function moveVersions(
  tx: Tx,
  ids: readonly Id[],
  to: Exclude<VersionState, 'submitted' | 'countersigned'>,
  { nowMs, by, reasonSealed }: VersionMove,
): Promise<number> {
  const step = to === 'checked' ? 'checked_ms = ?, checked_by = ?' : 'decided_ms = ?, decided_by = ?';
  const from = statesBefore(to).map(sql.text).join();
  return tx.write(
    `UPDATE agreement_versions SET state = ?, ${step}, reason_sealed = ? WHERE id IN (${ids.join()}) AND state IN (${from})`,
    [to, nowMs, by ?? null, reasonSealed ?? null],
  );
}

/**
 * So many receivers more have signed each of these; with the last one a version is countersigned.
 * Answers how many of them still waited for that many.
 */
export async function countSignatures(tx: Tx, ids: readonly Id[], more: number, nowMs: Instant): Promise<number> {
  const these = `id IN (${ids.join()}) AND state = 'submitted'`;
  const counted = await tx.write(`UPDATE agreement_versions SET signed = signed + ? WHERE ${these} AND signed + ? <= needed`, [
    more,
    more,
  ]);
  await tx.write(
    `UPDATE agreement_versions SET state = 'countersigned', countersigned_ms = ? WHERE ${these} AND signed = needed`,
    [nowMs],
  );
  return counted;
}

/** Approved versions end earlier than they said. */
export async function endVersions(tx: Tx, ids: readonly Id[], validTo: BusinessDate): Promise<void> {
  if (ids.length === 0) return;
  await tx.write(
    `UPDATE agreement_versions SET valid_to = ?
     WHERE id IN (${ids.join()}) AND state = 'approved' AND valid_from <= ? AND (valid_to IS NULL OR valid_to > ?)`,
    [validTo, validTo, validTo],
  );
}

/** @throws a duplicate-key error when the receiver is asked already, or has signed */
export async function insertSignatures(tx: Tx, all: readonly Signature[]): Promise<void> {
  const rows = all.map((s) =>
    [
      ...[s.id, s.versionId, s.accountId, 1, `'${s.way}'`, `'${s.state}'`, s.userId ?? 'NULL', s.consentId ?? 'NULL'],
      ...[s.expiresMs ?? 'NULL', sql.nullableText(s.voucherSealed), s.recordedBy ?? 'NULL', s.createdMs, s.signedMs ?? 'NULL'],
    ].join(),
  );
  await tx.write(
    `INSERT INTO agreement_signatures (id, version_id, account_id, live, way, state, user_id, consent_id, consent_expires_ms,
       voucher_sealed, recorded_by, created_ms, signed_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** What came of questions; answers how many were still open. */
export function settleSignatures(
  tx: Tx,
  ids: readonly Id[],
  to: Exclude<SignatureState, 'asked'>,
  nowMs: Instant,
): Promise<number> {
  const signed = to === 'signed';
  return tx.write(
    `UPDATE agreement_signatures SET state = ?, live = ${signed ? '1' : 'NULL'}, signed_ms = ?
     WHERE id IN (${ids.join()}) AND state = 'asked'`,
    [to, signed ? nowMs : null],
  );
}

export async function findSignature(tx: Tx, id: Id): Promise<Signature | undefined> {
  const [row] = await tx.rows<SignatureRow>('SELECT * FROM agreement_signatures WHERE id = ?', [id]);
  return row && signatureOf(row);
}

/** What is asked, signed or came to nothing, by version, the oldest first. @param lock keeps what is there as it is until the commit */
export async function signaturesOf(tx: Tx, versionIds: readonly Id[], lock = false): Promise<Map<Id, Signature[]>> {
  const found = new Map<Id, Signature[]>();
  if (versionIds.length === 0) return found;
  const rows = await tx.rows<SignatureRow>(
    `SELECT * FROM agreement_signatures WHERE version_id IN (${versionIds.join()}) ORDER BY id${lock ? ' FOR UPDATE' : ''}`,
  );
  for (const signature of rows.map(signatureOf))
    found.set(signature.versionId, [...(found.get(signature.versionId) ?? []), signature]);
  return found;
}

/** By id. */
export async function agreementsById(tx: Tx, ids: readonly Id[]): Promise<Map<Id, Agreement>> {
  if (ids.length === 0) return new Map();
  return new Map((await agreements(tx, `id IN (${ids.join()})`, [])).map((found) => [found.id, found]));
}
