import { dayAfter, heldBy, type ModelAccount, reservedOf, sum, UNDER_WAY } from './books.js';
import type { Model } from './model.js';
import type { ModelWatches } from './watches.js';

/**
 * Why the money of an account may move or not, told from the plain bank's books: the answer of `GET …/explain` with bare ids.
 * Amounts are minor units.
 */
export interface Explanation {
  readonly account: string;
  readonly type: string;
  readonly state: string;
  readonly asOf: string;
  readonly businessDate: string;
  readonly currency: string;
  readonly balance: number;
  readonly available: number;
  readonly withdrawable: number;
  readonly held: number;
  readonly uncleared: number;
  readonly notWithdrawable: { readonly amount: number; readonly because: string };
  readonly unclearedLines: readonly { readonly amount: number; readonly withdrawableFrom: string }[];
  readonly heldLines: readonly ExplainedHold[];
  readonly underWay: { readonly paidOut: number; readonly collected: number };
  readonly underWayLines: readonly ExplainedPayment[];
  readonly notCredited: number;
  readonly notCreditedLines: readonly { readonly amount: number; readonly paidOverOn: string; readonly count: number }[];
  readonly nextClearing: {
    readonly date: string;
    readonly amount: number;
    readonly fee: number;
    readonly keptBack: number;
    readonly because: string | null;
  } | null;
  readonly reserve: { inForce: number; agreed: number | null; platform: number; bank: number } | null;
  readonly alert: { readonly below: number; readonly low: boolean; readonly since: string | null };
}

export interface ExplainedHold {
  readonly kind: string;
  readonly id: string | null;
  readonly by: string;
  readonly purpose: string | null;
  readonly amount: number;
  readonly of: number | null;
  readonly until: string | null;
  /** Only that there is one: each has a number of its own. */
  readonly documentNo?: string;
  readonly count: number;
}

export interface ExplainedPayment {
  readonly payout: string | null;
  readonly direction: string;
  readonly purpose: string | null;
  readonly state: string | null;
  readonly amount: number;
  readonly createdAt: string | null;
  readonly count: number;
}

const PURPOSE: Readonly<Record<string, string>> = {
  'escrow-refund': 'refund',
  'account-closing': 'closing',
  'judicial-deduction': 'judicial',
};
const BY: Readonly<Record<string, string>> = { P: 'platform', O: 'bank', S: 'system' };
/** Whose word every freeze of a scenario is. */
const AUTHORITY = '某市人民法院';

const time = (ms: number) => `${new Date(ms + 8 * 3_600_000).toISOString().slice(0, -1)}+08:00`;
const smaller = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (BigInt(a) < BigInt(b) ? -1 : 1);

/** @param documents whether the one who asks may see what authorities write */
export function explanationOf(model: Model, watches: ModelWatches, id: string, documents: boolean): Explanation {
  const account = model.accounts.get(id) as ModelAccount;
  const { type, state } = account;
  const balance = ['custody', 'channel-due'].includes(type) ? -account.balance : account.balance; // the bank's assets, shown as what it has
  const { date } = model.platform(account.platform);
  const [held, uncleared] = [reservedOf(account), sum(account.uncleared.values())];
  const most = held > uncleared ? held : uncleared;
  const underWayLines = paymentsOf(model, id);
  const way = (direction: string) =>
    underWayLines.reduce((total, line) => total + (line.direction === direction ? line.amount : 0), 0);
  const { alert, low } = watches.mark(id);
  const next = watches.nextClearing(id);
  const { inForce, agreed, platform, bank } = watches.reserve(id, date);
  return {
    ...{ account: id, type, state, asOf: time(model.now), businessDate: date, currency: 'CNY' },
    ...{ balance: Number(balance), available: Number(balance - held), withdrawable: Number(balance - most) },
    ...{ held: Number(held), uncleared: Number(uncleared) },
    notWithdrawable: { amount: Number(most), because: most === 0n ? 'nothing' : held === most ? 'held' : 'uncleared' },
    unclearedLines: [...account.uncleared]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([withdrawableFrom, amount]) => ({ amount: Number(amount), withdrawableFrom })),
    heldLines: [...holdsOf(model, id), ...bidsOf(model, id), ...reviewsOf(model, id), ...claimsOf(model, account, documents)],
    underWay: { paidOut: way('out'), collected: way('in') },
    underWayLines,
    ...notCredited(model, id),
    nextClearing: next && {
      ...next,
      ...{ amount: Number(next.amount), fee: Number(next.fee), keptBack: Number(next.keptBack) },
    },
    reserve:
      type === 'sub'
        ? {
            ...{ inForce: Number(inForce), agreed: agreed === null ? null : Number(agreed) },
            ...{ platform: Number(platform), bank: Number(bank) },
          }
        : null,
    alert: { below: Number(alert), low: low !== undefined, since: low === undefined ? null : time(low) },
  };
}

