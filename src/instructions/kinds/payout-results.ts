import { z } from 'zod';
import { toWire } from '../../kernel/index.js';
import { payoutRecords } from '../../payouts/index.js';
import { textSchema, wireId } from '../../runtime/index.js';
import type { At, Kind, Needs } from '../kind.js';
import { movedPayout, refundedOrder, unrefunded } from '../payout-effects.js';

const settledSchema = z.strictObject({ payout: wireId('payout') });
const reasonedSchema = z.strictObject({ payout: wireId('payout'), reason: textSchema(128) });

function needs(data: z.output<typeof settledSchema>, at: At): Needs {
  const { custody, suspense } = at.book.accounts;
  return { accounts: [custody, suspense, at.book.accounts['in-transit']], records: [[payoutRecords, data.payout]] };
}

/** The payee's bank has the money: it leaves the books. */
export const payoutSettled: Kind<z.output<typeof settledSchema>> = {
  name: 'payout-settled',
  en: 'Payout settled',
  zh: '出款成功',
  origins: ['S'],
  proof: 'channel',
  schema: settledSchema,
  example: { payout: 'pay_2236512894231552021' },
  needs,
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data.payout, 'settled', null);
    if ('refused' in moved) return moved;
    const { amount } = moved.payout;
    return {
      postings: [
        { account: at.book.accounts['in-transit'], amount: -amount },
        { account: at.book.accounts.custody, amount },
      ],
      records: [moved.change],
      boundary: [{ reference: data.payout, amount: -amount }],
      events: [{ topic: 'payout.settled', ref: data.payout }],
    };
  },
};

/** The payment definitely did not happen: the money goes back to where it came from, withdrawable as it was. */
export const payoutFailed: Kind<z.output<typeof reasonedSchema>> = {
  name: 'payout-failed',
  en: 'Payout failed',
  zh: '出款失败',
  origins: ['S'],
  proof: 'channel',
  schema: reasonedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '账号户名不符' },
  needs,
  needsThen: (data, facts, at) => refundedOrder(facts, at, data.payout),
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data.payout, 'failed', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    return {
      postings: [
        { account: at.book.accounts['in-transit'], amount: -payout.amount },
        { account: payout.sourceAccountId, amount: payout.amount },
      ],
      records: [moved.change, ...unrefunded(facts, at, payout)],
      events: [{ topic: 'payout.failed', ref: data.payout }],
    };
  },
};

/** A payout that was settled came back (退汇): a new movement that points at the old one. If its account is gone: suspense. */
export const payoutReturned: Kind<z.output<typeof reasonedSchema>> = {
  name: 'payout-returned',
  en: 'Payout returned',
  zh: '退汇',
  origins: ['S'],
  proof: 'channel',
  schema: reasonedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '收款账户已销户' },
  needs,
  needsThen: (data, facts, at) => refundedOrder(facts, at, data.payout),
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data.payout, 'returned', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    const gone = facts.account(payout.sourceAccountId)?.state === 'closed';
    const to = gone ? at.book.accounts.suspense : payout.sourceAccountId;
    return {
      postings: [
        { account: at.book.accounts.custody, amount: -payout.amount },
        { account: to, amount: payout.amount },
      ],
      records: [moved.change, ...unrefunded(facts, at, payout)],
      boundary: [{ reference: `RT${data.payout}`, amount: payout.amount }],
      events: [{ topic: 'payout.returned', ref: data.payout }],
      result: { creditedTo: toWire('account', to) },
    };
  },
};
