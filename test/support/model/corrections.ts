import type { Data, Given } from '../given.js';
import { gotOf } from './agreements.js';
import { bare, cameIn, found, linesOf, type ModelPlatform, minor, refuseIf, suspenseOf } from './books.js';
import type { Core, Rules } from './core.js';
import { comingBack, owedAgain } from './debts.js';
import { unsplit } from './splits.js';
import { withinCap } from './subsidies.js';

/** What is undone, for the plain bank. */
export function correctionRules(bank: Core): Rules {
  const undo = undoing(bank);
  return {
    correction: (given, data, at) => {
      const past = bank.past.get(bare(data.instruction));
      refuseIf(past === undefined || past.platform !== given.platform || past.batch === bank.batch, 'INSTRUCTION_NOT_FOUND');
      if (past === undefined) return;
      refuseIf(past.result === 'undecided', 'INSTRUCTION_NOT_FOUND');
      refuseIf(past.result !== 'posted' || undo[past.kind] === undefined, 'NOT_CORRECTABLE');
      refuseIf(past.corrected, 'ALREADY_CORRECTED');
      if (given.origin === 'P') {
        refuseIf(
          ['payment', 'own-transfer', 'suspense-credit'].includes(past.kind) || past.origin !== 'P' || past.date !== at.date,
          'NOT_CORRECTABLE',
        );
      }
      bank.undoing = past.id;
      try {
        undo[past.kind]?.(past, past.data as Data, at);
      } finally {
        bank.undoing = undefined;
      }
      past.corrected = true;
    },
  };
}

const undoing = (bank: Core): Record<string, (past: Given, data: Data, at: ModelPlatform) => void> => ({
  subsidy: (past, data, at) => {
    const order = bank.order(past, data);
    const amount = minor(data.amount);
    refuseIf(amount > order.subsidised - order.subsidyReturned, 'SUBSIDY_EXCEEDED');
    refuseIf(amount > bank.account(order.account).balance, 'SUBSIDY_EXCEEDED');
    withinCap(order, cameIn(order) - amount);
    bank.move(at, [{ from: order.account, amount }], [{ to: at.own.marketing as string, amount }]);
    order.subsidised -= amount;
  },
  payment: (past, data, at) => {
    const order = bank.order(past, data);
    refuseIf(order.paid - minor(data.amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
    bank.move(at, [{ from: order.account, amount: minor(data.amount) }], []);
    order.paid -= minor(data.amount);
  },
  'combined-payment': (past, data, at) => {
    for (const { orderNo, amount } of data.orders) {
      const order = bank.order(past, { ...data, orderNo });
      refuseIf(order.paid - minor(amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
      bank.move(at, [{ from: order.account, amount: minor(amount) }], []);
      order.paid -= minor(amount);
    }
  },
  split: (past, data, at) => {
    const order = bank.order(past, data);
    const { background } = order;
    refuseIf(background?.completed === true, 'ORDER_COMPLETED');
    for (const item of background?.items ?? [])
      for (const [to, amount] of item.parts.get(past.id) ?? [])
        refuseIf((gotOf(item).get(to) ?? 0n) < amount, 'SPLIT_RETURN_EXCEEDS');
    const given = background?.items.flatMap((item) => [...(item.parts.get(past.id) ?? [])]);
    unsplit(bank, order, given === undefined ? data.lines : linesOf(given), at, past.id);
    for (const item of background?.items ?? []) item.parts.delete(past.id);
  },
  transfer: (_past, data, at) => giveBack(bank, at, bare(data.to as string), bare(data.from), data),
  'account-payment': (past, data, at) => {
    if (typeof data.to === 'object' && 'orderNo' in data.to) {
      const order = found(bank.orders.get(`${past.platform}/${data.to.orderNo}`), 'the order of a payment');
      refuseIf(order.paid - minor(data.amount) < order.refunded, 'REFUND_EXCEEDS_ORDER');
      withinCap(order, cameIn(order) - minor(data.amount));
      giveBack(bank, at, order.account, bare(data.from), data);
      order.paid -= minor(data.amount);
    } else giveBack(bank, at, bare((data.to as { account: string }).account), bare(data.from), data, past.id);
  },
  'own-transfer': (_past, data, at) => giveBack(bank, at, bare(data.to as string), bare(data.from), data),
  'suspense-credit': (past, data, at) => {
    const item = found(bank.items.get(past.id), 'the item of a credit');
    refuseIf(item.left < item.amount, 'SUSPENSE_USED');
    bank.move(at, [{ from: suspenseOf(at), amount: minor(data.amount), how: 'uncleared-first' }], []);
    item.left = 0n;
  },
  'suspense-attribution': (_past, data, at) => {
    const item = found(bank.items.get(bare(data.item)), 'the item of an attribution');
    const proposal = found(bank.proposals.get(bare(data.proposal)), 'its proposal');
    giveBack(bank, at, bare(data.account), suspenseOf(at), data);
    item.left += minor(data.amount);
    proposal.state = 'undone';
  },
  fee: (_past, data, at) => giveBack(bank, at, at.own.fees as string, bare(data.account), data),
});

function giveBack(bank: Core, at: ModelPlatform, from: string, to: string, data: Data, undone = ''): void {
  const amount = minor(data.amount);
  bank.move(at, comingBack(bank, [{ from, amount }], undone), [{ to, amount, inherits: true }]);
  owedAgain(bank, undone);
}
