/**
 * Winds up a platform that stops or has vanished, and shows how far it is; through the API, as the member of staff whose token it is given.
 *
 *   npx cunguan wind-down --platform plt_… --reason TEXT [--orders-back-on DATE] [--moves-to KEY]   one person proposes it
 *   npx cunguan wind-down --platform plt_… --approve | --reject NOTE                               another decides
 *   npx cunguan wind-down --platform plt_… [--again | --close]                                     how it stands; another round; the end
 *   npx cunguan wind-down --platform plt_… --report FILE                                           the signed report, for `npx cunguan verify`
 *
 * CUNGUAN_URL is the address of the API (http://127.0.0.1:8080 when it is not set), CUNGUAN_TOKEN the token.
 */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { REPORT_FILE } from '../src/winding-up/report-form.js';
import { readOptions, readPlatform, runCommand, Wrong } from './books.js';

const USAGE =
  'usage: npx cunguan wind-down --platform plt_… [--reason TEXT [--orders-back-on DATE] [--moves-to KEY] | --approve | --reject NOTE | --again | --close | --report FILE]';

type Call = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<Record<string, unknown>>;

function caller(platform: string): Call {
  const token = process.env.CUNGUAN_TOKEN;
  if (token === undefined) throw new Wrong('CUNGUAN_TOKEN is not set: the token of a member of staff');
  const base = new URL(`/admin/v1/platforms/${platform}/wind-down`, process.env.CUNGUAN_URL ?? 'http://127.0.0.1:8080');
  return async (method, path, body) => {
    const answer = await fetch(`${base.href}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new Wrong(`${base.origin} does not answer: ${error.message}`);
    });
    const text = await answer.text();
    const value = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    if (!answer.ok) throw new Wrong(`${String(value.code ?? answer.status)}: ${String(value.detail ?? value.title ?? text)}`);
    return value;
  };
}

async function reportTo(call: Call, file: string): Promise<Record<string, unknown>> {
  const { report: number } = await call('GET', '');
  if (number === 0) throw new Wrong('there is no report yet: the wind-down is not settled');
  const report = await call('GET', `/reports/${String(number)}`);
  const lines: unknown[] = [];
  for (let after: unknown = -1; after !== null; ) {
    const page = await call('GET', `/reports/${String(number)}/lines?after=${String(after)}`);
    lines.push(...(page.lines as unknown[]));
    after = page.next;
  }
  writeFileSync(resolve(process.env.INIT_CWD ?? '.', file), `${JSON.stringify({ version: REPORT_FILE, report, lines })}\n`);
  return { report: number, lines: lines.length };
}

async function main(): Promise<number> {
  const [text, flag] = [{ type: 'string' } as const, { type: 'boolean' } as const];
  const of = readOptions(
    {
      platform: text,
      reason: text,
      'orders-back-on': text,
      'moves-to': text,
      approve: flag,
      reject: text,
      again: flag,
      close: flag,
      report: text,
    },
    USAGE,
  );
  if (of.platform === undefined) throw new Wrong(USAGE);
  readPlatform(of.platform, USAGE);
  const call = caller(of.platform);
  const answer = await act(call, of);
  process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  return 0;
}

interface Asked {
  readonly [name: string]: string | boolean | undefined;
}

function act(call: Call, of: Asked): Promise<Record<string, unknown>> {
  if (of.approve) return call('POST', '/approve');
  if (typeof of.reject === 'string') return call('POST', '/reject', { note: of.reject });
  if (of.again) return call('POST', '/rounds');
  if (of.close) return call('POST', '/close');
  if (typeof of.report === 'string') return reportTo(call, of.report);
  if (typeof of.reason !== 'string') return call('GET', '');
  const back = of['orders-back-on'];
  const to = of['moves-to'];
  return call('POST', '', {
    reason: of.reason,
    ...(back === undefined ? {} : { ordersBackOn: back }),
    ...(to === undefined ? {} : { movesTo: to }),
  });
}

await runCommand(main);
