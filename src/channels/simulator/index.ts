import type { IncomingMessage, ServerResponse } from 'node:http';
import { Bank, type BankOptions } from './bank.js';
import { type Parsed, RawAnswer, Rejected } from './call.js';
import { draw } from './chance.js';
import { openDoor } from './door.js';
import { createPostman } from './postman.js';
import { ROUTES, toJson } from './routes.js';

export interface StartBankOptions extends BankOptions {
  /** The address to listen on; the loopback when absent. */
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly log?: (event: string, fields: Record<string, unknown>) => void;
}

export interface RunningBank {
  readonly url: string;
  readonly bank: Bank;
  /** Waits until every notice that is due was sent and answered, or not. */
  notices(): Promise<void>;
  /** Drops what is under way and forgets everything. */
  stop(): Promise<void>;
}

type Log = NonNullable<StartBankOptions['log']>;
const BODY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Starts the bank simulator, on the loopback unless told otherwise: core bank, every channel,
 * verification and SMS, with faults on demand. It decides nothing by the real clock and nothing by unseeded chance.
 */
export async function startBank({
  host = '127.0.0.1',
  port,
  log = () => undefined,
  ...options
}: StartBankOptions): Promise<RunningBank> {
  const bank = new Bank(options);
  const timers = new Set<NodeJS.Timeout>();
  const postman = createPostman(bank, log);
  const door = await openDoor({ host, port, bank, log }, (request, response) => {
    handle(bank, timers, log, request, response)
      .catch((error: unknown) => {
        log('bank.fault', { error: String(error) });
        if (!response.headersSent) send(response, 500, toJson({ error: String(error) }));
      })
      .finally(() => postman.deliver());
  });
  return {
    url: door.url,
    bank,
    notices: () => postman.delivered(),
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([door.close(), postman.stop()]);
    },
  };
}

async function handle(
  bank: Bank,
  timers: Set<NodeJS.Timeout>,
  log: Log,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let parsed: Parsed;
  try {
    parsed = await parse(bank, request);
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    return send(response, error.status, toJson({ error: error.message }));
  }
  const befallen = parsed.point === undefined ? undefined : bank.faults.ofCall(parsed.point);
  if (befallen !== undefined) log('bank.fault-injected', { ...befallen, ...parsed.point, keys: parsed.point?.keys.slice(0, 3) });
  if (befallen?.fault === 'not-received') return void request.socket.destroy();
  if (befallen?.fault === 'half-open') return;
  if (befallen?.fault === 'maintenance') return send(response, 503, toJson({ error: 'under maintenance' }));
  const { status, body, garbled, headers } = run(parsed, bank.faults.seed);
  switch (befallen?.fault) {
    case 'lost-answer':
      return void request.socket.destroy();
    case 'garbage':
      return send(response, 200, garbled, headers);
    case 'corrupt':
      return send(response, status, body.replace(/"digest":"[0-9a-f]{8}/, '"digest":"00000000'));
    case 'late': {
      const timer = setTimeout(() => {
        timers.delete(timer);
        send(response, status, body, headers);
      }, befallen.ms);
      timers.add(timer);
      return;
    }
    default:
      return send(response, status, body, headers);
  }
}

async function parse(bank: Bank, request: IncomingMessage): Promise<Parsed> {
  const url = new URL(request.url ?? '/', 'http://bank');
  const text = await readBody(request);
  for (const { method, path, takesText, parse: parseCall } of ROUTES) {
    const match = path.exec(url.pathname);
    if (match === null || method !== request.method) continue;
    const query = Object.fromEntries(url.searchParams);
    const body = takesText === true ? undefined : parseJson(text);
    return parseCall({ bank, path: match.slice(1), query, body, text, headers: request.headers });
  }
  throw new Rejected(404, 'no such path');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Rejected(413, 'body too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Rejected(400, 'body is not JSON');
  }
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };

interface Answer {
  readonly status: number;
  readonly body: string;
  /** The same when nobody can read it. */
  readonly garbled: string;
  readonly headers: Readonly<Record<string, string>>;
}

function run(parsed: Parsed, seed: number): Answer {
  try {
    const answer = parsed.run();
    const [body, headers] = answer instanceof RawAnswer ? [answer.text, answer.headers] : [toJson(answer), JSON_HEADERS];
    const forms = (answer instanceof RawAnswer ? answer.garbled : undefined) ?? garbledJson(body);
    return { status: 200, body, headers, garbled: forms[Math.floor(draw(seed, `garbage|${body}`) * forms.length)] as string };
  } catch (error) {
    if (!(error instanceof Rejected)) throw error;
    const body = toJson({ error: error.message });
    return { status: error.status, headers: JSON_HEADERS, body, garbled: body.slice(0, body.length / 2) };
  }
}

/** An answer that nobody can read: cut off, of another system, or JSON of another shape. */
function garbledJson(body: string): string[] {
  return [body.slice(0, body.length / 2), '<html><body>Bad gateway</body></html>', '{"answers":"none","items":7,"lines":null}'];
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = JSON_HEADERS,
): void {
  if (response.destroyed) return; // the caller gave up
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

export type { Bank } from './bank.js';
export type { Books } from './books.js';
export type { FaultPlan, FaultRule } from './faults.js';
