import { addDays, type Calendar, type Instant, naturalDate, type Refusal, refuse } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import type { FundDay } from './records.js';
import { isTradingDay, NAV_ONE } from './rules.js';
import { findFund, insertFundDay, lastFundDay } from './store.js';

/**
 * Takes what a company says of a fund's day. Days follow each other: income is that of all natural days since the day before it in our books.
 * @returns `taken`, or `known` where it said the same before; FUND_NOT_FOUND, FUND_DAY_WRONG (another day than the next, or values that such a
 * fund has not), FUND_DAY_DIFFERS (it said something else of it before)
 */
export async function takeFundDay(
  tx: Tx,
  day: FundDay,
  { calendar, nowMs }: { calendar: Calendar; nowMs: Instant },
): Promise<'taken' | 'known' | Refusal> {
  const fund = await findFund(tx, day.fund);
  if (fund === undefined) return refuse('FUND_NOT_FOUND', undefined, { fund: day.fund });
  const last = await lastFundDay(tx, day.fund);
  if (last !== undefined && day.date <= last.date) return knownDay(tx, day);
  const wrong = (detail: string) => refuse('FUND_DAY_WRONG', detail, { fund: day.fund, date: day.date });
  if (day.date > naturalDate(nowMs)) return wrong('The day is not over.');
  if (day.from > day.date) return wrong('It begins after its own date.');
  if (fund.kind === 'money') {
    if (day.nav !== NAV_ONE) return wrong('A unit of a money fund is worth one yuan.');
    if (day.per10k === null || day.per10k < 0n) return wrong('A money fund tells the income of 10,000 units.');
    if (last !== undefined && day.from !== addDays(last.date, 1)) return wrong(`The next day is ${addDays(last.date, 1)}.`);
    // Who comes or goes does so on a trading day: none lies behind the first of the days that are told together.
    for (let date = addDays(day.from, 1); date <= day.date; date = addDays(date, 1))
      if (isTradingDay(calendar, date)) return wrong('Trading days are told one by one.');
  } else {
    if (day.per10k !== null || day.nav <= 0n) return wrong('Such a fund tells the value of a unit alone.');
    if (day.from !== day.date || !isTradingDay(calendar, day.date)) return wrong('It is not a trading day.');
  }
  await insertFundDay(tx, day, nowMs);
  return 'taken';
}

async function knownDay(tx: Tx, day: FundDay): Promise<'known' | Refusal> {
  const known = await lastFundDay(tx, day.fund, addDays(day.date, 1));
  const same = known?.date === day.date && known.from === day.from && known.nav === day.nav && known.per10k === day.per10k;
  return same && known.sevenDay === day.sevenDay
    ? 'known'
    : refuse('FUND_DAY_DIFFERS', undefined, { fund: day.fund, date: day.date });
}
