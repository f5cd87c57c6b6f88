import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical.js';

/**
 * What the bank signed, in a form that stands for itself: who holds it and the bank's public key needs neither the bank nor its database.
 *
 * `hash` is SHA-256 over the canonical JSON of `content` (RFC 8785; all numbers are integers). What is signed with Ed25519 is the text
 * `<version>\n<keyId>\n<hash>`; the version says what sort of document it is, so that none can be passed off as one of another sort.
 */
export interface Signed<Content> {
  readonly version: string;
  readonly content: Content;
  readonly hash: string;
  readonly keyId: string;
  readonly signature: string;
}

/** Signs with the key that signs now. */
export interface Signer {
  readonly keyId: string;
  sign(text: string): Buffer;
}

/** SHA-256 in lower-case hex. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** The shape of a signed document. */
export function signedSchema<Version extends string, Content extends z.ZodType>(version: Version, content: Content) {
  return z.strictObject({
    version: z.literal(version),
    content,
    hash: digestSchema.meta({ description: 'SHA-256 over the canonical JSON of the content' }),
    keyId: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
    signature: z
      .string()
      .regex(/^[A-Za-z0-9_-]{86}$/)
      // The last character has four bits to spare: of the sixteen that say the same only one is the signature's.
      .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text)
      .meta({ description: 'Ed25519, base64url' }),
  });
}

export function hashOfContent(content: unknown): string {
  return createHash('sha256').update(canonicalJson(content), 'utf8').digest('hex');
}

function signedText(version: string, keyId: string, hash: string): string {
  return `${version}\n${keyId}\n${hash}`;
}

export function signContent<Version extends string, Content>(version: Version, content: Content, { keyId, sign }: Signer) {
  const hash = hashOfContent(content);
  const signature = sign(signedText(version, keyId, hash)).toString('base64url');
  return { version, content, hash, keyId, signature };
}

/** Public keys by id, or one without an id, which may be any. */
export type PublicKeys = ReadonlyMap<string, KeyObject> | KeyObject;

/** What is wrong with the signature of a document of the right shape, in plain words; undefined when it is genuine. */
export function signatureFault({ version, content, hash, keyId, signature }: Signed<unknown>, keys: PublicKeys) {
  const actual = hashOfContent(content);
  if (actual !== hash) return `the content was altered: its hash is ${actual}, and it was signed for ${hash}`;
  const key = 'type' in keys ? keys : keys.get(keyId);
  if (key === undefined)
    return `it is signed with the key ${keyId}, which is not among the bank's keys given (${[...(keys as ReadonlyMap<string, KeyObject>).keys()].join(', ')})`;
  if (!verify(null, Buffer.from(signedText(version, keyId, hash), 'utf8'), key, Buffer.from(signature, 'base64url')))
    return `the signature does not belong to this content and the key ${keyId}`;
  return undefined;
}

/** A document that is genuine, or in plain words the first thing that is wrong with it. */
export type Judged<Document> = { readonly document: Document } | { readonly fault: string };

/**
 * Judges what was read from JSON. Takes the text of nobody on trust: every field must be one that such documents have.
 * @param schema a `signedSchema`
 * @param noun what it should be
 */
export function judgeSigned<Document extends Signed<unknown>>(
  schema: z.ZodType<Document>,
  noun: string,
  value: unknown,
  keys: PublicKeys,
): Judged<Document> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) return { fault: shapeFault(parsed.error, noun) };
  const fault = signatureFault(parsed.data, keys);
  return fault === undefined ? { document: parsed.data } : { fault };
}

/** The first thing that is wrong with the shape of a document. @param noun what it should be */
export function shapeFault(error: z.ZodError, noun: string): string {
  const issue = error.issues[0] as z.core.$ZodIssue;
  const place = (path: readonly PropertyKey[]) => `/${path.map(String).join('/')}`;
  if (issue.code === 'unrecognized_keys')
    return `it has a field that no ${noun} has: ${place([...issue.path, issue.keys[0] ?? ''])}`;
  if (issue.path.length === 0) return `it is not a ${noun}`;
  return `the field ${place(issue.path)} is missing or not of its form`;
}

export const publishedKeySchema = z.strictObject({
  kid: z.string(),
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  use: z.literal('sig'),
  alg: z.literal('EdDSA'),
});
const keyFileSchema = z.strictObject({ keys: z.array(publishedKeySchema) });

/**
 * The public keys of a file: what `GET /v1/receipt-keys` answers, or a PEM (SPKI).
 * @throws Error in plain words
 */
export function readPublicKeys(file: string): PublicKeys {
  if (file.includes('PRIVATE KEY'))
    throw new Error('it holds a private key; what the bank signed is verified with the public key alone');
  if (file.includes('-----BEGIN')) return ed25519(() => createPublicKey(file), 'the PEM');
  let value: unknown;
  try {
    value = JSON.parse(file);
  } catch {
    throw new Error('it is neither PEM nor JSON');
  }
  const parsed = keyFileSchema.safeParse(value);
  if (!parsed.success || parsed.data.keys.length === 0) throw new Error('it is no list of keys as GET /v1/receipt-keys gives it');
  return new Map(
    parsed.data.keys.map((jwk) => [jwk.kid, ed25519(() => createPublicKey({ key: jwk, format: 'jwk' }), `the key ${jwk.kid}`)]),
  );
}

function ed25519(read: () => KeyObject, what: string): KeyObject {
  let key: KeyObject;
  try {
    key = read();
  } catch {
    throw new Error(`${what} cannot be read`);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${what} is not an Ed25519 key`);
  return key;
}
