import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sweep } from '../../jobs/sweep.job.js';
import { openChannels } from '../../src/channels/index.js';
import { createDesk } from '../../src/dispatch/index.js';
import { createIntake, executeBatch, kinds, type Submission } from '../../src/instructions/index.js';
import { canonicalJson, type Id, instantOf, toRfc3339 } from '../../src/kernel/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { violations } from '../support/invariants.js';
import { approveAgreement, requireAgreements } from '../support/world/agreements.js';
import { openBook, openSub, outcomesOf, startWorld, type TestBook, type World } from '../support/world/world.js';

const START = Date.parse('2026-03-02T09:00:00+08:00');

let world: World;
let book: TestBook;
let anna: Id;
let ben: Id;
beforeAll(async () => {
  world = await startWorld(START);
  await world.db.withTx('shards', (tx) => ensureShards(tx, 1));
  book = await openBook(world, '2026-03-02');
  [anna, ben] = [await openSub(world, book.platformId), await openSub(world, book.platformId)];
  await requireAgreements(world, book.platformId);
  const lines = [
    { to: book.accounts.commission, bp: 1000n, of: 'goods' as const },
    { to: ben, bp: 500n, of: 'whole' as const },
  ];
  await approveAgreement(
    world,
    book.platformId,
    { seller: anna, lines, others: 3000n, from: '2026-03-02' },
    book.accounts.commission,
  );
});
afterAll(() => world?.close());
afterEach(async () => {
  expect(await violations(world.db, [book.platformId])).toEqual([]);
});

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const asked = (requestNo: string, kind: string, data: unknown): Submission => ({
  ...{ platformId: book.platformId, origin: 'P', requestNo, kind, body: canonicalJson(data), actor: 'test' },
});
const payer = { name: '张三', account: '6222020000000000078', bankCode: '' };
const background = (amount: number) => ({
  buyer: 'B-1',
  items: [{ item: '1', seller: `acc_${anna}`, name: '茶', category: 'goods', quantity: 1, price: cny(amount) }],
});
const paid = (orderNo: string, amount: number) =>
  asked(`P-${orderNo}`, 'payment', { orderNo, amount: cny(amount), payer, reference: orderNo, background: background(amount) });
const shared = (orderNo: string, more = {}) => asked(`S-${orderNo}`, 'split', { orderNo, ...more });

async function receive(submissions: readonly Submission[]): Promise<Id[]> {
  const receipts = await createIntake(world.rt).receive(submissions);
  return receipts.map((receipt) => {
    if (!('id' in receipt)) throw new Error('a submission was not received');
    return receipt.id;
  });
}

describe('orders that are paid for and split at once', () => {
  it('are split in the batch in which they were paid for, to everybody whom the agreement names', async () => {
    const orders = Array.from({ length: 40 }, (_, place) => `NOW-${place}`);
    const ids = await receive(orders.flatMap((orderNo, place) => [paid(orderNo, 1000 + place), shared(orderNo)]));
    const { outcomes, full } = await executeBatch(world.rt, kinds, world.shardId, 200);
    expect([outcomes.length, full]).toEqual([80, false]);
    expect(new Set((await outcomesOf(world, ids)).values())).toEqual(new Set(['posted']));
  });

  it('are split with the payments of several orders, and completed, in the same batch', async () => {
    const orders = ['C-1', 'C-2'].map((orderNo) => ({ orderNo, amount: cny(500), background: background(500) }));
    const ids = await receive([
      asked('M-1', 'combined-payment', { orders, amount: cny(1000), payer, reference: 'M-1' }),
      shared('C-1', { items: [{ item: '1', amount: cny(200) }] }),
      asked('D-1', 'order-complete', { orderNo: 'C-1' }),
      shared('C-2'),
      shared('C-3'),
    ]);
    expect((await executeBatch(world.rt, kinds, world.shardId, 200)).outcomes).toHaveLength(5);
    const outcomes = await outcomesOf(world, ids);
    expect(ids.map((id) => outcomes.get(id))).toEqual(['posted', 'posted', 'posted', 'posted', 'ORDER_NOT_FOUND']);
  });
});

describe('an order whose time has come', () => {
  const DAY = 86_400_000;
  const due = (orderNo: string) =>
    world.db.read('due', (tx) =>
      tx.rows<{ due_ms: string | null }>('SELECT due_ms FROM order_backgrounds WHERE order_no = ?', [orderNo]),
    );
  const completions = () =>
    world.db.read('completions', (tx) =>
      tx.rows<{ state: string; code: string | null }>(
        `SELECT o.state, o.code FROM outcomes AS o JOIN instructions AS i ON i.id = o.instruction_id
         WHERE i.kind = 'order-complete' AND i.origin = 'S' ORDER BY o.instruction_id`,
      ),
    );

  it('completes by itself; one that cannot is tried again when it is twice as old, and not before', async () => {
    const channels = openChannels({ bankUrl: 'http://127.0.0.1:9', timeoutMs: 1000 });
    const desk = createDesk(world.rt, channels);
    const completesAt = toRfc3339(instantOf(START + 2 * DAY));
    const order = (orderNo: string, category: string) => {
      const items = background(1000).items.map((item) => ({ ...item, category }));
      const goods = { buyer: 'B-1', items, completesAt };
      return asked(`P-${orderNo}`, 'payment', { orderNo, amount: cny(1000), payer, reference: orderNo, background: goods });
    };
    await receive([order('T-1', 'goods'), order('T-2', 'goods-shipped')]);
    await executeBatch(world.rt, kinds, world.shardId, 200);
    await sweep(desk);
    expect(await completions()).toEqual([]);
    world.clock.advance(instantOf(START + 2 * DAY));
    await sweep(desk);
    await sweep(desk);
    expect(await completions()).toEqual([
      { state: 'posted', code: null },
      { state: 'refused', code: 'EVIDENCE_MISSING' },
    ]);
    expect([await due('T-1'), await due('T-2')]).toEqual([[{ due_ms: null }], [{ due_ms: String(START + 4 * DAY) }]]);
    await receive([shared('T-2', { items: [{ item: '1', amount: cny(1), evidence: 'SF-1' }] })]);
    await executeBatch(world.rt, kinds, world.shardId, 200);
    world.clock.advance(instantOf(START + 4 * DAY));
    await sweep(desk);
    expect((await completions()).at(-1)).toEqual({ state: 'posted', code: null });
    await channels.close();
  });
});
