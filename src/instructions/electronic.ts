import { electronicRecords } from '../accounts/index.js';
import { type Id, type Refusal, refuse, toWire } from '../kernel/index.js';
import { isElectronic, type LedgerAccount } from '../ledger/index.js';
import type { Facts } from './kind.js';

/** The account of what only people do, on electronic accounts. @returns ACCOUNT_NOT_FOUND, ACCOUNT_TYPE_NOT_ALLOWED */
export function electronicAccount(id: Id, facts: Facts): LedgerAccount | Refusal {
  const account = facts.account(id);
  if (account === undefined) return refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) });
  return isElectronic(account.type) ? account : refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type: account.type });
}

/** Whether two accounts have one owner: a person is the same on every electronic account of his. */
export function isSameOwner(one: Id, other: Id, facts: Facts): boolean {
  return ownerOf(one, facts) === ownerOf(other, facts);
}

function ownerOf(account: Id, facts: Facts): Id {
  const electronic = isElectronic(facts.account(account)?.type) ? facts.record(electronicRecords, account) : undefined;
  return electronic?.customerId ?? account;
}
