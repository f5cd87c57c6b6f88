import { Pool } from 'undici';
import { assertNoTx } from '../runtime/index.js';

/** An answer that was read whole with status 2xx, and is JSON where that was asked for; a refusal (4xx); or nothing that anything may be concluded from. */
export type Reply<Body = unknown> =
  | { readonly kind: 'answered'; readonly body: Body }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unanswered'; readonly why: string };

export interface BankHttp {
  /** @throws only when called inside a database transaction */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  /** The same of messages that are XML: text goes and text comes. */
  callXml(method: 'GET' | 'POST', path: string, body?: string): Promise<Reply<string>>;
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
  const send = async <Body>({ method, path, body, type }: Sent, read: (text: string) => Reply<Body>): Promise<Reply<Body>> => {
    assertNoTx(`${method} ${path}`);
    try {
      const response = await pool.request({
        method,
        path,
        ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
        // An answer that trickles in is bounded too.
        signal: AbortSignal.timeout(connectTimeoutMs + 2 * timeoutMs),
      });
      const text = await response.body.text();
      return faultOfStatus(response.statusCode, text) ?? read(text);
    } catch (error) {
      return { kind: 'unanswered', why: error instanceof Error ? error.message : String(error) };
    }
  };
  return {
    call: (method, path, body) =>
      send({ method, path, body: body === undefined ? undefined : JSON.stringify(body), type: 'application/json' }, readJson),
    callXml: (method, path, body) =>
      send({ method, path, body, type: 'application/xml; charset=utf-8' }, (text) => ({ kind: 'answered', body: text })),
    close: () => pool.destroy(),
  };
}

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
  readonly type: string;
}

function faultOfStatus(status: number, text: string): Reply<never> | undefined {
  if (status >= 400 && status < 500) return { kind: 'refused', why: `HTTP ${status}${wordsOf(text)}` };
  return status < 200 || status > 299 ? { kind: 'unanswered', why: `HTTP ${status}${wordsOf(text)}` } : undefined;
}

function readJson(text: string): Reply {
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
