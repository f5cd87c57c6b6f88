import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { coverOf, type Debit } from '../../src/consents/index.js';
import { decideTerms, type MandateTerms, quotaOf } from '../../src/consents/mandates/rules.js';
import type { Mandate } from '../../src/consents/records.js';
import { asId, type Instant, type Minor } from '../../src/kernel/index.js';

const at = (text: string) => Date.parse(`${text}+08:00`) as Instant;
const OWN = asId('2236512894231552003');
const SHOP = asId('2236512894231552004');
const NOW = at('2026-03-02T10:00:00');

const MANDATE: Mandate = {
  id: asId('2236512894231552001'),
  platformId: asId('2236512894231552000'),
  customerId: asId('2236512894231552002'),
  accountId: OWN,
  kinds: ['account-payment'],
  payees: { orders: true, projects: false, funds: false, accounts: [SHOP] },
  paymentCap: 10_000n,
  totalCap: 50_000n,
  period: 'day',
  periodCap: 20_000n,
  expiresMs: at('2027-03-02T00:00:00'),
  state: 'active',
  usedTotal: 0n,
  usedPeriod: 0n,
  periodKey: '',
  useCount: 0,
};
const debit = (amount: Minor, more: Partial<Debit> = {}): Debit => ({
  kind: 'account-payment',
  account: OWN,
  payee: { order: 'O-1' },
  amount,
  nowMs: NOW,
  ...more,
});
const codeOf = (mandate: Mandate, asked: Debit) => {
  const covered = coverOf(mandate, asked);
  return 'code' in covered ? covered.code : 'covered';
};
const used = (mandate: Mandate, asked: Debit): Mandate => {
  const covered = coverOf(mandate, asked);
  if ('code' in covered) throw new Error(covered.code);
  return covered;
};

describe('a mandate ends', () => {
  test.each([
    ['a second before its end', { nowMs: (MANDATE.expiresMs - 1000) as Instant }, 'covered'],
    ['at its end', { nowMs: MANDATE.expiresMs }, 'MANDATE_ENDED'],
    ['a second after its end', { nowMs: (MANDATE.expiresMs + 1000) as Instant }, 'MANDATE_ENDED'],
  ])('%s', (_when, more, code) => expect(codeOf(MANDATE, debit(1n, more))).toBe(code));

  test.each(['pending', 'revoked'] as const)('%s covers nothing', (state) =>
    expect(codeOf({ ...MANDATE, state }, debit(1n))).toBe('MANDATE_ENDED'),
  );

  it('is told before that it would not have covered it, and that before the caps', () => {
    const wrong = debit(99_999n, { kind: 'withdrawal' });
    expect(codeOf({ ...MANDATE, state: 'revoked' }, wrong)).toBe('MANDATE_ENDED');
    expect(codeOf(MANDATE, wrong)).toBe('MANDATE_SCOPE');
  });
});

describe('the scope', () => {
  test.each<[string, Partial<Debit>, string]>([
    ['an order', {}, 'covered'],
    ['a named account', { payee: { account: SHOP } }, 'covered'],
    ['another account', { payee: { account: asId('2236512894231552009') } }, 'MANDATE_SCOPE'],
    ['another kind', { kind: 'top-up' }, 'MANDATE_SCOPE'],
    ['a debit of another account', { account: SHOP }, 'MANDATE_SCOPE'],
  ])('%s', (_what, more, code) => expect(codeOf(MANDATE, debit(1n, more))).toBe(code));

  it('covers no order when it names accounts alone', () => {
    expect(codeOf({ ...MANDATE, payees: { orders: false, projects: false, funds: false, accounts: [SHOP] } }, debit(1n))).toBe(
      'MANDATE_SCOPE',
    );
  });

  it('needs no payee for what comes to his own account', () => {
    const topUps = { ...MANDATE, kinds: ['top-up'], payees: { orders: false, projects: false, funds: false, accounts: [] } };
    expect(codeOf(topUps, debit(1n, { kind: 'top-up', payee: { account: OWN } }))).toBe('covered');
  });
});

