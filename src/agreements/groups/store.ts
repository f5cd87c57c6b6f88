import { asId, type BusinessDate, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import type { VersionState } from '../states.js';

/** Versions that a platform submitted together: of the same terms and dates, each of another seller. */
export interface Group {
  readonly id: Id;
  readonly platformId: Id;
  readonly groupNo: string;
  readonly contentHash: Buffer;
  readonly termsHash: Buffer;
  readonly validFrom: BusinessDate;
  readonly validTo: BusinessDate | null;
  /** How many. */
  readonly versions: number;
  readonly submittedMs: Instant;
}

/** One version of a group, without the terms that all have. */
export interface Member {
  readonly id: Id;
  readonly agreementId: Id;
  readonly accountId: Id;
  readonly version: number;
  readonly amends: number | null;
  readonly state: VersionState;
  readonly needed: number;
  readonly signed: number;
  readonly checkedBy: Id | null;
}

interface GroupRow {
  id: string;
  platform_id: string;
  group_no: string;
  content_hash: Buffer;
  terms_hash: Buffer;
  valid_from: BusinessDate;
  valid_to: BusinessDate | null;
  versions: number;
  submitted_ms: string;
}
interface MemberRow {
  id: string;
  agreement_id: string;
  account_id: string;
  version: number;
  amends: number | null;
  state: VersionState;
  needed: number;
  signed: number;
  checked_by: string | null;
}

const MEMBER = 'id, agreement_id, account_id, version, amends, state, needed, signed, checked_by';

function groupOf(row: GroupRow): Group {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    groupNo: row.group_no,
    contentHash: row.content_hash,
    termsHash: row.terms_hash,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    versions: Number(row.versions),
    submittedMs: Number(row.submitted_ms) as Instant,
  };
}

function memberOf(row: MemberRow): Member {
  return {
    id: asId(row.id),
    agreementId: asId(row.agreement_id),
    accountId: asId(row.account_id),
    version: Number(row.version),
    amends: row.amends === null ? null : Number(row.amends),
    state: row.state,
    needed: Number(row.needed),
    signed: Number(row.signed),
    checkedBy: row.checked_by === null ? null : asId(row.checked_by),
  };
}

/** @throws a duplicate-key error when the number is taken */
export async function insertGroup(tx: Tx, g: Group): Promise<void> {
  await tx.write(
    `INSERT INTO agreement_groups (id, platform_id, group_no, content_hash, terms_hash, valid_from, valid_to, versions, submitted_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [g.id, g.platformId, g.groupNo, g.contentHash, g.termsHash, g.validFrom, g.validTo, g.versions, g.submittedMs],
  );
}

async function groups(tx: Tx, where: string, values: readonly unknown[]): Promise<Group[]> {
  return (await tx.rows<GroupRow>(`SELECT * FROM agreement_groups WHERE ${where}`, values)).map(groupOf);
}

/** @param platformId leaves out groups of others */
export async function findGroup(tx: Tx, id: Id, platformId?: Id): Promise<Group | undefined> {
  const [found] = await groups(tx, 'id = ?', [id]);
  return platformId !== undefined && found?.platformId !== platformId ? undefined : found;
}

export async function findGroupByNo(tx: Tx, platformId: Id, groupNo: string): Promise<Group | undefined> {
  return (await groups(tx, 'platform_id = ? AND group_no = ?', [platformId, groupNo]))[0];
}

/** In the order they were submitted, after `after`. @param platformId of one platform; undefined: of all */
export function listGroups(tx: Tx, platformId: Id | undefined, after: string, limit: number): Promise<Group[]> {
  return platformId === undefined
    ? groups(tx, 'id > ? ORDER BY id LIMIT ?', [after, limit])
    : groups(tx, 'platform_id = ? AND id > ? ORDER BY id LIMIT ?', [platformId, after, limit]);
}

/** How many versions of each group are in which state. */
export async function statesOf(tx: Tx, groupIds: readonly Id[]): Promise<Map<Id, Map<VersionState, number>>> {
  const found = new Map<Id, Map<VersionState, number>>();
  if (groupIds.length === 0) return found;
  const rows = await tx.rows<{ group_id: string; state: VersionState; n: string }>(
    `SELECT group_id, state, COUNT(*) AS n FROM agreement_versions WHERE group_id IN (${groupIds.join()}) GROUP BY group_id, state`,
  );
  for (const { group_id, state, n } of rows) {
    const of = found.get(asId(group_id)) ?? new Map<VersionState, number>();
    found.set(asId(group_id), of.set(state, Number(n)));
  }
  return found;
}

/** In the order of the lines. */
export async function listMembers(tx: Tx, groupId: Id, after: string, limit: number): Promise<Member[]> {
  const rows = await tx.rows<MemberRow>(
    `SELECT ${MEMBER} FROM agreement_versions WHERE group_id = ? AND id > ? ORDER BY id LIMIT ?`,
    [groupId, after, limit],
  );
  return rows.map(memberOf);
}

/** All of them, kept as they are until the commit. */
export async function lockMembers(tx: Tx, groupId: Id): Promise<Member[]> {
  const rows = await tx.rows<MemberRow>(`SELECT ${MEMBER} FROM agreement_versions WHERE group_id = ? ORDER BY id FOR UPDATE`, [
    groupId,
  ]);
  return rows.map(memberOf);
}

/** Which of these versions a member of staff has recorded a signature of. */
export async function recordedBy(tx: Tx, versionIds: readonly Id[], operatorId: Id): Promise<Set<Id>> {
  if (versionIds.length === 0) return new Set();
  const rows = await tx.rows<{ version_id: string }>(
    `SELECT DISTINCT version_id FROM agreement_signatures
     WHERE version_id IN (${versionIds.join()}) AND recorded_by = ${sql.text(operatorId)} AND state = 'signed'`,
  );
  return new Set(rows.map(({ version_id }) => asId(version_id)));
}
