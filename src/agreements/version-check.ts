import { cycleFaults, isSameDay, SETTLED_WITHIN_DAYS } from '../accounts/index.js';
import { addDays, type BusinessDate, type Id, type Refusal, type RefusalCode, refuse } from '../kernel/index.js';
import { checkRule, showParty } from './rule-check.js';
import type { Party } from './rules.js';
import { type AgreedCycle, overlap, ownCycle, type Period, type Terms } from './terms.js';

/** Whether the bank can accept a version of an agreement at all. Pure; every fault at once. */

export interface Fault {
  readonly code: RefusalCode;
  readonly pointer: string;
  readonly detail: string;
}

/** An approved version of the same agreement. */
export interface Approved extends Period {
  readonly id: Id;
  readonly version: number;
  readonly amends: number | null;
}

/** What terms are agreed on, of whomever. */
export interface AskedTerms extends Period {
  readonly terms: Terms;
}

/** A version that was asked for. */
export interface AskedVersion extends AskedTerms {
  readonly amends: number | null;
}

/** The accounts that a rule names, each with the pointers of its places. */
export type Named = ReadonlyMap<Party, readonly string[]>;

/** Where a version of one seller's agreement shall stand. */
export interface Surroundings {
  readonly accountId: Id;
  /** When the sub-merchant was opened. */
  readonly openedOn: BusinessDate;
  /** Open accounts of sub-merchants of the platform. */
  readonly open: ReadonlySet<Id>;
  readonly approved: readonly Approved[];
  /** Days since the opening before which nobody is settled on the same day. */
  readonly sameDayDays: number;
  /** Days in a row, up to today, on which he sold something, and how many of them that needs. */
  readonly tradingDays: number;
  readonly sameDayTrading: number;
}

/**
 * What is wrong with terms and dates, whoever the seller is.
 * @returns what `checkRule` finds, AGREEMENT_CAPS, CYCLE_INVALID, AGREEMENT_CATEGORIES, AGREEMENT_BACKDATED, AGREEMENT_DATES, each with its
 *   place in the request
 */
export function checkTerms(asked: AskedTerms, today: BusinessDate): Fault[] {
  const { terms, validFrom, validTo } = asked;
  const caps = { others: terms.othersCap, commission: terms.profitMax };
  const rule = checkRule(terms.rule, caps, '/terms/rule').map(({ code, detail = '', fields }) => ({
    ...{ code, detail },
    pointer: String(fields?.pointer ?? '/terms/rule'),
  }));
  const faults: Fault[] = [...rule, ...capFaults(terms), ...payoutFaults(terms), ...categoryFaults(terms)];
  if (validFrom < today) faults.push({ code: 'AGREEMENT_BACKDATED', pointer: '/validFrom', detail: `lies before ${today}` });
  if (validTo !== null && validTo < validFrom)
    faults.push({ code: 'AGREEMENT_DATES', pointer: '/validTo', detail: 'lies before the first day' });
  return faults;
}

/**
 * What is wrong with a version as the one of this seller.
 * @param named of the terms' rule
 * @returns RECEIVER_NOT_ALLOWED, SETTLEMENT_TOO_EARLY, AGREEMENT_DATES, AGREEMENT_AMENDS, AGREEMENT_OVERLAPS
 */
export function checkPlaced(asked: AskedVersion, named: Named, around: Surroundings): Fault[] {
  const { validFrom, validTo, amends } = asked;
  const faults = [...receiverFaults(named, around), ...sameDayFaults(asked, around)];
  if (amends !== null && validTo === null)
    faults.push({ code: 'AGREEMENT_DATES', pointer: '/validTo', detail: 'is missing: a promotion has a last day' });
  else if (validTo === null || validTo >= validFrom)
    faults.push(...(amends === null ? versionFaults : promotionFaults)(asked, around.approved));
  return faults;
}

function receiverFaults(named: Named, { accountId, open }: Surroundings): Fault[] {
  return [...named]
    .filter(([party]) => party === accountId || !open.has(party as Id))
    .map(([party, [pointer = '/terms/rule']]) => ({
      ...{ code: 'RECEIVER_NOT_ALLOWED' as const, pointer },
      detail:
        party === accountId
          ? 'is the seller himself: he is named seller'
          : `${showParty(party)} is no open account of another sub-merchant of the platform`,
    }));
}

/** 银发〔2016〕261号: nobody is settled on the day itself who is new, or who has not traded day after day for a while. */
function sameDayFaults({ terms: { cycle }, validFrom }: AskedVersion, around: Surroundings): Fault[] {
  if (!isSameDay(ownCycle(cycle))) return [];
  const first = addDays(around.openedOn, around.sameDayDays);
  const fault = (detail: string): Fault => ({ code: 'SETTLEMENT_TOO_EARLY', pointer: '/terms/cycle', detail });
  const faults = validFrom >= first ? [] : [fault(`can be agreed for ${first} at the earliest`)];
  if (around.tradingDays < around.sameDayTrading)
    faults.push(fault(`needs ${around.sameDayTrading} trading days in a row; there are ${around.tradingDays}`));
  return faults;
}

