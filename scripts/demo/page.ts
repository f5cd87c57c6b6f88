import { request } from 'undici';
import type { Client } from './http.js';

interface Around {
  readonly bank: Client;
  readonly platform: Client;
  readonly mobile: string;
  /** What the time counts for in the stopwatch. */
  readonly what?: string;
}

const WHAT = 'the customer';
const CODE_MS = 60_000;

/** A customer in front of a page that the bank hosts: reads it, asks for the code, fills in the form. */
export class Page {
  readonly #url: string;
  readonly #around: Around;

  /** @param url as the service told it */
  constructor(url: string, around: Around) {
    this.#url = url;
    this.#around = around;
  }

  async #read(): Promise<string> {
    const { statusCode, body } = await request(this.#url);
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`The page answered with ${statusCode}: ${text.slice(0, 200)}`);
    return text;
  }

  async #submit(path: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const { statusCode, body } = await request(this.#url + path, {
      method: 'POST',
      ...(path === ''
        ? { body: new URLSearchParams(fields).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } }
        : {}),
    });
    const text = await body.text();
    if (statusCode !== 303) throw new Error(`The form was answered with ${statusCode}: ${text.slice(0, 200)}`);
  }

  /** Asks for a code, and reads it on the phone. */
  async code(): Promise<string> {
    const before = (await this.#messages()).length;
    await this.#submit('/code', {});
    for (const until = performance.now() + CODE_MS; performance.now() < until; ) {
      const messages = await this.#messages();
      const code = messages.length > before ? /(?<!\d)\d{6}(?!\d)/.exec(messages.at(-1) as string)?.[0] : undefined;
      if (code !== undefined) return code;
      await new Promise((resume) => setTimeout(resume, 20));
    }
    throw new Error('No code came within a minute.');
  }

  async #messages(): Promise<string[]> {
    const path = `/sandbox/sms?mobile=${this.#around.mobile}`;
    const { items } = (await this.#around.bank.call({ method: 'GET', path, what: this.#around.what ?? WHAT })) as {
      items: readonly { text: string }[];
    };
    return items.map(({ text }) => text);
  }

  /** Says yes with whatever the page has fields for. */
  async approveWith(password: string): Promise<void> {
    const page = await this.#read();
    await this.approve({
      ...(page.includes('name="password"') ? { password } : {}),
      ...(page.includes('name="code"') ? { code: await this.code() } : {}),
    });
  }

  /** @returns `given` when the page then says that it is done */
  async approve(fields: Readonly<Record<string, string>>): Promise<string> {
    await this.#submit('', { answer: 'approve', ...fields });
    const after = await this.#read();
    if (after.includes('name="answer"')) throw new Error('The page asks again: the answer was not taken.');
    return 'given';
  }
}
