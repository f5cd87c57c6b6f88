import { allocate as allocateDinero, dinero, toDecimal, toSnapshot } from 'dinero.js/bigint';
import { CNY } from 'dinero.js/bigint/currencies';
import { invariant } from './refusals.js';

/** An amount of money in minor units (for CNY: fen). Plain bigint, so that the books add without objects. */
export type Minor = bigint;

/** The largest amount that travels on the wire: 2^53−1 minor units, the largest integer every JSON reader keeps. */
export const WIRE_MAX: Minor = 9007199254740991n;
/** The largest amount that a book keeps, on an account or in a counter: what no answer could say would hide the rest of it too. */
export const BALANCE_MAX: Minor = 2n ** 53n - 1n;

/**
 * Divides `total` by `weights` so that the parts add up to the total exactly. dinero's rule: the leftover minor units go
 * one by one to the largest weights first.
 * @param weights non-negative, not all zero
 */
export function allocate(total: Minor, weights: readonly bigint[]): Minor[] {
  return allocateDinero(dinero({ amount: total, currency: CNY }), [...weights]).map((part) => toSnapshot(part).amount);
}

/** `value × numerator ÷ denominator`, rounded half away from zero to a whole minor unit. */
export function mulDivHalfUp(value: Minor, numerator: bigint, denominator: bigint): Minor {
  invariant(denominator > 0n, 'the denominator is positive');
  const product = value * numerator;
  const magnitude = ((product < 0n ? -product : product) * 2n + denominator) / (denominator * 2n);
  return product < 0n ? -magnitude : magnitude;
}

/** For people: `1234.56`. Never parse it back. */
export function toYuan(amount: Minor): string {
  return toDecimal(dinero({ amount, currency: CNY }));
}

/**
 * Reads a decimal of at most two places, as text, into minor units: no float is ever made.
 * @throws when the text is not such a decimal
 */
export function parseYuan(text: string): Minor {
  const match = /^(-?)(\d{1,16})(?:\.(\d{1,2}))?$/.exec(text.trim());
  invariant(match, `not a decimal amount: ${text}`);
  const minor = BigInt(match[2] as string) * 100n + BigInt((match[3] ?? '').padEnd(2, '0'));
  return match[1] === '-' ? -minor : minor;
}

/** Yuan with two decimals, not below zero, as files and messages have them: in fen. Undefined of any other text. */
export function fenOfYuan(text: string): Minor | undefined {
  return /^(0|[1-9][0-9]{0,17})\.[0-9]{2}$/.test(text) ? BigInt(text.replace('.', '')) : undefined;
}

/** The wire form of an amount that is known to be within ±2^53−1. */
export function toWireAmount(amount: Minor): number {
  invariant(amount <= WIRE_MAX && amount >= -WIRE_MAX, 'amount is beyond the wire range');
  return Number(amount);
}

/** The same with its currency, as answers and instructions have it. */
export function toWireMoney(amount: Minor): { amount: number; currency: 'CNY' } {
  return { amount: toWireAmount(amount), currency: 'CNY' };
}
