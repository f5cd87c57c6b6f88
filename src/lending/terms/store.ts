import { asId, type Id, type Instant, type Minor } from '../../kernel/index.js';
import type { RecordType } from '../../ledger/index.js';
import type { Tx } from '../../runtime/index.js';

/** `withdrawn` by whoever proposed them, `rejected` by another; `superseded` by those that came after. */
export const LENDING_TERMS_STATES = ['proposed', 'in-force', 'superseded', 'rejected', 'withdrawn'] as const;
export type LendingTermsState = (typeof LENDING_TERMS_STATES)[number];

/** What a lending platform may do beyond lending from lender to borrower directly (直投), which is all that the strict profile knows. */
export interface AllowedModes {
  /** 垫付: its own advance account pays a project in before its lenders do, up to the ceiling. Minor units. */
  readonly advance: boolean;
  readonly advanceCeiling: Minor;
  /** 受托支付 (代付): what was lent goes to a payee that the borrower confirmed. */
  readonly entrusted: boolean;
  /** 风险准备金: its own reserve pays what borrowers do not. */
  readonly reserve: boolean;
}

export interface LendingTerms extends AllowedModes {
  readonly id: Id;
  readonly platformId: Id;
  readonly state: LendingTermsState;
  /** Opened with the first terms that need it; null before. */
  readonly advanceAccountId: Id | null;
  readonly reserveAccountId: Id | null;
  readonly reasonSealed: string;
  readonly proposedBy: Id;
  readonly proposedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly noteSealed: string | null;
}

/** What holds where nothing was agreed. */
const DIRECT_ALONE: AllowedModes & Pick<LendingTerms, 'advanceAccountId' | 'reserveAccountId'> = {
  ...{ advance: false, advanceCeiling: 0n, entrusted: false, reserve: false },
  ...{ advanceAccountId: null, reserveAccountId: null },
};

interface Row {
  id: string;
  platform_id: string;
  state: LendingTermsState;
  advance: number;
  advance_ceiling: string;
  entrusted: number;
  reserve: number;
  advance_account_id: string | null;
  reserve_account_id: string | null;
  reason_sealed: string;
  proposed_by: string;
  proposed_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  note_sealed: string | null;
}

const idOrNull = (text: string | null): Id | null => (text === null ? null : asId(text));

function termsOf(row: Row): LendingTerms {
  return {
    ...{ id: asId(row.id), platformId: asId(row.platform_id), state: row.state },
    ...{ advance: row.advance === 1, advanceCeiling: BigInt(row.advance_ceiling) },
    ...{ entrusted: row.entrusted === 1, reserve: row.reserve === 1 },
    ...{ advanceAccountId: idOrNull(row.advance_account_id), reserveAccountId: idOrNull(row.reserve_account_id) },
    ...{ reasonSealed: row.reason_sealed, noteSealed: row.note_sealed },
    ...{ proposedBy: asId(row.proposed_by), proposedMs: Number(row.proposed_ms) as Instant },
    decidedBy: idOrNull(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
  };
}

type InForce = AllowedModes & Pick<LendingTerms, 'platformId' | 'advanceAccountId' | 'reserveAccountId'>;

/** By platform; there always are some. They change under the shard's row alone, so what is decided sees them wholly before or after. */
export const lendingTermsRecords: RecordType<InForce> = {
  name: 'lending-terms',
  accountsOf: ({ advanceAccountId, reserveAccountId }) => [advanceAccountId ?? [], reserveAccountId ?? []].flat(),
  async load(tx, keys) {
    const rows = await tx.rows<Row>(`SELECT * FROM lending_terms WHERE platform_id IN (${keys.join()}) AND in_force = 1`);
    const found = new Map(rows.map((row) => [row.platform_id, termsOf(row)]));
    return new Map(keys.map((key) => [key, found.get(key) ?? { ...DIRECT_ALONE, platformId: asId(key) }]));
  },
  saving: () => undefined,
};

/** What holds for a platform now: of what was proposed only what two people approved. */
export async function lendingTermsOf(tx: Tx, platformId: Id): Promise<InForce> {
  return (await lendingTermsRecords.load(tx, [platformId])).get(platformId) ?? { ...DIRECT_ALONE, platformId };
}

/** By platform: what its advance account has lent and not got back. Minor units. */
export const advancedRecords: RecordType<{ readonly outstanding: Minor }> = {
  name: 'advanced',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ platform_id: string; outstanding: string }>(
      `SELECT t.platform_id, CAST(SUM(c.principal_left) AS CHAR) AS outstanding FROM lending_terms AS t
         JOIN lending_claims AS c ON c.account_id = t.advance_account_id
       WHERE t.platform_id IN (${keys.join()}) AND t.in_force = 1 GROUP BY t.platform_id`,
    );
    const found = new Map(rows.map((row) => [row.platform_id, BigInt(row.outstanding)]));
    return new Map(keys.map((key) => [key, { outstanding: found.get(key) ?? 0n }]));
  },
  saving: () => undefined,
};

