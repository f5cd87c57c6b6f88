import { type ChannelCode, MESSAGE_NO_MAX, type PaymentOrder } from './port.js';

/** The custodian's own bank code, the first three digits of its CNAPS codes. */
export const OWN_BANK = '999';

/** Whether the payee's account is kept by the custodian itself. */
export function isOwnBank(payeeBank: string): boolean {
  return payeeBank === '' || payeeBank.startsWith(OWN_BANK);
}

/** The channel of a payment: one to a payee at the custodian never leaves the bank; what is to come in is collected. */
export function chooseChannel(payeeBank: string, purpose?: string): ChannelCode {
  if (purpose === 'top-up') return 'collect';
  return isOwnBank(payeeBank) ? 'book' : 'interbank';
}

/**
 * Decides whether an order can be sent at all. One that cannot has not been sent before either, since its content never changes;
 * so it has failed for certain, and must not hold up its neighbours in the batch.
 * @returns what is wrong, or undefined
 */
export function faultOfOrder(channel: ChannelCode, order: PaymentOrder): string | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(order.messageNo) || order.messageNo.length > MESSAGE_NO_MAX) return 'message number is malformed';
  if (order.amount <= 0n || order.amount >= 10n ** 18n) return 'amount is out of range';
  if (order.custodyNo === '') return 'custody account is missing';
  if (order.payeeAccount === '' || order.payeeAccount.length > 34) return 'payee account is missing or too long';
  if (order.payeeName === '' || order.payeeName.length > 140) return 'payee name is missing or too long';
  if (order.remark.length > 140) return 'remark is too long';
  if (order.payeeBank !== '' && !/^[0-9]{12}$/.test(order.payeeBank)) return 'payee bank is not a CNAPS code';
  if (channel !== 'collect' && channel !== chooseChannel(order.payeeBank)) {
    return channel === 'book' ? 'payee is not at the custodian' : 'payee is at the custodian';
  }
  return undefined;
}
