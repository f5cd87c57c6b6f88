import {
  BOOKS_MAX,
  bare,
  dayAfter,
  found,
  heldBy,
  inTransit,
  type ModelClaim,
  type ModelFreeze,
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
import { takeBack } from './items.js';
import { takenOfOrder } from './splits.js';

/** What disputes and authorities lay claim to, for the plain bank. */
export const courtRules = (bank: Core): Rules => ({
  'dispute-open': (given, data) => {
    const order = bank.order(given, data);
    const receiver = data.account === undefined ? undefined : bare(data.account);
    if (data.account !== undefined) bank.mine(given, data.account);
    const deadline = Date.parse(data.expiresAt);
    refuseIf(deadline <= bank.now, 'DISPUTE_ENDED');
    const disputed = (id: string) =>
      sum(bank.account(id).claims.map((claim) => (claim.order === order.account ? claim.left : 0n)));
    const atLeastNothing = (amount: bigint) => (amount > 0n ? amount : 0n);
    const onOrder = atLeastNothing(bank.account(order.account).balance - disputed(order.account));
    const share = receiver === undefined ? undefined : bank.shares.get(`${order.account}/${receiver}`);
    const got = share === undefined ? 0n : share.split - share.returned;
    const onReceiver = receiver === undefined ? 0n : atLeastNothing(got - disputed(receiver));
    const amount = minor(data.amount);
    refuseIf(amount > onOrder + onReceiver, 'DISPUTE_EXCEEDS_ORDER');
    const first = amount < onOrder ? amount : onOrder;
    for (const [id, left] of [
      [order.account, first],
      [receiver, amount - first],
    ] as const) {
      if (id === undefined || left === 0n) continue;
      refuseIf(bank.account(id).state === 'closed', 'ACCOUNT_CLOSED');
    }
    const claim = { ref: given.id, kind: 'dispute' as const, order: order.account };
    if (first > 0n) bank.account(order.account).claims.push({ ...claim, left: first });
    const on = amount > first ? receiver : undefined;
    if (on !== undefined) bank.account(on).claims.push({ ...claim, left: amount - first });
    bank.disputes.set(given.id, {
      platform: given.platform,
      order,
      receiver: on,
      deadline,
      open: true,
      ofBank: given.origin === 'O',
    });
  },

  'dispute-end': (given, data, at) => {
    const dispute = bank.disputes.get(bare(data.dispute));
    if (dispute?.platform !== given.platform) throw new No('DISPUTE_NOT_FOUND');
    refuseIf(!dispute.open, 'DISPUTE_ENDED');
    refuseIf(dispute.ofBank && given.origin === 'P', 'DISPUTE_OF_BANK');
    refuseIf(data.result === 'upheld' && dispute.deadline <= bank.now, 'DISPUTE_ENDED');
    const { order, receiver } = dispute;
    refuseIf(data.result === 'upheld' && bank.account(order.account).type === 'escrow', 'ESCROW_BOUND');
    if (data.result === 'upheld' && receiver !== undefined) giveBackDisputed(bank, at, bare(data.dispute), order, receiver);
    dispute.open = false;
    for (const id of receiver === undefined ? [order.account] : [order.account, receiver]) {
      const { claims } = bank.account(id);
      const place = claims.findIndex((claim) => claim.ref === bare(data.dispute));
      if (place < 0) continue;
      if ((claims[place] as ModelClaim).left > 0n) bank.credited.add(id);
      claims.splice(place, 1);
    }
  },

  'judicial-deduction': (given, data, at) => {
    const deduction = bank.deductions.get(bare(data.deduction));
    const freeze = bank.freezes.get(deduction?.freeze ?? '');
    if (deduction === undefined || freeze === undefined) throw new No('DEDUCTION_NOT_FOUND');
    if (bank.account(freeze.account).platform !== given.platform) throw new No('DEDUCTION_NOT_FOUND');
    refuseIf(deduction.ordered, 'DEDUCTION_DECIDED');
    const account = bank.account(freeze.account);
    const claim = account.claims.find(({ ref }) => ref === deduction.freeze);
    if (claim === undefined || runningFreeze(bank, deduction.freeze) === undefined) throw new No('FREEZE_ENDED');
    const { amount } = deduction;
    refuseIf(amount > heldBy(account, claim.ref), 'DEDUCTION_EXCEEDS_FREEZE');
    const take: Take = { from: freeze.account, amount, how: 'cleared-only', flow: 'exempt', claim: 'court' };
    bank.move(at, [take], [{ to: inTransit(at), amount }]);
    claim.left -= amount;
    deduction.ordered = true;
    bank.makePayout(given, { source: freeze.account, order: undefined, amount, freeze: claim.ref });
  },
});

/** What a dispute holds of the receiver goes back to the order, as far as he has not given it back. */
function giveBackDisputed(bank: Core, at: ModelPlatform, ref: string, order: ModelOrder, receiver: string): void {
  const account = bank.account(receiver);
  const share = bank.share(order, receiver);
  const has = heldBy(account, ref);
  const amount = has < share.split - share.returned ? has : share.split - share.returned;
  if (amount === 0n) return;
  const isYoung = sum(account.uncleared.values()) > 0n;
  const taken = takenOfOrder(bank, order, new Map([[receiver, amount]]));
  bank.move(at, [{ from: receiver, amount, how: 'uncleared-first', claim: 'dispute' }], [{ to: order.account, amount }]);
  if (isYoung) order.came = bank.arrival(at);
  order.returned += amount;
  share.returned += amount;
  for (const claim of account.claims) if (claim.ref === ref) claim.left -= amount;
  takeBack(order.background?.items ?? [], bank.atHand.id, taken);
}

/** Answers the code of the refusal, or nothing. */
export function freezeAccount(
  bank: Core,
  id: string,
  of: { account: string; amount: bigint | undefined; until: string },
): string | undefined {
  const account = bank.account(of.account);
  const today = new Date(bank.now + 8 * 3_600_000).toISOString().slice(0, 10);
  if (['custody', 'channel-due', 'collected', 'in-transit', 'suspense', 'order'].includes(account.type))
    return 'ACCOUNT_TYPE_NOT_ALLOWED';
  if (account.state === 'closed') return 'ACCOUNT_CLOSED';
  if (of.until < today || of.until > `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`) return 'FREEZE_DATES';
  bank.freezes.set(id, { account: of.account, whole: of.amount === undefined, until: of.until, open: true });
  account.claims.push({ ref: id, kind: 'court', order: undefined, left: of.amount ?? BOOKS_MAX });
  return undefined;
}

function runningFreeze(bank: Core, id: string): ModelFreeze | undefined {
  const freeze = bank.freezes.get(id);
  return freeze?.open && bank.now < Date.parse(`${dayAfter(freeze.until)}T00:00:00+08:00`) ? freeze : undefined;
}

export function renewFreeze(bank: Core, id: string, until: string): string | undefined {
  const freeze = runningFreeze(bank, id);
  if (freeze === undefined) return bank.freezes.has(id) ? 'FREEZE_ENDED' : 'NOT_FOUND';
  const today = new Date(bank.now + 8 * 3_600_000).toISOString().slice(0, 10);
  if (until <= freeze.until || until > `${Number(today.slice(0, 4)) + 1}${today.slice(4)}`) return 'FREEZE_DATES';
  freeze.until = until;
  return undefined;
}

export function liftFreeze(bank: Core, id: string, amount: bigint | undefined): string | undefined {
  const freeze = runningFreeze(bank, id);
  if (freeze === undefined) return bank.freezes.has(id) ? 'FREEZE_ENDED' : 'NOT_FOUND';
  if (amount === undefined) return endFreeze(bank, id, freeze);
  if (freeze.whole) return 'FREEZE_OF_ALL';
  const claim = found(
    bank.account(freeze.account).claims.find(({ ref }) => ref === id),
    'the claim of a freeze',
  );
  if (amount > claim.left) return 'FREEZE_LIFT_EXCEEDS';
  claim.left -= amount;
  return undefined;
}

function endFreeze(bank: Core, id: string, freeze: ModelFreeze): undefined {
  freeze.open = false;
  const { claims } = bank.account(freeze.account);
  claims.splice(
    claims.findIndex(({ ref }) => ref === id),
    1,
  );
}

/** Asked for by one and approved by another. */
export function approveDeduction(bank: Core, id: string, freeze: string, amount: bigint): string | undefined {
  const of = bank.freezes.get(freeze);
  if (of === undefined) return 'NOT_FOUND';
  if (runningFreeze(bank, freeze) === undefined) return 'FREEZE_ENDED';
  if (amount > heldBy(bank.account(of.account), freeze)) return 'DEDUCTION_EXCEEDS_FREEZE';
  bank.deductions.set(id, { freeze, amount, ordered: false });
  return undefined;
}

/** Freezes whose last day is over have ended. */
export function endFreezes(bank: Core): void {
  for (const [id, freeze] of bank.freezes) if (freeze.open && runningFreeze(bank, id) === undefined) endFreeze(bank, id, freeze);
}

/** What a deduction took is frozen again when it comes back, unless it goes to suspense or the freeze has ended. */
export function freezeAgain(bank: Core, { freeze, source, amount }: ModelPayout, to: string): void {
  const claim = bank.account(source).claims.find(({ ref }) => ref === freeze);
  if (claim !== undefined && to === source) claim.left += amount;
}
