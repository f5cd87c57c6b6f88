import { hash } from 'node:crypto';
import { type Id, type IdType, invariant } from '../../kernel/index.js';
import type { Runtime, Tx, Vault } from '../../runtime/index.js';
import { comparableName, identitiesOf, type NamedIdentity, type Particulars } from '../users/particulars.js';
import { customerOf, usersOfCustomer } from '../users/records.js';
import { type IndexedIdentity, isHit } from './rules.js';
import { type LockCustomer, type PartyParts, stopCustomer } from './stops.js';
import { insertTask, tasksOfCustomer } from './task-records.js';
import {
  currentListNo,
  entriesWith,
  identitiesBehind,
  identitiesWithEntries,
  insertIdentities,
  markScreened,
  replaceWatchList,
  takeListNo,
  unscreenedCustomers,
  type WatchEntry,
} from './watch-records.js';

/** An entry of a watch list (名单) as staff loads it: a number, a name, or both. */
export interface ListedParty {
  /** Which list it comes from: sanctions, fraud … */
  readonly list: string;
  readonly name?: string | undefined;
  readonly idType?: IdType | undefined;
  readonly idNo?: string | undefined;
}

/** What the task of a hit tells whoever decides it. */
export interface HitDetail {
  readonly entry: ListedParty;
  readonly identity: { readonly role: string; readonly name: string; readonly idType: IdType; readonly idNo: string };
}

/** How the watch list finds a name. */
export function watchNameIndex(vault: Vault, name: string): Buffer {
  return vault.index('name', comparableName(name));
}

export function indexIdentity({ role, idType, idNo, name }: NamedIdentity, vault: Vault): IndexedIdentity {
  return { role, idType, idIndex: vault.index(`id:${idType}`, idNo), nameIndex: vault.index('name', comparableName(name)) };
}

function indexEntry(of: ListedParty, vault: Vault): WatchEntry {
  const { list, name = null, idType = null, idNo = null } = of;
  const content = JSON.stringify([list, name === null ? null : comparableName(name), idType, idNo]);
  return {
    key: vault.index('watch-entry', content),
    idType,
    idIndex: idType === null || idNo === null ? null : vault.index(`id:${idType}`, idNo),
    nameIndex: name === null ? null : vault.index('name', comparableName(name)),
    sealed: vault.seal(JSON.stringify(of)),
  };
}

export interface LoadedList {
  readonly listNo: bigint;
  readonly entries: number;
  readonly digest: string;
}

/**
 * Puts a list in the place of the one before. Every customer is held against it afterwards, by `screenCustomers`; what was decided
 * about an entry that stands in both lists stays decided.
 */
export async function loadWatchList(tx: Tx, rt: PartyParts, parties: readonly ListedParty[], by: Id): Promise<LoadedList> {
  const listNo = await takeListNo(tx);
  const entries = new Map(parties.map((party) => indexEntry(party, rt.vault)).map((entry) => [entry.key.toString('hex'), entry]));
  const digest = hash('sha256', [...entries.keys()].sort().join('\n'), 'buffer');
  await replaceWatchList(tx, [...entries.values()], { listNo, digest, loadedBy: by, nowMs: rt.clock.now() });
  return { listNo, entries: entries.size, digest: digest.toString('hex') };
}

interface Hit {
  readonly identity: IndexedIdentity;
  readonly entry: WatchEntry;
}

/**
 * Holds everybody who stands behind these particulars against the list. Only `settle` calls it, in the transaction that makes the
 * customer: what the list says afterwards is found by the number of the list that he was held against.
 */
export async function watchHits(tx: Tx, identities: readonly IndexedIdentity[]): Promise<Hit[]> {
  const entries = await entriesWith(tx, identities);
  return identities.flatMap((identity) =>
    entries.filter((entry) => isHit(identity, entry)).map((entry) => ({ identity, entry })),
  );
}

/** Remembers who stands behind a customer; whom it knew already it does not write again. */
export async function rememberIdentities(tx: Tx, customerId: Id, identities: readonly IndexedIdentity[]): Promise<void> {
  const known = await identitiesBehind(tx, customerId);
  const fresh = identities.filter(
    (of) => !known.some((k) => k.role === of.role && k.idIndex.equals(of.idIndex) && k.nameIndex.equals(of.nameIndex)),
  );
  await insertIdentities(tx, customerId, known.length, fresh);
}

