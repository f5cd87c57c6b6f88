import { type CycleTerms, dueDate, ownCycles } from '../../accounts/index.js';
import { agreementRecords, type PayTerms, payTermsOf } from '../../agreements/index.js';
import { addDays, asId, type BusinessDate, type Id, toWire, workingDayAfter } from '../../kernel/index.js';
import type { Posting, RecordType } from '../../ledger/index.js';
import type { At, Effects, Facts, Kind, Needs } from '../kind.js';

/** How a sub-merchant was opened to be paid; none of one who is paid on the next working day. Read here, written in `accounts`. */
const ownCycleRecords: RecordType<CycleTerms> = {
  name: 'own-cycle',
  accountsOf: () => [],
  load: (tx, keys) => ownCycles(tx, keys.map(asId)),
  saving: () => {
    throw new Error('no instruction changes how a sub-merchant was opened to be paid');
  },
};

const NEXT_WORKING_DAY: CycleTerms = { cycle: 't+1', cycleDays: null, payDay: null };

/** What is to be seen of a seller to say how he is paid. */
export function payTermsNeeds(account: Id): NonNullable<Needs['records']> {
  return [
    [agreementRecords, account],
    [ownCycleRecords, account],
  ];
}

/** How a seller is paid on the open date, once that was seen. */
export function payTermsIn(facts: Facts, account: Id, at: At): PayTerms {
  const own = facts.record(ownCycleRecords, account) ?? NEXT_WORKING_DAY;
  return payTermsOf(facts.record(agreementRecords, account), own, at.book.businessDate);
}

/** What is to be seen of all sellers to whom an instruction brings income. */
export function dueNeeds(sellers: readonly Id[]): NonNullable<Needs['records']> {
  return sellers.flatMap(payTermsNeeds);
}

/**
 * Income clears as money from outside does, on the next working day; it may leave the bank when the cycle says that its owner agreed. Both
 * are one date on the credit: no list beside the books can come apart from it, what goes back takes the latest with it, and what moves on
 * to another account keeps its age. Asked here for every kind that brings income, so that none can forget it.
 */
export function withDueDates(kind: Kind, effects: Effects, facts: Facts, at: At): Effects {
  if (kind.income !== true) return effects;
  const due: { account: string; from: BusinessDate }[] = [];
  const postings = effects.postings.map((posting): Posting => {
    const { account, amount, clears } = posting;
    if (amount <= 0n || clears === undefined || clears === 'inherit' || facts.account(account)?.type !== 'sub') return posting;
    const from = dueDate(payTermsIn(facts, account, at), creditedOn(clears, at), at.calendar);
    if (from === clears) return posting;
    due.push({ account: toWire('account', account), from });
    return { ...posting, clears: from };
  });
  return due.length === 0 ? effects : { ...effects, postings, result: { ...effects.result, due } };
}

/** The day on which money came in that clears on a date: today, or the last day before it where it is still to come. */
function creditedOn(clears: BusinessDate, { book, calendar }: At): BusinessDate {
  return workingDayAfter(calendar, book.businessDate) === clears ? book.businessDate : addDays(clears, -1);
}
