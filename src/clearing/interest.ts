import {
  hasElectronicAccounts,
  type InterestLine,
  type InterestOrder,
  interestLines,
  interestReference,
  interestToOrder,
  isInterestDay,
  markOrdered,
  writeInterestLines,
} from '../accounts/index.js';
import { BankRefused, BankUnreachable } from '../channels/index.js';
import type { Desk } from '../dispatch/index.js';
import { type Id, toWire, toWireMoney } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import { type Instructed, instructAll } from './instruct.js';
import { type Close, forgetPending, MANY, type StepResult, TakenOver, writePending } from './progress.js';

/**
 * 4: after the interest day, what each electronic account earned is written down, whole, then instructed, and what was credited is
 * ordered from the core bank. Only that, since what is refused (a cap of the law) must not come: it is paid with the next interest.
 */
export async function interest(close: Close): Promise<StepResult> {
  if (!isInterestDay(close.date)) return { state: 'done', keep: false, detail: { interestDay: false } };
  const lines = await linesToCredit(close);
  if (lines.length === 0) return { state: 'done', keep: false, detail: { lines: 0 } };
  await close.at('interest written');
  // What is credited already was by an earlier run, or by the closing of the account.
  const open = lines.filter((line) => line.creditedOn === null);
  const { posted, postedAmount, refused } = await instructAll(close, 'interest', open.map(toInstruct));
  await close.at('interest credited');
  const reason = await orderInterest(close.desk, close.platformId);
  if (reason !== undefined) return { state: 'waiting', reason };
  const before = lines.filter((line) => line.creditedOn !== null);
  return {
    state: 'done',
    keep: lines.length >= MANY,
    detail: {
      lines: lines.length,
      posted: posted + before.length,
      postedAmount: String(before.reduce((sum, line) => sum + line.amount, postedAmount)),
      refused,
    },
  };
}

function toInstruct({ accountId, through, product, rate, amount }: InterestLine): Instructed {
  const data = {
    account: toWire('account', accountId),
    through,
    product: String(product),
    rate: Number(rate),
    amount: toWireMoney(amount),
  };
  return { requestNo: `interest:${accountId}:${through}`, data, amount };
}

async function linesToCredit(close: Close): Promise<readonly InterestLine[]> {
  const { desk, platformId, date, resumed } = close;
  const { db } = desk.rt;
  const written = () => db.read('interest-lines', (tx) => interestLines(tx, platformId, date));
  const before = resumed ? await written() : [];
  if (before.length > 0) return before;
  if (!(await db.read('electronic-accounts', (tx) => hasElectronicAccounts(tx, platformId)))) return [];
  const lines = await db.withTx(
    'write-interest',
    async (tx) => {
      const there = await interestLines(tx, platformId, date);
      if (there.length > 0) throw new TakenOver('the interest was written by another run');
      const earned = await writeInterestLines(tx, platformId, date);
      await writePending(tx, close);
      return earned;
    },
    async () => {
      const there = await written();
      return there.length > 0 ? there : undefined;
    },
  );
  forgetPending(close);
  return lines;
}

const ORDERS_MAX = 1_000;

/**
 * Orders from the core bank the interest that was credited and is not there yet. The core bank books each reference once, so a crash
 * between its answer and our note only asks again. Answers why it could not be done, or undefined.
 */
export async function orderInterest({ rt, channels }: Desk, platformId: Id): Promise<string | undefined> {
  for (;;) {
    const orders = await rt.db.read('interest-to-order', (tx) => interestToOrder(tx, platformId, ORDERS_MAX));
    if (orders.length === 0) return undefined;
    const { custodyNo } = await rt.db.read('book-of-interest', (tx) => loadBook(tx, platformId));
    const date = (orders[0] as InterestOrder).date;
    const ofDate = orders.filter((order) => order.date === date);
    try {
      await channels.coreBank.inflows(custodyNo, date, ofDate.map(toInflow));
    } catch (error) {
      if (!(error instanceof BankUnreachable || error instanceof BankRefused)) throw error;
      rt.log.warn({ event: 'interest.not-booked', platformId, why: error.message.slice(0, 200) });
      return `the core bank has not booked the interest: ${error.message}`.slice(0, 200);
    }
    await rt.db.withTx(
      'interest-ordered',
      (tx) => markOrdered(tx, platformId, ofDate).then(() => true),
      async () => undefined,
    );
  }
}

function toInflow({ accountId, through, amount }: InterestOrder) {
  return { reference: interestReference(accountId, through), amount, counterparty: '本行利息支出', text: '活期结息' };
}
