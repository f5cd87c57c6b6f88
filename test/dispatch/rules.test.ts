import { test as check, fc } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import { OTHER_CONTENT } from '../../src/channels/index.js';
import { readAnswer, readNews } from '../../src/dispatch/answers/rules.js';
import { queryDelayMs, tidyReason } from '../../src/dispatch/rules.js';
import { isLapsed } from '../../src/dispatch/sending/rules.js';
import { instantOf } from '../../src/kernel/index.js';
import { PAYOUT_STATES } from '../../src/payouts/index.js';

describe('what is made of the words of a channel', () => {
  test('a refusal of other content says nothing of the first order', () => {
    expect(readAnswer({ messageNo: '1', status: 'failed', reason: OTHER_CONTENT })).toBe('unknown');
    expect(readAnswer({ messageNo: '1', status: 'failed', reason: 'account closed' })).toBe('failed');
  });

  test.each([
    ['settled', ['contradiction', 'settled', 'settled', 'old', 'contradiction', 'old']],
    ['failed', ['contradiction', 'failed', 'failed', 'contradiction', 'old', 'contradiction']],
    ['refused', ['old', 'turned-away', 'turned-away', 'old', 'old', 'old']],
    ['returned', ['contradiction', 'settled-and-returned', 'settled-and-returned', 'returned', 'contradiction', 'old']],
  ] as const)('news "%s" by the state of the payout', (status, readings) => {
    const of = { purpose: 'refund', channel: 'beps', amount: 100n } as const;
    expect(PAYOUT_STATES.map((state) => readNews({ status, amount: 100n }, 'beps', { ...of, state }))).toEqual(readings);
  });

  test.each(PAYOUT_STATES)(
    'news of another amount than was ordered (%s), or doubtful, is never more than a contradiction',
    (state) => {
      const payout = { state, purpose: 'refund', channel: 'beps', amount: 100n } as const;
      for (const status of ['settled', 'failed', 'returned'] as const) {
        expect(readNews({ status, amount: 99n }, 'beps', payout)).toBe('contradiction');
        expect(readNews({ status, amount: 100n, doubt: 'of another category' }, 'beps', payout)).toBe('contradiction');
      }
      expect(readNews({ status: 'returned' }, 'beps', payout)).toBe('contradiction');
      // A confirmation without an amount is one all the same.
      expect(readNews({ status: 'settled' }, 'beps', payout)).toBe(readNews({ status: 'settled', amount: 100n }, 'beps', payout));
    },
  );

  test.each(PAYOUT_STATES)(
    'news of a channel that has not the payout (%s) any more moves nothing, and but for a refusal wakes somebody',
    (state) => {
      const payout = { state, purpose: 'refund', channel: 'hvps', amount: 100n } as const;
      expect(readNews({ status: 'refused' }, 'beps', payout)).toBe('old');
      for (const status of ['settled', 'failed', 'returned'] as const)
        expect(readNews({ status }, 'beps', payout)).toBe('contradiction');
    },
  );

  test('what was collected and is charged back is a contradiction in every state; its other news is read like that of a payout', () => {
    for (const state of PAYOUT_STATES) {
      const collected = { state, purpose: 'top-up', channel: 'collect', amount: 100n } as const;
      expect(readNews({ status: 'returned', amount: 100n }, 'collect', collected)).toBe('contradiction');
      for (const status of ['settled', 'failed'] as const)
        expect(readNews({ status }, 'collect', collected)).toBe(
          readNews({ status }, 'beps', { ...collected, purpose: 'refund', channel: 'beps' }),
        );
    }
  });

  check.prop([fc.string({ unit: 'binary', maxLength: 300 })])('a reason is one line that the books take', (reason) => {
    const tidy = tidyReason(reason);
    expect(tidy.length).toBeGreaterThan(0);
    expect(tidy.length).toBeLessThanOrEqual(128);
    expect(tidy).toBe(tidy.trim());
    expect(tidy).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u);
  });

  test('questions come at growing distances, and not at ever greater ones', () => {
    expect([0, 1, 2, 8, 1000].map(queryDelayMs)).toEqual([2_000, 4_000, 8_000, 300_000, 300_000]);
  });

  test('a collection that no channel got is sent again in its hours, then left alone for ten minutes, then ended', () => {
    const [hour, minute] = [3_600_000, 60_000];
    const ages = [0, 24 * hour - 1, 24 * hour, 24 * hour + 10 * minute - 1, 24 * hour + 10 * minute, 900 * hour];
    expect(ages.map((age) => isLapsed({ createdMs: instantOf(5) }, instantOf(5 + age), 24n))).toEqual([
      undefined,
      undefined,
      'stay',
      'stay',
      'end',
      'end',
    ]);
  });
});
