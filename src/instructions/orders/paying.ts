import { BALANCE_MAX, type Id, type Minor, type Refusal, refuse } from '../../kernel/index.js';
import { backgroundRecords, type Order, orderKey, orderRecords, type Payer } from '../../orders/index.js';
import type { Vault } from '../../runtime/index.js';
import { type At, arrivalDate, change, type Effects, type Facts, type Needs, type RecordChange } from '../kind.js';
import { type AskedBackground, takenBackground } from './background.js';

/** Money for one order. Minor units. */
export interface OrderMoney {
  readonly orderNo: string;
  readonly amount: Minor;
  readonly payer: Payer;
  /** The electronic account that pays; null: the money comes from outside. */
  readonly payerAccountId: Id | null;
  readonly background?: AskedBackground | undefined;
}

/**
 * An order after it was paid: opened by the first payment with what stands behind it, added to by later ones of the same payer.
 * @param newId the id of its account, if this payment opens it
 * @returns what it opens and keeps (the postings are its caller's), or ORDER_PAYER_DIFFERS, BACKGROUND_GIVEN, BALANCE_OVERFLOW and
 *   what `takenBackground` says
 */
export function paidOrder(
  money: OrderMoney,
  newId: Id,
  facts: Facts,
  at: At,
): Refusal | (Required<Pick<Effects, 'opens' | 'records'>> & { accountId: Id }) {
  const { orderNo, amount, payer, payerAccountId } = money;
  const key = orderKey(at.platformId, orderNo);
  const before = facts.record(orderRecords, key);
  if (before !== undefined && !isSamePayer(before, money, at.vault)) return refuse('ORDER_PAYER_DIFFERS', undefined, { orderNo });
  if (before !== undefined && money.background !== undefined) return refuse('BACKGROUND_GIVEN', undefined, { orderNo });
  if (
    before !== undefined &&
    at.book.terms.agreements === 'required' &&
    !facts.record(backgroundRecords, before.accountId)?.bound
  )
    return refuse('BACKGROUND_MISSING', 'The order was opened without agreements.', { orderNo });
  const paidOn = arrivalDate(at);
  const after: Order = before
    ? { ...before, paid: before.paid + amount, paidOn }
    : {
        ...{ accountId: newId, platformId: at.platformId, orderNo, payer, payerAccountId, paid: amount },
        ...{ split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n, openedMs: at.nowMs, paidOn },
      };
  const background = before === undefined ? takenBackground(money.background, after, facts, at) : { records: [] };
  if ('code' in background) return background;
  if (after.paid > BALANCE_MAX) return refuse('BALANCE_OVERFLOW');
  return {
    accountId: after.accountId,
    opens: before ? [] : [{ id: after.accountId, type: 'order' }],
    records: [change(orderRecords, key, after), ...background.records],
  };
}

/** What must be seen of orders that were paid for before, where agreements are required. */
export function payingNeeds(orderNos: readonly string[], facts: Facts, at: At): Needs {
  if (at.book.terms.agreements !== 'required') return {};
  const orders = orderNos.flatMap((orderNo) => facts.record(orderRecords, orderKey(at.platformId, orderNo)) ?? []);
  return { records: orders.map(({ accountId }) => [backgroundRecords, accountId] as const) };
}

/** Why a payment cannot be undone: the buyer would have been refunded more than he paid, out of what the platform added. */
export function refundedOfNothing({ paid, refunded, orderNo }: Order, amount: Minor): Refusal | undefined {
  return paid - amount < refunded
    ? refuse('REFUND_EXCEEDS_ORDER', undefined, { orderNo, left: String(paid - refunded) })
    : undefined;
}

/** Two seals of one text differ, so what is sealed is compared open. */
function isSamePayer(before: Order, { payer: now, payerAccountId }: OrderMoney, vault: Vault): boolean {
  const same = (one: string, other: string) => one === other || vault.read(one) === vault.read(other);
  if (before.payerAccountId !== payerAccountId) return false;
  if (payerAccountId !== null) return true;
  return before.payer.bankCode === now.bankCode && same(before.payer.account, now.account) && same(before.payer.name, now.name);
}

/** What it will make, for a split or a dispute in the same batch. Nothing where it is refused. */
export function foreseenOrder(money: OrderMoney, newId: Id, facts: Facts, at: At): readonly RecordChange[] {
  const paid = paidOrder(money, newId, facts, at);
  return 'code' in paid ? [] : paid.records;
}
