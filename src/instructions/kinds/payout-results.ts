import { z } from 'zod';
import { type Id, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { isElectronic, type Posting } from '../../ledger/index.js';
import { bringsMoneyIn, type Payout, payoutRecords } from '../../payouts/index.js';
import { textSchema, wireId } from '../../runtime/index.js';
import { type At, arrivalDate, type Effects, type Facts, type Kind, type Needs, refused } from '../kind.js';
import { mayCredit } from '../limits.js';
import { endedClosing, freezeNeeds, frozenAgain, movedPayout, refundedOrder, unrefunded } from '../payout-effects.js';
import { suspendedPayout } from '../suspense-effects.js';

const settledSchema = z.strictObject({ payout: wireId('payout') });
const reasonedSchema = z.strictObject({ payout: wireId('payout'), reason: textSchema(128) });

function needs(data: z.output<typeof settledSchema>, at: At): Needs {
  const { custody, suspense } = at.book.accounts;
  return { accounts: [custody, suspense, at.book.accounts['in-transit']], records: [[payoutRecords, data.payout]] };
}

/** What money that comes back belongs to besides its account: the order of a refund, or the freeze of a deduction. */
function backNeeds(data: z.output<typeof settledSchema>, facts: Facts, at: At): Needs {
  const records = [refundedOrder(facts, at, data.payout), freezeNeeds(facts, data.payout)].flatMap((need) => need.records ?? []);
  return { records };
}

/** Where money goes that is here already: to its account, or where the law or a closed account is in the way, to wait for a person. */
function creditTo(facts: Facts, at: At, { sourceAccountId, amount }: Payout, flow: 'bound' | 'exempt'): Id {
  return mayCredit(facts, at, sourceAccountId, amount, flow) ? sourceAccountId : at.book.accounts.suspense;
}

/** The credit of money that comes back to where it was. On an electronic account no limit counts it. */
function backTo(facts: Facts, to: Id, amount: bigint): Posting {
  return isElectronic(facts.account(to)?.type) ? { account: to, amount, flow: 'exempt' } : { account: to, amount };
}

/** What was collected is here; before the statement of its day was seen it does not leave again. */
function collected(
  payout: Payout,
  facts: Facts,
  at: At,
): Required<Pick<Effects, 'postings' | 'boundary' | 'records' | 'result'>> {
  const { id, amount } = payout;
  const to = creditTo(facts, at, payout, 'bound');
  const clears = workingDayAfter(at.calendar, arrivalDate(at));
  return {
    postings: [
      { account: at.book.accounts.custody, amount: -amount },
      { account: to, amount, clears, flow: 'bound' },
    ],
    records: suspendedPayout(at, to, payout, 'top-up', clears),
    boundary: [{ reference: id, amount }],
    result: { creditedTo: toWire('account', to) },
  };
}

/** The payee's bank has the money: it leaves the books. Of a top-up: the bound card was debited, and it comes into them. */
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
    const events = [{ topic: 'payout.settled', ref: data.payout }] as const;
    if (bringsMoneyIn(moved.payout)) {
      const { records, ...effects } = collected(moved.payout, facts, at);
      return { ...effects, records: [moved.change, ...records], events };
    }
    const { records, closes } = endedClosing(facts, at, moved.payout, 'settled');
    return {
      postings: [
        { account: at.book.accounts['in-transit'], amount: -amount },
        { account: at.book.accounts.custody, amount },
      ],
      records: [moved.change, ...records],
      closes,
      boundary: [{ reference: data.payout, amount: -amount }],
      events,
    };
  },
};

/**
 * The payment definitely did not happen: the money goes back to where it came from, withdrawable as it was. A collection that did not
 * happen has posted nothing, and posts nothing.
 */
export const payoutFailed: Kind<z.output<typeof reasonedSchema>> = {
  name: 'payout-failed',
  en: 'Payout failed',
  zh: '出款失败',
  origins: ['S'],
  proof: 'channel',
  schema: reasonedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '账号户名不符' },
  needs,
  needsThen: backNeeds,
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data.payout, 'failed', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    const events = [{ topic: 'payout.failed', ref: data.payout }] as const;
    if (bringsMoneyIn(payout)) return { postings: [], records: [moved.change], events };
    const to = creditTo(facts, at, payout, 'exempt');
    const frozen = frozenAgain(facts, to, payout);
    return {
      claims: frozen.claims,
      postings: [{ account: at.book.accounts['in-transit'], amount: -payout.amount }, backTo(facts, to, payout.amount)],
      records: [
        moved.change,
        ...unrefunded(facts, at, payout),
        ...endedClosing(facts, at, payout, 'failed').records,
        ...suspendedPayout(at, to, payout, 'payout-failed'),
        ...frozen.records,
      ],
      events,
      ...(to === payout.sourceAccountId ? {} : { result: { creditedTo: toWire('account', to) } }),
    };
  },
};

/**
 * A payout that was settled came back (退汇): a new movement that points at the old one. If its account is gone: suspense. A collection
 * that is charged back is refused: a person has to look at who has the money now.
 */
export const payoutReturned: Kind<z.output<typeof reasonedSchema>> = {
  name: 'payout-returned',
  en: 'Payout returned',
  zh: '退汇',
  origins: ['S'],
  proof: 'channel',
  schema: reasonedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '收款账户已销户' },
  needs,
  needsThen: backNeeds,
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data.payout, 'returned', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    if (bringsMoneyIn(payout)) {
      const detail = 'What was collected does not come back by itself.';
      return refused(refuse('PAYOUT_STATE_CONFLICT', detail, { from: payout.state, to: 'returned' }));
    }
    const to = creditTo(facts, at, payout, 'exempt');
    const frozen = frozenAgain(facts, to, payout);
    return {
      claims: frozen.claims,
      postings: [{ account: at.book.accounts.custody, amount: -payout.amount }, backTo(facts, to, payout.amount)],
      records: [
        moved.change,
        ...unrefunded(facts, at, payout),
        ...suspendedPayout(at, to, payout, 'payout-returned'),
        ...frozen.records,
      ],
      boundary: [{ reference: `RT${data.payout}`, amount: payout.amount }],
      events: [{ topic: 'payout.returned', ref: data.payout }],
      result: { creditedTo: toWire('account', to) },
    };
  },
};
