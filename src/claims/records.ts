import { asId, type Id, type Instant, type Minor } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { Claim, ClaimKind, ClaimQueue } from './rules.js';
import type { DeductionState, DisputeState } from './states.js';

export interface ClaimRow {
  account_id: string;
  place: number;
  platform_id: string;
  kind: ClaimKind;
  ref_id: string;
  order_id: string | null;
  amount: string;
  let_go: string;
  taken: string;
  created_ms: string;
  ended_ms: string | null;
}

export function claimOf(row: ClaimRow): Claim {
  return {
    accountId: asId(row.account_id),
    place: row.place,
    platformId: asId(row.platform_id),
    kind: row.kind,
    refId: asId(row.ref_id),
    orderId: row.order_id === null ? null : asId(row.order_id),
    amount: BigInt(row.amount),
    letGo: BigInt(row.let_go),
    taken: BigInt(row.taken),
    createdMs: Number(row.created_ms) as Instant,
    endedMs: row.ended_ms === null ? null : (Number(row.ended_ms) as Instant),
  };
}

/** By account: the claims on it that have not ended. There for every account that is asked for. */
export const claimQueueRecords: RecordType<ClaimQueue> = {
  name: 'claim-queue',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<ClaimRow>(
      `SELECT * FROM claims WHERE account_id IN (${keys.join()}) AND ended_ms IS NULL ORDER BY account_id, place`,
    );
    const last = await tx.rows<{ account_id: string; place: number }>(
      `SELECT account_id, MAX(place) AS place FROM claims WHERE account_id IN (${keys.join()}) GROUP BY account_id`,
    );
    const places = new Map(last.map((row) => [row.account_id, row.place]));
    const found = new Map<string, ClaimQueue>();
    for (const key of keys) {
      const claims = rows.filter((row) => row.account_id === key).map(claimOf);
      found.set(key, { accountId: asId(key), lastPlace: places.get(key) ?? 0, claims });
    }
    return found;
  },
  saving(queues) {
    const rows = queues.flatMap(({ claims }) =>
      claims.map(
        (c) =>
          `${c.accountId},${c.place},${c.platformId},'${c.kind}',${c.refId},${c.orderId ?? 'NULL'},${c.amount},${c.letGo},${c.taken},` +
          `${c.createdMs},${c.endedMs ?? 'NULL'}`,
      ),
    );
    if (rows.length === 0) return undefined;
    return `INSERT INTO claims (account_id, place, platform_id, kind, ref_id, order_id, amount, let_go, taken, created_ms, ended_ms)
       VALUES ${sql.tuples(rows)}
       ON DUPLICATE KEY UPDATE let_go = VALUES(let_go), taken = VALUES(taken), ended_ms = VALUES(ended_ms)`;
  },
};

/** A dispute over what an order brought in: on the order's own money first, and for the rest on what a receiver got out of it. */
export interface Dispute {
  readonly id: Id;
  readonly platformId: Id;
  readonly orderId: Id;
  readonly orderNo: string;
  readonly receiverId: Id | null;
  readonly amount: Minor;
  readonly onOrder: Minor;
  readonly onReceiver: Minor;
  /** What went back from the receiver to the order when it was upheld. */
  readonly givenBack: Minor;
  /** Sealed, as the instruction that opened it is. */
  readonly reason: string;
  readonly state: DisputeState;
  /** The bank opened it, and nobody else ends it. */
  readonly ofBank: boolean;
  /** The first moment at which it ends by itself. */
  readonly deadlineMs: Instant;
  readonly openedMs: Instant;
  readonly endedMs: Instant | null;
}

interface DisputeRow {
  id: string;
  platform_id: string;
  order_id: string;
  order_no: string;
  receiver_id: string | null;
  amount: string;
  on_order: string;
  on_receiver: string;
  given_back: string;
  reason_sealed: string;
  state: DisputeState;
  of_bank: number;
  deadline_ms: string;
  opened_ms: string;
  ended_ms: string | null;
}

export function disputeOf(row: DisputeRow): Dispute {
  return {
    id: asId(row.id),
    platformId: asId(row.platform_id),
    orderId: asId(row.order_id),
    orderNo: row.order_no,
    receiverId: row.receiver_id === null ? null : asId(row.receiver_id),
    amount: BigInt(row.amount),
    onOrder: BigInt(row.on_order),
    onReceiver: BigInt(row.on_receiver),
    givenBack: BigInt(row.given_back),
    reason: row.reason_sealed,
    state: row.state,
    ofBank: Number(row.of_bank) === 1,
    deadlineMs: Number(row.deadline_ms) as Instant,
    openedMs: Number(row.opened_ms) as Instant,
    endedMs: row.ended_ms === null ? null : (Number(row.ended_ms) as Instant),
  };
}

