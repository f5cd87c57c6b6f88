import { asId, type Id, type Instant, instantOf } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { type Role, rolesOf, rolesToText } from './rules.js';

export type OperatorState = 'active' | 'disabled';

export interface OperatorRow {
  readonly id: Id;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly state: OperatorState;
  readonly createdAt: Instant;
}

export interface AuditRow {
  readonly id: Id;
  readonly operatorId: Id;
  readonly action: string;
  readonly target: string;
  /** JSON. */
  readonly detail: string;
  readonly outcome: string;
  readonly at: Instant;
  readonly requestId: string;
}

interface RawOperator {
  id: string;
  name: string;
  roles: string;
  state: OperatorState;
  created_ms: string;
}

function operatorOf(row: RawOperator): OperatorRow {
  return {
    id: asId(row.id),
    name: row.name,
    roles: rolesOf(row.roles),
    state: row.state,
    createdAt: instantOf(Number(row.created_ms)),
  };
}

/**
 * Makes changes of staff one after another: every change writes this row, so two administrators who remove each other at
 * the same moment meet here, also where row locks do not cross the nodes of a cluster.
 */
export async function bumpStaffVersion(tx: Tx): Promise<void> {
  await tx.write("INSERT INTO counters (name, value) VALUES ('staff', 0) ON DUPLICATE KEY UPDATE value = value + 1");
}

export async function insertOperator(tx: Tx, row: OperatorRow): Promise<void> {
  await tx.write('INSERT INTO operators (id, name, roles, state, created_ms) VALUES (?, ?, ?, ?, ?)', [
    row.id,
    row.name,
    rolesToText(row.roles),
    row.state,
    row.createdAt,
  ]);
}

export async function updateOperator(tx: Tx, row: OperatorRow): Promise<void> {
  await tx.write('UPDATE operators SET roles = ?, state = ? WHERE id = ?', [rolesToText(row.roles), row.state, row.id]);
}

export async function readOperator(tx: Tx, id: Id): Promise<OperatorRow | undefined> {
  const [row] = await tx.rows<RawOperator>('SELECT * FROM operators WHERE id = ?', [id]);
  return row && operatorOf(row);
}

/** Staff is few: all of it, oldest first. */
export async function listOperatorRows(tx: Tx): Promise<OperatorRow[]> {
  return (await tx.rows<RawOperator>('SELECT * FROM operators ORDER BY id')).map(operatorOf);
}

export async function insertToken(tx: Tx, tokenHash: Buffer, operatorId: Id, createdAt: Instant): Promise<void> {
  await tx.write('INSERT INTO operator_tokens (token_hash, operator_id, created_ms) VALUES (?, ?, ?)', [
    tokenHash,
    operatorId,
    createdAt,
  ]);
}

export async function revokeTokens(tx: Tx, operatorId: Id, at: Instant): Promise<void> {
  await tx.write('UPDATE operator_tokens SET revoked_ms = ? WHERE operator_id = ? AND revoked_ms IS NULL', [at, operatorId]);
}

/** The active operator behind a live token. */
export async function readByToken(tx: Tx, tokenHash: Buffer): Promise<OperatorRow | undefined> {
  const [row] = await tx.rows<RawOperator>(
    `SELECT o.* FROM operator_tokens t JOIN operators o ON o.id = t.operator_id
     WHERE t.token_hash = ? AND t.revoked_ms IS NULL AND o.state = 'active'`,
    [tokenHash],
  );
  return row && operatorOf(row);
}

export async function insertAudit(tx: Tx, row: AuditRow): Promise<void> {
  await tx.write(
    'INSERT INTO audit_entries (id, operator_id, action, target, detail, outcome, at_ms, request_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    [row.id, row.operatorId, row.action, row.target, row.detail, row.outcome, row.at, row.requestId],
  );
}

export async function isAuditDone(tx: Tx, requestId: string): Promise<boolean> {
  return (await tx.rows("SELECT id FROM audit_entries WHERE request_id = ? AND outcome = 'done'", [requestId])).length > 0;
}

/** Newest first, those before `before`. */
export async function listAuditRows(tx: Tx, before: Id, limit: number, operatorId?: Id): Promise<AuditRow[]> {
  const where = operatorId === undefined ? 'id < ?' : 'id < ? AND operator_id = ?';
  const rows = await tx.rows<
    Record<'id' | 'operator_id' | 'action' | 'target' | 'detail' | 'outcome' | 'at_ms' | 'request_id', string>
  >(`SELECT * FROM audit_entries WHERE ${where} ORDER BY id DESC LIMIT ?`, [
    before,
    ...(operatorId === undefined ? [] : [operatorId]),
    limit,
  ]);
  return rows.map((row) => ({
    id: asId(row.id),
    operatorId: asId(row.operator_id),
    action: row.action,
    target: row.target,
    detail: row.detail,
    outcome: row.outcome,
    at: instantOf(Number(row.at_ms)),
    requestId: row.request_id,
  }));
}
