import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Channels } from '../../src/channels/index.js';
import { createDesk, decideNow, settledDirective } from '../../src/dispatch/index.js';
import type { BusinessDate, Id, Minor } from '../../src/kernel/index.js';
import { type Payout, payoutRecords } from '../../src/payouts/index.js';
import { reconcileChannelFiles } from '../../src/reconciliation/index.js';
import { runsOf } from '../../src/reconciliation/run-store.js';
import { type Market, MONDAY, openMarket } from '../clearing/market.js';

const TUESDAY = '2026-03-03' as BusinessDate;
type Status = 'settled' | 'failed' | 'refused' | 'returned';
type Said = readonly [messageNo: string, amount: Minor, status: Status];

describe('the day file of a channel', () => {
  let market: Market;
  beforeEach(async () => {
    files.clear();
    market = await openMarket();
    await market.pay('A', 10_000n);
    await market.split('A', [[market.there, 10_000n]]);
  });
  afterEach(() => market.end());

  const files = new Map<BusinessDate, readonly Said[]>();

  /** The files of `psp` are what stands above; no other channel has any. */
  function desk() {
    const dayFiles: Channels['dayFiles'] = (channel) => ({
      dates: async () => (channel === 'psp' ? [...files.keys()].sort() : []),
      async read(_channel, date, take) {
        const said = files.get(date) ?? [];
        const lines = said.map(([messageNo, amount, status], at) => ({
          ...{ lineNo: at + 1, messageNo, amount, status, reference: messageNo, businessDate: date },
          ...{ channelRef: '', account: '', name: '', reason: '' },
        }));
        await take(lines);
        return { count: lines.length, sum: lines.reduce((sum, { amount }) => sum + amount, 0n), digest: 'ab'.repeat(32) };
      },
    });
    return createDesk(market.world.rt, { ...market.channels, dayFiles });
  }

  /** A payout that `psp` was given on a date. */
  async function given(amount: Minor, state: Payout['state'], date = MONDAY): Promise<Id> {
    const id = market.world.rt.newId();
    const { shardId } = await market.book();
    const nowMs = market.world.clock.now();
    const payout: Payout = {
      ...{
        id,
        platformId: market.platformId,
        shardId,
        purpose: 'clearing',
        sourceAccountId: market.there,
        orderNo: null,
        amount,
      },
      ...{
        payee: { name: 'x', account: 'x', bankCode: '102100099996' },
        businessDate: date,
        fundedOn: date,
        state,
        channel: 'psp',
      },
      ...{ reason: null, attempts: 1, nextMs: nowMs, createdMs: nowMs, changedMs: nowMs },
    };
    await market.world.db.withTx('payout', async (tx) => {
      await tx.write(payoutRecords.saving([payout]) as string);
      await tx.write(
        "INSERT INTO dispatches (payout_id, batch_id, business_date, sent_wall_ms, remark) VALUES (?, 1, ?, 0, '')",
        [id, date],
      );
    });
    return id;
  }

  const breaks = async () =>
    (await market.breaks()).map((of) => [of.class, of.reference, of.timing, of.state, of.rule] as const).sort();

  test('is compared with what was handed to it: all classes, once, and what the next file explains closes itself', async () => {
    const same = await given(100n, 'settled');
    const other = await given(200n, 'settled');
    const failed = await given(300n, 'failed');
    const missing = await given(400n, 'settled');
    await given(500n, 'sent'); // no result yet: it need not stand in it
    files.set(MONDAY, [
      [same, 100n, 'settled'],
      [same, 100n, 'settled'], // told twice
      [other, 201n, 'settled'],
      [failed, 300n, 'settled'],
      ['1000000000000000009', 7n, 'settled'],
    ]);
    expect(await reconcileChannelFiles(desk())).toBe(1);
    expect(await reconcileChannelFiles(desk())).toBe(0);
    const found = [
      ['amount-differs', other, false, 'open', null],
      ['only-ours', missing, true, 'open', null],
      ['state-differs', failed, false, 'open', null],
    ];
    expect(await breaks()).toEqual([...found].sort());
    const runs = await market.world.db.read('runs', (tx) => runsOf(tx, market.platformId, MONDAY));
    expect(runs).toMatchObject([
      {
        ...{ party: 'psp', platformId: null, ourLines: 5, theirLines: 5, ourSum: 1_500n, theirSum: 708n, matched: 3 },
        counts: { amountDiffers: 1, onlyOurs: 0, onlyTheirs: 1, stateDiffers: 1, timing: 1, closed: 0 },
      },
    ]);
    files.set(TUESDAY, [[missing, 400n, 'settled']]);
    expect(await reconcileChannelFiles(desk())).toBe(1);
    expect((await breaks()).find(([, reference]) => reference === missing)).toEqual([
      'only-ours',
      missing,
      true,
      'closed',
      'other-side-appeared',
    ]);
  });

  test('that shows a success which the books wait for settles it by a rule with a name', async () => {
    await market.pay('B', 600n);
    await market.split('B', [[market.here, 600n]]);
    market.faults({ scope: 'book', fault: 'lost-answer' }, { scope: 'book', fault: 'maintenance', on: 'query', times: 100 });
    market.goTo(TUESDAY);
    await market.close();
    const unknown = (await market.payouts()).find(({ state }) => state === 'unknown') as Payout;
    await market.world.db.withTx('channel', (tx) => tx.write("UPDATE payouts SET channel = 'psp' WHERE id = ?", [unknown.id]));
    files.set(TUESDAY, [[unknown.id, unknown.amount, 'settled']]);
    expect(await reconcileChannelFiles(desk())).toBe(1);
    const now = async () => (await market.payouts()).find(({ id }) => id === unknown.id)?.state;
    expect(await now()).toBe('settled');
    expect(await breaks()).toEqual([['state-differs', unknown.id, false, 'closed', 'theirs-success-ours-unknown']]);
    await decideNow(market.desk, [settledDirective(unknown)]);
    expect(await now()).toBe('settled');
  });

  test('that comes after that of a later date is compared all the same, once', async () => {
    const late = await given(100n, 'settled');
    files.set(TUESDAY, []);
    expect(await reconcileChannelFiles(desk())).toBe(1);
    files.set(MONDAY, [[late, 101n, 'settled']]);
    expect(await reconcileChannelFiles(desk())).toBe(1);
    expect(await reconcileChannelFiles(desk())).toBe(0);
    expect(await breaks()).toEqual([['amount-differs', late, false, 'open', null]]);
  });
});
