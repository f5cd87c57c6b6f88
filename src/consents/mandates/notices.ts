import { type Id, type Instant, naturalDate } from '../../kernel/index.js';
import { customerOf } from '../../parties/index.js';
import { readPlatform } from '../../platforms/index.js';
import { faultOf, loadParameters, type Runtime, type Tx } from '../../runtime/index.js';
import { queueSms, SMS_KEY } from '../sms/send.js';
import { linkToMandates } from './mandates.js';
import { shownTime } from './shown.js';
import { findMandate, mandatesToNotice, markNoticed } from './store.js';

type NoticeRuntime = Pick<Runtime, 'db' | 'clock' | 'vault' | 'newId' | 'config' | 'bells' | 'log'>;

const BATCH_MAX = 100;
const DAY_MS = 86_400_000;

/**
 * Tells customers by SMS that a mandate of theirs ends in so many days (`mandate.notice-days`), each once: that it was told and the
 * message are one commit. Answers how many were told.
 */
export async function noticeMandates(rt: NoticeRuntime): Promise<number> {
  const { db, clock, bells, log } = rt;
  const nowMs = clock.now();
  const due = await db.read('mandates-to-notice', async (tx) => {
    const days = Number((await loadParameters(tx)).on(naturalDate(nowMs), 'mandate.notice-days'));
    return mandatesToNotice(tx, nowMs, (nowMs + days * DAY_MS) as Instant, BATCH_MAX);
  });
  let told = 0;
  for (const id of due) {
    const was = await db.withTx(
      'notice-mandate',
      (tx) => noticeOne(tx, rt, id, nowMs),
      async () => undefined, // told by us or not: run again, it is told once
    );
    if (was) told += 1;
  }
  if (told > 0) {
    await bells.ring('send-sms', SMS_KEY).catch((error: unknown) => log.warn({ event: 'bell-unheard', error: faultOf(error) })); // the sweep rings again
  }
  return told;
}

async function noticeOne(tx: Tx, rt: NoticeRuntime, id: Id, nowMs: Instant): Promise<boolean> {
  const mandate = await findMandate(tx, id);
  if (mandate === undefined || !(await markNoticed(tx, id, nowMs))) return false;
  const customer = await customerOf(tx, mandate.customerId, rt.vault);
  if (customer?.mobile == null) return true; // he has no mobile: there is nobody to tell
  const platform = (await readPlatform(tx, mandate.platformId))?.name ?? '';
  // In his own mobile the address shows all that is his.
  const url = await linkToMandates(tx, rt, { customerId: mandate.customerId, platformId: null, expiresMs: mandate.expiresMs });
  const text =
    `【存管】您对${platform}的扣款授权（编号${mandate.mandateNo}）将于${shownTime(mandate.expiresMs)}到期，到期后平台不能再据此扣款。` +
    `查看或撤销：${url}`;
  await queueSms(tx, rt, { mobile: customer.mobile, text, expiresMs: mandate.expiresMs });
  return true;
}
