import { z } from 'zod';
import { electronicRecords } from '../../accounts/index.js';
import { refuse, toWire } from '../../kernel/index.js';
import { isElectronic } from '../../ledger/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
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
      const account = facts.account(id);
      if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
      if (!isElectronic(account.type)) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    }
    if (from === to) return refused(refuse('SAME_ACCOUNT', undefined, { account: toWire('account', to) }));
    const owner = (id: typeof from) => facts.record(electronicRecords, id)?.customerId;
    if (owner(from) !== owner(to)) return refused(refuse('NOT_OWN_ACCOUNT', undefined, { account: toWire('account', to) }));
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
