import {
  addDays,
  type BusinessDate,
  type Id,
  type Instant,
  naturalDate,
  type Refusal,
  Refused,
  refuse,
  startOfDay,
} from '../kernel/index.js';
import { faultOf, type Runtime, type Tx } from '../runtime/index.js';
import { digestOfShown } from './ask.js';
import { codeLimits, isCodeAlive, isCodeLocked, isCodeRight, isCodeToPresentMobile, mobileIndexOf } from './codes.js';
import {
  type Credential,
  countCodeAttempt,
  countPasswordAttempt,
  findCredential,
  forgetAttempts,
  takeBackCodeAttempt,
} from './credentials/store.js';
import { faultOfNewPassword, hashPassword, isPasswordRight, putPassword } from './password.js';
import { receiptOf } from './receipts/receipts.js';
import type { Factors } from './records.js';
import { answeredBefore, type Evidence, isSixDigits, type Shown, type Subject, TRIES_MAX } from './rules.js';
import type { Ending } from './states.js';
import { countAttempt, endConsent, findConsent, overdueConsents, type StoredConsent } from './store.js';

/**
 * What happens, in the same transaction, when a question about a subject ended: given, declined, expired or locked. Answers what to
 * do after the commit (a bell, for instance). It runs again from the beginning when the transaction does.
 */
export type AnswerHandler = (
  tx: Tx,
  subjectId: Id,
  state: Ending,
  asked: Pick<StoredConsent, 'id' | 'platformId' | 'customerId' | 'userId'>,
) => Promise<(() => Promise<void>) | undefined>;
export type AnswerHandlers = Partial<Record<Subject, AnswerHandler>>;

/** What answering needs: the machine room, and what follows from an answer. */
export interface AnswerDesk {
  readonly rt: Pick<Runtime, 'db' | 'clock' | 'vault' | 'log' | 'receiptKeys'>;
  readonly handlers: AnswerHandlers;
}

/** From where an answer came. */
export type Whence = Pick<Evidence, 'ip' | 'forwardedFor' | 'userAgent'>;

/** What the customer filled in to say yes. */
export interface Proof {
  readonly password?: string | undefined;
  readonly code?: string | undefined;
  /** Only where the question is about the password itself; `password` is the old one then. */
  readonly newPassword?: string | undefined;
}

const wantsPassword = (needs: Factors): boolean => needs !== 'sms';
const wantsCode = (needs: Factors): boolean => needs !== 'password';

/** The customer says no: that takes no proof, since it moves nothing. @returns why it came to nothing, or undefined */
export async function decline(desk: AnswerDesk, consent: StoredConsent, whence: Whence): Promise<Refusal | undefined> {
  const atMs = desk.rt.clock.now();
  const receipt = receiptOf(desk.rt, consent, { ...whence, said: 'declined', factors: 'none', atMs });
  return end(desk, consent, 'declined', { nowMs: atMs, receiptSealed: desk.rt.vault.seal(receipt) });
}

/**
 * The customer says yes. An attempt is counted and committed before it is looked at, so that neither two requests at once nor a process
 * that dies gives one more; the slow hash is computed outside of any transaction.
 * Wrong codes are counted by customer and natural day over all that he is asked, so that a new question gives no new guesses; an answer
 * that is right as a whole takes back what was counted for it.
 * @returns undefined when it is given, or why not. SHAPE_INVALID, CODE_EXPIRED, FACTOR_MISSING, PASSWORD_WEAK, PASSWORD_LOCKED, CODE_LOCKED
 *   and CONSENT_MISMATCH cost no attempt. FACTOR_WRONG does not say which factor.
 */
export async function approve(
  desk: AnswerDesk,
  asked: StoredConsent,
  proof: Proof,
  whence: Whence,
): Promise<Refusal | undefined> {
  const { rt } = desk;
  const factors = await rt.db.read('known-factors', (tx) => knownFactors(tx, rt, asked));
  const refused = (await whyNot(desk, asked)) ?? checkProof(rt, asked, factors, proof) ?? (await checkNew(rt, asked, proof));
  if (refused !== undefined) return refused;
  const counted = await count(rt, asked);
  if ('code' in counted) return (await whyNotAnyMore(desk, asked.id)) ?? counted;
  const { consent, countedOn } = counted;
  const { credential } = factors;
  const known = wantsPassword(consent.needs) ? (credential?.passwordHash ?? null) : null;
  const { customerId } = consent;
  const passwordRight = known === null || (await isPasswordRight(rt.vault, customerId, proof.password ?? '', known));
  const codeRight = !wantsCode(consent.needs) || isCodeRight(rt, consent, proof.code ?? '');
  const clearing = async (tx: Tx) => {
    if (known !== null && passwordRight) await forgetAttempts(tx, customerId, known);
  };
  if (!(passwordRight && codeRight)) return wrong(desk, consent, clearing);
  const after = consent.subject === 'password' ? await hashPassword(rt.vault, customerId, proof.newPassword ?? '') : undefined;
  const atMs = rt.clock.now();
  const receipt = receiptOf(rt, consent, { ...whence, said: 'given', factors: consent.needs, atMs });
  const ended = await end(desk, consent, 'given', { nowMs: atMs, receiptSealed: rt.vault.seal(receipt) }, async (tx) => {
    await clearing(tx);
    if (wantsCode(consent.needs)) await codeWasRight(tx, rt, consent, countedOn);
    if (after !== undefined) await putPassword(tx, customerId, { before: known, after, nowMs: atMs });
  });
  // The second click of a right answer is no guess either.
  if (ended?.code === 'CONSENT_ANSWERED' && wantsCode(consent.needs)) await takeBack(rt, customerId, countedOn);
  return ended;
}

