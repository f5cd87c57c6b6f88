import { type Id, invariant, toWire } from '../kernel/index.js';
import { ahead } from '../runtime/index.js';
import { type DuePage, duePage } from './due-store.js';
import {
  addWritten,
  type Clearing,
  findClearing,
  insertClearing,
  insertLines,
  isHeldOn,
  listNets,
  netLines,
  saveNets,
} from './lines-store.js';
import { asRunning, type Close, forgetPending, MANY, type StepResult, stayAtWork, TakenOver, writePending } from './progress.js';
import { countMerchants } from './store.js';

// The steps that write down what a clearing pays, before any of it is instructed. Memory is that of a page.

/** Accounts that are looked at together. */
export const PAGE = 2_000;

/** The clearing that a close makes, as the books have it; undefined: nothing is due. */
export function clearingOf({
  desk,
  platformId,
  next,
}: Pick<Close, 'desk' | 'platformId' | 'next'>): Promise<Clearing | undefined> {
  return desk.rt.db.read('clearing', (tx) => findClearing(tx, platformId, next));
}

/** 5: what each sub-merchant is due on the new date is written down, page by page; a run that is gone on with goes on after the last one. */
export async function due(close: Close): Promise<StepResult> {
  let clearing = close.resumed ? await clearingOf(close) : undefined;
  if (clearing === undefined || clearing.state === 'writing') {
    for await (const page of ahead(duePages(close, clearing?.after ?? FIRST))) {
      if (clearing !== undefined) clearing = await writeMore(close, page);
      else if (page.lines.length > 0) clearing = await writeFirst(close, page);
    }
  }
  if (clearing === undefined) {
    close.nothingDue = true;
    return { state: 'done', keep: false, detail: { lines: 0 } };
  }
  close.clearing = clearing;
  await close.at('clearing written');
  const { lines } = clearing;
  return { state: 'done', keep: lines >= MANY, detail: { lines, due: String(clearing.due) } };
}

/** Before the first account. */
const FIRST = '0' as Id;

/** What is due after an account. */
type Due = DuePage & { readonly after: Id };

/** Read before the commits that write them: most days there is nothing to write. */
async function* duePages({ desk, platformId, next, page: limit }: Close, from: Id): AsyncGenerator<Due> {
  const { db, calendar } = desk.rt;
  for (let at: Id | null = from; at !== null; ) {
    const after: Id = at;
    const page = await db.read('clearing-due', (tx) => duePage(tx, { platformId, date: next, limit, calendar, after }));
    yield { ...page, after };
    at = page.next;
  }
}

function sums(lines: readonly { amount: bigint; fee: bigint }[]) {
  const fees = lines.reduce((sum, { fee }) => sum + fee, 0n);
  return { lines: lines.length, due: lines.reduce((sum, { amount }) => sum + amount, fees), fees };
}

async function writeFirst(close: Close, { lines, next: more }: Due): Promise<Clearing> {
  const { desk, platformId, next } = close;
  const { rt } = desk;
  const expected = more === null ? lines.length : await rt.db.read('merchants', (tx) => countMerchants(tx, platformId));
  if (more !== null) asRunning(close, 'due');
  const clearing = await rt.db.withTx(
    'write-clearing',
    async (tx) => {
      const stand = { platformId, date: next, state: more === null ? 'written' : 'writing', after: more ?? FIRST } as const;
      await insertClearing(tx, stand, { ...sums(lines), expected, stageMs: rt.clock.wall() });
      await insertLines(tx, platformId, next, lines);
      await writePending(tx, close);
      if (more !== null) await stayAtWork(tx, close);
      return findClearing(tx, platformId, next);
    },
    () => clearingOf(close),
  );
  invariant(clearing, 'a clearing that was begun is there');
  forgetPending(close);
  await close.at('page written');
  return clearing;
}

async function writeMore(close: Close, { after, lines, next: more }: Due): Promise<Clearing> {
  const { desk, platformId, next } = close;
  const clearing = await desk.rt.db.withTx(
    'write-clearing',
    async (tx) => {
      const of = { ...sums(lines), to: more ?? after, last: more === null };
      if (!(await addWritten(tx, { platformId, date: next, state: 'writing', after }, of)))
        throw new TakenOver('another run writes the clearing');
      await insertLines(tx, platformId, next, lines);
      await stayAtWork(tx, close);
      return findClearing(tx, platformId, next);
    },
    // Whether it was this run that moved it on or another: who is elsewhere finds that out with the next page.
    async () => {
      const there = await clearingOf(close);
      return there?.state === 'writing' && there.after === after ? undefined : there;
    },
  );
  invariant(clearing, 'a clearing that is being written is there');
  await close.at('page written');
  return clearing;
}

async function clearingAtHand(close: Close): Promise<Clearing | undefined> {
  if (close.nothingDue) return undefined;
  close.clearing ??= await clearingOf(close);
  return close.clearing;
}

/** 6: what is kept of it for fees. They are taken by the instruction that pays the rest, so none stays behind where that is refused. */
export async function fees(close: Close): Promise<StepResult> {
  const clearing = await clearingAtHand(close);
  return { state: 'done', keep: false, detail: { fees: String(clearing?.fees ?? 0n) } };
}

/** 7: what goes to which bank. Refunds, holds and reserves are off already: what is due is what was left of them. */
export async function netting(close: Close): Promise<StepResult> {
  const { desk, platformId, next } = close;
  const clearing = await clearingAtHand(close);
  if (clearing === undefined) return { state: 'done', keep: false, detail: { lines: 0 } };
  const nets = await desk.rt.db.read('net-lines', (tx) => netLines(tx, platformId, next));
  close.nets = nets;
  const net = nets.reduce((sum, of) => sum + of.net, 0n);
  invariant(net === clearing.due - clearing.fees, 'what goes to the banks is what is due, less the fees');
  const detail = {
    lines: clearing.lines,
    banks: nets.length,
    due: String(clearing.due),
    fees: String(clearing.fees),
    net: String(net),
  };
  return { state: 'done', keep: clearing.lines >= MANY, detail, write: (tx) => saveNets(tx, platformId, next, nets) };
}

const BANKS_TOLD = 20;

/** 8: the batch as it will be paid. Where the bank wants to look first, it waits until somebody has. */
export async function preview(close: Close): Promise<StepResult> {
  const { desk, platformId, next } = close;
  if (close.nothingDue) return { state: 'done', keep: false, detail: { lines: 0 } };
  const { clearing, nets, held } = await desk.rt.db.read('preview', async (tx) => ({
    clearing: await findClearing(tx, platformId, next),
    nets: close.nets ?? (await listNets(tx, platformId, next)),
    held: await isHeldOn(tx, platformId, next),
  }));
  if (clearing === undefined) return { state: 'done', keep: false, detail: { lines: 0 } };
  if (held && clearing.approvedBy === null && clearing.state === 'written') return { state: 'waiting', reason: WAITS_FOR_PEOPLE };
  const banks = [...nets].sort((a, b) => (a.net > b.net ? -1 : 1)).slice(0, BANKS_TOLD);
  const detail = {
    lines: clearing.lines,
    net: String(clearing.due - clearing.fees),
    ...(clearing.approvedBy === null ? {} : { approvedBy: toWire('operator', clearing.approvedBy) }),
    banks: banks.map(({ bankCode, lines, net }) => ({ bankCode, lines, net: String(net) })),
  };
  return { state: 'done', keep: clearing.lines >= MANY, detail };
}

const WAITS_FOR_PEOPLE = 'the preview of the clearing waits for somebody of the bank';
