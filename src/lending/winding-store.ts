import { asId, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { addParts, dueAsOf, owedByPlan, sumOf } from './plan.js';
import { loanTerms, type Project } from './rules.js';
import { projectKey, projectRecords } from './store.js';

/** Projects of a platform that are not over, in the order they were registered. */
export async function openProjects(tx: Tx, platformId: Id, after: Id | undefined, limit: number): Promise<Project[]> {
  const rows = await tx.rows<{ project_no: string }>(
    `SELECT project_no FROM lending_projects WHERE platform_id = ? AND id > ? AND ended_ms IS NULL ORDER BY id LIMIT ?`,
    [platformId, after ?? '0', limit],
  );
  if (rows.length === 0) return [];
  const keys = rows.map((row) => projectKey(platformId, row.project_no));
  const found = await projectRecords.load(tx, keys);
  return keys.flatMap((key) => found.get(key) ?? []);
}

/** What of a lent project is due on a date, and what its next instalment takes with it. Minor units. */
export function dueOn(project: Project, on: BusinessDate): { readonly due: Minor; readonly withNext: Minor } {
  const terms = loanTerms(project);
  const due = sumOf(addParts(dueAsOf(terms, project.loan, on)));
  const next = owedByPlan(terms, project.loan, on).find((each) => each.dueOn > on);
  return { due, withNext: due + (next === undefined ? 0n : sumOf(next)) };
}

/** What an account has of projects that are not repaid. */
export interface Lent {
  /** What is owed to it, and what it owes: the project, and the principal that was not paid back. */
  readonly claims: readonly { readonly claim: Id; readonly projectNo: string; readonly left: Minor }[];
  readonly owes: readonly { readonly projectNo: string; readonly left: Minor }[];
}

interface Row {
  account_id: string;
  claim_id: string | null;
  project_no: string;
  principal_left: string;
}

/** What is owed to accounts and by them, by account; those with neither are left out. */
export async function lentOn(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, Lent>> {
  const found = new Map<
    Id,
    { claims: { claim: Id; projectNo: string; left: Minor }[]; owes: { projectNo: string; left: Minor }[] }
  >();
  if (accountIds.length === 0) return found;
  const list = accountIds.join();
  const rows = await tx.rows<Row>(
    `SELECT c.account_id, c.id AS claim_id, p.project_no, c.principal_left FROM lending_claims AS c
       JOIN lending_projects AS p ON p.id = c.project_id WHERE c.account_id IN (${list}) AND c.principal_left > 0
     UNION ALL
     SELECT p.borrower_id, NULL, p.project_no, p.principal_left FROM lending_projects AS p
       JOIN lending_parties AS a ON a.project_id = p.id AND a.account_id = p.borrower_id
       WHERE a.account_id IN (${list}) AND p.state = 'lent'
     ORDER BY account_id, project_no, claim_id`,
  );
  for (const { account_id, claim_id, project_no: projectNo, principal_left } of rows) {
    const of = found.get(asId(account_id)) ?? { claims: [], owes: [] };
    found.set(asId(account_id), of);
    const left = BigInt(principal_left);
    if (claim_id === null) of.owes.push({ projectNo, left });
    else of.claims.push({ claim: asId(claim_id), projectNo, left });
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
