import type { Id, Minor } from '../kernel/index.js';

/** What is to be taken back from one receiver, in minor units. */
export interface Wanted {
  readonly account: Id;
  readonly amount: Minor;
}

/**
 * `amount` taken back from receivers in proportion to what each has still got out of the order (split − returned), exact to the fen: each
 * gives his share rounded down, and the fen that are left over are given one each by those with the largest remainders, of equal ones
 * by the account that was opened first. Nobody gives more than he has got.
 * @param amount minor units, at most what all of them have got
 */
export function proRata(amount: Minor, shares: readonly { receiverId: Id; split: Minor; returned: Minor }[]): Wanted[] {
  const got = shares
    .map(({ receiverId, split, returned }) => ({ account: receiverId, got: split - returned }))
    .filter((share) => share.got > 0n);
  const whole = got.reduce((sum, share) => sum + share.got, 0n);
  if (whole === 0n) return [];
  const parts = got.map((share) => ({ ...share, amount: (amount * share.got) / whole, rest: (amount * share.got) % whole }));
  let left = amount - parts.reduce((sum, part) => sum + part.amount, 0n);
  const byRest = [...parts].sort((a, b) => (a.rest === b.rest ? (a.account < b.account ? -1 : 1) : a.rest > b.rest ? -1 : 1));
  for (const part of byRest) {
    if (left === 0n) break;
    part.amount += 1n;
    left -= 1n;
  }
  return parts.filter((part) => part.amount > 0n).map(({ account, amount: of }) => ({ account, amount: of }));
}

/** A receiver who is to give back, and what he and his margin can give. */
export interface Giver extends Wanted {
  readonly available: Minor;
  readonly margin: Minor;
  /** Whether the platform may advance for him: not while a refund that came before lacks money of his. */
  readonly advanceable: boolean;
}

/** Who gives how much of what one receiver is to give back; what nobody gives is `missing`. All add up to `amount`. */
export interface Given extends Wanted {
  readonly own: Minor;
  readonly margin: Minor;
  readonly advanced: Minor;
  readonly missing: Minor;
}

const least = (one: Minor, other: Minor) => (one < other ? one : other);

/**
 * The order in which a refund is covered: of each receiver his available money, then his margin; then, for all receivers in their order,
 * the platform's advance while there is room for it.
 * @param room minor units that the platform may still advance
 */
export function waterfall(givers: readonly Giver[], room: Minor): Given[] {
  let left = room > 0n ? room : 0n;
  return givers.map(({ account, amount, available, margin: has, advanceable }) => {
    const own = least(amount, available);
    const margin = least(amount - own, has);
    const advanced = advanceable ? least(amount - own - margin, left) : 0n;
    left -= advanced;
    return { account, amount, own, margin, advanced, missing: amount - own - margin - advanced };
  });
}

/** What of an income goes where: first what is owed, then the margin up to its target; the rest is the receiver's. */
export function divideIncome(
  income: Minor,
  { owed, marginLacks }: { readonly owed: Minor; readonly marginLacks: Minor },
): { readonly recovered: Minor; readonly toMargin: Minor; readonly left: Minor } {
  const recovered = least(income, owed);
  const toMargin = least(income - recovered, marginLacks > 0n ? marginLacks : 0n);
  return { recovered, toMargin, left: income - recovered - toMargin };
}