describe('the caps', () => {
  test('of a payment: the last fen, and one more', () => {
    expect(codeOf(MANDATE, debit(10_000n))).toBe('covered');
    expect(coverOf(MANDATE, debit(10_001n))).toMatchObject({
      code: 'MANDATE_EXCEEDED',
      fields: { cap: 'paymentCap', left: 10_000 },
    });
  });

  test('of a day: the last fen, one more, and all of it again at midnight in Shanghai', () => {
    let mandate = used(used(MANDATE, debit(10_000n)), debit(9_999n));
    expect(coverOf(mandate, debit(2n))).toMatchObject({ code: 'MANDATE_EXCEEDED', fields: { cap: 'periodCap', left: 1 } });
    mandate = used(mandate, debit(1n, { nowMs: at('2026-03-02T23:59:59.999') }));
    expect(codeOf(mandate, debit(1n, { nowMs: at('2026-03-02T23:59:59.999') }))).toBe('MANDATE_EXCEEDED');
    mandate = used(mandate, debit(10_000n, { nowMs: at('2026-03-03T00:00:00') }));
    expect(mandate).toMatchObject({ usedTotal: 30_000n, usedPeriod: 10_000n, periodKey: '2026-03-03', useCount: 4 });
  });

  test('of a month: the first use after months begins a new one', () => {
    const monthly = used({ ...MANDATE, period: 'month' }, debit(10_000n));
    expect(monthly.periodKey).toBe('2026-03');
    const later = used(monthly, debit(5n, { nowMs: at('2026-09-01T00:00:00') }));
    expect(later).toMatchObject({ periodKey: '2026-09', usedPeriod: 5n, usedTotal: 10_005n });
    const endOfMonth = used({ ...MANDATE, period: 'month' }, debit(10_000n, { nowMs: at('2026-03-31T23:59:59.999') }));
    expect(quotaOf(endOfMonth, at('2026-03-31T23:59:59.999')).period).toBe(10_000n);
    expect(quotaOf(endOfMonth, at('2026-04-01T00:00:00')).period).toBe(20_000n);
  });

  test('a period does not begin anew when a clock goes back', () => {
    const full = used(used(MANDATE, debit(10_000n)), debit(10_000n));
    expect(codeOf(full, debit(1n, { nowMs: at('2026-03-01T12:00:00') }))).toBe('MANDATE_EXCEEDED');
  });

  test('of all payments: the last fen, and one more', () => {
    const nearly = { ...MANDATE, period: null, periodCap: null, usedTotal: 49_990n, useCount: 7 };
    expect(coverOf(nearly, debit(11n))).toMatchObject({ code: 'MANDATE_EXCEEDED', fields: { cap: 'totalCap', left: 10 } });
    const full = used(nearly, debit(10n));
    expect(full).toMatchObject({ usedTotal: 50_000n, usedPeriod: 0n, periodKey: '' });
    expect(codeOf(full, debit(1n))).toBe('MANDATE_EXCEEDED');
  });

  test('nothing and less than nothing is no use', () => {
    expect(codeOf(MANDATE, debit(0n))).toBe('MANDATE_EXCEEDED');
    expect(codeOf(MANDATE, debit(-1n))).toBe('MANDATE_EXCEEDED');
  });

  it('never goes beyond any cap, whatever is asked in whatever order, and what the quota says is what passes', () => {
    const caps = fc
      .tuple(fc.bigInt(1n, 2000n), fc.bigInt(0n, 2000n), fc.bigInt(0n, 2000n))
      .map(([payment, more, most]) => ({ paymentCap: payment, periodCap: payment + more, totalCap: payment + more + most }));
    const steps = fc.array(fc.tuple(fc.bigInt(1n, 2500n), fc.integer({ min: 0, max: 40 * 3_600_000 })), { maxLength: 40 });
    const period = fc.constantFrom('day' as const, 'month' as const, null);
    fc.assert(
      fc.property(caps, period, steps, (of, each, asked) => {
        let mandate: Mandate = { ...MANDATE, ...of, period: each, periodCap: each === null ? null : of.periodCap };
        let now: number = NOW;
        let total = 0n;
        const byPeriod = new Map<string, Minor>();
        for (const [amount, passes] of asked) {
          now += passes;
          const nowMs = now as Instant;
          const quota = quotaOf(mandate, nowMs);
          const covered = coverOf(mandate, debit(amount, { nowMs }));
          expect('code' in covered).toBe(amount > quota.payment);
          if ('code' in covered) continue;
          mandate = covered;
          total += amount;
          const key = new Date(now + 8 * 3_600_000).toISOString().slice(0, each === 'month' ? 7 : 10);
          byPeriod.set(key, (byPeriod.get(key) ?? 0n) + amount);
          expect(amount <= of.paymentCap).toBe(true);
          expect(total <= of.totalCap && mandate.usedTotal === total).toBe(true);
          if (each !== null) expect((byPeriod.get(key) as Minor) <= of.periodCap).toBe(true);
        }
      }),
      { seed: 20260302, numRuns: 300 },
    );
  });
});

describe('the quota', () => {
  it('is the least of what is left', () => {
    expect(quotaOf(MANDATE, NOW)).toEqual({ payment: 10_000n, period: 20_000n, total: 50_000n });
    expect(quotaOf({ ...MANDATE, usedTotal: 45_000n }, NOW)).toEqual({ payment: 5_000n, period: 5_000n, total: 5_000n });
    expect(quotaOf({ ...MANDATE, period: null, periodCap: null }, NOW).period).toBeNull();
  });

  it('is nothing once the mandate has ended', () => {
    expect(quotaOf(MANDATE, MANDATE.expiresMs)).toEqual({ payment: 0n, period: 0n, total: 0n });
    expect(quotaOf({ ...MANDATE, state: 'pending' }, NOW).payment).toBe(0n);
  });
});

describe('the terms that the bank puts to a customer', () => {
  const terms: MandateTerms = MANDATE;
  const latest = at('2029-03-02T10:00:00');
  test.each<[string, Partial<MandateTerms>, string | undefined]>([
    ['as they are', {}, undefined],
    ['caps that are all one', { paymentCap: 5n, periodCap: 5n, totalCap: 5n }, undefined],
    ['a payment above the period', { paymentCap: 20_001n }, '/paymentCap'],
    ['a payment above all', { period: null, periodCap: null, paymentCap: 50_001n }, '/paymentCap'],
    ['a period above all', { periodCap: 50_001n }, '/periodCap'],
    ['a period without its cap', { periodCap: null }, '/periodCap'],
    ['a cap without its period', { period: null }, '/periodCap'],
    ['an end that is now', { expiresMs: NOW }, '/expiresAt'],
    ['the last end', { expiresMs: latest }, undefined],
    ['an end beyond the last', { expiresMs: (latest + 1) as Instant }, '/expiresAt'],
    ['nobody to pay', { payees: { orders: false, projects: false, funds: false, accounts: [] } }, '/payees'],
    [
      'nobody to pay, for top-ups alone',
      { kinds: ['top-up'], payees: { orders: false, projects: false, funds: false, accounts: [] } },
      undefined,
    ],
  ])('%s', (_what, more, pointer) => {
    const refusal = decideTerms({ ...terms, ...more }, NOW, latest);
    expect(refusal?.fields?.pointer).toBe(pointer);
    expect(refusal?.code).toBe(pointer === undefined ? undefined : 'MANDATE_TERMS');
  });
});
