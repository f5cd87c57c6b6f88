import { hash } from 'node:crypto';
import type { Verification } from '../../channels/index.js';
import {
  type BusinessDate,
  type Id,
  type Instant,
  instantOf,
  invariant,
  naturalDate,
  Refused,
  refuse,
} from '../../kernel/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../../runtime/index.js';
import { askIdentity } from '../users/ask-identity.js';
import { type Customer, customerOf, findUser, loadUsers, lockUser, type User } from '../users/records.js';
import { askAgainMs, IDENTITY_REFUSALS } from '../users/rules.js';
import { requireUser } from '../users/standing.js';
import { setIdExpires } from '../watch/stop-records.js';
import type { LockCustomer } from '../watch/stops.js';
import { raiseCopyTask } from '../watch/tasks.js';
import type { DocumentStore } from './document-store.js';
import { faultOfImage } from './images.js';
import {
  type DocumentRecord,
  documentsOf,
  dueRenewals,
  endRenewal,
  findDocument,
  insertDocument,
  insertRenewal,
  putOffRenewal,
  type Renewal,
} from './records.js';
import { type DocumentKind, documentNeeds, isComplete, mediaTypeOf, otherSide } from './rules.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'log'>;

export interface Upload {
  readonly platformId: Id;
  readonly userId: Id;
  readonly kind: DocumentKind;
  /** What the sender says that it is. */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * Keeps an image of a document. It is sealed into the store first and written down afterwards: what was written down is there. The
 * same image again answers the first. When the images of an identity document are complete, a task asks the staff to look at them:
 * only somebody who has seen them says that they are a copy.
 * @throws Refused NOT_FOUND, DOCUMENT_UNREADABLE
 */
export async function keepDocument(
  rt: Parts,
  store: DocumentStore,
  { platformId, userId, kind, mediaType, bytes }: Upload,
): Promise<{ readonly document: DocumentRecord; readonly repeated: boolean }> {
  const found = mediaTypeOf(bytes);
  if (found === undefined || !mediaType.toLowerCase().startsWith(found))
    throw new Refused(refuse('DOCUMENT_UNREADABLE', 'The bytes are not what the Content-Type says.'));
  const fault = faultOfImage(bytes, found);
  if (fault !== undefined) throw new Refused(refuse('DOCUMENT_UNREADABLE', fault));
  const sha256 = hash('sha256', bytes, 'buffer');
  const before = await rt.db.read('document there', async (tx) => {
    if ((await findUser(tx, platformId, userId)) === undefined) throw new Refused(refuse('NOT_FOUND'));
    await refuseOtherSide(tx, { userId, kind, sha256 });
    return findDocument(tx, userId, kind, sha256);
  });
  if (before !== undefined) {
    await rt.db.withTx(
      'document there',
      (tx) => noteDocument(tx, rt, { platformId, document: before }),
      async () => undefined,
    );
    return { document: before, repeated: true };
  }
  const document = { id: rt.newId(), userId, kind, mediaType: found, size: bytes.length, sha256, createdMs: rt.clock.now() };
  await store.put(document.id, rt.vault.seal(bytes.toString('base64')));
  try {
    await rt.db.withTx('keep document', (tx) => writeDown(tx, rt, { platformId, document }));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // the same image came twice at once; what lies in the store twice is never looked for
  }
  const kept = await rt.db.read('document kept', (tx) => findDocument(tx, userId, kind, sha256));
  invariant(kept, 'a document that was written down is there');
  return { document: kept, repeated: kept.id !== document.id };
}

interface Kept {
  readonly platformId: Id;
  readonly document: DocumentRecord;
}

async function writeDown(tx: Tx, rt: Parts, kept: Kept): Promise<void> {
  await lockUser(tx, kept.document.userId);
  await refuseOtherSide(tx, kept.document);
  await insertDocument(tx, kept.document);
  await noteDocument(tx, rt, kept);
}

/** @throws Refused DOCUMENT_UNREADABLE where the same image is the other side already */
async function refuseOtherSide(tx: Tx, { userId, kind, sha256 }: Pick<DocumentRecord, 'userId' | 'kind' | 'sha256'>) {
  const other = otherSide(kind);
  if (other !== undefined && (await findDocument(tx, userId, other, sha256)) !== undefined)
    throw new Refused(refuse('DOCUMENT_UNREADABLE', 'It is the image of the other side.'));
}

/** Staff is to look when all images are there. Before he is known nothing is noted: his verification looks whether they are there. */
async function noteDocument(tx: Tx, rt: Parts, { platformId, document }: Kept): Promise<void> {
  const { customer } = await requireUser(tx, platformId, document.userId, rt.vault);
  if (customer !== null && documentNeeds(customer.idType).includes(document.kind))
    await haveCopySeen(tx, rt, customer, document.userId);
}

/** A task for the staff, where a copy of this customer's identity document is complete and nobody has said yet that it is one. */
export async function haveCopySeen(
  tx: Tx,
  rt: Pick<Parts, 'newId' | 'clock' | 'vault'>,
  { id, idType, documented, idTaskDueMs }: Pick<Customer, 'id' | 'idType' | 'documented' | 'idTaskDueMs'>,
  userId: Id,
): Promise<void> {
  if (documented && idTaskDueMs === null) return;
  const needs = documentNeeds(idType);
  const images = (await documentsOf(tx, [userId])).filter((each) => needs.includes(each.kind));
  const last = images.at(-1);
  if (
    last === undefined ||
    !isComplete(
      images.map((each) => each.kind),
      idType,
    )
  )
    return;
  await raiseCopyTask(tx, rt, { customerId: id, documentId: last.id, dueMs: idTaskDueMs });
}

/** The image itself, for staff. Undefined where it is not a document of this customer, or not in the store. */
export async function openDocument(
  rt: Pick<Parts, 'vault'>,
  store: DocumentStore,
  { id, sha256 }: DocumentRecord,
): Promise<Buffer | undefined> {
  const sealed = await store.get(id);
  if (sealed === undefined) return undefined;
  const bytes = Buffer.from(rt.vault.open(sealed), 'base64');
  invariant(hash('sha256', bytes, 'buffer').equals(sha256), `document ${id} is what was uploaded`);
  return bytes;
}

export interface NewValidity {
  readonly platformId: Id;
  readonly userId: Id;
  readonly documentId: Id;
  /** Null: for long. */
  readonly expires: BusinessDate | null;
}

/**
 * A customer has a new identity document: its last day counts once its number was asked after again. The same again: the first.
 * @throws Refused NOT_FOUND (also the document), IDENTITY_UNVERIFIED, ID_DOCUMENT_EXPIRED, DOCUMENT_UNREADABLE (not of the document, or
 * older than the customer's verification), PARTICULARS_INVALID (this image was given for another day)
 */
export async function renewDocument(rt: Parts, of: NewValidity): Promise<Renewal> {
  const nowMs = rt.clock.now();
  return rt.db.withTx(
    'renew document',
    async (tx) => {
      const { user, customer } = await requireUser(tx, of.platformId, of.userId, rt.vault);
      if (customer === null || user.state === 'held' || user.state === 'refused')
        throw new Refused(refuse('IDENTITY_UNVERIFIED'));
      const document = (await documentsOf(tx, [of.userId])).find((each) => each.id === of.documentId);
      if (document === undefined) throw new Refused(refuse('NOT_FOUND', 'There is no such document of this user.'));
      if (!documentNeeds(customer.idType).includes(document.kind) || document.createdMs < customer.verifiedMs)
        throw new Refused(refuse('DOCUMENT_UNREADABLE', 'A new image of the identity document itself is needed.'));
      if (of.expires !== null && of.expires < naturalDate(nowMs)) throw new Refused(refuse('ID_DOCUMENT_EXPIRED'));
      const { userId, documentId, expires } = of;
      const renewal = await insertRenewal(tx, { id: rt.newId(), userId, documentId, expires, createdMs: nowMs });
      if (renewal.expires !== of.expires)
        throw new Refused(refuse('PARTICULARS_INVALID', 'This image was given for another last day.'));
      return renewal;
    },
    async () => undefined, // the same image finds what was written
  );
}

const DUE_MAX = 100;

/** Asks after every customer with a new document, and lets its last day count. Answers how many it looked at. */
export async function runRenewals(rt: Parts, verification: Verification, lock: LockCustomer): Promise<number> {
  for (let looked = 0; ; ) {
    const due = await rt.db.read('renewals due', async (tx) => {
      const renewals = await dueRenewals(tx, rt.clock.now(), DUE_MAX);
      const users = await loadUsers(
        tx,
        renewals.map((renewal) => renewal.userId),
      );
      return renewals.map((renewal) => ({ renewal, user: users.get(renewal.userId) as User }));
    });
    if (due.length === 0) return looked;
    for (const { renewal, user } of due) await runRenewal(rt, verification, lock, renewal, user);
    looked += due.length;
  }
}

async function runRenewal(
  rt: Parts,
  verification: Verification,
  lock: LockCustomer,
  renewal: Renewal,
  user: User,
): Promise<void> {
  const { customerId } = user;
  invariant(customerId !== null, `user ${user.id} with a renewal has a customer`);
  const customer = await rt.db.read('customer', (tx) => customerOf(tx, customerId, rt.vault));
  invariant(customer, `customer ${customerId} is there`);
  const { idType, idNo, name } = customer;
  const result = await askIdentity(rt, verification, user.id, { role: 'self', idType, idNo, name }, `renewal ${renewal.id}`);
  const nowMs: Instant = rt.clock.now();
  const work = async (tx: Tx) => {
    if (result === 'unanswered') return putOffRenewal(tx, renewal, instantOf(nowMs + askAgainMs(renewal.attempts)));
    if (result !== 'match') {
      await endRenewal(tx, renewal.id, 'refused', { nowMs, refusal: refuse(IDENTITY_REFUSALS[result]) });
      return;
    }
    await lock(tx, customer.id);
    if (!(await endRenewal(tx, renewal.id, 'accepted', { nowMs }))) return;
    await setIdExpires(tx, customer.id, renewal.expires);
    await haveCopySeen(tx, rt, customer, user.id);
  };
  await rt.db.withTx('decide renewal', work, async () => undefined);
}
