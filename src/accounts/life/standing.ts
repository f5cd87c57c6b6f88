import { type Id, invariant, Refused, refuse, toWire } from '../../kernel/index.js';
import { lockShard, type ShardTurn } from '../../ledger/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { requireBook } from '../book.js';
import { type ElectronicAccount, electronicRecords } from '../electronic.js';
import { setAlive, setElectronicState, setFaceToFace } from './store.js';

type Parts = Pick<Runtime, 'clock'>;

/** @param owner the platform that asks; absent for the bank's staff. @throws Refused NOT_FOUND, also for another platform's */
export async function requireElectronic(tx: Tx, id: Id, owner?: Id): Promise<ElectronicAccount> {
  const account = (await electronicRecords.load(tx, [id])).get(id);
  if (account === undefined || (owner !== undefined && account.platformId !== owner)) throw new Refused(refuse('NOT_FOUND'));
  return account;
}

/** The account as it is while no batch is decided on its shard. @throws Refused NOT_FOUND */
export async function lockElectronic(
  tx: Tx,
  { clock }: Parts,
  id: Id,
): Promise<{ readonly account: ElectronicAccount; readonly turn: ShardTurn }> {
  const { platformId } = await requireElectronic(tx, id);
  const { shardId } = await requireBook(tx, platformId);
  const turn = await lockShard(tx, shardId, clock.now());
  return { account: await requireElectronic(tx, id), turn };
}

/** One that is closed, or being closed, does not change any more. @throws Refused ACCOUNT_CLOSED, ACCOUNT_CLOSING */
function assertOpen({ accountId, state }: ElectronicAccount): void {
  const fields = { account: toWire('account', accountId) };
  if (state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED', undefined, fields));
  if (state === 'closing') throw new Refused(refuse('ACCOUNT_CLOSING', undefined, fields));
}

/**
 * Blocks an account (止付), or ends it. From the commit on nothing comes in or leaves but what must come back. Doing it twice changes
 * nothing.
 * @throws Refused NOT_FOUND, ACCOUNT_CLOSED, ACCOUNT_CLOSING
 */
export async function setBlocked(tx: Tx, rt: Parts, id: Id, blocked: boolean): Promise<ElectronicAccount> {
  const { account } = await lockElectronic(tx, rt, id);
  assertOpen(account);
  const to = blocked ? 'blocked' : 'active';
  if (account.state === to) return account;
  const changed = await setElectronicState(tx, id, account.state, to);
  invariant(changed, `the state of account ${id} changes only under its shard's lock`);
  return { ...account, state: to };
}

/** The bank has seen the owner face to face: others may pay in (银发〔2016〕302号). @throws Refused as `setBlocked` */
export async function confirmFaceToFace(tx: Tx, rt: Parts, id: Id): Promise<ElectronicAccount> {
  const { account } = await lockElectronic(tx, rt, id);
  assertOpen(account);
  await setFaceToFace(tx, id);
  return { ...account, faceToFace: true };
}

/**
 * The owner's identity was checked again: six months without use are counted from now (银发〔2016〕261号). An account that was used stays
 * used.
 * @throws Refused as `setBlocked`
 */
export async function revive(tx: Tx, rt: Parts, id: Id): Promise<ElectronicAccount> {
  const { account, turn } = await lockElectronic(tx, rt, id);
  assertOpen(account);
  await setAlive(tx, id, turn.nowMs);
  return account.aliveMs === null ? account : { ...account, aliveMs: turn.nowMs };
}
