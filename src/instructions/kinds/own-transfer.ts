import { z } from 'zod';
import { refuse, toWire } from '../../kernel/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { electronicAccount, isSameOwner } from '../electronic.js';
import { type Kind, refused } from '../kind.js';

const schema = z.strictObject({ from: wireId('account'), to: wireId('account'), amount: moneySchema });

/**
 * Between two electronic accounts of the same person in one book. Neither is the bound account of the other, so the limits count it on
 * both sides.
 */
export const ownTransfer: Kind<z.output<typeof schema>> = {
  name: 'own-transfer',
  en: 'Transfer between own electronic accounts',
  zh: '本人账户互转',
  origins: ['P'],
  proof: 'will',
  schema,
  example: {
    from: 'acc_2236512894231552006',
    to: 'acc_2236512894231552007',
    amount: { amount: 1000, currency: 'CNY' },
  },
  act: ({ from, to, amount }) => ({ account: from, amount: amount.amount, payee: { account: to } }),
  needs: ({ from, to }) => ({ accounts: [from, to] }),
  decide({ from, to, amount: { amount } }, facts) {
    for (const id of [from, to]) {
      const account = electronicAccount(id, facts);
      if ('code' in account) return refused(account);
    }
    if (from === to) return refused(refuse('SAME_ACCOUNT', undefined, { account: toWire('account', to) }));
    if (!isSameOwner(from, to, facts)) return refused(refuse('NOT_OWN_ACCOUNT', undefined, { account: toWire('account', to) }));
    return {
      postings: [
        { account: from, amount: -amount, flow: 'unbound' },
        { account: to, amount, clears: 'inherit', flow: 'unbound' },
      ],
    };
  },
  // Undone, it debits the account that was credited, for which nobody has asked its owner.
  undo: { origins: ['O'], needs: () => ({}), records: () => ({ records: [] }) },
};
