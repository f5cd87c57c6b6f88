import { Pool } from 'undici';
import { assertNoTx } from '../runtime/index.js';

/** An answer that was read whole and is JSON with status 2xx, a refusal (4xx), or nothing that anything may be concluded from. */
export type Reply =
  | { readonly kind: 'answered'; readonly body: unknown }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unanswered'; readonly why: string };

export interface BankHttp {
  /** @throws only when called inside a database transaction */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  close(): Promise<void>;
}

export interface BankHttpOptions {
  readonly bankUrl: string;
  /** For the head of an answer, and again for each silence within its body. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
}

const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/**
 * A connection pool of its own, so that a channel that hangs takes no connection from another. Nothing is sent twice here:
 * whether to repeat is decided where the payment's state is written.
 */
export function openBankHttp({ bankUrl, timeoutMs, connectTimeoutMs }: BankHttpOptions): BankHttp {
  const pool = new Pool(new URL(bankUrl).origin, {
    connections: 8,
    pipelining: 1,
    connect: { timeout: connectTimeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: ANSWER_BYTES_MAX,
  });
  return {
    async call(method, path, body) {
      assertNoTx(`${method} ${path}`);
      try {
        const response = await pool.request({
          method,
          path,
          ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
          // An answer that trickles in is bounded too.
          signal: AbortSignal.timeout(connectTimeoutMs + 2 * timeoutMs),
        });
        const text = await response.body.text();
        return readReply(response.statusCode, text);
      } catch (error) {
        return { kind: 'unanswered', why: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => pool.destroy(),
  };
}

function readReply(status: number, text: string): Reply {
  if (status >= 400 && status < 500) return { kind: 'refused', why: `HTTP ${status}${wordsOf(text)}` };
  if (status < 200 || status > 299) return { kind: 'unanswered', why: `HTTP ${status}${wordsOf(text)}` };
  try {
    return { kind: 'answered', body: JSON.parse(text) };
  } catch {
    return { kind: 'unanswered', why: `not JSON, ${text.length} characters` };
  }
}

/**
 * What is kept of an answer that is none: `why` gets into logs and books, and such an answer may repeat whatever it was asked, payees'
 * names and numbers too. A field `error` in plain English words is told, without numbers as long as an account's; of the rest only how long it is.
 */
function wordsOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string' && /^[\x20-\x7e]{1,200}$/.test(error)) return `: ${error.replace(/[0-9]{7,}/g, '…')}`;
  } catch {
    // Then it has no such field.
  }
  return `, ${text.length} characters`;
}
