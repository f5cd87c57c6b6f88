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
  const short = text.slice(0, 200);
  if (status >= 400 && status < 500) return { kind: 'refused', why: `HTTP ${status}: ${short}` };
  if (status < 200 || status > 299) return { kind: 'unanswered', why: `HTTP ${status}: ${short}` };
  try {
    return { kind: 'answered', body: JSON.parse(text) };
  } catch {
    return { kind: 'unanswered', why: `not JSON: ${short}` };
  }
}
