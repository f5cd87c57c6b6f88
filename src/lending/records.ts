import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql } from '../runtime/index.js';
import type { RepaymentMethod } from './plan.js';
import type { Bid, Claim, Compensation, FundingMode, Project } from './rules.js';
import type { ProjectState } from './states.js';

export interface ProjectRow {
  id: string;
  platform_id: string;
  project_no: string;
  content_hash: Buffer;
  borrower_index: Buffer;
  borrower_id: string;
  guarantor_id: string | null;
  payee_id: string | null;
  amount: string;
  months: number;
  rate: string;
  penalty_rate: string;
  method: RepaymentMethod;
  lend_fee: number;
  interest_fee: number;
  lender_min: string | null;
  lender_max: string | null;
  raise_until_ms: string;
  mode: FundingMode;
  purpose: string;
  state: ProjectState;
  raised: string;
  bids: number;
  claims: number;
  lent_on: BusinessDate | null;
  plan_principal: string;
  plan_behind: number;
  next_no: number;
  paid_principal: string;
  paid_interest: string;
  paid_penalty: string;
  overdue_product: string;
  overdue_to: BusinessDate | null;
  principal_left: string;
  unrecovered: string;
  turn: number;
  due_ms: string | null;
  created_ms: string;
  ended_ms: string | null;
}

const maybeId = (text: string | null): Id | null => (text === null ? null : asId(text));
const moment = (text: string | null): Instant | null => (text === null ? null : (Number(text) as Instant));
const maybeMinor = (text: string | null): Minor | null => (text === null ? null : BigInt(text));

export function projectOf(row: ProjectRow): Project {
  return {
    ...{ id: asId(row.id), platformId: asId(row.platform_id), projectNo: row.project_no, contentHash: row.content_hash },
    ...{ borrowerIndex: row.borrower_index, borrower: asId(row.borrower_id), guarantor: maybeId(row.guarantor_id) },
    ...{ payee: maybeId(row.payee_id), amount: BigInt(row.amount), months: Number(row.months), rate: BigInt(row.rate) },
    ...{ penaltyRate: BigInt(row.penalty_rate), method: row.method, lendFee: Number(row.lend_fee) },
    ...{ interestFee: Number(row.interest_fee), lenderMin: maybeMinor(row.lender_min), lenderMax: maybeMinor(row.lender_max) },
    ...{ raiseUntilMs: Number(row.raise_until_ms) as Instant, mode: row.mode, purpose: row.purpose, state: row.state },
    ...{ raised: BigInt(row.raised), bids: Number(row.bids), claims: Number(row.claims), lentOn: row.lent_on },
    loan: {
      ...{ planPrincipal: BigInt(row.plan_principal), planBehind: Number(row.plan_behind), next: Number(row.next_no) },
      ...{ paidPrincipal: BigInt(row.paid_principal), paidInterest: BigInt(row.paid_interest) },
      ...{ paidPenalty: BigInt(row.paid_penalty), overdueProduct: BigInt(row.overdue_product), overdueTo: row.overdue_to },
    },
    ...{ left: BigInt(row.principal_left), unrecovered: BigInt(row.unrecovered), turn: Number(row.turn) },
    ...{ dueMs: moment(row.due_ms), createdMs: Number(row.created_ms) as Instant, endedMs: moment(row.ended_ms) },
  };
}

const COLUMNS = `id, platform_id, project_no, content_hash, borrower_index, borrower_id, guarantor_id, payee_id, amount, months, rate, penalty_rate,
  method, lend_fee, interest_fee, lender_min, lender_max, raise_until_ms, mode, purpose, state, raised, bids, claims, lent_on, plan_principal,
  plan_behind, next_no, paid_principal, paid_interest, paid_penalty, overdue_product, overdue_to, principal_left, unrecovered, turn, due_ms,
  created_ms, ended_ms`;

const orNull = (value: unknown): string => (value === null ? 'NULL' : String(value));
const dateOrNull = (date: BusinessDate | null): string => (date === null ? 'NULL' : `'${date}'`);

function valuesOf(p: Project): string {
  const { loan } = p;
  return [
    ...[p.id, p.platformId, sql.text(p.projectNo), sql.hex(p.contentHash), sql.hex(p.borrowerIndex), p.borrower],
    ...[orNull(p.guarantor), orNull(p.payee), p.amount, p.months, p.rate, p.penaltyRate, sql.text(p.method), p.lendFee],
    ...[p.interestFee, orNull(p.lenderMin), orNull(p.lenderMax), p.raiseUntilMs, sql.text(p.mode), sql.text(p.purpose)],
    ...[sql.text(p.state), p.raised, p.bids, p.claims, dateOrNull(p.lentOn), loan.planPrincipal, loan.planBehind, loan.next],
    ...[loan.paidPrincipal, loan.paidInterest, loan.paidPenalty, loan.overdueProduct, dateOrNull(loan.overdueTo), p.left],
    ...[p.unrecovered, p.turn, orNull(p.dueMs), p.createdMs, orNull(p.endedMs)],
  ].join();
}

