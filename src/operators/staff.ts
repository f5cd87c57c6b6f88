import { type Id, invariant, Refused, refuse } from '../kernel/index.js';
import {
  type AuditTrail,
  hashToken,
  type IncomingRequest,
  newToken,
  type OperatorCaller,
  type Runtime,
  type Tx,
} from '../runtime/index.js';
import { permissionsOf, type Role } from './rules.js';
import {
  bumpStaffVersion,
  insertAudit,
  insertOperator,
  insertToken,
  isAuditDone,
  listOperatorRows,
  type OperatorRow,
  readByToken,
  readOperator,
  revokeTokens,
  updateOperator,
} from './store.js';

/** The bank's staff: who they are, what they may do, and the trail of what they did. */
type Parts = Pick<Runtime, 'newId' | 'clock'>;

/** Tells which operator's token came. Tokens are looked up each time: a revoked one is refused at once. */
export function operatorAuthentication({ db }: Pick<Runtime, 'db'>) {
  return async ({ headers }: IncomingRequest): Promise<OperatorCaller> => {
    const token = /^Bearer (cgo_[A-Za-z0-9_-]{43})$/i.exec(headers.authorization ?? '')?.[1];
    const row = token && (await db.read('operator token', (tx) => readByToken(tx, hashToken(token))));
    if (!row) throw new Refused(refuse('TOKEN_INVALID'));
    return { kind: 'operator', operatorId: row.id, name: row.name, permissions: permissionsOf(row.roles) };
  };
}

/** Append-only; an entry of a change is committed with the change or not at all. */
export function auditTrail({ newId, clock }: Parts): AuditTrail {
  return {
    append: (tx, entry) => insertAudit(tx, { id: newId(), at: clock.wall(), ...entry }),
    isDone: (tx, requestId) => isAuditDone(tx, requestId),
  };
}

export async function createOperator(
  tx: Tx,
  operator: { name: string; roles: readonly Role[] },
  { newId, clock }: Parts,
): Promise<OperatorRow> {
  invariant(operator.roles.length > 0, 'an operator has a role');
  await bumpStaffVersion(tx);
  const row: OperatorRow = {
    id: newId(),
    name: operator.name,
    roles: [...new Set(operator.roles)].sort(),
    state: 'active',
    createdAt: clock.wall(),
  };
  await insertOperator(tx, row);
  return row;
}

/** A new token beside those the operator has. It is shown once: only its hash is kept. @throws Refused NOT_FOUND */
export async function issueToken(tx: Tx, operatorId: Id, { clock }: Pick<Parts, 'clock'>): Promise<string> {
  const row = await readOperator(tx, operatorId);
  if (row?.state !== 'active') throw new Refused(refuse('NOT_FOUND'));
  const token = newToken('cgo');
  await insertToken(tx, hashToken(token), operatorId, clock.wall());
  return token;
}

/** @throws Refused NOT_FOUND */
export async function revokeAllTokens(tx: Tx, operatorId: Id, { clock }: Pick<Parts, 'clock'>): Promise<void> {
  if (!(await readOperator(tx, operatorId))) throw new Refused(refuse('NOT_FOUND'));
  await revokeTokens(tx, operatorId, clock.wall());
}

/**
 * New roles or state. Disabling revokes the tokens.
 * @throws Refused NOT_FOUND, LAST_ADMINISTRATOR
 */
export async function changeOperator(
  tx: Tx,
  operatorId: Id,
  change: Partial<Pick<OperatorRow, 'roles' | 'state'>>,
  { clock }: Pick<Parts, 'clock'>,
): Promise<OperatorRow> {
  await bumpStaffVersion(tx);
  const staff = await listOperatorRows(tx);
  const before = staff.find((row) => row.id === operatorId);
  if (!before) throw new Refused(refuse('NOT_FOUND'));
  const after = { ...before, ...change };
  const left = staff.map((row) => (row.id === operatorId ? after : row)).filter(isAdministrator);
  if (isAdministrator(before) && left.length === 0) throw new Refused(refuse('LAST_ADMINISTRATOR'));
  await updateOperator(tx, after);
  if (after.state === 'disabled') await revokeTokens(tx, operatorId, clock.wall());
  return after;
}

function isAdministrator({ roles, state }: OperatorRow): boolean {
  return state === 'active' && roles.includes('administrator');
}
