import { asId, type BusinessDate, type Id, type Instant, type Minor } from '../kernel/index.js';
import { bringsMoneyIn, type PayoutPurpose, type PayoutState, UNDER_WAY } from '../payouts/index.js';
import type { Tx } from '../runtime/index.js';
import type { HeldLine, Keeper, NotCreditedLine, UnderWayLine } from './rules.js';

/** How many lines of a sort are told one by one; the others are summed up in one more. */
const LINES_MAX = 500;

/** By the origin of the instruction that made the hold; what no instruction made, the system did. */
const HELD_BY: Readonly<Record<string, Keeper>> = { P: 'platform', O: 'bank', S: 'system' };

/** The holds on an account with something left, oldest first, and who had them made. */
export async function holdLines(tx: Tx, accountId: Id): Promise<HeldLine[]> {
  const open = 'h.account_id = ? AND h.amount > h.captured + h.released';
  const rows = await tx.rows<{ id: string; amount: string; purpose: string; expires_ms: string | null; origin: string | null }>(
    `SELECT h.id, h.amount - h.captured - h.released AS amount, h.purpose, h.expires_ms, i.origin FROM holds AS h
     LEFT JOIN instructions AS i ON i.id = h.id WHERE ${open} ORDER BY h.id LIMIT ${LINES_MAX}`,
    [accountId],
  );
  const lines = rows.map((row): HeldLine => {
    const untilMs = row.expires_ms === null ? null : (Number(row.expires_ms) as Instant);
    const amount = BigInt(row.amount);
    const by = HELD_BY[row.origin ?? 'S'] ?? 'system';
    return { kind: 'hold', id: asId(row.id), by, purpose: row.purpose, amount, of: amount, untilMs, count: 1 };
  });
  if (rows.length < LINES_MAX) return lines;
  const [rest] = await tx.rows<{ n: string; amount: string | null }>(
    `SELECT COUNT(*) AS n, CAST(SUM(h.amount - h.captured - h.released) AS CHAR) AS amount FROM holds AS h WHERE ${open} AND h.id > ?`,
    [accountId, rows.at(-1)?.id],
  );
  const amount = BigInt(rest?.amount ?? '0');
  if (amount > 0n) {
    const others = { id: null, by: 'platform', purpose: null, amount, of: amount, untilMs: null } as const;
    lines.push({ kind: 'hold', ...others, count: Number(rest?.n) });
  }
  return lines;
}

/** What bids for projects keep, oldest first: a lender's own, and on the marketing account all that the platform adds to them as one line. */
export async function bidLines(tx: Tx, { id, platformId, type }: { id: Id; platformId: Id; type: string }): Promise<HeldLine[]> {
  const fixed = { kind: 'bid', by: 'platform', untilMs: null } as const;
  const summed = async (what: string, where: string, values: readonly unknown[]): Promise<HeldLine[]> => {
    const [row] = await tx.rows<{ n: string; amount: string | null }>(
      `SELECT COUNT(*) AS n, CAST(SUM(${what}) AS CHAR) AS amount FROM lending_bids WHERE ${where} AND state = 'open' AND ${what} > 0`,
      values,
    );
    const amount = BigInt(row?.amount ?? '0');
    return amount === 0n ? [] : [{ ...fixed, id: null, purpose: null, amount, of: amount, count: Number(row?.n) }];
  };
  if (type === 'marketing') return summed('marketing', 'platform_id = ?', [platformId]);
  const rows = await tx.rows<{ id: string; own: string; project_no: string }>(
    `SELECT id, own, project_no FROM lending_bids WHERE account_id = ? AND state = 'open' ORDER BY id LIMIT ${LINES_MAX}`,
    [id],
  );
  const lines = rows.map((row): HeldLine => {
    const amount = BigInt(row.own);
    return { ...fixed, id: asId(row.id), purpose: row.project_no, amount, of: amount, count: 1 };
  });
  if (rows.length < LINES_MAX) return lines;
  return [...lines, ...(await summed('own', 'account_id = ? AND id > ?', [id, rows.at(-1)?.id]))];
}

/** What is under way out of an account or into it, oldest first. */
export async function underWayLines(tx: Tx, accountId: Id): Promise<UnderWayLine[]> {
  const under = `source_account_id = ? AND state IN (${UNDER_WAY.map((state) => `'${state}'`).join()})`;
  const rows = await tx.rows<{ id: string; purpose: PayoutPurpose; state: PayoutState; amount: string; created_ms: string }>(
    `SELECT id, purpose, state, amount, created_ms FROM payouts WHERE ${under} ORDER BY id LIMIT ${LINES_MAX}`,
    [accountId],
  );
  const lines = rows.map((row): UnderWayLine => {
    const { purpose, state } = row;
    const createdMs = Number(row.created_ms) as Instant;
    return {
      payout: asId(row.id),
      direction: directionOf(purpose),
      purpose,
      state,
      amount: BigInt(row.amount),
      createdMs,
      count: 1,
    };
  });
  if (rows.length < LINES_MAX) return lines;
  const rest = await tx.rows<{ purpose: PayoutPurpose; n: string; amount: string }>(
    `SELECT purpose, COUNT(*) AS n, CAST(SUM(amount) AS CHAR) AS amount FROM payouts WHERE ${under} AND id > ? GROUP BY purpose`,
    [accountId, rows.at(-1)?.id],
  );
  const others = rest.map(({ purpose, n, amount }): UnderWayLine => {
    const summed = { payout: null, state: null, createdMs: null, count: Number(n) };
    return { ...summed, direction: directionOf(purpose), purpose, amount: BigInt(amount) as Minor };
  });
  return [...lines, ...others];
}

function directionOf(purpose: PayoutPurpose): 'out' | 'in' {
  return bringsMoneyIn({ purpose }) ? 'in' : 'out';
}

/** What channels have collected for an account and it has not got yet, by the date whose statement is to show it, the earliest first. */
export async function notCreditedLines(tx: Tx, { id, platformId }: { id: Id; platformId: Id }): Promise<NotCreditedLine[]> {
  const rows = await tx.rows<{ due_on: BusinessDate; n: string; amount: string }>(
    `SELECT c.due_on, COUNT(*) AS n, CAST(SUM(c.amount) AS CHAR) AS amount FROM channel_collections AS c JOIN payouts AS p ON p.id = c.payout_id
     WHERE c.platform_id = ? AND c.credited_by IS NULL AND p.source_account_id = ? GROUP BY c.due_on ORDER BY c.due_on`,
    [platformId, id],
  );
  return rows.map((row) => ({ amount: BigInt(row.amount), paidOverOn: row.due_on, count: Number(row.n) }));
}
