import { z } from 'zod';
import { REFUSALS, type RefusalCode } from '../kernel/index.js';
import { problemOf, problemSchema } from './problem.js';
import type { Audience, Route } from './route.js';
import { hasOnlyOptional } from './shape.js';

/** The OpenAPI 3.1 document, made from the same declarations that drive the router: it cannot say what the code does not. */
type Json = Record<string, unknown>;

export interface OpenApiDocument extends Json {
  readonly paths: Record<string, Record<string, Json>>;
  readonly components: { schemas: Record<string, Json>; responses: Record<string, Json>; securitySchemes: Record<string, Json> };
}

type Side = 'input' | 'output';

/** JSON Schema of the wire form. A transform's wire form is what it reads, in answers too: handlers send that form back. */
function jsonSchemaOf(schema: z.ZodType, side: Side): Json {
  return z.toJSONSchema(schema, {
    io: side,
    unrepresentable: ({ zodSchema }) => (zodSchema._zod.def.type === 'transform' ? 'any' : 'throw'),
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (side === 'output' && def.type === 'pipe' && (def as z.core.$ZodPipeDef).out._zod.def.type === 'transform') {
        const { $schema: _, ...wire } = jsonSchemaOf((def as z.core.$ZodPipeDef).in as z.ZodType, 'input');
        for (const [key, value] of Object.entries(wire)) (jsonSchema as Json)[key] ??= value;
      }
    },
  }) as Json;
}

class Components {
  readonly schemas: Record<string, Json> = {};

  /** Moves named parts to the components and returns the schema with references to them. */
  hoist(schema: z.ZodType, side: Side): Json {
    const { $schema: _, $defs, id, ...own } = jsonSchemaOf(schema, side) as Json & { $defs?: Record<string, Json>; id?: string };
    const names = new Map<string, string>();
    for (const [name, part] of Object.entries($defs ?? {})) names.set(name, this.nameFor(name, part, side));
    for (const [name, part] of Object.entries($defs ?? {})) this.schemas[names.get(name) as string] ??= renamed(part, names);
    if (id === undefined) return renamed(own, names);
    const name = this.nameFor(id, own, side);
    this.schemas[name] ??= renamed(own, names);
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A part whose two sides differ stands under two names. */
  private nameFor(name: string, part: Json, side: Side): string {
    const known = this.texts.get(name);
    const text = JSON.stringify(part);
    if (known === undefined || known === text) {
      this.texts.set(name, text);
      return name;
    }
    const other = `${name}${side === 'input' ? 'Input' : 'Output'}`;
    return other === name ? name : this.nameFor(other, part, side);
  }

  private readonly texts = new Map<string, string>();
}

function renamed(value: Json, names: ReadonlyMap<string, string>): Json {
  return JSON.parse(JSON.stringify(value), (key, inner: unknown) => {
    const match = key === '$ref' && typeof inner === 'string' ? /^#\/\$defs\/(.+)$/.exec(inner) : null;
    return match ? `#/components/schemas/${names.get(match[1] as string) ?? match[1]}` : inner;
  }) as Json;
}

const ALWAYS: readonly RefusalCode[] = ['SHAPE_INVALID', 'NOT_FOUND', 'FAULT'];
const WITH_BODY: readonly RefusalCode[] = ['BODY_TOO_LARGE', 'BODY_MALFORMED', 'MEDIA_TYPE_UNSUPPORTED'];
const BY_AUDIENCE: Record<Audience, readonly RefusalCode[]> = {
  platform: [
    'SIGNATURE_MISSING',
    'SIGNATURE_MALFORMED',
    'SIGNATURE_INVALID',
    'SIGNATURE_EXPIRED',
    'SIGNATURE_REPLAYED',
    'KEY_UNKNOWN',
    'DIGEST_MISMATCH',
    'PLATFORM_SUSPENDED',
    'OVERLOADED',
  ],
  operator: ['TOKEN_INVALID', 'PERMISSION_DENIED'],
  public: [],
};
const SECURITY: Record<Audience, Json[]> = {
  platform: [{ platformSignature: [] }],
  operator: [{ operatorToken: [] }],
  public: [],
};

/** Every code that a route can answer with. */
export function refusalsOf(route: Route): RefusalCode[] {
  if (route.audience === 'public') return [...(route.refusals ?? [])];
  return [...new Set([...ALWAYS, ...(route.body ? WITH_BODY : []), ...BY_AUDIENCE[route.audience], ...(route.refusals ?? [])])];
}

function problemAnswers(codes: readonly RefusalCode[]): Record<string, Json> {
  const byStatus = new Map<number, RefusalCode[]>();
  for (const code of codes) byStatus.set(REFUSALS[code].http, [...(byStatus.get(REFUSALS[code].http) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `\`${code}\` ${REFUSALS[code].en}`).join('\n\n'),
        content: {
          'application/problem+json': {
            schema: { allOf: [{ $ref: '#/components/schemas/Problem' }, { properties: { code: { enum: group } } }] },
            examples: Object.fromEntries(group.map((code) => [code, { value: problemOf({ code }, '0f3a') }])),
          },
        },
      },
    ]),
  );
}

