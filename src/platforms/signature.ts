import { createHash } from 'node:crypto';
import {
  type BareItem,
  type InnerList,
  isInnerList,
  parseDictionary,
  serializeInnerList,
  serializeItem,
  type Token,
} from 'structured-headers';
import { type Refusal, refuse } from '../kernel/index.js';
import type { IncomingRequest } from '../runtime/index.js';

/**
 * HTTP message signatures (RFC 9421): reading the two fields and building the signature base. Pure; what a signature must
 * cover and when it is too old is decided in `rules.ts`.
 */
export interface MessageSignature {
  readonly label: string;
  /** Names of the covered components, in order; they carry no parameters, for none of ours has any. */
  readonly covered: readonly string[];
  readonly parameters: ReadonlyMap<string, BareItem>;
  readonly bytes: Buffer;
  /** The value of `@signature-params`, serialized anew. */
  readonly base: InnerList;
}

export class Malformed extends Error {}

const LABELS_MAX = 4;
const FIELD_MAX = 8192;

/** The signatures of a request, in the order of Signature-Input. @throws Malformed */
export function readSignatures(input: string, signature: string): MessageSignature[] {
  if (input.length > FIELD_MAX || signature.length > FIELD_MAX) throw new Malformed('The signature fields are too long.');
  const inputs = dictionary('Signature-Input', input);
  const values = dictionary('Signature', signature);
  if (inputs.size > LABELS_MAX) throw new Malformed(`At most ${LABELS_MAX} signatures.`);
  return [...inputs].map(([label, member]) => {
    const value = values.get(label)?.[0];
    if (!isInnerList(member)) throw new Malformed(`Signature-Input ${label} is not a list of components.`);
    if (!(value instanceof ArrayBuffer)) throw new Malformed(`Signature ${label} is missing or not a byte sequence.`);
    return { label, covered: componentsOf(label, member), parameters: member[1], bytes: Buffer.from(value), base: member };
  });
}

function dictionary(field: string, text: string) {
  try {
    return parseDictionary(text);
  } catch {
    throw new Malformed(`${field} is not a dictionary of structured fields.`);
  }
}

function componentsOf(label: string, [items]: InnerList): string[] {
  const names = items.map(([name, parameters]) => {
    if (typeof name !== 'string') throw new Malformed(`A component of ${label} is not a string.`);
    if (parameters.size > 0) throw new Malformed(`Component ${serializeItem(name, parameters)}: parameters are not supported.`);
    return name;
  });
  if (new Set(names).size !== names.length) throw new Malformed(`A component of ${label} stands twice.`);
  return names;
}

/** Text of a string or token parameter. */
export function textOf(value: BareItem | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return value?.constructor.name === 'Token' ? (value as Token).toString() : undefined;
}

/** RFC 9421 section 2.5. @throws Malformed when a covered component is not in the request */
export function signatureBase(request: Omit<IncomingRequest, 'body'>, covered: readonly string[], parameters: InnerList): Buffer {
  const lines = covered.map((name) => `"${name}": ${componentValue(request, name)}`);
  lines.push(`"@signature-params": ${serializeInnerList(parameters)}`);
  // Field values come from the wire one character a byte.
  return Buffer.from(lines.join('\n'), 'latin1');
}

const DEFAULT_PORTS = { http: ':80', https: ':443' } as const;

/** RFC 9421 section 2.2: the components made from the request line and Host. */
function componentValue(request: Omit<IncomingRequest, 'body'>, name: string): string {
  const queryStart = request.target.indexOf('?');
  switch (name) {
    case '@method':
      return request.method;
    case '@scheme':
      return request.scheme;
    case '@authority':
      return authorityOf(request);
    case '@request-target':
      return request.target;
    case '@target-uri':
      return `${request.scheme}://${authorityOf(request)}${request.target}`;
    case '@path':
      return (queryStart < 0 ? request.target : request.target.slice(0, queryStart)) || '/';
    case '@query':
      return queryStart < 0 ? '?' : request.target.slice(queryStart);
    default:
      return fieldValue(request, name);
  }
}

function authorityOf({ authority, scheme }: Omit<IncomingRequest, 'body'>): string {
  const lower = authority.toLowerCase();
  const port = DEFAULT_PORTS[scheme];
  return lower.endsWith(port) ? lower.slice(0, -port.length) : lower;
}

function fieldValue({ headers }: Omit<IncomingRequest, 'body'>, name: string): string {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined; // and not what every object has, `constructor`
  if (value === undefined) throw new Malformed(`The covered component "${name}" is not in the request or not supported.`);
  return value.trim();
}

const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['sha-512', 'sha512'],
]);

/** RFC 9530: every digest of a kind that we know must be the body's, and there must be one. */
export function decideDigest(field: string, body: Buffer): Refusal | undefined {
  let known = 0;
  try {
    for (const [name, [value]] of parseDictionary(field)) {
      const hash = DIGESTS.get(name);
      if (hash === undefined) continue;
      known += 1;
      const own = createHash(hash).update(body).digest();
      if (!(value instanceof ArrayBuffer) || !own.equals(Buffer.from(value))) return refuse('DIGEST_MISMATCH');
    }
  } catch {
    return refuse('SIGNATURE_MALFORMED', 'Content-Digest is not a dictionary of structured fields.');
  }
  return known > 0 ? undefined : refuse('SIGNATURE_MALFORMED', 'Content-Digest holds neither sha-256 nor sha-512.');
}