/** @returns the statement; it fails where the platform used the number before */
export const inserting = (projects: readonly Project[]): string =>
  `INSERT INTO lending_projects (${COLUMNS}) VALUES ${sql.tuples(projects.map(valuesOf))}`;

const MOVES = [
  ...['state', 'raised', 'bids', 'claims', 'lent_on', 'plan_principal', 'plan_behind', 'next_no', 'paid_principal'],
  ...[
    'paid_interest',
    'paid_penalty',
    'overdue_product',
    'overdue_to',
    'principal_left',
    'unrecovered',
    'turn',
    'due_ms',
    'ended_ms',
  ],
]
  .map((column) => `${column} = VALUES(${column})`)
  .join(', ');

/** The key of a project among records. */
export function projectKey(platformId: Id, projectNo: string): string {
  return `${platformId}/${projectNo}`;
}

/** By platform and its number of the project. Registered by the route; the engine only carries it on. */
export const projectRecords: RecordType<Project> = {
  name: 'project',
  accountsOf: ({ borrower, guarantor, payee }) => [borrower, guarantor, payee].flatMap((id) => id ?? []),
  async load(tx, keys) {
    const pairs = keys.map((key) => `${key.slice(0, 19)},${sql.text(key.slice(20))}`);
    const rows = await tx.rows<ProjectRow>(
      `SELECT * FROM lending_projects WHERE (platform_id, project_no) IN (${sql.tuples(pairs)})`,
    );
    return new Map(rows.map((row) => [projectKey(asId(row.platform_id), row.project_no), projectOf(row)]));
  },
  saving: (projects) => `${inserting(projects)} ON DUPLICATE KEY UPDATE ${MOVES}`,
};

export interface BidRow {
  id: string;
  platform_id: string;
  project_id: string;
  project_no: string;
  account_id: string;
  own: string;
  marketing: string;
  cancelled: string;
  state: Bid['state'];
  created_ms: string;
}

export function bidOf(row: BidRow): Bid {
  return {
    ...{ id: asId(row.id), platformId: asId(row.platform_id), projectId: asId(row.project_id), projectNo: row.project_no },
    ...{
      account: asId(row.account_id),
      own: BigInt(row.own),
      marketing: BigInt(row.marketing),
      cancelled: BigInt(row.cancelled),
      state: row.state,
    },
    createdMs: Number(row.created_ms) as Instant,
  };
}

