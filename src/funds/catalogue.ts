import { type Id, type Instant, Refused, refuse } from '../kernel/index.js';
import { isDuplicateKey, type Tx, type Vault } from '../runtime/index.js';
import type { Fund } from './records.js';
import { findFund, listHoldings, saveFund } from './store.js';

/** What two people of the bank decide about the catalogue of funds: an entry, whole, as it is to be. */
export interface FundProposal {
  readonly id: Id;
  /** Its custody account is sealed within. */
  readonly fund: Fund;
  readonly state: 'proposed' | 'approved' | 'rejected' | 'withdrawn';
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
}

interface ProposalRow {
  id: string;
  code: string;
  terms_sealed: string;
  state: FundProposal['state'];
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
}

function proposalOf(vault: Vault, row: ProposalRow): FundProposal {
  return {
    ...{ id: row.id as Id, fund: JSON.parse(vault.read(row.terms_sealed)) as Fund, state: row.state },
    ...{ proposedBy: row.proposed_by as Id, proposedMs: Number(row.proposed_ms) as Instant },
    decidedBy: row.decided_by as Id | null,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

export interface ByWhom {
  readonly operator: Id;
  readonly nowMs: Instant;
}

/**
 * The first of two people says how an entry of the catalogue is to be: new, or instead of the one that is there. What kind of fund it is never
 * changes, and once an account has had to do with it neither does its company: what is ordered there would be confirmed to nobody any more. Nothing is
 * sold differently before another has approved it.
 * @throws Refused FUND_PROPOSED where one of this fund waits, FUND_KIND where it is of another kind, FUND_IN_USE
 */
export async function proposeFund(
  tx: Tx,
  vault: Vault,
  id: Id,
  { fund, known }: { readonly fund: Fund; readonly known: Fund | undefined },
  { operator, nowMs }: ByWhom,
): Promise<FundProposal> {
  if (known !== undefined && known.kind !== fund.kind) throw new Refused(refuse('FUND_KIND', undefined, { fund: fund.code }));
  await requireSameCompany(tx, fund, known);
  try {
    await tx.write(
      `INSERT INTO fund_proposals (id, code, terms_sealed, state, live, proposed_by, proposed_ms, decided_by, decided_ms)
       VALUES (?, ?, ?, 'proposed', 1, ?, ?, NULL, NULL)`,
      [id, fund.code, vault.seal(JSON.stringify(fund)), operator, nowMs],
    );
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('FUND_PROPOSED', undefined, { fund: fund.code }));
    throw error;
  }
  return { id, fund, state: 'proposed', proposedBy: operator, proposedMs: nowMs, decidedBy: null, decidedMs: null };
}

async function requireSameCompany(tx: Tx, { code, company }: Fund, known: Fund | undefined): Promise<void> {
  if (known === undefined || known.company === company) return;
  const [holding] = await listHoldings(tx, { fund: code }, 1);
  if (holding !== undefined) throw new Refused(refuse('FUND_IN_USE', undefined, { fund: code, company: known.company }));
}

/** The second of two people approves, and the entry is as it was proposed. @throws Refused NOT_FOUND, SAME_OPERATOR, PROPOSAL_DECIDED, FUND_IN_USE */
export async function approveFund(tx: Tx, vault: Vault, id: Id, who: ByWhom): Promise<FundProposal> {
  const proposal = await undecided(tx, vault, id);
  if (proposal.proposedBy === who.operator) throw new Refused(refuse('SAME_OPERATOR'));
  await requireSameCompany(tx, proposal.fund, await findFund(tx, proposal.fund.code));
  await decide(tx, id, 'approved', who);
  await saveFund(tx, proposal.fund);
  return { ...proposal, state: 'approved', decidedBy: who.operator, decidedMs: who.nowMs };
}

/** Whoever does not agree ends it; who proposed it takes it back that way. @throws Refused NOT_FOUND, PROPOSAL_DECIDED */
export async function rejectFund(tx: Tx, vault: Vault, id: Id, who: ByWhom): Promise<FundProposal> {
  const proposal = await undecided(tx, vault, id);
  const state = proposal.proposedBy === who.operator ? 'withdrawn' : 'rejected';
  await decide(tx, id, state, who);
  return { ...proposal, state, decidedBy: who.operator, decidedMs: who.nowMs };
}

async function undecided(tx: Tx, vault: Vault, id: Id): Promise<FundProposal> {
  const [row] = await tx.rows<ProposalRow>('SELECT * FROM fund_proposals WHERE id = ?', [id]);
  if (row === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (row.state !== 'proposed') throw new Refused(refuse('PROPOSAL_DECIDED', undefined, { state: row.state }));
  return proposalOf(vault, row);
}

/** Of two who decide at once the second waits for the row, and finds it decided. */
async function decide(tx: Tx, id: Id, state: FundProposal['state'], { operator, nowMs }: ByWhom): Promise<void> {
  const changed = await tx.write(
    `UPDATE fund_proposals SET state = ?, live = NULL, decided_by = ?, decided_ms = ? WHERE id = ? AND state = 'proposed'`,
    [state, operator, nowMs, id],
  );
  if (changed === 0) throw new Refused(refuse('PROPOSAL_DECIDED'));
}

/** The proposals of the catalogue in the order they were made. */
export async function listFundProposals(tx: Tx, vault: Vault, after: Id | undefined, limit: number): Promise<FundProposal[]> {
  const rows = await tx.rows<ProposalRow>('SELECT * FROM fund_proposals WHERE id > ? ORDER BY id LIMIT ?', [after ?? '0', limit]);
  return rows.map((row) => proposalOf(vault, row));
}
