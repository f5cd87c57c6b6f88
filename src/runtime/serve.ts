import { pipeline, type Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { Refused, refuse } from '../kernel/index.js';
import { BODY_LIMIT_DEFAULT, checkMediaType, readBody } from './body.js';
import type { Tx } from './database.js';
import { decodeUtf8, shapeInvalid } from './json.js';
import { faultOf, withoutSecrets } from './log.js';
import { sendPage } from './page.js';
import { toJson } from './problem.js';
import type { Answer, IncomingRequest, OperatorCaller, PlatformCaller, PublicCaller, Route, RouteRequest } from './route.js';
import type { Runtime } from './runtime.js';
import { type Shaped, shape, shapeJson } from './shape.js';

/** What the audit trail keeps of one attempt of an operator to change something. */
export interface AuditEntry {
  readonly requestId: string;
  readonly operatorId: OperatorCaller['operatorId'];
  /** Permission, method and path template. */
  readonly action: string;
  readonly target: string;
  /** Sealed JSON of the parameters and the body without secrets. */
  readonly detail: string;
  /** `done`, or the code of the refusal. */
  readonly outcome: string;
}

export interface AuditTrail {
  append(tx: Tx, entry: AuditEntry): Promise<void>;
  /** Whether an entry of this request with outcome `done` is committed. */
  isDone(tx: Tx, requestId: string): Promise<boolean>;
}

export interface HttpParts {
  readonly routes: readonly Route[];
  readonly authenticate: {
    readonly platform: (request: IncomingRequest) => Promise<PlatformCaller>;
    readonly operator: (request: IncomingRequest) => Promise<OperatorCaller>;
  };
  readonly audit: AuditTrail;
  readonly runtime: Runtime;
}

type Caller = PlatformCaller | OperatorCaller | PublicCaller;
type AnyRequest = RouteRequest<'platform' | 'operator' | 'public', unknown, unknown, unknown>;

/** One request from the raw bytes to the answer: read, authenticate, check permission and shape, handle, write. */
export async function serve(parts: HttpParts, route: Route, request: Request, response: Response): Promise<void> {
  const requestId = response.locals.requestId as string;
  response.locals.template = route.path;
  response.locals.route = route;
  const incoming: IncomingRequest = {
    method: request.method,
    scheme: request.headers['x-forwarded-proto'] === 'https' ? 'https' : 'http', // only names what was signed; grants nothing
    authority: request.headers.host ?? '',
    target: request.originalUrl,
    headers: headersOf(request),
    body: await readBody(request, response, route.bodyLimit ?? BODY_LIMIT_DEFAULT),
  };
  const caller = await authenticate(parts, route, incoming);
  response.locals.callerId = callerId(caller);
  const log = parts.runtime.log.child({ requestId, callerId: callerId(caller) });
  const remote = request.socket.remoteAddress ?? '';
  const attempt = { parts, route, incoming, rawParams: request.params, caller, requestId, remote, log };
  const answer =
    caller.kind === 'operator' && route.method !== 'GET'
      ? await change(attempt, caller)
      : caller.kind === 'operator' && route.audited === true
        ? await look(attempt, caller)
        : await route.handle(parse(attempt) as never);
  // What was committed stands, whatever becomes of the bells after it.
  await answer.afterCommit?.().catch((error: unknown) => log.error({ event: 'after-commit-failed', error: faultOf(error) }));
  send(response, answer);
}

export function headersOf(request: Request): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}

function callerId(caller: Caller): string {
  if (caller.kind === 'platform') return `plt_${caller.platformId}`;
  return caller.kind === 'operator' ? `opr_${caller.operatorId}` : 'public';
}

function authenticate({ authenticate: by }: HttpParts, route: Route, incoming: IncomingRequest): Promise<Caller> {
  if (route.audience === 'platform') return by.platform(incoming);
  if (route.audience === 'operator') return by.operator(incoming);
  return Promise.resolve({ kind: 'public' });
}

interface Attempt {
  readonly parts: HttpParts;
  readonly route: Route;
  readonly incoming: IncomingRequest;
  readonly rawParams: Record<string, unknown>;
  readonly caller: Caller;
  readonly requestId: string;
  readonly remote: string;
  readonly log: Runtime['log'];
}

const NOTHING = z.strictObject({});

/** Checks the permission, then the shape of everything that came; all faults are told at once. */
function parse(attempt: Attempt): AnyRequest {
  const { route, incoming, caller, requestId, log } = attempt;
  if (caller.kind === 'operator' && !(route.permission && caller.permissions.has(route.permission))) {
    throw new Refused(refuse('PERMISSION_DENIED', `Needs the permission ${route.permission}.`));
  }
  const text = route.body === 'bytes' ? '' : decodeUtf8(incoming.body);
  const params = shape(route.params ?? NOTHING, { ...attempt.rawParams }, 'path');
  const query = shape(route.query ?? NOTHING, queryOf(incoming.target), 'query');
  const body = parseBody(route, incoming, text);
  if (params.faults || query.faults || body.faults) {
    throw shapeInvalid([params, query, body].flatMap((part) => part.faults ?? []));
  }
  return {
    ...{ caller, params: params.value, query: query.value, body: body.value },
    ...{ headers: incoming.headers, requestId, remote: attempt.remote, log, text, bytes: incoming.body, tx: undefined },
  } as unknown as AnyRequest;
}