/**
 * A task for each hit that staff has not seen yet, and the customer is stopped. Answers whether there was such a hit.
 * @param particulars where the names stand that the indexes were made of
 */
export async function actOnHits(
  tx: Tx,
  rt: PartyParts,
  lock: LockCustomer,
  of: { readonly customerId: Id; readonly particulars: readonly Particulars[]; readonly hits: readonly Hit[] },
): Promise<boolean> {
  const { vault, clock, newId } = rt;
  const people = of.particulars.flatMap(identitiesOf).map((named) => ({ named, indexed: indexIdentity(named, vault) }));
  const seen = new Set((await tasksOfCustomer(tx, of.customerId, 'watch-list')).map((task) => task.subjectKey.toString('hex')));
  let fresh = false;
  for (const { identity, entry } of of.hits) {
    const subjectKey = vault.index('watch-hit', `${of.customerId} ${entry.key.toString('hex')}`);
    if (seen.has(subjectKey.toString('hex'))) continue;
    seen.add(subjectKey.toString('hex'));
    const person = people.find(
      ({ indexed }) => indexed.idIndex.equals(identity.idIndex) && indexed.nameIndex.equals(identity.nameIndex),
    )?.named;
    invariant(person, 'whoever is held against the list stands in the particulars');
    const { role, name, idType, idNo } = person;
    const detail: HitDetail = {
      entry: JSON.parse(vault.open(entry.sealed)) as ListedParty,
      identity: { role, name, idType, idNo },
    };
    const task = { id: newId(), kind: 'watch-list', subjectKey, customerId: of.customerId, dueMs: null, askedBy: null } as const;
    await insertTask(tx, { ...task, detailSealed: vault.seal(JSON.stringify(detail)), createdMs: clock.now() });
    fresh = true;
  }
  if (fresh) await stopCustomer(tx, rt, lock, { customerId: of.customerId, reason: 'watch-list', note: 'watch list', by: null });
  return fresh;
}

const SCREEN_MAX = 500;

/**
 * Holds every customer against the list that is loaded, once for each list. Each hit stops its customer in a transaction of its own.
 * @returns how many customers were screened
 */
export async function screenCustomers(rt: PartyParts & Pick<Runtime, 'db'>, lock: LockCustomer): Promise<number> {
  for (let screened = 0; ; ) {
    const { listNo, ids, found } = await rt.db.read('screen customers', async (tx) => {
      const current = await currentListNo(tx);
      const some = await unscreenedCustomers(tx, current, SCREEN_MAX);
      return { listNo: current, ids: some, found: await identitiesWithEntries(tx, some) };
    });
    if (ids.length === 0) return screened;
    const hits = found.filter(({ identity, entry }) => isHit(identity, entry));
    for (const customerId of new Set(hits.map((hit) => hit.customerId))) {
      const own = hits.filter((hit) => hit.customerId === customerId);
      await rt.db.withTx(
        'watch-list hit',
        (tx) => stopHit(tx, rt, lock, customerId, own),
        async () => undefined,
      );
    }
    // Who changes his identities meanwhile is screened by that change itself.
    await rt.db.withTx(
      'screened',
      (tx) => markScreened(tx, ids, listNo),
      async () => undefined,
    );
    screened += ids.length;
  }
}

async function stopHit(tx: Tx, rt: PartyParts, lock: LockCustomer, customerId: Id, hits: readonly Hit[]): Promise<void> {
  const customer = await customerOf(tx, customerId, rt.vault);
  const users = await usersOfCustomer(tx, customerId);
  const registered = users.map((user) => JSON.parse(rt.vault.open(user.particularsSealed)) as Particulars);
  const particulars = customer?.particulars ? [customer.particulars, ...registered] : registered;
  await actOnHits(tx, rt, lock, { customerId, particulars, hits });
}

/** Whether anybody was not held against the list that is loaded. */
export async function isScreeningDue(tx: Tx): Promise<boolean> {
  return (await unscreenedCustomers(tx, await currentListNo(tx), 1)).length > 0;
}
