import { type Id, invariant, Refused, refuse } from '../../kernel/index.js';
import { type AccountType, type Book, loadBooks, lockShard, openAccounts } from '../../ledger/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import {
  type AllowedModes,
  dropLendingTerms,
  findLendingTerms,
  insertLendingTerms,
  type LendingTerms,
  lendingTermsOf,
  putInForce,
} from './store.js';

type Parts = Pick<Runtime, 'clock' | 'vault' | 'newId'>;

/** @throws Refused NOT_FOUND (no such book), LENDING_NOT_OFFERED (no lending platform) */
async function lendingBook(tx: Tx, platformId: Id): Promise<Book> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  if (book.profile !== 'lending') throw new Refused(refuse('LENDING_NOT_OFFERED'));
  return book;
}

/**
 * The first of two people says what a lending platform may do from now on. Nothing changes yet.
 * @throws Refused NOT_FOUND, LENDING_NOT_OFFERED
 */
export async function proposeLendingTerms(
  tx: Tx,
  rt: Parts,
  of: AllowedModes & { readonly platformId: Id; readonly reason: string; readonly by: Id },
): Promise<LendingTerms> {
  await lendingBook(tx, of.platformId);
  const id = rt.newId();
  const { reason, by, ...terms } = of;
  await insertLendingTerms(tx, {
    ...terms,
    ...{ id, reasonSealed: rt.vault.seal(reason), proposedBy: by, proposedMs: rt.clock.now() },
  });
  return required(tx, id);
}

/**
 * The second approves; no instruction is decided by the terms before any more. An account for money that is set aside is opened with the first
 * terms that need one, and stays: what is on it goes back to the platform's own funds by a transfer, also when it is needed no more.
 * @throws Refused NOT_FOUND, LENDING_NOT_OFFERED, SAME_OPERATOR, PROPOSAL_DECIDED
 */
export async function approveLendingTerms(
  tx: Tx,
  rt: Parts,
  ids: { readonly platformId: Id; readonly terms: Id },
  of: { readonly by: Id; readonly note: string | null },
): Promise<LendingTerms> {
  const terms = await undecided(tx, ids);
  if (terms.proposedBy === of.by) throw new Refused(refuse('SAME_OPERATOR'));
  const book = await lendingBook(tx, ids.platformId);
  await lockShard(tx, book.shardId, rt.clock.now());
  const before = await lendingTermsOf(tx, ids.platformId);
  const accountFor = async (type: Extract<AccountType, 'advance' | 'reserve'>, known: Id | null): Promise<Id | null> => {
    if (known !== null || !terms[type]) return known;
    const id = rt.newId();
    await openAccounts(tx, [{ id, platformId: ids.platformId, type }]);
    return id;
  };
  const decided = await putInForce(tx, terms, {
    ...{ by: of.by, atMs: rt.clock.now(), noteSealed: of.note === null ? null : rt.vault.seal(of.note) },
    advanceAccountId: await accountFor('advance', before.advanceAccountId),
    reserveAccountId: await accountFor('reserve', before.reserveAccountId),
  });
  if (!decided) throw new Refused(refuse('PROPOSAL_DECIDED'));
  return required(tx, terms.id);
}

/**
 * Whoever does not agree says so; who proposed them takes them back that way.
 * @throws Refused NOT_FOUND, PROPOSAL_DECIDED
 */
export async function rejectLendingTerms(
  tx: Tx,
  rt: Parts,
  ids: { readonly platformId: Id; readonly terms: Id },
  of: { readonly by: Id; readonly note: string },
): Promise<LendingTerms> {
  const terms = await undecided(tx, ids);
  const state = terms.proposedBy === of.by ? 'withdrawn' : 'rejected';
  const decision = { by: of.by, atMs: rt.clock.now(), noteSealed: rt.vault.seal(of.note) };
  if (!(await dropLendingTerms(tx, terms.id, state, decision))) throw new Refused(refuse('PROPOSAL_DECIDED'));
  return required(tx, terms.id);
}

async function undecided(tx: Tx, ids: { platformId: Id; terms: Id }): Promise<LendingTerms> {
  const terms = await findLendingTerms(tx, ids.terms);
  if (terms?.platformId !== ids.platformId) throw new Refused(refuse('NOT_FOUND'));
  if (terms.state !== 'proposed') throw new Refused(refuse('PROPOSAL_DECIDED', undefined, { state: terms.state }));
  return terms;
}

async function required(tx: Tx, id: Id): Promise<LendingTerms> {
  const terms = await findLendingTerms(tx, id);
  invariant(terms, `the lending terms ${id} are there`);
  return terms;
}
