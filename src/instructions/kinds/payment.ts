import { z } from 'zod';
import { BALANCE_MAX, refuse } from '../../kernel/index.js';
import { type Order, orderKey, orderRecords } from '../../orders/index.js';
import { moneySchema, orderNo, type Vault } from '../../runtime/index.js';
import { arrivalDate, change, type Kind, refused } from '../kind.js';
import { backgroundNeeds, backgroundSchema, takenBackground } from '../order-background.js';
import { PAYER_FIELDS, payer, reference, storedPayer } from '../wire.js';

const schema = z.strictObject({
  orderNo,
  amount: moneySchema,
  payer,
  /** The reference under which the money stands on the core bank's statement. */
  reference,
  background: backgroundSchema.optional(),
});
type Payment = z.output<typeof schema>;

/** Money that a buyer paid for an order: it stands on the order, and is never the platform's. A later one adds to the first. */
export const payment: Kind<Payment> = {
  name: 'payment',
  en: 'Payment for an order',
  zh: '订单入金',
  origins: ['P', 'O'],
  proof: 'inflow',
  schema,
  personal: PAYER_FIELDS,
  stored: schema.extend({ payer: storedPayer }),
  example: {
    orderNo: 'SO-1001',
    amount: { amount: 10000, currency: 'CNY' },
    payer: { name: '张三', account: '622202000000000007', bankCode: '102100099996' },
    reference: 'COL-1001',
  },
  needs(data, at) {
    const background = backgroundNeeds(data.background);
    return {
      accounts: [at.book.accounts.custody, ...(background.accounts ?? [])],
      records: [[orderRecords, orderKey(at.platformId, data.orderNo)], ...(background.records ?? [])],
    };
  },
  decide(data, facts, at) {
    const amount = data.amount.amount;
    const key = orderKey(at.platformId, data.orderNo);
    const before = facts.record(orderRecords, key);
    if (before !== undefined && !samePayer(before, data, at.vault))
      return refused(refuse('ORDER_PAYER_DIFFERS', undefined, { orderNo: data.orderNo }));
    if (before !== undefined && data.background !== undefined)
      return refused(refuse('BACKGROUND_GIVEN', undefined, { orderNo: data.orderNo }));
    const accountId = before?.accountId ?? at.instruction;
    const paidOn = arrivalDate(at);
    const after: Order = before
      ? { ...before, paid: before.paid + amount, paidOn }
      : {
          accountId,
          platformId: at.platformId,
          orderNo: data.orderNo,
          payer: data.payer,
          payerAccountId: null,
          paid: amount,
          split: 0n,
          returned: 0n,
          refunded: 0n,
          openedMs: at.nowMs,
          paidOn,
        };
    const background = before === undefined ? takenBackground(data.background, after, facts, at) : { records: [] };
    if ('code' in background) return refused(background);
    // A counter or a custody account beyond what the books can hold would stop the shard, so it never gets there.
    const custody = facts.account(at.book.accounts.custody)?.balance ?? 0n;
    if (after.paid > BALANCE_MAX || amount - custody > BALANCE_MAX) return refused(refuse('BALANCE_OVERFLOW'));
    return {
      opens: before ? [] : [{ id: accountId, type: 'order' }],
      postings: [
        { account: at.book.accounts.custody, amount: -amount },
        { account: accountId, amount },
      ],
      records: [change(orderRecords, key, after), ...background.records],
      boundary: [{ reference: data.reference, amount }],
    };
  },
  undo: {
    origins: ['O'],
    needs: (data, at) => ({
      accounts: [at.book.accounts.custody],
      records: [[orderRecords, orderKey(at.platformId, data.orderNo)]],
    }),
    records(data, facts, at) {
      const key = orderKey(at.platformId, data.orderNo);
      const order = facts.record(orderRecords, key);
      if (order === undefined) return refuse('ORDER_NOT_FOUND');
      return {
        records: [change(orderRecords, key, { ...order, paid: order.paid - data.amount.amount })],
        boundary: [{ reference: data.reference, amount: -data.amount.amount }],
      };
    },
  },
};

/** Two seals of one text differ, so what is sealed is compared open. */
function samePayer({ payer: before, payerAccountId }: Order, { payer: now }: Payment, vault: Vault): boolean {
  const same = (one: string, other: string) => one === other || vault.read(one) === vault.read(other);
  if (payerAccountId !== null || before.bankCode !== now.bankCode) return false;
  return same(before.account, now.account) && same(before.name, now.name);
}
