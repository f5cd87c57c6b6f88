import { bare, minor, OWN, refuseIf } from './books.js';
import type { Core, Rules } from './core.js';

/** What the core bank, an acquirer or another custodian moved, for the plain bank. */
export const adjustmentRules = (bank: Core): Rules => ({
  'statement-adjustment': (given, data, at) => {
    const id = bare(data.account);
    const { type } = bank.mine(given, data.account);
    const isOwn = ['own-funds', 'commission', 'marketing', 'fees'].includes(type);
    refuseIf(type !== 'sub' && !bank.law.accounts.has(id) && !isOwn, 'ACCOUNT_TYPE_NOT_ALLOWED');
    const amount = minor(data.amount);
    if (data.direction === 'debit') bank.move(at, [{ from: id, amount, flow: 'exempt' }], []);
    else bank.move(at, [], [{ to: id, amount, flow: 'exempt' }]);
  },

  'take-over': (given, data, at) => {
    const { type } = bank.mine(given, data.account);
    refuseIf(type !== 'sub' && !OWN.includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
    const clears = bank.nextWorkingDay(bank.arrival(at));
    bank.move(at, [], [{ to: bare(data.account), amount: minor(data.amount), clears }]);
  },

  'hand-over': (given, data, at) => {
    const { type } = bank.mine(given, data.account);
    refuseIf(type !== 'sub' && type !== 'margin' && !OWN.includes(type), 'ACCOUNT_TYPE_NOT_ALLOWED');
    bank.move(at, [{ from: bare(data.account), amount: minor(data.amount) }], []);
  },

  'acquirer-fee': (_given, data, at) => {
    bank.move(at, [{ from: at.own['own-funds'] as string, amount: minor(data.amount) }], []);
  },
});
