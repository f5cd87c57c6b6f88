import { z } from 'zod';
import { agreementRecords, versionOn } from '../../agreements/index.js';
import { refuse, toWire } from '../../kernel/index.js';
import { moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { type Kind, refused } from '../kind.js';
import { withoutAgreement } from '../orders/background.js';

const schema = z.strictObject({ account: wireId('account'), amount: moneySchema, for: textSchema(128) });
type Fee = z.output<typeof schema>;

/**
 * A fee that a sub-merchant owes the platform, up to what his agreement allows for one fee; where it says nothing, or he has none, up to what
 * the bank agreed with the platform. Where the platform's orders need agreements nobody without one owes a fee: what he refused while he
 * had one would be taken of him on the day after.
 */
export const fee: Kind<Fee> = {
  name: 'fee',
  en: 'Fee of a sub-merchant',
  zh: '手续费',
  origins: ['P', 'O'],
  proof: 'terms',
  schema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 60, currency: 'CNY' }, for: '技术服务费' },
  needs: (data, at) => ({ accounts: [data.account, at.book.accounts.fees], records: [[agreementRecords, data.account]] }),
  decide(data, facts, at) {
    const account = facts.account(data.account);
    if (account === undefined)
      return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', data.account) }));
    if (account.type !== 'sub') return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const unagreed = withoutAgreement(account, facts, at);
    if (unagreed !== undefined) return refused(unagreed);
    const agreed = facts.record(agreementRecords, data.account);
    const feeMax = (agreed && versionOn(agreed, at.book.businessDate)?.terms.feeMax) ?? at.book.terms.feeMax;
    if (feeMax === 0n) return refused(refuse('PROOF_MISSING', 'No fees are agreed.'));
    if (data.amount.amount > feeMax) return refused(refuse('TERMS_EXCEEDED', undefined, { feeMax: String(feeMax) }));
    return {
      postings: [
        { account: account.id, amount: -data.amount.amount },
        { account: at.book.accounts.fees, amount: data.amount.amount, clears: 'inherit' },
      ],
    };
  },
  undo: { origins: ['P', 'O'], needs: () => ({}), records: () => ({ records: [] }) },
};
