import type { Data, Given } from '../given.js';
import { BOOKS_MAX, type ModelOrder, type ModelPlatform, minor, No, refuseIf, sum } from './books.js';
import type { Core, Rules } from './core.js';

/** Orders that are paid from outside, and what stands behind them, for the plain bank. */
export const orderPaymentRules = (bank: Core): Rules => ({
  payment: (given, data, at) => {
    paidFor(bank, given, data, at, given.id)();
  },

  'combined-payment': (given, data, at) => {
    const { orders } = data;
    refuseIf(sum(orders.map((order) => minor(order.amount))) !== minor(data.amount), 'COMBINED_TOTAL_DIFFERS');
    const before = bank.trade.turnedOver();
    const checked: (() => void)[] = [];
    try {
      orders.forEach((order, place) => {
        const id = String(BigInt(given.id) + BigInt(place));
        checked.push(paidFor(bank, given, { ...data, ...order }, at, id));
      });
    } catch (no) {
      bank.trade.turnBack(before);
      throw no;
    }
    refuseIf(minor(data.amount) - bank.account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    for (const pay of checked) pay();
  },
});

/** An order is paid from outside: what is done when all that could be wrong is not; the turnover is counted already. */
function paidFor(bank: Core, given: Given, data: Data, at: ModelPlatform, newId: string): () => void {
  const amount = minor(data.amount);
  const key = `${given.platform}/${data.orderNo}`;
  const payer = [data.payer.name, data.payer.account, data.payer.bankCode ?? ''].join('|');
  const order = bank.orders.get(key) ?? {
    ...{ account: newId, payerAccount: undefined, payer, refundable: data.payer.account !== '' },
    ...{ paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n, came: '' },
  };
  refuseIf(order.payer !== payer || order.payerAccount !== undefined, 'ORDER_PAYER_DIFFERS');
  const keep = backing(bank, given, data, bank.orders.get(key), at);
  refuseIf(order.paid + amount > BOOKS_MAX || amount - bank.account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
  keep(order);
  return () => {
    if (!bank.orders.has(key)) bank.openAccount(newId, given.platform, 'order', false);
    bank.orders.set(key, order);
    bank.move(at, [], [{ to: order.account, amount }]);
    order.paid += amount;
    order.came = bank.arrival(at);
  };
}

export function backing(
  bank: Core,
  given: Given,
  { background }: Data,
  known: ModelOrder | undefined,
  at: ModelPlatform,
): (order: ModelOrder) => void {
  const isOpen = known !== undefined;
  refuseIf(isOpen && background !== undefined, 'BACKGROUND_GIVEN');
  refuseIf(isOpen && at.agreed && known.background === undefined, 'BACKGROUND_MISSING');
  refuseIf(!isOpen && background === undefined && at.agreed, 'BACKGROUND_MISSING');
  if (background === undefined) return () => undefined;
  for (const { seller } of background.items) refuseIf(bank.mine(given, seller).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
  const items = bank.trade.taken(background, at.agreed ? at.date : undefined);
  if (typeof items === 'string') throw new No(items);
  const due = background.completesAt === undefined ? undefined : Date.parse(background.completesAt);
  refuseIf(due !== undefined && due <= bank.now, 'COMPLETION_PAST');
  const turnover = at.agreed ? bank.trade.turnover(items, at.date) : () => undefined;
  if (typeof turnover === 'string') throw new No(turnover);
  return (order) => {
    turnover();
    if (at.agreed) order.background = { items, completed: false };
  };
}
