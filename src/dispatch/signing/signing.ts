import { type ElectronicAccount, electronicByIds } from '../../accounts/index.js';
import {
  type ChannelAnswer,
  type ChannelCode,
  type CollectingChannel,
  type Collector,
  isCollecting,
  type SigningRequest,
} from '../../channels/index.js';
import type { Id } from '../../kernel/index.js';
import { type Customer, customerOf } from '../../parties/index.js';
import type { Payout } from '../../payouts/index.js';
import { isDuplicateKey } from '../../runtime/index.js';
import type { Desk } from '../desk.js';
import { callChannel } from '../health/health.js';
import { countSendings, openSendings } from '../plan/store.js';
import { tidyReason, withoutPayee } from '../rules.js';
import { insertSignings, liveSignings, noteSigning, type Signing } from './store.js';

/** What is about to be sent, with the payee opened. */
interface Leaving {
  readonly payout: Payout;
  readonly payee: Payout['payee'];
  readonly channel: ChannelCode;
}

/** What a collection goes to its channel with, or the answer that it got in the channel's place: it is not sent. */
export type Signed = { readonly contractNo: string } | { readonly answer: ChannelAnswer };

/** A contract that collections need: several collections of one card need one. */
interface Wanted extends Omit<Signing, 'state' | 'contractSealed' | 'signNo'> {
  readonly request: Omit<SigningRequest, 'signNo'>;
  readonly payouts: Id[];
}

const TRIES_MAX = 5;
const AT_ONCE = 16;

/**
 * Makes sure that collections have the contract of their card with their channel (签约): the one that was made before, or a new one where name,
 * card or mobile number is another. A lost answer leaves the collection unsent: it is asked for again, under the same number, when the collection
 * is. A refusal ends a collection that was never handed to its channel; of one that may be on its way it says nothing, and it is asked after. Answers
 * nothing of what pays out, nor of a channel that knows no contracts.
 */
export async function signCollections(desk: Desk, sendings: readonly Leaving[]): Promise<ReadonlyMap<Id, Signed>> {
  const found = new Map<Id, Signed>();
  const collections = sendings.filter(({ channel }) => collectorOf(desk, channel) !== undefined);
  if (collections.length === 0) return found;
  const wanted = await wantedBy(desk, collections, found);
  const asking = await prepared(desk, wanted, found);
  for (let from = 0; from < asking.length; from += AT_ONCE) {
    await Promise.all(asking.slice(from, from + AT_ONCE).map((each) => askFor(desk, each, found)));
  }
  await sparingWhatMayBeOnItsWay(desk, found);
  return found;
}

/** Of the collections that are not handed over this time, those may fail that no earlier sending handed over: the others have no answer yet. */
async function sparingWhatMayBeOnItsWay({ rt }: Desk, found: Map<Id, Signed>): Promise<void> {
  const unsigned = [...found].flatMap(([id, signed]) => ('answer' in signed ? [{ id, answer: signed.answer }] : []));
  if (unsigned.length === 0) return;
  await rt.db.withTx(
    'unsigned-collections',
    async (tx) => {
      const sendings = await openSendings(
        tx,
        unsigned.map(({ id }) => id),
      );
      const mayFail = ({ id, answer }: (typeof unsigned)[number]) => answer.status === 'failed' && sendings.get(id) === 1;
      const staying = unsigned.filter((each) => !mayFail(each));
      for (const { id, answer } of staying) found.set(id, { answer: { ...answer, status: 'unknown' } });
      await countSendings(
        tx,
        staying.map(({ id }) => id),
        -1,
      );
      return true;
    },
    async () => true, // what was not taken off again counts as handed over: it is asked after for longer
  );
}

/** The channel as one that makes contracts; undefined of one that pays out. */
function collectorOf({ channels }: Desk, code: ChannelCode): Collector | undefined {
  if (!isCollecting(code)) return undefined;
  const channel = channels.channels[code];
  return 'sign' in channel ? (channel as Collector) : undefined;
}

