import type { Verification } from '../channels/index.js';
import { type Id, type Instant, instantOf, invariant, naturalDate, type Refusal, refuse } from '../kernel/index.js';
import { faultOf, isDuplicateKey, loadParameters, type Tx } from '../runtime/index.js';
import { haveCopySeen } from './documents/documents.js';
import { askIdentity, type VerifyParts } from './users/ask-identity.js';
import { takeMobilePlace } from './users/mobile-records.js';
import { freePlaceOf } from './users/mobiles.js';
import { identitiesOf, identitiesToVerify, mobileOf, type Particulars, type PersonParticulars } from './users/particulars.js';
import {
  type Customer,
  customerByIdentity,
  dueUsers,
  insertCustomer,
  moveUser,
  putOffUser,
  setName,
  type User,
  usersOfCustomer,
} from './users/records.js';
import { askAgainMs, IDENTITY_REFUSALS, takesActivation } from './users/rules.js';
import { verificationsOf } from './users/verification-records.js';
import { stopsOf } from './watch/stop-records.js';
import type { LockCustomer } from './watch/stops.js';
import { tasksOfCustomer } from './watch/task-records.js';
import { actOnHits, indexIdentity, rememberIdentities, watchHits } from './watch/watch-list.js';
import { currentListNo } from './watch/watch-records.js';

const DUE_MAX = 200;
const ASK_AT_ONCE = 8;

/**
 * Asks after the identity of every user whose turn it is, and decides what the answers say. Each answer is committed before it is
 * acted upon, so that a worker that died asks nobody twice about what it knew. Answers how many users were looked at.
 */
export async function verifyUsers(rt: VerifyParts, verification: Verification, lock: LockCustomer): Promise<number> {
  for (let looked = 0; ; ) {
    const due = await rt.db.read('users due', (tx) => dueUsers(tx, rt.clock.now(), DUE_MAX));
    if (due.length === 0) return looked;
    const waiting = [...due];
    const turn = async () => {
      for (let user = waiting.shift(); user !== undefined; user = waiting.shift())
        await verifyOrPutOff(rt, verification, lock, user);
    };
    await Promise.all(Array.from({ length: ASK_AT_ONCE }, turn));
    looked += due.length;
  }
}

/** One user about whom something of ours fails keeps no other waiting. */
async function verifyOrPutOff(rt: VerifyParts, verification: Verification, lock: LockCustomer, user: User): Promise<void> {
  try {
    await verifyUser(rt, verification, lock, user);
  } catch (error) {
    rt.log.error({ event: 'verify.failed', user: user.id, error: faultOf(error) });
    await putOff(rt, user);
  }
}

async function verifyUser(rt: VerifyParts, verification: Verification, lock: LockCustomer, user: User): Promise<void> {
  const party = JSON.parse(rt.vault.open(user.particularsSealed)) as Particulars;
  const before = await rt.db.read('answers', (tx) => verificationsOf(tx, [user.id]));
  for (const identity of identitiesToVerify(party)) {
    const known = before.find(
      ({ kind, subject, result }) => kind === 'identity' && subject === identity.role && result !== 'unanswered',
    );
    const result = known?.result ?? (await askIdentity(rt, verification, user.id, identity));
    if (result === 'unanswered') return putOff(rt, user);
    if (result === 'match') continue;
    const code = IDENTITY_REFUSALS[result as keyof typeof IDENTITY_REFUSALS];
    invariant(code, `an identity answer is known: ${result}`);
    return refuseUser(rt, user, refuse(code, undefined, { who: identity.role }));
  }
  await settle(rt, lock, user, party);
}

async function putOff(rt: VerifyParts, user: User): Promise<void> {
  const nextMs = instantOf(rt.clock.now() + askAgainMs(user.attempts));
  await rt.db.withTx(
    'put off user',
    (tx) => putOffUser(tx, user, nextMs).then(() => true),
    async () => undefined,
  );
}

async function refuseUser(rt: VerifyParts, user: User, refusal: Refusal): Promise<void> {
  const change = { nowMs: rt.clock.now(), refusal };
  await rt.db.withTx(
    'refuse user',
    (tx) => moveUser(tx, user.id, 'pending', 'refused', change),
    async () => undefined,
  );
}

const RACES_MAX = 8;

/**
 * The identity is right: the user becomes the bank's customer of this identity, a new one or the one that is there. Users of one
 * person on two platforms that are settled together meet at the identity's key, two identities with one mobile at its place; whoever
 * comes second begins anew and sees the first.
 */
