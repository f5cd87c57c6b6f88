import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { type Payout, payoutRecords } from '../payouts/index.js';
import { sql } from '../runtime/index.js';
import { type Counts, minuteOf, type Reason, type ReviewRule } from './rules.js';
import type { ReviewState } from './states.js';

/** Money that is held for a review. */
export interface ReviewHold {
  readonly instruction: Id;
  readonly accountId: Id;
  readonly platformId: Id;
  readonly amount: Minor;
  readonly open: boolean;
}

/**
 * Whom an executed instruction concerns: what is counted up then, and who may be paid. Told when it is asked, since it may be decided by
 * other facts.
 */
export interface LookedAt {
  readonly subjects: readonly Id[];
  readonly pairs: readonly string[];
  /** Who would be paid: accounts of the book, and of one outside the blind indexes. Executed it pays nobody else. */
  readonly payees: readonly string[];
}

/** An instruction that two people look at. */
export interface Review {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly shardId: number;
  readonly kind: string;
  readonly state: ReviewState;
  /** What it takes from customers and the platform; minor units. */
  readonly amount: Minor;
  readonly reasons: readonly Reason[];
  readonly lookedAt: LookedAt;
  readonly onDeadline: ReviewRule['onDeadline'];
  readonly askedMs: Instant;
  readonly dueMs: Instant;
  readonly decidedMs: Instant | null;
  readonly held: readonly ReviewHold[];
}

export interface ReviewRow {
  instruction_id: string;
  platform_id: string;
  shard_id: number;
  kind: string;
  state: ReviewState;
  amount: string;
  reasons: string;
  looked_at: string;
  on_deadline: ReviewRule['onDeadline'];
  asked_ms: string;
  due_ms: string;
  decided_ms: string | null;
}

export interface HoldRow {
  instruction_id: string;
  account_id: string;
  platform_id: string;
  amount: string;
  open_of: string | null;
}

export function reviewOf(row: ReviewRow, holds: readonly HoldRow[]): Review {
  return {
    instruction: asId(row.instruction_id),
    platformId: asId(row.platform_id),
    shardId: row.shard_id,
    kind: row.kind,
    state: row.state,
    amount: BigInt(row.amount),
    reasons: JSON.parse(row.reasons) as Reason[],
    lookedAt: JSON.parse(row.looked_at) as LookedAt,
    onDeadline: row.on_deadline,
    askedMs: Number(row.asked_ms) as Instant,
    dueMs: Number(row.due_ms) as Instant,
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    held: holds.filter((hold) => hold.instruction_id === row.instruction_id).map(holdOf),
  };
}

function holdOf(row: HoldRow): ReviewHold {
  return {
    instruction: asId(row.instruction_id),
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    amount: BigInt(row.amount),
    open: row.open_of !== null,
  };
}

/** By the instruction's id. The engine writes a review when it asks for one; what people decide is written where they do. */
export const reviewRecords: RecordType<Review> = {
  name: 'review',
  accountsOf: ({ held }) => held.map(({ accountId }) => accountId),
  async load(tx, keys) {
    const within = `instruction_id IN (${keys.join()})`;
    const rows = await tx.rows<ReviewRow>(`SELECT * FROM reviews WHERE ${within}`);
    if (rows.length === 0) return new Map();
    const holds = await tx.rows<HoldRow>(`SELECT * FROM review_holds WHERE ${within} ORDER BY instruction_id, account_id`);
    return new Map(rows.map((row) => [row.instruction_id, reviewOf(row, holds)]));
  },
  saving(reviews) {
    const rows = reviews.map(
      (r) =>
        `${r.instruction},${r.platformId},${r.shardId},${sql.text(r.kind)},'${r.state}',${r.amount},${sql.text(JSON.stringify(r.reasons))},` +
        `${sql.text(JSON.stringify(r.lookedAt))},'${r.onDeadline}',${r.askedMs},${r.dueMs},${r.state === 'open' ? r.dueMs : 'NULL'},${r.decidedMs ?? 'NULL'}`,
    );
    return `INSERT INTO reviews (instruction_id, platform_id, shard_id, kind, state, amount, reasons, looked_at, on_deadline, asked_ms, due_ms,
         due_open_ms, decided_ms) VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE instruction_id = VALUES(instruction_id)`;
  },
};

