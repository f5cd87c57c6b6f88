import { type BusinessDate, type Id, invariant, type Refusal, Refused, refuse, toWire } from '../../kernel/index.js';
import { loadBooks } from '../../ledger/index.js';
import { type Asked, isDuplicateKey, isSameContent, type Runtime, type Tx } from '../../runtime/index.js';
import type { Act, Origin } from '../kind.js';
import { kinds } from '../kinds/index.js';
import { findRequests, inboxDepths, insertReceived, type Received, type RequestName, requestKey } from '../store.js';
import { askAbout, type Draft, draftQuestions } from './asking.js';
import { sealedBody } from './personal.js';

/** An instruction that was parsed and may be received. `body` is the canonical JSON of its data. */
export interface Submission {
  readonly platformId: Id;
  readonly origin: Origin;
  readonly requestNo: string;
  readonly kind: string;
  readonly body: string;
  readonly actor: string;
  /** Whose day it counts for (起息日), where that is a day that is over. */
  readonly valueDate?: BusinessDate | undefined;
  /** What a customer may have to say yes to before it is decided. */
  readonly act?: Act | undefined;
}

/** Received now, or (`replay`) before under the same number with the same body; or refused and not received. */
export type Receipt = { readonly id: Id; readonly replay: boolean; readonly asked?: Asked } | { readonly refused: Refusal };

export interface Intake {
  /** Answers in the order of the submissions, after they are committed and the bells of their shards have rung. */
  receive(submissions: readonly Submission[]): Promise<Receipt[]>;
}

const GROUP_MAX = 2000;
const INBOX_MAX = 200_000; // undecided instructions of one shard, above which nothing more is accepted
const DEPTH_EVERY_MS = 1000;
const TRIES_MAX = 10; // other processes may take a number of the group between each look and the write

interface Waiting {
  readonly submission: Submission;
  readonly bodyHash: Buffer;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Receives instructions with group commit: requests that arrive while a group is being written wait together and are
 * written by one statement. The unique key of the request numbers is the arbiter between processes.
 */
export function createIntake(rt: Runtime): Intake {
  const waiting: Waiting[] = [];
  const shards = new Map<Id, number>();
  let writing = false;
  let depths = new Map<number, number>();
  let depthsAt = 0;

  async function shardsOf(platformIds: readonly Id[]): Promise<void> {
    const unknown = [...new Set(platformIds)].filter((id) => !shards.has(id));
    if (unknown.length === 0) return;
    const books = await rt.db.read('shards-of-platforms', (tx) => loadBooks(tx, unknown));
    for (const [id, book] of books) shards.set(id, book.shardId);
  }

  const shardOf = (platformId: Id): number => {
    const shard = shards.get(platformId);
    invariant(shard !== undefined, `platform ${platformId} has a book`);
    return shard;
  };

  /** Shards with more undecided work than may wait. The depths are up to a second old. */
  async function fullShards(): Promise<Set<number>> {
    const now = rt.clock.wall();
    if (now - depthsAt > DEPTH_EVERY_MS) {
      depths = await rt.db.read('inbox-depths', inboxDepths);
      depthsAt = now;
    }
    return new Set([...depths].filter(([, depth]) => depth > INBOX_MAX).map(([shard]) => shard));
  }

  async function writeGroup(group: readonly Waiting[]): Promise<void> {
    await shardsOf(group.map(({ submission }) => submission.platformId));
    const full = await fullShards();
    const accepted: Waiting[] = [];
    for (const entry of group) {
      const shard = shards.get(entry.submission.platformId);
      if (shard === undefined) entry.resolve({ refused: refuse('NOT_FOUND', 'The platform has no book.') });
      // What the system itself says (a payout's result) is never turned away: it ends work that was accepted.
      else if (full.has(shard) && entry.submission.origin !== 'S') entry.resolve({ refused: refuse('OVERLOADED') });
      else accepted.push(entry);
    }
    const receipts = await commit(rt, await withQuestions(rt, accepted), shardOf);
    const fresh = accepted.filter((_, place) => {
      const receipt = receipts[place];
      return receipt !== undefined && 'id' in receipt && !receipt.replay && receipt.asked === undefined;
    });
    const rung = [...new Set(fresh.map(({ submission }) => shardOf(submission.platformId)))];
    await Promise.all(rung.map((shard) => rt.bells.ring('execute-shard', String(shard))));
    for (const [place, entry] of accepted.entries()) entry.resolve(receipts[place] as Receipt);
  }

  async function run(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_MAX);
      await writeGroup(group).catch((error) => {
        for (const entry of group) entry.reject(error);
      });
    }
    writing = false;
  }

  return {
    receive(submissions) {
      const receipts = submissions.map(
        (submission) =>
          new Promise<Receipt>((resolve, reject) => {
            waiting.push({ submission, bodyHash: hashOf(rt, submission), resolve, reject });
          }),
      );
      if (!writing) void run();
      return Promise.all(receipts);
    },
  };
}

/**
 * Receives one instruction in a transaction that is open already (a bank operator's, with its audit entry). The caller rings
 * the shard's bell after the commit.
 */