/** By the instruction that placed the bid. */
export const bidRecords: RecordType<Bid> = {
  name: 'bid',
  accountsOf: ({ account }) => [account],
  async load(tx, keys) {
    const rows = await tx.rows<BidRow>(`SELECT * FROM lending_bids WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, bidOf(row)]));
  },
  saving(bids) {
    const rows = bids.map(
      (b) =>
        `${b.id},${b.platformId},${b.projectId},${sql.text(b.projectNo)},${b.account},${b.own},${b.marketing},${b.cancelled},'${b.state}',${b.createdMs}`,
    );
    return `INSERT INTO lending_bids (id, platform_id, project_id, project_no, account_id, own, marketing, cancelled, state, created_ms)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE own = VALUES(own), marketing = VALUES(marketing), cancelled = VALUES(cancelled), state = VALUES(state)`;
  },
};

/** All that is offered to one project now. */
export interface OpenBids {
  readonly projectId: Id;
  readonly bids: readonly Bid[];
}

/** By project, in the order of the bids; there is always one, and it may be empty. What is saved are the bids. */
export const openBidRecords: RecordType<OpenBids> = {
  name: 'open-bids',
  accountsOf: ({ bids }) => bids.map(({ account }) => account),
  async load(tx, keys) {
    const rows = await tx.rows<BidRow>(
      `SELECT * FROM lending_bids WHERE project_id IN (${keys.join()}) AND state = 'open' ORDER BY id`,
    );
    const found = new Map<string, { projectId: Id; bids: Bid[] }>(keys.map((key) => [key, { projectId: asId(key), bids: [] }]));
    for (const row of rows) found.get(row.project_id)?.bids.push(bidOf(row));
    return found;
  },
  saving: () => undefined,
  sumsUp: {
    type: bidRecords,
    keyOf: (bid: Bid) => bid.projectId,
    changed(all, _before, after: Bid) {
      const others = all.bids.filter(({ id }) => id !== after.id);
      if (after.state !== 'open') return { ...all, bids: others };
      return { ...all, bids: [...others, after].sort((one, other) => (BigInt(one.id) < BigInt(other.id) ? -1 : 1)) };
    },
  },
};

/** All claims on one project. */
export interface Claims {
  readonly projectId: Id;
  readonly claims: readonly Claim[];
}

export interface ClaimRow {
  id: string;
  project_id: string;
  place: number;
  account_id: string;
  principal: string;
  principal_left: string;
  earned: string;
  turn: number;
}

export function claimOf(row: ClaimRow): Claim {
  return {
    ...{ id: asId(row.id), no: Number(row.place), account: asId(row.account_id), principal: BigInt(row.principal) },
    ...{ left: BigInt(row.principal_left), earned: BigInt(row.earned), turn: Number(row.turn) },
  };
}

/** By project, in the order of their places; there is always one, and it may be empty. */
export const claimRecords: RecordType<Claims> = {
  name: 'claims',
  accountsOf: ({ claims }) => claims.flatMap(({ account, left }) => (left > 0n ? [account] : [])),
  async load(tx, keys) {
    const rows = await tx.rows<ClaimRow>(
      `SELECT * FROM lending_claims WHERE project_id IN (${keys.join()}) ORDER BY project_id, place`,
    );
    const found = new Map<string, { projectId: Id; claims: Claim[] }>(
      keys.map((key) => [key, { projectId: asId(key), claims: [] }]),
    );
    for (const row of rows) found.get(row.project_id)?.claims.push(claimOf(row));
    return found;
  },
  saving(all) {
    const rows = all.flatMap(({ projectId, claims }) =>
      claims.map((c) => `${c.id},${projectId},${c.no},${c.account},${c.principal},${c.left},${c.earned},${c.turn}`),
    );
    if (rows.length === 0) return undefined;
    return `INSERT INTO lending_claims (id, project_id, place, account_id, principal, principal_left, earned, turn) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE principal = VALUES(principal), principal_left = VALUES(principal_left), earned = VALUES(earned), turn = VALUES(turn)`;
  },
};

/** What others paid for the borrower of one project. */
export interface Compensations {
  readonly projectId: Id;
  readonly paid: readonly Compensation[];
}

interface CompensationRow {
  id: string;
  project_id: string;
  payer_id: string;
  way: Compensation['way'];
  amount: string;
  recovered: string;
}

/** By project, the oldest first; there is always one, and it may be empty. */
export const compensationRecords: RecordType<Compensations> = {
  name: 'compensations',
  accountsOf: ({ paid }) => paid.map(({ payer }) => payer),
  async load(tx, keys) {
    const rows = await tx.rows<CompensationRow>(
      `SELECT * FROM lending_compensations WHERE project_id IN (${keys.join()}) ORDER BY id`,
    );
    const found = new Map<string, { projectId: Id; paid: Compensation[] }>(
      keys.map((key) => [key, { projectId: asId(key), paid: [] }]),
    );
    for (const row of rows) {
      const { way, amount, recovered } = row;
      const one = { id: asId(row.id), payer: asId(row.payer_id), way, amount: BigInt(amount), recovered: BigInt(recovered) };
      found.get(row.project_id)?.paid.push(one);
    }
    return found;
  },
  saving(all) {
    const rows = all.flatMap(({ projectId, paid }) =>
      paid.map((c) => `${c.id},${projectId},${c.payer},'${c.way}',${c.amount},${c.recovered}`),
    );
    if (rows.length === 0) return undefined;
    return `INSERT INTO lending_compensations (id, project_id, payer_id, way, amount, recovered) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE recovered = VALUES(recovered)`;
  },
};

/** By account: how many projects and claims that are not over still need it. Whoever registers a project holds the shard's row. */
export const lendingOnRecords: RecordType<{ readonly open: number }> = {
  name: 'lending-on-account',
  accountsOf: () => [],
  async load(tx, keys) {
    const within = keys.join();
    const rows = await tx.rows<{ account_id: string; open: string }>(
      `SELECT account_id, SUM(open) AS open FROM (
         SELECT a.account_id, COUNT(*) AS open FROM lending_parties AS a JOIN lending_projects AS p ON p.id = a.project_id
         WHERE a.account_id IN (${within}) AND (p.ended_ms IS NULL OR p.unrecovered > 0) GROUP BY a.account_id
         UNION ALL
         SELECT account_id, COUNT(*) FROM lending_claims WHERE account_id IN (${within}) AND principal_left > 0 GROUP BY account_id
       ) AS needed GROUP BY account_id`,
    );
    const open = new Map(rows.map((row) => [row.account_id, Number(row.open)]));
    return new Map(keys.map((key) => [key, { open: open.get(key) ?? 0 }]));
  },
  saving: () => undefined,
};
