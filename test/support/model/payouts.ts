import type { Data, Given } from '../given.js';
import {
  bare,
  inTransit,
  type ModelPayout,
  type ModelPlatform,
  minor,
  OWN,
  refuseIf,
  reservedOf,
  sum,
  type Take,
} from './books.js';
import type { Core, Rules } from './core.js';
import { freezeAgain } from './courts.js';
import { endClosing } from './electronic.js';
import type { Flow, Passing } from './law.js';
import { costOf } from './paying.js';
import { suspend } from './suspense.js';

/** What leaves the bank and what channels collect, with their results, for the plain bank. */
export const payoutRules = (bank: Core): Rules => ({
  withdrawal: (given, data, at) => payOut(bank, given, data, at),

  clearing: (given, data, at) => payOut(bank, given, data, at),

  'payout-settled': (given, data, at) => {
    const payout = bank.payout(given, data, ['sent', 'unknown']);
    if (payout.collects && payout.later) {
      const { due, collected } = channelAccounts(bank, given, at);
      const { amount } = payout;
      const clears = bank.nextWorkingDay(bank.nextWorkingDay(bank.arrival(at)));
      const to = at.atOnce ? creditable(bank, payout, 'bound', at) : collected;
      bank.move(at, [], [at.atOnce ? { to, amount, clears, owed: true, flow: 'bound' } : { to, amount }]);
      if (at.atOnce) suspend(bank, given, at, to, payout, 'top-up', clears);
      bank.account(at.own.custody).balance += amount; // the channel has it
      bank.account(due).balance -= amount;
      payout.credited = at.atOnce === true;
      payout.paidOver = false;
      payout.paidOverOn = bank.nextWorkingDay(bank.arrival(at));
    } else if (payout.collects) {
      const today = bank.arrival(at);
      const to = creditable(bank, payout, 'bound', at);
      const clears = bank.nextWorkingDay(today);
      bank.move(at, [], [{ to, amount: payout.amount, clears, flow: 'bound' }]);
      suspend(bank, given, at, to, payout, 'top-up', clears);
    } else bank.move(at, [{ from: inTransit(at), amount: payout.amount }], []);
    payout.state = 'settled';
    endClosing(bank, payout, true);
  },

  'payout-failed': (given, data, at) => {
    const payout = bank.payout(given, data, data.unsent ? ['created'] : ['sent', 'unknown']);
    if (!payout.collects) {
      const { fee, takes, whole } = feeBack(bank, payout, at);
      const to = creditable(bank, whole, 'back', at);
      bank.payoutAtHand = payout;
      bank.move(
        at,
        [{ from: inTransit(at), amount: payout.amount }, ...takes],
        [{ to, amount: payout.amount + fee, flow: 'back' }],
      );
      suspend(bank, given, at, to, whole, 'payout-failed');
      freezeAgain(bank, payout, to);
    }
    if (payout.order !== undefined) payout.order.refunded -= payout.amount;
    bank.funds.unsettle(bare(data.payout));
    payout.state = 'failed';
    endClosing(bank, payout, false);
  },

  'payout-returned': (given, data, at) => {
    const payout = bank.payout(given, data, ['settled']);
    refuseIf(payout.collects, 'PAYOUT_STATE_CONFLICT');
    const { fee, takes, whole } = feeBack(bank, payout, at);
    const to = creditable(bank, whole, 'exempt', at);
    bank.payoutAtHand = payout;
    bank.move(at, takes, [{ to, amount: payout.amount + fee, flow: 'exempt' }]);
    suspend(bank, given, at, to, whole, 'payout-returned');
    freezeAgain(bank, payout, to);
    if (payout.order !== undefined) payout.order.refunded -= payout.amount;
    bank.funds.unsettle(bare(data.payout));
    payout.state = 'returned';
  },

  'channel-settled': (given, data, at) => {
    const of = (data.payouts ?? []).map((id) => {
      const payout = bank.payouts.get(bare(id));
      refuseIf(payout?.platform !== given.platform || payout.paidOver === undefined, 'COLLECTION_NOT_FOUND');
      refuseIf(payout?.paidOver === true, 'COLLECTION_SETTLED');
      return payout as ModelPayout;
    });
    const amount = minor(data.amount);
    refuseIf(sum(of.map((payout) => payout.amount)) !== amount, 'COLLECTION_SUM_DIFFERS');
    bank.account(at.own.custody).balance -= amount;
    bank.account(at.channel?.due).balance += amount;
    for (const payout of of) payout.paidOver = true;
  },

  'collection-credited': (given, data, at) => {
    const payout = bank.payouts.get(bare(data.payout));
    refuseIf(payout?.platform !== given.platform || payout.paidOver === undefined, 'COLLECTION_NOT_FOUND');
    refuseIf(payout?.paidOver !== true || payout.credited === true, 'COLLECTION_STATE_CONFLICT');
    const of = payout as ModelPayout;
    const to = creditable(bank, of, 'bound', at);
    bank.move(at, [{ from: at.channel?.collected as string, amount: of.amount }], [{ to, amount: of.amount, flow: 'bound' }]);
    suspend(bank, given, at, to, of, 'top-up');
    of.credited = true;
  },
});

