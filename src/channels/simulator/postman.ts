import { Agent } from 'undici';
import { sandboxSide } from '../keys.js';
import { NOTIFICATION_PURPOSE } from '../psp/psp-channel.js';
import { SIGNATURE_HEADER, signatureHeader } from '../psp/signed-json.js';
import type { Bank } from './bank.js';
import type { Notice } from './notices.js';

export interface Postman {
  /** Sends what is due, without waiting for it. */
  deliver(): void;
  /** When all that was due is sent, and answered or not. */
  delivered(): Promise<void>;
  stop(): Promise<void>;
}

const ANSWER_MS = 5_000;

/** Carries the payment institution's notices to whoever is to hear of a result. */
export function createPostman(bank: Bank, log: (event: string, fields: Record<string, unknown>) => void): Postman {
  const agent = new Agent({ connect: { timeout: ANSWER_MS }, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS });
  const underWay = new Set<Promise<void>>();
  const carry = async (notice: Notice) => {
    const wasHeard = await sendNotice(agent, notice, bank.nowMs()).catch((error: unknown) => {
      log('bank.notice-unheard', { outTradeNo: notice.outTradeNo, error: String(error) });
      return false;
    });
    bank.notices.note(notice, wasHeard, bank.nowMs());
  };
  const deliver = () => {
    for (const notice of bank.notices.takeDue(bank.nowMs())) {
      const carried = carry(notice).finally(() => underWay.delete(carried));
      underWay.add(carried);
    }
  };
  return {
    deliver,
    async delivered() {
      deliver();
      while (underWay.size > 0) await Promise.all(underWay);
    },
    stop: () => agent.destroy(),
  };
}

async function sendNotice(agent: Agent, notice: Notice, nowMs: number): Promise<boolean> {
  const { url, product, outTradeNo, status } = notice;
  const body = Buffer.from(JSON.stringify({ product, outTradeNo, status: NOTICE_STATUSES[status] ?? status }), 'utf8');
  const nonce = `${outTradeNo}-${notice.attempts + 1}`;
  const header = signatureHeader(
    { purpose: NOTIFICATION_PURPOSE, nonce, body },
    Math.floor(nowMs / 1_000),
    sandboxSide('theirs').psp,
  );
  const { origin, pathname, search } = new URL(url);
  const answer = await agent.request({
    ...{ origin, path: `${pathname}${search}`, method: 'POST', body },
    headers: { 'content-type': 'application/json', [SIGNATURE_HEADER]: header },
    signal: AbortSignal.timeout(2 * ANSWER_MS),
  });
  const text = await answer.body.text();
  return answer.statusCode === 200 && text.trim() === 'success';
}

const NOTICE_STATUSES: Readonly<Record<string, string>> = {
  ...{ settled: 'SUCCESS', failed: 'FAILED', refused: 'REJECTED', 'not-now': 'DEFERRED' },
};
