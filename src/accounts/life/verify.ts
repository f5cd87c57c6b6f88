import type { ElementsAnswer, IdentityAnswer, Verification } from '../../channels/index.js';
import { type Instant, invariant, type Refusal, Refused, refuse } from '../../kernel/index.js';
import { loadBook, lockShard } from '../../ledger/index.js';
import { type Customer, changeMobile, customerOf, type Finding, takeCustomer } from '../../parties/index.js';
import { faultOf, type Runtime, type Tx } from '../../runtime/index.js';
import { asOf, openCard } from '../opening/ask.js';
import { askAgainAfterMs, type Card, cardClassOf, checkElementsAnswer } from '../opening/rules.js';
import { takeCard } from '../opening/store.js';
import { askElements } from '../opening/verify.js';
import { refusalOf } from '../rules.js';
import { bindSettlementAccounts, openSettlementAccount, settlementAccountsOf } from '../store.js';
import { type ChangeAt, changeRefusal } from './ask.js';
import { requireElectronic } from './standing.js';
import { type AccountChange, dueChanges, findChange, moveChange, putOffChange, setAlive, setCard } from './store.js';

type Parts = Pick<Runtime, 'db' | 'clock' | 'vault' | 'log'>;

const LIMIT = 200;

/**
 * Asks outside about the pending changes of a shard's accounts, and decides. Until the commit the old card and the old number hold, and
 * payouts that were made keep the card they were made with. One that fails keeps none of the others back.
 * @returns how many were decided or put off
 */
export async function verifyChanges(rt: Parts, verification: Verification, shardId: number): Promise<number> {
  for (let looked = 0; ; ) {
    const due = await rt.db.read('due changes', (tx) => dueChanges(tx, shardId, rt.clock.now(), LIMIT));
    for (const change of due) await verifyOrPutOff(rt, verification, change);
    looked += due.length;
    if (due.length < LIMIT) return looked; // what was put off is not due any more, so this ends
  }
}

async function verifyOrPutOff(rt: Parts, verification: Verification, change: AccountChange): Promise<void> {
  try {
    await verifyOne(rt, verification, change);
  } catch (error) {
    rt.log.error({ event: 'account-change-failed', change: change.id, error: faultOf(error) });
    await putOff(rt, change);
  }
}

type Outside = ElementsAnswer | IdentityAnswer;

async function verifyOne(rt: Parts, verification: Verification, change: AccountChange): Promise<void> {
  const { customer, card } = await rt.db.read('owner of a change', async (tx) => ({
    customer: await customerOf(tx, change.customerId, rt.vault),
    card: await cardToAskAbout(tx, rt, change),
  }));
  invariant(customer, `the owner of account ${change.accountId} is there`);
  const { idType, idNo, name } = customer;
  const answer: Outside =
    card === undefined
      ? await verification.checkIdentity({ idType, idNo, name })
      : await askElements(verification, customer, card);
  if (answer.result === 'unanswered') return putOff(rt, change);
  await conclude(rt, change, (tx) => decide(tx, rt, change, answer));
}

/** Runs a decision; one that turns out to be refused half-way is undone and kept as refused. */
async function conclude(rt: Parts, change: AccountChange, deciding: (tx: Tx) => Promise<void>): Promise<void> {
  const decided = async () => {
    const now = await rt.db.read('change', (tx) => findChange(tx, change.id));
    return now?.state === 'pending' ? undefined : true;
  };
  try {
    await rt.db.withTx('decide change', (tx) => deciding(tx).then(() => true), decided);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { refusal } = error;
    const nowMs = rt.clock.now();
    await rt.db.withTx('refuse change', (tx) => moveChange(tx, change.id, 'pending', 'refused', { nowMs, refusal }), decided);
  }
}

/** The new card; or the bound one with the new mobile number, which its bank must know; undefined where the identity is asked about. */
async function cardToAskAbout(tx: Tx, { vault }: Parts, { kind, accountId, toSealed }: AccountChange): Promise<Card | undefined> {
  if (kind === 'identity') return undefined;
  if (kind === 'card') return openCard(vault, toSealed);
  const bound = (await settlementAccountsOf(tx, [accountId])).get(accountId);
  invariant(bound, `the electronic account ${accountId} has a card`);
  const { account, bankCode } = openSettlementAccount(vault, bound);
  return { account, bankCode, mobile: vault.open(toSealed) };
}

