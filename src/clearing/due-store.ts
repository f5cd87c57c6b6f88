import { type Cycle, type CycleTerms, ownCycles, settlementAccountsOf } from '../accounts/index.js';
import { agreementRecords, type PayTerms, payTermsOf } from '../agreements/index.js';
import {
  addDays,
  asId,
  type BusinessDate,
  type Calendar,
  type Id,
  invariant,
  isProvisional,
  type Minor,
} from '../kernel/index.js';
import {
  type AccountState,
  creditsByDay,
  type LedgerAccount,
  loadBook,
  reservedOf,
  type UnclearedSlice,
} from '../ledger/index.js';
import { keptBack } from '../refunds/index.js';
import type { Tx } from '../runtime/index.js';
import {
  type DueFacts,
  type DueLine,
  dueOf,
  firstPaying,
  type NotPaid,
  type NotPaidReason,
  notDueOn,
  standing,
} from './due-rules.js';

const NEXT_WORKING_DAY: CycleTerms = { cycle: 't+1', cycleDays: null, payDay: null };
// Money that came in longer ago than this counts for the oldest day within it.
const CREDITS_LOOK_BACK = 31;

export interface DueAsked {
  readonly platformId: Id;
  /** The date that the clearing opens. */
  readonly date: BusinessDate;
  /** The last account of the page before; null: from the first on. */
  readonly after: Id | null;
  /** How many accounts are looked at; lines may be fewer or, where payouts are not merged, more. */
  readonly limit: number;
  readonly calendar: Calendar;
  /**
   * Whether accounts with money out of which nothing is paid are told as well, each with the reason; a frozen one among them. Without it the
   * lines are what a clearing instructs: that of a frozen account is one of them, so that its refusal stands in the day's report.
   */
  readonly unpaid?: boolean;
}

export interface DuePage {
  /** By account, then by the day of the credits. Those of one account never stand on two pages. */
  readonly lines: readonly DueLine[];
  readonly unpaid: readonly NotPaid[];
  /** What to ask the next page with; null: this is the last. */
  readonly next: Id | null;
}

interface DueRow {
  id: string;
  state: AccountState;
  balance: string;
  held: string;
  claimed: string;
  uncleared_until: BusinessDate | null;
  bank_code: string | null;
  cycle: Cycle | null;
  cycle_days: number | null;
  pay_day: number | null;
}

const DUE_ROWS = `SELECT a.id, a.state, a.balance, a.held, a.claimed, a.uncleared_until, s.bank_code, m.cycle, m.cycle_days, m.pay_day
  FROM accounts AS a LEFT JOIN settlement_accounts AS s ON s.account_id = a.id LEFT JOIN sub_merchants AS m ON m.account_id = a.id`;

/** An account as it stands, with the bank of the account that is bound to it. */
interface Standing extends Pick<LedgerAccount, 'id' | 'state' | 'balance' | 'held' | 'claimed'> {
  /** When the last of its money clears; null: all has. */
  readonly unclearedUntil: BusinessDate | null;
  readonly bankCode: string | undefined;
  /** How its owner was opened to be paid. */
  readonly own: CycleTerms;
}

function standingOf(row: DueRow): Standing {
  const funds = { balance: BigInt(row.balance), held: BigInt(row.held), claimed: BigInt(row.claimed) };
  const { state, uncleared_until: unclearedUntil, cycle, cycle_days: cycleDays, pay_day: payDay } = row;
  const own = cycle === null ? NEXT_WORKING_DAY : { cycle, cycleDays, payDay };
  return { id: asId(row.id), state, ...funds, unclearedUntil, bankCode: row.bank_code ?? undefined, own };
}

/**
 * What the clearing that opens a date pays out of a page of a platform's sub-accounts, as the books are now: written under no lock, so whoever
 * instructs it either holds the shard's, or lets the engine refuse what is gone meanwhile. Of a platform that is wound up nothing: the wind-down pays,
 * which pays nobody again whose account sent it back. Memory is that of the page.
 */
export async function duePage(tx: Tx, asked: DueAsked): Promise<DuePage> {
  const { platformId, after, limit, date, calendar } = asked;
  // Whatever is asked, an account without free money has nothing to pay and nothing to explain.
  const rows = await tx.rows<DueRow>(
    `${DUE_ROWS}
     WHERE a.platform_id = ? AND a.type = 'sub' AND a.balance > ${asked.unpaid ? '0' : 'a.held + a.claimed'} AND a.id > ?
       AND EXISTS (SELECT 1 FROM books AS b WHERE b.platform_id = a.platform_id AND b.business = 'open')
     ORDER BY a.id LIMIT ?`,
    [platformId, after ?? '0', limit],
  );
  const facts = await factsOf(tx, asked, rows.map(standingOf));
  const lines: DueLine[] = [];
  const unpaid: NotPaid[] = [];
  for (const of of facts) {
    const due = dueOf(of, { date, calendar, tellsFrozen: asked.unpaid });
    if (!('reason' in due)) lines.push(...due);
    else if (asked.unpaid) unpaid.push(due);
  }
  const last = rows.at(-1);
  return { lines, unpaid, next: rows.length < limit || last === undefined ? null : asId(last.id) };
}

