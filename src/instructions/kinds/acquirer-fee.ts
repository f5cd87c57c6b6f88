import { z } from 'zod';
import { moneySchema, textSchema } from '../../runtime/index.js';
import type { Kind } from '../kind.js';
import { reference } from '../wire.js';

const schema = z.strictObject({ amount: moneySchema, reference, acquirer: textSchema(32) });

/**
 * What an outside acquirer keeps of the sum that it pays over: buyers' payments are posted in full, and the platform bears the fee out of its own
 * funds. It stands under the reference of that sum, which the statement shows less the fee.
 */
export const acquirerFee: Kind<z.output<typeof schema>> = {
  name: 'acquirer-fee',
  en: 'Fee that an acquirer kept of what it paid over',
  zh: '收单手续费',
  origins: ['O'],
  proof: 'inflow',
  schema,
  example: { amount: { amount: 90, currency: 'CNY' }, reference: 'ST-20260302', acquirer: 'ALLPAY' },
  needs: (_data, { book: { accounts } }) => ({ accounts: [accounts['own-funds'], accounts.custody] }),
  decide({ amount: { amount }, reference: of }, _facts, { book: { accounts } }) {
    return {
      postings: [
        { account: accounts['own-funds'], amount: -amount },
        { account: accounts.custody, amount },
      ],
      boundary: [{ reference: of, amount: -amount }],
    };
  },
};
