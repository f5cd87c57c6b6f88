import { z } from 'zod';
import {
  accrualRecords,
  type Earned,
  type ElectronicAccount,
  earned,
  electronicRecords,
  interestReference,
} from '../../accounts/index.js';
import { dealsOnRecords } from '../../escrow/index.js';
import { fundsOnRecords } from '../../funds/index.js';
import { addDays, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import { type LedgerAccount, type Posting, unclearedOf } from '../../ledger/index.js';
import { lendingOnRecords } from '../../lending/index.js';
import { underWayRecords } from '../../payouts/index.js';
import { wireId } from '../../runtime/index.js';
import { suspendedRecords } from '../../suspense/index.js';
import { orderedPayout, settlementAccountRecords } from '../effects/payouts.js';
import { mayAct } from '../judging/limits.js';
import { type At, change, type Effects, type Facts, type Kind, type RecordChange, refused } from '../kind.js';
import { voucher } from '../wire.js';
import { accountedFor } from './interest.js';

const schema = z.strictObject({ account: wireId('account'), voucher });
type Closing = z.output<typeof schema>;

/**
 * An electronic account ends: what is on it and the interest up to the day before go to the bound card, and when they have arrived
 * it is closed for ever. The interest goes to the card with the rest and is never on the account, so no cap can be in its way.
 * Mandates of the account end with it.
 */
export const accountClosing: Kind<Closing> = {
  name: 'account-closing',
  en: 'Closing of an electronic account',
  zh: '电子账户销户',
  origins: ['P', 'O'],
  proof: 'will',
  schema,
  example: { account: 'acc_2236512894231552006' },
  act: ({ account, voucher }) => ({ account, amount: undefined, payee: 'bound-card', voucher }),
  needs: ({ account }, at) => ({
    accounts: [account, at.book.accounts.custody, at.book.accounts['in-transit']],
    records: [
      [electronicRecords, account],
      [accrualRecords, account],
      [settlementAccountRecords, account],
      [underWayRecords, account],
      [suspendedRecords, account],
      [dealsOnRecords, account],
      [lendingOnRecords, account],
      [fundsOnRecords, account],
    ],
  }),
  decide({ account: id }, facts, at) {
    const account = facts.account(id);
    if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
    const electronic = facts.record(electronicRecords, id);
    if (electronic === undefined) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type }));
    const refusal = mayAct(facts, at, id) ?? mayClose(account, facts);
    if (refusal !== undefined) return refused(refusal);
    const due = interestDue(electronic, facts, at);
    const after: ElectronicAccount = { ...electronic, interestFrom: at.book.businessDate };
    const records = due === undefined ? [] : accountedFor(id, due, facts, at);
    const owed = account.balance + (due?.amount ?? 0n);
    if (owed === 0n) {
      const closed: ElectronicAccount = { ...after, state: 'closed', closedMs: at.nowMs };
      return {
        postings: [],
        closes: [id],
        records: [change(electronicRecords, id, closed), ...records],
        result: { interest: '0', paid: '0' },
      };
    }
    return payOut(account, { after: { ...after, state: 'closing' }, due, records }, facts, at);
  },
};

/** Why not all of the account's money can leave now; the first reason of several. */
function mayClose(account: LedgerAccount, facts: Facts): Refusal | undefined {
  const where = { account: toWire('account', account.id) };
  if (account.claimed > 0n) return refuse('ACCOUNT_FROZEN', 'Money of it is frozen, or would be.', where);
  if (account.held > 0n) return refuse('ACCOUNT_NOT_EMPTY', 'Money of it is held.', { ...where, held: String(account.held) });
  const underWay = facts.record(underWayRecords, account.id);
  if (underWay !== undefined && (underWay.paid > 0n || underWay.collected > 0n))
    return refuse('ACCOUNT_NOT_EMPTY', 'A payment of it is under way.', where);
  if ((facts.record(suspendedRecords, account.id)?.left ?? 0n) > 0n)
    return refuse(
      'ACCOUNT_NOT_EMPTY',
      "Money of its owner's could not be credited to it, and waits for the bank's staff.",
      where,
    );
  if ((facts.record(dealsOnRecords, account.id)?.open ?? 0) > 0)
    return refuse('ACCOUNT_NOT_EMPTY', 'A deal that is not over may have to credit it.', where);
  if ((facts.record(lendingOnRecords, account.id)?.open ?? 0) > 0)
    return refuse('ACCOUNT_NOT_EMPTY', 'A project, or a claim on one, is not over.', where);
  if ((facts.record(fundsOnRecords, account.id)?.held ?? 0) > 0) return refuse('FUND_HELD', undefined, where);
  if (unclearedOf(account) > 0n) return refuse('FUNDS_UNCLEARED', undefined, where);
  return undefined;
}

/** What it earned up to the day before, by the rate of today; undefined when all of it was paid. */
function interestDue({ accountId, interestFrom: from }: ElectronicAccount, facts: Facts, at: At): Earned | undefined {
  const today = at.book.businessDate;
  const accrual = facts.record(accrualRecords, accountId);
  if (accrual === undefined || from >= today) return undefined;
  return earned(accrual, { from, through: addDays(today, -1), rateOn: today }, at.parameters);
}

interface Parting {
  readonly after: ElectronicAccount;
  readonly due: Earned | undefined;
  readonly records: readonly RecordChange[];
}

function payOut(account: LedgerAccount, { after, due, records }: Parting, facts: Facts, at: At): Effects | { refused: Refusal } {
  const { id, balance } = account;
  const bound = facts.record(settlementAccountRecords, id);
  if (bound === undefined) return refused(refuse('SETTLEMENT_ACCOUNT_MISSING', undefined, { account: toWire('account', id) }));
  const interest: Minor = due?.amount ?? 0n;
  const amount = balance + interest;
  // The interest comes in today, so that all of it waits for the proof of today.
  const fundedOn = interest > 0n ? { fundedOn: at.book.businessDate } : {};
  const { no, events, ...payout } = orderedPayout(at, {
    purpose: 'closing',
    source: id,
    amount,
    payee: bound,
    ...fundedOn,
  });
  const postings: Posting[] = [];
  if (interest > 0n) postings.push({ account: at.book.accounts.custody, amount: -interest });
  if (balance > 0n) postings.push({ account: id, amount: -balance, draw: 'cleared-only', flow: 'bound' });
  postings.push({ account: at.book.accounts['in-transit'], amount });
  return {
    postings,
    records: [change(electronicRecords, id, after), ...records, ...payout.records],
    ...(due === undefined || interest === 0n
      ? {}
      : { boundary: [{ reference: interestReference(id, due.through), amount: interest }] }),
    events,
    result: { payout: no, interest: String(interest), paid: String(amount) },
  };
}