function takeBack({ db }: AnswerDesk['rt'], customerId: Id, countedOn: BusinessDate): Promise<boolean> {
  return db.withTx(
    'right-code',
    async (tx) => {
      await takeBackCodeAttempt(tx, customerId, countedOn);
      return true;
    },
    async () => true, // taken back or not: rather one attempt too few
  );
}

/** What a customer's proof is held against. */
interface KnownFactors {
  readonly credential: Credential | undefined;
  /** Of the mobile number under which he is reached now. */
  readonly mobileIndex: Buffer | undefined;
  readonly codeLocked: boolean;
}

async function knownFactors(
  tx: Tx,
  { vault, clock }: Pick<Runtime, 'vault' | 'clock'>,
  { customerId, needs }: StoredConsent,
): Promise<KnownFactors> {
  const credential = await findCredential(tx, customerId);
  if (!wantsCode(needs)) return { credential, mobileIndex: undefined, codeLocked: false };
  const codeLocked = await isCodeLocked(tx, customerId, naturalDate(clock.now()));
  return { credential, mobileIndex: await mobileIndexOf(tx, customerId, vault), codeLocked };
}

/** Takes back what was counted. @throws Refused CODE_EXPIRED when the customer is meanwhile reached under another number */
async function codeWasRight(
  tx: Tx,
  { vault }: Pick<Runtime, 'vault'>,
  consent: StoredConsent,
  countedOn: BusinessDate,
): Promise<void> {
  const mobileIndex = await mobileIndexOf(tx, consent.customerId, vault);
  if (!isCodeToPresentMobile(consent, mobileIndex)) throw new Refused(refuse('CODE_EXPIRED'));
  await takeBackCodeAttempt(tx, consent.customerId, countedOn);
}

/** What can be seen to be wanting before an attempt is spent. */
function checkProof(
  { vault, clock }: Pick<Runtime, 'vault' | 'clock'>,
  consent: StoredConsent,
  { credential, mobileIndex, codeLocked }: KnownFactors,
  { password, code }: Proof,
): Refusal | undefined {
  const { subject, subjectId, needs, digest } = consent;
  const nowMs = clock.now();
  const shown = JSON.parse(vault.open(consent.shownSealed)) as Shown;
  if (!digestOfShown(vault, subject, subjectId, shown).equals(digest)) return refuse('CONSENT_MISMATCH');
  const known = credential?.passwordHash ?? null;
  // Whoever has a password gives it to get another, also when he had none as he was asked.
  if (subject === 'password' && !wantsPassword(needs) && known !== null) return refuse('CONSENT_MISMATCH');
  if (wantsPassword(needs)) {
    if (known === null) return refuse('FACTOR_MISSING');
    if (nowMs < (credential?.lockedUntilMs ?? 0)) return refuse('PASSWORD_LOCKED');
    if (!isSixDigits(password ?? '')) return refuse('SHAPE_INVALID');
  }
  if (!wantsCode(needs)) return undefined;
  if (codeLocked) return refuse('CODE_LOCKED');
  if (!isCodeAlive(consent, mobileIndex, nowMs)) return refuse('CODE_EXPIRED');
  return isSixDigits(code ?? '') ? undefined : refuse('SHAPE_INVALID');
}

async function checkNew(
  rt: AnswerDesk['rt'],
  { subject, customerId }: StoredConsent,
  proof: Proof,
): Promise<Refusal | undefined> {
  if (subject !== 'password') return undefined;
  return faultOfNewPassword(rt, customerId, proof.newPassword ?? '');
}

interface Counted {
  readonly consent: StoredConsent;
  readonly countedOn: BusinessDate;
}

/**
 * Counts the attempt, of the consent, of the password and of the customer's codes. A commit whose answer was lost is made again: rather
 * one attempt too few.
 * @returns the consent as it was counted, or of what there was no attempt left
 */
