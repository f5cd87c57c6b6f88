import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  asId,
  fromWire,
  ID_PREFIXES,
  type IdKind,
  idGenerator,
  PROCESS_NUMBERS,
  toWire,
  wirePattern,
} from '../../src/kernel/index.js';

const START = Date.UTC(2026, 0, 1);
const steps = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 200 });

describe('ids', () => {
  property.prop([fc.nat(PROCESS_NUMBERS - 1), steps])(
    'ascend within a process though the clock stands still or steps back',
    (process, moves) => {
      let now = START;
      const newId = idGenerator(process, () => now);
      let last = newId();
      for (const move of moves) {
        now += move;
        const next = newId();
        expect(next).toMatch(/^[1-9][0-9]{18}$/);
        expect(BigInt(next) > BigInt(last)).toBe(true);
        last = next;
      }
    },
  );

  it('stay distinct and ascending beyond 1,024 in one millisecond', () => {
    const newId = idGenerator(7, () => START);
    const made = Array.from({ length: 5000 }, newId);
    expect(new Set(made).size).toBe(made.length);
    expect([...made].sort()).toEqual(made);
  });

  property.prop([fc.uniqueArray(fc.nat(PROCESS_NUMBERS - 1), { minLength: 2, maxLength: 2 })])(
    'of two processes never meet, even in the same millisecond',
    (numbers) => {
      const made = numbers.flatMap((number) =>
        Array.from(
          { length: 1200 },
          idGenerator(number, () => START),
        ),
      );
      expect(new Set(made).size).toBe(made.length);
    },
  );

  it('fit a signed BIGINT until 2079', () => {
    const id = idGenerator(PROCESS_NUMBERS - 1, () => Date.UTC(2079, 0, 1))();
    expect(BigInt(id) < 2n ** 63n).toBe(true);
  });

  it('refuse a process number that would run into another field', () => {
    expect(() => idGenerator(PROCESS_NUMBERS, () => START)).toThrow('out of range');
    expect(() => idGenerator(-1, () => START)).toThrow('out of range');
  });
});

describe('ids on the wire', () => {
  const id = asId('2236512894231552003');

  it.each(Object.keys(ID_PREFIXES) as IdKind[])('say what they are the id of: %s', (kind) => {
    const wire = toWire(kind, id);
    expect(wirePattern(kind).test(wire)).toBe(true);
    expect(fromWire(wire)).toBe(id);
  });

  it.each([
    '2236512894231552003',
    'acc_223651289423155200',
    'acc_0236512894231552003',
    'mer_2236512894231552003',
    'acc_2236512894231552003 ',
  ])('%p is no account id', (text) => {
    expect(wirePattern('account').test(text)).toBe(false);
  });
});
