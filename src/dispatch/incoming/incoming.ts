import { accountsByVirtualNo, type VirtualAccount } from '../../accounts/index.js';
import { BankRefused, BankUnreachable, type IncomingPage, type IncomingTransfer } from '../../channels/index.js';
import { findInstructions, kinds, type Receipt, systemInstruction } from '../../instructions/index.js';
import {
  type BusinessDate,
  fromWire,
  type Id,
  type Instant,
  invariant,
  toWire,
  toWireMoney,
  WIRE_MAX,
} from '../../kernel/index.js';
import { type Book, loadBooks } from '../../ledger/index.js';
import { faultOf, isDuplicateKey, type Tx } from '../../runtime/index.js';
import { type Desk, type Directive, decideNow } from '../desk.js';
import { channelRows, INCOMING_FEED, moveFeedCursor, noteChannelSuccess } from '../news/store.js';
import { groupBy, queryDelayMs, tidyReason } from '../rules.js';
import { custodyNumbersIn } from './rules.js';
import {
  countUnanswered,
  type HeldTransfer,
  insertTransfers,
  type KnownTransfer,
  knownTransfers,
  noteTransfers,
  type ReceivedTransfer,
  suspenseByCustodyNo,
  type TransferMessage,
  type TransferState,
  unansweredTransfers,
} from './store.js';

const PAGE = 500;
const GROUP = 40;

/**
 * Transfers to virtual account numbers (来账): what the core bank holds for us is written down, decided by the books, and answered. What names
 * no account but a platform's custody account, such as a payout that came back without a word about which, goes to the platform's suspense.
 *
 *   feed → row and cursor in one commit → instruction `incoming:<reference>` → accept or reject at the core bank → row
 *
 * Whatever is killed on the way is done again by the next run, and each step knows what it did before: a reference has one row, one
 * instruction and one answer. Answers how many transfers were answered.
 */
export async function takeIncoming(desk: Desk): Promise<number> {
  await readFeed(desk);
  const scope = { dueWallMs: desk.rt.clock.wall() };
  for (let answered = 0; ; ) {
    const held = await desk.rt.db.read('transfers-to-answer', (tx) => unansweredTransfers(tx, scope, GROUP));
    if (held.length === 0) return answered;
    const done = await settle(desk, held);
    answered += done;
    if (done < held.length) return answered; // the bank or a shard is away: the rest is tried when its time has come
  }
}

/**
 * Answers all that a platform has decided, before the statement of a day is read: what the books accepted must stand on it.
 * @returns how many transfers the core bank may not have heard of yet
 */
export async function answerIncoming(desk: Desk, platformId: Id): Promise<number> {
  for (;;) {
    const held = await desk.rt.db.read('transfers-of-platform', (tx) => unansweredTransfers(tx, { platformId }, GROUP));
    if (held.length === 0) return 0;
    if ((await settle(desk, held)) === 0) {
      return desk.rt.db.read('unanswered', (tx) => countUnanswered(tx, { platformId }));
    }
  }
}

/** Writes down everything that is new in the feed. The cursor moves in the same commit. */
async function readFeed({ rt, channels }: Desk): Promise<void> {
  let after = (await rt.db.read('incoming-cursor', channelRows)).get(INCOMING_FEED)?.cursor;
  if (after === undefined) {
    await rt.db.withTx(
      'first-incoming-cursor',
      (tx) => noteChannelSuccess(tx, INCOMING_FEED, 0 as Instant),
      async () => undefined,
    );
    after = '';
  }
  for (;;) {
    let page: IncomingPage;
    try {
      page = await channels.coreBank.incoming(after, PAGE);
    } catch (error) {
      if (!(error instanceof BankUnreachable || error instanceof BankRefused)) throw error;
      rt.log.warn({ event: 'incoming.unreachable', error: faultOf(error) });
      return;
    }
    if (page.items.length === 0 || !(await keepPage({ rt }, after, page)) || page.items.length < PAGE) return;
    after = page.next;
  }
}