export async function receiveInTx(tx: Tx, rt: Runtime, submission: Submission): Promise<{ receipt: Receipt; shardId: number }> {
  const book = (await loadBooks(tx, [submission.platformId])).get(submission.platformId);
  if (book === undefined) throw new Refused(refuse('NOT_FOUND'));
  const entry = { submission, bodyHash: hashOf(rt, submission) };
  const { receipts, fresh } = sortOut(rt, [entry], await findRequests(tx, [submission]));
  const inbox = fresh.map(({ id }) => ({ shardId: book.shardId, instruction: id }));
  if (fresh.length > 0) await insertReceived(tx, fresh, inbox);
  return { receipt: receipts[0] as Receipt, shardId: book.shardId };
}

const contentOf = ({ kind, body }: Submission): string => `${kind}\n${body}`;

/** Keyed: who has the rows and knows all of a payment but its payer's card cannot try cards against it. */
export function hashOf({ vault }: Pick<Runtime, 'vault'>, submission: Submission): Buffer {
  return vault.index('instruction', contentOf(submission));
}

/** Writes what is new and answers what is not. Runs again when another process wrote one of the numbers in between. */
async function commit(rt: Runtime, group: readonly Questioned[], shardOf: (platformId: Id) => number): Promise<Receipt[]> {
  let known = new Map<string, { id: Id; bodyHash: Buffer }>();
  const asked = new Map<Id, Asked>();
  for (let tries = 1; ; tries += 1) {
    const { receipts, fresh } = sortOut(rt, group, known);
    if (fresh.length === 0) return receipts;
    try {
      await rt.db.withTx(
        'receive-instructions',
        async (tx) => {
          asked.clear();
          const inbox = fresh.filter(({ draft }) => draft === undefined);
          await insertReceived(
            tx,
            fresh,
            inbox.map(({ id, platformId }) => ({ shardId: shardOf(platformId), instruction: id })),
          );
          for (const { id, draft } of fresh) {
            if (draft !== undefined) asked.set(id, await askAbout(tx, rt, id, draft));
          }
          return true as const;
        },
        () => received(rt, fresh),
      );
      return receipts.map((receipt) => {
        const question = 'id' in receipt && !receipt.replay ? asked.get(receipt.id) : undefined;
        return question === undefined ? receipt : { ...receipt, asked: question };
      });
    } catch (error) {
      if (!isDuplicateKey(error) || tries >= TRIES_MAX) throw error;
      known = await lookUp(
        rt,
        group.map(({ submission }) => submission),
      );
    }
  }
}

/** After a commit whose answer was lost: whether the group is on the books. */
async function received(rt: Runtime, fresh: readonly Received[]): Promise<true | undefined> {
  const first = fresh[0] as Received;
  return (await lookUp(rt, [first])).get(requestKey(first))?.id === first.id ? true : undefined;
}

function lookUp(rt: Runtime, names: readonly RequestName[]) {
  return rt.db.read('find-requests', (tx) => findRequests(tx, names));
}

/** A request with what must be put to the customer before it is decided, if anything must. */
export interface Questioned extends Pick<Waiting, 'submission' | 'bodyHash'> {
  readonly draft?: Draft | undefined;
}

/** What customers would be asked about these, as `receive` would ask; nobody is. */
export function questioned(rt: Runtime, submissions: readonly Submission[]): Promise<readonly Questioned[]> {
  return withQuestions(
    rt,
    submissions.map((submission) => ({ submission, bodyHash: hashOf(rt, submission) })),
  );
}

async function withQuestions(rt: Runtime, group: readonly Questioned[]): Promise<readonly Questioned[]> {
  const acts = group.flatMap(({ submission: { platformId, kind, act } }) =>
    act === undefined ? [] : [{ platformId, kind, act }],
  );
  if (acts.length === 0) return group;
  const drafts = await rt.db.read('draft-questions', (tx) => draftQuestions(tx, rt, acts));
  const next = drafts.values();
  return group.map((entry) => (entry.submission.act === undefined ? entry : { ...entry, draft: next.next().value }));
}

/** Who is new, who repeats an earlier request (of before, or of this same group), and who misuses a number. */
export function sortOut(rt: Runtime, group: readonly Questioned[], known: ReadonlyMap<string, { id: Id; bodyHash: Buffer }>) {
  const seen = new Map(known);
  const fresh: (Received & { draft?: Draft | undefined })[] = [];
  const receivedMs = rt.clock.now();
  const receipts = group.map(({ submission, bodyHash, draft }): Receipt => {
    const key = requestKey(submission);
    const before = seen.get(key);
    if (before !== undefined) {
      if (isSameContent(rt.vault, before.bodyHash, 'instruction', contentOf(submission))) return { id: before.id, replay: true };
      return {
        refused: refuse('REQUEST_NO_REUSED', undefined, {
          requestNo: submission.requestNo,
          instruction: toWire('instruction', before.id),
        }),
      };
    }
    const id = rt.newId(kinds.get(submission.kind)?.ids);
    seen.set(key, { id, bodyHash });
    const body = sealedBody(kinds.get(submission.kind), submission.body, rt.vault);
    fresh.push({ ...submission, body, id, bodyHash, receivedMs, draft });
    return { id, replay: false };
  });
  return { receipts, fresh };
}
