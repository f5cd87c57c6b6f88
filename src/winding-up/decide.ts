import { inFunds } from '../funds/index.js';
import { addDays, type BusinessDate, type Id, type Instant, Refused, refuse, toWireMoney } from '../kernel/index.js';
import { type Book, loadBooks, lockShard, setBusiness } from '../ledger/index.js';
import { lentCount } from '../lending/index.js';
import { outsideOf } from '../reconciliation/index.js';
import { isDuplicateKey, type Tx } from '../runtime/index.js';
import { mayBecome } from './states.js';
import {
  decideProposal,
  endAccounts,
  findWindDown,
  insertProposal,
  leftIn,
  movedOn,
  setRounded,
  type WindDown,
} from './store.js';

/** Who acts, and when. */
export interface Who {
  readonly operator: Id;
  readonly nowMs: Instant;
}

export interface Proposed {
  /** Sealed by the vault. */
  readonly reasonSealed: string;
  readonly ordersBackOn: BusinessDate | undefined;
  readonly movesTo: string | undefined;
}

/** @throws Refused NOT_FOUND */
export async function requireWindDown(tx: Tx, platformId: Id): Promise<WindDown> {
  const found = await findWindDown(tx, platformId);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND', 'Nobody has proposed to wind this platform up.'));
  return found;
}

/**
 * The first of two people says that a platform shall be wound up. Nothing changes for it yet.
 * @throws Refused NOT_FOUND (no such book), WIND_DOWN_STATE_CONFLICT (it has a wind-down)
 */
export async function propose(tx: Tx, id: Id, platformId: Id, wanted: Proposed, who: Who): Promise<WindDown> {
  if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
  try {
    await insertProposal(tx, {
      ...{ id, platformId, reasonSealed: wanted.reasonSealed, proposedBy: who.operator, proposedMs: who.nowMs },
      ...{ ordersBackOn: wanted.ordersBackOn ?? null, movesTo: wanted.movesTo ?? null },
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    throw conflict((await findWindDown(tx, platformId))?.state);
  }
  return requireWindDown(tx, platformId);
}

/**
 * The second of two people approves, and from this commit on the platform takes no new business: it holds the shard, so every instruction is
 * decided wholly before or wholly after it.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, WIND_DOWN_STATE_CONFLICT
 */
export async function approve(tx: Tx, platformId: Id, who: Who): Promise<WindDown> {
  const wind = await proposedOne(tx, platformId);
  if (wind.proposedBy === who.operator) throw new Refused(refuse('SAME_OPERATOR'));
  const before = (await loadBooks(tx, [platformId])).get(platformId);
  if (before === undefined) throw new Refused(refuse('NOT_FOUND'));
  await lockShard(tx, before.shardId, who.nowMs);
  const book = (await loadBooks(tx, [platformId])).get(platformId) ?? before; // a cut-off may have come between
  const decided = { by: who.operator, atMs: who.nowMs, startedOn: book.businessDate };
  if (!(await decideProposal(tx, wind.id, decided))) throw conflict(undefined);
  await setBusiness(tx, platformId, 'winding-up');
  return requireWindDown(tx, platformId);
}

/**
 * Whoever does not agree says so; who proposed it takes it back that way.
 * @throws Refused NOT_FOUND, WIND_DOWN_STATE_CONFLICT
 */
export async function reject(tx: Tx, platformId: Id, who: Who): Promise<void> {
  const wind = await proposedOne(tx, platformId);
  const decided = { by: who.operator, atMs: who.nowMs, startedOn: undefined };
  if (!(await decideProposal(tx, wind.id, decided))) throw conflict(undefined);
}

/**
 * Another round today: somebody bound an account, a freeze was lifted.
 * @throws Refused NOT_FOUND, WIND_DOWN_STATE_CONFLICT
 */
export async function askRound(tx: Tx, platformId: Id): Promise<WindDown> {
  const wind = await requireWindDown(tx, platformId);
  if (wind.state !== 'winding-up' && wind.state !== 'settled') throw conflict(wind.state);
  await setRounded(tx, wind.id, null);
  return wind;
}

/**
 * Closes the book and every account in it for ever: only when nothing at all is in custody, in funds, lent or under way, by the books and by the
 * core bank's last statement. What customers have in a fund comes back to their accounts alone. Closing twice changes nothing.
 * @throws Refused NOT_FOUND, WIND_DOWN_STATE_CONFLICT, WIND_DOWN_NOT_EMPTY, WIND_DOWN_NOT_RECONCILED
 */
export async function close(tx: Tx, platformId: Id, who: Who): Promise<WindDown> {
  const book = (await loadBooks(tx, [platformId])).get(platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  await lockShard(tx, book.shardId, who.nowMs);
  const wind = await requireWindDown(tx, platformId);
  if (wind.state === 'closed') return wind;
  const { accounts, underWay } = await leftIn(tx, platformId);
  const projects = await lentCount(tx, platformId);
  const { holdings, orders: fundOrders } = await inFunds(tx, platformId);
  const isEmpty = accounts + underWay + projects + holdings + fundOrders === 0;
  if (wind.state === 'winding-up' && isEmpty) throw conflict(wind.state, notReportedYet(book));
  if (!mayBecome(wind.state, 'closed')) throw conflict(wind.state);
  if (!isEmpty)
    throw new Refused(refuse('WIND_DOWN_NOT_EMPTY', undefined, { accounts, payouts: underWay, projects, holdings, fundOrders }));
  await requireReconciled(tx, platformId);
  await endAccounts(tx, platformId, { id: wind.id, by: who.operator, nowMs: who.nowMs });
  await setBusiness(tx, platformId, 'closed');
  return requireWindDown(tx, platformId);
}

const notReportedYet = ({ businessDate }: Book) =>
  `Nothing is left, and the report is still to be made. The report is as of the last date that is over: the round after the cut-off of ${businessDate} makes it, and then the book can be closed.`;

/** What the books say is what the core bank says: nothing differs, its last statement ends at zero, and nothing moved since. */
async function requireReconciled(tx: Tx, platformId: Id): Promise<void> {
  const { openBreaks, statement } = await outsideOf(tx, platformId);
  const closing = statement?.closing ?? 0n;
  const since = statement === undefined ? FIRST : addDays(statement.businessDate, 1);
  const whys = [
    ...(openBreaks > 0 ? [`${openBreaks} breaks are open`] : []),
    ...(closing !== 0n ? [`the last reconciled statement, of ${statement?.businessDate}, does not end at 0`] : []),
    ...((await movedOn(tx, platformId, since)) ? ['the books moved after the last reconciled statement'] : []),
  ];
  if (whys.length === 0) return;
  const fields = {
    openBreaks,
    ...(statement === undefined ? {} : { statement: { date: statement.businessDate, closing: toWireMoney(closing) } }),
  };
  throw new Refused(refuse('WIND_DOWN_NOT_RECONCILED', `The book cannot be closed: ${whys.join('; ')}.`, fields));
}

/** Before every business date. */
const FIRST = '1970-01-01' as BusinessDate;

async function proposedOne(tx: Tx, platformId: Id): Promise<WindDown> {
  const wind = await requireWindDown(tx, platformId);
  if (wind.state !== 'proposed') throw conflict(wind.state);
  return wind;
}

function conflict(state: string | undefined, detail?: string): Refused {
  return new Refused(refuse('WIND_DOWN_STATE_CONFLICT', detail, state === undefined ? {} : { state }));
}
