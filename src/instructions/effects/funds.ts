import { electronicRecords } from '../../accounts/index.js';
import {
  catalogueRecords,
  emptyHolding,
  type Fund,
  type FundBook,
  type FundOrder,
  fastUseKey,
  fastUseRecords,
  fundBookRecords,
  fundOrderRecords,
  type Holding,
  holdingKey,
  holdingRecords,
  newOrder,
  settledByRecords,
  tradingDayOf,
  withFrozen,
} from '../../funds/index.js';
import { type Id, idAfter, invariant, type Minor, naturalDate, type Refusal, refuse, toWire } from '../../kernel/index.js';
import { availableOf, isElectronic, type LedgerAccount } from '../../ledger/index.js';
import type { Payout } from '../../payouts/index.js';
import { mayAct } from '../judging/limits.js';
import { type At, change, type Effects, type Facts, type Needs, type RecordChange } from '../kind.js';

/** How many ids in a row an instruction about units may give: its own order, one that it brings along, and the accounts of a book. */
export const FUND_IDS = 4;

/** What an instruction about one account and one fund has to see. */
export function fundNeeds({ account, fund }: { account: Id; fund: string }, at: At): Required<Needs> {
  return {
    accounts: [account],
    records: [
      [catalogueRecords, fund],
      [fundBookRecords, at.platformId],
      [holdingRecords, holdingKey(account, fund)],
    ],
  };
}

/** The accounts of this platform's book by which money of funds passes; the first who needs them opens them. */
export function fundBook(facts: Facts, at: At): { book: FundBook; made: Required<Pick<Effects, 'opens' | 'records'>> } {
  const known = facts.record(fundBookRecords, at.platformId);
  if (known !== undefined) return { book: known, made: { opens: [], records: [] } };
  const ids = { collectionId: idAfter(at.instruction, 2), advanceId: idAfter(at.instruction, 3) };
  const book = { platformId: at.platformId, ...ids, advanced: 0n };
  const opens = [
    { id: book.collectionId, type: 'fund-collection' as const },
    { id: book.advanceId, type: 'fund-advance' as const },
  ];
  return { book, made: { opens, records: [change(fundBookRecords, at.platformId, book)] } };
}

/** An account whose owner may order units now, with the fund; or why not. */
export interface Orderer {
  readonly account: LedgerAccount;
  readonly customerId: Id;
  readonly fund: Fund;
  readonly holding: Holding;
}

/** @returns ACCOUNT_NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED, FUND_NOT_FOUND, or why the owner may do no business now */
export function orderer(of: { account: Id; fund: string }, facts: Facts, at: At): Orderer | Refusal {
  const account = facts.account(of.account);
  if (account === undefined) return refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', of.account) });
  if (!isElectronic(account.type)) return refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type });
  const fund = facts.record(catalogueRecords, of.fund);
  if (fund === undefined) return refuse('FUND_NOT_FOUND', undefined, { fund: of.fund });
  const idle = mayAct(facts, at, account.id);
  if (idle !== undefined) return idle;
  const customerId = facts.record(electronicRecords, account.id)?.customerId;
  invariant(customerId, `the electronic account ${account.id} has an owner`);
  const { platformId } = at;
  const known = facts.record(holdingRecords, holdingKey(account.id, fund.code));
  return {
    ...{ account, customerId, fund },
    holding: known ?? emptyHolding({ accountId: account.id, fund: fund.code, platformId, customerId }),
  };
}

type Asked = Pick<FundOrder, 'direction' | 'way'> &
  Partial<Pick<FundOrder, 'amount' | 'units' | 'collected' | 'state'>> & { readonly partnerId?: Id };

/** A new order under an id, for the trading day of now unless it waits. */
export function ordered(id: Id, { account, customerId, fund }: Orderer, asked: Asked, at: At): FundOrder {
  const { direction, way, state = 'created', ...rest } = asked;
  const of = {
    ...{ id, platformId: at.platformId, shardId: at.book.shardId, accountId: account.id, customerId, fund: fund.code },
    ...{ direction, way, state, createdMs: at.nowMs },
    tradingDate: state === 'waiting' ? null : tradingDayOf(at.calendar, at.nowMs),
  };
  return newOrder(of, rest);
}

export function holdingChange(holding: Holding): RecordChange {
  return change(holdingRecords, holdingKey(holding.accountId, holding.fund), holding);
}

export function orderChange(order: FundOrder): RecordChange {
  return change(fundOrderRecords, order.id, order);
}

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

/** The purchases whose money a payout took to their fund. */
export function settledNeeds(payout: Payout | undefined, facts: Facts): NonNullable<Needs['records']> {
  if (payout?.purpose !== 'fund-settlement') return [];
  const settled = facts.record(settledByRecords, payout.id)?.orders ?? [];
  return [[settledByRecords, payout.id], ...settled.map((id) => [fundOrderRecords, id] as const)];
}

/** Money that did not reach a fund is its purchases' again, on the collection account; they are settled anew. */
export function unsettled(payout: Payout, facts: Facts, at: At): RecordChange[] {
  if (payout.purpose !== 'fund-settlement') return [];
  return (facts.record(settledByRecords, payout.id)?.orders ?? []).map((id) => {
    const order = facts.record(fundOrderRecords, id);
    invariant(order?.settlementId === payout.id, `the order ${id} was settled by ${payout.id}`);
    return orderChange({ ...order, state: 'confirmed', collected: order.amount, settlementId: null, changedMs: at.nowMs });
  });
}

/** The collection account moves by what of it is its orders', so that each fen on it is one order's. @throws invariant */
export function assertCollection(effects: Effects, facts: Facts): void {
  const opened = effects.opens?.find(({ type }) => type === 'fund-collection')?.id;
  let moved: Minor = 0n;
  for (const { account, amount } of effects.postings)
    if (account === opened || facts.account(account)?.type === 'fund-collection') moved += amount;
  let collected: Minor = 0n;
  for (const { type, key, row } of effects.records ?? []) {
    if (type !== fundOrderRecords) continue;
    collected += (row as FundOrder).collected - (facts.record(fundOrderRecords, key)?.collected ?? 0n);
  }
  invariant(moved === collected, 'every movement of the collection account is its orders’');
}
