import type { Given } from '../given.js';
import { claimedOf, frozenOf, type Give, largestTakeFirst, type ModelPlatform, type Take } from './books.js';
import type { Core } from './core.js';
import type { ModelDiversion } from './refunds.js';

/** What comes in for an account that owes the platform, or whose margin lacks something, for the plain bank. */

/** From whom the money of an instruction comes back: what of it went elsewhere comes from there. */
export function comingBack(bank: Core, takes: readonly { from: string; amount: bigint }[], undone: string): Take[] {
  const kept = new Map(takes.map((take) => [take.from, take.amount]));
  for (const part of bank.cover.diverted.get(undone) ?? []) {
    kept.set(part.account, (kept.get(part.account) ?? 0n) - part.amount);
    kept.set(part.to, (kept.get(part.to) ?? 0n) + part.amount);
  }
  const back = [...kept].flatMap(([from, amount]) => (amount > 0n ? [{ from, amount, how: 'uncleared-first' as const }] : []));
  return undone === '' ? back : back.sort(largestTakeFirst);
}

export function owedAgain(bank: Core, undone: string): void {
  for (const { debt, amount } of bank.cover.diverted.get(undone) ?? []) if (debt !== undefined) debt.left += amount;
}

/** What comes in for receivers, less what they owe and what their margins lack, and where that goes; what is claimed is theirs first. */
export function afterDebts(bank: Core, given: Given, gives: readonly Give[], at: ModelPlatform): Give[] {
  const parts: ModelDiversion[] = [];
  const left = gives.flatMap((give) => {
    if (bank.account(give.to).state === 'closed') return [give];
    const margin = bank.cover.margins.get(give.to);
    const has = margin === undefined ? 0n : bank.account(margin.account).balance;
    const lacking = claimedOf(bank.account(give.to)) - frozenOf(bank.account(give.to));
    const claimed = lacking < give.amount ? lacking : give.amount;
    const divided = bank.cover.divide(give.to, give.amount - claimed, at.own['own-funds'] as string, has);
    parts.push(...divided.parts);
    const left = divided.left + claimed;
    return left > 0n ? [{ ...give, amount: left }] : [];
  });
  const like = (part: ModelDiversion) => gives.find((give) => give.to === part.account) as Give;
  for (const { debt, amount } of parts) if (debt !== undefined) debt.left -= amount;
  if (parts.length > 0) bank.cover.diverted.set(given.id, parts);
  return [...left, ...parts.map((part) => ({ ...like(part), to: part.to, amount: part.amount }))];
}
