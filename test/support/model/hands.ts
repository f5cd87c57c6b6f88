import type { Data, Given } from '../given.js';
import {
  bare,
  claimedOf,
  found,
  type Give,
  inTransit,
  type ModelOrder,
  minor,
  No,
  refuseIf,
  reservedOf,
  type Take,
} from './books.js';
import type { Core } from './core.js';
import { afterDebts } from './debts.js';
import { payFrom } from './electronic.js';
import type { EscrowHands } from './escrow-deals.js';
import type { FundHands } from './funds.js';
import type { Flow } from './law.js';
import type { LendingHands } from './lending-books.js';

/** What deals, lending and funds use of the plain bank. */

/** What funds use of this bank. */
export function fundHands(bank: Core): FundHands {
  const at = (given: Given) => bank.platform(given.platform);
  return {
    now: () => bank.now,
    parameter: (name) => bank.law.value(name, bank.now),
    owner: (account) => bank.law.accounts.get(account)?.customer ?? '',
    orderer: (given, wire) => {
      bank.mine(given, wire);
      refuseIf(!bank.law.accounts.has(bare(wire)), 'ACCOUNT_TYPE_NOT_ALLOWED');
      return bare(wire);
    },
    mayAct: (id) => {
      const account = bank.law.accounts.get(id);
      const standing = account && bank.law.standing(account, bank.owner, bank.now);
      if (standing !== undefined) throw new No(standing);
      refuseIf(bank.account(id).state === 'frozen', 'ACCOUNT_FROZEN');
    },
    opens: (id, platform, type) => bank.openAccount(id, platform, type, false),
    forget: (id) => void bank.accounts.delete(id),
    balance: (id) => {
      const account = bank.account(id);
      return { balance: account.balance, there: account.balance - reservedOf(account) };
    },
    pass: (takes, gives) => bank.pass(takes, gives),
    willed: (given, of) => bank.willed(given, of),
    move: (given, takes, gives) => bank.move(at(given), takes, gives),
    clears: (given) => bank.nextWorkingDay(bank.arrival(at(given))),
    inTransit: (given) => inTransit(at(given)),
    payOut: (given, source, amount) => bank.makePayout(given, { source, order: undefined, amount }),
    pays: (given, take, before) => payFrom(bank, given, given.data as Data, at(given), { take, before }),
  };
}

