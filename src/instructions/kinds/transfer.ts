import { z } from 'zod';
import { refuse, toWire } from '../../kernel/index.js';
import { isPlatformOwn, isSetAside, type LedgerAccount } from '../../ledger/index.js';
import { moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { type At, type Kind, refused } from '../kind.js';
import { receiverNeeds, withoutAgreement } from '../orders/background.js';

const schema = z.strictObject({
  from: wireId('account'),
  to: wireId('account'),
  amount: moneySchema,
  remark: textSchema(128).optional(),
});
type Transfer = z.output<typeof schema>;

/**
 * Money from one account of the book to another: the platform's own money as it likes, a sub-merchant's only to another
 * sub-merchant and only up to what the terms allow; never from a sub-merchant to the platform itself.
 */
export const transfer: Kind<Transfer> = {
  name: 'transfer',
  en: 'Transfer within the book',
  zh: '会员间划转',
  origins: ['P', 'S', 'O'],
  proof: 'terms',
  schema,
  example: {
    from: 'acc_2236512894231552003',
    to: 'acc_2236512894231552004',
    amount: { amount: 100, currency: 'CNY' },
    remark: '活动补贴',
  },
  needs: ({ from, to }, at) => ({ ...receiverNeeds(to, at), accounts: [from, to] }),
  decide(data, facts, at) {
    const from = facts.account(data.from);
    if (from === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.from) }));
    const to = facts.account(data.to);
    if (to === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.to) }));
    if (from.id === to.id) return refused(refuse('SAME_ACCOUNT', undefined, { account: toWire('account', data.to) }));
    const refusal = mayTransfer(from, to, data.amount.amount, at) ?? withoutAgreement(to, facts, at);
    if (refusal !== undefined) return refused(refusal);
    return {
      postings: [
        { account: from.id, amount: -data.amount.amount },
        { account: to.id, amount: data.amount.amount, clears: 'inherit' },
      ],
    };
  },
  undo: { origins: ['P', 'O'], needs: () => ({}), records: () => ({ records: [] }) },
};

function mayTransfer(from: LedgerAccount, to: LedgerAccount, amount: bigint, at: At) {
  // What is set aside for a purpose comes from the platform's own funds alone: never from customers, nor from what they paid it.
  const setAside = [from, to].some(({ type }) => isSetAside(type));
  if (setAside && ![from, to].some(({ type }) => type === 'own-funds'))
    return refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { from: from.type, to: to.type });
  const ownToAnyone = isPlatformOwn(from.type) && (isPlatformOwn(to.type) || to.type === 'sub');
  if (ownToAnyone) return undefined;
  if (from.type !== 'sub' || to.type !== 'sub') {
    return refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { from: from.type, to: to.type });
  }
  const { transferMax } = at.book.terms;
  if (transferMax === 0n) return refuse('PROOF_MISSING', 'Transfers between sub-merchants are not agreed with this platform.');
  if (amount > transferMax) return refuse('TERMS_EXCEEDED', undefined, { transferMax: String(transferMax) });
  return undefined;
}