/** What a channel has collected for an account that has not got it, by the date on which it is to come. */
function notCredited(model: Model, account: string) {
  const byDate = new Map<string, { amount: number; count: number }>();
  for (const { source, credited, paidOverOn, amount } of model.payouts.values()) {
    if (source !== account || credited !== false || paidOverOn === undefined) continue;
    const before = byDate.get(paidOverOn) ?? { amount: 0, count: 0 };
    byDate.set(paidOverOn, { amount: before.amount + Number(amount), count: before.count + 1 });
  }
  const lines = [...byDate].sort().map(([paidOverOn, { amount, count }]) => ({ amount, paidOverOn, count }));
  return { notCredited: lines.reduce((sum, { amount }) => sum + amount, 0), notCreditedLines: lines };
}

function holdsOf(model: Model, account: string): ExplainedHold[] {
  const open = [...model.holds].filter(([, hold]) => hold.account === account && hold.left > 0n).sort(smaller);
  return open.map(([id, { left, purpose, expires }]) => ({
    ...{ kind: 'hold', id, by: BY[model.past.get(id)?.origin ?? 'S'] as string, purpose },
    ...{ amount: Number(left), of: Number(left), until: expires === undefined ? null : time(expires), count: 1 },
  }));
}

function bidsOf(model: Model, account: string): ExplainedHold[] {
  const fixed = { kind: 'bid', by: 'platform', until: null };
  const added = model.lending.openBids().filter((bid) => bid.marketingOn === account && bid.marketing > 0n);
  const amount = Number(sum(added.map(({ marketing }) => marketing)));
  if (added.length > 0) return [{ ...fixed, id: null, purpose: null, amount, of: amount, count: added.length }];
  const own = model.lending.openBids().filter((bid) => bid.account === account);
  return own.map(({ id, own: of, projectNo }) => ({
    ...{ ...fixed, id, purpose: projectNo, amount: Number(of), of: Number(of), count: 1 },
  }));
}

function reviewsOf(model: Model, account: string): ExplainedHold[] {
  const open = [...model.reviews.open].filter(([, { state }]) => state === 'open').sort(smaller);
  return open.flatMap(([id, { held, due }]) =>
    held
      .filter(({ from }) => from === account)
      .map(({ amount }) => ({
        ...{ kind: 'review', id, by: 'bank', purpose: null },
        ...{ amount: Number(amount), of: Number(amount), until: time(due), count: 1 },
      })),
  );
}

/** In the order in which they came; who has no right to know hears of a freeze only that there is one and what it keeps. */
function claimsOf(model: Model, account: ModelAccount, documents: boolean): ExplainedHold[] {
  return account.claims.map(({ ref, kind, left }) => {
    const amount = Number(heldBy(account, ref));
    if (kind === 'dispute') {
      const { deadline, ofBank } = model.disputes.get(ref) ?? { deadline: 0, ofBank: false };
      const purpose = model.past.get(ref)?.data.reason ?? null;
      const by = ofBank ? 'bank' : 'platform';
      return { kind, id: ref, by, purpose, amount, of: Number(left), until: time(deadline), count: 1 };
    }
    if (!documents) return { kind, id: null, by: 'authority', purpose: null, amount, of: null, until: null, count: 1 };
    const { whole, until } = model.freezes.get(ref) ?? { whole: false, until: '' };
    const ends = time(Date.parse(`${dayAfter(until)}T00:00:00+08:00`));
    const told = { purpose: AUTHORITY, of: whole ? null : Number(left), until: ends, documentNo: 'told' };
    return { kind, id: ref, by: 'authority', amount, ...told, count: 1 };
  });
}

function paymentsOf(model: Model, account: string): ExplainedPayment[] {
  const under = [...model.payouts].filter(([, { source, state }]) => source === account && UNDER_WAY.includes(state));
  return under.sort(smaller).map(([id, { collects, state, amount }]) => {
    const past = model.past.get(id);
    const kind = past?.kind ?? '';
    const what = { payout: id, direction: collects ? 'in' : 'out', purpose: PURPOSE[kind] ?? kind };
    return { ...what, state, amount: Number(amount), createdAt: time(past?.at ?? 0), count: 1 };
  });
}
