import { gotOf, leftOf, type ModelBackground, type ModelItem } from './agreements.js';

interface Split {
  readonly shares: ReadonlyMap<string, bigint>;
  readonly parts: readonly { readonly item: ModelItem; readonly part: Map<string, bigint> }[];
}

/**
 * What a split gives that is not as the agreement has it, where people may let it be: the last of one item, all of it, to those whom its
 * agreement names, and no more of it elsewhere than `most`.
 * @param most hundredths of a percent
 * @returns by how much it differs, rounded up, and what others than the seller would have of the order then; undefined: it may not be
 */
export function offRule(
  { items }: ModelBackground,
  { shares, parts }: Split,
  named: ReadonlyMap<string, bigint>,
  most: bigint | undefined,
): { readonly bp: bigint; readonly others: bigint } | undefined {
  const [one, another] = parts;
  if (most === undefined || one === undefined || another !== undefined) return undefined;
  const { item, part } = one;
  const sum = (of: ReadonlyMap<string, bigint>) => [...of.values()].reduce((total, amount) => total + amount, 0n);
  if (leftOf(item) !== sum(part) || sum(named) !== sum(shares)) return undefined;
  const receivers = [item.seller, ...item.agreement.lines.map(({ to }) => to)];
  if ([...named.keys()].some((to) => !receivers.includes(to))) return undefined;
  let elsewhere = 0n;
  for (const [to, amount] of named) if (amount > (shares.get(to) ?? 0n)) elsewhere += amount - (shares.get(to) ?? 0n);
  const bp = (elsewhere * 10_000n + sum(named) - 1n) / sum(named);
  if (bp > most) return undefined;
  let others = 0n;
  for (const each of items)
    for (const [to, amount] of [...gotOf(each), ...(each === item ? named : [])]) if (to !== each.seller) others += amount;
  return { bp, others };
}
