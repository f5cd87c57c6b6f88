import type { Id } from '../kernel/index.js';
import type { Tx, Vault } from '../runtime/index.js';
import { membersAmong, membersBoundTo, membersOfVirtualNumbers, ordersNamed } from './matching-store.js';
import {
  type Candidate,
  type Match,
  type MatchReason,
  orderNumbersIn,
  rankCandidates,
  virtualNumbersIn,
  virtualNumbersNear,
} from './rules.js';
import type { SuspenseItem } from './store.js';

/**
 * Whose the money may be: accounts of the platform's members, each with what speaks for it. The same books give the same answer in the same
 * order. It proposes nothing: two people do.
 */
export async function candidatesOf(tx: Tx, vault: Vault, item: SuspenseItem): Promise<Candidate[]> {
  const { platformId, payer, reference } = item;
  const text = `${reference} ${item.told === '' ? '' : vault.read(item.told)}`;
  const [name, account] = [vault.read(payer.name), payer.account === '' ? '' : vault.read(payer.account)];
  const found: Match[] = [];
  const note = (reason: MatchReason, accounts: readonly Id[]) => {
    for (const each of accounts) found.push({ account: each, reason });
  };
  note('meant-for', item.fromAccountId === null ? [] : [item.fromAccountId]);
  note('virtual-number', await membersOfVirtualNumbers(tx, platformId, virtualNumbersIn(text)));
  note('virtual-number-misspelt', await membersOfVirtualNumbers(tx, platformId, virtualNumbersNear(text)));
  if (account !== '') note('payer-account', await membersBoundTo(tx, platformId, 'account_index', vault.index('card', account)));
  note('payer-name', await membersBoundTo(tx, platformId, 'holder_index', vault.index('holder', name)));
  for (const order of await ordersNamed(tx, platformId, orderNumbersIn(text))) {
    note('order-number', order.receivers);
    if (order.paid === item.amount) note('order-amount', order.receivers);
  }
  const members = new Set(await membersAmong(tx, platformId, [...new Set(found.map((match) => match.account))]));
  return rankCandidates(found.filter((match) => members.has(match.account)));
}
