import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../../src/kernel/index.js';

const json = fc.jsonValue({ maxDepth: 4 });

/** The same value with the keys of every object in another order. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)]),
  );
}

describe('the canonical text of a request', () => {
  property.prop([json], { seed: 1 })('is the same whatever the order of its keys', (value) => {
    expect(canonicalJson(turned(value))).toBe(canonicalJson(value));
  });

  property.prop([json], { seed: 2 })('reads back as the same value', (value) => {
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  property.prop([json, json], { seed: 3 })('differs when the values differ', (a, b) => {
    const same = JSON.stringify(turnedSorted(a)) === JSON.stringify(turnedSorted(b));
    expect(canonicalJson(a) === canonicalJson(b)).toBe(same);
  });

  it.each([
    [{ b: 1, a: [{ d: null, c: 'x' }] }, '{"a":[{"c":"x","d":null}],"b":1}'],
    [{ a: undefined, b: 2 }, '{"b":2}'],
    [{ '10': 1, '9': 2 }, '{"10":1,"9":2}'],
    ['é"\n', '"é\\"\\n"'],
    [[], '[]'],
    [{}, '{}'],
  ])('of %j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });
});

function turnedSorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turnedSorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => ({ key, inner: turnedSorted(inner) }));
}