export const reviewHoldRecords: RecordType<ReviewHold> = {
  name: 'review-hold',
  accountsOf: () => [],
  load: async () => new Map(), // they are read with their review
  saving(holds) {
    const rows = holds.map(
      (hold) => `${hold.instruction},${hold.accountId},${hold.platformId},${hold.amount},${hold.open ? hold.accountId : 'NULL'}`,
    );
    return `INSERT INTO review_holds (instruction_id, account_id, platform_id, amount, open_of) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE open_of = VALUES(open_of)`;
  },
};

/** That a review was asked for stands in the audit trail like what people decide; nobody of the staff did it. */
export const reviewAskedRecords: RecordType<Pick<Review, 'instruction' | 'askedMs' | 'reasons'>> = {
  name: 'review-asked',
  accountsOf: () => [],
  load: async () => new Map(), // it is written once
  saving(asked) {
    const rows = asked.map(
      ({ instruction, askedMs, reasons }) =>
        `${instruction},0,'review asked','review ins_${instruction}',${sql.text(JSON.stringify({ reasons }))},'done',${askedMs},'review:${instruction}'`,
    );
    return `INSERT INTO audit_entries (id, operator_id, action, target, detail, outcome, at_ms, request_id) VALUES ${sql.tuples(rows)}`;
  },
};

/** Whether a payer has paid somebody; there for every pair that is asked for. */
export interface Payee {
  readonly key: string;
  readonly seen: boolean;
  readonly platformId: Id | undefined;
}

/** @param payee an account of the book, or the blind index of one outside */
export function payeeKey(payer: Id, payee: string): string {
  return `${payer}/${payee}`;
}

export const payeeRecords: RecordType<Payee> = {
  name: 'review-payee',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, Payee>(keys.map((key) => [key, { key, seen: false, platformId: undefined }]));
    const rows = await tx.rows<{ payer_id: string; payee: string; platform_id: string }>(
      `SELECT payer_id, payee, platform_id FROM review_payees WHERE (payer_id, payee) IN (${sql.tuples(keys.map(pairOf))})`,
    );
    for (const row of rows) {
      const key = payeeKey(asId(row.payer_id), row.payee);
      found.set(key, { key, seen: true, platformId: asId(row.platform_id) });
    }
    return found;
  },
  saving(payees) {
    const rows = payees.map(({ key, platformId }) => `${pairOf(key)},${platformId}`);
    return `INSERT INTO review_payees (payer_id, payee, platform_id) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE payee = VALUES(payee)`;
  },
};

const pairOf = (key: string) => `${key.slice(0, key.indexOf('/'))},${sql.text(key.slice(key.indexOf('/') + 1))}`;

const DAY_MINUTES = 1_440;

export function countsKey(subject: Id, kind: string, minute: number): string {
  return `${subject}/${kind}/${minute - DAY_MINUTES}`;
}

/** By subject, kind and the first minute that is looked at: a day's. There for every key that is asked for. */
export const countsRecords: RecordType<Counts> = {
  name: 'review-counts',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, Counts>();
    const asked = keys.map((key) => key.split('/') as [string, string, string]);
    const from = Math.min(...asked.map(([, , minute]) => Number(minute)));
    const pairs = asked.map(([subject, kind]) => `${subject},${sql.text(kind)}`);
    const rows = await tx.rows<{ subject_id: string; kind: string; minute: string; times: number; amount: string }>(
      `SELECT * FROM review_counts WHERE (subject_id, kind) IN (${sql.tuples(pairs)}) AND minute >= ${from}`,
    );
    for (const [subject, kind, minute] of asked) {
      const own = rows.filter((row) => row.subject_id === subject && row.kind === kind);
      const minutes = new Map(own.map((row) => [Number(row.minute), { times: row.times, amount: BigInt(row.amount) }]));
      found.set(`${subject}/${kind}/${minute}`, { subjectId: asId(subject), kind, minutes });
    }
    return found;
  },
  saving(counts) {
    // Only the newest minute is ever counted up.
    const rows = counts.map(({ subjectId, kind, minutes }) => {
      const minute = Math.max(...minutes.keys());
      const { times, amount } = minutes.get(minute) ?? { times: 0, amount: 0n };
      return `${subjectId},${sql.text(kind)},${minute},${times},${amount}`;
    });
    return `INSERT INTO review_counts (subject_id, kind, minute, times, amount) VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE times = VALUES(times), amount = VALUES(amount)`;
  },
};

