import { z } from 'zod';
import { subMerchantRequest } from '../../accounts/index.js';

/** What stands sealed in the lines. */
// Without its bank an account would be taken for one of the bank that reads it.
const account = z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string().min(1) });
export const memberInside = subMerchantRequest
  .pick({ party: true, settlementAccount: true })
  .refine(({ settlementAccount }) => settlementAccount.bankCode !== '', { error: 'the settlement account has no bank' });
export const userInside = z.strictObject({
  party: z.looseObject({ kind: z.enum(['person', 'company']), name: z.string() }),
  cards: z.array(account.nullable()),
});
export const orderInside = z.strictObject({ payer: account });
export const holdInside = z.strictObject({ purpose: z.string() });
