import { z } from 'zod';
import { type Refusal, refuse, toWire } from '../../kernel/index.js';
import { debtRecords, marginRecords, queueRecords } from '../../refunds/index.js';
import { moneySchema, textSchema, wireId } from '../../runtime/index.js';
import { type At, change, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { receiverNeeds } from '../orders/recall.js';

const schema = z.strictObject({ account: wireId('account'), amount: moneySchema, remark: textSchema(128).optional() });
type MarginMove = z.output<typeof schema>;

/** The platform moves a sub-merchant's money to and from his margin within what was agreed; the bank as it finds right. */
function mayMove({ account: id, amount: { amount } }: MarginMove, facts: Facts, at: At): Refusal | undefined {
  const account = facts.account(id);
  if (account === undefined) return refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) });
  if (account.type !== 'sub') return refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type });
  if (at.origin !== 'P') return undefined;
  const { transferMax } = at.book.terms;
  if (transferMax === 0n) return refuse('PROOF_MISSING', 'Movements to and from margins are not agreed with this platform.');
  return amount > transferMax ? refuse('TERMS_EXCEEDED', undefined, { transferMax: String(transferMax) }) : undefined;
}

const needs = (data: MarginMove): Needs => ({ accounts: [data.account], records: receiverNeeds(data.account) });

/** Money of a sub-merchant goes to his margin account, from which his refunds are covered. The first deposit opens it. */
export const marginDeposit: Kind<MarginMove> = {
  name: 'margin-deposit',
  en: 'Deposit of a margin',
  zh: '缴存保证金',
  origins: ['P', 'O'],
  proof: 'terms',
  schema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 1000, currency: 'CNY' } },
  needs,
  decide(data, facts, at) {
    const refusal = mayMove(data, facts, at);
    if (refusal !== undefined) return refused(refusal);
    const { account, amount } = data;
    const margin = facts.record(marginRecords, account);
    const marginId = margin?.marginId ?? at.instruction;
    const opened = { accountId: account, platformId: at.platformId, marginId, target: 0n };
    return {
      ...(margin?.marginId
        ? {}
        : { opens: [{ id: marginId, type: 'margin' }], records: [change(marginRecords, account, opened)] }),
      postings: [
        { account, amount: -amount.amount },
        { account: marginId, amount: amount.amount, clears: 'inherit' },
      ],
      result: { margin: toWire('account', marginId) },
    };
  },
};

/** Money of a margin goes back to its sub-merchant, unless a refund waits for him or he owes an advance. */
export const marginRelease: Kind<MarginMove> = {
  name: 'margin-release',
  en: 'Release of a margin',
  zh: '释放保证金',
  origins: ['P', 'S', 'O'],
  proof: 'terms',
  schema,
  example: { account: 'acc_2236512894231552003', amount: { amount: 1000, currency: 'CNY' } },
  needs,
  decide(data, facts, at) {
    const refusal = mayMove(data, facts, at);
    if (refusal !== undefined) return refused(refusal);
    const { account, amount } = data;
    const owes = facts.record(debtRecords, account)?.open.length ?? 0;
    const waiting = facts.record(queueRecords, account)?.waiting.length ?? 0;
    if (owes + waiting > 0) return refused(refuse('MARGIN_NEEDED', undefined, { owes, waiting }));
    const marginId = facts.record(marginRecords, account)?.marginId;
    if (!marginId)
      return refused(refuse('FUNDS_INSUFFICIENT', 'This sub-merchant has no margin.', { account: toWire('account', account) }));
    return {
      postings: [
        { account: marginId, amount: -amount.amount },
        { account, amount: amount.amount, clears: 'inherit' },
      ],
    };
  },
};
