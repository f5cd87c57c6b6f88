import { describe, expect, it } from '@jest/globals';
import { differencesOf, expectedOf, identitiesOf, type Result } from '../../scripts/demo/figures.js';
import { madeUpTables } from '../../scripts/demo/made-up.js';
import { joinTables } from '../../scripts/demo/orders.js';
import { count, figuresLine, seconds, sellersCsv, yuan } from '../../scripts/demo/report.js';

const expected = expectedOf(joinTables(madeUpTables(1)), 50);
const failed = (found: Result) => [...identitiesOf(found.figures), ...differencesOf(found, expected)].filter(({ ok }) => !ok);

describe('the report', () => {
  it('finds nothing where everything agrees', () => {
    expect(failed(expected)).toEqual([]);
  });

  it('finds a fen that is missing, in the figures and with one seller', () => {
    const figures = { ...expected.figures, paidOut: expected.figures.paidOut - 1n };
    expect(failed({ ...expected, figures }).map(({ what }) => what)).toEqual(['paidOut = split', 'paidOut']);
    const [sellerId, seller] = [...expected.sellers][0] as [string, { split: bigint; paidOut: bigint }];
    const sellers = new Map(expected.sellers).set(sellerId, { ...seller, paidOut: seller.paidOut + 1n });
    expect(failed({ ...expected, sellers })).toMatchObject([{ found: `1 differ, the first ${sellerId}` }]);
  });

  it('shows money with separators for thousands, and counts too', () => {
    expect([0n, 5n, 99_999n, 100_000n, 123_456_789n, -123_456n].map(yuan)).toEqual([
      ...['0.00', '0.05', '999.99', '1,000.00', '1,234,567.89', '-1,234.56'],
    ]);
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 49, 50, 61_234].map(seconds)).toEqual(['0.0', '0.0', '0.1', '61.2']);
  });

  it('gives the figures as one line of integers', () => {
    const line = JSON.parse(figuresLine(expected.figures, 12.3)) as Record<string, number>;
    expect(Object.keys(line)).toEqual([
      ...['orders', 'instructions', 'paid', 'refunded', 'split', 'commission', 'refusedSplits', 'onOrders'],
      ...['paidOut', 'custody', 'sumOfSubAccounts', 'breaks', 'days', 'seconds'],
    ]);
    const { seconds: took, ...figures } = line;
    expect(took).toBe(12.3);
    expect(Object.values(figures).every(Number.isSafeInteger)).toBe(true);
  });

  it('lists the sellers sorted by id', () => {
    const sellers = new Map([
      ['b', { split: 2n, paidOut: 1n }],
      ['a', { split: 0n, paidOut: 0n }],
    ]);
    expect(sellersCsv(sellers)).toBe('seller_id,split,paid_out\na,0,0\nb,2,1\n');
  });
});