/** The account of money that is here already, or suspense where it may not be credited. */
function creditable(bank: Core, payout: ModelPayout, flow: Flow, at: ModelPlatform): string {
  const { source: account, amount } = payout;
  bank.payoutAtHand = payout;
  const passing: Passing = { account, amount, flow, ...bank.standOf(account, amount) };
  const gone = bank.account(account).state === 'closed' || bank.law.forbids(passing, bank.owner, bank.now);
  return gone ? (at.own.suspense as string) : account;
}

function payOut(bank: Core, given: Given, data: Data, at: ModelPlatform): void {
  if (data.fee !== undefined) {
    const paying = bank.trade.paying(bare(data.account), at.date);
    const most = costOf(
      paying,
      minor(data.amount) + minor(data.fee),
      bank.trade.feeMax(bare(data.account), at.date) ?? at.feeMax,
    );
    refuseIf(most === 0n, 'PROOF_MISSING');
    refuseIf(minor(data.fee) > most, 'TERMS_EXCEEDED');
  }
  const account = bank.mine(given, data.account);
  const electronic = bank.law.accounts.has(bare(data.account)) && (given.kind === 'withdrawal' || at.ending === true);
  refuseIf(account.type !== 'sub' && !OWN.includes(account.type) && !electronic, 'ACCOUNT_TYPE_NOT_ALLOWED');
  refuseIf(!account.bound, 'SETTLEMENT_ACCOUNT_MISSING');
  const amount = minor(data.amount);
  const fee = data.fee === undefined ? 0n : minor(data.fee);
  const take: Take = { from: bare(data.account), amount: amount + fee, how: 'cleared-only', flow: 'bound' };
  bank.pass([take], []);
  if (given.kind === 'withdrawal') bank.willed(given, { account: bare(data.account), amount, payee: bare(data.account) });
  bank.move(at, [take], [{ to: inTransit(at), amount }, ...(fee === 0n ? [] : [{ to: at.own.fees as string, amount: fee }])]);
  bank.makePayout(given, { source: bare(data.account), order: undefined, amount, fee });
}

/** What a payout cost that never arrived, as far as the platform still has it. */
function feeBack(bank: Core, payout: ModelPayout, at: ModelPlatform) {
  const from = at.own.fees as string;
  const fees = bank.account(from);
  const [young, held] = [sum(fees.uncleared.values()), reservedOf(fees)];
  const there = fees.state === 'open' ? fees.balance - (held > young ? held : young) : 0n;
  const fee = (payout.fee ?? 0n) < there ? (payout.fee ?? 0n) : there;
  const takes: Take[] = fee > 0n ? [{ from, amount: fee, how: 'cleared-only' }] : [];
  return { fee, takes, whole: { ...payout, amount: payout.amount + fee } };
}

/** By which collections pass that are paid over later; opened by the first. */
function channelAccounts(bank: Core, given: Given, at: ModelPlatform) {
  if (at.channel === undefined) {
    at.channel = { due: given.id, collected: String(BigInt(given.id) + 1n) };
    bank.openAccount(at.channel.due, given.platform, 'channel-due', false);
    bank.openAccount(at.channel.collected, given.platform, 'collected', false);
  }
  return at.channel;
}
