import { BankUnreachable, type ChannelCode, type ChannelNews, chooseChannel } from '../channels/index.js';
import { asId, type Id, type Instant } from '../kernel/index.js';
import { type Payout, payoutRecords, payoutsInScope } from '../payouts/index.js';
import { faultOf } from '../runtime/index.js';
import { type Desk, decideNow, failedDirective, noteSuccess, type Directive, returnedDirective, settledDirective } from './desk.js';
import { groupBy, readNews } from './rules.js';
import { act, type Answered, noteAnswers, sendAgain } from './send.js';
import { channelRows, moveFeedCursor, noteChannelSuccess } from './store.js';

const ASK_MAX = 500;
const NEWS_PAGE = 1_000;
const CHANNELS = ['book', 'interbank'] as const satisfies readonly ChannelCode[];

/** Reads the feeds, and asks after the payouts of a shard whose time has come. Answers how many were asked after. */
export async function pollDue(desk: Desk, shardId: number): Promise<number> {
  await takeNews(desk);
  for (let asked = 0; ; ) {
    const dueMs = desk.rt.clock.now();
    const due = await desk.rt.db.read('payouts-to-ask', (tx) => payoutsInScope(tx, { shardId, states: ['sent', 'unknown'], dueMs }, ASK_MAX));
    if (due.length === 0) return asked;
    await sendAgain(desk, await ask(desk, due));
    asked += due.length;
    if (due.length < ASK_MAX) return asked;
  }
}

/** Asks the channels what became of payouts, and acts on it. Answers those that their channel never received. */
export async function ask(desk: Desk, payouts: readonly Payout[]): Promise<Payout[]> {
  const channelOf = (payout: Payout) => (payout.channel as ChannelCode | null) ?? chooseChannel(payout.payee.bankCode);
  const groups = [...groupBy(payouts, channelOf)];
  const answered = await Promise.all(
    groups.map(async ([channel, group]): Promise<Answered[]> => {
      const answers = await desk.channels.channels[channel].query(group.map((payout) => payout.id));
      await noteAnswers(desk, channel, answers);
      return group.map((payout, place) => ({ payout, answer: answers[place] as Answered['answer'] }));
    }),
  );
  return act(desk, answered.flat());
}

/**
 * Reads every channel's feed to its end. The cursor moves only after the items were acted upon, and each item acts once however
 * often it comes. A channel that does not answer is left for the next time.
 */
export async function takeNews(desk: Desk): Promise<void> {
  const rows = await desk.rt.db.read('channel-cursors', channelRows);
  for (const channel of CHANNELS) {
    if (rows.has(channel)) continue;
    await desk.rt.db.withTx('first-cursor', (tx) => noteChannelSuccess(tx, channel, 0 as Instant).then(() => true), async () => undefined);
  }
  await Promise.all(CHANNELS.map((channel) => takeFeed(desk, channel, rows.get(channel)?.cursor ?? '')));
}

async function takeFeed(desk: Desk, channel: ChannelCode, cursor: string): Promise<void> {
  const { rt, channels } = desk;
  for (let after = cursor; ; ) {
    let page: Awaited<ReturnType<(typeof channels.channels)[ChannelCode]['news']>>;
    try {
      page = await channels.channels[channel].news(after, NEWS_PAGE);
    } catch (error) {
      if (!(error instanceof BankUnreachable)) throw error;
      rt.log.warn({ event: 'channel.news-unreachable', channel, error: faultOf(error) });
      return;
    }
    await noteSuccess(desk, channel);
    if (page.items.length === 0) return;
    await actOnNews(desk, page.items);
    const from = after;
    await rt.db.withTx('move-feed-cursor', (tx) => moveFeedCursor(tx, channel, from, page.next).then(() => true), async () => undefined);
    after = page.next;
  }
}

async function actOnNews(desk: Desk, items: readonly ChannelNews[]): Promise<void> {
  const first = await readItems(desk, items);
  // A return of what the books have under way says that it had been settled: that is decided before the return is received.
  await decideNow(desk, first.finals);
  const returned = first.returns.length === 0 ? [] : (await readItems(desk, first.returns)).returnDirectives;
  await decideNow(desk, returned);
  for (const { channel, state } of first.counted) desk.rt.metrics.payouts.inc({ channel: channel ?? '', state });
}

async function readItems(desk: Desk, items: readonly ChannelNews[]) {
  const payouts = await loadPayouts(desk, items.map((item) => item.messageNo));
  const finals: Directive[] = [];
  const returns: ChannelNews[] = [];
  const returnDirectives: Directive[] = [];
  const counted: { channel: string | null; state: string }[] = [];
  for (const item of items) {
    const payout = payouts.get(item.messageNo);
    const reading = payout === undefined ? 'stranger' : readNews(item, payout.state);
    if (payout === undefined || reading === 'stranger' || reading === 'contradiction') {
      desk.rt.log.error({ event: 'channel.news-contradicts', messageNo: item.messageNo.slice(0, 64), status: item.status, state: payout?.state });
      continue;
    }
    if (reading === 'old') continue;
    counted.push({ channel: payout.channel, state: item.status });
    if (reading === 'failed') finals.push(failedDirective(payout, item.reason));
    else if (reading !== 'returned') finals.push(settledDirective(payout));
    if (item.status === 'returned') returns.push(item);
    if (reading === 'returned') returnDirectives.push(returnedDirective(payout, item.reference, item.reason));
  }
  return { finals, returns, returnDirectives, counted };
}

async function loadPayouts({ rt }: Desk, messageNos: readonly string[]): Promise<Map<string, Payout>> {
  const ids: Id[] = [...new Set(messageNos)].filter((messageNo) => /^[1-9][0-9]{18}$/.test(messageNo)).map(asId);
  if (ids.length === 0) return new Map();
  return rt.db.read('payouts-of-news', (tx) => payoutRecords.load(tx, ids));
}
