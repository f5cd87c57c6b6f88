import { findInstructions, type Submission } from '../instructions/index.js';
import {
  canonicalJson,
  type Id,
  type Instant,
  invariant,
  naturalDate,
  Refused,
  refuse,
  toWire,
  toWireMoney,
} from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import { isDuplicateKey, isSameContent, type Runtime, type Tx } from '../runtime/index.js';
import { type FileFault, parseFile } from './rules.js';
import {
  beginRetry,
  decideFile,
  findAcquirer,
  findFile,
  findFileByNo,
  insertFile,
  linesOf,
  noteInstructions,
  type StoredFile,
  type StoredLine,
  tradesTaken,
} from './store.js';

/** Receives an instruction in the transaction of the release; what is rung afterwards makes a shard decide it. */
export type GiveInstruction = (tx: Tx, of: Submission) => Promise<{ id: Id; ring: () => Promise<void> }>;

interface Who {
  readonly operator: Id;
  readonly nowMs: Instant;
}

const HASHED = 'acquirer-file';

/**
 * Keeps a file of which nothing is wrong. The same file again is the first one.
 * @throws Refused ACQUIRER_FILE_REFUSED with all that is wrong, ACQUIRER_NOT_FOUND, ACQUIRER_FILE_REUSED, NOT_FOUND
 */
export async function upload(tx: Tx, rt: Runtime, platformId: Id, text: string, who: Who): Promise<StoredFile> {
  const file = parseFile(text);
  if (!('acquirer' in file)) throw new Refused(refuse('ACQUIRER_FILE_REFUSED', undefined, { faults: file }));
  const { acquirer, fileNo, date, lines, reference, total, fee } = file;
  const before = await findFileByNo(tx, acquirer, fileNo);
  if (before !== undefined) {
    if (before.platformId === platformId && isSameContent(rt.vault, before.contentHash, HASHED, text)) return before;
    throw new Refused(refuse('ACQUIRER_FILE_REUSED', undefined, { fileNo }));
  }
  if (!(await loadBooks(tx, [platformId])).has(platformId)) throw new Refused(refuse('NOT_FOUND'));
  if ((await findAcquirer(tx, acquirer)) === undefined) throw new Refused(refuse('ACQUIRER_NOT_FOUND', undefined, { acquirer }));
  if (date > naturalDate(who.nowMs)) {
    const fault: FileFault = { line: 1, field: 'date', detail: `${date} is in the future` };
    throw new Refused(refuse('ACQUIRER_FILE_REFUSED', undefined, { faults: [fault] }));
  }
  const taken = await tradesTaken(
    tx,
    acquirer,
    lines.map((line) => line.tradeNo),
  );
  const faults = lines.flatMap(({ lineNo, tradeNo }) =>
    taken.has(tradeNo) ? [{ line: lineNo + 1, field: 'tradeNo', detail: `${tradeNo} stands in another file` }] : [],
  );
  if (faults.length > 0) throw new Refused(refuse('ACQUIRER_FILE_REFUSED', undefined, { faults }));
  const id = rt.newId();
  const contentHash = rt.vault.index(HASHED, text);
  const kept = { id, platformId, acquirer, fileNo, date, reference, total, fee, contentHash };
  try {
    await insertFile(tx, { ...kept, uploadedBy: who.operator, uploadedMs: who.nowMs }, lines);
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('ACQUIRER_FILE_REUSED', undefined, { fileNo }));
    throw error;
  }
  return (await findFile(tx, id)) as StoredFile;
}

/**
 * A second person decides. Released, each line is instructed as a payment of its order, and the acquirer's fee with them: all of one statement
 * line, under its reference.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, ACQUIRER_FILE_DECIDED
 */
