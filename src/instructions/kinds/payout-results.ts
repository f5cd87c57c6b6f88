import { z } from 'zod';
import { type BusinessDate, type Minor, refuse, toWire, workingDayAfter } from '../../kernel/index.js';
import { isElectronic, type Posting, withdrawableOf } from '../../ledger/index.js';
import { bringsMoneyIn, channelAccountRecords, type Payout, payoutRecords, paysOverLater } from '../../payouts/index.js';
import { textSchema, wireId } from '../../runtime/index.js';
import type { SuspenseSource } from '../../suspense/index.js';
import { settledNeeds, unsettled } from '../effects/funds.js';
import { endedClosing, freezeNeeds, frozenAgain, movedPayout, refundedOrder, unrefunded } from '../effects/payouts.js';
import { suspendedPayout } from '../effects/suspense.js';
import { mayCredit } from '../judging/limits.js';
import { type At, arrivalDate, type Effects, type Facts, type Kind, type Needs, type RecordChange, refused } from '../kind.js';
import { pastRecords } from '../past.js';
import { collectedForLater } from './collections.js';

const reasonedSchema = z.strictObject({ payout: wireId('payout'), reason: textSchema(128) });
/** channel: who says it; absent where the statement of the custody account does. */
const settledSchema = z.strictObject({ payout: wireId('payout'), channel: textSchema(16).optional() });
/**
 * unsent: one that no channel was told of, and none will be: people stopped it, no channel takes it, or a collection's time is over.
 * channel: who says it. attempts: of a collection whose time is over, how often it had been moved when its channel did not have it.
 */
const failedSchema = reasonedSchema.extend({
  unsent: z.literal(true).optional(),
  channel: textSchema(16).optional(),
  attempts: z.int().min(0).optional(),
});

function needs(data: Pick<z.output<typeof settledSchema>, 'payout'>, at: At): Needs {
  const { custody, suspense } = at.book.accounts;
  return { accounts: [custody, suspense, at.book.accounts['in-transit']], records: [[payoutRecords, data.payout]] };
}

/** What money that comes back belongs to besides its account: the order of a refund, or the freeze of a deduction. */
function backNeeds(data: Pick<z.output<typeof settledSchema>, 'payout'>, facts: Facts, at: At): Needs {
  const records = [refundedOrder(facts, at, data.payout), freezeNeeds(facts, data.payout)].flatMap((need) => need.records ?? []);
  const later = paysOverLater(facts.record(payoutRecords, data.payout)?.channel ?? null);
  return { records: later ? [...records, [channelAccountRecords, at.platformId]] : records };
}

/** Of a clearing that failed or came back also what it cost: its fee was posted by the instruction that made it. */
function undoneNeeds(data: Pick<z.output<typeof settledSchema>, 'payout'>, facts: Facts, at: At): Needs {
  const { accounts = [], records = [] } = backNeeds(data, facts, at);
  const payout = facts.record(payoutRecords, data.payout);
  const settled = settledNeeds(payout, facts);
  if (payout?.purpose !== 'clearing') return { accounts, records: [...records, ...settled] };
  return { accounts: [...accounts, at.book.accounts.fees], records: [...records, [pastRecords, data.payout]] };
}

/**
 * A payout that did not reach its payee cost nothing: its fee goes back with it, as far as the platform still has it there, for what failed has
 * to be posted whatever the platform did with its fees.
 */
function feeBack({ id, purpose }: Payout, facts: Facts, at: At): { fee: Minor; postings: Posting[]; result: Result } {
  const nothing = { fee: 0n, postings: [], result: {} };
  if (purpose !== 'clearing') return nothing;
  const { fees } = at.book.accounts;
  const account = facts.account(fees);
  const cost = facts.record(pastRecords, id)?.entries.find((entry) => entry.account === fees)?.amount ?? 0n;
  if (cost <= 0n || account === undefined) return nothing;
  const there = account.state === 'open' ? withdrawableOf(account) : 0n;
  const fee = cost < there ? cost : there;
  return {
    fee,
    postings: fee > 0n ? [{ account: fees, amount: -fee, draw: 'cleared-only' }] : [],
    result: { feeReturned: String(fee), ...(fee === cost ? {} : { feeMissing: String(cost - fee) }) },
  };
}

type Result = Readonly<Record<string, string>>;
type Way = 'bound' | 'exempt' | 'back';

/** The credit of money that is here already. */
interface Credit {
  readonly posting: Posting;
  readonly records: readonly RecordChange[];
}

/**
 * To the account of a payout, or to suspense, where the law or a closed account is in the way: there it waits for a person.
 * @param result the payout as it is with its result
 * @param more what comes with it: the fee of a clearing
 * @param clears of what is collected: from when on it may leave; `owed` where its channel owes it until then
 */
