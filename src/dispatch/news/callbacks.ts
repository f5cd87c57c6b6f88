import { z } from 'zod';
import { CALLBACK_PATH, type PeerKeys, PSP_SIGNATURE_HEADER, readNotification, settingsOf } from '../../channels/index.js';
import { asId, Refused, refuse } from '../../kernel/index.js';
import { askSoon, findPayout, isUnderWay } from '../../payouts/index.js';
import { type Route, type Runtime, route } from '../../runtime/index.js';

const BODY_BYTES_MAX = 16_384;
const PAYOUT_ID = /^[1-9][0-9]{18}$/;

/**
 * Where the payment institution tells results. What it tells is a hint and moves nothing: the payout becomes due for a question, and the
 * answer to that question counts. So one that comes twice, late or of a payout that is final changes nothing, and is answered `success` as
 * well, or it would come again for a day.
 */
export function pspCallbackRoute(rt: Runtime): Route {
  let keys: PeerKeys | undefined;
  return route({
    audience: 'public',
    tag: 'Payouts',
    method: 'POST',
    path: CALLBACK_PATH,
    summary: 'A payment institution tells that a payment has a result; it is asked, and its answer counts',
    summaryZh: '支付机构结果通知（仅作查询触发）',
    description: `Signed: \`${PSP_SIGNATURE_HEADER}: keyId=…,timestamp=…,nonce=…,signature=…\` over purpose, time, nonce and the body's bytes.`,
    body: 'bytes',
    rawBody: {
      schema: z.strictObject({ product: z.enum(['payout', 'collection']), outTradeNo: z.string(), status: z.string() }),
      mediaTypes: ['application/json'],
    },
    bodyLimit: BODY_BYTES_MAX,
    answers: { 200: { description: '`success` as plain text' } },
    refusals: ['SIGNATURE_INVALID', 'BODY_MALFORMED', 'NOT_FOUND'],
    handle: async ({ bytes, headers }) => {
      keys ??= settingsOf(rt.config).psp.peerKeys;
      const told = readNotification(headers[PSP_SIGNATURE_HEADER], bytes, keys);
      if (told === 'unsigned') throw new Refused(refuse('SIGNATURE_INVALID', 'The institution did not sign this body.'));
      if (told === 'unreadable') throw new Refused(refuse('BODY_MALFORMED', 'This is no notification of a result.'));
      const payout = PAYOUT_ID.test(told.messageNo)
        ? await rt.db.read('payout-of-callback', (tx) => findPayout(tx, asId(told.messageNo)))
        : undefined;
      if (payout === undefined || payout.channel !== told.code) throw new Refused(refuse('NOT_FOUND'));
      if (payout.state !== 'created' && isUnderWay(payout.state)) {
        await rt.db.withTx('ask-after-callback', (tx) => askSoon(tx, payout.id, rt.clock.now()).then(() => true));
        await rt.bells.ring('poll-payouts', String(payout.shardId));
      }
      return { status: 200, body: Buffer.from('success'), headers: { 'Content-Type': 'text/plain; charset=utf-8' } };
    },
  });
}
