import { isSameDay, subMerchantsByAccount } from '../accounts/index.js';
import { addDays, type BusinessDate, type Calendar, type Id, isWorkingDay, naturalDate } from '../kernel/index.js';
import { type Book, creditsByDay, loadAccounts, loadBook } from '../ledger/index.js';
import { loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { accountsNamed } from './rule-check.js';
import { type Agreement, agreementsOf, approvedVersions, lastVersions } from './store.js';
import { ownCycle, type Terms } from './terms.js';
import { type Approved, type AskedTerms, checkPlaced, checkTerms, type Fault } from './version-check.js';

/** The version of one seller's agreement among those that are submitted with the same terms. */
export interface Line {
  readonly agreementNo: string;
  readonly version: number;
  readonly account: Id;
  readonly amends: number | null;
}

/** What there is to be said of terms, and of each seller. */
export interface Seen {
  readonly faults: readonly Fault[];
  readonly lines: readonly (readonly Fault[])[];
  /** The bank's cap, where the terms go beyond it: whoever approves them has to say so. */
  readonly beyondCap: bigint | null;
  /** Each seller's approved versions as they are now. */
  readonly approved: ReadonlyMap<Id, readonly Approved[]>;
}

interface Placed {
  readonly account: Id;
  readonly amends: number | null;
  readonly agreementId: Id | undefined;
}

/**
 * Everything that is wrong with terms for these sellers on this day, whatever their numbers: what is looked at when they are submitted, and
 * again before each decision. A thousand sellers take no more statements than one.
 */
export async function lookAtTerms(
  tx: Tx,
  { clock, calendar }: Pick<Runtime, 'clock' | 'calendar'>,
  platformId: Id,
  asked: AskedTerms & { readonly lines: readonly Placed[] },
): Promise<Seen> {
  const { terms, lines, validFrom, validTo } = asked;
  const book = await loadBook(tx, platformId);
  const parameters = await loadParameters(tx);
  const today = todayOf(book, naturalDate(clock.now()));
  const cap = parameters.on(today, 'split.others-cap');
  const sameDayDays = Number(parameters.on(today, 'same-day.days'));
  const sameDayTrading = Number(parameters.on(today, 'same-day.trading'));
  const named = accountsNamed(terms.rule, '/terms/rule');
  const accounts = [...new Set([...lines.map(({ account }) => account), ...([...named.keys()] as Id[])])];
  const { open, openedOn } = await accountsOf(tx, platformId, accounts, book.businessDate);
  const agreementIds = lines.flatMap(({ agreementId }) => agreementId ?? []);
  const approved = await approvedVersions(tx, agreementIds);
  const sellers = isSameDay(ownCycle(terms.cycle)) ? lines.map(({ account }) => account) : [];
  const trading = await tradingDays(tx, sellers, { before: today, most: sameDayTrading, calendar });
  const linesSeen = lines.map(({ account, amends, agreementId }): Fault[] => {
    const around = {
      ...{ accountId: account, openedOn: openedOn.get(account) ?? today, open, sameDayDays },
      ...{ tradingDays: trading.get(account) ?? 0, sameDayTrading },
      approved: (agreementId && approved.get(agreementId)) ?? [],
    };
    const faults = checkPlaced({ terms, validFrom, validTo, amends }, named, around);
    return open.has(account) ? faults : [NOT_OPEN, ...faults];
  });
  const faults = [...checkTerms(asked, today), ...feeFaults(terms, book.terms.feeMax)];
  return {
    ...{ faults, lines: linesSeen, beyondCap: terms.othersCap > cap ? cap : null },
    approved: new Map(lines.map(({ account, agreementId }) => [account, (agreementId && approved.get(agreementId)) ?? []])),
  };
}

/** Where the agreement names no cap for one fee, the bank's agreement with the platform does. */
function feeFaults({ payout: { fee }, feeMax }: Terms, platformMax: bigint): Fault[] {
  if (feeMax !== null || (fee.fixed <= platformMax && (fee.percent === 0n || platformMax > 0n))) return [];
  const detail = `is above ${platformMax}, the most of one fee that the bank agreed with the platform`;
  return [{ code: 'AGREEMENT_CAPS', pointer: '/terms/payout/fee', detail }];
}

// Thirty trading days in a row with the longest holidays between them.
const TRADING_LOOK_BACK = 75;

/**
 * On how many days in a row up to yesterday each of these accounts received something. Days off on which nothing came neither count nor end
 * the row: a shop that is shut on Sunday trades on.
 */
async function tradingDays(
  tx: Tx,
  accounts: readonly Id[],
  { before, most, calendar }: { readonly before: BusinessDate; readonly most: number; readonly calendar: Calendar },
): Promise<Map<Id, number>> {
  if (accounts.length === 0) return new Map();
  const since = addDays(before, -TRADING_LOOK_BACK);
  const credits = await creditsByDay(tx, accounts, since);
  return new Map(
    [...credits].map(([id, days]) => [id, daysInARow(new Set(days.map(({ date }) => date)), { before, most, since, calendar })]),
  );
}

function daysInARow(
  days: ReadonlySet<BusinessDate>,
  of: { readonly before: BusinessDate; readonly most: number; readonly since: BusinessDate; readonly calendar: Calendar },
): number {
  let count = 0;
  for (let day = addDays(of.before, -1); day >= of.since && count < of.most; day = addDays(day, -1)) {
    if (days.has(day)) count += 1;
    else if (isWorkingDay(of.calendar, day)) break;
  }
  return count;
}

const NOT_OPEN: Fault = {
  code: 'ACCOUNT_NOT_FOUND',
  pointer: '/account',
  detail: 'is no open account of a sub-merchant of the platform',
};

/** Which of these are open accounts of the platform's sub-merchants, and since when. */
async function accountsOf(tx: Tx, platformId: Id, ids: readonly Id[], businessDate: BusinessDate) {
  const merchants = await subMerchantsByAccount(tx, ids);
  const accounts = await loadAccounts(tx, ids, () => businessDate);
  const isOpen = (id: Id) =>
    merchants.get(id)?.platformId === platformId && accounts.get(id)?.type === 'sub' && accounts.get(id)?.state !== 'closed';
  return {
    open: new Set(ids.filter(isOpen)),
    openedOn: new Map([...merchants].map(([id, { openedMs }]) => [id, naturalDate(openedMs)])),
  };
}

/** Orders are bound by the book's date, people think in natural days: nothing begins before either. */
function todayOf({ businessDate }: Book, natural: BusinessDate): BusinessDate {
  return businessDate > natural ? businessDate : natural;
}

/** The same with the numbers of agreements and versions, and the agreement of each line where there is one. */
export async function lookAt(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'calendar'>,
  platformId: Id,
  asked: AskedTerms & { readonly lines: readonly Line[] },
): Promise<Seen & { readonly agreements: readonly (Agreement | undefined)[] }> {
  const { lines } = asked;
  const known = await agreementsOf(
    tx,
    platformId,
    lines.map(({ agreementNo }) => agreementNo),
    lines.map(({ account }) => account),
  );
  const byNumber = new Map(known.map((of) => [of.agreementNo, of]));
  const byAccount = new Map(known.map((of) => [of.accountId, of]));
  const last = await lastVersions(
    tx,
    known.map(({ id }) => id),
  );
  const agreements = lines.map(({ agreementNo }) => byNumber.get(agreementNo));
  const placed = lines.map(({ account, amends }, place) => ({ account, amends, agreementId: agreements[place]?.id }));
  const seen = await lookAtTerms(tx, rt, platformId, { ...asked, lines: placed });
  const numbers = lines.map((line, place) => {
    const agreement = agreements[place];
    const next = ((agreement && last.get(agreement.id)) ?? 0) + 1;
    return numberFaults(line, { agreement, other: byAccount.get(line.account), next });
  });
  return { ...seen, agreements, lines: seen.lines.map((faults, place) => [...(numbers[place] as Fault[]), ...faults]) };
}

interface NumberedAs {
  /** The one of this number. */
  readonly agreement: Agreement | undefined;
  /** The one of this account. */
  readonly other: Agreement | undefined;
  readonly next: number;
}

function numberFaults({ account, version }: Line, { agreement, other, next }: NumberedAs): Fault[] {
  if (agreement === undefined && other !== undefined)
    return [{ code: 'AGREEMENT_EXISTS', pointer: '/agreementNo', detail: 'is not the number of the agreement of this account' }];
  if (agreement !== undefined && agreement.accountId !== account)
    return [
      { code: 'AGREEMENT_NO_REUSED', pointer: '/agreementNo', detail: 'is the number of the agreement of another account' },
    ];
  return version === next ? [] : [{ code: 'AGREEMENT_VERSION_NOT_NEXT', pointer: '/version', detail: `must be ${next}` }];
}
