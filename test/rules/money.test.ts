import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { allocate, mulDivHalfUp, parseYuan, toWireAmount, toYuan, WIRE_MAX } from '../../src/kernel/index.js';

const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 12n }), { minLength: 1, maxLength: 20 })
  .filter((list) => list.some((w) => w > 0n));
const sum = (list: readonly bigint[]) => list.reduce((total, part) => total + part, 0n);

describe('allocation', () => {
  property.prop([fc.bigInt({ min: 0n, max: WIRE_MAX }), weights])('adds up to the total, to the fen', (total, by) => {
    const parts = allocate(total, by);
    expect(parts).toHaveLength(by.length);
    expect(sum(parts)).toBe(total);
  });

  property.prop([fc.bigInt({ min: 0n, max: WIRE_MAX }), weights])('gives each within one fen of its exact share', (total, by) => {
    const all = sum(by);
    allocate(total, by).forEach((part, place) => {
      const floor = (total * (by[place] as bigint)) / all;
      expect(part - floor === 0n || part - floor === 1n).toBe(true);
    });
  });
});

describe('rounding', () => {
  it.each([
    [105n, 10n, 100n, 11n], // 10.5
    [104n, 10n, 100n, 10n],
    [106n, 10n, 100n, 11n],
    [-105n, 10n, 100n, -11n],
    [0n, 7n, 3n, 0n],
  ])('%s × %s ÷ %s is %s, half away from zero', (value, numerator, denominator, expected) => {
    expect(mulDivHalfUp(value, numerator, denominator)).toBe(expected);
  });

  const any = fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n });
  property.prop([any, fc.bigInt({ min: 0n, max: 10n ** 6n }), fc.bigInt({ min: 1n, max: 10n ** 6n })])(
    'errs by at most one half',
    (value, numerator, denominator) => {
      const error = mulDivHalfUp(value, numerator, denominator) * denominator - value * numerator;
      expect((error < 0n ? -error : error) * 2n <= denominator).toBe(true);
    },
  );

  it('refuses to divide by nothing', () => {
    expect(() => mulDivHalfUp(1n, 1n, 0n)).toThrow('denominator');
  });
});

describe('yuan in text', () => {
  property.prop([fc.bigInt({ min: -WIRE_MAX, max: WIRE_MAX })])('reads back to the same fen', (amount) => {
    expect(parseYuan(toYuan(amount))).toBe(amount);
  });

  it.each([
    ['12.3', 1230n],
    ['0.07', 7n],
    ['-5', -500n],
    ['58.90', 5890n],
  ])('%s is %s fen', (text, fen) => {
    expect(parseYuan(text)).toBe(fen);
  });

  it.each(['1.234', '1e3', '', '.5', '1,000', '0x10', 'NaN', '1.'])('refuses %p, which would have to be guessed at', (text) => {
    expect(() => parseYuan(text)).toThrow('not a decimal');
  });
});

describe('amounts on the wire', () => {
  it('are never rounded: what JSON cannot hold is refused', () => {
    expect(toWireAmount(WIRE_MAX)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => toWireAmount(WIRE_MAX + 1n)).toThrow('wire range');
    expect(() => toWireAmount(-WIRE_MAX - 1n)).toThrow('wire range');
  });
});
