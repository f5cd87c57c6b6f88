import { type BusinessDate, type Id, invariant, Refused, refuse, toWire } from '../kernel/index.js';
import { ACCOUNT_TYPES, type AccountType, type ClosingBalance } from '../ledger/index.js';
import { closingBalances, type DayOf, daySecret, leafHasher, leafOf, type ProofRuntime } from './attest.js';
import { BLOCK, type CustodyProof, INCLUSION_VERSION, type InclusionProof, saltOf } from './rules.js';
import { type Block, blocksOf, findProof } from './store.js';
import { pathIn, rootOf } from './tree.js';

/** @throws Refused NOT_FOUND when the day was not attested */
export async function custodyProof({ db }: Pick<ProofRuntime, 'db'>, { platformId, date }: DayOf): Promise<CustodyProof> {
  const proof = await db.read('custody-proof', (tx) => findProof(tx, platformId, date));
  if (proof === undefined) throw new Refused(refuse('NOT_FOUND', `There is no custody proof of ${date}.`));
  return proof;
}

/** An account whose inclusion is to be proved. */
export interface Holding {
  readonly id: Id;
  readonly type: AccountType;
  readonly platformId: Id;
}

/**
 * The proof that an account with its closing balance of a date is in what the bank attested. Reads the one block of the books anew in which the account
 * stands, of at most 4,096 accounts.
 * @throws Refused NOT_FOUND when the day was not attested, or the account had not moved by then
 */
export async function inclusionProof(
  rt: ProofRuntime,
  { id, type, platformId }: Holding,
  date: BusinessDate,
): Promise<InclusionProof> {
  const day = { platformId, date };
  const custody = await custodyProof(rt, day);
  const blocks = await rt.db.read('custody-blocks', (tx) => blocksOf(tx, platformId, date));
  const place = blocks.findLastIndex(({ after }) => after === undefined || isBefore(after.type, after.after, type, id));
  const block = blocks[place];
  const hashOf = leafHasher(rt, day);
  const hashes: Buffer[] = [];
  let mine: ClosingBalance | undefined;
  let at = 0;
  for await (const closing of leavesOf(rt, day, block)) {
    if (closing.account === id) [mine, at] = [closing, hashes.length];
    hashes.push(hashOf(closing));
  }
  if (block === undefined || mine === undefined)
    throw new Refused(refuse('NOT_FOUND', `The account had no entries on ${date} or before.`));
  invariant(rootOf(hashes).equals(block.hash), `block ${place} of the tree of ${platformId} on ${date} is what was attested`);
  const leaf = leafOf(mine);
  const above = blocks.map(({ hash }) => hash);
  return {
    version: INCLUSION_VERSION,
    leaf,
    salt: saltOf(daySecret(rt, day), toWire('account', id)).toString('hex'),
    index: place * BLOCK + at,
    path: [...pathIn(hashes, at), ...pathIn(above, place)].map((hash) => hash.toString('hex')),
    custody,
  };
}

async function* leavesOf(rt: ProofRuntime, day: DayOf, block: Block | undefined): AsyncGenerator<ClosingBalance> {
  if (block === undefined) return;
  let left = BLOCK;
  for await (const closing of closingBalances(rt, day, block.after)) {
    yield closing;
    left -= 1;
    if (left === 0) return;
  }
}

const ORDER = Object.keys(ACCOUNT_TYPES);

/** The order of leaves: that of the chart, then of the ids, which all have as many digits. */
function isBefore(type: AccountType, id: Id, otherType: AccountType, otherId: Id): boolean {
  return type === otherType ? id < otherId : ORDER.indexOf(type) < ORDER.indexOf(otherType);
}
