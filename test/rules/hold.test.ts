import { test as property } from '@fast-check/jest';
import { describe, expect } from '@jest/globals';
import fc from 'fast-check';
import { asId } from '../../src/kernel/index.js';
import { availableOf } from '../../src/ledger/index.js';
import { holdRecords, holdRemaining } from '../../src/orders/index.js';
import { DESK, Desk } from '../support/world/desk.js';

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const amount = fc.integer({ min: 1, max: 6_000 });
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('hold', 'release', 'capture', 'withdrawal'),
    which: fc.nat({ max: 5 }),
    amount,
    whole: fc.boolean(),
    expires: fc.boolean(),
  }),
  { maxLength: 40 },
);

describe('holds', () => {
  property.prop([steps], { seed: 9, numRuns: 200 })('add up to what is held, and nothing else can use it', (list) => {
    const desk = new Desk('hold');
    const holds: string[] = [];
    for (const step of list) {
      const hold = `hld_${holds[step.which % Math.max(1, holds.length)] ?? '1000000000000000001'}`;
      const { instruction } = desk.at;
      const before = desk.account(DESK.anna).balance;
      const available = availableOf(desk.account(DESK.anna));
      const result = desk.giveNext(
        step.kind,
        {
          hold: {
            account: `acc_${DESK.anna}`,
            amount: cny(step.amount),
            purpose: '保证',
            ...(step.expires ? { expiresAt: '2026-03-03T00:00:00+08:00' } : {}),
          },
          release: { hold, ...(step.whole ? {} : { amount: cny(step.amount) }) },
          capture: { hold, to: `acc_${DESK.ben}`, amount: cny(step.amount) },
          withdrawal: { account: `acc_${DESK.anna}`, amount: cny(step.amount) },
        }[step.kind],
      );
      if (step.kind === 'hold' && result === 'posted') holds.push(instruction);
      if (step.kind === 'withdrawal') expect(result === 'posted').toBe(BigInt(step.amount) <= available);
      if (step.kind === 'hold' || step.kind === 'release') expect(desk.account(DESK.anna).balance).toBe(before);
      const open = holds.map((id) => desk.get(holdRecords, id));
      for (const row of open) {
        expect(holdRemaining(row)).toBeGreaterThanOrEqual(0n);
        expect(row.captured + row.released).toBeLessThanOrEqual(row.amount);
      }
      expect(desk.account(DESK.anna).held).toBe(open.reduce((sum, row) => sum + holdRemaining(row), 0n));
    }
  });

  property.prop([amount, fc.array(amount, { maxLength: 10 })], { seed: 10 })(
    'never give more than was held',
    (held, captures) => {
      const desk = new Desk('hold');
      const { instruction } = desk.at;
      expect(desk.giveNext('hold', { account: `acc_${DESK.anna}`, amount: cny(held), purpose: '保证' })).toBe('posted');
      const before = desk.account(DESK.ben).balance;
      let left = held;
      for (const part of captures) {
        const result = desk.giveNext('capture', { hold: `hld_${instruction}`, to: `acc_${DESK.ben}`, amount: cny(part) });
        expect(result).toBe(part <= left ? 'posted' : left === 0 ? 'HOLD_ENDED' : 'CAPTURE_EXCEEDS_HOLD');
        if (result === 'posted') left -= part;
      }
      expect(desk.account(DESK.ben).balance - before).toBe(BigInt(held - left));
      expect(desk.get(holdRecords, asId(instruction)).captured).toBe(BigInt(held - left));
    },
  );
});
