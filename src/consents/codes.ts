import { randomInt, timingSafeEqual } from 'node:crypto';
import { type Id, type Instant, type Refusal, refuse } from '../kernel/index.js';
import { customerOf } from '../parties/index.js';
import type { Runtime } from '../runtime/index.js';
import { answeredBefore, CODE_LIFE_MS, CODE_PAUSE_MS, codeText, type Language, type Shown } from './rules.js';
import { queueSms, SMS_KEY } from './sms/send.js';
import { findConsent, noteCode, type StoredConsent } from './store.js';

type CodeRuntime = Pick<Runtime, 'db' | 'vault' | 'clock' | 'newId' | 'bells'>;

/** What is stored of a code: bound to this consent and to what it shows, so that it is good for nothing else. */
function hashCode({ vault }: Pick<Runtime, 'vault'>, { id, digest }: { id: Id; digest: Buffer }, code: string): Buffer {
  return vault.index('sms', `${id}:${digest.toString('hex')}:${code}`);
}

/**
 * Sends a code for one consent to the customer's verified mobile; a code before it is no longer good.
 * @returns why not: SMS_TOO_OFTEN (five times, or within a minute of the last), SMS_NOT_SENT (no mobile is known), or why the consent can
 *   no longer be answered; undefined when the message is on its way
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
  const sent = await db.withTx(
    'send-code',
    async (tx) => {
      const nowMs = clock.now();
      if (!(await noteCode(tx, consent.id, codeHash, nowMs))) return false;
      const expiresMs = Math.min(nowMs + CODE_LIFE_MS, consent.expiresMs) as Instant;
      await queueSms(tx, rt, { mobile, text: codeText(code, brief, language), expiresMs });
      return true;
    },
    async () => {
      const now = await db.read('code-sent', (tx) => findConsent(tx, consent.id));
      return now?.codeHash?.equals(codeHash) ? true : undefined;
    },
  );
  if (!sent) return whyNot(rt, consent.id);
  await rt.bells.ring('send-sms', SMS_KEY).catch(() => undefined); // the sweep rings again
  return undefined;
}

async function whyNot({ db, clock }: CodeRuntime, id: Id): Promise<Refusal> {
  const now = await db.read('code-not-sent', (tx) => findConsent(tx, id));
  const code = now === undefined ? 'NOT_FOUND' : answeredBefore(now, clock.now());
  return refuse(
    code ?? 'SMS_TOO_OFTEN',
    code ? undefined : `At most five codes for one consent, ${CODE_PAUSE_MS / 1000} s apart.`,
  );
}

/** Whether a code was sent and can still be given. */
export function isCodeAlive({ codeHash, codeSentMs }: StoredConsent, nowMs: Instant): boolean {
  return codeHash !== null && codeSentMs !== null && nowMs < codeSentMs + CODE_LIFE_MS;
}

export function isCodeRight(rt: Pick<Runtime, 'vault'>, consent: StoredConsent, code: string): boolean {
  return consent.codeHash !== null && timingSafeEqual(consent.codeHash, hashCode(rt, consent, code));
}
