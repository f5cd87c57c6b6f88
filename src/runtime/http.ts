import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import { invariant, REFUSALS, type Refusal, Refused, refuse } from '../kernel/index.js';
import { newRequestId } from './crypto.js';
import { mountDocs } from './docs-page.js';
import { healthRoutes } from './health.js';
import { faultOf } from './log.js';
import { openApiOf, strictnessFaults } from './openapi.js';
import { sendPage } from './page.js';
import { sendProblem } from './problem.js';
import type { Route } from './route.js';
import type { Runtime } from './runtime.js';
import { type HttpParts, headersOf, serve } from './serve.js';

export type { AuditTrail } from './serve.js';

/**
 * The app: one handler for every route, made from its declaration; besides them /health/live, /health/ready, /metrics,
 * /openapi.json and /docs.
 * @throws when two routes claim the same place, an operator route names no permission, or a request schema lets unknown
 * fields pass: such an app must not start
 */
export function createHttpApp(parts: HttpParts): Express {
  const routes = [...healthRoutes(parts.runtime), ...parts.routes];
  const faults = strictnessFaults(routes);
  invariant(faults.length === 0, `schemas refuse unknown fields: ${faults.join('; ')}`);
  const app = express();
  app.set('strict routing', true);
  app.set('case sensitive routing', true);
  app.set('etag', false);
  app.set('query parser', false);
  app.disable('x-powered-by');
  app.use(watch(parts.runtime));
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] } },
      crossOriginResourcePolicy: { policy: 'same-origin' },
    }),
  );
  for (const [path, group] of byPath(routes)) mountPath(app, parts, path, group);
  app.get('/metrics', async (_request, response) => {
    const { registry } = parts.runtime.metrics;
    response.type(registry.contentType).end(await registry.metrics());
  });
  mountDocs(app, openApiOf(routes));
  app.use(() => {
    throw new Refused(refuse('NOT_FOUND', 'There is no such path.'));
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    answerError(error, request, response, parts.runtime),
  );
  return app;
}

function mountPath(app: Express, parts: HttpParts, path: string, routes: readonly Route[]): void {
  const template = path.replaceAll(/\{(\w+)\}/g, ':$1');
  for (const route of routes) app[METHODS[route.method]](template, (request, response) => serve(parts, route, request, response));
  const allowed = routes.flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method])).join(', ');
  app.all(template, (_request, response) => {
    response.setHeader('Allow', allowed);
    throw new Refused(refuse('METHOD_NOT_ALLOWED', `Allowed: ${allowed}.`));
  });
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put', DELETE: 'delete' } as const;

/** Routes of one path together, and paths with fixed words before those with a parameter in the same place. */
function byPath(routes: readonly Route[]): [string, Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const group = groups.get(route.path) ?? [];
    invariant(!group.some((other) => other.method === route.method), `two routes for ${route.method} ${route.path}`);
    invariant(route.audience !== 'operator' || route.permission, `${route.method} ${route.path} names a permission`);
    groups.set(route.path, [...group, route]);
  }
  const rank = (path: string) => path.replaceAll('{', '\uffff');
  return [...groups].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
}

/** Numbers, times and logs every request. */
function watch({ log, metrics }: Runtime) {
  return (request: Request, response: Response, next: NextFunction) => {
    const requestId = newRequestId();
    const started = process.hrtime.bigint();
    response.locals.requestId = requestId;
    response.setHeader('X-Request-Id', requestId);
    response.once('close', () => {
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      const path = (response.locals.template as string | undefined) ?? 'none';
      const labels = { method: request.method, path, status: String(response.statusCode) };
      metrics.httpSeconds.observe(labels, seconds);
      const { code, callerId } = response.locals as { code?: string; callerId?: string };
      const ms = Math.round(seconds * 1e4) / 10;
      log.info({
        event: 'http',
        requestId,
        method: request.method,
        path,
        status: response.statusCode,
        code,
        callerId,
        ms,
        finished: response.writableFinished,
      });
    });
    next();
  };
}

function answerError(error: unknown, request: Request, response: Response, { log }: Runtime): void {
  const requestId = response.locals.requestId as string;
  const refusal = refusalOf(error);
  response.locals.code = refusal.code;
  if (refusal.code === 'FAULT')
    log.error({ event: 'fault', requestId, method: request.method, path: response.locals.template, error: faultOf(error) });
  const { route } = response.locals as { route?: Route };
  if (route?.refusalPage === undefined || response.headersSent) {
    sendProblem(response, refusal, requestId);
  } else {
    const page = route.refusalPage(refusal, { headers: headersOf(request), requestId });
    sendPage(response, REFUSALS[refusal.code].http, page);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  // A path with a broken percent escape names nothing.
  if (error instanceof URIError || (error as { name?: string } | null)?.name === 'URIError')
    return refuse('NOT_FOUND', 'The path is not well-formed.');
  return refuse('FAULT');
}

export interface Listening {
  readonly url: string;
  /** Stops accepting, lets requests under way finish until the deadline, then cuts what is left. */
  stop(deadlineMs?: number): Promise<void>;
}

export async function listen(app: Express, { host, port }: { host: string; port: number }): Promise<Listening> {
  const server: Server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, keepAliveTimeout: 30_000 }, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${name}:${address.port}`, stop: (deadlineMs = 10_000) => stop(server, deadlineMs) };
}

async function stop(server: Server, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  // A connection kept alive becomes idle when its answer is out; close() alone would wait for the client to leave.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  const cut = setTimeout(() => server.closeAllConnections(), deadlineMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
