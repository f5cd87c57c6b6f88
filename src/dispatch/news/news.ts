import { BankUnreachable, CHANNELS, type ChannelCode, type ChannelNews, type NewsPage } from '../../channels/index.js';
import { asId, type Id, type Instant } from '../../kernel/index.js';
import { type Payout, payoutRecords } from '../../payouts/index.js';
import { faultOf, type Tx } from '../../runtime/index.js';
import { wordsOf } from '../answers/answers.js';
import { readNews } from '../answers/rules.js';
import { type NotNow, takeBackNotNow, turnAway } from '../answers/take-back.js';
import { type Desk, type Directive, decideNow, failedDirective, returnedDirective, settledDirective } from '../desk.js';
import { restoreFloats } from '../floats/floats.js';
import { callChannel } from '../health/health.js';
import { tidyReason } from '../rules.js';
import { takePromises } from './promises.js';
import { channelRows, moveFeedCursor, noteChannelSuccess } from './store.js';
import { keepUnread } from './unread-store.js';

const NEWS_PAGE = 1_000;

/**
 * Reads every channel's feed to its end. The cursor moves only after the items were acted upon, and each item acts once however
 * often it comes. A message that cannot be read is kept for a person and stepped over. A channel that does not answer is left for the next time.
 * @param also is decided together with the first news, whatever the channels answer
 */
export async function takeNews(desk: Desk, also: readonly Directive[] = []): Promise<void> {
  const { db } = desk.rt;
  const rows = await db.read('channel-cursors', channelRows);
  const feeds = CHANNELS.map((channel) => ({ channel, after: rows.get(channel)?.cursor ?? '', ended: false }));
  const unread = feeds.filter(({ channel }) => !rows.has(channel));
  if (unread.length > 0) {
    const write = async (tx: Tx) => {
      for (const { channel } of unread) await noteChannelSuccess(tx, channel, 0 as Instant);
      return true;
    };
    await db.withTx('first-cursors', write, async () => undefined);
  }
  for (let waiting = also; ; waiting = []) {
    const pages = await Promise.all(
      feeds.filter((feed) => !feed.ended).map(async (feed) => ({ feed, page: await nextPage(desk, feed) })),
    );
    await actOnNews(
      desk,
      waiting,
      pages.flatMap(({ feed, page }) => (page?.items ?? []).map((item) => ({ ...item, channel: feed.channel }))),
    );
    await moveOn(desk, pages);
    for (const { feed, page } of pages) {
      // What was stepped over is no end of the feed.
      feed.ended = page === undefined || (page.items.length < NEWS_PAGE && page.unread === undefined);
      feed.after = page?.next ?? feed.after;
    }
    if (feeds.every((feed) => feed.ended)) return;
  }
}

interface Read {
  readonly feed: { readonly channel: ChannelCode; readonly after: string };
  readonly page: NewsPage | undefined;
}

/** Moves the cursors on, and keeps in the same commit what nobody could read: the feed steps over it, and a person is told. */
async function moveOn({ rt }: Desk, pages: readonly Read[]): Promise<void> {
  const moved = pages.flatMap(({ feed: { channel, after }, page }) =>
    page === undefined || page.next === after ? [] : [{ channel, from: after, to: page.next, unread: page.unread ?? [] }],
  );
  if (moved.length === 0) return;
  const keptMs = rt.clock.now();
  const write = async (tx: Tx) => {
    for (const { channel, from, to, unread } of moved) {
      for (const { place, reason, text } of unread)
        await keepUnread(tx, { channel, place, reason: tidyReason(reason), keptMs, textSealed: rt.vault.seal(text) });
      await moveFeedCursor(tx, channel, from, to);
    }
    return true;
  };
  await rt.db.withTx('move-feed-cursors', write, async () => undefined);
  for (const { channel, unread } of moved)
    for (const { place, reason } of unread)
      rt.log.error({ event: 'channel.message-unread', channel, place, why: tidyReason(reason) });
}

async function nextPage(desk: Desk, { channel, after }: { channel: ChannelCode; after: string }): Promise<NewsPage | undefined> {
  try {
    return await callChannel(desk, channel, () => desk.channels.channels[channel].news(after, NEWS_PAGE));
  } catch (error) {
    if (!(error instanceof BankUnreachable)) throw error;
    desk.rt.log.warn({ event: 'channel.news-unreachable', channel, error: faultOf(error) });
    return undefined;
  }
}

