import { decideInTx, kinds } from '../instructions/index.js';
import { canonicalJson, endOfProposal, type Id, type Instant, invariant, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import { findPayout } from '../payouts/index.js';
import { isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { decideRepair, findRepair, insertRepair, noteRepairInstruction, ownBreak, type Repair } from './case-store.js';
import { ownUnder } from './platform-store.js';
import {
  type CaseFacts,
  instructionOf,
  isOvertaken,
  type RepairAction,
  type RepairArguments,
  type RepairInstruction,
} from './repair-rules.js';
import { OPENING, payoutOfReference } from './rules.js';
import {
  acceptBreak,
  agreesWithBank,
  type Break,
  boundaryUnder,
  counterpartOf,
  findBreak,
  isUndecidedUnder,
  keptLines,
  standingUnder,
} from './store.js';

/** Breaks are cases: somebody owns each, one person proposes what is done about it, and another approves. */
export interface Who {
  readonly operator: Id;
  readonly nowMs: Instant;
}

const OURS_MAX = 100;
const NAME_UNKNOWN = '无户名';

/** What the books know about a break; see the rules. */
export async function factsOf(tx: Tx, of: Break): Promise<CaseFacts> {
  const named = payoutOfReference(of.reference);
  const payout = named === undefined ? undefined : await findPayout(tx, named.id);
  const nobody = { ours: [], standing: undefined, ownFunds: undefined, atBank: false, explainedBy: undefined };
  if (of.platformId === null) return { payout, ...nobody };
  const { platformId } = of;
  const isPlatforms = of.party === 'platform';
  const ours = isPlatforms
    ? await instructionsUnder(tx, platformId, of.reference)
    : await boundaryUnder(tx, platformId, of.reference, OURS_MAX);
  const { accounts } = await loadBook(tx, platformId);
  const standing = of.party === 'core-bank' ? await standingUnder(tx, platformId, of.reference) : undefined;
  const own = payout?.platformId === platformId ? payout : undefined;
  const atBank = isPlatforms && ours.length > 0 && (await agreesWithBank(tx, platformId, ours[0]?.instruction as Id));
  const explainedBy = of.reference === OPENING ? await counterpartOf(tx, of) : undefined;
  return { payout: own, ours, standing, ownFunds: accounts['own-funds'], atBank, explainedBy };
}

/** What a platform calls by its own number. */
async function instructionsUnder(tx: Tx, platformId: Id, requestNo: string) {
  const own = (await ownUnder(tx, platformId, [requestNo])).get(requestNo);
  if (own === undefined) return [];
  return [{ instruction: own.id, amount: BigInt(own.amount), kind: own.kind, businessDate: own.businessDate }];
}

/** @throws Refused NOT_FOUND */
export async function requireBreak(tx: Tx, id: Id): Promise<Break> {
  const found = await findBreak(tx, id);
  if (found === undefined) throw new Refused(refuse('NOT_FOUND'));
  return found;
}

/** Somebody takes a break, or is given it. @throws Refused NOT_FOUND, BREAK_CLOSED */
export async function own(tx: Tx, id: Id, owner: Id, nowMs: Instant): Promise<Break> {
  await requireBreak(tx, id);
  if (!(await ownBreak(tx, id, owner, nowMs))) throw new Refused(refuse('BREAK_CLOSED'));
  return requireBreak(tx, id);
}

export interface Proposal {
  readonly action: RepairAction;
  readonly given: RepairArguments;
  readonly note: string;
}

/**
 * The first of two people says what shall be done. Nothing moves yet. Who proposes for a break that is nobody's becomes its owner.
 * @throws Refused NOT_FOUND, BREAK_CLOSED, REPAIR_NOT_APPLICABLE, REPAIR_OVERTAKEN, REPAIR_PENDING
 */
export async function proposeRepair(tx: Tx, rt: Runtime, breakId: Id, of: Proposal, who: Who): Promise<Repair> {
  const found = await requireBreak(tx, breakId);
  if (found.state !== 'open') throw new Refused(refuse('BREAK_CLOSED'));
  const facts = await factsOf(tx, found);
  const wanted = await wantedOf(tx, found, of, facts);
  if (wanted !== null) await bodyOf(tx, rt, found, of.given, wanted);
  const id = rt.newId();
  const argumentsSealed = rt.vault.seal(canonicalJson({ ...of.given, standing: String(facts.standing ?? '') }));
  const sealed = { argumentsSealed, noteSealed: rt.vault.seal(of.note) };
  try {
    await insertRepair(tx, { id, breakId, action: of.action, ...sealed, proposedBy: who.operator, proposedMs: who.nowMs });
  } catch (error) {
    if (isDuplicateKey(error)) throw new Refused(refuse('REPAIR_PENDING'));
    throw error;
  }
  if (found.owner === null) await ownBreak(tx, breakId, who.operator, who.nowMs);
  return required(tx, breakId, id);
}

/**
 * What will be instructed; null: nothing.
 * @throws Refused REPAIR_NOT_APPLICABLE, REPAIR_OVERTAKEN
 */
async function wantedOf(
  tx: Tx,
  found: Break,
  { action, given, note }: Proposal,
  facts: CaseFacts,
): Promise<RepairInstruction | null> {
  const wanted = instructionOf(found, action, given, facts, note);
  if (wanted === null) return null;
  if (isOvertaken(found, facts)) throw overtaken(found);
  if (wanted === undefined) throw notApplicable(found, action);
  const { platformId } = found;
  if (platformId === null || facts.standing === undefined) return wanted;
  const { shardId } = await loadBook(tx, platformId);
  if (await isUndecidedUnder(tx, shardId, platformId, found.reference)) throw overtaken(found);
  return wanted;
}

function overtaken(of: Break): Refused {
  return new Refused(refuse('REPAIR_OVERTAKEN', undefined, { break: toWire('break', of.id), reference: of.reference }));
}

function notApplicable(of: Break, action: RepairAction): Refused {
  return new Refused(refuse('REPAIR_NOT_APPLICABLE', undefined, { break: toWire('break', of.id), class: of.class, action }));
}

/**
 * The second of two people approves. In the same commit the books are instructed, under the proposal's own number, so that no second click
 * books it again, and decide it, and the break is closed: what the books refuse leaves the break open and the proposal as it was. On the shard's
 * turn, so that nothing is posted between the look at the books and the repair. The difference itself ends with the statement that shows what was posted no more.
 * @throws Refused NOT_FOUND, SAME_OPERATOR, PROPOSAL_DECIDED, BREAK_CLOSED, REPAIR_NOT_APPLICABLE, REPAIR_OVERTAKEN, REPAIR_REFUSED
 */
export async function approveRepair(
  tx: Tx,
  rt: Runtime,
  ids: { readonly break: Id; readonly repair: Id },
  note: string | null,
  who: Who,
): Promise<{ repair: Repair; ring: () => Promise<void> }> {
  const { platformId } = await requireBreak(tx, ids.break);
  // Of two who approve at once the second waits here, and then finds it decided.
  if (platformId !== null) await lockShard(tx, (await loadBook(tx, platformId)).shardId, who.nowMs);
  const repair = await required(tx, ids.break, ids.repair);
  const state = endOfProposal(repair, who.operator, 'yes');
  const found = await requireBreak(tx, ids.break);
  const { standing, ...given } = JSON.parse(rt.vault.read(repair.argumentsSealed)) as RepairArguments & { standing?: string };
  const facts = await factsOf(tx, found);
  const wanted = await wantedOf(tx, found, { action: repair.action, given, note: rt.vault.read(repair.noteSealed) }, facts);
  // Another amount than the one that was proposed is another proposal.
  if (wanted !== null && standing !== undefined && standing !== String(facts.standing ?? '')) throw overtaken(found);
  await decided(tx, repair.id, {
    state,
    by: who.operator,
    nowMs: who.nowMs,
    noteSealed: note && rt.vault.seal(note),
  });
  const by = toWire('operator', who.operator);
  const ring = wanted === null ? async () => undefined : await instruct(tx, rt, found, { repair, given, wanted, by });
  if (!(await acceptBreak(tx, found.id, by, repair.noteSealed, who.nowMs))) throw new Refused(refuse('BREAK_CLOSED'));
  return { repair: await required(tx, ids.break, ids.repair), ring };
}

async function instruct(
  tx: Tx,
  rt: Runtime,
  found: Break,
  of: { readonly repair: Repair; readonly given: RepairArguments; readonly wanted: RepairInstruction; readonly by: string },
): Promise<() => Promise<void>> {
  const { platformId } = found;
  invariant(platformId, 'what is instructed is of a platform');
  const { origin, kind } = of.wanted;
  const body = await bodyOf(tx, rt, found, of.given, of.wanted);
  const requestNo = `repair:${of.repair.id}`;
  const { verdict, committed } = await decideInTx(tx, rt, { platformId, origin, requestNo, kind, body, actor: of.by });
  const { instruction, state, code } = verdict;
  if (instruction === null || state !== 'posted')
    throw new Refused(
      refuse('REPAIR_REFUSED', `The instruction is not posted: ${code ?? state}.`, { kind, code: code ?? state }),
    );
  await noteRepairInstruction(tx, of.repair.id, instruction);
  return committed;
}

/** The instruction's body with whatever names persons. @throws Refused REPAIR_NOT_APPLICABLE where the kind does not take it */
async function bodyOf(
  tx: Tx,
  rt: Runtime,
  of: Break,
  given: RepairArguments,
  { kind, data }: RepairInstruction,
): Promise<string> {
  const whole = kind === 'suspense-credit' ? { ...data, ...(await payerOf(tx, rt, of, given)) } : data;
  const takes = kinds.get(kind)?.schema.safeParse(whole).success === true;
  if (!takes) throw new Refused(refuse('REPAIR_NOT_APPLICABLE', undefined, { break: toWire('break', of.id), kind }));
  return canonicalJson(whole);
}

/** Who paid, and his words, as the lines of the statement have them. */
async function payerOf(tx: Tx, { vault }: Runtime, of: Break, { payer }: RepairArguments) {
  const lines = await keptLines(tx, of);
  const words = (texts: readonly string[]) =>
    tidied(new Set(texts.filter((text) => text !== '').map((text) => vault.read(text))));
  const name = words(lines.map((line) => line.counterparty)).slice(0, 128) || NAME_UNKNOWN;
  const told = words(lines.map((line) => line.text)).slice(0, 256);
  return {
    payer: { name, account: payer?.account ?? '', bankCode: payer?.bankCode ?? '' },
    ...(told === '' ? {} : { told }),
  };
}

function tidied(texts: ReadonlySet<string>): string {
  return [...texts]
    .join(' ')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}

/**
 * Whoever does not agree says so, and why; who proposed it takes it back that way.
 * @throws Refused NOT_FOUND, PROPOSAL_DECIDED
 */
export async function rejectRepair(
  tx: Tx,
  { vault }: Pick<Runtime, 'vault'>,
  ids: { readonly break: Id; readonly repair: Id },
  note: string,
  who: Who,
): Promise<Repair> {
  const repair = await required(tx, ids.break, ids.repair);
  const state = endOfProposal(repair, who.operator, 'no');
  await decided(tx, repair.id, { state, by: who.operator, nowMs: who.nowMs, noteSealed: vault.seal(note) });
  return required(tx, ids.break, ids.repair);
}

async function required(tx: Tx, breakId: Id, id: Id): Promise<Repair> {
  const repair = await findRepair(tx, id);
  if (repair?.breakId !== breakId) throw new Refused(refuse('NOT_FOUND'));
  return repair;
}

async function decided(tx: Tx, id: Id, to: Parameters<typeof decideRepair>[2]): Promise<void> {
  if (!(await decideRepair(tx, id, to))) throw new Refused(refuse('PROPOSAL_DECIDED'));
}