/** The account outside to which an account last paid out; null: it never did. There for every account that is asked for. */
export interface LastPayout {
  readonly accountId: Id;
  /** Sealed. */
  readonly payee: Payout['payee'] | null;
}

const PAYS_OUT = ['withdrawal', 'clearing', 'closing'];

export const lastPayoutRecords: RecordType<LastPayout> = {
  name: 'last-payout',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, LastPayout>(keys.map((key) => [key, { accountId: asId(key), payee: null }]));
    const rows = await tx.rows<{ source_account_id: string; payee_name: string; payee_account: string; payee_bank: string }>(
      `SELECT p.source_account_id, p.payee_name, p.payee_account, p.payee_bank FROM payouts AS p JOIN
         (SELECT MAX(id) AS id FROM payouts WHERE source_account_id IN (${keys.join()}) AND state NOT IN ('failed', 'returned')
            AND purpose IN (${PAYS_OUT.map((purpose) => `'${purpose}'`).join()}) GROUP BY source_account_id) AS last ON last.id = p.id`,
    );
    for (const row of rows) {
      const payee = { name: row.payee_name, account: row.payee_account, bankCode: row.payee_bank };
      found.set(row.source_account_id, { accountId: asId(row.source_account_id), payee });
    }
    return found;
  },
  sumsUp: {
    type: payoutRecords,
    keyOf: (payout: Payout) => payout.sourceAccountId,
    changed: (row: LastPayout, before: Payout | undefined, { purpose, payee }: Payout) =>
      before === undefined && PAYS_OUT.includes(purpose) ? { ...row, payee } : row,
  },
  saving: () => undefined,
};

/** Whether somebody stands on the watch list: by his account, or by `name:` and the blind index of his name. There for all that is asked. */
export interface Listed {
  readonly key: string;
  readonly listed: boolean;
}

export const listedRecords: RecordType<Listed> = {
  name: 'review-listed',
  accountsOf: () => [],
  async load(tx, keys) {
    const accounts = keys.filter((key) => !key.startsWith('name:'));
    const names = keys.filter((key) => key.startsWith('name:')).map((key) => key.slice(5));
    const hits = new Set<string>();
    // A customer whom the list stopped, until staff has found that it is not he; and a sub-merchant with a number on it.
    if (accounts.length > 0)
      for (const { id } of await tx.rows<{ id: string }>(
        `SELECT e.account_id AS id FROM electronic_accounts AS e JOIN customers AS c ON c.id = e.customer_id
           WHERE e.account_id IN (${accounts.join()}) AND c.stopped = 'watch-list'
         UNION SELECT m.account_id FROM sub_merchants AS m JOIN parties AS p ON p.id = m.party_id
           JOIN watch_entries AS w ON w.id_index = p.id_index AND w.id_type = p.id_type WHERE m.account_id IN (${accounts.join()})`,
      ))
        hits.add(id);
    if (names.length > 0)
      for (const { name } of await tx.rows<{ name: string }>(
        `SELECT LOWER(HEX(name_index)) AS name FROM watch_entries WHERE name_index IN (${names.map((name) => `x'${name}'`).join()})`,
      ))
        hits.add(`name:${name}`);
    return new Map(keys.map((key) => [key, { key, listed: hits.has(key) }]));
  },
  saving: () => undefined,
};

/** What is counted is kept for two days; a window is a day at most. */
export function oldestKeptMinute(nowMs: Instant): number {
  return minuteOf(nowMs) - 2 * DAY_MINUTES;
}
