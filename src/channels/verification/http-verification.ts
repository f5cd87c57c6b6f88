import type { z } from 'zod';
import type { BankHttp } from '../http.js';
import { OTHER_CONTENT } from '../port.js';
import type { SmsGateway, Verification } from './verification.js';
import { ElementsReply, IdentityReply, SmsReply, TrialInflowReply, TrialPaymentReply } from './wire.js';

const UNANSWERED = { result: 'unanswered' } as const;

/** The adapter of verification that takes JSON over HTTP under `/verification`. */
export function httpVerification(http: BankHttp): Verification {
  return {
    async checkIdentity({ idType, idNo, name }) {
      return (await ask(http, '/verification/identity', { idType, idNo, name }, IdentityReply)) ?? UNANSWERED;
    },
    async checkElements({ idType, idNo, name, mobile, account, bankCode }) {
      const message = { idType, idNo, name, mobile, account, bankCode };
      return (await ask(http, '/verification/elements', message, ElementsReply)) ?? UNANSWERED;
    },
    async payTrial({ messageNo, name, account, bankCode, amount }) {
      const message = { messageNo, name, account, bankCode, amount: amount.toString() };
      const reply = await ask(http, '/verification/trial-payments', message, TrialPaymentReply);
      // Under a number that carried another payment before, only this call was refused.
      if (reply?.messageNo !== messageNo || reply.reason === OTHER_CONTENT) return UNANSWERED;
      return reply.reason === undefined ? { result: reply.result } : { result: reply.result, reason: reply.reason };
    },
    async findTrialInflow({ account, amount, reference }) {
      const message = { account, amount: amount.toString(), reference };
      return (await ask(http, '/verification/trial-inflows', message, TrialInflowReply)) ?? UNANSWERED;
    },
  };
}

/** The adapter of the SMS gateway that takes JSON over HTTP under `/sms`. */
export function httpSmsGateway(http: BankHttp): SmsGateway {
  return {
    async send({ messageNo, mobile, text }) {
      const reply = await ask(http, '/sms/messages', { messageNo, mobile, text }, SmsReply);
      if (reply?.messageNo !== messageNo || reply.reason === OTHER_CONTENT) return 'unanswered';
      return reply.result;
    },
  };
}

/** An answer that can be read in full, or undefined. A 4xx says that this call was refused, and nothing of the matter itself. */
async function ask<T>(http: BankHttp, path: string, message: unknown, schema: z.ZodType<T>): Promise<T | undefined> {
  const reply = await http.call('POST', path, message);
  if (reply.kind !== 'answered') return undefined;
  const parsed = schema.safeParse(reply.body);
  return parsed.success ? parsed.data : undefined;
}