/** A piece of news with the channel whose it is. */
type News = ChannelNews & { readonly channel: ChannelCode };

async function actOnNews(desk: Desk, also: readonly Directive[], items: readonly News[]): Promise<void> {
  const first = await readItems(desk, items);
  // A return of what the books have under way says that it had been settled: that is decided before the return is received.
  await decideNow(desk, [...also, ...first.finals]);
  await noteSums(desk, first.believed);
  if (first.returns.length > 0) await decideNow(desk, (await readItems(desk, first.returns)).returnDirectives);
  await turnAway(desk, first.turned);
  await takeBackNotNow(desk, first.notNow); // one that stays is asked after in its time
  await restoreFloats(
    desk,
    first.believed.filter(({ status }) => status === 'returned').flatMap(({ messageNo }) => idsOf([messageNo])),
  );
  for (const { channel, state } of first.counted) desk.rt.metrics.payouts.inc({ channel: channel ?? '', state });
}

/** A channel that pays over later tells with its results under which reference, and when; it is kept once the result is. */
async function noteSums(desk: Desk, items: readonly ChannelNews[]): Promise<void> {
  const told = items.filter((item) => item.status === 'settled' && item.reference !== item.messageNo);
  const sums = told.flatMap(({ messageNo, reference, businessDate }) =>
    idsOf([messageNo]).map((payoutId) => ({ payoutId, reference, dueOn: businessDate })),
  );
  await takePromises(desk, sums);
}

async function readItems(desk: Desk, items: readonly News[]) {
  const payouts = await loadPayouts(
    desk,
    items.map((item) => item.messageNo),
  );
  const finals: Directive[] = [];
  const returns: News[] = [];
  const turned: { payout: Payout; reason: string }[] = [];
  const notNow: NotNow[] = [];
  const returnDirectives: Directive[] = [];
  const counted: { channel: string | null; state: string }[] = [];
  const believed: News[] = [];
  for (const item of items) {
    const payout = payouts.get(item.messageNo);
    // What only seems to be about a payment, and of which we know none, is somebody's ordinary money.
    if (payout === undefined && item.doubt !== undefined) continue;
    const reading = payout === undefined ? 'stranger' : readNews(item, item.channel, payout);
    if (payout === undefined || reading === 'stranger' || reading === 'contradiction') {
      desk.rt.log.error({
        event: 'channel.news-contradicts',
        messageNo: item.messageNo.slice(0, 64),
        status: item.status,
        state: payout?.state,
        purpose: payout?.purpose,
        channel: item.channel,
        place: item.cursor.slice(0, 64),
        amount: item.amount?.toString(),
        ordered: payout?.amount.toString(),
        doubt: item.doubt,
      });
      continue;
    }
    believed.push(item);
    if (reading === 'old') continue;
    counted.push({ channel: payout.channel, state: item.status });
    if (reading === 'turned-away') turned.push({ payout, reason: tidyReason(wordsOf(desk, payout, item.reason)) });
    else if (reading === 'not-now') notNow.push({ payout, reason: tidyReason(wordsOf(desk, payout, item.reason)) });
    else if (reading === 'failed') finals.push(failedDirective(payout, wordsOf(desk, payout, item.reason)));
    else if (reading !== 'returned') finals.push(settledDirective(payout));
    if (item.status === 'returned') returns.push(item);
    if (reading === 'returned')
      returnDirectives.push(returnedDirective(payout, item.reference, wordsOf(desk, payout, item.reason)));
  }
  return { finals, returns, returnDirectives, turned, notNow, counted, believed };
}

/** The payouts that message numbers can name at all. */
function idsOf(messageNos: readonly string[]): Id[] {
  return [...new Set(messageNos)].filter((messageNo) => /^[1-9][0-9]{18}$/.test(messageNo)).map(asId);
}

async function loadPayouts({ rt }: Desk, messageNos: readonly string[]): Promise<Map<string, Payout>> {
  const ids = idsOf(messageNos);
  if (ids.length === 0) return new Map();
  return rt.db.read('payouts-of-news', (tx) => payoutRecords.load(tx, ids));
}