function creditOf(
  facts: Facts,
  at: At,
  { payout, change: result }: { payout: Payout; change: RecordChange },
  {
    flow,
    source,
    clears,
    owed,
    more = 0n,
  }: { flow: Way; source: SuspenseSource; clears?: BusinessDate; owed?: true; more?: Minor },
): Credit {
  const { sourceAccountId: account } = payout;
  const amount = payout.amount + more;
  const { suspense } = at.book.accounts;
  const to = mayCredit(facts, at, { account, amount, flow }, [result]) ? account : suspense;
  const counted = isElectronic(facts.account(to)?.type) ? { flow } : {};
  return {
    posting: {
      account: to,
      amount,
      ...counted,
      ...(clears === undefined ? {} : { clears }),
      ...(owed === undefined ? {} : { owed }),
    },
    records: [result, ...suspendedPayout(at, to, { ...payout, amount }, source, clears)],
  };
}

/** What was collected is here; before the statement of its day was seen it does not leave again. */
function collected(moved: { payout: Payout; change: RecordChange }, facts: Facts, at: At): Omit<Effects, 'events'> {
  const { id, amount, channel } = moved.payout;
  if (paysOverLater(channel)) {
    const credit = (clears: BusinessDate) => creditOf(facts, at, moved, { flow: 'bound', source: 'top-up', clears, owed: true });
    return collectedForLater(moved, credit, facts, at);
  }
  const clears = workingDayAfter(at.calendar, arrivalDate(at));
  const { posting, records } = creditOf(facts, at, moved, { flow: 'bound', source: 'top-up', clears });
  return {
    postings: [{ account: at.book.accounts.custody, amount: -amount }, posting],
    records,
    boundary: [{ reference: id, amount }],
    result: { creditedTo: toWire('account', posting.account) },
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
  needsThen: backNeeds,
  ids: 2, // the first of a channel that pays over later opens two accounts
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data, 'settled', null);
    if ('refused' in moved) return moved;
    const { amount } = moved.payout;
    const events = [{ topic: 'payout.settled', ref: data.payout }] as const;
    if (bringsMoneyIn(moved.payout)) return { ...collected(moved, facts, at), events };
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
 * The payment definitely did not happen: the money goes back to where it came from, withdrawable as it was, and no cap keeps it out: it was
 * its owner's all the time. A collection that did not happen has posted nothing, and posts nothing.
 */
export const payoutFailed: Kind<z.output<typeof failedSchema>> = {
  name: 'payout-failed',
  en: 'Payout failed',
  zh: '出款失败',
  origins: ['S'],
  proof: 'channel',
  onFunds: true,
  schema: failedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '账号户名不符' },
  needs,
  needsThen: undoneNeeds,
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data, 'failed', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    const events = [{ topic: 'payout.failed', ref: data.payout }] as const;
    if (bringsMoneyIn(payout)) return { postings: [], records: [moved.change], events };
    const { fee, ...returned } = feeBack(payout, facts, at);
    const { posting, records } = creditOf(facts, at, moved, { flow: 'back', source: 'payout-failed', more: fee });
    const frozen = frozenAgain(facts, posting.account, payout);
    return {
      claims: frozen.claims,
      postings: [{ account: at.book.accounts['in-transit'], amount: -payout.amount }, ...returned.postings, posting],
      records: [
        ...records,
        ...unrefunded(facts, at, payout),
        ...unsettled(payout, facts, at),
        ...endedClosing(facts, at, payout, 'failed').records,
        ...frozen.records,
      ],
      events,
      result: {
        ...returned.result,
        ...(posting.account === payout.sourceAccountId ? {} : { creditedTo: toWire('account', posting.account) }),
      },
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
  onFunds: true,
  schema: reasonedSchema,
  example: { payout: 'pay_2236512894231552021', reason: '收款账户已销户' },
  needs,
  needsThen: undoneNeeds,
  decide(data, facts, at) {
    const moved = movedPayout(facts, at, data, 'returned', data.reason);
    if ('refused' in moved) return moved;
    const { payout } = moved;
    if (bringsMoneyIn(payout)) {
      const detail = 'What was collected does not come back by itself.';
      return refused(refuse('PAYOUT_STATE_CONFLICT', detail, { from: payout.state, to: 'returned' }));
    }
    const { fee, ...returned } = feeBack(payout, facts, at);
    const { posting, records } = creditOf(facts, at, moved, { flow: 'exempt', source: 'payout-returned', more: fee });
    const frozen = frozenAgain(facts, posting.account, payout);
    return {
      claims: frozen.claims,
      postings: [{ account: at.book.accounts.custody, amount: -payout.amount }, ...returned.postings, posting],
      records: [...records, ...unrefunded(facts, at, payout), ...unsettled(payout, facts, at), ...frozen.records],
      boundary: [{ reference: `RT${data.payout}`, amount: payout.amount }],
      events: [{ topic: 'payout.returned', ref: data.payout }],
      result: { ...returned.result, creditedTo: toWire('account', posting.account) },
    };
  },
};
