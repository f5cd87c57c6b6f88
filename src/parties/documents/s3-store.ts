import { createHash, createHmac } from 'node:crypto';
import { Pool } from 'undici';
import { type Instant, toRfc3339 } from '../../kernel/index.js';
import { assertNoTx } from '../../runtime/index.js';

/** A bucket of an S3-compatible store, and the key of who may use it. */
export interface S3Access {
  /** `https://host[:port]/bucket`, or of a bucket with a host of its own `https://bucket.host`. */
  readonly url: string;
  readonly region: string;
  readonly keyId: string;
  readonly secret: string;
  readonly nowMs: () => number;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

export interface S3Call {
  readonly method: 'GET' | 'PUT';
  readonly host: string;
  /** Of letters, digits, `-`, `_`, `.`, `~` and `/`: nothing of it needs an escape. */
  readonly path: string;
  readonly body: string;
  /** `20130524T000000Z`. */
  readonly at: string;
  /** More headers that are signed, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The headers of a signed request, all in lower case. */
export function signS3(
  { method, host, path, body, at, headers = {} }: S3Call,
  { region, keyId, secret }: Pick<S3Access, 'region' | 'keyId' | 'secret'>,
): Record<string, string> {
  const digest = sha256(body);
  const signed: Record<string, string> = { ...headers, host, 'x-amz-content-sha256': digest, 'x-amz-date': at };
  const names = Object.keys(signed).sort();
  const canonical = [method, path, '', ...names.map((name) => `${name}:${signed[name]}`), '', names.join(';'), digest].join('\n');
  const date = at.slice(0, 8);
  const scope = `${date}/${region}/s3/aws4_request`;
  const key = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${secret}`, date), region));
  const signature = hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${keyId}/${scope},SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { ...signed, authorization };
}

const TIMEOUT_MS = 10_000;

/** Sealed images in a bucket. @throws when the store does not answer, or answers anything but that it did as asked */
export function s3Store(access: S3Access) {
  const { origin, host, pathname } = new URL(access.url);
  const root = pathname.replace(/\/$/, '');
  let pool: Pool | undefined;
  const call = async (method: 'GET' | 'PUT', key: string, body: string) => {
    assertNoTx('a call of the document store');
    pool ??= new Pool(origin, { connections: 4, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS });
    const at = timestamp(access.nowMs());
    const path = `${root}/${key}`;
    const signed = signS3({ method, host, path, body, at }, access);
    const answer = await pool.request({ method, path, headers: signed, body: method === 'PUT' ? body : null });
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  return {
    async put(key: string, sealed: string): Promise<void> {
      const { status } = await call('PUT', key, sealed);
      if (status !== 200) throw new Error(`the document store answered ${status} to a document`);
    },
    async get(key: string): Promise<string | undefined> {
      const { status, text } = await call('GET', key, '');
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the document store answered ${status} to a question`);
      return text;
    },
  };
}

const SHANGHAI_MS = 8 * 3_600_000;

/** In UTC, `20130524T000000Z`: what Shanghai's clocks showed eight hours ago. */
function timestamp(ms: number): string {
  return `${toRfc3339((ms - SHANGHAI_MS) as Instant)
    .slice(0, 19)
    .replace(/[-:]/g, '')}Z`;
}
