import type { ElementsAnswer, Verification } from '../../channels/index.js';
import { type Id, type Instant, invariant, naturalDate, type Refusal, virtualAccountNo } from '../../kernel/index.js';
import { type Book, loadBook, lockShard, openAccounts } from '../../ledger/index.js';
import { type AsOf, type Customer, changeMobile, requireUser, takeCustomer } from '../../parties/index.js';
import { faultOf, type Runtime, type Tx } from '../../runtime/index.js';
import { insertElectronicAccounts } from '../electronic.js';
import { refusalOf } from '../rules.js';
import { bindSettlementAccounts, takeVirtualNumbers } from '../store.js';
import { applicantOf, asOf, openCard } from './ask.js';
import { askAgainAfterMs, type Card, cardClassOf, checkElementsAnswer, checkOpening } from './rules.js';
import { decideOpening, dueOpenings, findOpening, type Opening, putOffOpening, takeCard } from './store.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'log'>;

const LIMIT = 200;
const TOGETHER = 8; // questions to the bank at the same time

/**
 * Asks the banks of the cards of a shard's pending openings, and decides. What one answers is decided in one commit: account, card,
 * limits and virtual number are there, or none of them. One that fails keeps none of the others back. Run twice it opens nothing twice.
 * @returns how many were decided or put off
 */
export async function verifyOpenings(rt: Parts, verification: Verification, shardId: number): Promise<number> {
  for (let looked = 0; ; ) {
    const due = await rt.db.read('due openings', (tx) => dueOpenings(tx, shardId, rt.clock.now(), LIMIT));
    for (let from = 0; from < due.length; from += TOGETHER)
      await Promise.all(due.slice(from, from + TOGETHER).map((opening) => verifyOrPutOff(rt, verification, opening)));
    looked += due.length;
    if (due.length < LIMIT) return looked; // what was put off is not due any more, so this ends
  }
}

async function verifyOrPutOff(rt: Parts, verification: Verification, opening: Opening): Promise<void> {
  try {
    await verifyOne(rt, verification, opening);
  } catch (error) {
    rt.log.error({ event: 'opening-failed', opening: opening.id, error: faultOf(error) });
    await putOff(rt, opening);
  }
}

async function verifyOne(rt: Parts, verification: Verification, opening: Opening): Promise<void> {
  const customer = await rt.db.read('applicant', async (tx) => {
    const known = await requireUser(tx, opening.platformId, opening.userId, rt.vault);
    return known.customer;
  });
  const card = openCard(rt.vault, opening.cardSealed);
  const answer = customer === null ? undefined : await askElements(verification, customer, card);
  if (answer?.result === 'unanswered') return putOff(rt, opening);
  await rt.db.withTx(
    'decide opening',
    (tx) => decide(tx, rt, { opening, card, answer }).then(() => true),
    async () => {
      const now = await rt.db.read('opening', (tx) => findOpening(tx, opening.id));
      return now?.state === 'pending' ? undefined : true;
    },
  );
}

/** Whether a card is its customer's, and what sort of account it is, by the word of its bank. */
export function askElements(
  verification: Verification,
  { idType, idNo, name }: Pick<Customer, 'idType' | 'idNo' | 'name'>,
  { mobile, account, bankCode }: Card,
): Promise<ElementsAnswer> {
  return verification.checkElements({ idType, idNo, name, mobile, account, bankCode });
}

async function putOff(rt: Parts, opening: Opening): Promise<void> {
  const nextMs = (rt.clock.now() + askAgainAfterMs(opening.attempts)) as Instant;
  await rt.db.withTx(
    'put off opening',
    (tx) => putOffOpening(tx, opening, nextMs).then(() => true),
    async () => true,
  );
}

interface Answered {
  readonly opening: Opening;
  readonly card: Card;
  readonly answer: ElementsAnswer | undefined;
}

/**
 * Under the shard's row the ledger's accounts; under the customer's row how many he has, for another platform of his may stand on
 * another shard; under the card's row whose it is. All three are written, in this order.
 */
async function decide(tx: Tx, rt: Parts, { opening, card, answer }: Answered): Promise<void> {
  const { platformId, userId, class: of } = opening;
  const { shardId } = await loadBook(tx, platformId);
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  const { user, customer: known } = await requireUser(tx, platformId, userId, rt.vault);
  const customer = known && ((await takeCustomer(tx, known.id, rt.vault)) ?? null);
  const cardIndex = rt.vault.index('card', card.account);
  await takeCard(tx, cardIndex);
  const book = await loadBook(tx, platformId);
  const now = await asOf(tx, nowMs);
  const applicant = await applicantOf(tx, rt.vault, { user, customer, class: of, card }, now.today);
  const { faults } = checkOpening({ class: of, card }, applicant, now);
  const all = [...faults, ...(answer === undefined ? [] : checkElementsAnswer(answer, { class: of, profile: book.profile }))];
  const refusal: Refusal | undefined = refusalOf(all) ?? (await proveMobile(tx, rt, customer, card.mobile, now));
  if (refusal !== undefined) {
    await decideOpening(tx, opening.id, { decidedMs: nowMs, refusal, answer });
    return;
  }
  const cardClass = answer && cardClassOf(answer);
  invariant(customer && cardClass, `the opening ${opening.id} has an owner and a card of a class`);
  const accountId = rt.newId();
  if (!(await decideOpening(tx, opening.id, { decidedMs: nowMs, accountId, answer }))) return;
  await write(tx, rt, { accountId, opening, book, customer, card, cardIndex, cardClass, nowMs });
}

/** The card's bank says that the number is his: it is verified, and takes the place of one that was not. Refused, nothing was changed. */
async function proveMobile(
  tx: Tx,
  { vault }: Parts,
  customer: Customer | null,
  mobile: string,
  now: AsOf,
): Promise<Refusal | undefined> {
  const taken = customer && (await changeMobile(tx, customer, mobile, { ...now, vault }));
  if (!taken) return undefined;
  return refusalOf([{ code: taken.code, pointer: '/card/mobile', detail: 'belongs to another identity' }]);
}

interface NewAccount {
  readonly accountId: Id;
  readonly opening: Opening;
  readonly book: Book;
  readonly customer: Customer;
  readonly card: Card;
  readonly cardIndex: Buffer;
  readonly cardClass: NonNullable<ReturnType<typeof cardClassOf>>;
  readonly nowMs: Instant;
}

async function write(tx: Tx, rt: Parts, of: NewAccount): Promise<void> {
  const { accountId, opening, book, customer, card, cardIndex, cardClass, nowMs } = of;
  const { platformId, userId } = opening;
  await openAccounts(tx, [{ id: accountId, platformId, type: `class-${opening.class}` }]);
  const { name } = customer;
  await bindSettlementAccounts(tx, rt.vault, [[accountId, { name, account: card.account, bankCode: card.bankCode }]]);
  const { stopped, idExpires, idTaskDueMs, documented } = customer;
  await insertElectronicAccounts(
    tx,
    [
      {
        accountId,
        platformId,
        customerId: customer.id,
        userId,
        class: opening.class,
        virtualNo: virtualAccountNo(await takeVirtualNumbers(tx, 1)),
        state: 'active',
        faceToFace: false,
        funded: false,
        aliveMs: nowMs,
        cardIndex,
        cardClass,
        interestFrom: book.businessDate,
        openedMs: nowMs,
        closedMs: null,
        owner: { stopped, idExpires, idTaskDueMs, documented },
      },
    ],
    naturalDate(nowMs),
  );
}
