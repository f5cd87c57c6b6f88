import { type ChannelCode, isCollecting, MESSAGE_NO_MAX, type PaymentOrder } from './port.js';

/** The custodian's own bank code, the first three digits of its CNAPS codes. */
export const OWN_BANK = '999';

/** Whether the payee's account is kept by the custodian itself. */
export function isOwnBank(payeeBank: string): boolean {
  return payeeBank === '' || payeeBank.startsWith(OWN_BANK);
}

/** Why an order is not sent at all, and whether another channel may take it. */
export interface OrderFault {
  readonly status: 'failed' | 'refused';
  readonly reason: string;
}

/**
 * Decides whether an order can be sent at all. One that cannot has not been sent before either, since its content never changes;
 * so it was not paid for certain, and must not hold up its neighbours in the batch.
 * @returns what is wrong, or undefined
 */
export function faultOfOrder(channel: ChannelCode, order: PaymentOrder): OrderFault | undefined {
  const wrong = faultOfContent(order);
  if (wrong !== undefined) return { status: 'failed', reason: wrong };
  if (!isCollecting(channel) && (channel === 'book') !== isOwnBank(order.payeeBank))
    return { status: 'refused', reason: channel === 'book' ? 'payee is not at the custodian' : 'payee is at the custodian' };
  return undefined;
}

function faultOfContent(order: PaymentOrder): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(order.messageNo) || order.messageNo.length > MESSAGE_NO_MAX) return 'message number is malformed';
  if (order.amount <= 0n || order.amount >= 10n ** 18n) return 'amount is out of range';
  if (order.custodyNo === '') return 'custody account is missing';
  if (order.payeeAccount === '' || order.payeeAccount.length > 34) return 'payee account is missing or too long';
  if (order.payeeName === '' || order.payeeName.length > 140) return 'payee name is missing or too long';
  if (order.remark.length > 140) return 'remark is too long';
  if (order.payeeBank !== '' && !/^[0-9]{12}$/.test(order.payeeBank)) return 'payee bank is not a CNAPS code';
  return undefined;
}