export const disputeRecords: RecordType<Dispute> = {
  name: 'dispute',
  accountsOf: ({ orderId, receiverId }) => (receiverId === null ? [orderId] : [orderId, receiverId]),
  async load(tx, keys) {
    const rows = await tx.rows<DisputeRow>(`SELECT * FROM disputes WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, disputeOf(row)]));
  },
  saving(disputes) {
    const rows = disputes.map(
      (d) =>
        `${d.id},${d.platformId},${d.orderId},${sql.text(d.orderNo)},${d.receiverId ?? 'NULL'},${d.amount},${d.onOrder},${d.onReceiver},` +
        `${d.givenBack},${sql.text(d.reason)},'${d.state}',${d.ofBank ? 1 : 0},${d.deadlineMs},${d.openedMs},${d.endedMs ?? 'NULL'},` +
        `${d.state === 'open' ? d.deadlineMs : 'NULL'}`,
    );
    return `INSERT INTO disputes (id, platform_id, order_id, order_no, receiver_id, amount, on_order, on_receiver, given_back, reason_sealed, state, of_bank,
         deadline_ms, opened_ms, ended_ms, due_ms)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE given_back = VALUES(given_back), state = VALUES(state),
         ended_ms = VALUES(ended_ms), due_ms = VALUES(due_ms)`;
  },
};

/** Money that an authority takes out of what it had frozen. Whom it is paid to is sealed. */
export interface Deduction {
  readonly id: Id;
  readonly freezeId: Id;
  readonly accountId: Id;
  readonly platformId: Id;
  readonly documentNo: string;
  readonly amount: Minor;
  readonly payee: { readonly name: string; readonly account: string; readonly bankCode: string };
  readonly state: DeductionState;
  readonly askedBy: Id;
  readonly askedMs: Instant;
  readonly decidedBy: Id | null;
  readonly decidedMs: Instant | null;
  readonly instructionId: Id | null;
  readonly payoutId: Id | null;
}

export interface DeductionRow {
  id: string;
  freeze_id: string;
  account_id: string;
  platform_id: string;
  document_no: string;
  amount: string;
  payee_name_sealed: string;
  payee_account_sealed: string;
  payee_bank: string;
  state: DeductionState;
  asked_by: string;
  asked_ms: string;
  decided_by: string | null;
  decided_ms: string | null;
  instruction_id: string | null;
  payout_id: string | null;
}

const maybeId = (text: string | null): Id | null => (text === null ? null : asId(text));

export function deductionOf(row: DeductionRow): Deduction {
  return {
    id: asId(row.id),
    freezeId: asId(row.freeze_id),
    accountId: asId(row.account_id),
    platformId: asId(row.platform_id),
    documentNo: row.document_no,
    amount: BigInt(row.amount),
    payee: { name: row.payee_name_sealed, account: row.payee_account_sealed, bankCode: row.payee_bank },
    state: row.state,
    askedBy: asId(row.asked_by),
    askedMs: Number(row.asked_ms) as Instant,
    decidedBy: maybeId(row.decided_by),
    decidedMs: row.decided_ms === null ? null : (Number(row.decided_ms) as Instant),
    instructionId: maybeId(row.instruction_id),
    payoutId: maybeId(row.payout_id),
  };
}

export const deductionRecords: RecordType<Deduction> = {
  name: 'deduction',
  accountsOf: ({ accountId }) => [accountId],
  async load(tx, keys) {
    const rows = await tx.rows<DeductionRow>(`SELECT * FROM judicial_deductions WHERE id IN (${keys.join()})`);
    return new Map(rows.map((row) => [row.id, deductionOf(row)]));
  },
  saving(deductions) {
    const rows = deductions.map(
      (d) =>
        `${d.id},${d.freezeId},${d.accountId},${d.platformId},${sql.text(d.documentNo)},${d.amount},${sql.text(d.payee.name)},` +
        `${sql.text(d.payee.account)},${sql.text(d.payee.bankCode)},'${d.state}',${d.askedBy},${d.askedMs},${d.decidedBy ?? 'NULL'},` +
        `${d.decidedMs ?? 'NULL'},${d.instructionId ?? 'NULL'},${d.payoutId ?? 'NULL'}`,
    );
    return `INSERT INTO judicial_deductions (id, freeze_id, account_id, platform_id, document_no, amount, payee_name_sealed,
         payee_account_sealed, payee_bank, state, asked_by, asked_ms, decided_by, decided_ms, instruction_id, payout_id)
       VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE state = VALUES(state), decided_by = VALUES(decided_by),
         decided_ms = VALUES(decided_ms), instruction_id = VALUES(instruction_id), payout_id = VALUES(payout_id)`;
  },
};

/** When freezes end by themselves. Only the bank's staff changes that, under the shard's row. */
export const freezeEndRecords: RecordType<{ readonly dueMs: Instant }> = {
  name: 'freeze-end',
  accountsOf: () => [],
  async load(tx: Tx, keys) {
    const rows = await tx.rows<{ id: string; due_ms: string }>(
      `SELECT id, due_ms FROM judicial_freezes WHERE id IN (${keys.join()}) AND due_ms IS NOT NULL`,
    );
    return new Map(rows.map((row) => [row.id, { dueMs: Number(row.due_ms) as Instant }]));
  },
  saving: () => {
    throw new Error('the staff says when a freeze ends');
  },
};

/** By payout: the freeze whose money it carries away. Read here, written with the deductions. */
export const freezeOfPayoutRecords: RecordType<{ readonly freezeId: Id }> = {
  name: 'freeze-of-payout',
  accountsOf: () => [],
  async load(tx: Tx, keys) {
    const rows = await tx.rows<{ payout_id: string; freeze_id: string }>(
      `SELECT payout_id, freeze_id FROM judicial_deductions WHERE payout_id IN (${keys.join()})`,
    );
    return new Map(rows.map((row) => [row.payout_id, { freezeId: asId(row.freeze_id) }]));
  },
  saving: () => {
    throw new Error('the deduction tells which freeze a payout belongs to');
  },
};
