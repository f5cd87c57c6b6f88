import type { SmsGateway } from '../../channels/index.js';
import type { Id, Instant } from '../../kernel/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { claimSms, type DueSms, dueSms, endSms, insertSms } from './store.js';

/** The bell of waiting messages; there is one place to look. */
export const SMS_KEY = 'all';

export interface Message {
  readonly mobile: string;
  readonly text: string;
  /** From when on it would be of no use: it is dropped then. */
  readonly expiresMs: Instant;
}

/**
 * Writes a message to a customer, sealed, for a worker to send. The caller commits, and rings `send-sms` then; the sweep rings too.
 * @returns its message number
 */
export async function queueSms(tx: Tx, rt: Pick<Runtime, 'newId' | 'clock' | 'vault'>, message: Message): Promise<Id> {
  const id = rt.newId();
  await insertSms(tx, {
    id,
    mobileSealed: rt.vault.seal(message.mobile),
    textSealed: rt.vault.seal(message.text),
    expiresMs: message.expiresMs,
    createdMs: rt.clock.now(),
  });
  return id;
}

const BATCH_MAX = 20;
const RETRY_MS = [2_000, 5_000, 15_000, 30_000, 60_000] as const;

type SendRuntime = Pick<Runtime, 'db' | 'clock' | 'vault'>;

/**
 * Hands waiting messages to the gateway, each under its one number: that it is being sent is committed before the call, and a call
 * without an answer is repeated as it was. Answers how many were looked at.
 */
export async function sendSms(rt: SendRuntime, gateway: SmsGateway): Promise<number> {
  for (let looked = 0; ; ) {
    const due = await rt.db.read('sms-due', (tx) => dueSms(tx, rt.clock.now(), BATCH_MAX));
    await Promise.all(due.map((sms) => sendOne(rt, gateway, sms)));
    looked += due.length;
    if (due.length < BATCH_MAX) return looked;
  }
}

async function sendOne(rt: SendRuntime, gateway: SmsGateway, sms: DueSms): Promise<void> {
  const nowMs = rt.clock.now();
  if (nowMs >= sms.expiresMs) return end(rt, sms.id, 'dropped');
  const pause = RETRY_MS[Math.min(sms.attempts, RETRY_MS.length - 1)] as number;
  const claimed = await rt.db.withTx(
    'claim-sms',
    (tx) => claimSms(tx, sms, (nowMs + pause) as Instant),
    async () => undefined, // claimed by us or not: run again, it says no, and the message is due again after the pause
  );
  if (!claimed) return;
  const { vault } = rt;
  const result = await gateway.send({
    messageNo: sms.id,
    mobile: vault.open(sms.mobileSealed),
    text: vault.open(sms.textSealed),
  });
  if (result !== 'unanswered') await end(rt, sms.id, result);
}

function end(rt: SendRuntime, id: Id, state: 'sent' | 'refused' | 'dropped'): Promise<void> {
  return rt.db.withTx(
    'end-sms',
    (tx) => endSms(tx, id, state, rt.clock.now()),
    async () => undefined, // it changes nothing the second time
  );
}
