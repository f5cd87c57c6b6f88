import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { Party } from './rules.js';

/** What a comparison of a day with one party found, kept also when it found nothing. */
export interface Run {
  readonly party: Party;
  /** Null of a channel's file, which is of all platforms. */
  readonly platformId: Id | null;
  readonly businessDate: BusinessDate;
  /** SHA-256 of their statement or file. */
  readonly digest: Buffer;
  readonly ourLines: number;
  readonly theirLines: number;
  /** Fen. */
  readonly ourSum: Minor;
  readonly theirSum: Minor;
  /** Lines of ours that found their counterpart. */
  readonly matched: number;
  readonly counts: RunCounts;
  readonly finishedMs: Instant;
  /** Wall time. */
  readonly tookMs: number;
}

/** Differences by class, those that close themselves apart; and earlier ones that this comparison closed. */
export interface RunCounts {
  readonly amountDiffers: number;
  readonly onlyOurs: number;
  readonly onlyTheirs: number;
  readonly stateDiffers: number;
  readonly timing: number;
  readonly closed: number;
}

interface RunRow {
  party: Party;
  platform_id: string;
  business_date: BusinessDate;
  digest: Buffer;
  our_lines: string;
  their_lines: string;
  our_sum: string;
  their_sum: string;
  matched: string;
  amount_differs: string;
  only_ours: string;
  only_theirs: string;
  state_differs: string;
  timing: string;
  closed: string;
  finished_ms: string;
  took_ms: string;
}

const NOBODY = '0';

/** @throws a duplicate-key error when the comparison was kept already */
export async function insertRun(tx: Tx, run: Run): Promise<void> {
  const { counts: c } = run;
  await tx.write(
    `INSERT INTO reconciliation_runs (party, platform_id, business_date, digest, our_lines, their_lines, our_sum, their_sum, matched,
       amount_differs, only_ours, only_theirs, state_differs, timing, closed, finished_ms, took_ms)
     VALUES ('${run.party}', ${run.platformId ?? NOBODY}, '${run.businessDate}', ${sql.hex(run.digest)}, ${run.ourLines}, ${run.theirLines},
       ${run.ourSum}, ${run.theirSum}, ${run.matched}, ${c.amountDiffers}, ${c.onlyOurs}, ${c.onlyTheirs}, ${c.stateDiffers}, ${c.timing},
       ${c.closed}, ${run.finishedMs}, ${run.tookMs})`,
  );
}

/** What was compared of a date: with the platform's parties, and with the channels, whose files are of all platforms. */
export async function runsOf(tx: Tx, platformId: Id, date: BusinessDate): Promise<Run[]> {
  const rows = await tx.rows<RunRow>(
    `SELECT * FROM reconciliation_runs WHERE platform_id IN (?, ${NOBODY}) AND business_date = ? ORDER BY party`,
    [platformId, date],
  );
  return rows.map(runOf);
}

/** The last date of which a channel's file was compared. */
export async function lastRunOf(tx: Tx, party: Party): Promise<BusinessDate | undefined> {
  const [row] = await tx.rows<{ last: BusinessDate | null }>(
    'SELECT MAX(business_date) AS last FROM reconciliation_runs WHERE party = ?',
    [party],
  );
  return row?.last ?? undefined;
}

/** The dates, from one on, of which a channel's file was compared. */
export async function datesOfRuns(tx: Tx, party: Party, from: BusinessDate): Promise<Set<BusinessDate>> {
  const rows = await tx.rows<{ business_date: BusinessDate }>(
    'SELECT business_date FROM reconciliation_runs WHERE party = ? AND business_date >= ?',
    [party, from],
  );
  return new Set(rows.map((row) => row.business_date));
}

function runOf(row: RunRow): Run {
  return {
    party: row.party,
    platformId: row.platform_id === NOBODY ? null : asId(row.platform_id),
    businessDate: row.business_date,
    digest: row.digest,
    ourLines: Number(row.our_lines),
    theirLines: Number(row.their_lines),
    ourSum: BigInt(row.our_sum),
    theirSum: BigInt(row.their_sum),
    matched: Number(row.matched),
    counts: {
      amountDiffers: Number(row.amount_differs),
      onlyOurs: Number(row.only_ours),
      onlyTheirs: Number(row.only_theirs),
      stateDiffers: Number(row.state_differs),
      timing: Number(row.timing),
      closed: Number(row.closed),
    },
    finishedMs: Number(row.finished_ms) as Instant,
    tookMs: Number(row.took_ms),
  };
}