function capFaults({ profitMax, othersCap, orderMax, volume }: Terms): Fault[] {
  const fault = (pointer: string, detail: string): Fault => ({ code: 'AGREEMENT_CAPS', pointer, detail });
  const faults: Fault[] = [];
  if (profitMax > othersCap) faults.push(fault('/terms/profitMax', "is above othersCap, which contains the platform's profit"));
  if (volume.day !== null && volume.month !== null && volume.day > volume.month)
    faults.push(fault('/terms/volume/day', 'is above the volume of a month'));
  const least = [volume.day, volume.month].filter((cap) => cap !== null).sort((a, b) => (a < b ? -1 : 1))[0];
  if (orderMax !== null && least !== undefined && orderMax > least)
    faults.push(fault('/terms/orderMax', 'is above the volume of a day or month'));
  return faults;
}

/** The most natural days that a hold-back and the cycle behind it have together; monthly is there without any. */
const CYCLE_SPANS: Readonly<Partial<Record<AgreedCycle, number>>> = { weekly: 7, monthly: SETTLED_WITHIN_DAYS };

function payoutFaults({ cycle, cycleDays, payout, feeMax }: Terms): Fault[] {
  const wrong = cycleFaults({ cycle: ownCycle(cycle), cycleDays, payDay: payout.day });
  const faults = wrong.map(({ field, detail }): Fault => {
    const pointer = field === 'payDay' ? '/terms/payout/day' : '/terms/cycleDays';
    return { code: 'CYCLE_INVALID', pointer, detail };
  });
  const most = SETTLED_WITHIN_DAYS - (cycleDays ?? CYCLE_SPANS[cycle] ?? 1);
  if (payout.holdBackDays > Math.max(most, 0))
    faults.push({
      ...{ code: 'CYCLE_INVALID', pointer: '/terms/payout/holdBackDays' },
      detail: `must be at most ${Math.max(most, 0)} on this cycle: ${SETTLED_WITHIN_DAYS} days in all`,
    });
  if (feeMax !== null && (payout.fee.fixed > feeMax || (feeMax === 0n && payout.fee.percent > 0n)))
    faults.push({ code: 'AGREEMENT_CAPS', pointer: '/terms/payout/fee', detail: 'is above feeMax, the most of one fee' });
  return faults;
}

function categoryFaults({ categories, forbidden }: Terms): Fault[] {
  const both = categories.filter((code) => forbidden.includes(code));
  if (both.length === 0) return [];
  return [{ code: 'AGREEMENT_CATEGORIES', pointer: '/terms/forbidden', detail: `${both.join(', ')} stands in both lists` }];
}

const overlaps = ({ version, validFrom, validTo }: Approved): Fault => ({
  code: 'AGREEMENT_OVERLAPS',
  pointer: '/validFrom',
  detail: `version ${version} is in force from ${validFrom} ${validTo === null ? 'on' : `to ${validTo}`}`,
});

/** A promotion lies within the version that it amends, and beside other promotions. */
function promotionFaults(asked: AskedVersion, approved: readonly Approved[]): Fault[] {
  const beneath = approved.find(({ version }) => version === asked.amends);
  const contains =
    beneath !== undefined &&
    beneath.amends === null &&
    beneath.validFrom <= asked.validFrom &&
    (beneath.validTo === null || (asked.validTo !== null && asked.validTo <= beneath.validTo));
  const faults: Fault[] = [];
  if (!contains)
    faults.push({
      ...{ code: 'AGREEMENT_AMENDS', pointer: '/amends' },
      detail: 'must be an approved version, no promotion itself, that is in force as long as the promotion',
    });
  return [...faults, ...approved.filter((other) => other.amends !== null && overlap(asked, other)).map(overlaps)];
}

/**
 * Terms without an end take over from those before them on their first day, as long as no promotion of those runs on. Terms with an end find
 * the time free: what shall be different for a while is a promotion.
 */
function versionFaults(asked: AskedVersion, approved: readonly Approved[]): Fault[] {
  const beneath = approved.filter((other) => other.amends === null && overlap(asked, other));
  return beneath.flatMap((other) => {
    if (!takesOver(asked, other)) return [overlaps(other)];
    return approved.filter((each) => each.amends === other.version && overlap(asked, each)).map(overlaps);
  });
}

/** Whether a version of which nobody says when it ends ends another one the day before it begins. */
export function takesOver({ validFrom, validTo, amends }: Omit<AskedVersion, 'terms'>, other: Approved): boolean {
  const asked = { validFrom, validTo };
  return amends === null && validTo === null && other.amends === null && other.validFrom < validFrom && overlap(asked, other);
}

/** One refusal that carries every fault; its code is that of the first. */
export function refusalOf([first, ...others]: readonly Fault[]): Refusal | undefined {
  return first && refuse(first.code, `${first.pointer} ${first.detail}`, { faults: [first, ...others] });
}
