import { createHash } from 'node:crypto';
import { placesOfDates } from '../accounts/index.js';
import { addDays, type BusinessDate, type Id, type Minor, naturalDate, startOfDay, toWire, toYuan } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { ID_TYPES, loadParties, type StoredParty } from '../parties/index.js';
import { csvLine, isDuplicateKey, type Runtime, type Tx } from '../runtime/index.js';
import { daysOfQuarter, parseQuarter, type Quarter } from './rules.js';
import { addFigures, figuresOf, NOTHING_EARNED, type TaxFigures } from './tax-rules.js';
import {
  adjustmentsOf,
  commissionOfOrders,
  entryCount,
  insertTaxReport,
  ordersByMonth,
  platformsPast,
  type Seller,
  sellersOf,
  type TaxAdjustment,
  takeAdjustments,
  taxedPage,
  taxVersions,
} from './tax-store.js';

type TaxRuntime = Pick<Runtime, 'db' | 'vault' | 'clock'>;

const PAGE = 200;
const ENTRIES = 500;
/** The rules are in force since October 2025; the first quarter that was reported is the one before. */
const FIRST = '2025Q3';
const QUARTERS_BACK = 4;

interface Month extends TaxFigures {
  readonly orders: number;
}

const NO_MONTH: Month = { ...NOTHING_EARNED, orders: 0 };

/** What a version of a quarter's file adds up to. */
export interface TaxTotals extends TaxFigures {
  readonly sellers: number;
  readonly orders: number;
  readonly unattributed: Minor;
}

/**
 * The file of a platform's quarter, piece by piece: a header `H`, a line `S` a seller with his quarter, a line `M` each of his months with anything in
 * it, and the trailer `T` with counts and sums. Amounts are yuan. Made of entries that change no more, so its bytes are the same each time. Memory
 * is that of a page of sellers. Source: 国务院令第810号.
 * @param adjustments the corrections that the version has
 * @returns the totals, when it is over
 */
async function* taxFile(
  { db, vault }: Pick<Runtime, 'db' | 'vault'>,
  of: { platformId: Id; quarter: Quarter; version: number },
  adjustments: readonly TaxAdjustment[],
): AsyncGenerator<string, TaxTotals> {
  const { from, to, months } = daysOfQuarter(of.quarter);
  const period = { fromMs: startOfDay(from), toMs: startOfDay(addDays(to, 1)), to };
  yield csvLine(['H', 'tax', of.quarter, of.version, toWire('platform', of.platformId), 'CNY']);
  let totals: Omit<TaxTotals, 'unattributed'> = { ...NO_MONTH, sellers: 0 };
  let attributed = 0n;
  for (let after = '0'; ; ) {
    const sellers = await db.read('sellers', (tx) => sellersOf(tx, of.platformId, period, after, PAGE));
    const ids = sellers.map(({ partyId }) => partyId);
    const parties = await db.read('sellers-parties', (tx) => loadParties(tx, vault, [...new Set(ids)]));
    for (const seller of sellers) {
      const earned = await db.read('seller', (tx) => earnedBy(tx, seller, from, to));
      for (const month of earned.values()) attributed += month.commission;
      adjust(earned, adjustments, seller.id);
      const whole = [...earned.values()].reduce<Month>(addMonth, NO_MONTH);
      yield csvLine(['S', seller.merchantNo, ...identityOf(parties.get(seller.partyId)), ...cells(whole)]);
      for (const month of months) {
        const part = earned.get(month);
        if (part !== undefined) yield csvLine(['M', seller.merchantNo, month, ...cells(part)]);
      }
      totals = { ...addMonth({ ...totals }, whole), sellers: totals.sellers + 1 };
    }
    const last = sellers.at(-1);
    if (last === undefined || sellers.length < PAGE) break;
    after = last.id;
  }
  const commission = await db.read('commission', (tx) => commissionBetween(tx, of.platformId, from, to));
  const unattributed = commission - attributed;
  yield csvLine(['T', totals.sellers, ...cells(totals), toYuan(unattributed)]);
  return { ...totals, unattributed };
}

function identityOf(party: StoredParty | undefined): string[] {
  return party === undefined ? ['', '', '', ''] : [party.kind, party.name, ID_TYPES[party.kind], party.idNo];
}

/** Gross, refunds, net, commission, fees, orders. */
function cells({ gross, refunds, commission, fees, orders }: Month): (string | number)[] {
  return [...[gross, refunds, gross - refunds, commission, fees].map(toYuan), orders];
}

function addMonth(a: Month, b: Month): Month {
  return { ...addFigures(a, b), orders: a.orders + b.orders };
}

function adjust(earned: Map<string, Month>, adjustments: readonly TaxAdjustment[], seller: Id): void {
  for (const { merchantId, month, gross, refunds, fees } of adjustments)
    if (merchantId === seller)
      earned.set(month, addMonth(earned.get(month) ?? NO_MONTH, { gross, refunds, fees, commission: 0n, orders: 0 }));
}