export async function findLendingTerms(tx: Tx, id: Id): Promise<LendingTerms | undefined> {
  const [row] = await tx.rows<Row>('SELECT * FROM lending_terms WHERE id = ?', [id]);
  return row && termsOf(row);
}

/** All that were ever proposed, the last first. */
export async function listLendingTerms(tx: Tx, platformId: Id): Promise<LendingTerms[]> {
  const rows = await tx.rows<Row>('SELECT * FROM lending_terms WHERE platform_id = ? ORDER BY id DESC', [platformId]);
  return rows.map(termsOf);
}

export async function insertLendingTerms(
  tx: Tx,
  of: AllowedModes & Pick<LendingTerms, 'id' | 'platformId' | 'reasonSealed' | 'proposedBy' | 'proposedMs'>,
): Promise<void> {
  await tx.write(
    `INSERT INTO lending_terms (id, platform_id, state, advance, advance_ceiling, entrusted, reserve, reason_sealed, proposed_by, proposed_ms)
     VALUES (?, ?, 'proposed', ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[of.id, of.platformId, of.advance ? 1 : 0, String(of.advanceCeiling), of.entrusted ? 1 : 0, of.reserve ? 1 : 0],
      ...[of.reasonSealed, of.proposedBy, of.proposedMs],
    ],
  );
}

interface Decision {
  readonly by: Id;
  readonly atMs: Instant;
  readonly noteSealed: string | null;
}

/** Under the shard's row. @returns whether they still were proposed */
export async function putInForce(
  tx: Tx,
  terms: Pick<LendingTerms, 'id' | 'platformId'>,
  of: Decision & Pick<LendingTerms, 'advanceAccountId' | 'reserveAccountId'>,
): Promise<boolean> {
  await tx.write("UPDATE lending_terms SET in_force = NULL, state = 'superseded' WHERE platform_id = ? AND in_force = 1", [
    terms.platformId,
  ]);
  const changed = await tx.write(
    `UPDATE lending_terms SET state = 'in-force', in_force = 1, decided_by = ?, decided_ms = ?, note_sealed = ?, advance_account_id = ?,
       reserve_account_id = ? WHERE id = ? AND state = 'proposed'`,
    [of.by, of.atMs, of.noteSealed, of.advanceAccountId, of.reserveAccountId, terms.id],
  );
  return changed === 1;
}

/** @returns whether they still were proposed */
export async function dropLendingTerms(
  tx: Tx,
  id: Id,
  state: Extract<LendingTermsState, 'rejected' | 'withdrawn'>,
  of: Decision,
): Promise<boolean> {
  const changed = await tx.write(
    "UPDATE lending_terms SET state = ?, decided_by = ?, decided_ms = ?, note_sealed = ? WHERE id = ? AND state = 'proposed'",
    [state, of.by, of.atMs, of.noteSealed, id],
  );
  return changed === 1;
}
