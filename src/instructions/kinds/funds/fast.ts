import { electronicRecords } from '../../../accounts/index.js';
import { type FundOrder, fastUseKey, fastUseRecords, fundBookRecords, withFrozen } from '../../../funds/index.js';
import { type Id, invariant, naturalDate, type Refusal, refuse } from '../../../kernel/index.js';
import { availableOf } from '../../../ledger/index.js';
import { type At, change, type Facts, type Needs, type RecordChange } from '../../kind.js';
import { holdingChange, type Orderer, orderChange, ordered } from './ordering.js';

/** What is to be seen before units are redeemed at once: what the customer has so redeemed today. */
export function fastNeeds({ account, fund }: { account: Id; fund: string }, facts: Facts, at: At): Needs {
  const customerId = facts.record(electronicRecords, account)?.customerId;
  if (customerId === undefined) return {};
  return { records: [[fastUseRecords, fastUseKey({ customerId, fund, date: naturalDate(at.nowMs) })]] };
}

/** Units redeemed at once: the bank pays out of its own money, and the proceeds go to it. */
export interface Fast {
  readonly order: FundOrder;
  readonly advanceId: Id;
  readonly records: readonly RecordChange[];
}

/**
 * A redemption whose money is there at once. Units of a money fund are worth as many fen as there are hundredths.
 * @returns FUND_KIND, FUND_UNITS_SHORT, FUND_FAST_LIMIT, FUND_ADVANCE_SHORT
 */
export function redeemedAtOnce(of: Orderer, units: bigint, facts: Facts, at: At): Fast | Refusal {
  const { fund, holding, customerId } = of;
  if (fund.kind !== 'money') return refuse('FUND_KIND', undefined, { fund: fund.code });
  const frozen = withFrozen(holding, units);
  if ('code' in frozen) return frozen;
  const today = naturalDate(at.nowMs);
  const key = fastUseKey({ customerId, fund: fund.code, date: today });
  const use = facts.record(fastUseRecords, key);
  invariant(use, `what was redeemed at once today is known: ${key}`);
  const cap = at.parameters.on(today, 'fund-redemption.fast-day');
  if (use.used + units > cap) {
    const left = use.used < cap ? cap - use.used : 0n;
    return refuse('FUND_FAST_LIMIT', undefined, { left: String(left) });
  }
  const book = facts.record(fundBookRecords, at.platformId);
  const advance = book && facts.account(book.advanceId);
  const ceiling = at.parameters.on(today, 'fund-redemption.advance-ceiling');
  if (book === undefined || advance === undefined || availableOf(advance) < units || book.advanced + units > ceiling)
    return refuse('FUND_ADVANCE_SHORT');
  const order = ordered(at.instruction, of, { direction: 'redemption', way: 'fast', units }, at);
  return {
    ...{ order, advanceId: book.advanceId },
    records: [
      orderChange(order),
      holdingChange(frozen),
      change(fastUseRecords, key, { ...use, used: use.used + units }),
      change(fundBookRecords, at.platformId, { ...book, advanced: book.advanced + units }),
    ],
  };
}