/** @returns whether it was this run that kept the page */
async function keepPage({ rt }: Pick<Desk, 'rt'>, after: string, { items, next }: IncomingPage): Promise<boolean> {
  try {
    return await rt.db.withTx(
      'receive-transfers',
      async (tx) => {
        const known = await knownTransfers(
          tx,
          items.map((item) => item.reference),
          items.map(messageOf),
        );
        const owners = await ownersOf(
          tx,
          items.map((item) => item.virtualNo),
        );
        await insertTransfers(tx, fresh({ rt }, items, known, owners), rt.clock.now());
        await moveFeedCursor(tx, INCOMING_FEED, after, next);
        return true;
      },
      async () => undefined,
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return false; // another run was faster
  }
}

/** The message by which a transfer came; one within the bank is a message of its own. */
function messageOf({ message, reference, payer }: IncomingTransfer): TransferMessage {
  return message ?? { channel: '', sender: payer.bankCode, messageNo: reference };
}

/** Whose the numbers are: an account's own, or the suspense account of the platform whose custody account a number begins with. */
async function ownersOf(tx: Tx, numbers: readonly string[]): Promise<(virtualNo: string) => VirtualAccount | null> {
  const accounts = await accountsByVirtualNo(tx, [...new Set(numbers)]);
  const nobodys = numbers.filter((no) => !accounts.has(no));
  const custody = await suspenseByCustodyNo(tx, [...new Set(nobodys.flatMap(custodyNumbersIn))]);
  return (no) => {
    const named = custodyNumbersIn(no).find((prefix) => custody.has(prefix));
    return accounts.get(no) ?? (named === undefined ? null : (custody.get(named) ?? null));
  };
}

/** Those of a page that were not written down before. A message that comes again acts no more, and is an alarm if it says something else. */
function fresh(
  { rt }: Pick<Desk, 'rt'>,
  items: readonly IncomingTransfer[],
  known: readonly KnownTransfer[],
  ownerOf: (virtualNo: string) => VirtualAccount | null,
): ReceivedTransfer[] {
  const byReference = new Map(known.map((each) => [each.reference, each]));
  const byMessage = new Map(known.map((each) => [keyOf(each.message), each]));
  const received: ReceivedTransfer[] = [];
  for (const item of items) {
    const { reference, virtualNo, amount, payer, remark } = item;
    const message = messageOf(item);
    const said = (before: KnownTransfer) =>
      before.virtualNo === virtualNo && before.amount === amount && rt.vault.open(before.payerSealed) === JSON.stringify(payer);
    const before = byReference.get(reference);
    if (before !== undefined) {
      if (!said(before)) rt.log.error({ event: 'incoming.contradicts', reference: reference.slice(0, 64) });
      continue;
    }
    const twin = byMessage.get(keyOf(message));
    const state = twin === undefined ? 'received' : said(twin) ? 'duplicate' : 'conflict';
    if (twin !== undefined) rt.log.error({ event: `incoming.${state}`, reference, of: twin.reference });
    const payerSealed = rt.vault.seal(JSON.stringify(payer));
    const reason = twin === undefined ? null : tidyReason(`the message of ${twin.reference}`);
    const kept = { reference, virtualNo, amount, payerSealed, message };
    const remarkSealed = remark === '' ? '' : rt.vault.seal(remark);
    received.push({ ...kept, to: ownerOf(virtualNo), remarkSealed, state, reason });
    byReference.set(reference, kept);
    if (twin === undefined) byMessage.set(keyOf(message), kept);
  }
  return received;
}

function keyOf({ channel, sender, messageNo }: TransferMessage): string {
  return JSON.stringify([channel, sender, messageNo]);
}

/** What the books say of a held transfer. */
type Verdict =
  | { readonly accepted: true; readonly custodyNo: string; readonly businessDate: BusinessDate }
  | { readonly accepted: false; readonly reason: string };

interface Answer {
  readonly transfer: HeldTransfer;
  readonly state: TransferState;
  readonly reason: string | null;
}

/** Decides held transfers and tells the core bank; answers how many it has heard of for certain. */
async function settle(desk: Desk, held: readonly HeldTransfer[]): Promise<number> {
  const verdicts = await decide(desk, held);
  const answers = await Promise.all(held.map((transfer) => tell(desk, transfer, verdicts.get(transfer.reference))));
  const { rt } = desk;
  const nowMs = rt.clock.now();
  const groups = groupBy(answers, ({ transfer, state, reason }) => JSON.stringify([state, reason, transfer.attempts]));
  await rt.db.withTx(
    'note-transfers',
    async (tx) => {
      for (const group of groups.values()) {
        const { state, reason, transfer } = group[0] as Answer;
        const references = group.map((each) => each.transfer.reference);
        const nextWallMs = (rt.clock.wall() + queryDelayMs(transfer.attempts)) as Instant;
        await noteTransfers(tx, references, { state, reason, nextWallMs, nowMs });
      }
      return true;
    },
    async () => undefined,
  );
  return answers.filter(({ state }) => state !== 'received').length;
}

/** Has the books decide each shard's transfers. One that a shard cannot decide now has no verdict. */
async function decide(desk: Desk, held: readonly HeldTransfer[]): Promise<Map<string, Verdict>> {
  const { rt } = desk;
  const platformIds = [...new Set(held.flatMap(({ to }) => to?.platformId ?? []))];
  const books = await rt.db.read('books-of-transfers', (tx) => loadBooks(tx, platformIds));
  const verdicts = new Map<string, Verdict>();
  const given: { transfer: HeldTransfer; book: Book; directive: Directive }[] = [];
  for (const transfer of held) {
    const book = transfer.to === null ? undefined : books.get(transfer.to.platformId);
    const told = dataOf(desk, transfer, book);
    if (transfer.decision === 'send-back') verdicts.set(transfer.reference, { accepted: false, reason: 'sent back by the bank' });
    else if (book === undefined || transfer.to === null)
      verdicts.set(transfer.reference, { accepted: false, reason: 'no such account' });
    else if (told === undefined)
      verdicts.set(transfer.reference, { accepted: false, reason: 'the particulars cannot be booked' });
    else {
      const requestNo = `incoming:${transfer.reference}`;
      const submission = systemInstruction({ platformId: book.platformId, requestNo, ...told, actor: 'dispatch' });
      given.push({ transfer, book, directive: { shardId: book.shardId, submission } });
    }
  }
  for (const group of groupBy(given, ({ book }) => book.shardId).values()) {
    try {
      const receipts = await decideNow(
        desk,
        group.map(({ directive }) => directive),
      );
      for (const [reference, verdict] of await verdictsOf(desk, group, receipts)) verdicts.set(reference, verdict);
    } catch (error) {
      // A shard that stands still holds up its own transfers alone.
      rt.log.error({ event: 'incoming.undecided', shardId: group[0]?.book.shardId, error: faultOf(error) });
    }
  }
  return verdicts;
}

/** The instruction; undefined when the books cannot take what the core bank told. */
function dataOf(
  { rt }: Desk,
  { reference, to, amount, virtualNo, payerSealed, remarkSealed }: HeldTransfer,
  book: Book | undefined,
): { kind: string; data: unknown } | undefined {
  if (to === null || amount > WIRE_MAX || `incoming:${reference}`.length > 64) return undefined;
  const { name, account, bankCode } = JSON.parse(rt.vault.open(payerSealed)) as IncomingTransfer['payer'];
  const payer = { name: tidyReason(name, '无户名'), account: account.replace(/[\s-]/g, ''), bankCode };
  const common = { amount: toWireMoney(amount), payer, reference };
  const isNobodys = to.accountId === book?.accounts.suspense;
  const kind = isNobodys ? 'suspense-credit' : 'incoming-transfer';
  // The number that was written, and the words, say whose it may be.
  const words = remarkSealed === '' ? '' : rt.vault.open(remarkSealed);
  const data = isNobodys
    ? { ...common, told: tidyReason(`${virtualNo} ${words}`) }
    : { ...common, account: toWire('account', to.accountId) };
  return kinds.get(kind)?.schema.safeParse(data).success ? { kind, data } : undefined;
}

async function verdictsOf(
  { rt }: Desk,
  group: readonly { readonly transfer: HeldTransfer; readonly book: Book }[],
  receipts: readonly Receipt[],
): Promise<[reference: string, Verdict][]> {
  // A number that was given with other words before has its first outcome.
  const ids = receipts.map((receipt) =>
    'id' in receipt ? receipt.id : fromWire(String(receipt.refused.fields?.instruction ?? '')),
  );
  const views = await rt.db.read('transfer-outcomes', (tx) => findInstructions(tx, ids));
  return group.map(({ transfer, book }, place) => {
    const outcome = views.get(ids[place] as Id)?.outcome;
    invariant(outcome, `the transfer ${transfer.reference} is decided`);
    const verdict: Verdict =
      outcome.state === 'posted'
        ? { accepted: true, custodyNo: book.custodyNo, businessDate: outcome.businessDate as BusinessDate }
        : { accepted: false, reason: outcome.code ?? 'refused' };
    return [transfer.reference, verdict];
  });
}

async function tell({ rt, channels }: Desk, transfer: HeldTransfer, verdict: Verdict | undefined): Promise<Answer> {
  const { reference } = transfer;
  if (verdict === undefined) return { transfer, state: 'received', reason: 'not decided yet' };
  try {
    if (verdict.accepted) await channels.coreBank.acceptIncoming(reference, verdict.custodyNo, verdict.businessDate);
    else await channels.coreBank.rejectIncoming(reference, verdict.reason);
    return verdict.accepted
      ? { transfer, state: 'accepted', reason: null }
      : { transfer, state: 'rejected', reason: verdict.reason };
  } catch (error) {
    if (error instanceof BankRefused) {
      // What was accepted in the books and is not at the bank is a break of the day; a person has to look at it.
      rt.log.error({ event: 'incoming.answer-refused', reference, accepted: verdict.accepted, error: faultOf(error) });
      return { transfer, state: 'disputed', reason: tidyReason(error.message) };
    }
    if (!(error instanceof BankUnreachable)) throw error;
    rt.log.warn({ event: 'incoming.answer-unheard', reference, error: faultOf(error) });
    return { transfer, state: 'received', reason: 'the core bank did not answer' };
  }
}
