import type { Data, Given } from '../given.js';
import {
  BOOKS_MAX,
  bare,
  inTransit,
  type ModelPayout,
  type ModelPlatform,
  minor,
  No,
  refuseIf,
  suspenseOf,
  type Take,
} from './books.js';
import type { Core, Rules } from './core.js';
import type { Flow } from './law.js';
import { boundPayer } from './outside.js';

/** Money whose owner is not known, for the plain bank. */
export const suspenseRules = (bank: Core): Rules => ({
  'suspense-credit': (given, data, at) => {
    const amount = minor(data.amount);
    refuseIf(amount - bank.account(at.own.custody).balance > BOOKS_MAX, 'BALANCE_OVERFLOW');
    const clears = bank.nextWorkingDay(bank.arrival(at));
    bank.move(at, [], [{ to: suspenseOf(at), amount, clears }]);
    const { name, account, bankCode = '' } = data.payer;
    const payer = account === '' ? undefined : [name, account, bankCode].join('|');
    const item = {
      platform: given.platform,
      from: undefined,
      source: given.origin === 'S' ? 'transfer' : 'statement',
      payer,
      clears,
      amount,
      left: amount,
    };
    bank.items.set(given.id, item);
  },

  'suspense-attribution': (given, data, at) => {
    const { item, proposal, amount } = proposedOn(bank, given, data);
    const id = bare(data.account);
    const { type } = bank.mine(given, data.account);
    refuseIf(type !== 'sub' && !bank.law.accounts.has(id), 'ACCOUNT_TYPE_NOT_ALLOWED');
    const young = item.clears !== undefined && item.clears > at.date ? item.clears : undefined;
    const card = boundPayer(id);
    const isCard = [card.name, card.account, card.bankCode].join('|') === item.payer;
    const comesBack: Flow = item.source === 'top-up' ? 'bound' : 'exempt';
    const flow: Flow = item.from === id ? comesBack : isCard ? 'bound' : 'unbound';
    const take: Take = { from: suspenseOf(at), amount, ...(young === undefined ? {} : { how: 'uncleared-first' }) };
    bank.move(at, [take], [{ to: id, amount, flow, ...(young === undefined ? {} : { clears: young }) }]);
    item.left -= amount;
    proposal.state = 'done';
  },

  'suspense-return': (given, data, at) => {
    const { item, proposal, amount } = proposedOn(bank, given, data);
    refuseIf(item.payer === undefined, 'SUSPENSE_PAYER_UNKNOWN');
    refuseIf(item.clears !== undefined && item.clears > at.date, 'FUNDS_UNCLEARED');
    bank.move(at, [{ from: suspenseOf(at), amount }], [{ to: inTransit(at), amount }]);
    bank.makePayout(given, { source: suspenseOf(at), order: undefined, amount });
    item.left -= amount;
    proposal.state = 'done';
  },
});

export function suspend(
  bank: Core,
  given: Given,
  at: ModelPlatform,
  to: string,
  payout: ModelPayout,
  source: string,
  clears?: string,
): void {
  if (to !== suspenseOf(at)) return;
  const { platform, amount } = payout;
  const from = payout.source === to ? undefined : payout.source;
  bank.items.set(given.id, { platform, from, source, payer: 'its payee', clears, amount, left: amount });
}

/** What two people decided, if they did, and what it is about. */
function proposedOn(bank: Core, given: Given, data: Data) {
  const proposal = bank.proposals.get(bare(data.proposal));
  const account = given.kind === 'suspense-attribution' ? bare(data.account) : undefined;
  const amount = minor(data.amount);
  const item = bank.items.get(bare(data.item));
  const says =
    proposal?.state === 'approved' &&
    proposal.item === bare(data.item) &&
    proposal.account === account &&
    proposal.amount === amount;
  if (!says || proposal === undefined) throw new No('PROPOSAL_NOT_APPROVED');
  if (item?.platform !== given.platform) throw new No('SUSPENSE_NOT_FOUND');
  refuseIf(amount > item.left, 'SUSPENSE_EXCEEDED');
  return { item, proposal, amount };
}