async function count({ db, clock }: AnswerDesk['rt'], { id, customerId, needs }: StoredConsent): Promise<Counted | Refusal> {
  const nowMs = clock.now();
  const countedOn = naturalDate(nowMs);
  const tomorrow = startOfDay(addDays(countedOn, 1));
  const noneLeft = async (tx: Tx) => {
    if (!(await countAttempt(tx, id, nowMs))) return 'CONSENT_LOCKED';
    if (wantsPassword(needs) && !(await countPasswordAttempt(tx, customerId, nowMs, tomorrow))) return 'PASSWORD_LOCKED';
    if (!wantsCode(needs)) return undefined;
    const { wrong } = await codeLimits(tx, countedOn);
    return (await countCodeAttempt(tx, customerId, countedOn, wrong)) ? undefined : 'CODE_LOCKED';
  };
  try {
    return await db.withTx(
      'count-attempt',
      async (tx) => {
        const code = await noneLeft(tx);
        const consent = await findConsent(tx, id);
        if (code !== undefined || consent === undefined) throw new Refused(refuse(code ?? 'NOT_FOUND')); // undoes what was counted
        return { consent, countedOn };
      },
      async () => undefined,
    );
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
}

/** Something was wrong. The last attempt locks the consent, and whoever asked hears of it. */
async function wrong(desk: AnswerDesk, consent: StoredConsent, clearing: (tx: Tx) => Promise<void>): Promise<Refusal> {
  const { db, clock } = desk.rt;
  if (consent.attempts < TRIES_MAX) {
    await db.withTx('wrong-attempt', clearing, async () => undefined);
    return refuse('FACTOR_WRONG', undefined, { left: TRIES_MAX - consent.attempts });
  }
  const change = { nowMs: clock.now(), receiptSealed: null };
  return (await end(desk, consent, 'locked', change, clearing)) ?? refuse('CONSENT_LOCKED');
}

interface EndChange {
  readonly nowMs: Instant;
  readonly receiptSealed: string | null;
}

/** Ends a consent, and says why where it was not to be. */
async function end(
  desk: AnswerDesk,
  consent: StoredConsent,
  to: Ending,
  change: EndChange,
  also?: (tx: Tx) => Promise<void>,
): Promise<Refusal | undefined> {
  try {
    if (await finish(desk, consent, to, change, also)) return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
  return (await whyNotAnyMore(desk, consent.id)) ?? refuse('CONSENT_ANSWERED');
}

/** Ends a consent with all that follows from it, in one commit. Answers whether it was this call that ended it. */
async function finish(
  { rt: { db, log }, handlers }: AnswerDesk,
  consent: StoredConsent,
  to: Ending,
  change: EndChange,
  also?: (tx: Tx) => Promise<void>,
): Promise<boolean> {
  const { id, subject, subjectId } = consent;
  let after: (() => Promise<void>) | undefined;
  const run = async (tx: Tx): Promise<boolean> => {
    if (!(await endConsent(tx, id, to, change))) return false;
    await also?.(tx);
    after = await handlers[subject]?.(tx, subjectId, to, consent);
    return true;
  };
  const ended = await db.withTx(`consent-${to}`, run, async () => {
    const now = await db.read('consent-ended', (tx) => findConsent(tx, id));
    const same = now?.answeredMs === change.nowMs && now.receiptSealed === change.receiptSealed;
    return same && now.state !== 'pending' ? true : undefined;
  });
  // What was committed stands, whatever becomes of the bells after it.
  if (ended)
    await after?.().catch((error: unknown) => log.error({ event: 'after-consent-failed', consent: id, error: faultOf(error) }));
  return ended;
}

/** Why a consent can no longer be answered. One that is merely late is ended with that, so that nobody waits for the sweep. */
async function whyNot(desk: AnswerDesk, consent: StoredConsent): Promise<Refusal | undefined> {
  const code = answeredBefore(consent, desk.rt.clock.now());
  if (code === 'CONSENT_EXPIRED' && consent.state === 'pending') await expire(desk, consent);
  return code === undefined ? undefined : refuse(code);
}

async function whyNotAnyMore(desk: AnswerDesk, id: Id): Promise<Refusal | undefined> {
  const now = await desk.rt.db.read('consent-again', (tx) => findConsent(tx, id));
  return now === undefined ? refuse('NOT_FOUND') : whyNot(desk, now);
}

function expire(desk: AnswerDesk, consent: StoredConsent): Promise<boolean> {
  return finish(desk, consent, 'expired', { nowMs: desk.rt.clock.now(), receiptSealed: null });
}

const OVERDUE_MAX = 500;

/**
 * Ends what nobody answered in time. One that fails is left for the next sweep and keeps none of the others back.
 * @returns how many expired with this call
 */
export async function expireConsents(rt: AnswerDesk['rt'], handlers: AnswerHandlers): Promise<number> {
  const overdue = await rt.db.read('overdue-consents', (tx) => overdueConsents(tx, rt.clock.now(), OVERDUE_MAX));
  let expired = 0;
  for (const consent of overdue) {
    try {
      if (await expire({ rt, handlers }, consent)) expired += 1;
    } catch (error) {
      rt.log.error({ event: 'consent-not-expired', consent: consent.id, error: faultOf(error) });
    }
  }
  return expired;
}
