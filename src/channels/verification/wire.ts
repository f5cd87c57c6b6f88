import { z } from 'zod';
import { ID_TYPES } from '../../kernel/index.js';

/**
 * The messages of verification, of trial payments and of the SMS gateway: JSON, amounts as decimal text in fen. What we send is
 * strict, so that a mistake of ours is loud; what we read tolerates fields that we do not know.
 */
const positive = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/)
  .transform((text) => BigInt(text));
const MessageNo = z.string().regex(/^[A-Za-z0-9_-]{1,35}$/);
export const Mobile = z.string().regex(/^[0-9]{5,15}$/);
export const AccountNo = z.string().min(1).max(34);
export const BankCode = z.union([z.literal(''), z.string().regex(/^[0-9]{12}$/)]);
export const Name = z.string().min(1).max(140);

export const AccountClass = z.enum(['1', '2', '3', 'credit', 'payment']);
export const Standing = z.enum(['usable', 'frozen', 'none']);

/** The most that a trial payment carries, in fen. */
const TRIAL_MAX = 50n;

const identity = { idType: z.enum(ID_TYPES), idNo: z.string().min(1).max(32), name: Name };
export const IdentityMessage = z.strictObject(identity);
export const ElementsMessage = z.strictObject({ ...identity, mobile: Mobile, account: AccountNo, bankCode: BankCode });
export const TrialPaymentMessage = z.strictObject({
  messageNo: MessageNo,
  name: Name,
  account: AccountNo,
  bankCode: BankCode,
  amount: positive.refine((amount) => amount <= TRIAL_MAX),
});
export const TrialInflowMessage = z.strictObject({
  account: AccountNo,
  amount: positive,
  reference: z.string().min(1).max(64),
});
export const SmsMessage = z.strictObject({ messageNo: MessageNo, mobile: Mobile, text: z.string().min(1).max(500) });

const evidence = z.string().min(1).max(64).exactOptional();
export const IdentityReply = z.object({ result: z.enum(['match', 'name-differs', 'unknown-number']), evidence });
export const ElementsReply = z
  .object({
    result: z.enum(['match', 'differs']),
    wrong: z.array(z.enum(['name', 'idNo', 'mobile', 'account'])).exactOptional(),
    accountClass: AccountClass.exactOptional(),
    standing: Standing.exactOptional(),
    evidence,
  })
  // A match says what it matches with; one that names faults, or no account, contradicts itself.
  .refine(({ result, wrong = [], accountClass, standing }) => {
    return (
      result === 'differs' || (wrong.length === 0 && accountClass !== undefined && standing !== undefined && standing !== 'none')
    );
  });
export const TrialPaymentReply = z.object({
  messageNo: z.string(),
  result: z.enum(['paid', 'failed']),
  reason: z.string().exactOptional(),
});
export const TrialInflowReply = z.object({ result: z.enum(['found', 'not-found']) });
export const SmsReply = z.object({
  messageNo: z.string(),
  result: z.enum(['sent', 'refused']),
  reason: z.string().exactOptional(),
});
