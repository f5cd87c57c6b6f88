import { settlementAccountsOf } from '../accounts/index.js';
import { type Forecast, forecastClearing } from '../dispatch/index.js';
import { addDays, type BusinessDate, type Id, type Minor } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import type { Runtime, Tx } from '../runtime/index.js';
import type { DueLine, NotPaid } from './due-rules.js';
import { duePage } from './due-store.js';
import { PAGE } from './lines.js';
import { type Clearing, clearingLines, findClearing, listNets, type Net, netLines } from './lines-store.js';

/** Of so many lines the channels are forecast: a routing of more is a computation during which nothing else is served. */
const FORECAST_MAX = 10_000;
/** So many accounts are looked at for an open day. */
const LOOK_MAX = 200_000;
const TOLD_MAX = 100;

/** What a clearing pays or would pay. Minor units. */
export interface Preview {
  /** The date on which it pays. */
  readonly payingOn: BusinessDate;
  /** Null: it is not written down, and this is what it would be if the day were closed now. */
  readonly clearing: Clearing | null;
  readonly nets: readonly Net[];
  /** Of the first lines, as many as `of`. */
  readonly forecast: Forecast & { readonly of: number };
  /** Money that is there and is not paid, by the reason. */
  readonly notPaid: readonly { readonly reason: NotPaid['reason']; readonly accounts: number; readonly available: Minor }[];
  /** The first of those accounts. */
  readonly told: readonly NotPaid[];
  /** False: there are more accounts than were looked at. */
  readonly complete: boolean;
}

/**
 * What the close of a day pays: as it was written down, or, for the day that is open, as it would be if the day were closed now. Nothing is
 * written. Call it in a snapshot.
 */
export async function previewDay(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  platformId: Id,
  date: BusinessDate,
): Promise<Preview | undefined> {
  const payingOn = addDays(date, 1);
  const clearing = await findClearing(tx, platformId, payingOn);
  if (clearing !== undefined && clearing.state !== 'writing') return written(tx, rt, platformId, payingOn, clearing);
  const { businessDate } = await loadBook(tx, platformId);
  return date === businessDate ? foreseen(tx, rt, platformId, payingOn) : undefined;
}

async function written(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  platformId: Id,
  payingOn: BusinessDate,
  clearing: Clearing,
): Promise<Preview> {
  const kept = await listNets(tx, platformId, payingOn);
  const nets = kept.length > 0 ? kept : await netLines(tx, platformId, payingOn);
  const { lines } = await clearingLines(tx, platformId, payingOn, { limit: FORECAST_MAX });
  const forecast = { ...(await forecastClearing(tx, rt, await payments(tx, lines))), of: lines.length };
  return { payingOn, clearing, nets, forecast, notPaid: [], told: [], complete: true };
}

async function payments(tx: Tx, lines: readonly DueLine[]) {
  const ids = lines.map(({ accountId }) => accountId);
  const bound = await settlementAccountsOf(tx, ids);
  return lines.map(({ accountId, amount }) => ({ id: accountId, amount, bankCode: bound.get(accountId)?.bankCode ?? '' }));
}

async function foreseen(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  platformId: Id,
  payingOn: BusinessDate,
): Promise<Preview> {
  const { calendar } = rt;
  const nets = new Map<string, Net>();
  const notPaid = new Map<string, { reason: NotPaid['reason']; accounts: number; available: Minor }>();
  const told: NotPaid[] = [];
  const first: Awaited<ReturnType<typeof payments>> = [];
  let after: Id | null = null;
  let looked = 0;
  do {
    const page = await duePage(tx, { platformId, date: payingOn, after, limit: PAGE, calendar, unpaid: true });
    const lines = await payments(tx, page.lines);
    for (const [place, line] of page.lines.entries()) addNet(nets, line, (lines[place] as (typeof lines)[number]).bankCode);
    for (const one of page.unpaid) {
      const sum = notPaid.get(one.reason) ?? { reason: one.reason, accounts: 0, available: 0n };
      notPaid.set(one.reason, { ...sum, accounts: sum.accounts + 1, available: sum.available + one.available });
    }
    told.push(...page.unpaid.slice(0, TOLD_MAX - told.length));
    first.push(...lines.slice(0, FORECAST_MAX - first.length));
    after = page.next;
    looked += PAGE;
  } while (after !== null && looked < LOOK_MAX);
  const forecast = { ...(await forecastClearing(tx, rt, first)), of: first.length };
  const sorted = [...nets.values()].sort((a, b) => (a.bankCode < b.bankCode ? -1 : 1));
  return { payingOn, clearing: null, nets: sorted, forecast, notPaid: [...notPaid.values()], told, complete: after === null };
}

function addNet(nets: Map<string, Net>, { amount, fee }: DueLine, bankCode: string): void {
  const sum = nets.get(bankCode) ?? { bankCode, lines: 0, due: 0n, fees: 0n, net: 0n };
  nets.set(bankCode, {
    bankCode,
    lines: sum.lines + 1,
    due: sum.due + amount + fee,
    fees: sum.fees + fee,
    net: sum.net + amount,
  });
}
