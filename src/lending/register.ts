import { createHash } from 'node:crypto';
import { electronicRecords, partyBehind } from '../accounts/index.js';
import { canonicalJson, type Id, naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, loadAccounts, loadBook, lockShard } from '../ledger/index.js';
import { customerOf } from '../parties/index.js';
import { isDuplicateKey, loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { newLoan } from './plan.js';
import { type CAPS, decideCap, decideTerms, type Project, type ProjectTerms, raiseEnd } from './rules.js';
import { borrowedBy, findProjectByNo, insertProject } from './store.js';
import { lendingTermsOf } from './terms/store.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault'>;

/**
 * Registers a project: nothing can be lent to it before the borrower, and the guarantor where one is named, have confirmed it. The number is
 * remembered for ever; the same again is answered with the project as it stands.
 * @throws Refused PROJECT_NO_REUSED, PROJECT_TERMS, PROJECT_PARTIES, PROJECT_CAP, LENDING_MODE, LENDING_NOT_OFFERED, WINDING_UP,
 *   ACCOUNT_NOT_FOUND
 */
export async function registerProject(
  rt: Parts,
  platformId: Id,
  terms: ProjectTerms,
): Promise<{ project: Project; repeated: boolean }> {
  const contentHash = hashOf(terms);
  const before = async (tx: Tx) => {
    const project = await findProjectByNo(tx, platformId, terms.projectNo);
    if (project === undefined) return undefined;
    if (!project.contentHash.equals(contentHash))
      throw new Refused(refuse('PROJECT_NO_REUSED', undefined, { project: toWire('project', project.id) }));
    return { project, repeated: true };
  };
  const id = rt.newId();
  const register = () =>
    rt.db.withTx(
      'register project',
      async (tx) =>
        (await before(tx)) ?? { project: await write(tx, rt, { id, platformId, terms, contentHash }), repeated: false },
      async () => {
        const known = await rt.db.read('registered project', before);
        return known?.project.id === id ? { ...known, repeated: false } : undefined;
      },
    );
  try {
    return await register();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return register();
  }
}

function hashOf(terms: ProjectTerms): Buffer {
  const wire = JSON.stringify(terms, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(wire)))
    .digest();
}

async function write(
  tx: Tx,
  rt: Parts,
  { id, platformId, terms, contentHash }: { id: Id; platformId: Id; terms: ProjectTerms; contentHash: Buffer },
): Promise<Project> {
  const { shardId } = await loadBook(tx, platformId);
  // Whoever closes an account holds the shard as well: one of the two sees the other.
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  const book = await loadBook(tx, platformId);
  if (book.profile !== 'lending') throw new Refused(refuse('LENDING_NOT_OFFERED'));
  const { business = 'open' } = book;
  if (business !== 'open') throw new Refused(refuse('WINDING_UP', undefined, { business }));
  const allowed = await lendingTermsOf(tx, platformId);
  if (terms.mode !== 'direct' && !allowed[terms.mode]) throw new Refused(refuse('LENDING_MODE', undefined, { mode: terms.mode }));
  const parameters = await loadParameters(tx);
  const faulty = decideTerms(terms, nowMs, parameters);
  if (faulty !== undefined) throw new Refused(faulty);
  await checkParties(tx, rt, platformId, terms);
  const { kind, index } = await borrowerOf(tx, rt, terms.borrower);
  const capped = decideCap(kind, terms.amount, await borrowedBy(tx, index, platformId), naturalDate(nowMs), parameters);
  if (capped !== undefined) throw new Refused(capped);
  const project: Project = {
    ...{ ...terms, id, platformId, contentHash, borrowerIndex: index, state: 'registered', raised: 0n, bids: 0, claims: 0 },
    ...{ lentOn: null, loan: newLoan(0n), left: 0n, unrecovered: 0n, turn: 0, createdMs: nowMs, endedMs: null },
    dueMs: raiseEnd({ state: 'registered', raiseUntilMs: terms.raiseUntilMs }, parameters),
  };
  await insertProject(tx, project);
  return project;
}

/** Who borrows: by one key on whatever platforms he does. */
export async function borrowerOf(
  tx: Tx,
  rt: Pick<Runtime, 'vault'>,
  account: Id,
): Promise<{ kind: keyof typeof CAPS; index: Buffer }> {
  const electronic = (await electronicRecords.load(tx, [account])).get(account);
  if (electronic !== undefined) return { kind: 'person', index: rt.vault.index('borrower', electronic.customerId) };
  const party = await partyBehind(tx, rt, account);
  return { kind: 'company', index: rt.vault.index('borrower', party?.idNo ?? account) };
}

/**
 * A person borrows on his Class II account, a company on its sub-account; who stands for him or is paid in his place has one of the two as
 * well, and is somebody else, whatever other accounts of the platform are his too.
 */
async function checkParties(tx: Tx, rt: Parts, platformId: Id, terms: ProjectTerms): Promise<void> {
  const named = (['borrower', 'guarantor', 'payee'] as const).flatMap((role) => {
    const account = terms[role];
    return account === null ? [] : [{ role, account }];
  });
  const ids = named.map(({ account }) => account);
  const accounts = await loadAccounts(tx, ids, () => '9999-12-31' as never);
  const electronic = await electronicRecords.load(tx, ids);
  const known = new Set<string>();
  for (const { role, account: id } of named) {
    const account = accounts.get(id);
    const owned = electronic.get(id);
    const shown = { account: toWire('account', id), role };
    if (account?.platformId !== platformId || account.state === 'closed' || owned?.state === 'closing')
      throw new Refused(refuse('ACCOUNT_NOT_FOUND', undefined, shown));
    const party = await partyBehind(tx, rt, id);
    const unfit = unfitFor(role, account.type, party?.kind);
    if (unfit !== undefined) throw new Refused(refuse('PROJECT_PARTIES', unfit, shown));
    const who = owned === undefined ? numberOf(party ?? { kind: 'account', idNo: id }) : await personOf(tx, rt, owned.customerId);
    if (known.has(who)) throw new Refused(refuse('PROJECT_PARTIES', 'One and the same cannot be both.', shown));
    known.add(who);
  }
}

const numberOf = ({ kind, idNo }: { readonly kind: string; readonly idNo: string }): string => `${kind}:${idNo}`;

/** By his identity number where it is one by which sub-accounts know people too. */
async function personOf(tx: Tx, rt: Parts, customerId: Id): Promise<string> {
  const customer = await customerOf(tx, customerId, rt.vault);
  return customer?.idType === 'resident-id' ? numberOf({ kind: 'person', idNo: customer.idNo }) : customerId;
}

/** Why an account is none for a role. @param party who is behind a sub-account */
function unfitFor(role: string, type: AccountType, party: 'person' | 'company' | undefined): string | undefined {
  if (type === 'class-2') return undefined;
  if (type !== 'sub') return `Nobody has it on an account like that: ${ACCOUNT_TYPES[type].en}.`;
  return role === 'borrower' && party !== 'company' ? 'A person borrows on a Class II account.' : undefined;
}
