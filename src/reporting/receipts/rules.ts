import { z } from 'zod';
import { digestSchema, type Judged, judgeSigned, type PublicKeys, signedSchema } from '../../kernel/index.js';

/**
 * The form of an electronic receipt of an entry (电子回单), and whether one is genuine. It stands for itself: who holds it and the bank's public
 * key needs neither the bank nor its database.
 */
export const ENTRY_RECEIPT_VERSION = 'cunguan-entry-receipt-1';

const text = z.string().max(500);
const words = z.strictObject({ zh: text, en: text });

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
  entryHash: digestSchema.meta({ description: 'Of the entry in that chain: what a proof of custody leads to' }),
  businessDate: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  postedAt: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}\+08:00$/),
});
export type EntryReceiptContent = z.output<typeof contentSchema>;

export const entryReceiptSchema = signedSchema(ENTRY_RECEIPT_VERSION, contentSchema).meta({
  id: 'EntryReceipt',
  description: 'Electronic receipt 电子回单 of one entry, signed by the bank',
});
export type EntryReceipt = z.output<typeof entryReceiptSchema>;

export function judgeEntryReceipt(value: unknown, keys: PublicKeys): Judged<EntryReceipt> {
  return judgeSigned(entryReceiptSchema, 'receipt of an entry', value, keys);
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
