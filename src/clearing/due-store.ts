import { addDays, asId, type BusinessDate, type Calendar, type Id, isWorkingDay, type Minor } from '../kernel/index.js';
import { reservedOf } from '../ledger/index.js';
import { keptBack } from '../refunds/index.js';
import type { Tx } from '../runtime/index.js';
import { clearingAmount } from './rules.js';

/** What one sub-merchant is due. Minor units. */
export interface DueLine {
  readonly accountId: Id;
  /** The business date whose money it is. */
  readonly creditedOn: BusinessDate;
  /** Whose day the payout counts for. */
  readonly valueDate: BusinessDate;
  /** What is paid out. */
  readonly amount: Minor;
  /** What is taken of the same balance for the platform. */
  readonly fee: Minor;
}

/** Why money that is there is not paid. Minor units. */
export interface NotPaid {
  readonly accountId: Id;
  readonly reason: string;
  readonly available: Minor;
}

export interface DuePage {
  readonly lines: readonly DueLine[];
  readonly unpaid: readonly NotPaid[];
  /** Where the next page begins; null on the last. */
  readonly next: Id | null;
}

/**
 * What the sub-merchants on the cycle T+1 have withdrawable when `date` is open, of those with a settlement account, less what is kept back:
 * one page of accounts after one, in the order of their ids.
 * @param of limit: how many accounts are looked at; a page may have fewer lines
 */
export async function duePage(
  tx: Tx,
  {
    platformId,
    date,
    after,
    limit,
    calendar,
  }: { platformId: Id; date: BusinessDate; after: Id | null; limit: number; calendar: Calendar; unpaid?: boolean },
): Promise<DuePage> {
  if (!isWorkingDay(calendar, date)) return { lines: [], unpaid: [], next: null };
  const rows = await tx.rows<{ id: string; balance: string; held: string; claimed: string; uncleared: string }>(
    `SELECT a.id, a.balance, a.held, a.claimed, CAST(COALESCE(SUM(u.amount), 0) AS CHAR) AS uncleared
     FROM accounts AS a
     JOIN sub_merchants AS m ON m.account_id = a.id AND m.cycle = 't+1'
     JOIN settlement_accounts AS s ON s.account_id = a.id
     LEFT JOIN uncleared AS u ON u.account_id = a.id AND u.due_date > ?
     WHERE a.platform_id = ? AND a.type = 'sub' AND a.state <> 'closed' AND a.balance > a.held + a.claimed AND a.id > ?
     GROUP BY a.id, a.balance, a.held, a.claimed ORDER BY a.id LIMIT ?`,
    [date, platformId, after ?? '0', limit],
  );
  const kept = await keptBack(
    tx,
    rows.map((row) => asId(row.id)),
    date,
  );
  const lines = rows.flatMap((row): DueLine[] => {
    const funds = { balance: BigInt(row.balance), held: BigInt(row.held), claimed: BigInt(row.claimed) };
    const held = reservedOf(funds) + (kept.get(asId(row.id)) ?? 0n);
    const amount = clearingAmount({ balance: funds.balance, held, uncleared: BigInt(row.uncleared) });
    const creditedOn = addDays(date, -1);
    return amount > 0n ? [{ accountId: asId(row.id), creditedOn, valueDate: date, amount, fee: 0n }] : [];
  });
  const last = rows.at(-1);
  return { lines, unpaid: [], next: rows.length < limit || last === undefined ? null : asId(last.id) };
}
