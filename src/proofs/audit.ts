import {
  asId,
  type BusinessDate,
  canonicalJson,
  type Id,
  type PublicKeys,
  readPublicKeys,
  toWire,
  toYuan,
} from '../kernel/index.js';
import { bookTotals, loadBook, type VerifyCursor, verifyPage } from '../ledger/index.js';
import { contentOf, type ProofRuntime } from './attest.js';
import { bookedPlatforms, crossed, instructionFurther, strangeInstructions, unbalancedInstructions } from './audit-store.js';
import { type CustodyProof, FIRST, judgeCustody } from './rules.js';
import { blocksOf, proofsAfter } from './store.js';

/** What the audit works with: it signs nothing and writes nothing. */
export type AuditRuntime = Pick<ProofRuntime, 'db' | 'vault' | 'receiptKeys'>;

/** Something that is not as it must be, in plain words. */
export interface AuditFault {
  readonly platform: string;
  readonly check: 'chains' | 'instructions' | 'custody' | 'days';
  readonly fault: string;
}

/** How far an audit has come, or what it came to. Counts are those of all platforms together. */
export interface AuditTally {
  platforms: number;
  accounts: number;
  entries: number;
  instructions: number;
  days: number;
  /** All of them, while `faults` holds the first thousand. */
  faultCount: number;
  readonly faults: AuditFault[];
}

const FAULTS_MAX = 1_000;
const INSTRUCTIONS = 5_000;
const DAYS = 100;
const NEVER = '0000-01-01' as BusinessDate;

type Tell = (check: AuditFault['check'], fault: string) => void;

/**
 * Replays the books: each entry of each account in its chain against the stored balances, each instruction's postings to zero, custody against all other
 * accounts and against what crossed its wall, and each attested day's tree against what was signed. Works while the service runs: each part is
 * read in a moment of its own. Memory is that of a page. Yields the tally after each page; the last is the result.
 * @param platformId all that have a book when absent
 */
export async function* audit(rt: AuditRuntime, platformId?: Id): AsyncGenerator<AuditTally> {
  const tally: AuditTally = { platforms: 0, accounts: 0, entries: 0, instructions: 0, days: 0, faultCount: 0, faults: [] };
  const platforms = platformId === undefined ? await rt.db.read('audit-platforms', bookedPlatforms) : [platformId];
  for (const id of platforms) {
    const tell: Tell = (check, fault) => {
      tally.faultCount += 1;
      if (tally.faults.length < FAULTS_MAX) tally.faults.push({ platform: toWire('platform', id), check, fault });
    };
    tally.platforms += 1;
    for (const part of [auditChains, auditInstructions, auditCustody, auditDays])
      for await (const _page of part(rt, id, tally, tell)) yield tally;
  }
  yield tally;
}

async function* auditChains({ db }: AuditRuntime, platformId: Id, tally: AuditTally, tell: Tell): AsyncGenerator<void> {
  for (let from: VerifyCursor | undefined, first = true; first || from !== undefined; first = false) {
    const at = from;
    const { page, strangers } = await db.snapshot('audit-chains', async (tx) => {
      const verified = await verifyPage(tx, platformId, at);
      return { page: verified, strangers: await strangeInstructions(tx, platformId, verified.accounts, FAULTS_MAX) };
    });
    for (const { account, fault, seq } of page.faults)
      tell('chains', `${toWire('account', account)}: ${FAULTS[fault]} (entry ${seq})`);
    for (const { account, instruction } of strangers)
      tell(
        'chains',
        `${toWire('account', account)}: has an entry of ${toWire('instruction', instruction)}, which this platform never had`,
      );
    tally.accounts += page.accounts.length;
    tally.entries += page.entries;
    from = page.next;
    yield;
  }
}

