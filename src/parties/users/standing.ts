import {
  addDays,
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  type Refusal,
  Refused,
  refuse,
} from '../../kernel/index.js';
import type { Parameters, Tx, Vault } from '../../runtime/index.js';
import { type Customer, customerOf, findUser, moveUser, type User } from './records.js';

/** A platform's user and the customer whom it turned out to be. */
export interface KnownUser {
  readonly user: User;
  readonly customer: Customer | null;
}

/** @throws Refused NOT_FOUND, also for a user of another platform */
export async function requireUser(tx: Tx, platformId: Id, userId: Id, vault: Vault): Promise<KnownUser> {
  const user = await findUser(tx, platformId, userId);
  if (user === undefined) throw new Refused(refuse('NOT_FOUND'));
  const customer = user.customerId === null ? undefined : await customerOf(tx, user.customerId, vault);
  return { user, customer: customer ?? null };
}

/** @throws Refused NOT_FOUND */
export async function requireCustomer(tx: Tx, { vault }: { readonly vault: Vault }, id: Id): Promise<Customer> {
  const customer = await customerOf(tx, id, vault);
  if (customer === undefined) throw new Refused(refuse('NOT_FOUND'));
  return customer;
}

/** Why a user may do nothing yet, or for good; undefined: it is verified, and its customer is there. */
export function userStanding({ state, refusal }: Pick<User, 'state' | 'refusal'>): Refusal | undefined {
  if (state === 'verified') return undefined;
  if (state === 'to-activate') return refuse('CUSTOMER_NOT_ACTIVATED');
  return state === 'refused' && refusal !== null ? refusal : refuse('IDENTITY_UNVERIFIED');
}

export interface AsOf {
  readonly today: BusinessDate;
  readonly nowMs: Instant;
  readonly parameters: Parameters;
}

/** Whether the time to bring a copy of the identity document is over: it ends when the moment that it is due by begins. */
export function isIdTaskOverdue({ idTaskDueMs }: Pick<Customer, 'idTaskDueMs'>, nowMs: Instant): boolean {
  return idTaskDueMs !== null && idTaskDueMs <= nowMs;
}

/**
 * Why a customer's business outside the counter is stopped, or undefined. It never says for what reason somebody at the bank stopped
 * him. An identity document counts for the days of grace after its last (人民银行令〔2007〕第2号第十九条).
 */
export function customerStanding(
  { stopped, idExpires, idTaskDueMs }: Pick<Customer, 'stopped' | 'idExpires' | 'idTaskDueMs'>,
  { today, nowMs, parameters }: AsOf,
): Refusal | undefined {
  if (stopped !== null) return refuse('CUSTOMER_STOPPED');
  const grace = Number(parameters.on(today, 'id-expiry.grace-days'));
  if (idExpires !== null && addDays(idExpires, grace) < today) return refuse('ID_DOCUMENT_EXPIRED');
  if (isIdTaskOverdue({ idTaskDueMs }, nowMs)) return refuse('CUSTOMER_STOPPED', 'A copy of the identity document is overdue.');
  return undefined;
}

/**
 * A user that may act, with its customer.
 * @throws Refused NOT_FOUND, IDENTITY_UNVERIFIED, CUSTOMER_NOT_ACTIVATED, CUSTOMER_STOPPED, ID_DOCUMENT_EXPIRED, or why it was refused
 */
export async function requireActingUser(
  tx: Tx,
  { platformId, userId, vault, asOf }: { platformId: Id; userId: Id; vault: Vault; asOf: AsOf },
): Promise<{ readonly user: User; readonly customer: Customer }> {
  const { user, customer } = await requireUser(tx, platformId, userId, vault);
  const refusal = userStanding(user);
  if (refusal !== undefined) throw new Refused(refusal);
  invariant(customer, `verified user ${userId} has a customer`);
  const stopped = customerStanding(customer, asOf);
  if (stopped !== undefined) throw new Refused(stopped);
  return { user, customer };
}

/**
 * The customer has activated a user that was taken over from elsewhere. Twice changes nothing.
 * @throws Refused NOT_FOUND; IDENTITY_UNVERIFIED or why it was refused where there is nothing to activate yet
 */
export async function activateUser(tx: Tx, userId: Id, platformId: Id, nowMs: Instant): Promise<User> {
  const user = await findUser(tx, platformId, userId);
  if (user === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (await moveUser(tx, userId, 'to-activate', 'verified', { nowMs })) return { ...user, state: 'verified', changedMs: nowMs };
  const refusal = userStanding(user);
  if (refusal !== undefined && refusal.code !== 'CUSTOMER_NOT_ACTIVATED') throw new Refused(refusal);
  return { ...user, state: 'verified' };
}

/** The customer does not want a user that was taken over from elsewhere: that stands. Twice changes nothing. */
export async function declineUser(tx: Tx, userId: Id, nowMs: Instant): Promise<void> {
  await moveUser(tx, userId, 'to-activate', 'refused', { nowMs, refusal: refuse('CONSENT_DECLINED') });
}
