import { type Id, type Minor, type Refusal, refuse, toWire } from '../../kernel/index.js';
import { availableOf, type LedgerAccount, type Posting } from '../../ledger/index.js';
import type { Order } from '../../orders/index.js';
import { shareKey, shareRecords } from '../../orders/index.js';
import {
  type Advance,
  advanceRecords,
  debtRecords,
  type Given,
  type Giver,
  marginRecords,
  orderSharesRecords,
  proRata,
  queueRecords,
  receivableKey,
  receivableRecords,
  type Wanted,
  waterfall,
} from '../../refunds/index.js';
import { type At, change, type Facts, type Needs, type RecordChange } from '../kind.js';

/** How a refund takes back what its order lacks: from all receivers in proportion, or as it says. */
export type Recall = 'pro-rata' | readonly { readonly account: Id; readonly amount: { readonly amount: Minor } }[];

/** What must be seen to cover a refund of this order. Known once the order is, and again once its receivers are. */
export function recallNeeds(order: Order, facts: Facts): Needs {
  const shares = facts.record(orderSharesRecords, order.accountId)?.shares ?? [];
  return {
    records: [[orderSharesRecords, order.accountId], ...shares.flatMap(({ receiverId }) => receiverNeeds(receiverId))],
  };
}

/** What is known of an account to which orders are split: its margin, what it owes, which refunds wait for it. */
export function receiverNeeds(account: Id): NonNullable<Needs['records']>[number][] {
  return [
    [marginRecords, account],
    [debtRecords, account],
    [queueRecords, account],
  ];
}

/** A refund of an order, as the waterfall covers it. */
export interface Recalled {
  /** What is taken from the order as it stands. */
  readonly fromOrder: Minor;
  readonly lines: readonly Given[];
  /** Of the receivers and of the order, beyond what older refunds that wait want of them. */
  readonly missing: Minor;
}

/** All that leaves an order by a refund, and how what it lacks is taken back. Minor units. */
interface Recalling {
  readonly order: Order;
  readonly amount: Minor;
  readonly recall: Recall;
  /** What is on the order. */
  readonly left: Minor;
  /** What named items are to give back, where they are named. */
  readonly wanted?: readonly Wanted[] | undefined;
}

/** How a refund is made up, as the books stand. `unseen`: an account came into it that was not loaded. */
export function recallOf(
  { order, amount, recall, left, wanted: named }: Recalling,
  facts: Facts,
  at: At,
): Recalled | Refusal | 'unseen' {
  const shares = facts.record(orderSharesRecords, order.accountId)?.shares;
  if (shares === undefined) return 'unseen';
  let wanted: readonly Wanted[];
  if (named !== undefined) wanted = named;
  else if (recall === 'pro-rata') wanted = proRata(amount > left ? amount - left : 0n, shares);
  else {
    wanted = recall.map((line) => ({ account: line.account, amount: line.amount.amount }));
    const over = wanted.find((line) => line.amount > gotOf(shares, line.account));
    if (over !== undefined) {
      return refuse('SPLIT_RETURN_EXCEEDS', undefined, {
        account: toWire('account', over.account),
        left: String(gotOf(shares, over.account)),
      });
    }
  }
  const recalled = wanted.reduce((sum, line) => sum + line.amount, 0n);
  if (recalled > amount || amount - recalled > left)
    return refuse('RECALL_DOES_NOT_FIT', undefined, { left: String(left), recalled: String(recalled) });
  const givers = wanted.map((line) => giverOf(line, facts, at));
  if (givers.some((giver) => giver === undefined)) return 'unseen';
  const lines = waterfall(givers as Giver[], roomOf(facts, at));
  const fromOrder = amount - recalled;
  // How much of an older one comes from the order may change until it is covered: all of it might.
  const free = left - least(left, waitingOf(facts, at, order.accountId));
  return { fromOrder, lines, missing: lines.reduce((sum, line) => sum + line.missing, fromOrder - least(fromOrder, free)) };
}

function least(one: Minor, other: Minor): Minor {
  return one < other ? one : other;
}

