import { X509Certificate } from 'node:crypto';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { Pool } from 'undici';
import { assertNoTx } from '../runtime/index.js';

/** An answer that was read whole with status 2xx, and is JSON where that was asked for; a refusal (4xx); or nothing that anything may be concluded from. */
export type Reply<Body = unknown> =
  | { readonly kind: 'answered'; readonly body: Body }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unanswered'; readonly why: string };

/** An answer of 2xx as it came, or nothing that anything may be concluded from. */
export type RawReply =
  | {
      readonly kind: 'answered';
      readonly text: string;
      readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    }
  | { readonly kind: 'unanswered'; readonly why: string };

export interface BankHttp {
  /** @throws only when called inside a database transaction */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Reply>;
  /** The same of messages that are XML: text goes and text comes. */
  callXml(method: 'GET' | 'POST', path: string, body?: string): Promise<Reply<string>>;
  /** Posts text of another form than JSON. @throws as above */
  post(path: string, body: string, headers: Readonly<Record<string, string>>): Promise<RawReply>;
  /**
   * Gets an answer of any length. Its bytes are read as they are asked for; a connection that is lost, or that says nothing for too long,
   * ends them with an error. @throws as above
   */
  stream(path: string): Promise<Reply<AsyncIterable<Buffer>>>;
  close(): Promise<void>;
}

export interface BankHttpOptions {
  readonly bankUrl: string;
  /** For the head of an answer, and again for each silence within its body. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Certificates in PEM: nobody else is believed to be the other side, whatever the machine trusts. */
  readonly pinned?: readonly string[];
}

const CONNECTIONS = 16;
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** A stream is bounded by the silence within it, and as a whole by this. */
const STREAM_MAX_MS = 3_600_000;

/**
 * A connection pool of its own, so that a channel that hangs takes no connection from another. Nothing is sent twice here:
 * whether to repeat is decided where the payment's state is written.
 */
export function openBankHttp({ bankUrl, timeoutMs, connectTimeoutMs, pinned }: BankHttpOptions): BankHttp {
  const poolOf = (maxResponseSize: number) =>
    new Pool(new URL(bankUrl).origin, {
      connections: CONNECTIONS,
      pipelining: 1,
      connect: { timeout: connectTimeoutMs, ...(pinned === undefined ? {} : pinnedTo(pinned)) },
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      maxResponseSize,
    });
  const pool = poolOf(ANSWER_BYTES_MAX);
  let streams: Pool | undefined;
  const exchange = async (method: 'GET' | 'POST', path: string, sent: { body?: string; headers?: Record<string, string> }) => {
    assertNoTx(`${method} ${path}`);
    try {
      // An answer that trickles in is bounded too.
      const signal = AbortSignal.timeout(connectTimeoutMs + 2 * timeoutMs);
      const { statusCode, headers, body } = await pool.request({ method, path, ...sent, signal });
      return { status: statusCode, headers, text: await body.text() };
    } catch (error) {
      return { why: whyUnanswered(error) };
    }
  };
  const send = async <Body>({ method, path, body, type }: Sent, read: (text: string) => Reply<Body>): Promise<Reply<Body>> => {
    const answer = await exchange(method, path, body === undefined ? {} : { body, headers: { 'content-type': type } });
    if (answer.why !== undefined) return { kind: 'unanswered', why: answer.why };
    return faultOfStatus(answer.status, answer.text) ?? read(answer.text);
  };
  return {
    call: (method, path, body) =>
      send({ method, path, body: body === undefined ? undefined : JSON.stringify(body), type: 'application/json' }, readJson),
    callXml: (method, path, body) =>
      send({ method, path, body, type: 'application/xml; charset=utf-8' }, (text) => ({ kind: 'answered', body: text })),
    async post(path, body, headers) {
      const answer = await exchange('POST', path, { body, headers: { ...headers } });
      if (answer.why !== undefined) return { kind: 'unanswered', why: answer.why };
      const { status, text } = answer;
      if (status < 200 || status > 299) return { kind: 'unanswered', why: `HTTP ${status}${wordsOf(text)}` };
      return { kind: 'answered', text, headers: answer.headers };
    },
    async stream(path) {
      assertNoTx(`GET ${path}`);
      streams ??= poolOf(-1);
      try {
        const signal = AbortSignal.timeout(STREAM_MAX_MS);
        const { statusCode, body } = await streams.request({ method: 'GET', path, signal });
        if (statusCode >= 200 && statusCode <= 299) return { kind: 'answered', body };
        const text = (await body.text()).slice(0, WORDS_MAX);
        return faultOfStatus(statusCode, text) as Reply<never>;
      } catch (error) {
        return { kind: 'unanswered', why: error instanceof Error ? error.message : String(error) };
      }
    },
    close: async () => void (await Promise.all([pool.destroy(), streams?.destroy()])),
  };
}

/** What is looked at of an answer that is no stream. */
const WORDS_MAX = 64 * 1024;

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | undefined;
  readonly type: string;
}

const WHY: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped before its end',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too long',
  UND_ERR_SOCKET: 'the connection was lost',
  ECONNRESET: 'the connection was lost',
  ECONNREFUSED: 'nobody listens there',
};

/** People read this as the reason of a payout: what happened, and not what a package calls it. */
function whyUnanswered(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no whole answer in time';
  return WHY[(error as NodeJS.ErrnoException).code ?? ''] ?? error.message;
}

/** A pinned certificate is the other side's own, whatever name it bears, or that of its authority; then the name has to fit. */
function pinnedTo(pinned: readonly string[]) {
  const own = new Set(pinned.map((pem) => new X509Certificate(pem).fingerprint256));
  return {
    ca: [...pinned],
    checkServerIdentity: (host: string, certificate: PeerCertificate) =>
      own.has(certificate.fingerprint256) ? undefined : checkServerIdentity(host, certificate),
  };
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
