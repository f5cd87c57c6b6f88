import type { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Id, Refusal, RefusalCode } from '../kernel/index.js';
import type { Tx } from './database.js';

/**
 * A route is data: one declaration drives the router, the parsing of what comes in, the OpenAPI document and the audit trail.
 * Handlers answer, or throw `Refused`; they never touch express.
 */
export type Audience = 'platform' | 'operator' | 'public';

/** What a role may do; which role has which is in `operators/rules.ts`. */
export type Permission =
  | 'platforms.read'
  | 'platforms.write'
  | 'accounts.read'
  | 'instructions.read'
  | 'instructions.write'
  | 'payouts.read'
  | 'payouts.write'
  | 'floats.write'
  | 'days.read'
  | 'days.write'
  | 'clearings.write'
  | 'late-corrections.write'
  | 'breaks.read'
  | 'breaks.write'
  | 'operators.read'
  | 'operators.write'
  | 'audit.read'
  | 'customers.read'
  | 'customers.write'
  | 'freezes.write'
  | 'suspense.write'
  | 'acquirers.write'
  | 'agreements.write'
  | 'reviews.write'
  | 'escrow.write'
  | 'lending.write'
  | 'funds.write'
  | 'supervision.read'
  | 'supervision.write'
  | 'supervision.export'
  | 'wind-downs.write'
  | 'sandbox.write';

/** A platform's server, known by the key that signed. */
export interface PlatformCaller {
  readonly kind: 'platform';
  readonly platformId: Id;
  readonly keyId: string;
}
/** A member of the bank's staff, known by his token. */
export interface OperatorCaller {
  readonly kind: 'operator';
  readonly operatorId: Id;
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
}
export interface PublicCaller {
  readonly kind: 'public';
}

/** What the edge knows of a request before anything of it is believed. */
export interface IncomingRequest {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The Host header. */
  readonly authority: string;
  /** Path and query as they stood in the request line. */
  readonly target: string;
  /** Lower-case names; values of a repeated header joined by `, `. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

interface CallerOf {
  platform: PlatformCaller;
  operator: OperatorCaller;
  public: PublicCaller;
}

export interface RouteRequest<A extends Audience, Params, Query, Body> {
  readonly caller: CallerOf[A];
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Lower-case header names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Also in the X-Request-Id of the answer and in every log line. */
  readonly requestId: string;
  /** The address that the connection came from; a proxy's where there is one. */
  readonly remote: string;
  /** The body as it came, as text; empty when there is none, and where the route takes `bytes`. */
  readonly text: string;
  /** The body as it came. */
  readonly bytes: Buffer;
  /**
   * Only for operator routes that are not GET: the transaction in which the change and its audit entry are committed
   * together. The handler must do all its writing in it.
   */
  readonly tx: A extends 'operator' ? Tx : undefined;
}

/** A page for a browser: whole HTML, in which everything from outside is escaped. It loads nothing and runs nothing. */
export interface Page {
  readonly text: string;
  /** What its one style element holds; the policy that goes with the page lets in no other. */
  readonly style: string;
}

export interface Answer {
  readonly status: number;
  /** JSON, or bytes as they are with their own Content-Type. */
  readonly body?: unknown;
  /** Bytes that are sent as they come, instead of a body, with their own Content-Type. When it fails the connection is cut. */
  readonly stream?: Readable;
  /** A page instead of a body. */
  readonly html?: Page;
  readonly headers?: Readonly<Record<string, string>>;
  /** Operator routes: what the audit entry names, e.g. `platform plt_…`. */
  readonly audit?: { readonly target: string; readonly note?: string };
  /** Runs after the commit of an operator route (bells, for instance). */
  readonly afterCommit?: () => Promise<void>;
}

export interface Route<A extends Audience = Audience, Params = unknown, Query = unknown, Body = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With `{name}` for parameters: `/v1/accounts/{account}`. */
  readonly path: string;
  readonly audience: A;
  readonly permission?: Permission;
  readonly tag: string;
  readonly summary: string;
  readonly summaryZh: string;
  readonly description?: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /**
   * A schema of the JSON body, or `raw` when the handler reads `text` itself (NDJSON); `body` is that text then. `bytes`: no text at all,
   * the handler reads `bytes`.
   */
  readonly body?: z.ZodType<Body> | 'raw' | 'bytes';
  /** Operator routes: the audit trail keeps the size of the body and not what it says, because it names customers. */
  readonly confidential?: boolean;
  /** Operator routes that only read: nothing is shown before an audit entry of it is committed. */
  readonly audited?: boolean;
  /** For `raw` bodies and `bytes`: the schema that documents them and the media types accepted. */
  readonly rawBody?: { readonly schema: z.ZodType; readonly mediaTypes: readonly string[] };
  /** Bytes; 256 KiB when absent. */
  readonly bodyLimit?: number;
  /** Status → schema of the answer. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType }>>;
  /** For what people open in a browser: the page that stands in the place of a problem document. */
  readonly refusalPage?: (
    refusal: Refusal,
    request: { readonly headers: IncomingRequest['headers']; readonly requestId: string },
  ) => Page;
  /** Refusals peculiar to this route, for the document. */
  readonly refusals?: readonly RefusalCode[];
  readonly handle: (request: RouteRequest<A, Params, Query, Body>) => Promise<Answer>;
}

/** Declares a route with its types inferred from its schemas. */
export function route<A extends Audience, Params = unknown, Query = unknown, Body = unknown>(
  definition: Route<A, Params, Query, Body>,
): Route {
  return definition as unknown as Route;
}
