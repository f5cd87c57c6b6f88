import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { REFUSALS, type Refusal, type RefusalCode } from '../kernel/index.js';

/** Refusals as problem details (RFC 9457). One shape for every "no", whichever part said it. */
export const problemSchema = z
  .looseObject({
    type: z.string().meta({ example: 'urn:cunguan:refusal:FUNDS_INSUFFICIENT' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(Object.keys(REFUSALS) as [RefusalCode, ...RefusalCode[]]),
    zh: z.string().meta({ description: 'The title in Chinese' }),
    retry: z.enum(['same-number', 'new-number', 'never']).meta({
      description:
        'same-number: send it again unchanged later; new-number: mend it and send it under another number; never: neither helps',
    }),
    actor: z.enum(['caller', 'bank', 'platform-operator', 'nobody']).meta({ description: 'Who has to act' }),
    moneyMoved: z.literal(false).meta({ description: 'A refusal never moves money' }),
    instance: z.string().meta({ description: 'The request id, also in X-Request-Id' }),
    errors: z
      .array(z.strictObject({ in: z.enum(['body', 'query', 'path']), pointer: z.string(), detail: z.string() }))
      .optional()
      .meta({ description: 'Every fault of the shape, each with a JSON pointer' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457)' });
export type Problem = z.infer<typeof problemSchema>;

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const entry = REFUSALS[refusal.code];
  return {
    ...refusal.fields,
    type: `urn:cunguan:refusal:${refusal.code}`,
    title: entry.en,
    status: entry.http,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    code: refusal.code,
    zh: entry.zh,
    retry: entry.retry,
    actor: entry.actor,
    moneyMoved: false,
    instance: `urn:cunguan:request:${requestId}`,
  };
}

const CHALLENGES: Partial<Record<RefusalCode, string>> = { TOKEN_INVALID: 'Bearer realm="cunguan"' };

/** Writes the refusal; nothing when an answer is already under way. */
export function sendProblem(response: ServerResponse, refusal: Refusal, requestId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem = problemOf(refusal, requestId);
  response.statusCode = problem.status;
  response.setHeader('Content-Type', 'application/problem+json');
  response.setHeader('Cache-Control', 'no-store');
  const challenge = CHALLENGES[refusal.code];
  if (challenge) response.setHeader('WWW-Authenticate', challenge);
  if (problem.status === 503 || problem.status === 429) response.setHeader('Retry-After', '1');
  response.end(toJson(problem));
}

/** JSON with amounts as integers; an amount beyond the wire range is a fault, not a rounded number. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'bigint') return inner;
    const number = Number(inner);
    if (!Number.isSafeInteger(number)) throw new Error('an amount in an answer is beyond the wire range');
    return number;
  });
}
