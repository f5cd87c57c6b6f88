import { z } from 'zod';
import { subMerchantRequest } from '../../accounts/index.js';

/** What stands sealed in the lines. */
const account = z.strictObject({ name: z.string(), account: z.string(), bankCode: z.string() });
export const memberInside = subMerchantRequest.pick({ party: true, settlementAccount: true });
export const userInside = z.strictObject({
  party: z.looseObject({ kind: z.enum(['person', 'company']), name: z.string() }),
  cards: z.array(account.nullable()),
});
export const orderInside = z.strictObject({ payer: account });
export const holdInside = z.strictObject({ purpose: z.string() });
