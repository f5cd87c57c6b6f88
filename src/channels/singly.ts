import type { ChannelAnswer, ChannelCode, PaymentOrder } from './port.js';
import { faultOfOrder, type OrderFault } from './rules.js';

/** How many calls of one channel are under way at once. */
const AT_ONCE = 16;

/** Does something with each of a list, so many at a time, and answers in the order of the list. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, lane));
  return results;
}

/** Submits payments to a channel that takes one with each call; those that cannot be sent at all are answered without a call. */
export function submitSingly(
  code: ChannelCode,
  orders: readonly PaymentOrder[],
  send: (order: PaymentOrder) => Promise<ChannelAnswer>,
  faultOf: (order: PaymentOrder) => OrderFault | undefined = () => undefined,
): Promise<ChannelAnswer[]> {
  return eachOf(orders, async (order) => {
    const fault = faultOfOrder(code, order) ?? faultOf(order);
    return fault === undefined ? send(order) : { messageNo: order.messageNo, ...fault };
  });
}

export function querySingly(
  messageNos: readonly string[],
  ask: (messageNo: string) => Promise<ChannelAnswer>,
): Promise<ChannelAnswer[]> {
  return eachOf(messageNos, ask);
}
