import type { z } from 'zod';
import type { BankHttp, Reply } from './http.js';
import {
  BATCH_MAX,
  BankUnreachable,
  type Channel,
  type ChannelAnswer,
  type ChannelCode,
  hasFloat,
  type PaymentOrder,
} from './port.js';
import { faultOfOrder } from './rules.js';
import { AnswersMessage, FloatMessage, NEWS_MAX, NewsMessage, QueryAnswer, SubmitAnswer } from './wire.js';

/** The adapter of a channel that takes JSON over HTTP under `/<code>`. */
export function httpChannel(code: ChannelCode, http: BankHttp): Channel {
  return {
    code,
    async submit(orders) {
      const answers = new Map<PaymentOrder, ChannelAnswer>();
      const sound: PaymentOrder[] = [];
      for (const order of orders) {
        const fault = faultOfOrder(code, order);
        if (fault === undefined) sound.push(order);
        else answers.set(order, { messageNo: order.messageNo, ...fault });
      }
      for (const batch of inBatches(sound)) {
        const reply = await http.call('POST', `/${code}/payments`, { orders: batch.map(toMessage) });
        const said = readAnswers(
          reply,
          SubmitAnswer,
          batch.map((order) => order.messageNo),
        );
        for (const [at, order] of batch.entries()) answers.set(order, said[at] as ChannelAnswer);
      }
      return orders.map((order) => answers.get(order) as ChannelAnswer);
    },
    async query(messageNos) {
      const answers: ChannelAnswer[] = [];
      for (const batch of inBatches(messageNos)) {
        const reply = await http.call('POST', `/${code}/queries`, { messageNos: batch });
        answers.push(...readAnswers(reply, QueryAnswer, batch));
      }
      return answers;
    },
    async news(after, limit) {
      const what = `news of ${code} after '${after}'`;
      const query = new URLSearchParams({ after, limit: String(Math.min(limit, NEWS_MAX)) });
      const reply = await http.call('GET', `/${code}/news?${query}`);
      if (reply.kind !== 'answered') throw new BankUnreachable(what, reply.why);
      // One item that cannot be read stops the whole page: to step over it would be to lose it.
      const page = NewsMessage.safeParse(reply.body);
      if (!page.success) throw new BankUnreachable(what, page.error.message);
      return page.data;
    },
    async float() {
      if (!hasFloat(code)) return undefined;
      const reply = await http.call('GET', `/${code}/float`);
      const float = FloatMessage.safeParse(reply.kind === 'answered' ? reply.body : undefined);
      if (!float.success)
        throw new BankUnreachable(`float of ${code}`, reply.kind === 'answered' ? float.error.message : reply.why);
      return float.data.available;
    },
  };
}

function* inBatches<T>(items: readonly T[]): Generator<T[]> {
  for (let from = 0; from < items.length; from += BATCH_MAX) yield items.slice(from, from + BATCH_MAX);
}

function toMessage(order: PaymentOrder) {
  return {
    messageNo: order.messageNo,
    custodyNo: order.custodyNo,
    amount: order.amount.toString(),
    payeeName: order.payeeName,
    payeeAccount: order.payeeAccount,
    payeeBank: order.payeeBank,
    businessDate: order.businessDate,
    remark: order.remark,
  };
}

/**
 * Matches answers by message number, whatever their order. A number without an answer, or with two that contradict each other,
 * is unknown. A 4xx is unknown as well: it says that this call was refused, not what an earlier one under the number did.
 */
function readAnswers(reply: Reply, schema: z.ZodType<ChannelAnswer>, messageNos: readonly string[]): ChannelAnswer[] {
  const unknown = (messageNo: string, reason: string): ChannelAnswer => ({ messageNo, status: 'unknown', reason });
  if (reply.kind !== 'answered') return messageNos.map((messageNo) => unknown(messageNo, reply.why));
  const envelope = AnswersMessage.safeParse(reply.body);
  if (!envelope.success) return messageNos.map((messageNo) => unknown(messageNo, 'garbage: no list of answers'));
  const said = new Map<string, ChannelAnswer>();
  for (const item of envelope.data.answers) {
    const answer = schema.safeParse(item);
    if (!answer.success) continue;
    const before = said.get(answer.data.messageNo);
    const contradicts = before !== undefined && before.status !== answer.data.status;
    said.set(
      answer.data.messageNo,
      contradicts ? unknown(answer.data.messageNo, 'two answers contradict each other') : answer.data,
    );
  }
  return messageNos.map((messageNo) => said.get(messageNo) ?? unknown(messageNo, 'no readable answer for this payment'));
}
