import { type Id, idAfter, invariant, type Refusal, Refused, refuse } from '../../kernel/index.js';
import { type AccountType, availableOf, type LedgerAccount, loadBooks, unclearedOf } from '../../ledger/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../../runtime/index.js';
import { readAwaited } from '../answers/awaited.js';
import { standingOf } from '../answers/views.js';
import { hashOf, type Questioned, questioned, type Receipt, type Submission, sortOut } from '../intake/intake.js';
import { kinds } from '../kinds/index.js';
import type { Outcome } from '../outcome.js';
import { findInstructions, findRequests, insertReceived, type Received } from '../store.js';
import { type Decided, decideGiven, decideInMemory, type Watch } from './engine.js';

/**
 * Sets of instructions that are decided for themselves, outside the inbox: to see what would become of them, or all together or none.
 * Intake sorts them out and the engine decides them, as any other; only whether anything of it is kept differs.
 */
export interface Verdict {
  readonly state: VerdictState;
  /** The refusal, when refused. */
  readonly code: string | null;
  /** What a posted instruction makes, or why it is refused. */
  readonly detail: Outcome['detail'];
  readonly businessDate: string | null;
  /** Null where it is only tried and there is none. */
  readonly instruction: Id | null;
  /** The number was used for the same before: nothing more happens. */
  readonly replay: boolean;
  /** Of what would be posted, account by account. */
  readonly movements: readonly Movement[];
}
export type VerdictState = ReturnType<typeof standingOf>;

/** What an instruction does to one account, in minor units. */
export interface Movement {
  /** Null: it would be opened by it. */
  readonly account: Id | null;
  readonly type: AccountType;
  readonly amount: bigint;
  readonly before: Standing;
  readonly after: Standing;
}

export interface Standing {
  readonly balance: bigint;
  readonly available: bigint;
  readonly uncleared: bigint;
}

/**
 * What would become of these instructions of one platform if they were given now, in this order, each after those before it. Nothing is
 * written, no number is used up, nobody is asked; ids that they would give are not told, for they will be others.
 * @throws Refused NOT_FOUND for a platform without a book
 */
export async function tryOut(rt: Runtime, submissions: readonly Submission[]): Promise<Verdict[]> {
  if (submissions.length === 0) return []; // all were refused before they were any
  const group = await questioned(rt, submissions);
  const seen = await rt.db.snapshot('dry-run', (tx) => tried(tx, rt, group, decideInMemory));
  if (seen !== undefined) return seen;
  // One of them has to see what those before it wrote: so they are written, on the shard's turn, and all of it is undone.
  try {
    return await rt.db.withTx('dry-run-written', async (tx) => {
      const verdicts = await tried(tx, rt, group, decideGiven);
      invariant(verdicts, 'what is written can be seen');
      throw new Undone(verdicts);
    });
  } catch (error) {
    if (error instanceof Undone) return [...error.verdicts];
    throw error;
  }
}

/**
 * Decides these instructions of one platform together: all of them are posted, in one commit, or none is there. What would have to wait for
 * a customer or for money is none that is posted.
 * @param keep is called before the commit, in its transaction, with the instructions in the order of the submissions
 * @param committed whether the commit is there, where its answer was lost
 */
export async function decideTogether(
  rt: Runtime,
  submissions: readonly Submission[],
  keep: (tx: Tx, instructions: readonly Id[]) => Promise<void>,
  committed: () => Promise<boolean>,
): Promise<{ kept: boolean; verdicts: readonly Verdict[] }> {
  const group = await questioned(rt, submissions);
  let verdicts: readonly Verdict[] = [];
  let shardId = 0;
  try {
    await rt.db.withTx(
      'decide-together',
      async (tx) => {
        const sorted = await received(tx, rt, group);
        shardId = sorted.shardId;
        const decided = await decideGiven(tx, rt, kinds, { shardId, received: sorted.fresh });
        verdicts = await verdictsOf(tx, sorted, decided, new Onlooker());
        if (!verdicts.every(({ state }) => state === 'posted')) throw new Undone(verdicts);
        await keep(
          tx,
          verdicts.map(({ instruction }) => instruction as Id),
        );
        return true;
      },
      async () => ((await committed()) ? true : undefined),
    );
  } catch (error) {
    if (error instanceof Undone) return { kept: false, verdicts: error.verdicts };
    throw error;
  }
  await tell(rt, shardId, submissions, verdicts);
  return { kept: true, verdicts };
}

/** An instruction of the system, worked out before its turn: it asks no customer. */
export type Prepared = Pick<Questioned, 'submission' | 'bodyHash'>;

export function prepared(rt: Pick<Runtime, 'vault'>, submission: Submission): Prepared {
  invariant(submission.act === undefined, 'what the system gives asks no customer');
  return { submission, bodyHash: hashOf(rt, submission) };
}

