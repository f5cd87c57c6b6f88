import { type Refusal, refuse } from '../../kernel/index.js';
import { orderKey, orderRecords } from '../../orders/index.js';
import type { At, Effects, Facts, Kind } from '../kind.js';

/** Where the data of kinds name orders. */
interface NamesOrders {
  readonly orderNo?: string;
  readonly to?: { readonly orderNo?: string };
  readonly orders?: readonly { readonly orderNo?: string }[];
}

/**
 * An order of a deal is moved by the conditions of the deal alone: whatever else names it is refused. Asked here for every kind, so that
 * none can forget it.
 */
export function escrowBound(kind: Kind, data: unknown, facts: Facts, at: At): Refusal | undefined {
  if (kind.onDeals?.(data) === true) return undefined;
  const { orderNo, to, orders } = data as NamesOrders;
  if (orderNo !== undefined) return boundOrder(orderNo, facts, at);
  if (to?.orderNo !== undefined) return boundOrder(to.orderNo, facts, at);
  if (!Array.isArray(orders)) return undefined;
  for (const each of orders) {
    const refusal = each.orderNo === undefined ? undefined : boundOrder(each.orderNo, facts, at);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function boundOrder(orderNo: string, facts: Facts, at: At): Refusal | undefined {
  const order = facts.record(orderRecords, orderKey(at.platformId, orderNo));
  if (order === undefined || facts.account(order.accountId)?.type !== 'escrow') return undefined;
  return refuse('ESCROW_BOUND', undefined, { orderNo });
}

/** The same for a kind that names an order in some other way: nothing else takes money off its account. */
export function escrowTouched(kind: Kind, data: unknown, { postings }: Effects, facts: Facts): Refusal | undefined {
  const touched = postings.some(({ account, amount }) => amount < 0n && facts.account(account)?.type === 'escrow');
  return touched && kind.onDeals?.(data) !== true ? refuse('ESCROW_BOUND') : undefined;
}
