import { type Id, invariant, type Refusal, Refused, refuse } from '../../kernel/index.js';
import { takeCustomer } from '../../parties/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../../runtime/index.js';
import { newChange } from './ask.js';
import { lockElectronic, requireElectronic } from './standing.js';
import { type AccountChange, findChange, insertChange, moveChange } from './store.js';
import { takeNumber } from './verify.js';

/**
 * The way for a customer whose old number is gone, so that no code reaches him: one member of the bank's staff, who has identified him,
 * asks for the new number and says why, and another approves it.
 */
type Parts = Pick<Runtime, 'newId' | 'clock' | 'vault'>;

/** @throws Refused NOT_FOUND, ACCOUNT_CLOSED, CHANGE_UNDER_WAY */
export async function proposeMobile(
  tx: Tx,
  rt: Parts,
  of: { readonly account: Id; readonly mobile: string; readonly reason: string; readonly by: Id },
): Promise<AccountChange> {
  const account = await requireElectronic(tx, of.account);
  if (account.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
  const id = rt.newId();
  const contentHash = rt.vault.index('change', JSON.stringify(['mobile', of.account, of.mobile]));
  const change: AccountChange = {
    ...newChange({ id, account, kind: 'mobile', contentHash, nowMs: rt.clock.now() }),
    changeNo: null,
    toSealed: rt.vault.seal(of.mobile),
    state: 'proposed',
    asked: null,
    askedBy: of.by,
    reasonSealed: rt.vault.seal(of.reason),
  };
  try {
    await insertChange(tx, change);
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('CHANGE_UNDER_WAY'));
    throw error;
  }
  return change;
}

/**
 * Another member of staff says yes: the number changes in the same commit.
 * @throws Refused NOT_FOUND, CHANGE_DECIDED, SAME_OPERATOR, ACCOUNT_CLOSED, MOBILE_TAKEN
 */
export async function approveMobile(tx: Tx, rt: Parts, id: Id, by: Id): Promise<AccountChange> {
  const change = await proposed(tx, id);
  if (change.askedBy === by) throw new Refused(refuse('SAME_OPERATOR'));
  const { account, turn } = await lockElectronic(tx, rt, change.accountId);
  if (account.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED'));
  const customer = await takeCustomer(tx, change.customerId, rt.vault);
  invariant(customer, `the owner of account ${change.accountId} is there`);
  await takeNumber(tx, rt, customer, rt.vault.open(change.toSealed));
  return ended(tx, change, 'done', { nowMs: turn.nowMs, decidedBy: by });
}

/** Anybody of the staff may say no, whoever asked among them. @throws Refused NOT_FOUND, CHANGE_DECIDED */
export async function rejectMobile(tx: Tx, rt: Pick<Parts, 'clock'>, id: Id, by: Id): Promise<AccountChange> {
  const change = await proposed(tx, id);
  return ended(tx, change, 'refused', { nowMs: rt.clock.now(), decidedBy: by, refusal: refuse('STAFF_DECLINED') });
}

async function proposed(tx: Tx, id: Id): Promise<AccountChange> {
  const change = await findChange(tx, id);
  if (change === undefined || change.askedBy === null) throw new Refused(refuse('NOT_FOUND'));
  if (change.state !== 'proposed') throw new Refused(refuse('CHANGE_DECIDED'));
  return change;
}

async function ended(
  tx: Tx,
  change: AccountChange,
  state: 'done' | 'refused',
  move: { nowMs: AccountChange['nextMs']; decidedBy: Id; refusal?: Refusal },
): Promise<AccountChange> {
  if (!(await moveChange(tx, change.id, 'proposed', state, move))) throw new Refused(refuse('CHANGE_DECIDED'));
  return { ...change, state, decidedBy: move.decidedBy, decidedMs: move.nowMs, refusal: move.refusal ?? null };
}
