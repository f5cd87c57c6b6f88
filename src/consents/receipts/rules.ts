import { z } from 'zod';
import { type Judged, judgeSigned, type PublicKeys, signedSchema } from '../../kernel/index.js';

/**
 * The form of a receipt (电子回执), and whether one is genuine. A receipt says what a customer was shown and how he answered, or what was
 * taken by a mandate that he gave. It stands for itself: who holds it and the bank's public key needs neither the bank nor its database.
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

export const receiptSchema = signedSchema(RECEIPT_VERSION, contentSchema).meta({
  id: 'Receipt',
  description: "What the customer was shown and said, or a mandate's use, signed by the bank",
});
export type Receipt = z.output<typeof receiptSchema>;

export function judgeReceipt(value: unknown, keys: PublicKeys): Judged<Receipt> {
  return judgeSigned(receiptSchema, 'receipt', value, keys);
}
