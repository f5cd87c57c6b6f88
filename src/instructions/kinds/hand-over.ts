import { z } from 'zod';
import { mulDivHalfUp, refuse, toWire } from '../../kernel/index.js';
import { isElectronic, isPlatformOwn } from '../../ledger/index.js';
import { orderKey, orderRecords, subsidyLeft } from '../../orders/index.js';
import { moneySchema, orderNo, wireId } from '../../runtime/index.js';
import { change, type Kind, refused } from '../kind.js';
import { reference } from '../wire.js';

const schema = z.strictObject({ account: wireId('account'), amount: moneySchema, reference, orderNo: orderNo.optional() });

/**
 * What somebody has in custody here goes to the custodian that the platform's members have moved to: a part of the one transfer, under its
 * reference. Given by the wind-down alone, after the other bank has signed that it took the balance over. An order is ended by it like by a refund.
 */
export const handOver: Kind<z.output<typeof schema>> = {
  name: 'hand-over',
  en: 'Balance handed over to another custodian',
  zh: '迁出余额',
  origins: ['S'],
  proof: 'two-people',
  schema,
  example: {
    account: 'acc_2236512894231552003',
    amount: { amount: 2500, currency: 'CNY' },
    reference: 'MOVE-20260302-2',
  },
  needs: ({ account, orderNo: no }, at) => ({
    accounts: [account, at.book.accounts.custody],
    records: no === undefined ? [] : [[orderRecords, orderKey(at.platformId, no)]],
  }),
  decide({ account: id, amount: { amount }, reference: of, orderNo: no }, facts, at) {
    const account = facts.account(id);
    if (account === undefined) return refused(refuse('ACCOUNT_NOT_FOUND', undefined, { account: toWire('account', id) }));
    const { type } = account;
    const order = no === undefined ? undefined : facts.record(orderRecords, orderKey(at.platformId, no));
    const mayLeave = type === 'sub' || type === 'margin' || isElectronic(type) || isPlatformOwn(type) || order?.accountId === id;
    const isOver = !isElectronic(type) || at.book.business === 'winding-up';
    if (!mayLeave || !isOver) return refused(refuse('ACCOUNT_TYPE_NOT_ALLOWED', undefined, { type }));
    const [paid, added] = order === undefined ? [0n, 0n] : [order.paid - order.refunded, subsidyLeft(order)];
    const toPayer = added === 0n ? amount : mulDivHalfUp(amount, paid, paid + added);
    const after = order && {
      ...order,
      refunded: order.refunded + toPayer,
      subsidyReturned: order.subsidyReturned + amount - toPayer,
    };
    return {
      postings: [
        { account: id, amount: -amount, flow: 'exempt' },
        { account: at.book.accounts.custody, amount },
      ],
      records: after === undefined || no === undefined ? [] : [change(orderRecords, orderKey(at.platformId, no), after)],
      boundary: [{ reference: of, amount: -amount }],
    };
  },
};
