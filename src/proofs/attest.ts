import {
  addDays,
  type BusinessDate,
  canonicalJson,
  type Id,
  invariant,
  type Minor,
  Refused,
  refuse,
  signContent,
  toWire,
  toWireAmount,
} from '../kernel/index.js';
import { type Book, type ClosingBalance, type ClosingCursor, closingPages, loadBook } from '../ledger/index.js';
import { statementsAt } from '../reconciliation/index.js';
import { ahead, isDuplicateKey, type Runtime } from '../runtime/index.js';
import { BLOCK, CUSTODY_VERSION, type CustodyContent, type CustodyProof, FIRST, type Leaf, leafHash, saltOf } from './rules.js';
import { type Block, findProof, insertBlocks, insertProof, proofBefore } from './store.js';
import { Frontier } from './tree.js';

/** What proofs are made with. */
export type ProofRuntime = Pick<Runtime, 'db' | 'vault' | 'receiptKeys' | 'clock' | 'log'>;

/** Which business date of which platform. */
export interface DayOf {
  readonly platformId: Id;
  readonly date: BusinessDate;
}

/** What the books say now of a day is not what the bank signed, or does not add up: somebody must look, and nothing is written over. */
export class CustodyProofDiffers extends Error {}

/** What a proof says, in few words: money in fen, hashes in hex. */
export interface AttestedDay {
  readonly root: string;
  readonly hash: string;
  readonly accounts: number;
  readonly custody: string;
  readonly children: string;
}

const PAGE = 2_000;

/**
 * Makes and signs the custody proof (存管证明) of a business date whose books were proved, and first those of the days before that are still missing since
 * the last one. Memory is that of a page of accounts, however many there are. Run again it makes all anew, compares, and writes nothing.
 * @throws Refused DAY_NOT_PROVED, DAY_BEFORE_PROOFS (the chain began later)
 * @throws CustodyProofDiffers when a proof of the day is there and says something else, or the accounts do not add up to custody
 */
export async function attestDay(rt: ProofRuntime, { platformId, date }: DayOf): Promise<AttestedDay> {
  const { book, before, there } = await rt.db.read('proof-begin', async (tx) => ({
    book: await loadBook(tx, platformId),
    before: await proofBefore(tx, platformId, date),
    there: await findProof(tx, platformId, date),
  }));
  if (book.provedTo < date || book.businessDate <= date) throw new Refused(refuse('DAY_NOT_PROVED'));
  const last = before === undefined ? addDays(date, -1) : (before.content.date as BusinessDate);
  let proof = before;
  for (let day = there === undefined ? addDays(last, 1) : date; day <= date; day = addDays(day, 1))
    proof = await attestOne(rt, book, day, proof?.hash ?? FIRST);
  invariant(proof, 'the last day that was attested is the one asked for');
  const { root, accounts, custody, children } = proof.content;
  return { root, hash: proof.hash, accounts, custody: String(custody), children: String(children) };
}

