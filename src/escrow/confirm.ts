import { actingCustomer, isOwner, partyBehind, payeeNames } from '../accounts/index.js';
import { type AnswerHandler, askConsent } from '../consents/index.js';
import { type Id, type Instant, invariant, naturalDate, type Refusal, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import type { Customer } from '../parties/index.js';
import { readPlatform } from '../platforms/index.js';
import { type Asked, isDuplicateKey, loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { ACCEPT, askedRoles, type Deal, mayConfirm, nextDue, notAccepted, partyOf } from './rules.js';
import { shownConfirmation } from './shown.js';
import {
  answerConfirmation,
  type Confirmation,
  confirmationsOf,
  findConfirmation,
  findDeal,
  fundsOf,
  insertConfirmation,
  liveConfirmation,
  setDue,
} from './store.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'config'>;

/** Whose word about what. */
export interface Saying {
  readonly item: string;
  readonly role: string;
}

export interface AskedConfirmation {
  readonly confirmation: Confirmation;
  readonly asked: Asked | undefined;
  readonly repeated: boolean;
}

/**
 * Puts an item of a deal to a party, on a page that the bank hosts; he says yes with his trade password and a code. Who has said yes, or is
 * asked, gets the same answer again.
 * @throws Refused ESCROW_ITEM_UNKNOWN, ESCROW_WRONG_PARTY (the item does not wait for that role, or the user is not that party),
 *   ESCROW_ENDED, ESCROW_STAGE_ENDED, ESCROW_STAGE_NOT_OPEN, ESCROW_NOT_ACCEPTED, NOT_FOUND, or why the user may do nothing
 */
export async function askConfirmation(rt: Parts, deal: Deal, of: Saying & { readonly user: Id }): Promise<AskedConfirmation> {
  const where = { dealId: deal.id, item: of.item, role: of.role };
  const id = rt.newId();
  const known = (tx: Tx) => liveConfirmation(tx, where);
  const ask = () =>
    rt.db.withTx(
      'ask confirmation',
      async (tx): Promise<AskedConfirmation> => {
        const { deal: now, nowMs } = await underLock(tx, rt, deal);
        const roles = askedRoles(now, of.item);
        if (roles?.includes(of.role)) {
          const live = await known(tx);
          const customer = await requireParty(tx, rt, now, of, nowMs);
          if (live !== undefined) return { confirmation: live, asked: openQuestion(live), repeated: true };
          return write(tx, rt, now, { ...of, id, customer, nowMs });
        }
        throw new Refused(mayConfirm(now, of.item, of.role, nowMs) ?? refuse('ESCROW_WRONG_PARTY'));
      },
      async () => {
        const live = await rt.db.read('asked confirmation', known);
        return live?.id === id ? { confirmation: live, asked: openQuestion(live), repeated: false } : undefined;
      },
    );
  try {
    return await ask();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return ask();
  }
}

/** The question while it is open, without its address. */
export function openQuestion({ state, consentId, expiresMs }: Confirmation): Asked | undefined {
  return state !== 'asked' || consentId === null || expiresMs === null ? undefined : { consent: consentId, expiresMs };
}

/** The deal as it is while nobody else decides about its platform's books. */
export async function underLock(tx: Tx, rt: Pick<Runtime, 'clock'>, { id, platformId }: Pick<Deal, 'id' | 'platformId'>) {
  const { shardId } = await loadBook(tx, platformId);
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  const deal = await findDeal(tx, id);
  invariant(deal, `the deal ${id} is there`);
  return { deal, nowMs };
}

async function write(
  tx: Tx,
  rt: Parts,
  deal: Deal,
  { id, item, role, user, customer, nowMs }: Saying & { id: Id; user: Id; customer: Customer; nowMs: Instant },
): Promise<AskedConfirmation> {
  const refusal = mayConfirm(deal, item, role, nowMs) ?? companyFirst(deal, item, role, await isCompany(tx, rt, deal, role));
  if (refusal !== undefined) throw new Refused(refusal);
  const parameters = await loadParameters(tx);
  const hours = Number(parameters.on(naturalDate(nowMs), 'escrow.answer-hours'));
  const expiresMs = (nowMs + hours * 3_600_000) as Instant;
  const platform = await readPlatform(tx, deal.platformId);
  const accounts = deal.plan.parties.flatMap(({ account }) => account ?? []);
  const asked = await askConsent(tx, rt, {
    ...{ subject: 'escrow', subjectId: id, platformId: deal.platformId, customerId: customer.id, needs: 'both', expiresMs },
    shown: shownConfirmation({
      ...{ deal, item, role, platform: platform?.name ?? '' },
      ...{ names: await payeeNames(tx, rt.vault, accounts), answerUntil: expiresMs },
    }),
  });
  const confirmation: Confirmation = {
    ...{ id, dealId: deal.id, platformId: deal.platformId, item, role, way: 'page', state: 'asked', userId: user },
    ...{ consentId: asked.consent, expiresMs, voucherSealed: null, recordedBy: null, createdMs: nowMs, givenMs: null },
  };
  await insertConfirmation(tx, confirmation);
  return { confirmation, asked, repeated: false };
}

/** A company agrees to a deal on paper, which names who acts for it; only then his word on a page is the company's. */
function companyFirst(deal: Deal, item: string, role: string, company: boolean): Refusal | undefined {
  if (!company) return undefined;
  if (item === ACCEPT) return refuse('ESCROW_WRONG_PARTY', 'A company agrees to a deal on paper.', { role });
  return notAccepted(deal).includes(role) ? refuse('ESCROW_NOT_ACCEPTED', undefined, { parties: [role] }) : undefined;
}

async function isCompany(tx: Tx, rt: Pick<Runtime, 'vault'>, deal: Deal, role: string): Promise<boolean> {
  const account = partyOf(deal, role)?.account ?? null;
  return account !== null && (await partyBehind(tx, rt, account))?.kind === 'company';
}

/**
 * The customer behind a user, if he is that party: the user whom the deal names for the role or, where it names none, the owner of the
 * party's account.
 * @throws Refused ESCROW_WRONG_PARTY, NOT_FOUND, or why the user may do nothing
 */
async function requireParty(tx: Tx, rt: Parts, deal: Deal, of: Saying & { user: Id }, nowMs: Instant): Promise<Customer> {
  const customer = await actingCustomer(tx, rt, { platformId: deal.platformId, userId: of.user, nowMs });
  const party = partyOf(deal, of.role);
  const wrong = new Refused(
    refuse('ESCROW_WRONG_PARTY', 'The user is not that party.', { role: of.role, user: toWire('user', of.user) }),
  );
  if (party === undefined) throw wrong;
  if (party.user !== null) {
    if (party.user !== of.user) throw wrong;
    return customer;
  }
  if (party.account === null || !(await isOwner(tx, rt, customer, party.account))) throw wrong;
  return customer;
}

/**
 * What follows from a party's answer, in its transaction: the word is kept, and the sweep finds what it makes true.
 * @throws Refused ESCROW_ENDED, ESCROW_STAGE_ENDED when the stage ended meanwhile: his yes comes to nothing then
 */
export function escrowAnswered(rt: Pick<Runtime, 'clock'>): AnswerHandler {
  return async (tx, id, ending) => {
    const asked = await findConfirmation(tx, id);
    invariant(asked, `the confirmation ${id} is there`);
    const { deal, nowMs } = await underLock(tx, rt, { id: asked.dealId, platformId: asked.platformId });
    const to = ({ given: 'given', declined: 'declined', expired: 'lapsed', locked: 'lapsed' } as const)[ending];
    const refusal = to === 'given' ? mayConfirm(deal, asked.item, asked.role, nowMs) : undefined;
    if (refusal !== undefined) throw new Refused(refusal);
    if (!(await answerConfirmation(tx, id, to, nowMs))) {
      if (to === 'given') throw new Refused(refuse('ESCROW_STAGE_ENDED', 'It was answered otherwise meanwhile.'));
      return undefined;
    }
    if (to === 'given') await reckon(tx, deal.id, nowMs);
    return undefined;
  };
}

/** When the sweep has to look at a deal, after something was said or decided. Under the shard's row. */
export async function reckon(tx: Tx, id: Id, nowMs: Instant): Promise<void> {
  const deal = await findDeal(tx, id);
  invariant(deal, `the deal ${id} is there`);
  await setDue(tx, id, nextDue(deal, await fundsOf(tx, id), nowMs));
}

/**
 * A member of staff saw a party's signature on a form, or a company's. A question that is open on a page lapses with that; who has said yes
 * already gets the same answer. Each person of the bank speaks for one role of a deal, so that nobody makes both sides agree alone.
 * @throws Refused ESCROW_NOT_FOUND, ESCROW_ITEM_UNKNOWN, ESCROW_WRONG_PARTY, ESCROW_ENDED, ESCROW_STAGE_ENDED, ESCROW_STAGE_NOT_OPEN,
 *   SAME_OPERATOR (he has recorded another role's word in this deal)
 */
export async function recordConfirmation(
  tx: Tx,
  rt: Pick<Runtime, 'newId' | 'clock' | 'vault'>,
  of: Saying & { readonly escrow: Id; readonly voucher: string; readonly by: Id },
): Promise<Confirmation> {
  const found = await findDeal(tx, of.escrow);
  if (found === undefined) throw new Refused(refuse('ESCROW_NOT_FOUND'));
  const { deal, nowMs } = await underLock(tx, rt, found);
  const live = await liveConfirmation(tx, { dealId: deal.id, item: of.item, role: of.role });
  if (live?.state === 'given') return live;
  const refusal = mayConfirm(deal, of.item, of.role, nowMs);
  if (refusal !== undefined) throw new Refused(refusal);
  const before = await confirmationsOf(tx, deal.id);
  if (before.some(({ recordedBy, role }) => recordedBy === of.by && role !== of.role)) throw new Refused(refuse('SAME_OPERATOR'));
  if (live !== undefined) await answerConfirmation(tx, live.id, 'lapsed', nowMs);
  const confirmation: Confirmation = {
    ...{
      id: rt.newId(),
      dealId: deal.id,
      platformId: deal.platformId,
      item: of.item,
      role: of.role,
      way: 'paper',
      state: 'given',
    },
    ...{ userId: null, consentId: null, expiresMs: null, voucherSealed: rt.vault.seal(of.voucher), recordedBy: of.by },
    ...{ createdMs: nowMs, givenMs: nowMs },
  };
  await insertConfirmation(tx, confirmation);
  await reckon(tx, deal.id, nowMs);
  return confirmation;
}
