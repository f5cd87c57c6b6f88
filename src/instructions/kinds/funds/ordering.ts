import { electronicRecords } from '../../../accounts/index.js';
import {
  catalogueRecords,
  emptyHolding,
  type Fund,
  type FundBook,
  type FundOrder,
  fundBookRecords,
  fundOrderRecords,
  type Holding,
  holdingKey,
  holdingRecords,
  newOrder,
  tradingDayOf,
} from '../../../funds/index.js';
import { type Id, idAfter, invariant, type Refusal, refuse } from '../../../kernel/index.js';
import type { LedgerAccount } from '../../../ledger/index.js';
import { electronicAccount } from '../../electronic.js';
import { mayAct } from '../../judging/limits.js';
import { type At, change, type Effects, type Facts, type Needs, type RecordChange } from '../../kind.js';

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

/** The accounts of this platform's book by which money of funds passes, where somebody has opened them. @throws invariant */
export function knownBook(facts: Facts, { platformId }: At): FundBook {
  const book = facts.record(fundBookRecords, platformId);
  invariant(book, `the platform ${platformId} has accounts for money of funds`);
  return book;
}

/** The same; the first who needs them opens them. */
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
  const account = electronicAccount(of.account, facts);
  if ('code' in account) return account;
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

type Asked = Pick<FundOrder, 'direction' | 'way'> & Partial<Pick<FundOrder, 'amount' | 'units' | 'collected' | 'partnerId'>>;

/** A new order under an id, for the trading day of now. */
export function ordered(id: Id, { account, customerId, fund }: Orderer, asked: Asked, at: At): FundOrder {
  return newOrder({
    ...{ id, platformId: at.platformId, shardId: at.book.shardId, accountId: account.id, customerId, fund: fund.code },
    ...{ state: 'created', tradingDate: tradingDayOf(at.calendar, at.nowMs), createdMs: at.nowMs, ...asked },
  });
}

export function holdingChange(holding: Holding): RecordChange {
  return change(holdingRecords, holdingKey(holding.accountId, holding.fund), holding);
}

export function orderChange(order: FundOrder): RecordChange {
  return change(fundOrderRecords, order.id, order);
}