const FAULTS = {
  gap: 'an entry is missing before this one',
  balance: 'the balance is not what its entries come to',
  hash: 'the hash does not follow from the entry and the one before it',
  head: 'the stored head of the chain is not that of its last entry',
  count: 'the stored count is not that of its entries',
} as const;

async function* auditInstructions({ db }: AuditRuntime, platformId: Id, tally: AuditTally, tell: Tell): AsyncGenerator<void> {
  for (let after = asId('0'); ; ) {
    const at = after;
    const page = await db.snapshot('audit-instructions', async (tx) => {
      const to = await instructionFurther(tx, platformId, at, INSTRUCTIONS);
      return to && { to, ...(await unbalancedInstructions(tx, platformId, { after: at, to })) };
    });
    if (page === undefined) return;
    for (const { instruction, sum, strange } of page.unbalanced) {
      const wire = toWire('instruction', instruction);
      if (sum !== 0n) tell('instructions', `${wire}: its postings sum to ${toYuan(sum)} yuan and not to zero`);
      if (strange > 0) tell('instructions', `${wire}: ${strange} of its postings are on accounts that are not this platform's`);
    }
    tally.instructions += page.posted;
    after = page.to;
    yield;
  }
}

async function* auditCustody({ db }: AuditRuntime, platformId: Id, _tally: AuditTally, tell: Tell): AsyncGenerator<void> {
  const { custody, children, wall } = await db.snapshot('audit-custody', async (tx) => ({
    ...(await bookTotals(tx, platformId)),
    wall: await crossed(tx, platformId),
  }));
  if (custody !== children)
    tell('custody', `the custody account has ${toYuan(custody)} yuan, all other accounts together ${toYuan(children)}`);
  if (custody !== wall) tell('custody', `the custody account has ${toYuan(custody)} yuan, and ${toYuan(wall)} crossed its wall`);
  yield;
}

async function* auditDays(rt: AuditRuntime, platformId: Id, tally: AuditTally, tell: Tell): AsyncGenerator<void> {
  const keys = readPublicKeys(JSON.stringify({ keys: rt.receiptKeys.published }));
  const book = await rt.db.read('audit-book', (tx) => loadBook(tx, platformId));
  let previous: CustodyProof | undefined;
  for (;;) {
    const since = (previous?.content.date ?? NEVER) as BusinessDate;
    const proofs = await rt.db.read('audit-proofs', (tx) => proofsAfter(tx, platformId, since, DAYS));
    for (const proof of proofs) {
      const before: string = previous?.hash ?? FIRST;
      for (const fault of await dayFaults(rt, { ...book, before, keys }, proof)) tell('days', `${proof.content.date}: ${fault}`);
      tally.days += 1;
      previous = proof;
      yield;
    }
    if (proofs.length < DAYS) return;
  }
}

async function dayFaults(
  rt: AuditRuntime,
  of: { readonly platformId: Id; readonly custodyNo: string; readonly before: string; readonly keys: PublicKeys },
  proof: CustodyProof,
): Promise<string[]> {
  const faults: string[] = [];
  const judged = judgeCustody(proof, of.keys);
  if ('fault' in judged) faults.push(judged.fault);
  const { content } = proof;
  if (content.previous !== of.before) faults.push('it does not follow from the proof of the day before');
  const date = content.date as BusinessDate;
  const now = await contentOf(rt, of, date, content.previous);
  if (now === undefined) return [...faults, 'the statement of that day is gone'];
  if (now.content.root !== content.root) faults.push('the accounts of that day are no longer those that were attested');
  else if (canonicalJson(now.content) !== canonicalJson(content))
    faults.push('the totals or the statement are no longer those that were attested');
  const kept = await rt.db.read('audit-blocks', (tx) => blocksOf(tx, of.platformId, date));
  if (kept.length !== now.blocks.length || now.blocks.some(({ hash }, place) => !kept[place]?.hash.equals(hash)))
    faults.push('the hashes of its blocks are not those of the tree: no inclusion proof can be made of it');
  return faults;
}
