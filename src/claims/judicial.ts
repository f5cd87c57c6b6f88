import { requireAccount } from '../accounts/index.js';
import {
  addDays,
  BALANCE_MAX,
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  type Minor,
  naturalDate,
  Refused,
  refuse,
  startOfDay,
  toWire,
} from '../kernel/index.js';
import { ACCOUNT_TYPES, loadBook, lockShard, setClaimed } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import { type Claim, type ClaimQueue, claimedIn, claimLeft, findClaim, mayLast, withChanged, withClaim } from './rules.js';
import {
  claimOfFreeze,
  claimsOn,
  expiredFreezes,
  type Freeze,
  findFreeze,
  freezeByDocument,
  insertJudicialOrder,
  judicialOrdersOf,
  saveFreeze,
  saveQueue,
} from './store.js';

/**
 * Judicial freezes, as the bank's staff enters them from the documents of authorities. Everything happens under the shard's lock, so that
 * no instruction is decided in between, and a document that is entered twice acts once.
 */
type Parts = Pick<Runtime, 'newId' | 'clock'>;

export interface NewFreeze {
  readonly account: Id;
  readonly authority: string;
  readonly documentNo: string;
  /** Undefined: all that is there and comes in. */
  readonly amount: Minor | undefined;
  readonly from: BusinessDate;
  /** Its last day. */
  readonly until: BusinessDate;
}

/**
 * Freezes an amount, or all, behind what was frozen before. It may be more than there is: what comes in later is frozen up to it.
 * @throws Refused NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED, ACCOUNT_CLOSED, FREEZE_DATES, FREEZE_DOCUMENT_REUSED
 */
export async function freeze(tx: Tx, rt: Parts, of: NewFreeze, by: Id): Promise<Freeze> {
  const { platformId, type } = await requireAccount(tx, of.account, undefined);
  if (ACCOUNT_TYPES[type].belongsTo === 'bank' || type === 'order' || type === 'escrow')
    throw new Refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type }));
  const nowMs = await lock(tx, rt, platformId);
  const before = await freezeByDocument(tx, of.account, of.documentNo);
  if (before !== undefined) return sameAgain(tx, before, of);
  const { state } = await requireAccount(tx, of.account, undefined);
  if (state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED', undefined, { account: toWire('account', of.account) }));
  if (!mayLast({ from: of.from, until: of.until, today: naturalDate(nowMs) })) throw new Refused(refuse('FREEZE_DATES'));
  const { account: accountId, authority, documentNo, from, until } = of;
  const id = rt.newId();
  const made: Freeze = {
    ...{ id, accountId, platformId, authority, documentNo, whole: of.amount === undefined, from, until, state: 'active' },
    ...{ createdMs: nowMs, createdBy: by, endedMs: null, dueMs: endOf(until) },
  };
  await saveFreeze(tx, made);
  const { queue } = await claimsOn(tx, platformId, accountId);
  const claim = { platformId, kind: 'court' as const, refId: id, orderId: null, createdMs: nowMs };
  await keep(tx, withClaim(queue, { ...claim, amount: of.amount ?? BALANCE_MAX }));
  return made;
}

async function sameAgain(tx: Tx, before: Freeze, of: NewFreeze): Promise<Freeze> {
  const { amount } = await claimOfFreeze(tx, before);
  const same = before.authority === of.authority && amount === (of.amount ?? BALANCE_MAX) && before.from === of.from;
  if (!same) throw new Refused(refuse('FREEZE_DOCUMENT_REUSED', undefined, { freeze: toWire('freeze', before.id) }));
  return before;
}

/** The first moment after a freeze's last day. */
function endOf(until: BusinessDate): Instant {
  return startOfDay(addDays(until, 1));
}

async function lock(tx: Tx, rt: Pick<Parts, 'clock'>, platformId: Id): Promise<Instant> {
  const { shardId } = await loadBook(tx, platformId);
  return (await lockShard(tx, shardId, rt.clock.now())).nowMs;
}

/** Writes the queue, and the sum of it where the ledger looks. */
async function keep(tx: Tx, queue: ClaimQueue): Promise<void> {
  await saveQueue(tx, queue);
  await setClaimed(tx, queue.accountId, claimedIn(queue));
}

