import { createHash, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../../kernel/index.js';

/**
 * The form of an electronic receipt of an entry (电子回单), and whether one is genuine. It stands for itself: who holds it and the bank's public
 * key needs neither the bank nor its database.
 *
 * `hash` is SHA-256 over the canonical JSON of `content` (RFC 8785; all numbers are integers). What is signed with Ed25519 is the text
 * `<version>\n<keyId>\n<hash>`.
 */
export const ENTRY_RECEIPT_VERSION = 'cunguan-entry-receipt-1';

const text = z.string().max(500);
const words = z.strictObject({ zh: text, en: text });
const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** Sixteen of the letters and digits that nobody takes for one another, in fours. */
const CODE_FORM = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/;

const contentSchema = z.strictObject({
  receiptNo: z
    .string()
    .regex(/^[1-9][0-9]{37}$/)
    .meta({ description: '38 digits: those of the instruction and of the account' }),
  code: z
    .string()
    .regex(CODE_FORM)
    .meta({ description: 'By which anybody asks the bank whether the receipt is genuine', example: '7K3M-0QXR-P2TV-91AC' }),
  platform: text,
  platformName: text,
  account: text,
  accountType: text,
  holder: text.nullable().meta({ description: 'Masked' }),
  merchantNo: text.nullable(),
  side: z.enum(['in', 'out']),
  amount: z.int().min(1).meta({ description: 'Fen' }),
  currency: z.literal('CNY'),
  balance: z.int().meta({ description: 'Of the account after the entry, fen' }),
  counter: words.meta({ description: 'With whom; people and account numbers masked' }),
  kind: text,
  kindName: words,
  instruction: text,
  requestNo: text,
  seq: z.int().min(1).meta({ description: "Place in the account's chain" }),
  entryHash: hex.meta({ description: 'Of the entry in that chain: what a proof of custody leads to' }),
  businessDate: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  postedAt: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+08:00$/),
});
export type EntryReceiptContent = z.output<typeof contentSchema>;

export const entryReceiptSchema = z
  .strictObject({
    version: z.literal(ENTRY_RECEIPT_VERSION),
    content: contentSchema,
    hash: hex.meta({ description: 'SHA-256 over the canonical JSON of the content' }),
    keyId: z.string().regex(/^[A-Za-z0-9_-]{1,32}$/),
    signature: z
      .string()
      .regex(/^[A-Za-z0-9_-]{86}$/)
      // The last character has four bits to spare: of the sixteen that say the same only one is the signature's.
      .refine((of) => Buffer.from(of, 'base64url').toString('base64url') === of)
      .meta({ description: 'Ed25519, base64url' }),
  })
  .meta({ id: 'EntryReceipt', description: 'Electronic receipt 电子回单 of one entry, signed by the bank' });
export type EntryReceipt = z.output<typeof entryReceiptSchema>;

export function hashOfEntryReceipt(content: EntryReceiptContent): string {
  return createHash('sha256').update(canonicalJson(content), 'utf8').digest('hex');
}

export function signedEntryText(keyId: string, hash: string): string {
  return `${ENTRY_RECEIPT_VERSION}\n${keyId}\n${hash}`;
}

/** A receipt that is genuine, or in plain words the first thing that is wrong with it. */
export type EntryJudgement = { readonly receipt: EntryReceipt } | { readonly fault: string };

/**
 * Judges what was read from JSON: every field must be one that such receipts have, the hash that of the content, the signature one of the keys'.
 * @param keys the bank's public keys by their ids, or one of which the id is not known
 */
export function judgeEntryReceipt(value: unknown, keys: ReadonlyMap<string, KeyObject> | KeyObject): EntryJudgement {
  const parsed = entryReceiptSchema.safeParse(value);
  if (!parsed.success) {
    const at = parsed.error.issues[0]?.path.map(String).join('/') ?? '';
    return {
      fault:
        at === ''
          ? 'it is not a receipt of an entry, or has a field that none has'
          : `the field /${at} is missing or not of its form`,
    };
  }
  const { content, hash, keyId, signature } = parsed.data;
  const actual = hashOfEntryReceipt(content);
  if (actual !== hash) return { fault: `the content was altered: its hash is ${actual}, and the receipt was made for ${hash}` };
  const key = 'type' in keys ? keys : keys.get(keyId);
  if (key === undefined) return { fault: `it is signed with the key ${keyId}, which is not among the bank's keys given` };
  const isSigned = verify(null, Buffer.from(signedEntryText(keyId, hash), 'utf8'), key, Buffer.from(signature, 'base64url'));
  return isSigned ? { receipt: parsed.data } : { fault: `the signature does not belong to this content and the key ${keyId}` };
}

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'; // Crockford's base 32

/** The first 80 bits of a keyed hash as a code that people can copy by hand. */
export function codeOfHash(hash: Buffer): string {
  let bits = 0n;
  for (const byte of hash.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  const letters = Array.from({ length: 16 }, (_, at) => ALPHABET[Number((bits >> BigInt(75 - 5 * at)) & 31n)]);
  return (letters.join('').match(/.{4}/g) ?? []).join('-');
}

/** As somebody typed it: case, blanks and dashes do not count, and neither do the letters that are taken for digits. */
export function typedCode(typed: string): string {
  const plain = typed.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1');
  return (plain.match(/.{1,4}/g) ?? []).join('-');
}
