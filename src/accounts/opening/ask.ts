import {
  type BusinessDate,
  type Id,
  type Instant,
  invariant,
  naturalDate,
  REFUSALS,
  Refused,
  refuse,
} from '../../kernel/index.js';
import { type AsOf, type Finding, provableMobiles, requireUser, type User, type Warning } from '../../parties/index.js';
import { isDuplicateKey, loadParameters, type Runtime, type Tx, type Vault } from '../../runtime/index.js';
import { requireBook, takesNoMembers } from '../book.js';
import { refusalOf } from '../rules.js';
import { type Applicant, type AskedCard, type Card, checkOpening } from './rules.js';
import { countHeld, findOpening, insertOpening, isBoundElsewhere, type Opening, openingByNumber } from './store.js';

/** What a platform carries from its user to the bank. It decides nothing. */
export interface AskedOpening {
  readonly openingNo: string;
  readonly user: Id;
  readonly class: 2 | 3;
  readonly card: AskedCard;
}

/** An opening as it stands, and what looked wrong when it was asked for. */
export interface Asked {
  readonly opening: Opening;
  readonly warnings: readonly Warning[];
  /** It was asked for before, under the same number. */
  readonly repeated: boolean;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'bells'>;

/**
 * Takes an opening. What the bank knows itself decides at once; else the bank of the card is asked by a worker. Refused or not, it is
 * remembered for ever: the same again gets the same answer. Only what waiting mends (an identity that is not verified yet) is refused
 * without being kept.
 * @throws Refused NOT_FOUND (no such user), OPENING_NO_REUSED, IDENTITY_UNVERIFIED, CUSTOMER_NOT_ACTIVATED
 */
export async function askOpening(rt: Parts, platformId: Id, asked: AskedOpening): Promise<Asked> {
  const contentHash = rt.vault.index('opening', canonical(asked));
  const before = await rt.db.read('opening', (tx) => openingByNumber(tx, platformId, asked.openingNo));
  if (before !== undefined) return repeated(before, contentHash);
  let made: Opening | undefined;
  try {
    const { opening, warnings, shardId } = await rt.db.withTx(
      'ask opening',
      async (tx) => {
        const written = await write(tx, rt, platformId, asked, contentHash);
        made = written.opening;
        return written;
      },
      async () => {
        const there = made && (await rt.db.read('opening', (tx) => findOpening(tx, (made as Opening).id)));
        if (there === undefined) return undefined;
        return { opening: there, warnings: [], shardId: await shardOf(rt, platformId) };
      },
    );
    if (opening.state === 'pending') await rt.bells.ring('verify-openings', String(shardId));
    return { opening, warnings, repeated: false };
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const twin = await rt.db.read('opening', (tx) => openingByNumber(tx, platformId, asked.openingNo));
    invariant(twin, 'an opening whose number is taken is there');
    return repeated(twin, contentHash);
  }
}

async function shardOf(rt: Parts, platformId: Id): Promise<number> {
  return (await rt.db.read('book', (tx) => requireBook(tx, platformId))).shardId;
}

function repeated(before: Opening, contentHash: Buffer): Asked {
  if (!before.contentHash.equals(contentHash)) throw new Refused(refuse('OPENING_NO_REUSED'));
  return { opening: before, warnings: [], repeated: true };
}

/** Every field in a fixed order, absent ones as such. */
function canonical({ user, class: of, card }: AskedOpening): string {
  return JSON.stringify([user, of, card.account ?? null, card.bankCode, card.mobile ?? null]);
}

async function write(tx: Tx, rt: Parts, platformId: Id, asked: AskedOpening, contentHash: Buffer) {
  const book = await requireBook(tx, platformId);
  const unwanted = takesNoMembers(book);
  if (unwanted !== undefined) throw new Refused(unwanted);
  const { shardId } = book;
  const { faults, warnings } = await checkNow(tx, rt, platformId, asked);
  const refusal = refusalOf(faults);
  const passing = faults.find(({ code }) => REFUSALS[code].retry === 'same-number');
  if (refusal !== undefined && passing !== undefined) throw new Refused({ ...refusal, code: passing.code });
  const nowMs = rt.clock.now();
  const opening: Opening = {
    id: rt.newId(),
    platformId,
    openingNo: asked.openingNo,
    userId: asked.user,
    class: asked.class,
    cardSealed: rt.vault.seal(JSON.stringify(asked.card)),
    contentHash,
    state: refusal === undefined ? 'pending' : 'refused',
    accountId: null,
    refusal: refusal ?? null,
    attempts: 0,
    nextMs: nowMs,
    createdMs: nowMs,
    decidedMs: refusal === undefined ? null : nowMs,
  };
  await insertOpening(tx, opening);
  return { opening, warnings, shardId };
}

/** Everything that would refuse an opening now and that the bank knows without asking anybody. @throws Refused NOT_FOUND */
export async function dryRunOpening(
  rt: Pick<Runtime, 'db' | 'clock' | 'vault'>,
  platformId: Id,
  asked: Omit<AskedOpening, 'openingNo'>,
): Promise<{ readonly faults: readonly Finding[]; readonly warnings: readonly Warning[] }> {
  return rt.db.snapshot('dry run of an opening', (tx) => checkNow(tx, rt, platformId, asked));
}

async function checkNow(
  tx: Tx,
  { clock, vault }: Pick<Runtime, 'clock' | 'vault'>,
  platformId: Id,
  asked: Omit<AskedOpening, 'openingNo'>,
) {
  const { user, customer } = await requireUser(tx, platformId, asked.user, vault);
  const now = await asOf(tx, clock.now());
  const applicant = await applicantOf(tx, vault, { user, customer, class: asked.class, card: asked.card }, now.today);
  return checkOpening(asked, applicant, now);
}

/** What of an applicant's accounts decides. After `takeCustomer` and `takeCard` it holds until the commit. */
export async function applicantOf(
  tx: Tx,
  vault: Vault,
  { user, customer, class: of, card }: { user: User; customer: Applicant['customer']; class: 2 | 3; card: AskedCard },
  today: BusinessDate,
): Promise<Applicant> {
  if (customer === null) return { user, customer, mobiles: [], held: 0, cardTaken: false };
  const mobiles = provableMobiles(customer, user, vault);
  const cardTaken = card.account !== undefined && (await isBoundElsewhere(tx, vault.index('card', card.account), customer.id));
  return { user, customer, mobiles, held: await countHeld(tx, customer.id, of, today), cardTaken };
}

export async function asOf(tx: Tx, nowMs: Instant): Promise<AsOf> {
  return { today: naturalDate(nowMs), nowMs, parameters: await loadParameters(tx) };
}

/** The card of an opening that passed our own checks: all its elements are there. */
export function openCard(vault: Vault, sealed: string): Card {
  return JSON.parse(vault.open(sealed)) as Card;
}
