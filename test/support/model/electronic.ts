import type { Data, Given } from '../given.js';
import {
  BOOKS_MAX,
  bare,
  claimedOf,
  dayAfter,
  dayBefore,
  type Give,
  inTransit,
  type ModelOrder,
  type ModelPayout,
  type ModelPlatform,
  minor,
  No,
  refuseIf,
  sum,
  type Take,
} from './books.js';
import type { Core, Rules } from './core.js';
import { afterDebts } from './debts.js';
import { backing } from './order-payments.js';
import { boundPayer, ownPayer } from './outside.js';

/** Electronic accounts of customers: what comes to them, what they pay, how they end; for the plain bank. */

const PAY_IN = ['anyone', 'own-account', 'nobody'];

export const electronicRules = (bank: Core): Rules => ({
  'top-up': (given, data) => {
    const account = bank.mine(given, data.account);
    const electronic = bank.law.accounts.get(bare(data.account));
    if (electronic === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(!account.bound, 'SETTLEMENT_ACCOUNT_MISSING');
    const amount = minor(data.amount);
    const standing = bank.law.standing(electronic, bank.owner, bank.now);
    if (standing !== undefined) throw new No(standing);
    refuseIf(account.state === 'frozen', 'ACCOUNT_FROZEN');
    const then = account.balance + bank.underWay(bare(data.account)) + amount;
    refuseIf(electronic.class === 3 && then > bank.law.value('class-3.balance', bank.now), 'BALANCE_CAP');
    bank.willed(given, { account: bare(data.account), amount, payee: bare(data.account) });
    bank.makePayout(given, { source: bare(data.account), order: undefined, amount });
  },

  'incoming-transfer': (given, data, at) => {
    const account = bank.mine(given, data.account);
    const id = bare(data.account);
    const { payer } = data;
    const clears = bank.nextWorkingDay(bank.arrival(at));
    const give: Give = { to: id, amount: minor(data.amount), clears };
    if (account.type === 'sub' || account.type === 'own-funds') {
      const owner = ownPayer(id);
      const isOwner = account.bound && payer.name === owner.name && payer.account === owner.account && !payer.bankCode;
      const strict = account.type === 'own-funds' || at.agreed ? 'own-account' : 'anyone';
      const floor = PAY_IN[Number(bank.law.value('pay-in.floor', bank.now))] as string;
      const rules = [bank.payIn.get(id) ?? 'anyone', strict, floor];
      refuseIf(rules.includes('nobody') || (rules.includes('own-account') && !isOwner), 'PAYER_NOT_ACCEPTED');
      bank.move(at, [], afterDebts(bank, given, [give], at));
      return;
    }
    refuseIf(!bank.law.accounts.has(id), 'ACCOUNT_TYPE_NOT_ALLOWED');
    const card = boundPayer(id);
    const isCard = payer.name === card.name && payer.account === card.account && /^102/.test(payer.bankCode ?? '');
    bank.move(at, [], [{ ...give, flow: isCard ? 'bound' : 'unbound' }]);
  },

  'account-payment': (given, data, at) => payFrom(bank, given, data, at, undefined),

  'own-transfer': (given, data, at) => {
    const [from, to] = [bare(data.from), bare(data.to as string)];
    for (const id of [data.from, data.to as string]) {
      bank.mine(given, id);
      refuseIf(!bank.law.accounts.has(bare(id)), 'ACCOUNT_TYPE_NOT_ALLOWED');
    }
    refuseIf(from === to, 'SAME_ACCOUNT');
    refuseIf(bank.law.accounts.get(from)?.customer !== bank.law.accounts.get(to)?.customer, 'NOT_OWN_ACCOUNT');
    const amount = minor(data.amount);
    const gives: Give[] = [{ to, amount, inherits: true, flow: 'unbound' }];
    bank.pass([{ from, amount, flow: 'unbound' }], gives);
    bank.willed(given, { account: from, amount, payee: to });
    bank.move(at, [{ from, amount, flow: 'unbound' }], gives);
  },

  interest: (given, data, at) => {
    bank.mine(given, data.account);
    const account = bank.law.accounts.get(bare(data.account));
    if (account === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(account.state === 'closed', 'ACCOUNT_CLOSED');
    refuseIf(account.state === 'closing', 'ACCOUNT_CLOSING');
    const { through } = data;
    refuseIf(through < account.interestFrom, 'INTEREST_PERIOD_PAID');
    const due = bank.law.earned(account, through, through);
    const said = [BigInt(data.product), BigInt(data.rate), minor(data.amount)];
    const right = [due.product, due.rate, due.amount].every((value, place) => value === said[place]);
    const onTime = ['03-20', '06-20', '09-20', '12-20'].includes(through.slice(5)) && through < at.date;
    refuseIf(!right || !onTime, 'INTEREST_DIFFERS');
    const to = bare(data.account);
    if (due.amount > 0n) bank.move(at, [], [{ to, amount: due.amount, clears: dayAfter(at.date), flow: 'exempt' }]);
    account.interestFrom = dayAfter(through);
  },

  'account-closing': (given, data, at) => {
    const { state, held, balance, uncleared } = bank.mine(given, data.account);
    const id = bare(data.account);
    const account = bank.law.accounts.get(id);
    if (account === undefined) throw new No('ACCOUNT_TYPE_NOT_ALLOWED');
    const standing = bank.law.standing(account, bank.owner, bank.now);
    if (standing !== undefined) throw new No(standing);
    refuseIf(state === 'frozen' || claimedOf(bank.account(id)) > 0n, 'ACCOUNT_FROZEN');
    const waits = [...bank.items.values()].some(({ from, left }) => from === id && left > 0n);
    refuseIf(
      held > 0n || bank.underWay(id) > 0n || waits || bank.escrows.mayCredit(id) || bank.lending.mayMove(id),
      'ACCOUNT_NOT_EMPTY',
    );
    refuseIf(held > 0n || bank.underWay(id) > 0n || waits || bank.escrows.mayCredit(id), 'ACCOUNT_NOT_EMPTY');
    refuseIf(bank.funds.isHeld(id), 'FUND_HELD');
    refuseIf(sum(uncleared.values()) > 0n, 'FUNDS_UNCLEARED');
    const interest = account.interestFrom < at.date ? bank.law.earned(account, dayBefore(at.date), at.date).amount : 0n;
    bank.willed(given, { account: id, amount: balance });
    const amount = balance + interest;
    if (amount > 0n) {
      const takes: Take[] = balance > 0n ? [{ from: id, amount: balance, how: 'cleared-only', flow: 'bound' }] : [];
      bank.move(at, takes, [{ to: inTransit(at), amount }]);
      bank.makePayout(given, { source: id, order: undefined, amount });
      account.state = 'closing';
    } else closeElectronic(bank, id);
    account.interestFrom = at.date;
  },
});

/** A payment from an electronic account; out of the pot with money that passes through it. */
export function payFrom(
  bank: Core,
  given: Given,
  data: Data,
  at: ModelPlatform,
  pot: { readonly take: Take; readonly before: () => void } | undefined,
): void {
  const from = bare(data.from);
  bank.mine(given, data.from);
  refuseIf(!bank.law.accounts.has(from), 'ACCOUNT_TYPE_NOT_ALLOWED');
  const amount = minor(data.amount);
  const take: Take =
    pot === undefined ? { from, amount, how: 'uncleared-first', flow: 'unbound' } : { ...pot.take, through: from };
  const to = data.to as { orderNo: string } | { account: string };
  const passes = () => {
    if (pot === undefined) bank.pass([take], []);
    else passThrough(bank, from, amount);
  };
  if ('account' in to) {
    refuseIf(bank.mine(given, to.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(at.agreed, 'BACKGROUND_MISSING');
    pot?.before();
    passes();
    bank.willed(given, { account: from, amount, payee: bare(to.account) });
    bank.move(at, [take], afterDebts(bank, given, [{ to: bare(to.account), amount, inherits: true }], at));
    if (pot !== undefined) passedThrough(bank, from, amount);
    return;
  }
  const key = `${given.platform}/${to.orderNo}`;
  const counters = { paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
  const order: ModelOrder = bank.orders.get(key) ?? {
    ...{ account: given.id, payerAccount: from, payer: '', refundable: true, ...counters, came: '' },
  };
  refuseIf(order.payerAccount !== from, 'ORDER_PAYER_DIFFERS');
  const keep = backing(bank, given, data, bank.orders.get(key), at);
  refuseIf(order.paid + amount > BOOKS_MAX, 'BALANCE_OVERFLOW');
  pot?.before();
  passes();
  bank.willed(given, { account: from, amount, order: to.orderNo });
  bank.mayTake(take);
  if (!bank.orders.has(key)) bank.openAccount(given.id, given.platform, 'order', false);
  bank.orders.set(key, order);
  bank.move(at, [take], [{ to: order.account, amount }]);
  order.paid += amount;
  order.came = bank.arrival(at);
  keep(order);
  if (pot !== undefined) passedThrough(bank, from, amount);
}

/** Money that comes to an account and leaves it at once: it counts on both sides, and those who lay claim to the account come first. */
function passThrough(bank: Core, account: string, amount: bigint): void {
  const of = bank.account(account);
  const free = of.balance + amount - of.held;
  const claimed = claimedOf(of) < free ? claimedOf(of) : free;
  refuseIf(free - claimed < amount, 'FUNDS_INSUFFICIENT');
  bank.pass([], [{ to: account, amount, flow: 'product' }]);
  bank.pass([{ from: account, amount, flow: 'unbound' }], []);
}

function passedThrough(bank: Core, account: string, amount: bigint): void {
  for (const [part, flow] of [[amount, 'product'] as const, [-amount, 'unbound'] as const])
    bank.law.made({ account, amount: part, flow, ...bank.standOf(account, part) }, bank.atHand.id, bank.now);
}

/** The payout of a closing has its result. */
export function endClosing(bank: Core, payout: ModelPayout, arrived: boolean): void {
  const account = bank.law.accounts.get(payout.source);
  if (account?.state !== 'closing' || !payout.closes) return;
  const source = bank.account(payout.source);
  if (arrived && source.balance === 0n && claimedOf(source) === 0n) closeElectronic(bank, payout.source);
  else account.state = 'active';
}

function closeElectronic(bank: Core, id: string): void {
  Object.assign(bank.law.accounts.get(id) ?? {}, { state: 'closed', closedAt: bank.now });
  bank.account(id).state = 'closed';
}
