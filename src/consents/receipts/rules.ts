import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../kernel/index.js';

/**
 * The form of a receipt (电子回执), and whether one is genuine. A receipt says what a customer was shown and how he answered, or what was
 * taken by a mandate that he gave. It stands for itself: who holds it and the bank's public key needs neither the bank nor its database.
 *
 * `hash` is SHA-256 over the canonical JSON of `content` (RFC 8785; all numbers are integers). What is signed with Ed25519 is the text
 * `<version>\n<keyId>\n<hash>`.
 */
export const RECEIPT_VERSION = 'cunguan-receipt-1';

const text = z.string().max(2_000);
const instant = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+08:00$/);
const json: z.ZodType<unknown> = z.json();

const consentContent = z.strictObject({
  type: z.literal('consent'),
  consent: text,
  /** What it was about: an instruction, a mandate … and which. */
  subject: text,
  about: text,
  platform: text,
  said: z.enum(['given', 'declined']),
  /** What was given and found right: nothing for a no. */
  factors: z.array(z.enum(['password', 'sms'])),
  /** Exactly what he saw. */
  shown: z.record(z.string(), json),
  askedAt: instant,
  answeredAt: instant,
  /** The address of the connection, what a proxy said of where it came from, and what browser it said it was. */
  from: z.strictObject({ ip: text, forwardedFor: text, userAgent: text }),
});

const mandateUseContent = z.strictObject({
  type: z.literal('mandate-use'),
  mandate: text,
  /** Its place among the uses of the mandate, from 1. */
  use: z.int(),
  platform: text,
  instruction: text,
  requestNo: text,
  kind: text,
  account: text,
  /** Fen. */
  amount: z.int(),
  /** What the platform asked for, as it was received. */
  data: z.record(z.string(), json),
  /** The key of the platform that signed the request. */
  from: z.strictObject({ key: text }),
  receivedAt: instant,
  usedAt: instant,
  /** The consent by which the customer gave the mandate, and the hash of its receipt. */
  granted: z.strictObject({ consent: text, hash: text }),
});

const contentSchema = z.discriminatedUnion('type', [consentContent, mandateUseContent]);
export type ReceiptContent = z.output<typeof contentSchema>;

export const receiptSchema = z
  .strictObject({
    version: z.literal(RECEIPT_VERSION),
    content: contentSchema,
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .meta({ description: 'SHA-256 over the canonical JSON of the content' }),
    keyId: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
    signature: z
      .string()
      .regex(/^[A-Za-z0-9_-]{86}$/)
      // The last character has four bits to spare: of the sixteen that say the same only one is the signature's.
      .refine((text) => Buffer.from(text, 'base64url').toString('base64url') === text)
      .meta({ description: 'Ed25519, base64url' }),
  })
  .meta({ id: 'Receipt', description: "What the customer was shown and said, or a mandate's use, signed by the bank" });
export type Receipt = z.output<typeof receiptSchema>;

export function hashOfContent(content: ReceiptContent): string {
  return createHash('sha256').update(canonicalJson(content), 'utf8').digest('hex');
}

/** The text that is signed. */
export function signedText(keyId: string, hash: string): string {
  return `${RECEIPT_VERSION}\n${keyId}\n${hash}`;
}

/** Public keys by id, or one without an id, which may be any. */
export type PublicKeys = ReadonlyMap<string, KeyObject> | KeyObject;

/** A receipt that is genuine, or in plain words the first thing that is wrong with it. */
export type Judgement = { readonly receipt: Receipt } | { readonly fault: string };

/** Judges what was read from JSON. Takes the text of nobody on trust: every field must be one that receipts have. */
export function judgeReceipt(value: unknown, keys: PublicKeys): Judgement {
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) return { fault: shapeFault(parsed.error) };
  const { content, hash, keyId, signature } = parsed.data;
  const actual = hashOfContent(content);
  if (actual !== hash) return { fault: `the content was altered: its hash is ${actual}, and the receipt was made for ${hash}` };
  const key = 'type' in keys ? keys : keys.get(keyId);
  if (key === undefined)
    return {
      fault: `it is signed with the key ${keyId}, which is not among the bank's keys given (${[...(keys as ReadonlyMap<string, KeyObject>).keys()].join(', ')})`,
    };
  if (!verify(null, Buffer.from(signedText(keyId, hash), 'utf8'), key, Buffer.from(signature, 'base64url')))
    return { fault: `the signature does not belong to this content and the key ${keyId}` };
  return { receipt: parsed.data };
}

type Issue = z.core.$ZodIssue;

function shapeFault(error: z.ZodError): string {
  const issue = error.issues[0] as Issue;
  const place = (path: readonly PropertyKey[]) => `/${path.map(String).join('/')}`;
  if (issue.code === 'unrecognized_keys')
    return `it has a field that no receipt has: ${place([...issue.path, issue.keys[0] ?? ''])}`;
  if (issue.path.length === 0) return 'it is not a receipt';
  return `the field ${place(issue.path)} is missing or not of its form`;
}

/**
 * The public keys of a file: what `GET /v1/receipt-keys` answers, or a PEM (SPKI).
 * @throws Error in plain words
 */
export function readPublicKeys(file: string): PublicKeys {
  if (file.includes('PRIVATE KEY')) throw new Error('it holds a private key; a receipt is verified with the public key alone');
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

export const publishedKeySchema = z.strictObject({
  kid: z.string(),
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
  use: z.literal('sig'),
  alg: z.literal('EdDSA'),
});
const keyFileSchema = z.strictObject({ keys: z.array(publishedKeySchema) });

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