/**
 * Decides these instructions of the system now and in one commit, each for itself: they are received, decided and told at once, without lying
 * in the inbox. What has to wait for people waits. What was given before under the same number acts no second time.
 * @param given which they are, of one platform; called in the transaction, so that they may rest on what was seen under a lock
 * @param keep is called before the commit, in its transaction, with what became of each, in the order in which they were given
 * @param committed whether the commit is there, where its answer was lost
 */
export async function decideEach(
  rt: Runtime,
  given: (tx: Tx) => Promise<readonly Prepared[]>,
  keep: (tx: Tx, verdicts: readonly Verdict[]) => Promise<void>,
  committed: () => Promise<boolean>,
): Promise<void> {
  let group: readonly Prepared[] = [];
  let verdicts: readonly Verdict[] = [];
  let shardId = 0;
  await rt.db.withTx(
    'decide-each',
    async (tx) => {
      group = await given(tx);
      verdicts = [];
      if (group.length > 0) {
        const sorted = await received(tx, rt, group);
        shardId = sorted.shardId;
        const decided = await decideGiven(tx, rt, kinds, { shardId, received: sorted.fresh });
        verdicts = await verdictsOf(tx, sorted, decided, new Onlooker());
      }
      await keep(tx, verdicts);
      return true;
    },
    async () => ((await committed()) ? true : undefined),
  );
  const submissions = group.map(({ submission }) => submission);
  if (group.length > 0) await tell(rt, shardId, submissions, verdicts);
}

/**
 * Decides one instruction of the staff or the system in a transaction of its caller's, who keeps what it did by committing, and nothing of it
 * otherwise; nobody is asked. The same number acts once.
 * @returns what became of it, and what is to be called when it is committed
 * @throws Refused NOT_FOUND for a platform without a book
 */
export async function decideInTx(
  tx: Tx,
  rt: Runtime,
  submission: Submission,
): Promise<{ verdict: Verdict; committed: () => Promise<void> }> {
  const sorted = await received(tx, rt, [{ submission, bodyHash: hashOf(rt, submission) }]);
  const decided = await decideGiven(tx, rt, kinds, { shardId: sorted.shardId, received: sorted.fresh });
  const [verdict] = await verdictsOf(tx, sorted, decided, new Onlooker());
  invariant(verdict, 'what is decided has a verdict');
  return { verdict, committed: () => tell(rt, sorted.shardId, [submission], [verdict]) };
}

async function tell(
  rt: Runtime,
  shardId: number,
  submissions: readonly Submission[],
  verdicts: readonly Verdict[],
): Promise<void> {
  for (const [place, { state, code, replay }] of verdicts.entries()) {
    if (!replay) rt.metrics.instructions.inc({ kind: submissions[place]?.kind ?? '', state, code: code ?? '' });
  }
  await rt.bells.ring('relay-outbox', String(shardId));
  await rt.bells.ring('execute-shard', String(shardId)); // credits may have woken what waited for them
}

/** Carries the verdicts out of a transaction that is rolled back. */
class Undone extends Error {
  readonly verdicts: readonly Verdict[];

  constructor(verdicts: readonly Verdict[]) {
    super('rolled back');
    this.verdicts = verdicts;
  }
}

interface Sorted {
  readonly shardId: number;
  readonly receipts: readonly Receipt[];
  /** What the engine is given. */
  readonly fresh: readonly Received[];
  /** What a customer has to say yes to first. */
  readonly asked: ReadonlySet<Id>;
}

/** Sorts them out and puts what is new on the books. Nearly always all is new, so who was there is looked up only when one of them was. */
async function received(tx: Tx, rt: Runtime, group: readonly Questioned[]): Promise<Sorted> {
  const shardId = await shardOf(tx, group);
  try {
    return await inserted(tx, { shardId, ...sortedBy(rt, group, new Map()) });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return inserted(tx, await sortedOut(tx, rt, group));
  }
}

async function inserted(tx: Tx, sorted: Sorted): Promise<Sorted> {
  if (sorted.fresh.length > 0) await insertReceived(tx, sorted.fresh, []);
  return sorted;
}

async function sortedOut(tx: Tx, rt: Runtime, group: readonly Questioned[]): Promise<Sorted> {
  const shardId = await shardOf(tx, group);
  const known = await findRequests(
    tx,
    group.map(({ submission }) => submission),
  );
  return { shardId, ...sortedBy(rt, group, known) };
}

function sortedBy(rt: Runtime, group: readonly Questioned[], known: Parameters<typeof sortOut>[2]): Omit<Sorted, 'shardId'> {
  const { receipts, fresh } = sortOut(rt, group, known);
  const asked = new Set(fresh.flatMap(({ id, draft }) => (draft === undefined ? [] : [id])));
  return { receipts, fresh: fresh.filter(({ id }) => !asked.has(id)), asked };
}

