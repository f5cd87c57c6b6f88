import { z } from 'zod';
import { balanceCap, electronicRecords, payInRecords, payInRule, takes } from '../../accounts/index.js';
import { naturalDate, type Refusal, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { isElectronic, type LedgerAccount } from '../../ledger/index.js';
import { openPayee, underWayRecords } from '../../payouts/index.js';
import { moneySchema, wireId } from '../../runtime/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import { electronicAccount } from '../electronic.js';
import { mayAct } from '../judging/limits.js';
import { type At, arrivalDate, type Facts, type Kind, refused } from '../kind.js';
import { isSameAccount, PAYER_FIELDS, payer, reference, storedPayer } from '../wire.js';

const topUpSchema = z.strictObject({ account: wireId('account'), amount: moneySchema, mandate: wireId('mandate').optional() });
type TopUp = z.output<typeof topUpSchema>;

/**
 * Money is collected from the bound card. Nothing is posted before the collection's channel says that it came: the order to collect
 * goes out like a payout, under a number of its own, and its result is the instruction `payout-settled` or `payout-failed`.
 */
export const topUp: Kind<TopUp> = {
  name: 'top-up',
  en: 'Top-up from the bound card',
  zh: '绑定卡充值（代收）',
  origins: ['P'],
  proof: 'will',
  schema: topUpSchema,
  example: {
    account: 'acc_2236512894231552006',
    amount: { amount: 5000, currency: 'CNY' },
    mandate: 'mdt_2236512894231552031',
  },
  act: ({ account, amount, mandate }) => ({ account, amount: amount.amount, payee: 'bound-card', mandate }),
  needs: ({ account }) => ({
    accounts: [account],
    records: [
      [settlementAccountRecords, account],
      [underWayRecords, account],
    ],
  }),
  decide({ account: id, amount: { amount } }, facts, at) {
    const account = electronicAccount(id, facts);
    if ('code' in account) return refused(account);
    const bound = facts.record(settlementAccountRecords, id);
    if (bound === undefined) return refused(refuse('SETTLEMENT_ACCOUNT_MISSING', undefined, { account: toWire('account', id) }));
    const { paid, collected } = facts.record(underWayRecords, id) ?? { paid: 0n, collected: 0n };
    const refusal = mayAct(facts, at, id) ?? aboveCap(facts, at, id, account.balance + paid + collected + amount);
    if (refusal !== undefined) return refused(refusal);
    const { no, ...payout } = orderedPayout(at, { purpose: 'top-up', source: id, amount, payee: bound });
    return { postings: [], ...payout, result: { collection: no } };
  },
};

/**
 * Asked before the card is debited too, with all that is being collected and all that may come back from a payment: what could not be
 * credited would have to go back.
 */
function aboveCap(facts: Facts, at: At, id: TopUp['account'], balance: bigint): Refusal | undefined {
  const of = facts.record(electronicRecords, id)?.class ?? 2;
  const cap = balanceCap(of, naturalDate(at.nowMs), at.parameters);
  if (cap === undefined || balance <= cap) return undefined;
  return refuse('BALANCE_CAP', undefined, { account: toWire('account', id), cap: String(cap) });
}

const incomingSchema = z.strictObject({ account: wireId('account'), amount: moneySchema, payer, reference });

/**
 * A transfer to a virtual account number that the core bank holds until it is accepted; a refusal sends it back. To an electronic account: from
 * the bound account it is free of limits, from anybody else it counts. To a sub-account, or to the platform's own funds: by the rule from whom
 * the account takes transfers. None of it leaves before the statement of its day was seen.
 */
export const incomingTransfer: Kind<z.output<typeof incomingSchema>> = {
  name: 'incoming-transfer',
  en: 'Incoming transfer to a virtual account number',
  zh: '虚拟账户来账',
  origins: ['S'],
  proof: 'inflow',
  income: true,
  schema: incomingSchema,
  personal: PAYER_FIELDS,
  stored: incomingSchema.extend({ payer: storedPayer }),
  example: {
    account: 'acc_2236512894231552006',
    amount: { amount: 8000, currency: 'CNY' },
    payer: { name: '李四', account: '6228480012345678903', bankCode: '103100000026' },
    reference: 'TR-20260302-77',
  },
  needs: ({ account }, at) => ({
    accounts: [account, at.book.accounts.custody],
    records: [
      [settlementAccountRecords, account],
      [payInRecords, account],
    ],
  }),
  decide({ account: id, amount: { amount }, payer: from, reference: of }, facts, at) {
    const account = facts.account(id);
    if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
    const { type } = account;
    const electronic = isElectronic(type);
    if (!electronic && type !== 'sub' && type !== 'own-funds')
      return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type }));
    const own = facts.record(settlementAccountRecords, id);
    const bound = own !== undefined && isSameAccount(openPayee({ payee: own }, at.vault), openPayee({ payee: from }, at.vault));
    const refusal = electronic ? undefined : notTaken(account, bound, facts, at);
    if (refusal !== undefined) return refused(refusal);
    const flow = electronic ? { flow: bound ? ('bound' as const) : ('unbound' as const) } : {};
    return {
      postings: [
        { account: at.book.accounts.custody, amount: -amount },
        { account: id, amount, clears: workingDayAfter(at.calendar, arrivalDate(at)), ...flow },
      ],
      boundary: [{ reference: of, amount }],
      result: { from: bound ? 'bound-account' : 'other' },
    };
  },
};

/** Why an account that is nobody's electronic one does not take a transfer of this payer. */
function notTaken({ id, type }: LedgerAccount, bound: boolean, facts: Facts, at: At): Refusal | undefined {
  const { parameters, book } = at;
  const set = facts.record(payInRecords, id)?.rule;
  const agreed = book.terms.agreements === 'required';
  const rule = payInRule({ type, set, agreed, today: naturalDate(at.nowMs), parameters });
  return takes(rule, bound) ? undefined : refuse('PAYER_NOT_ACCEPTED', undefined, { account: toWire('account', id), rule });
}
