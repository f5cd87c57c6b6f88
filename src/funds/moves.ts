import { addDays, type BusinessDate, type Minor, type Refusal, refuse } from '../kernel/index.js';
import type { Fund, FundDay, FundOrder, Holding } from './records.js';
import { incomeOf, type Units } from './rules.js';

// What becomes of a holding, pure. Units are there, or frozen, or gone; money is pending, or units, or due.

type Of = Pick<Holding, 'accountId' | 'fund' | 'platformId' | 'customerId'>;

export function emptyHolding({ accountId, fund, platformId, customerId }: Of): Holding {
  const nothing = { units: 0n, frozen: 0n, pending: 0n, due: 0n, incomeTo: null, income: 0n };
  return { accountId, fund, platformId, customerId, ...nothing };
}

/** Units that no redemption has taken. */
export function freeUnits({ units, frozen }: Pick<Holding, 'units' | 'frozen'>): Units {
  return units - frozen;
}

/** Units that a redemption takes; nothing else can. @returns FUND_UNITS_SHORT */
export function withFrozen(holding: Holding, units: Units): Holding | Refusal {
  const free = freeUnits(holding);
  if (free < units) return refuse('FUND_UNITS_SHORT', undefined, { free: String(free) });
  return { ...holding, frozen: holding.frozen + units };
}

/** What the income of each day before a date needs: a holding that has had all of it. Those who come and go on that date have no part in it. */
function lacksIncome({ kind }: Fund, { units, incomeTo }: Holding, date: BusinessDate): Refusal | undefined {
  if (kind !== 'money' || (units === 0n && (incomeTo === null || incomeTo < date))) return undefined;
  const before = addDays(date, -1);
  return incomeTo === before ? undefined : refuse('FUND_INCOME_ORDER', undefined, { incomeTo, neededTo: before });
}

/** Units that were bought are there, and earn from the date of their confirmation on. @returns FUND_INCOME_ORDER */
export function withBought(
  fund: Fund,
  holding: Holding,
  { amount, units, date }: { amount: Minor; units: Units; date: BusinessDate },
): Holding | Refusal {
  const lacking = lacksIncome(fund, holding, date);
  if (lacking !== undefined) return lacking;
  const incomeTo = fund.kind === 'money' ? addDays(date, -1) : holding.incomeTo;
  return { ...holding, pending: holding.pending - amount, units: holding.units + units, incomeTo };
}

/** Units that were redeemed are gone; they have earned to the day before the date of their confirmation. @returns FUND_INCOME_ORDER */
export function withSold(
  fund: Fund,
  holding: Holding,
  { units, date, due }: { units: Units; date: BusinessDate; due: Minor },
): Holding | Refusal {
  const lacking = lacksIncome(fund, holding, date);
  if (lacking !== undefined) return lacking;
  return { ...holding, units: holding.units - units, frozen: holding.frozen - units, due: holding.due + due };
}

/**
 * The income of a day, in units. Frozen units earn too, as long as they are not redeemed.
 * @returns FUND_INCOME_ORDER where it is not the next day of the holding
 */
export function withIncome(holding: Holding, { from, date, per10k }: FundDay): { holding: Holding; units: Units } | Refusal {
  const next = holding.incomeTo === null ? null : addDays(holding.incomeTo, 1);
  if (next !== from) return refuse('FUND_INCOME_ORDER', undefined, { incomeTo: holding.incomeTo, from });
  const units = incomeOf(holding.units, per10k ?? 0n);
  const after = { ...holding, units: holding.units + units, income: holding.income + units, incomeTo: date };
  return { holding: after, units };
}

type Ordered = Pick<FundOrder, 'id' | 'platformId' | 'shardId' | 'accountId' | 'customerId' | 'fund' | 'direction' | 'way'> &
  Pick<FundOrder, 'state' | 'tradingDate' | 'createdMs'> &
  Partial<FundOrder>;

/** An order of which nothing is known yet but what was asked. */
export function newOrder(asked: Ordered): FundOrder {
  return {
    ...{ amount: 0n, units: 0n, collected: 0n, partnerId: null, attempts: 0, changedMs: asked.createdMs },
    ...{ nav: null, confirmedOn: null, settlesOn: null, settlementId: null, reason: null, ...asked },
  };
}
