import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { type BidRow, bidOf, type ClaimRow, claimOf, inserting, type ProjectRow, projectOf, projectRecords } from './records.js';
import type { Bid, Borrowed, Claim, Project } from './rules.js';
import type { ProjectState } from './states.js';

/** @throws a duplicate-key error when the platform used the number before */
export async function insertProject(tx: Tx, project: Project): Promise<void> {
  await tx.write(inserting([project]));
  const rows = [...new Set(projectRecords.accountsOf(project))].map((account) => `${account},${project.id}`);
  await tx.write(`INSERT INTO lending_parties (account_id, project_id) VALUES ${sql.tuples(rows)}`);
}

/** Under the shard's row: what a party's word made of it. */
export async function saveProject(tx: Tx, project: Project): Promise<void> {
  const statement = projectRecords.saving([project]);
  if (statement !== undefined) await tx.write(statement);
}

async function projects(tx: Tx, where: string, parameters: readonly unknown[]): Promise<Project[]> {
  return (await tx.rows<ProjectRow>(`SELECT * FROM lending_projects WHERE ${where}`, parameters)).map(projectOf);
}

export async function findProject(tx: Tx, id: Id): Promise<Project | undefined> {
  return (await projects(tx, 'id = ?', [id]))[0];
}

export async function findProjectByNo(tx: Tx, platformId: Id, projectNo: string): Promise<Project | undefined> {
  return (await projects(tx, 'platform_id = ? AND project_no = ?', [platformId, projectNo]))[0];
}

/**
 * What a borrower owes or is raising, with his row taken until the commit: registrations on other shards wait, so that two that fit each by
 * itself do not pass a cap together.
 */
export async function borrowedBy(tx: Tx, borrowerIndex: Buffer, platformId: Id): Promise<Borrowed> {
  await tx.write(`INSERT INTO lending_borrowers (borrower_index, seen) VALUES (?, 1) ON DUPLICATE KEY UPDATE seen = seen + 1`, [
    borrowerIndex,
  ]);
  const rows = await tx.rows<{ platform_id: string; owed: string }>(
    `SELECT platform_id, CAST(SUM(CASE state WHEN 'lent' THEN principal_left ELSE amount END) AS CHAR) AS owed FROM lending_projects
     WHERE borrower_index = ? AND state IN ('raising', 'full', 'lent') GROUP BY platform_id`,
    [borrowerIndex],
  );
  return {
    platform: BigInt(rows.find((row) => row.platform_id === platformId)?.owed ?? 0),
    all: rows.reduce((sum, { owed }) => sum + BigInt(owed), 0n),
  };
}

export interface ProjectFilter {
  readonly platformId?: Id | undefined;
  readonly after?: Id | undefined;
  readonly state?: ProjectState | undefined;
}

/** Projects in the order they were registered. */
export function listProjects(tx: Tx, { platformId, after, state }: ProjectFilter, limit: number): Promise<Project[]> {
  const where = [
    'id > ?',
    ...(platformId === undefined ? [] : ['platform_id = ?']),
    ...(state === undefined ? [] : ['state = ?']),
  ];
  const values = [after ?? '0', ...[platformId, state].filter((value) => value !== undefined), limit];
  return projects(tx, `${where.join(' AND ')} ORDER BY id LIMIT ?`, values);
}

/** Projects of a platform that are not over, in the order they were registered. */
export function openProjects(tx: Tx, platformId: Id, { after, limit }: From): Promise<Project[]> {
  return projects(tx, 'platform_id = ? AND id > ? AND ended_ms IS NULL ORDER BY id LIMIT ?', [platformId, after ?? '0', limit]);
}

/** Projects that time alone ends, those that wait longest first. */
export function dueProjects(tx: Tx, nowMs: Instant, limit: number): Promise<Project[]> {
  return projects(tx, 'due_ms <= ? ORDER BY due_ms, id LIMIT ?', [nowMs, limit]);
}

/** Whose: of one account, or of all electronic accounts that a customer has at the bank. */
export type Whose = { readonly account: Id } | { readonly customer: Id };

const within = (whose: Whose) =>
  'account' in whose ? '= ?' : 'IN (SELECT account_id FROM electronic_accounts WHERE customer_id = ?)';
const idOf = (whose: Whose): Id => ('account' in whose ? whose.account : whose.customer);

/** What is read page by page, in the order of ids. */
export interface From {
  readonly after: Id | undefined;
  readonly limit: number;
}

/** Projects in which somebody borrows, stands for the borrower, or is paid in his place. */
export function projectsOf(tx: Tx, whose: Whose, { after, limit }: From): Promise<Project[]> {
  const of = `SELECT project_id FROM lending_parties WHERE account_id ${within(whose)}`;
  return projects(tx, `id > ? AND id IN (${of}) ORDER BY id LIMIT ?`, [after ?? '0', idOf(whose), limit]);
}