function gotOf(shares: readonly { receiverId: Id; split: Minor; returned: Minor }[], account: Id): Minor {
  const share = shares.find(({ receiverId }) => receiverId === account);
  return share === undefined ? 0n : share.split - share.returned;
}

/** What a receiver can give beyond what refunds that came before this one want of him: those go first, the others need not wait for them. */
function giverOf(line: Wanted, facts: Facts, at: At): Giver | undefined {
  const margin = facts.record(marginRecords, line.account);
  if (margin === undefined || facts.record(debtRecords, line.account) === undefined) return undefined;
  const available = usable(facts.account(line.account));
  const kept = usable(margin.marginId === null ? undefined : facts.account(margin.marginId));
  const older = waitingOf(facts, at, line.account);
  const ofOwn = least(older, available);
  const ofMargin = least(older - ofOwn, kept);
  return { ...line, available: available - ofOwn, margin: kept - ofMargin, advanceable: older === ofOwn + ofMargin };
}

/** What can be taken of an account now; of one that is frozen or closed nothing. */
function usable(account: LedgerAccount | undefined): Minor {
  return account?.state === 'open' ? availableOf(account) : 0n;
}

function advanceOf(facts: Facts, at: At): Advance {
  return facts.record(advanceRecords, at.platformId) ?? { platformId: at.platformId, ceiling: 0n, outstanding: 0n };
}

/** What the platform may still advance: it must have it, and the ceiling must not be reached. */
function roomOf(facts: Facts, at: At): Minor {
  const { ceiling, outstanding } = advanceOf(facts, at);
  const funds = usable(facts.account(at.book.accounts['own-funds']));
  return least(ceiling - outstanding, funds);
}

/** What older refunds that wait want of a receiver; of an order: all that they refund. */
export function waitingOf(facts: Facts, at: At, account: Id): Minor {
  return (facts.record(queueRecords, account)?.waiting ?? [])
    .filter(({ instruction }) => instruction < at.instruction)
    .reduce((sum, { wanted }) => sum + wanted, 0n);
}

/** The debits of a refund that is covered, largest rung first. Uncleared money goes before cleared. */
export function recallPostings({ lines }: Pick<Recalled, 'lines'>, facts: Facts, at: At): Posting[] {
  const advanced = lines.reduce((sum, line) => sum + line.advanced, 0n);
  const debits = [
    ...lines.map((line) => ({ account: line.account, amount: line.own })),
    ...lines.map((line) => ({ account: facts.record(marginRecords, line.account)?.marginId, amount: line.margin })),
    { account: at.book.accounts['own-funds'], amount: advanced },
  ];
  return debits.flatMap(({ account, amount }) =>
    amount > 0n && account ? [{ account, amount: -amount, draw: 'uncleared-first' as const }] : [],
  );
}

/** The shares that went back, what was advanced for whom, and what of the platform's advance is out. */
export function recallRecords({ lines }: Pick<Recalled, 'lines'>, order: Order, facts: Facts, at: At): RecordChange[] {
  if (lines.length === 0) return [];
  const shares = facts.record(orderSharesRecords, order.accountId)?.shares ?? [];
  const returned = lines.flatMap((line) => {
    const share = shares.find(({ receiverId }) => receiverId === line.account);
    if (share === undefined) return [];
    const after = { ...share, returned: share.returned + line.amount };
    return [change(shareRecords, shareKey(order.accountId, line.account), after)];
  });
  const advanced = lines.filter((line) => line.advanced > 0n);
  if (advanced.length === 0) return returned;
  const advance = advanceOf(facts, at);
  const outstanding = advanced.reduce((sum, line) => sum + line.advanced, advance.outstanding);
  return [
    ...returned,
    ...advanced.map((line) =>
      change(receivableRecords, receivableKey(at.instruction, line.account), {
        instruction: at.instruction,
        accountId: line.account,
        platformId: at.platformId,
        orderNo: order.orderNo,
        amount: line.advanced,
        recovered: 0n,
        createdMs: at.nowMs,
      }),
    ),
    change(advanceRecords, at.platformId, { ...advance, outstanding }),
  ];
}
