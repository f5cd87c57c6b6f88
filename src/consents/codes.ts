import { randomInt, timingSafeEqual } from 'node:crypto';
import { type BusinessDate, type Id, type Instant, naturalDate, type Refusal, Refused, refuse } from '../kernel/index.js';
import { customerOf } from '../parties/index.js';
import { loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { wrongCodesOn } from './credentials/store.js';
import { answeredBefore, CODE_LIFE_MS, CODE_PAUSE_MS, codeText, type Language, type Shown } from './rules.js';
import { queueSms, SMS_KEY } from './sms/send.js';
import { type CodeMessageCaps, countCodeMessage } from './sms/store.js';
import { findConsent, noteCode, type StoredConsent } from './store.js';

type CodeRuntime = Pick<Runtime, 'db' | 'vault' | 'clock' | 'newId' | 'bells'>;

/** How often, by the dated parameters of a natural day. */
export interface CodeLimits {
  /** Wrong codes of a customer, over all that he is asked. */
  readonly wrong: number;
  /** Messages with codes to a mobile number. */
  readonly messages: CodeMessageCaps;
}

export async function codeLimits(tx: Tx, today: BusinessDate): Promise<CodeLimits> {
  const parameters = await loadParameters(tx);
  const on = (name: string) => Number(parameters.on(today, name));
  const messages = { day: on('code.sms-per-day'), window: on('code.sms-per-ten-minutes') };
  return { wrong: on('code.wrong-per-day'), messages };
}

/** Whether no code is taken from this customer any more on this natural day. */
export async function isCodeLocked(tx: Tx, customerId: Id, today: BusinessDate): Promise<boolean> {
  return (await wrongCodesOn(tx, customerId, today)) >= (await codeLimits(tx, today)).wrong;
}

/** The blind index of the mobile number under which the customer is reached now; undefined where none is known. */
export async function mobileIndexOf(tx: Tx, customerId: Id, vault: Runtime['vault']): Promise<Buffer | undefined> {
  const mobile = (await customerOf(tx, customerId, vault))?.mobile;
  return mobile == null ? undefined : vault.index('mobile', mobile);
}

/** What is stored of a code: bound to this consent and to what it shows, so that it is good for nothing else. */
function hashCode({ vault }: Pick<Runtime, 'vault'>, { id, digest }: { id: Id; digest: Buffer }, code: string): Buffer {
  return vault.index('sms', `${id}:${digest.toString('hex')}:${code}`);
}

/**
 * Sends a code for one consent to the customer's verified mobile; a code before it is no longer good.
 * @returns why not: SMS_TOO_OFTEN (five times, or within a minute of the last; with the field `mobile`: the number had enough, today or
 *   in ten minutes, whoever asked), CODE_LOCKED (no code would be taken today), SMS_NOT_SENT (no mobile is known), or why the consent can no
 *   longer be answered; undefined when the message is on its way
 */
export async function sendCode(rt: CodeRuntime, consent: StoredConsent, language: Language): Promise<Refusal | undefined> {
  const { db, vault, clock } = rt;
  if (consent.needs === 'password') return refuse('NOT_FOUND', 'No code belongs to this consent.');
  const customer = await db.read('asked-customer', (tx) => customerOf(tx, consent.customerId, vault));
  const mobile = customer?.mobile;
  if (mobile == null) return refuse('SMS_NOT_SENT', 'No mobile number of the customer is known.');
  const { brief } = JSON.parse(vault.open(consent.shownSealed)) as Shown;
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const codeHash = hashCode(rt, consent, code);
  const mobileIndex = vault.index('mobile', mobile);
  const work = db.withTx(
    'send-code',
    async (tx) => {
      const nowMs = clock.now();
      if (!(await noteCode(tx, consent.id, { codeHash, mobileIndex, nowMs }))) return false;
      const refused = await countMessage(tx, consent.customerId, mobileIndex, nowMs);
      if (refused !== undefined) throw new Refused(refused); // undoes what was noted
      const expiresMs = Math.min(nowMs + CODE_LIFE_MS, consent.expiresMs) as Instant;
      await queueSms(tx, rt, { mobile, text: codeText(code, brief, language), expiresMs });
      return true;
    },
    async () => {
      const now = await db.read('code-sent', (tx) => findConsent(tx, consent.id));
      return now?.codeHash?.equals(codeHash) ? true : undefined;
    },
  );
  const sent = await work.catch((error: unknown) => {
    if (error instanceof Refused) return error.refusal;
    throw error;
  });
  if (sent === false) return whyNot(rt, consent.id);
  if (sent !== true) return sent;
  await rt.bells.ring('send-sms', SMS_KEY).catch(() => undefined); // the sweep rings again
  return undefined;
}

/** Counts a message to the number, whichever of his questions it is for. */
async function countMessage(tx: Tx, customerId: Id, mobileIndex: Buffer, nowMs: Instant): Promise<Refusal | undefined> {
  const today = naturalDate(nowMs);
  const { wrong, messages } = await codeLimits(tx, today);
  if ((await wrongCodesOn(tx, customerId, today)) >= wrong) return refuse('CODE_LOCKED');
  const enough = await countCodeMessage(tx, mobileIndex, { today, nowMs }, messages);
  if (enough === undefined) return undefined;
  const span = { day: 'a day', window: 'ten minutes' }[enough];
  return refuse('SMS_TOO_OFTEN', `At most ${messages[enough]} codes to one mobile number in ${span}.`, { mobile: enough });
}

async function whyNot({ db, clock }: CodeRuntime, id: Id): Promise<Refusal> {
  const now = await db.read('code-not-sent', (tx) => findConsent(tx, id));
  const code = now === undefined ? 'NOT_FOUND' : answeredBefore(now, clock.now());
  return refuse(
    code ?? 'SMS_TOO_OFTEN',
    code ? undefined : `At most five codes for one consent, ${CODE_PAUSE_MS / 1000} s apart.`,
  );
}

/** Whether the code went to the number under which the customer is reached now. */
export function isCodeToPresentMobile({ codeMobileIndex }: StoredConsent, mobileIndex: Buffer | undefined): boolean {
  return codeMobileIndex !== null && mobileIndex !== undefined && codeMobileIndex.equals(mobileIndex);
}

/** Whether a code was sent to the number under which the customer is reached now, and can still be given. */
export function isCodeAlive(consent: StoredConsent, mobileIndex: Buffer | undefined, nowMs: Instant): boolean {
  const { codeHash, codeSentMs } = consent;
  if (codeHash === null || codeSentMs === null) return false;
  return nowMs < codeSentMs + CODE_LIFE_MS && isCodeToPresentMobile(consent, mobileIndex);
}

export function isCodeRight(rt: Pick<Runtime, 'vault'>, consent: StoredConsent, code: string): boolean {
  return consent.codeHash !== null && timingSafeEqual(consent.codeHash, hashCode(rt, consent, code));
}