async function attestOne(rt: ProofRuntime, book: Book, date: BusinessDate, previous: string): Promise<CustodyProof> {
  const { platformId } = book;
  const made = await contentOf(rt, book, date, previous);
  if (made === undefined) throw new Refused(refuse('DAY_NOT_PROVED'));
  const { content, blocks } = made;
  const { custody, children } = content;
  if (custody !== children)
    throw new CustodyProofDiffers(
      `the accounts of ${toWire('platform', platformId)} on ${date} add up to ${children} fen, custody to ${custody}`,
    );
  const stored = () => rt.db.read('proof-stored', (tx) => findProof(tx, platformId, date));
  const earlier = await stored();
  if (earlier !== undefined) return same(rt, earlier, content);
  const proof: CustodyProof = signContent(CUSTODY_VERSION, content, rt.receiptKeys);
  try {
    return await rt.db.withTx(
      'proof-keep',
      async (tx) => {
        await insertProof(tx, platformId, canonicalJson(content), proof, rt.clock.now());
        await insertBlocks(tx, platformId, date, blocks);
        return proof;
      },
      stored,
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const quicker = await stored();
    // The one before has a successor of another date: this day lies before what was attested, or another run was on its way there.
    if (quicker === undefined) throw new Refused(refuse('DAY_BEFORE_PROOFS'));
    return same(rt, quicker, content);
  }
}

function same(rt: ProofRuntime, stored: CustodyProof, content: CustodyContent): CustodyProof {
  if (canonicalJson(stored.content) === canonicalJson(content)) return stored;
  const { platform, date } = content;
  rt.log.error({ event: 'custody-proof.differs', platform, businessDate: date, stored: stored.content, now: content });
  throw new CustodyProofDiffers(`the books of ${platform} on ${date} are no longer what the bank attested`);
}

/** What the books and the statement say of a day, and the blocks of its tree; undefined when no statement was kept. */
export async function contentOf(
  rt: Pick<ProofRuntime, 'db' | 'vault'>,
  { platformId, custodyNo }: Pick<Book, 'platformId' | 'custodyNo'>,
  date: BusinessDate,
  previous: string,
): Promise<{ readonly content: CustodyContent; readonly blocks: readonly Block[] } | undefined> {
  const { stored: statement } = await rt.db.read('proof-statement', (tx) => statementsAt(tx, platformId, date));
  if (statement === undefined) return undefined;
  const hashOf = leafHasher(rt, { platformId, date });
  const tree = new BlockTree();
  let custody: Minor = 0n;
  let children: Minor = 0n;
  for await (const page of ahead(closingPages(rt, { platformId, date }, PAGE))) {
    for (const closing of page) {
      if (closing.type === 'custody') custody -= closing.balance;
      else children += closing.balance;
      tree.push(hashOf(closing), { type: closing.type, after: closing.account });
    }
  }
  const { root, accounts, blocks } = tree.end();
  const content: CustodyContent = {
    type: 'custody',
    platform: toWire('platform', platformId),
    custodyNo,
    date,
    previous,
    accounts,
    root: root.toString('hex'),
    custody: toWireAmount(custody),
    children: toWireAmount(children),
    statement: {
      closing: toWireAmount(statement.closing),
      lines: statement.lineCount,
      digest: statement.digest.toString('hex'),
    },
  };
  return { content, blocks };
}

/** The tree over leaves that go by: their hashes are forgotten but for those of whole blocks. */
export class BlockTree {
  readonly #blocks: Block[] = [];
  #block = new Frontier();
  #leaves = 0;
  #after: ClosingCursor | undefined;
  #last: ClosingCursor | undefined;

  push(hash: Buffer, at: ClosingCursor): void {
    this.#block.push(hash);
    this.#leaves += 1;
    this.#last = at;
    if (this.#leaves % BLOCK === 0) this.#endBlock();
  }

  #endBlock(): void {
    this.#blocks.push({ after: this.#after, hash: this.#block.root() });
    this.#block = new Frontier();
    this.#after = this.#last;
  }

  end(): { readonly root: Buffer; readonly accounts: number; readonly blocks: readonly Block[] } {
    if (this.#leaves % BLOCK !== 0) this.#endBlock();
    const top = new Frontier();
    for (const { hash } of this.#blocks) top.push(hash);
    return { root: top.root(), accounts: this.#leaves, blocks: this.#blocks };
  }
}

/** The closing balances of a day one by one. @param from undefined for the first */
export async function* closingBalances(
  rt: Pick<ProofRuntime, 'db'>,
  day: DayOf,
  from?: ClosingCursor,
): AsyncGenerator<ClosingBalance> {
  for await (const page of closingPages(rt, day, PAGE, from)) yield* page;
}

/** The same leaf each time it is asked for. */
export function leafOf({ account, type, balance, seq, head }: ClosingBalance): Leaf {
  return {
    account: toWire('account', account),
    accountType: type,
    balance: toWireAmount(balance),
    seq,
    head: head.toString('hex'),
  };
}

/** 32 bytes of which only the bank knows, another for each day: an auditor who is told one can make that day's tree anew and no other. */
export function daySecret({ vault }: Pick<ProofRuntime, 'vault'>, { platformId, date }: DayOf): Buffer {
  return vault.index('custody-proof', `${platformId} ${date}`);
}

export function leafHasher(rt: Pick<ProofRuntime, 'vault'>, day: DayOf): (closing: ClosingBalance) => Buffer {
  const secret = daySecret(rt, day);
  return (closing) => {
    const leaf = leafOf(closing);
    return leafHash(saltOf(secret, leaf.account), leaf);
  };
}