async function wantedBy({ rt }: Desk, collections: readonly Leaving[], found: Map<Id, Signed>): Promise<Wanted[]> {
  const accountIds = [...new Set(collections.map(({ payout }) => payout.sourceAccountId))];
  const { accounts, customers } = await rt.db.read('who-signs', async (tx) => {
    const accounts = await electronicByIds(tx, accountIds);
    const customers = new Map<Id, Customer>();
    for (const { customerId } of accounts) {
      const customer = customers.has(customerId) ? undefined : await customerOf(tx, customerId, rt.vault);
      if (customer !== undefined) customers.set(customerId, customer);
    }
    return { accounts: new Map<Id, ElectronicAccount>(accounts.map((each) => [each.accountId, each])), customers };
  });
  const wanted = new Map<string, Wanted>();
  for (const { payout, payee, channel } of collections) {
    const customer = customers.get(accounts.get(payout.sourceAccountId)?.customerId as Id);
    if (customer?.mobile == null) {
      found.set(payout.id, failed(payout.id, 'no mobile number to sign with'));
      continue;
    }
    const { idType, idNo, mobile } = customer;
    const request = { name: payee.name, idType, idNo, account: payee.account, bankCode: payee.bankCode, mobile };
    const cardIndex = rt.vault.index('card', payee.account);
    const key = `${channel}/${customer.id}/${cardIndex.toString('hex')}`;
    const known = wanted.get(key);
    if (known !== undefined) known.payouts.push(payout.id);
    else
      wanted.set(key, {
        ...{ channel: channel as CollectingChannel, customerId: customer.id, cardIndex, request, payouts: [payout.id] },
        contentHash: rt.vault.index('signing', JSON.stringify(Object.values(request))),
      });
  }
  return [...wanted.values()];
}

interface Asking extends Wanted {
  readonly signNo: Id;
}

/** Finds the contracts that are there, and commits the numbers under which the others are asked for. */
async function prepared({ rt }: Desk, wanted: readonly Wanted[], found: Map<Id, Signed>): Promise<Asking[]> {
  const customerIds = [...new Set(wanted.map(({ customerId }) => customerId))];
  for (let tries = 1; ; tries += 1) {
    const live = await rt.db.read('signings', (tx) => liveSignings(tx, customerIds));
    const asking: Asking[] = [];
    const fresh: Asking[] = [];
    const replaced: Id[] = [];
    for (const each of wanted) {
      const before = live.find(
        ({ channel, customerId, cardIndex }) =>
          channel === each.channel && customerId === each.customerId && cardIndex.equals(each.cardIndex),
      );
      if (before?.contentHash.equals(each.contentHash)) {
        if (before.contractSealed === null) asking.push({ ...each, signNo: before.signNo });
        else settle(found, each, { contractNo: rt.vault.open(before.contractSealed) });
        continue;
      }
      if (before !== undefined) replaced.push(before.signNo);
      fresh.push({ ...each, signNo: rt.newId() });
    }
    if (fresh.length === 0) return asking;
    try {
      await rt.db.withTx(
        'ask-for-signings',
        (tx) => insertSignings(tx, fresh, replaced, rt.clock.now()).then(() => true),
        async () => undefined, // run again, it meets its own rows, and finds them at the next look
      );
      return [...asking, ...fresh];
    } catch (error) {
      if (!isDuplicateKey(error) || tries === TRIES_MAX) throw error; // another worker asks too: under his number then
    }
  }
}

async function askFor(desk: Desk, { signNo, request, channel, payouts }: Asking, found: Map<Id, Signed>): Promise<void> {
  const { rt } = desk;
  const answer = await callChannel(
    desk,
    channel,
    () => (collectorOf(desk, channel) as Collector).sign({ signNo, ...request }),
    ({ status }) => status !== 'unknown',
  );
  if (answer.status === 'unknown') {
    for (const id of payouts)
      found.set(id, { answer: { messageNo: id, status: 'unknown', reason: `not signed yet: ${words(answer.reason, request)}` } });
    return;
  }
  const said =
    answer.status === 'signed'
      ? { contractSealed: rt.vault.seal(answer.contractNo) }
      : { reason: tidyReason(words(answer.reason, request)) };
  await rt.db.withTx(
    'note-signing',
    (tx) => noteSigning(tx, signNo, said, rt.clock.now()).then(() => true),
    async () => undefined,
  );
  if (answer.status === 'signed') settle(found, { payouts }, { contractNo: answer.contractNo });
  else for (const id of payouts) found.set(id, failed(id, `not signed: ${words(answer.reason, request)}`));
}

function words(reason: string, { name, account, bankCode, mobile, idNo }: Asking['request']): string {
  const open = withoutPayee(reason, { name, account, bankCode }) ?? '';
  return open.replaceAll(mobile, '***').replaceAll(idNo, '***');
}

function settle(found: Map<Id, Signed>, { payouts }: Pick<Wanted, 'payouts'>, signed: Signed): void {
  for (const id of payouts) found.set(id, signed);
}

function failed(id: Id, reason: string): Signed {
  return { answer: { messageNo: id, status: 'failed', reason } };
}