/** What deals use of this bank. */
export function escrowHands(bank: Core): EscrowHands {
  const at = (given: Given) => bank.platform(given.platform);
  const opened = (given: Given, orderNo: string, of: Pick<ModelOrder, 'payerAccount' | 'payer'>): ModelOrder => {
    const order = bank.orders.get(`${given.platform}/${orderNo}`);
    refuseIf(order !== undefined && (order.payer !== of.payer || order.payerAccount !== of.payerAccount), 'ORDER_PAYER_DIFFERS');
    const counters = { paid: 0n, split: 0n, returned: 0n, refunded: 0n, subsidised: 0n, subsidyReturned: 0n };
    return order ?? { account: given.id, ...of, refundable: true, ...counters, came: '' };
  };
  const kept = (given: Given, orderNo: string, order: ModelOrder, amount: bigint) => {
    bank.orders.set(`${given.platform}/${orderNo}`, order);
    order.paid += amount;
    order.came = bank.arrival(at(given));
  };
  const withAccount = (given: Given, order: ModelOrder) => {
    if (order.account === given.id) bank.openAccount(given.id, given.platform, 'escrow', false);
  };
  return {
    now: () => bank.now,
    no: (code) => {
      throw new No(code);
    },
    order: (given, orderNo) => bank.orders.get(`${given.platform}/${orderNo}`),
    free: (account) => {
      const of = bank.account(account);
      return { claimed: claimedOf(of), there: of.balance - reservedOf(of) };
    },
    fundOutside: (given, orderNo) => {
      const { payer, amount } = given.data as Data;
      const order = opened(given, orderNo, {
        payerAccount: undefined,
        payer: [payer.name, payer.account, payer.bankCode ?? ''].join('|'),
      });
      withAccount(given, order);
      bank.move(at(given), [], [{ to: order.account, amount: minor(amount) }]);
      kept(given, orderNo, order, minor(amount));
    },
    isMerchant: (account) => bank.account(account).type === 'sub',
    isEnding: (account) => bank.accounts.get(account)?.state === 'closed' || bank.law.accounts.get(account)?.state === 'closing',
    isCommission: (platform, account) => bank.platform(platform).own.commission === account,
    lacksAgreement: (platform, account) => {
      const { agreed, date } = bank.platform(platform);
      return agreed && bank.accounts.get(account)?.type === 'sub' ? bank.trade.lacksAgreement(account, date) : undefined;
    },
    checkFrom: (given) => {
      const { type } = bank.mine(given, (given.data as Data).from);
      refuseIf(!['sub', 'class-2', 'class-3'].includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
    },
    fundInside: (given, orderNo) => {
      const data = given.data as Data;
      const from = bare(data.from);
      const order = opened(given, orderNo, { payerAccount: from, payer: '' });
      const take: Take = { from, amount: minor(data.amount), how: 'uncleared-first', flow: 'unbound' };
      bank.pass([take], []);
      bank.willed(given, { account: from, amount: take.amount, order: orderNo });
      bank.mayTake(take);
      withAccount(given, order);
      bank.move(at(given), [take], [{ to: order.account, amount: take.amount }]);
      kept(given, orderNo, order, take.amount);
    },
    release: (given, { takes, gives, shares }) => {
      if (takes.length === 0) return;
      const orders = takes.map(({ orderNo, amount }) => ({ order: found(bank.orders.get(orderNo), 'no order'), amount }));
      const last = orders.reduce((date, { order }) => (order.came > date ? order.came : date), at(given).date);
      const clears = bank.nextWorkingDay(last);
      const all = [...gives].map(([to, amount]): Give => ({ to, amount, clears, flow: 'unbound' }));
      bank.move(
        at(given),
        orders.map(({ order, amount }) => ({ from: order.account, amount })),
        afterDebts(bank, given, all, at(given)),
      );
      for (const { order, amount } of orders) order.split += amount;
      for (const [orderNo, to, amount] of shares) bank.share(found(bank.orders.get(orderNo), 'no order'), to).split += amount;
    },
    refund: (given, orderNo, amount) => {
      const order = found(bank.orders.get(`${given.platform}/${orderNo}`), 'no order');
      const { payerAccount: to } = order;
      const within = to !== undefined && bank.account(to).state !== 'closed' && bank.law.accounts.get(to)?.state !== 'closed';
      const clears = bank.nextWorkingDay(order.came > at(given).date ? order.came : at(given).date);
      const give = within ? { to, amount, clears, flow: 'exempt' as const } : { to: inTransit(at(given)), amount };
      bank.move(at(given), [{ from: order.account, amount }], [give]);
      order.refunded += amount;
      if (!within) bank.makePayout(given, { source: order.account, order, amount });
    },
  };
}

/** What lending uses of this bank. */
export function lendingHands(bank: Core): LendingHands {
  const flow = (): Flow => (bank.law.value('class-2.lending-counted', bank.now) === 1n ? 'unbound' : 'product');
  const out = (code: string | undefined) => {
    if (code !== undefined) throw new No(code);
  };
  return {
    now: () => bank.now,
    no: (code) => {
      throw new No(code);
    },
    date: (platform) => bank.platform(platform).date,
    profile: (platform) => bank.platform(platform).profile,
    ending: (platform) => bank.platform(platform).ending === true,
    own: (platform, purpose) => bank.platform(platform).own[purpose] as string,
    value: (parameter) => bank.law.value(parameter, bank.now),
    type: (platform, id) => {
      const account = bank.accounts.get(id);
      const gone = account?.platform !== platform || account.state === 'closed' || bank.law.accounts.get(id)?.state === 'closing';
      return gone ? undefined : account?.type;
    },
    owner: (account) => bank.law.accounts.get(account)?.customer ?? account,
    free: (account) => bank.account(account).balance - reservedOf(bank.account(account)),
    mayAct: (account) => {
      const electronic = bank.law.accounts.get(account);
      if (electronic === undefined) return;
      out(bank.law.standing(electronic, bank.owner, bank.now));
      refuseIf(bank.account(account).state === 'frozen', 'ACCOUNT_FROZEN');
    },
    mayLeave: (account, amount) => {
      const passing = { account, amount: -amount, flow: flow(), ...bank.standOf(account, -amount) };
      out(bank.law.forbids(passing, bank.owner, bank.now));
    },
    willed: (given, of) => bank.willed(given, of),
    hold: (account, amount) => {
      bank.account(account).held += amount;
      if (amount < 0n) bank.credited.add(account);
    },
    move: (given, takes, gives, will) => {
      const all = takes.map((take): Take => ({ ...take, how: 'uncleared-first', flow: flow() }));
      const to = gives.map((give): Give => ({ ...give, inherits: true, flow: flow() }));
      bank.pass(all, to);
      if (will !== undefined) bank.willed(given, will);
      bank.move(bank.platform(given.platform), all, to);
    },
    frozen: (account) => bank.account(account).state === 'frozen',
    passes: (id) => {
      const account = bank.account(id);
      refuseIf(account.state === 'frozen' || claimedOf(account) > account.balance - account.held, 'ACCOUNT_FROZEN');
    },
  };
}
