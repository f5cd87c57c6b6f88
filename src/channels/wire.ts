import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type BusinessDate, type Minor, parseBusinessDate } from '../kernel/index.js';
import { BATCH_MAX, CHANNELS } from './port.js';

/**
 * The messages between us and the core bank with its channels: JSON, amounts as decimal text in fen, parsed once. What we
 * send is strict, so that a mistake of ours is loud; what we read tolerates fields that we do not know.
 */
export const INFLOWS_MAX = 1_000;
export const NEWS_MAX = 1_000;

const amount = z
  .string()
  .regex(/^-?(0|[1-9][0-9]{0,17})$/)
  .transform((text): Minor => BigInt(text));
const positive = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/)
  .transform((text): Minor => BigInt(text));
export const WireDate = z
  .string()
  .refine((text) => parseBusinessDate(text) !== undefined)
  .transform((text) => text as BusinessDate);
const CustodyNo = z.string().regex(/^[A-Za-z0-9-]{1,32}$/);

const OrderMessage = z.strictObject({
  messageNo: z.string().regex(/^[A-Za-z0-9_-]{1,35}$/),
  custodyNo: CustodyNo,
  amount: positive,
  payeeName: z.string().min(1).max(140),
  payeeAccount: z.string().min(1).max(34),
  payeeBank: z.union([z.literal(''), z.string().regex(/^[0-9]{12}$/)]),
  businessDate: WireDate,
  remark: z.string().max(140),
});
export const PaymentsMessage = z.strictObject({ orders: z.array(OrderMessage).min(1).max(BATCH_MAX) });
export const QueriesMessage = z.strictObject({ messageNos: z.array(z.string().min(1).max(64)).min(1).max(BATCH_MAX) });
export const NewsQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[0-9]{0,15}$/)
    .default(''),
  limit: z.coerce.number().int().min(1).max(NEWS_MAX).default(NEWS_MAX),
});

/** Each answer is parsed for itself, so that one that is garbage leaves the others standing. */
export const AnswersMessage = z.object({ answers: z.array(z.unknown()) });
const answered = { messageNo: z.string(), reason: z.string().exactOptional(), channelRef: z.string().exactOptional() };
export const SubmitAnswer = z.object({ ...answered, status: z.enum(['settled', 'accepted', 'failed', 'refused', 'not-now']) });
export const QueryAnswer = z.object({
  ...answered,
  status: z.enum(['settled', 'accepted', 'failed', 'refused', 'not-now', 'not-found']),
});

export const NewsMessage = z.object({
  items: z.array(
    z.object({
      cursor: z.string().min(1),
      messageNo: z.string().min(1),
      status: z.enum(['settled', 'failed', 'refused', 'not-now', 'returned']),
      reason: z.string().exactOptional(),
      reference: z.string().min(1),
      businessDate: WireDate,
      amount: positive,
    }),
  ),
  next: z.string(),
});

export const FloatMessage = z.object({ available: amount });
const channel = z.enum(CHANNELS);
export const FloatEntry = z.strictObject({ channel, balance: amount });
/** `null` is the bank's own vault. */
export const FloatTransferMessage = z.strictObject({
  reference: z.string().regex(/^[A-Za-z0-9_-]{1,35}$/),
  from: channel.nullable(),
  to: channel.nullable(),
  amount: positive,
});
export const FloatTransferTaken = z.object({ reference: z.string() });
export const AccountMessage = z.strictObject({ custodyNo: CustodyNo, name: z.string().min(1).max(140) });
export const InflowsMessage = z.strictObject({
  businessDate: WireDate,
  items: z
    .array(
      z.strictObject({
        reference: z.string().min(1).max(64),
        amount: positive,
        counterparty: z.string().max(140),
        text: z.string().max(140),
      }),
    )
    .min(1)
    .max(INFLOWS_MAX),
});
export const InflowsAnswer = z.object({ booked: z.number().int(), repeated: z.number().int() });

const text = (max: number) => z.string().max(max);
const IncomingOrigin = z.object({ channel: text(12).min(1), sender: text(32), messageNo: text(64).min(1) });
export const IncomingMessage = z.object({
  items: z.array(
    z.object({
      cursor: z.string().min(1).max(128),
      reference: z.string().min(1).max(64),
      virtualNo: text(64),
      amount: positive,
      payer: z.object({ name: text(256), account: text(64), bankCode: text(32) }),
      businessDate: WireDate,
      /** The message by which it came; a transfer within the bank has none. */
      message: IncomingOrigin.optional(),
      remark: text(256).default(''),
    }),
  ),
  next: z.string().max(128),
});
export const AcceptMessage = z.strictObject({ custodyNo: CustodyNo, businessDate: WireDate });
export const RejectMessage = z.strictObject({ reason: text(140).min(1) });
export const AnswerTaken = z.object({ reference: z.string(), state: z.enum(['accepted', 'rejected']) });
export const TransferMessage = z.strictObject({
  /** The core bank gives one when absent. */
  reference: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,55}$/)
    .optional(),
  virtualNo: text(64).min(1),
  amount: positive,
  payer: z.strictObject({ name: text(140).min(1), account: text(34), bankCode: text(12).default('') }),
  businessDate: WireDate.optional(),
  message: z.strictObject({ channel: text(12).min(1), sender: text(12), messageNo: text(35).min(1) }).optional(),
  remark: text(140).default(''),
});

/**
 * A statement is a stream of rows of JSON, each ended by LF: its head, each line as an array `[lineNo, reference, amount, counterparty, text]`,
 * and last its trailer, whose digest is that of the lines as they came.
 */
export const StatementHead = z.object({
  custodyNo: z.string(),
  businessDate: z.string(),
  opening: amount,
  complete: z.boolean(),
});
export const StatementTrailer = z.object({ count: z.number().int().min(0), sum: amount, closing: amount, digest: z.string() });

/** One line of a statement. */
export interface StatementLine {
  /** From 1, without gaps. */
  readonly lineNo: number;
  /** A payment's message number, `RT` and that number for its return, or the payer's reference of money that came in. */
  readonly reference: string;
  /** Fen; above zero came in, below zero went out. */
  readonly amount: Minor;
  readonly counterparty: string;
  readonly text: string;
}

/** A line as it stands in the stream, without its LF. */
export function statementRow({ lineNo, reference, amount: fen, counterparty, text: words }: StatementLine): string {
  return JSON.stringify([lineNo, reference, fen.toString(), counterparty, words]);
}

/** SHA-256 over the rows of the lines, each with its LF, in hex. */
export function statementDigest(lines: readonly StatementLine[]): string {
  const hash = createHash('sha256');
  for (const line of lines) hash.update(`${statementRow(line)}\n`);
  return hash.digest('hex');
}
