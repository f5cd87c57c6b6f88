import type { Data } from '../given.js';
import { bare, minor, OWN, refuseIf, withinTerms } from './books.js';
import type { Core, Rules } from './core.js';

/** Money that stays within the book, moved or held, for the plain bank. */

/** Of the platform's own what is there for one purpose. */
const SET_ASIDE = ['reserve', 'advance'];

export const transferRules = (bank: Core): Rules => ({
  transfer: (given, data, at) => {
    const from = bank.mine(given, data.from);
    const to = bank.mine(given, data.to as string);
    refuseIf(data.from === data.to, 'SAME_ACCOUNT');
    const amount = minor(data.amount);
    const setAside = [from, to].some(({ type }) => SET_ASIDE.includes(type));
    refuseIf(setAside && ![from, to].some(({ type }) => type === 'own-funds'), 'ACCOUNT_TYPE_NOT_ALLOWED');
    if (!setAside && !(OWN.includes(from.type) && (OWN.includes(to.type) || to.type === 'sub'))) {
      refuseIf(from.type !== 'sub' || to.type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
      withinTerms(amount, at.transferMax);
    }
    bank.needsAgreement(bare(data.to as string), at);
    refuseIf(at.profile === 'lending' && given.origin !== 'S' && from.type === 'sub', 'PROFILE_FORBIDS');
    bank.move(at, [{ from: bare(data.from), amount }], [{ to: bare(data.to as string), amount, inherits: true }]);
  },

  hold: (given, data) => {
    const account = bank.mine(given, data.account);
    refuseIf(account.type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    const expires = data.expiresAt === undefined ? undefined : Date.parse(data.expiresAt);
    refuseIf(expires !== undefined && expires <= bank.now, 'HOLD_ENDED');
    const amount = minor(data.amount);
    bank.mayTake({ from: bare(data.account), amount });
    account.held += amount;
    bank.holds.set(given.id, {
      platform: given.platform,
      account: bare(data.account),
      expires,
      purpose: data.purpose,
      left: amount,
    });
  },

  release: (given, data) => {
    const hold = bank.hold(given, data);
    const asked = data.amount as Data['amount'] | undefined;
    const amount = asked === undefined ? hold.left : minor(asked);
    refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
    hold.left -= amount;
    bank.account(hold.account).held -= amount;
    bank.credited.add(hold.account);
  },

  capture: (given, data, at) => {
    const hold = bank.hold(given, data);
    refuseIf(hold.expires !== undefined && hold.expires <= bank.now, 'HOLD_ENDED');
    refuseIf(bank.mine(given, data.to as string).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    refuseIf(bare(data.to as string) === hold.account, 'SAME_ACCOUNT');
    const amount = minor(data.amount);
    withinTerms(amount, at.transferMax);
    bank.needsAgreement(bare(data.to as string), at);
    refuseIf(amount > hold.left, 'CAPTURE_EXCEEDS_HOLD');
    bank.move(at, [{ from: hold.account, amount, freed: amount }], [{ to: bare(data.to as string), amount, inherits: true }]);
    hold.left -= amount;
    bank.account(hold.account).held -= amount;
  },

  'bulk-release': (given, data) => {
    const all = [...bank.holds].filter(([, hold]) => hold.platform === given.platform && hold.left > 0n);
    const ids = data.holds?.map(bare) ?? all.filter(([, hold]) => hold.purpose === data.purpose).map(([id]) => id);
    refuseIf(new Set(ids).size < ids.length, 'HOLD_REPEATED');
    refuseIf(ids.length > 500, 'HOLDS_TOO_MANY');
    refuseIf(ids.length === 0, 'HOLD_NOT_FOUND');
    const holds = ids.map((hold) => bank.hold(given, { ...data, hold: `hld_${hold}` }));
    for (const hold of holds) {
      bank.account(hold.account).held -= hold.left;
      hold.left = 0n;
      bank.credited.add(hold.account);
    }
  },

  fee: (given, data, at) => {
    refuseIf(bank.mine(given, data.account).type !== 'sub', 'ACCOUNT_TYPE_NOT_ALLOWED');
    bank.needsAgreement(bare(data.account), at);
    const amount = minor(data.amount);
    withinTerms(amount, bank.trade.feeMax(bare(data.account), at.date) ?? at.feeMax);
    bank.move(at, [{ from: bare(data.account), amount }], [{ to: at.own.fees as string, amount, inherits: true }]);
  },
});