async function settle(rt: VerifyParts, lock: LockCustomer, user: User, party: Particulars): Promise<void> {
  for (let race = 1; ; race += 1) {
    try {
      return await rt.db.withTx(
        'settle user',
        (tx) => settleInTx(tx, rt, lock, user, party),
        async () => undefined,
      );
    } catch (error) {
      if (!isDuplicateKey(error) || race === RACES_MAX) throw error;
    }
  }
}

async function settleInTx(tx: Tx, rt: VerifyParts, lock: LockCustomer, user: User, party: Particulars): Promise<void> {
  const nowMs = rt.clock.now();
  const idType = party.kind === 'company' ? 'uscc' : party.idType;
  const known = await customerByIdentity(tx, idType, party.idNo, rt.vault);
  if (known !== undefined) await lock(tx, known.id); // what it may stop has to hold still; before any other row is written
  const place = known === undefined && party.kind === 'person' ? await placeFor(tx, rt, party) : 'none';
  const refusal = known === undefined ? (place === undefined ? refuse('MOBILE_TAKEN') : undefined) : mobileDiffers(known, party);
  if (refusal !== undefined) {
    await moveUser(tx, user.id, 'pending', 'refused', { nowMs, refusal });
    return;
  }
  const customerId = known?.id ?? (await newCustomer(tx, rt, { party, nowMs, place }));
  if (known !== undefined && known.name !== party.name) await setName(tx, customerId, party.name, rt.vault);
  const identities = identitiesOf(party).map((identity) => indexIdentity(identity, rt.vault));
  await rememberIdentities(tx, customerId, identities);
  const hits = await watchHits(tx, identities);
  // Nobody else can know a customer who is not committed yet.
  const lockKnown = known === undefined ? async () => undefined : lock;
  await actOnHits(tx, rt, lockKnown, { customerId, particulars: [party], hits });
  await becomeKnown(tx, user, customerId, nowMs);
  // Last, with the user's row written: an image that comes meanwhile waits for it and then finds the customer.
  const { documented = false, idTaskDueMs = null } = known ?? {};
  await haveCopySeen(tx, rt, { id: customerId, idType, documented, idTaskDueMs }, user.id);
}

/** Held while staff looks at a hit; refused where staff said that it is he. */
async function becomeKnown(tx: Tx, user: User, customerId: Id, nowMs: Instant): Promise<void> {
  const watched = (await stopsOf(tx, customerId)).some((stop) => stop.live && stop.reason === 'watch-list');
  const tasks = watched ? await tasksOfCustomer(tx, customerId, 'watch-list') : [];
  const confirmed = tasks.some((task) => task.state === 'confirmed');
  const activates = takesActivation(user, await usersOfCustomer(tx, customerId));
  const to = confirmed ? 'refused' : watched ? 'held' : activates ? 'to-activate' : 'verified';
  const refusal = confirmed ? refuse('WATCH_LISTED') : null;
  await moveUser(tx, user.id, 'pending', to, { nowMs, customerId, refusal });
}

/** @throws a duplicate-key error when the identity, or the place of the mobile number, was taken meanwhile */
async function newCustomer(
  tx: Tx,
  rt: VerifyParts,
  { party, nowMs, place }: { party: Particulars; nowMs: Instant; place: number | 'none' | undefined },
): Promise<Id> {
  const id = rt.newId();
  const mobile = mobileOf(party);
  // Read before the list is looked through: a list that comes between finds this customer behind it.
  const screenedNo = await currentListNo(tx);
  await insertCustomer(tx, { id, particulars: party, mobile, screenedNo, nowMs }, rt.vault);
  if (typeof place === 'number') await takeMobilePlace(tx, rt.vault.index('mobile', mobile), place, id);
  return id;
}

async function placeFor(tx: Tx, rt: VerifyParts, { mobile, idType, idNo }: PersonParticulars): Promise<number | undefined> {
  const rules = { today: naturalDate(rt.clock.now()), parameters: await loadParameters(tx), vault: rt.vault };
  return freePlaceOf(tx, { mobile, idType, idNo }, rules);
}

/** A person has one number at the bank, once it is verified that it is his. Told only now, when he has shown who he is: nobody can ask whom the bank knows. */
function mobileDiffers(known: Customer, party: Particulars): Refusal | undefined {
  if (party.kind === 'company' || !known.mobileVerified || known.mobile === party.mobile) return undefined;
  return refuse('MOBILE_DIFFERS');
}
