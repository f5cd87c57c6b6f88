import { BankUnreachable, FILE_CHANNELS, type FileChannel } from '../channels/index.js';
import { type Desk, decideNow, failedDirective, restoreFloats, returnedDirective, settledDirective } from '../dispatch/index.js';
import { addDays, asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import { type Payout, payoutRecords } from '../payouts/index.js';
import { inPages, isDuplicateKey, type Tx } from '../runtime/index.js';
import { type ChannelBreak, classifyChannel, wordOf } from './channel-rules.js';
import { type Leftover, matchSorted, rowOf } from './matching.js';
import { ClassCounts, keyOfReference } from './rules.js';
import { datesOfRuns, insertRun, lastRunOf } from './run-store.js';
import { RowSorter } from './sorting.js';
import {
  type Break,
  clearBreaks,
  dispatchedPage,
  endTiming,
  insertBreaks,
  insertStatementLines,
  type KeptLine,
  listBreaks,
  type NewBreak,
} from './store.js';

const PAGE = 5_000;
/** More differences than that are counted, and not worked off one by one. */
const CASES_MAX = 10_000;
const LOOK_BACK_DAYS = 10;

/**
 * Compares each day file of each channel with what was handed to that channel, once, oldest first. The files are of all platforms; what they differ in
 * stops no day, since the core bank's statement says what money moved. A channel that cannot be reached is asked again the next time.
 * Fetches over the network; call it outside any transaction. @returns how many files were compared
 */
export async function reconcileChannelFiles(desk: Desk): Promise<number> {
  const { rt, channels } = desk;
  let compared = 0;
  for (const channel of FILE_CHANNELS) {
    const { since, done } = await rt.db.read('compared-files', (tx) => comparedSince(tx, channel));
    try {
      for (const date of await channels.dayFiles(channel).dates(channel, since)) {
        if (done.has(date)) continue;
        await compareFile(desk, channel, date);
        compared += 1;
      }
    } catch (error) {
      if (!(error instanceof BankUnreachable)) throw error;
      rt.log.warn({ event: 'channel-file.unavailable', channel, why: error.message.slice(0, 200) });
    }
  }
  return compared;
}

/** A file may come after a later one: which of the last days were compared, and since when that is looked at; undefined: from the first on. */
async function comparedSince(tx: Tx, channel: FileChannel) {
  const last = await lastRunOf(tx, channel);
  if (last === undefined) return { since: undefined, done: new Set<BusinessDate>() };
  const since = addDays(last, -LOOK_BACK_DAYS);
  return { since, done: await datesOfRuns(tx, channel, since) };
}

interface Judged {
  readonly payout: Payout | undefined;
  readonly of: Leftover;
  readonly finding: ChannelBreak;
}

async function compareFile(desk: Desk, channel: FileChannel, date: BusinessDate): Promise<void> {
  const { rt } = desk;
  const startedMs = rt.clock.wall();
  const waiting = await rt.db.read('waiting-for-file', (tx) =>
    listBreaks(tx, { party: channel, state: 'open', class: 'only-ours' }, CASES_MAX),
  );
  const { file, ours, matched, judged, counts, agreed, met } = await matchFile(desk, channel, date, waiting);
  const openedMs = rt.clock.now();
  const breaks = judged.map((each): NewBreak => breakOf(each, { id: rt.newId(), party: channel, date, openedMs }));
  const cleared = waiting.filter(({ reference }) => met.has(reference)).map(({ id }) => id);
  // What a later day's file has not had so far may still come: a file of an earlier date says nothing of it.
  const stale = waiting
    .filter(({ reference, timing, businessDate }) => timing && businessDate < date && !met.has(reference))
    .map(({ id }) => id);
  const run = {
    ...{
      party: channel,
      platformId: null,
      businessDate: date,
      digest: Buffer.from(file.digest, 'hex'),
      matched: matched + agreed,
    },
    ...{ ourLines: ours.lines, theirLines: file.count, ourSum: ours.sum, theirSum: file.sum },
    counts: { ...counts, closed: cleared.length },
    ...{ finishedMs: openedMs, tookMs: rt.clock.wall() - startedMs },
  };
  try {
    await rt.db.withTx('compare-channel-file', async (tx) => {
      await insertRun(tx, run);
      await insertBreaks(tx, breaks);
      for (const [platformId, lines] of linesByPlatform(judged))
        await insertStatementLines(tx, rt.vault, { platformId, date, party: channel }, lines);
      await clearBreaks(tx, cleared, date, openedMs);
      await endTiming(tx, stale);
    });
  } catch (error) {
    if (!isDuplicateKey(error)) throw error; // another worker compared it meanwhile
  }
}

async function matchFile(desk: Desk, channel: FileChannel, date: BusinessDate, waiting: readonly Break[]) {
  const [mine, theirs] = [new RowSorter(), new RowSorter()];
  const wanted = new Set(waiting.map(({ reference }) => reference));
  const met = new Set<string>();
  try {
    const file = await desk.channels.dayFiles(channel).read(channel, date, async (lines) => {
      for (const { messageNo, amount, status, lineNo } of lines) {
        if (wanted.has(messageNo)) met.add(messageNo);
        const full = theirs.add(rowOf(messageNo, amount, status, String(lineNo)));
        if (full !== undefined) await full;
      }
    });
    const ours = await readDispatched(desk, channel, date, mine);
    const judged: Judged[] = [];
    const counted = new ClassCounts();
    let [agreed, lines] = [0, 0];
    const { matched } = await matchSorted(mine.rows(), theirs.rows(), async (some) => {
      const now = await judge(desk, channel, some);
      await converge(desk, now.judged);
      agreed += now.agreed;
      counted.add(now.judged.map(({ finding }) => finding));
      for (const each of now.judged) {
        if (judged.length === CASES_MAX) break;
        const rows = each.of.rows.slice(0, CASES_MAX - lines);
        lines += rows.length;
        judged.push({ ...each, of: { ...each.of, rows } });
      }
    });
    return { file, ours, matched, judged, counts: counted.counts, agreed, met };
  } finally {
    await Promise.all([mine.close(), theirs.close()]);
  }
}

async function readDispatched({ rt }: Desk, channel: FileChannel, date: BusinessDate, into: RowSorter) {
  let [lines, sum] = [0, 0n];
  const read = (after: Id) => rt.db.read('dispatched', (tx) => dispatchedPage(tx, channel, date, after, PAGE));
  for await (const page of inPages(PAGE, ({ id }) => id, read)) {
    for (const { id, amount, state } of page) {
      sum += BigInt(amount);
      const full = into.add(rowOf(id, amount, wordOf(state)));
      if (full !== undefined) await full;
    }
    lines += page.length;
  }
  return { lines, sum };
}

async function judge({ rt }: Desk, channel: FileChannel, some: readonly Leftover[]) {
  const judged: Judged[] = [];
  const ids = some.flatMap(({ reference }) => (/^[1-9][0-9]{18}$/.test(reference) ? [asId(reference)] : []));
  const payouts = ids.length === 0 ? new Map() : await rt.db.read('payouts-of-file', (tx) => payoutRecords.load(tx, ids));
  for (const of of some) {
    const payout: Payout | undefined = payouts.get(of.reference);
    const finding = classifyChannel(of, channel, payout);
    if (finding.kind === 'break') judged.push({ payout, of, finding });
  }
  return { judged, agreed: some.length - judged.length };
}

/** Takes the results that are final and that the books still wait for. Done again, it changes nothing. */
async function converge(desk: Desk, judged: readonly Judged[]): Promise<void> {
  const directives = judged.flatMap(({ payout, of, finding: { converge: to } }) => {
    if (payout === undefined || to === null) return [];
    if (to.to === 'settled') return [settledDirective(payout)];
    if (to.to === 'failed') return [failedDirective(payout, '渠道对账文件：失败')];
    return [returnedDirective(payout, `RT${of.reference}`, '渠道对账文件：退汇')];
  });
  await decideNow(desk, directives);
  const back = judged.filter(({ finding: { converge: to } }) => to !== null && to.to !== 'settled');
  await restoreFloats(
    desk,
    back.flatMap(({ payout }) => payout?.id ?? []),
  );
}

function breakOf(
  { payout, of, finding }: Judged,
  { id, party, date, openedMs }: { id: Id; party: FileChannel; date: BusinessDate; openedMs: Instant },
): NewBreak {
  const { class: kind, ours, theirs, states, timing, converge: to } = finding;
  return {
    ...{ id, platformId: payout?.platformId ?? null, party, businessDate: date, class: kind },
    ...{ reference: keyOfReference(of.reference), ourAmount: ours, theirAmount: theirs, states, timing, openedMs },
    difference: (ours ?? 0n) - (theirs ?? 0n),
    ...(to === null ? {} : { closedBy: to.rule }),
  };
}

function linesByPlatform(judged: readonly Judged[]): Map<Id | null, KeptLine[]> {
  const byPlatform = new Map<Id | null, KeptLine[]>();
  for (const { payout, of } of judged) {
    const platformId = payout?.platformId ?? null;
    const lines = byPlatform.get(platformId) ?? [];
    for (const { reference, amount, state, rest } of of.rows)
      lines.push({ lineNo: Number(rest), reference, amount, state, counterparty: '', text: '' });
    byPlatform.set(platformId, lines);
  }
  return byPlatform;
}