/** The freeze with its claim under the shard's lock. @throws Refused NOT_FOUND, FREEZE_ENDED */
async function activeFreeze(tx: Tx, rt: Pick<Parts, 'clock'>, id: Id) {
  const found = await findFreeze(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  const nowMs = await lock(tx, rt, found.platformId);
  const now = await findFreeze(tx, id);
  invariant(now, `freeze ${id} is there`);
  return { freeze: now, nowMs, ...(await claimsOn(tx, now.platformId, now.accountId)) };
}

function requireActive(of: Freeze, queue: ClaimQueue, nowMs: Instant): Claim {
  const claim = findClaim(queue, of.id);
  if (of.state !== 'active' || of.dueMs <= nowMs || claim === undefined)
    throw new Refused(refuse('FREEZE_ENDED', undefined, { freeze: toWire('freeze', of.id) }));
  return claim;
}

/**
 * Another last day. The freeze keeps its place before those that came after it.
 * @throws Refused NOT_FOUND, FREEZE_ENDED, FREEZE_DATES, FREEZE_DOCUMENT_REUSED
 */
export async function renew(
  tx: Tx,
  rt: Parts,
  id: Id,
  of: { readonly documentNo: string; readonly until: BusinessDate },
  by: Id,
): Promise<Freeze> {
  const { freeze: before, nowMs, queue } = await activeFreeze(tx, rt, id);
  const given = (await judicialOrdersOf(tx, id)).find(({ what, documentNo }) => what === 'renew' && documentNo === of.documentNo);
  if (given !== undefined) {
    if (given.until !== of.until) throw new Refused(refuse('FREEZE_DOCUMENT_REUSED'));
    return before;
  }
  requireActive(before, queue, nowMs);
  const today = naturalDate(nowMs);
  if (of.until <= before.until || !mayLast({ from: before.from, until: of.until, today }))
    throw new Refused(refuse('FREEZE_DATES'));
  const after: Freeze = { ...before, until: of.until, dueMs: endOf(of.until) };
  await saveFreeze(tx, after);
  const order = { documentNo: of.documentNo, amount: null, until: of.until, givenBy: by, givenMs: nowMs };
  await insertJudicialOrder(tx, { id: rt.newId(), freezeId: id, what: 'renew', ...order });
  return after;
}

/**
 * Lets go a part of what is frozen, or all of it; without an amount the freeze has ended.
 * @throws Refused NOT_FOUND, FREEZE_ENDED, FREEZE_OF_ALL, FREEZE_LIFT_EXCEEDS, FREEZE_DOCUMENT_REUSED
 */
export async function lift(
  tx: Tx,
  rt: Parts,
  id: Id,
  of: { readonly documentNo: string; readonly amount: Minor | undefined },
  by: Id,
): Promise<Freeze> {
  const { freeze: before, nowMs, queue } = await activeFreeze(tx, rt, id);
  const amount = of.amount ?? null;
  const given = (await judicialOrdersOf(tx, id)).find(({ what, documentNo }) => what === 'lift' && documentNo === of.documentNo);
  if (given !== undefined) {
    if (given.amount !== amount) throw new Refused(refuse('FREEZE_DOCUMENT_REUSED'));
    return before;
  }
  const claim = requireActive(before, queue, nowMs);
  if (amount !== null && before.whole) throw new Refused(refuse('FREEZE_OF_ALL'));
  const left = claimLeft(claim);
  if (amount !== null && amount > left) throw new Refused(refuse('FREEZE_LIFT_EXCEEDS', undefined, { left: String(left) }));
  const after = amount === null ? await end(tx, before, queue, claim, 'lifted', nowMs) : before;
  if (amount !== null) await keep(tx, withChanged(queue, id, { letGo: claim.letGo + amount }));
  const order = { documentNo: of.documentNo, amount, until: null, givenBy: by, givenMs: nowMs };
  await insertJudicialOrder(tx, { id: rt.newId(), freezeId: id, what: 'lift', ...order });
  return after;
}

async function end(
  tx: Tx,
  of: Freeze,
  queue: ClaimQueue,
  claim: Claim,
  state: 'lifted' | 'expired',
  nowMs: Instant,
): Promise<Freeze> {
  const after: Freeze = { ...of, state, endedMs: nowMs };
  await saveFreeze(tx, after);
  await keep(tx, withChanged(queue, of.id, { letGo: claim.letGo + claimLeft(claim), endedMs: nowMs }));
  return after;
}

/** Ends the freezes whose last day is over; answers how many. What runs twice, or at two places, ends each once. */
export async function expireFreezes({ db, clock }: Pick<Runtime, 'db' | 'clock'>, limit = 1_000): Promise<number> {
  const due = await db.read('expired-freezes', (tx) => expiredFreezes(tx, clock.now(), limit));
  let ended = 0;
  for (const { id } of due) {
    const done = await db.withTx(
      'expire-freeze',
      async (tx) => {
        const { freeze: now, nowMs, queue } = await activeFreeze(tx, { clock }, id);
        const claim = findClaim(queue, id);
        // Renewed or lifted meanwhile.
        if (now.state !== 'active' || now.dueMs > nowMs || claim === undefined) return false;
        await end(tx, now, queue, claim, 'expired', nowMs);
        return true;
      },
      async () => ((await db.read('freeze-ended', (tx) => findFreeze(tx, id)))?.state === 'active' ? undefined : true),
    );
    if (done) ended += 1;
  }
  return ended;
}