/** What somebody has offered, also what is over, in the order of the bids. */
export async function bidsOf(tx: Tx, whose: Whose, { after, limit }: From): Promise<Bid[]> {
  const rows = await tx.rows<BidRow>(
    `SELECT * FROM lending_bids WHERE account_id ${within(whose)} AND id > ? ORDER BY id LIMIT ?`,
    [idOf(whose), after ?? '0', limit],
  );
  return rows.map(bidOf);
}

/** A claim with its project. */
export interface OwnClaim {
  readonly claim: Claim;
  readonly project: Pick<Project, 'id' | 'platformId' | 'projectNo'>;
}

type OwnClaimRow = ClaimRow & { platform_id: string; project_no: string };
const ownClaimOf = (row: OwnClaimRow): OwnClaim => ({
  claim: claimOf(row),
  project: { id: asId(row.project_id), platformId: asId(row.platform_id), projectNo: row.project_no },
});
const OWN_CLAIMS =
  'SELECT c.*, p.platform_id, p.project_no FROM lending_claims AS c JOIN lending_projects AS p ON p.id = c.project_id';

/** What is owed to somebody, also what was paid, in the order of ids. */
export async function claimsOf(tx: Tx, whose: Whose, { after, limit }: From): Promise<OwnClaim[]> {
  const rows = await tx.rows<OwnClaimRow>(
    `${OWN_CLAIMS} WHERE c.account_id ${within(whose)} AND c.id > ? ORDER BY c.id LIMIT ?`,
    [idOf(whose), after ?? '0', limit],
  );
  return rows.map(ownClaimOf);
}

/** The claims on a project in the order of their places. */
export async function claimsOn(tx: Tx, projectId: Id, after: number, limit: number): Promise<OwnClaim[]> {
  const rows = await tx.rows<OwnClaimRow>(`${OWN_CLAIMS} WHERE c.project_id = ? AND c.place > ? ORDER BY c.place LIMIT ?`, [
    ...[projectId, after, limit],
  ]);
  return rows.map(ownClaimOf);
}

/** What is owed to an account, and what it owes; principal and, apart, what others paid for the borrower and did not get back. Minor units. */
export interface Lent {
  readonly claims: readonly { readonly claim: Id; readonly projectNo: string; readonly left: Minor }[];
  readonly owes: readonly { readonly projectNo: string; readonly left: Minor; readonly unrecovered: Minor }[];
  /** What it paid for borrowers and did not get back. */
  readonly recovers: readonly { readonly compensation: Id; readonly projectNo: string; readonly left: Minor }[];
}

interface LentRow {
  account_id: string;
  what: keyof Lent;
  id: string;
  project_no: string;
  rest: string;
  unrecovered: string;
}

type Filling = { -readonly [Part in keyof Lent]: Lent[Part][number][] };

/** What is owed to accounts and by them, by account; those with neither are left out. */
export async function lentOn(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, Lent>> {
  const found = new Map<Id, Filling>();
  if (accountIds.length === 0) return found;
  const list = accountIds.join();
  const rows = await tx.rows<LentRow>(
    `SELECT c.account_id, 'claims' AS what, c.id, p.project_no, c.principal_left AS rest, 0 AS unrecovered FROM lending_claims AS c
       JOIN lending_projects AS p ON p.id = c.project_id WHERE c.account_id IN (${list}) AND c.principal_left > 0
     UNION ALL
     SELECT p.borrower_id, 'owes', p.id, p.project_no, p.principal_left, p.unrecovered FROM lending_projects AS p
       JOIN lending_parties AS a ON a.project_id = p.id AND a.account_id = p.borrower_id
       WHERE a.account_id IN (${list}) AND (p.state = 'lent' OR p.unrecovered > 0)
     UNION ALL
     SELECT o.payer_id, 'recovers', o.id, p.project_no, o.amount - o.recovered, 0 FROM lending_compensations AS o
       JOIN lending_projects AS p ON p.id = o.project_id WHERE o.payer_id IN (${list}) AND o.amount > o.recovered
     ORDER BY account_id, project_no, id`,
  );
  for (const row of rows) {
    const of = found.get(asId(row.account_id)) ?? { claims: [], owes: [], recovers: [] };
    found.set(asId(row.account_id), of);
    const [projectNo, left] = [row.project_no, BigInt(row.rest)];
    if (row.what === 'claims') of.claims.push({ claim: asId(row.id), projectNo, left });
    else if (row.what === 'owes') of.owes.push({ projectNo, left, unrecovered: BigInt(row.unrecovered) });
    else of.recovers.push({ compensation: asId(row.id), projectNo, left });
  }
  return found;
}

/** How many projects of a platform are lent and not repaid. */
export async function lentCount(tx: Tx, platformId: Id): Promise<number> {
  const [row] = await tx.rows<{ n: number }>(
    "SELECT COUNT(*) AS n FROM lending_projects WHERE platform_id = ? AND state = 'lent'",
    [platformId],
  );
  return Number(row?.n ?? 0);
}