const PAGE: Json = { 'text/html': { schema: { type: 'string' } } };

/** Where people look, a refusal is a page. */
function refusalPages(codes: readonly RefusalCode[]): Record<string, Json> {
  const answers = Object.entries(problemAnswers(codes));
  return Object.fromEntries(answers.map(([status, { description }]) => [status, { description, content: PAGE }]));
}

function parametersOf(route: Route, components: Components): Json[] {
  return (['params', 'query'] as const).flatMap((part) => {
    const schema = route[part];
    if (schema === undefined) return [];
    const { required = [] } = jsonSchemaOf(schema, 'input') as { required?: string[] };
    return Object.entries((schema as unknown as z.ZodObject<Record<string, z.ZodType>>).shape).map(([name, field]) => {
      const { description, ...own } = components.hoist(field, 'input');
      return {
        name,
        in: part === 'params' ? 'path' : 'query',
        required: part === 'params' || required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema: own,
      };
    });
  });
}

function bodyOf(route: Route, components: Components): Json | undefined {
  if (route.body === undefined) return undefined;
  const schema = typeof route.body === 'string' ? route.rawBody?.schema : route.body;
  const types = typeof route.body === 'string' ? (route.rawBody?.mediaTypes ?? []) : ['application/json'];
  const json = schema ? components.hoist(schema, 'input') : {};
  const required = typeof route.body === 'string' || !hasOnlyOptional(route.body);
  return { required, content: Object.fromEntries(types.map((type) => [type, { schema: json }])) };
}

/** `GET /v1/accounts/{account}` → `getV1AccountsByAccount`. */
export function operationId(route: Pick<Route, 'method' | 'path'>): string {
  const words = route.path.split(/[/.-]/).filter(Boolean);
  const name = words.map((word) => (word.startsWith('{') ? `By${upper(word.slice(1, -1))}` : upper(word))).join('');
  return route.method.toLowerCase() + name;
}

function upper(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function operationOf(route: Route, components: Components): Json {
  const answers = Object.fromEntries(
    Object.entries(route.answers).map(([status, { description, schema }]) => [
      status,
      {
        description,
        ...(schema ? { content: { 'application/json': { schema: components.hoist(schema, 'output') } } } : {}),
        ...(route.refusalPage && status === '200' ? { content: PAGE } : {}),
      },
    ]),
  );
  const permission = route.permission ? `Permission: \`${route.permission}\`.` : '';
  const requestBody = bodyOf(route, components);
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: `${route.summary} · ${route.summaryZh}`,
    description: [route.description, permission].filter(Boolean).join('\n\n'),
    security: SECURITY[route.audience],
    parameters: parametersOf(route, components),
    ...(requestBody ? { requestBody } : {}),
    responses: { ...(route.refusalPage ? refusalPages(refusalsOf(route)) : problemAnswers(refusalsOf(route))), ...answers },
  };
}

export function openApiOf(routes: readonly Route[]): OpenApiDocument {
  const components = new Components();
  components.hoist(problemSchema, 'output');
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cunguan · 存管',
      version: '1',
      description:
        "The bank's side of keeping the money of other people's platforms. Amounts are integers of minor units (fen). " +
        'Every refusal is a problem document (RFC 9457) with a code of a closed catalogue; no refusal moves money.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: components.schemas, responses: {}, securitySchemes: SECURITY_SCHEMES },
  };
}

const SECURITY_SCHEMES: Record<string, Json> = {
  platformSignature: {
    type: 'apiKey',
    in: 'header',
    name: 'Signature',
    description:
      'HTTP message signature (RFC 9421) with `ed25519` or `rsa-pss-sha512`. `Signature-Input` covers `"@method"` and ' +
      '`"@target-uri"` (or `"@authority" "@path" "@query"`), and with a body `"content-digest"` (RFC 9530, sha-256 or sha-512). ' +
      'Parameters: `created` (within five minutes), `keyid`, `nonce` (1 to 64 characters, never used twice), optionally `alg` and `expires`.',
  },
  operatorToken: { type: 'http', scheme: 'bearer', description: 'Token of a member of the bank’s staff, `cgo_…`' },
};

/** Request schemas in which an unknown field would pass unseen. */
export function strictnessFaults(routes: readonly Route[]): string[] {
  return routes.flatMap((route) => {
    const body = typeof route.body === 'string' ? route.rawBody?.schema : route.body;
    const parts = { params: route.params, query: route.query, body };
    return Object.entries(parts).flatMap(([part, schema]) => {
      const loose = schema ? looseObjects(jsonSchemaOf(schema, 'input')) : 0;
      return loose === 0 ? [] : [`${route.method} ${route.path} ${part} has ${loose} loose object(s)`];
    });
  });
}

function looseObjects(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const { type, properties, additionalProperties } = value as Json;
  const loose = type === 'object' && properties !== undefined && additionalProperties !== false ? 1 : 0;
  return Object.values(value).reduce((sum: number, inner) => sum + looseObjects(inner), loose);
}
