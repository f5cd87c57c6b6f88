import type { KeyObject } from 'node:crypto';
import { Pool } from 'undici';
import { signRequest } from '../../src/platforms/index.js';

/** How long calls took, by what they were for. */
export class Stopwatch {
  readonly #spent = new Map<string, { calls: number; ms: number }>();

  async measure<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const spent = this.#spent.get(what) ?? { calls: 0, ms: 0 };
      this.#spent.set(what, { calls: spent.calls + 1, ms: spent.ms + performance.now() - startedAt });
    }
  }

  /** What took longest comes first. */
  list(): { readonly what: string; readonly calls: number; readonly ms: number }[] {
    return [...this.#spent].map(([what, spent]) => ({ what, ...spent })).sort((a, b) => b.ms - a.ms);
  }
}

type Method = 'GET' | 'POST' | 'PUT';

export interface Call {
  readonly method: Method;
  readonly path: string;
  /** An object goes out as JSON, text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it counts for in the stopwatch. */
  readonly what: string;
  /** The code of a refusal that is as good an answer as any. */
  readonly orRefused?: string;
  /** Whatever the refusal, it is an answer. */
  readonly refusalsToo?: boolean;
  /** The answer is no JSON. */
  readonly asText?: boolean;
}

/** One server, over connections that stay open. */
export interface Client {
  readonly url: string;
  /** @returns the body of an answer of status 2xx, or of `orRefused`. @throws Error with the answer of any other */
  call(call: Call): Promise<unknown>;
  close(): Promise<void>;
}

type Sign = (parts: { method: Method; url: string; body: string | undefined }) => Readonly<Record<string, string>>;

export function openClient(url: string, watch: Stopwatch, sign: Sign = () => ({})): Client {
  const pool = new Pool(url, { connections: 8, pipelining: 1, headersTimeout: 120_000, bodyTimeout: 120_000 });
  return {
    url,
    call: ({ method, path, body, headers, what, orRefused, refusalsToo, asText }) =>
      watch.measure(what, async () => {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const response = await pool.request({
          method,
          path,
          ...(text === undefined ? {} : { body: text }),
          headers: {
            ...(text === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
            ...sign({ method, url: url + path, body: text }),
          },
        });
        const answer = await response.body.text();
        const isRefused = response.statusCode >= 300;
        if (
          isRefused &&
          !(refusalsToo && answer.includes('"code":"')) &&
          !(orRefused !== undefined && answer.includes(`"code":"${orRefused}"`))
        )
          throw new Error(`${method} ${path} was answered with ${response.statusCode}: ${answer}`);
        if (asText) return answer;
        return answer === '' ? undefined : JSON.parse(answer);
      }),
    close: () => pool.destroy(),
  };
}

/** Signs as the platform that owns this key (RFC 9421). */
export function signAs({ keyId, privateKey }: { readonly keyId: string; readonly privateKey: KeyObject | string }): Sign {
  return ({ method, url, body }) => signRequest({ method, url, body, keyId, privateKey, now: Date.now() });
}

/** Goes by the token of an operator. */
export function bearer(token: string): Sign {
  return () => ({ authorization: `Bearer ${token}` });
}

/** All items of a list, page by page. @param path with or without a query */
export async function readAll<Item>(client: Client, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = `limit=500${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const full = `${path}${path.includes('?') ? '&' : '?'}${query}`;
    const page = (await client.call({ method: 'GET', path: full, what: 'reading' })) as { items: Item[]; next: string | null };
    items.push(...page.items);
    cursor = page.next;
  }
  return items;
}

/** Does the work for every item, so many at once, and answers in the order of the items. */
export async function together<Item, Done>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Done>,
): Promise<Done[]> {
  const done: Done[] = [];
  const rest = items.entries();
  const one = async () => {
    for (const [place, item] of rest) done[place] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return done;
}
