import { describe, expect, it } from '@jest/globals';
import type { Instant } from '../../src/kernel/index.js';
import { backgroundRecords } from '../../src/orders/index.js';
import { DESK, Desk } from '../support/world/desk.js';
import { CLAIMED } from '../support/world/desk-claims.js';

const DAY = 86_400_000;

/** When the order is tried again after its completion was refused; undefined: nothing is changed. */
function dueAfter(origin: 'P' | 'S', fields: object): number | null | undefined {
  const desk = new Desk('order-complete');
  desk.origin = origin;
  desk.bend(backgroundRecords, CLAIMED.bound, { dueMs: DESK.now, ...fields });
  const [change] = desk.kind.whenRefused?.(desk.kind.schema.parse(desk.data), desk.facts, desk.at) ?? [];
  return (change?.row as { dueMs: Instant | null } | undefined)?.dueMs;
}

describe('an order that should complete by itself and cannot', () => {
  it('is tried again a day later, so that it keeps no other from its turn', () => {
    expect(dueAfter('S', {})).toBe(DESK.now + DAY);
  });

  it('is tried no more where no agreement is behind it', () => {
    expect(dueAfter('S', { bound: false })).toBeNull();
  });

  it('keeps its time where the platform tried before it', () => {
    expect(dueAfter('P', {})).toBeUndefined();
  });
});
