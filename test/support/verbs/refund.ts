import type { Asked } from '../world/world.js';

const AMOUNT = String.raw`(\d+\.\d\d)`;
const money = (text: string) => ({ amount: Number(text.replace('.', '')), currency: 'CNY' as const });

/** What these verbs ask of the stage: the lines of accounts and amounts. */
interface Lines {
  lines(text: string): Asked['data']['lines'];
}

const ofOrder = (kind: string) => ({
  form: new RegExp(`^order:(\\S+) ${AMOUNT}$`),
  read: (_stage: Lines, [orderNo = '', amount = '']: string[]): [string, Asked['data']] => [
    kind,
    { orderNo, amount: money(amount) },
  ],
});

/** Refunds, and what a platform adds to an order of its own. */
export const REFUND_VERBS = {
  refund: {
    form: new RegExp(`^order:(\\S+) ${AMOUNT}(?: (keep|subsidy ${AMOUNT}))?(?: of (.+?))?(?: recall (pro-rata|.+))?$`),
    read(stage: Lines, [orderNo = '', amount = '', subsidy, part, items, recall]: string[]): [string, Asked['data']] {
      const data = {
        ...{ orderNo, amount: money(amount) },
        ...(subsidy === undefined ? {} : { subsidy: part === undefined ? 'keep' : money(part) }),
        ...(items === undefined ? {} : { items: items.split(', ').map(itemOf) }),
        ...(recall === undefined ? {} : { recall: recall === 'pro-rata' ? recall : stage.lines(recall) }),
      };
      return ['refund', data as Asked['data']];
    },
  },
  subsidy: ofOrder('subsidy'),
  unsubsidise: ofOrder('subsidy-return'),
};

function itemOf(text: string) {
  const [item = '', amount] = text.split(' ');
  return { item, ...(amount === undefined ? {} : { amount: money(amount) }) };
}