/** These accounts as the clearing of a date finds them now. Call it under the lock of their shard. */
export async function dueFactsOf(
  tx: Tx,
  of: Pick<DueAsked, 'platformId' | 'date'>,
  accountIds: readonly Id[],
): Promise<Map<Id, DueFacts>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<DueRow>(`${DUE_ROWS} WHERE a.id IN (${accountIds.join()})`);
  return new Map((await factsOf(tx, of, rows.map(standingOf))).map((facts) => [facts.accountId, facts]));
}

/** When an account is next paid by itself. */
export interface NextClearing {
  readonly date: BusinessDate;
  /** As things are now; minor units. */
  readonly amount: Minor;
  readonly fee: Minor;
  /** What it leaves: the reserve, and what refunds that wait want. */
  readonly keptBack: Minor;
  /** Why it pays nothing on that date, as things are now; null: it does. */
  readonly because: NotPaidReason | null;
  /** The date lies in a year whose holidays are not known yet. */
  readonly provisional: boolean;
}

/**
 * The next clearing that pays an account, by the very rules by which it will; null: none does by itself. Terms that change before that are not
 * foreseen, but the reserve of the date is.
 */
export async function nextClearing(
  tx: Tx,
  account: LedgerAccount,
  { businessDate, calendar }: { readonly businessDate: BusinessDate; readonly calendar: Calendar },
): Promise<NextClearing | null> {
  if (account.type !== 'sub') return null;
  const asked = { platformId: account.platformId, date: addDays(businessDate, 1) };
  const bound = (await settlementAccountsOf(tx, [account.id])).get(account.id);
  const unclearedUntil = account.uncleared.at(-1)?.due ?? null;
  const own = (await ownCycles(tx, [account.id])).get(account.id) ?? NEXT_WORKING_DAY;
  const [of] = await factsOf(tx, asked, [{ ...account, unclearedUntil, bankCode: bound?.bankCode, own }]);
  invariant(of, 'an account has its facts');
  if (standing(of) !== undefined) return null;
  const date = firstPaying({ ...of, slices: account.uncleared, after: businessDate }, calendar);
  if (date === null) return null;
  const kept = (await keptBack(tx, [account.id], date)).get(account.id) ?? 0n;
  const slices = account.uncleared.filter(({ due }) => due > date);
  const funds = { ...of.funds, kept, uncleared: notDueOn(slices, date) };
  const due = dueOf({ ...of, slices, funds }, { date, calendar, tellsFrozen: true });
  const sum = (part: 'amount' | 'fee') => ('reason' in due ? 0n : due.reduce((total, line) => total + line[part], 0n));
  return {
    ...{ date, amount: sum('amount'), fee: sum('fee'), keptBack: kept, because: 'reason' in due ? due.reason : null },
    provisional: isProvisional(calendar, date),
  };
}

async function factsOf(
  tx: Tx,
  { platformId, date }: Pick<DueAsked, 'platformId' | 'date'>,
  rows: readonly Standing[],
): Promise<DueFacts[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const agreements = await agreementRecords.load(tx, ids);
  const terms = new Map(rows.map(({ id, own }) => [id, payTermsOf(agreements.get(id), own, date)]));
  const kept = await keptBack(tx, ids, date);
  const clearing = rows.filter(({ unclearedUntil }) => unclearedUntil !== null && unclearedUntil > date);
  const slices = await slicesAfter(
    tx,
    clearing.map(({ id }) => id),
    date,
  );
  const apart = ids.filter((id) => terms.get(id)?.merge === false);
  const credits = await creditsByDay(tx, apart, addDays(date, -CREDITS_LOOK_BACK));
  const platformMax = (await loadBook(tx, platformId)).terms.feeMax;
  return rows.map((row) => {
    const of = slices.get(row.id) ?? [];
    return {
      ...{ accountId: row.id, state: row.state, terms: terms.get(row.id) as PayTerms, slices: of, platformMax },
      funds: {
        ...{ balance: row.balance, held: reservedOf(row), kept: kept.get(row.id) ?? 0n },
        uncleared: notDueOn(of, date),
      },
      boundBank: row.bankCode,
      credits: credits.get(row.id) ?? [],
    };
  });
}

async function slicesAfter(tx: Tx, accountIds: readonly Id[], date: BusinessDate): Promise<Map<Id, UnclearedSlice[]>> {
  const found = new Map<Id, UnclearedSlice[]>();
  if (accountIds.length === 0) return found;
  const rows = await tx.rows<{ account_id: string; due_date: BusinessDate; amount: string }>(
    `SELECT account_id, due_date, amount FROM uncleared
     WHERE account_id IN (${accountIds.join()}) AND due_date > ? AND amount > 0 ORDER BY account_id, due_date`,
    [date],
  );
  for (const row of rows) {
    const of = found.get(asId(row.account_id)) ?? [];
    of.push({ due: row.due_date, amount: BigInt(row.amount) });
    found.set(asId(row.account_id), of);
  }
  return found;
}