async function shardOf(tx: Tx, group: readonly Questioned[]): Promise<number> {
  const platformIds = [...new Set(group.map(({ submission }) => submission.platformId))];
  const [book] = (await loadBooks(tx, platformIds)).values();
  if (book === undefined) throw new Refused(refuse('NOT_FOUND', 'The platform has no book.'));
  invariant(platformIds.length === 1, 'instructions that are decided together are of one platform');
  return book.shardId;
}

async function tried(
  tx: Tx,
  rt: Runtime,
  group: readonly Questioned[],
  decide: typeof decideInMemory,
): Promise<Verdict[] | undefined> {
  const sorted = await sortedOut(tx, rt, group);
  const { shardId, fresh: received } = sorted;
  const onlooker = new Onlooker();
  const decided = await decide(tx, rt, kinds, { shardId, received, watch: onlooker.watch });
  if (decided === undefined) return undefined;
  const given = new Set(
    received.flatMap(({ id, kind }) => Array.from({ length: kinds.get(kind)?.ids ?? 1 }, (_, place) => idAfter(id, place))),
  );
  for (const id of sorted.asked) given.add(id);
  return (await verdictsOf(tx, sorted, decided, onlooker)).map((verdict) => withoutIds(verdict, given));
}

async function verdictsOf(tx: Tx, { receipts, fresh, asked }: Sorted, decided: Decided, onlooker: Onlooker): Promise<Verdict[]> {
  const isNew = new Set(fresh.map(({ id }) => id));
  const before = receipts.flatMap((receipt) =>
    'id' in receipt && !isNew.has(receipt.id) && !asked.has(receipt.id) ? [receipt.id] : [],
  );
  const known = await findInstructions(tx, before);
  const undecided = before.filter((id) => !known.get(id)?.outcome);
  const awaited = await readAwaited(tx, undecided);
  const outcomes = new Map(decided.outcomes.map((outcome) => [outcome.instruction, outcome]));
  const parked = new Set(decided.parked);
  const inReview = new Set(decided.inReview);
  const moved = onlooker.moved();
  return receipts.map((receipt): Verdict => {
    if ('refused' in receipt) return refusedBefore(receipt.refused);
    const { id, replay } = receipt;
    const outcome = outcomes.get(id) ?? known.get(id)?.outcome ?? null;
    const waits = inReview.has(id) ? 'in-review' : parked.has(id) ? 'awaiting-funds' : standingOf(outcome, awaited.get(id));
    const state = asked.has(id) ? 'awaiting-consent' : waits;
    return {
      state,
      code: outcome?.code ?? null,
      detail: outcome?.detail ?? null,
      businessDate: outcome?.businessDate ?? null,
      instruction: id,
      replay,
      movements: state === 'posted' && !replay ? (moved.get(id) ?? []) : [],
    };
  });
}

/** As an instruction that intake does not take is answered. */
export function refusedBefore({ code, detail, fields }: Refusal): Verdict {
  return {
    state: 'refused',
    code,
    detail: detail === undefined && fields === undefined ? null : { ...(detail === undefined ? {} : { detail }), ...fields },
    businessDate: null,
    instruction: null,
    replay: false,
    movements: [],
  };
}

/** Without what names something that is not there after all. */
function withoutIds(verdict: Verdict, given: ReadonlySet<Id>): Verdict {
  const { instruction, detail, movements } = verdict;
  return {
    ...verdict,
    instruction: instruction !== null && given.has(instruction) ? null : instruction,
    detail: strip(detail, given) as Verdict['detail'],
    movements: movements.map((movement) =>
      movement.account !== null && given.has(movement.account) ? { ...movement, account: null } : movement,
    ),
  };
}

function strip(value: unknown, given: ReadonlySet<Id>): unknown {
  if (typeof value === 'string') return given.has((/^[a-z]{3}_([0-9]{19})$/.exec(value)?.[1] ?? value) as Id) ? null : value;
  if (Array.isArray(value)) return value.map((each) => strip(each, given));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, strip(each, given)]));
}

/** Notes how the accounts of each instruction stood before and after it. */
class Onlooker {
  readonly #moved = new Map<Id, readonly Movement[]>();
  #instruction: Id | undefined;
  #touched = new Map<LedgerAccount, Standing>();

  readonly watch: Watch = (instruction, find) => {
    this.#settle();
    this.#instruction = instruction;
    return (id) => {
      const account = find(id);
      if (!this.#touched.has(account)) this.#touched.set(account, standing(account));
      return account;
    };
  };

  moved(): ReadonlyMap<Id, readonly Movement[]> {
    this.#settle();
    return this.#moved;
  }

  #settle(): void {
    if (this.#instruction === undefined) return;
    const movements = [...this.#touched].map(([account, before]): Movement => {
      const after = standing(account);
      return { account: account.id, type: account.type, amount: after.balance - before.balance, before, after };
    });
    this.#moved.set(this.#instruction, movements);
    this.#instruction = undefined;
    this.#touched = new Map();
  }
}

function standing(account: LedgerAccount): Standing {
  return { balance: account.balance, available: availableOf(account), uncleared: unclearedOf(account) };
}