function parseBody(route: Route, incoming: IncomingRequest, text: string): Shaped<unknown> {
  if (route.body === undefined) {
    // Many clients send `{}` where they have nothing to say.
    return /^\s*(\{\s*\})?\s*$/.test(text)
      ? { value: undefined }
      : { faults: [{ in: 'body', pointer: '', detail: 'this path takes no body, or {}' }] };
  }
  if (route.body === 'raw' || route.body === 'bytes') {
    checkMediaType(incoming.headers['content-type'], route.rawBody?.mediaTypes ?? []);
    return { value: text };
  }
  // Where there is no body it is no question of its media type: whoever forgot it is told which fields are missing.
  if (text === '') return shapeJson(route.body, '{}');
  checkMediaType(incoming.headers['content-type'], ['application/json']);
  return shapeJson(route.body, text);
}

/** A field that comes twice becomes a list, which only a schema that wants a list accepts. */
function queryOf(target: string): Record<string, string | string[]> {
  const start = target.indexOf('?');
  const fields: Record<string, string | string[]> = Object.create(null);
  if (start < 0) return fields;
  for (const [name, value] of new URLSearchParams(target.slice(start + 1))) {
    const before = fields[name];
    fields[name] = before === undefined ? value : [before, value].flat();
  }
  return fields;
}

/**
 * An operator's change: handler and audit entry in one database transaction. A refused attempt leaves an entry of its own.
 * Where the connection is lost at COMMIT, the audit entry tells whether the change was made.
 */
async function change(attempt: Attempt, caller: OperatorCaller): Promise<Answer> {
  const { parts, route, requestId } = attempt;
  const { db } = parts.runtime;
  const entryOf = entriesOf(attempt, caller);
  let last: Answer | undefined;
  try {
    const request = parse(attempt);
    return await db.withTx(
      `${route.method} ${route.path}`,
      async (tx) => {
        const answer = await route.handle({ ...request, tx } as never);
        await parts.audit.append(tx, entryOf('done', answer.audit?.target, answer.audit?.note));
        last = answer;
        return answer;
      },
      async () => ((await db.read('audit', (tx) => parts.audit.isDone(tx, requestId))) ? last : undefined),
    );
  } catch (error) {
    await recordRefused(attempt, caller, error);
    throw error;
  }
}

/** An operator's look at what is not for everybody: answered only after its audit entry is committed. */
async function look(attempt: Attempt, caller: OperatorCaller): Promise<Answer> {
  const { parts, route } = attempt;
  try {
    const answer = await route.handle(parse(attempt) as never);
    const entry = entriesOf(attempt, caller)('done', answer.audit?.target, answer.audit?.note);
    await parts.runtime.db.withTx('audit look', (tx) => parts.audit.append(tx, entry));
    return answer;
  } catch (error) {
    await recordRefused(attempt, caller, error);
    throw error;
  }
}

function entriesOf(attempt: Attempt, caller: OperatorCaller) {
  const { parts, route, requestId } = attempt;
  return (outcome: string, target?: string, note?: string): AuditEntry => ({
    requestId,
    operatorId: caller.operatorId,
    action: `${route.permission} ${route.method} ${route.path}`,
    // Of an address only the path: what stands behind it was not checked when an attempt is refused.
    target: (target ?? attempt.incoming.target.replace(/\?.*$/s, '')).slice(0, 200),
    detail: parts.runtime.vault.seal(detailOf(attempt, note)),
    outcome,
  });
}

async function recordRefused(attempt: Attempt, caller: OperatorCaller, error: unknown): Promise<void> {
  const { parts, log } = attempt;
  const outcome = error instanceof Refused ? error.refusal.code : 'FAULT';
  const entry = entriesOf(attempt, caller)(outcome);
  const record = parts.runtime.db.withTx('audit refused attempt', (tx) => parts.audit.append(tx, entry));
  // When even the entry cannot be written, the first error is the one to tell.
  await record.catch((failure: unknown) => log.error({ event: 'audit-failed', error: faultOf(failure) }));
}

const DETAIL_MAX = 60_000; // bytes: enough for what staff gives by hand, not for whole lists

function detailOf({ route, incoming, rawParams }: Attempt, note?: string): string {
  if (route.confidential === true)
    return JSON.stringify({ params: rawParams, body: `${incoming.body.length} bytes, not kept`, note });
  let body: unknown;
  try {
    body = incoming.body.length === 0 ? undefined : withoutSecrets(JSON.parse(incoming.body.toString('utf8')));
  } catch {
    body = `${incoming.body.length} bytes that are not JSON`;
  }
  const detail = JSON.stringify({ params: rawParams, body, note });
  return Buffer.byteLength(detail) <= DETAIL_MAX
    ? detail
    : JSON.stringify({ params: rawParams, body: `${incoming.body.length} bytes`, note });
}

function send(response: Response, answer: Answer): void {
  if (answer.html !== undefined) {
    sendPage(response, answer.status, answer.html, answer.headers);
    return;
  }
  if (answer.stream !== undefined) {
    sendStream(response, answer, answer.stream);
    return;
  }
  const text = answer.body === undefined || Buffer.isBuffer(answer.body) ? answer.body : toJson(answer.body);
  response.statusCode = answer.status;
  response.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (text !== undefined && !response.hasHeader('Content-Type'))
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.end(text);
}

/** The status line is out before the last byte is known: where the bytes fail, the connection is cut, so that nobody takes a part for the whole. */
function sendStream(response: Response, { status, headers = {} }: Answer, stream: Readable): void {
  response.statusCode = status;
  response.setHeader('Cache-Control', 'no-store');
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  pipeline(stream, response, () => undefined); // destroys both ends when either fails
}