/** What a seller earned, by month. */
async function earnedBy(tx: Tx, { id, accounts }: Seller, from: BusinessDate, to: BusinessDate): Promise<Map<string, Month>> {
  const earned = new Map<string, Month>();
  const add = (month: string, more: Month) => earned.set(month, addMonth(earned.get(month) ?? NO_MONTH, more));
  const seen: Id[] = []; // an instruction on both of his accounts is taken from the first of them
  for (const account of accounts) {
    if (account.entries === 0) continue;
    const { first, last } = await placesOfDates(tx, account.id, account.entries, { from, to });
    for (let seq = first; seq <= last; seq += ENTRIES) {
      for (const of of await taxedPage(tx, account.id, seq, Math.min(seq + ENTRIES, last + 1))) {
        if (of.accounts.some((other) => seen.includes(other))) continue;
        const figures = figuresOf(of, id);
        if (figures !== NOTHING_EARNED) add(of.date.slice(0, 7), { ...figures, orders: 0 });
      }
    }
    if (seen.length === 0 && first <= last)
      for (const [month, orders] of await ordersByMonth(tx, account.id, first, last + 1)) add(month, { ...NO_MONTH, orders });
    seen.push(account.id);
  }
  return earned;
}

async function commissionBetween(tx: Tx, platformId: Id, from: BusinessDate, to: BusinessDate): Promise<Minor> {
  const { accounts } = await loadBook(tx, platformId);
  const count = await entryCount(tx, accounts.commission);
  const { first, last } = await placesOfDates(tx, accounts.commission, count, { from, to });
  return commissionOfOrders(tx, accounts.commission, first, last + 1);
}

/**
 * Makes the next version of a quarter where there is none yet, or where corrections were approved since the last one. Only heads are kept; the lines
 * are made again on demand.
 * @returns whether one was made
 */
async function makeTaxReport(rt: TaxRuntime, platformId: Id, quarter: Quarter): Promise<boolean> {
  const [versions, adjustments] = await rt.db.read('tax-versions', async (tx) => {
    return [await taxVersions(tx, platformId, quarter), await adjustmentsOf(tx, platformId, quarter)] as const;
  });
  const fresh = adjustments.filter((each) => each.version === null);
  if (versions.length > 0 && fresh.length === 0) return false;
  const version = (versions[0]?.version ?? 0) + 1;
  const hash = createHash('sha256');
  const file = taxFile(rt, { platformId, quarter, version }, adjustments);
  let piece = await file.next();
  for (; piece.done !== true; piece = await file.next()) hash.update(piece.value);
  const digest = hash.digest('hex');
  const { sellers, gross, refunds, fees, commission, unattributed } = piece.value;
  const head = { platformId, quarter, version, sellers, gross, refunds, fees: fees + commission, unattributed };
  try {
    return await rt.db.withTx('keep-tax-report', async (tx) => {
      await insertTaxReport(tx, { ...head, digest, madeMs: rt.clock.now() });
      const ids = fresh.map(({ id }) => id);
      if (!(await takeAdjustments(tx, ids, version))) throw new Error('an adjustment is in another version');
      return true;
    });
  } catch (error) {
    if (isDuplicateKey(error)) return false; // another worker made it
    throw error;
  }
}

/** Makes what is missing of the last quarters, and the versions for which corrections were approved. Answers how many. */
export async function makeTaxReports(rt: TaxRuntime): Promise<number> {
  let made = 0;
  for (const quarter of quartersBefore(naturalDate(rt.clock.now()))) {
    const { to } = daysOfQuarter(quarter);
    const platforms = await rt.db.read('tax-platforms', (tx) => platformsPast(tx, to, startOfDay(addDays(to, 1))));
    for (const platformId of platforms) if (await makeTaxReport(rt, platformId, quarter)) made += 1;
  }
  return made;
}

/** The last quarters that are over, none from before the rules. */
function quartersBefore(today: BusinessDate): Quarter[] {
  const found: Quarter[] = [];
  let [year, place] = [Number(today.slice(0, 4)), Math.floor((Number(today.slice(5, 7)) - 1) / 3) + 1];
  for (let back = 0; back < QUARTERS_BACK; back += 1) {
    [year, place] = place === 1 ? [year - 1, 4] : [year, place - 1];
    const quarter = parseQuarter(`${year}Q${place}`);
    if (quarter !== undefined && quarter >= FIRST) found.push(quarter);
  }
  return found;
}

/** A version's file whole, as it was when its head was kept. Undefined: there is no such version. */
export async function taxFileOf(rt: TaxRuntime, platformId: Id, quarter: Quarter, version: number): Promise<Buffer | undefined> {
  const [versions, adjustments] = await rt.db.read('tax-versions', async (tx) => {
    return [await taxVersions(tx, platformId, quarter), await adjustmentsOf(tx, platformId, quarter)] as const;
  });
  if (!versions.some((each) => each.version === version)) return undefined;
  const had = adjustments.filter((each) => each.version !== null && each.version <= version);
  const pieces: string[] = [];
  for await (const piece of taxFile(rt, { platformId, quarter, version }, had)) pieces.push(piece);
  return Buffer.from(pieces.join(''), 'utf8');
}
