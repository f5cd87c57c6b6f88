import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson } from '../../src/runtime/index.js';
import { readJson } from '../../src/runtime/json.js';

/** Any value of whole numbers and text without characters that are none. */
const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.maxSafeInteger(),
    text,
    fc.boolean(),
    fc.constant(null),
    tie('list'),
    tie('record'),
  ),
  list: fc.array(tie('value'), { maxLength: 5 }),
  record: fc.dictionary(
    text.filter((key) => key !== '__proto__'),
    tie('value'),
    { maxKeys: 5, noNullPrototype: true },
  ),
}));

const depth = (at: unknown): number =>
  typeof at === 'object' && at !== null ? 1 + Math.max(0, ...Object.values(at).map(depth)) : 0;

describe('strict JSON', () => {
  test('reads what JSON.parse reads, spaced in any way', () => {
    fc.assert(
      fc.property(value, fc.nat(4), (written, indent) => {
        fc.pre(depth(written) <= 32);
        const json = JSON.stringify(written, null, indent);
        expect(parseJson(json)).toEqual(JSON.parse(json));
      }),
      { seed: 20260302, numRuns: 500 },
    );
  });

  test('points at the number that is none of ours, wherever it stands', () => {
    const { faults } = readJson('{"a":[1,{"b/c":[0,1.5]},"2.5"],"d~":1e2,"e":{"f":-9007199254740992}}', '/4');
    expect(faults.map(({ pointer }) => pointer)).toEqual(['/4/a/1/b~1c/1', '/4/d~0', '/4/e/f']);
  });

  test('never answers with anything but a value or a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0a1-.eE tnf\n') }), (garbage) => {
        let known: unknown = 'refused';
        try {
          known = parseJson(garbage);
        } catch (error) {
          expect((error as Error).name).toBe('Refused');
        }
        if (known !== 'refused') expect(known).toEqual(JSON.parse(garbage));
      }),
      { seed: 20260302, numRuns: 3_000 },
    );
  });
});