async function putOff(rt: Parts, change: AccountChange): Promise<void> {
  const nextMs = (rt.clock.now() + askAgainAfterMs(change.attempts)) as Instant;
  await rt.db.withTx(
    'put off change',
    (tx) => putOffChange(tx, change, nextMs).then(() => true),
    async () => true,
  );
}

/** Under the rows of the shard, the customer and the card, written in the order in which an opening writes them. */
async function decide(tx: Tx, rt: Parts, change: AccountChange, answer: Outside): Promise<void> {
  const book = await loadBook(tx, change.platformId);
  const { nowMs } = await lockShard(tx, book.shardId, rt.clock.now());
  const customer = await takeCustomer(tx, change.customerId, rt.vault);
  invariant(customer, `the owner of account ${change.accountId} is there`);
  const account = await requireElectronic(tx, change.accountId);
  const asked = askedOf(rt, change);
  if (asked.kind === 'card') await takeCard(tx, rt.vault.index('card', asked.card.account));
  const own = await changeRefusal(tx, rt, { account, customer, asked, nowMs });
  const refusal = own ?? outsideRefusal(asked.kind, answer, { class: account.class, profile: book.profile });
  if (refusal !== undefined) {
    await moveChange(tx, change.id, 'pending', 'refused', { nowMs, answer, refusal });
    return;
  }
  if (asked.kind === 'mobile') await takeNumber(tx, rt, customer, asked.mobile);
  if (!(await moveChange(tx, change.id, 'pending', 'done', { nowMs, answer }))) return;
  if (asked.kind === 'identity') await setAlive(tx, change.accountId, nowMs);
  if (asked.kind === 'card') await bindCard(tx, rt, change, { customer, card: asked.card, answer: answer as ElementsAnswer });
}

function askedOf({ vault }: Pick<Parts, 'vault'>, { kind, toSealed }: AccountChange): ChangeAt['asked'] {
  if (kind === 'card') return { kind, card: openCard(vault, toSealed) };
  return kind === 'mobile' ? { kind, mobile: vault.open(toSealed) } : { kind };
}

function outsideRefusal(
  kind: AccountChange['kind'],
  answer: Outside,
  of: { class: 2 | 3; profile: string },
): Refusal | undefined {
  if (kind === 'identity') {
    if (answer.result === 'match') return undefined;
    return refuse(answer.result === 'name-differs' ? 'IDENTITY_NAME_DIFFERS' : 'IDENTITY_UNKNOWN');
  }
  if (kind === 'card') return refusalOf(checkElementsAnswer(answer as ElementsAnswer, of));
  // The card was bound before: whether it could be bound now is not asked.
  return refusalOf(checkElementsAnswer(answer as ElementsAnswer, { class: 3, profile: 'marketplace' }).map(ofNumber));
}

/** The fault as whoever asked for another number sees it: he named no card. */
function ofNumber({ code, detail, pointer }: Finding): Finding {
  return { code, detail, pointer: pointer === '/card/mobile' ? '/mobile' : '/account' };
}

/** The owner is reached under another number. Call it with him taken. @throws Refused MOBILE_TAKEN: undo what was written */
export async function takeNumber(
  tx: Tx,
  { clock, vault }: Pick<Parts, 'clock' | 'vault'>,
  customer: Customer,
  mobile: string,
): Promise<void> {
  const refusal = await changeMobile(tx, customer, mobile, { ...(await asOf(tx, clock.now())), vault });
  if (refusal !== undefined) throw new Refused(refusal);
}

async function bindCard(
  tx: Tx,
  { vault }: Parts,
  { accountId }: AccountChange,
  { customer, card, answer }: { customer: Customer; card: Card; answer: ElementsAnswer },
): Promise<void> {
  const cardClass = cardClassOf(answer);
  invariant(cardClass, 'a card that may be bound has a class');
  const { account, bankCode } = card;
  await bindSettlementAccounts(tx, vault, [[accountId, { name: customer.name, account, bankCode }]]);
  await setCard(tx, accountId, vault.index('card', account), cardClass);
}
