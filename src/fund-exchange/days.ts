import type { FundDividend, FundFileKind, FundQuote } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import { type Fund, holdingKey, holdingRecords, lastFundDay, listHoldings, takeFundDay } from '../funds/index.js';
import type { BusinessDate, Id, Minor } from '../kernel/index.js';
import { inPages } from '../runtime/index.js';
import type { FundCases } from './cases.js';
import { decided } from './decided.js';
import { incomeGiven } from './instruct.js';
import { accountOfNo, daysFrom, fundAccountNo, turnOf } from './rules.js';

const PAGE = 1_000;

/** The files of a company that are taken together. */
export interface Taking {
  readonly company: string;
  /** The trading day behind that of the orders. */
  readonly date: BusinessDate;
  readonly tradeDate: BusinessDate;
  /** Ours, of this company, by code. */
  readonly funds: ReadonlyMap<string, Fund>;
  readonly files: Readonly<Record<FundFileKind, { readonly count: number; readonly digest: string }>>;
}

/** Nothing of a file counts, for this reason. */
export class Faulty extends Error {}

/**
 * Takes what the funds were worth, and what units earned, on every day from the trading day of the orders to the day before the file's. All of it counts, or
 * nothing. @throws Faulty, and whatever reading throws
 */
export async function takeQuotes({ rt, channels }: Desk, { company, date, tradeDate, funds, files }: Taking): Promise<void> {
  const quotes: FundQuote[] = [];
  await channels.funds.read({ company, kind: 'quotes', date, digest: files.quotes.digest }, async (some) => {
    for (const quote of some) if (funds.has(quote.fund)) quotes.push(quote);
  });
  quotes.sort((one, other) => (one.date < other.date ? -1 : one.date > other.date ? 1 : 0));
  await rt.db.withTx('take-fund-days', async (tx) => {
    for (const { fund: code, date: day, nav, income, yield: sevenDay } of quotes) {
      if (day < tradeDate || day >= date) throw new Faulty(`it quotes ${code} of ${day}`);
      const isMoney = funds.get(code)?.kind === 'money';
      const said = {
        fund: code,
        date: day,
        from: day,
        nav,
        per10k: isMoney ? income : null,
        sevenDay: isMoney ? sevenDay : null,
      };
      const taken = await takeFundDay(tx, said, { calendar: rt.calendar, nowMs: rt.clock.now() });
      if (typeof taken !== 'string') throw new Faulty(`${taken.code} ${code} of ${day}: ${taken.detail ?? ''}`);
    }
    for (const { code, kind } of funds.values()) {
      const wanted = kind === 'money' ? daysFrom(tradeDate, date).at(-1) : tradeDate;
      const last = await lastFundDay(tx, code);
      if (wanted !== undefined && (last === undefined || last.date < wanted))
        throw new Faulty(`it does not quote ${code} of ${wanted}`);
    }
  });
}

/**
 * Gives every holding its income, day after day. What the company has for it must be what its own rate makes of our units; where it is not, the rate
 * counts and a case is opened, so that nobody waits for his money.
 */
export async function takeIncome(desk: Desk, taking: Taking, cases: FundCases): Promise<void> {
  const { company, date, tradeDate, funds, files } = taking;
  for (const day of daysFrom(tradeDate, date)) {
    await desk.channels.funds.read({ company, kind: 'dividends', date, digest: files.dividends.digest }, async (some) => {
      const told = some.filter((each) => each.date === day && funds.has(each.fund));
      const { ours, strangers } = await sortedOut(desk, told);
      await cases.open(
        strangers.map(({ account, fund, units }) => ({
          ...{ platformId: null, class: 'only-theirs' as const, reference: incomeReference(fund, account, day) },
          ...{ ourAmount: null, theirAmount: units },
        })),
      );
      await giveIncome(desk, taking, day, ours, cases);
    });
    await giveRest(desk, taking, day, cases);
  }
}

interface Earned {
  readonly platformId: Id;
  readonly accountId: Id;
  readonly account: string;
  readonly fund: string;
  readonly units: Minor;
}

/** Which of these are of holdings that we have, and which of none. */
async function sortedOut({ rt }: Desk, told: readonly FundDividend[]): Promise<{ ours: Earned[]; strangers: FundDividend[] }> {
  const keyOf = ({ account, fund }: FundDividend) => {
    const accountId = accountOfNo(account);
    return accountId === undefined ? undefined : holdingKey(accountId, fund);
  };
  const keys = told.flatMap((each) => keyOf(each) ?? []);
  const holdings = keys.length === 0 ? undefined : await rt.db.read('holdings-of-file', (tx) => holdingRecords.load(tx, keys));
  const [ours, strangers]: [Earned[], FundDividend[]] = [[], []];
  for (const each of told) {
    const holding = holdings?.get(keyOf(each) ?? '');
    if (holding === undefined) strangers.push(each);
    else ours.push({ ...each, platformId: holding.platformId, accountId: holding.accountId });
  }
  return { ours, strangers };
}

/** Holdings of which the company has said nothing: they earned less than a hundredth of a unit. */
async function giveRest(desk: Desk, taking: Taking, day: BusinessDate, cases: FundCases): Promise<void> {
  for (const { code, kind } of taking.funds.values()) {
    if (kind !== 'money') continue;
    const read = (after: Id) =>
      desk.rt.db.read('holdings-without-income', (tx) => listHoldings(tx, { fund: code, lacksIncomeOf: day, after }, PAGE));
    for await (const some of inPages(PAGE, ({ accountId }) => accountId, read)) {
      const rest = some.map(({ platformId, accountId, fund }) => ({
        ...{ platformId, accountId, fund, account: fundAccountNo(accountId), units: 0n },
      }));
      await giveIncome(desk, taking, day, rest, cases);
    }
  }
}

async function giveIncome(
  desk: Desk,
  { date }: Taking,
  day: BusinessDate,
  earned: readonly Earned[],
  cases: FundCases,
): Promise<void> {
  const outcomes = await decided(
    desk,
    earned.map((of) => incomeGiven(of, day, of.units, turnOf(date))),
  );
  const others = earned.filter(
    (_, at) => outcomes[at]?.code === 'FUND_INCOME_DIFFERS' || outcomes[at]?.code === 'REQUEST_NO_REUSED',
  );
  const ours = await decided(
    desk,
    others.map((of) => incomeGiven(of, day, undefined, turnOf(date, true))),
  );
  await cases.open(
    others.map(({ platformId, fund, account, units }, at) => ({
      ...{ platformId, class: 'amount-differs' as const, reference: incomeReference(fund, account, day) },
      ...{ ourAmount: unitsIn(ours[at]?.detail), theirAmount: units },
    })),
  );
}

function unitsIn(detail: Readonly<Record<string, unknown>> | undefined): Minor | null {
  const units = detail?.units;
  return typeof units === 'string' ? BigInt(units) : null;
}

function incomeReference(fund: string, account: string, day: BusinessDate): string {
  return `${fund}:${account}:${day}`;
}