export async function decide(
  tx: Tx,
  rt: Runtime,
  id: Id,
  to: 'released' | 'rejected',
  who: Who,
  give: GiveInstruction,
): Promise<{ file: StoredFile; ring: () => Promise<void> }> {
  const file = await findFile(tx, id);
  if (file === undefined) throw new Refused(refuse('NOT_FOUND'));
  // Whoever uploaded it may take it back, and not release it.
  if (to === 'released' && file.uploadedBy === who.operator) throw new Refused(refuse('SAME_OPERATOR'));
  if (!(await decideFile(tx, id, to, who.operator, who.nowMs))) throw new Refused(refuse('ACQUIRER_FILE_DECIDED'));
  const ring = to === 'released' ? await instruct(tx, rt, file, who, give) : async () => undefined;
  return { file: (await findFile(tx, id)) as StoredFile, ring };
}

/**
 * Instructs anew what the books refused of a released file: its content was approved by the second person, so that one is enough. What was posted,
 * or is not decided yet, stays as it is.
 * @throws Refused NOT_FOUND, ACQUIRER_FILE_NOT_REFUSED
 */
export async function retry(
  tx: Tx,
  rt: Runtime,
  id: Id,
  who: Who,
  give: GiveInstruction,
): Promise<{ file: StoredFile; ring: () => Promise<void> }> {
  const file = await findFile(tx, id);
  if (file === undefined) throw new Refused(refuse('NOT_FOUND'));
  const refused = await refusedOf(tx, file);
  if (refused.size === 0 || !(await beginRetry(tx, file))) throw new Refused(refuse('ACQUIRER_FILE_NOT_REFUSED'));
  const ring = await instruct(tx, rt, { ...file, retries: file.retries + 1 }, who, give, refused);
  return { file: (await findFile(tx, id)) as StoredFile, ring };
}

/** The instructions of a released file that the books refused. */
async function refusedOf(tx: Tx, file: StoredFile): Promise<Set<Id>> {
  const ids = instructionsOf(file, await linesOf(tx, file.id));
  const views = await findInstructions(tx, ids);
  return new Set(ids.filter((id) => views.get(id)?.outcome?.state === 'refused'));
}

/** What a file was instructed as, its fee last. */
export function instructionsOf(file: StoredFile, lines: readonly StoredLine[]): Id[] {
  return [...lines.map(({ instructionId }) => instructionId), file.feeInstruction].filter((id) => id !== null);
}

/** @param only of a retry: the instructions in whose place there shall be others */
async function instruct(
  tx: Tx,
  { vault }: Runtime,
  file: StoredFile,
  who: Who,
  give: GiveInstruction,
  only?: ReadonlySet<Id>,
): Promise<() => Promise<void>> {
  const acquirer = await findAcquirer(tx, file.acquirer);
  invariant(acquirer, `the acquirer of file ${file.id} stays`);
  const { name, bankCode } = acquirer;
  const payer = { name, account: vault.open(acquirer.accountSealed), bankCode };
  const { platformId, reference } = file;
  const common = { platformId, origin: 'O' as const, actor: toWire('operator', who.operator) };
  const isWanted = (before: Id | null) => only === undefined || (before !== null && only.has(before));
  const numberOf = (what: string | number) => `acquirer:${file.id}:${what}${file.retries === 0 ? '' : `:${file.retries}`}`;
  const given: [number, Id][] = [];
  let ring: () => Promise<void> = async () => undefined;
  for (const { lineNo, orderNo, amount, instructionId } of await linesOf(tx, file.id)) {
    if (!isWanted(instructionId)) continue;
    const body = canonicalJson({ orderNo, amount: toWireMoney(amount), payer, reference });
    const done = await give(tx, { ...common, requestNo: numberOf(lineNo), kind: 'payment', body });
    given.push([lineNo, done.id]);
    ring = done.ring;
  }
  let fee: Id | undefined;
  if (file.fee > 0n && isWanted(file.feeInstruction)) {
    const body = canonicalJson({ amount: toWireMoney(file.fee), reference, acquirer: file.acquirer });
    const done = await give(tx, { ...common, requestNo: numberOf('fee'), kind: 'acquirer-fee', body });
    fee = done.id;
    ring = done.ring;
  }
  await noteInstructions(tx, file.id, given, fee);
  return ring;
}
