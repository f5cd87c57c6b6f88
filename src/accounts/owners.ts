import { type Id, type Instant, naturalDate } from '../kernel/index.js';
import { isElectronic, loadAccounts } from '../ledger/index.js';
import { type Customer, loadParties, requireActingUser } from '../parties/index.js';
import { loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { electronicByIds } from './electronic.js';
import { subMerchantsByAccount } from './store.js';

/** The person or company behind a sub-account; undefined of any other account. */
export async function partyBehind(tx: Tx, { vault }: Pick<Runtime, 'vault'>, account: Id) {
  const merchant = (await subMerchantsByAccount(tx, [account])).get(account);
  return merchant && (await loadParties(tx, vault, [merchant.partyId])).get(merchant.partyId);
}

/**
 * The customer behind a user of a platform, who acts now.
 * @throws Refused NOT_FOUND, or why the user may do nothing
 */
export async function actingCustomer(
  tx: Tx,
  { vault }: Pick<Runtime, 'vault'>,
  { platformId, userId, nowMs }: { readonly platformId: Id; readonly userId: Id; readonly nowMs: Instant },
): Promise<Customer> {
  const asOf = { today: naturalDate(nowMs), nowMs, parameters: await loadParameters(tx) };
  return (await requireActingUser(tx, { platformId, userId, vault, asOf })).customer;
}

/** Whether an account is this customer's own: his electronic account, or the sub-account of himself as a person. */
export async function isOwner(tx: Tx, rt: Pick<Runtime, 'vault'>, customer: Customer, accountId: Id): Promise<boolean> {
  const account = (await loadAccounts(tx, [accountId], () => '9999-12-31' as never)).get(accountId);
  if (isElectronic(account?.type)) {
    const [owned] = await electronicByIds(tx, [accountId]);
    return owned?.customerId === customer.id;
  }
  const person = await partyBehind(tx, rt, accountId);
  return person?.kind === 'person' && customer.idType === 'resident-id' && customer.idNo === person.idNo;
}
