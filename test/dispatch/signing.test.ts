import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Channels, PaymentOrder, SigningAnswer, SigningRequest } from '../../src/channels/index.js';
import { loadCircuits } from '../../src/dispatch/health/store.js';
import { createDesk, type Desk, pollDue, sendDue } from '../../src/dispatch/index.js';
import { type Holder, openHolder, withConsent } from '../clearing/electronic.js';
import { fen, type Market, openMarket } from '../clearing/market.js';

type Answers = (request: SigningRequest) => SigningAnswer;

/** The collecting channel with a desk for contracts, which answers as the test says; it notes what it was asked and what it collected by. */
function withContracts(channels: Channels, answer: Answers) {
  const asked: SigningRequest[] = [];
  const collectedBy: (string | undefined)[] = [];
  const { collect } = channels.channels;
  const signing = {
    ...collect,
    async sign(request: SigningRequest) {
      asked.push(request);
      return answer(request);
    },
    async submit(orders: readonly PaymentOrder[]) {
      collectedBy.push(...orders.map(({ contractNo }) => contractNo));
      return collect.submit(orders);
    },
  };
  return { channels: { ...channels, channels: { ...channels.channels, collect: signing } } as Channels, asked, collectedBy };
}

const signed: Answers = ({ signNo }) => ({ signNo, status: 'signed', contractNo: `K${signNo}` });

describe('a contract of a card with a collecting channel', () => {
  let market: Market;
  let holder: Holder;
  beforeEach(async () => {
    market = await openMarket();
    holder = await openHolder(market, 2);
  });
  afterEach(() => market.end());

  const topUp = async () => expect(await withConsent(market, holder, 'top-up', { amount: fen(100n) })).toBe('posted');
  const send = async (desk: Desk) => sendDue(desk, { shardId: (await market.book()).shardId });
  const deskWith = (answer: Answers) => {
    const { channels, ...seen } = withContracts(market.channels, answer);
    return { desk: createDesk(market.world.rt, channels), ...seen };
  };
  const change = (statement: string, values: unknown[]) => market.world.db.withTx('change', (tx) => tx.write(statement, values));
  const signings = () =>
    market.world.db.read('signings', (tx) =>
      tx.rows<{ state: string; live: number | null }>('SELECT state, live FROM channel_signings ORDER BY sign_no'),
    );
  const states = async () => (await market.payouts()).map(({ state }) => state);
  const due = () => change("UPDATE payouts SET next_ms = 0 WHERE state IN ('sent', 'unknown')", []);

  test('is made when a collection first needs it, and used by the next', async () => {
    const { desk, asked, collectedBy } = deskWith(signed);
    await topUp();
    await send(desk);
    await topUp();
    await send(desk);
    expect(asked).toMatchObject([
      {
        name: '张三',
        idType: 'resident-id',
        idNo: '11010519491231002X',
        account: holder.card,
        bankCode: '',
        mobile: '13800138000',
      },
    ]);
    expect(collectedBy).toEqual([`K${asked[0]?.signNo}`, `K${asked[0]?.signNo}`]);
    expect(await states()).toEqual(['settled', 'settled']);
    expect(await signings()).toEqual([{ state: 'signed', live: 1 }]);
    const rows = await market.world.db.read('sealed', (tx) =>
      tx.rows<{ contract_sealed: string }>('SELECT contract_sealed FROM channel_signings'),
    );
    expect(rows[0]?.contract_sealed).not.toContain(asked[0]?.signNo);
  });

  test('is made once for several collections of one card that go together', async () => {
    const { desk, asked, collectedBy } = deskWith(signed);
    await topUp();
    await topUp();
    await send(desk);
    expect(asked).toHaveLength(1);
    expect(new Set(collectedBy).size).toBe(1);
    expect(await states()).toEqual(['settled', 'settled']);
  });

  test.each([
    ['the mobile number', 'UPDATE customers SET mobile_sealed = ? WHERE id = ?', '13900139000'],
    ['the name', 'UPDATE settlement_accounts SET holder_name = ? WHERE ? > 0', '张三丰'],
  ] as const)('is renewed when %s is another', async (_what, statement, text) => {
    const { desk, asked, collectedBy } = deskWith(signed);
    await topUp();
    await send(desk);
    await change(statement, [market.world.rt.vault.seal(text), holder.customerId]);
    await topUp();
    await send(desk);
    expect(asked).toHaveLength(2);
    expect(asked[0]?.signNo).not.toBe(asked[1]?.signNo);
    expect(collectedBy).toEqual(asked.map(({ signNo }) => `K${signNo}`));
    expect(await signings()).toEqual([
      { state: 'replaced', live: null },
      { state: 'signed', live: 1 },
    ]);
  });

  test('of which the answer was lost is asked for again under its number, and nothing is collected before', async () => {
    let lost = true;
    const { desk, asked, collectedBy } = deskWith((request) =>
      lost ? { signNo: request.signNo, status: 'unknown', reason: 'no answer' } : signed(request),
    );
    await topUp();
    await send(desk);
    expect(await states()).toEqual(['unknown']);
    expect(collectedBy).toEqual([]);
    await due();
    await pollDue(desk, (await market.book()).shardId);
    expect(await states()).toEqual(['unknown']);
    lost = false;
    await due();
    await pollDue(desk, (await market.book()).shardId);
    expect(await states()).toEqual(['settled']);
    expect(new Set(asked.map(({ signNo }) => signNo)).size).toBe(1);
    expect(asked.length).toBeGreaterThan(1);
    expect(collectedBy).toEqual([`K${asked[0]?.signNo}`]);
    expect(market.bank.bank.books().totals.collected).toBe(100n);
  });

  test('that is refused ends the collection, and the next asks anew; the reason names nobody', async () => {
    const { desk, asked } = deskWith(({ signNo, mobile, account }) => ({
      ...{ signNo, status: 'refused', reason: `mobile ${mobile} is not that of ${account}` },
    }));
    await topUp();
    await send(desk);
    await topUp();
    await send(desk);
    expect(await states()).toEqual(['failed', 'failed']);
    expect(await market.balance(holder.account)).toBe(0n);
    expect(new Set(asked.map(({ signNo }) => signNo)).size).toBe(2);
    expect(await signings()).toEqual([
      { state: 'refused', live: null },
      { state: 'refused', live: null },
    ]);
    const [payout] = await market.payouts();
    expect(payout?.reason).toContain('not signed: mobile *** is not that of');
    expect(payout?.reason).not.toContain(holder.card);
  });

  test('that is refused does not end a collection that may be on its way, which is asked after; nor does a lost number', async () => {
    let refuses = false;
    const { channels } = withContracts(market.channels, (request) =>
      refuses ? { signNo: request.signNo, status: 'refused', reason: 'the card is frozen' } : signed(request),
    );
    const { collect } = channels.channels;
    const onItsWay: (readonly PaymentOrder[])[] = [];
    const slow = {
      ...collect,
      async submit(orders: readonly PaymentOrder[]) {
        onItsWay.push(orders);
        return orders.map(({ messageNo }) => ({ messageNo, status: 'unknown' as const, reason: 'no answer' }));
      },
    };
    const desk = createDesk(market.world.rt, { ...channels, channels: { ...channels.channels, collect: slow } } as Channels);
    const poll = async () => {
      await due();
      await pollDue(desk, (await market.book()).shardId);
    };
    await topUp();
    await send(desk);
    // He has another number now, so that it wants another contract.
    await change('UPDATE customers SET mobile_sealed = ? WHERE id = ?', [
      market.world.rt.vault.seal('13900139000'),
      holder.customerId,
    ]);
    refuses = true;
    await poll();
    expect(await states()).toEqual(['unknown']);
    await change('UPDATE customers SET mobile_sealed = NULL WHERE id = ?', [holder.customerId]);
    await poll();
    expect([await states(), onItsWay.length]).toEqual([['unknown'], 1]);
    await collect.submit(onItsWay[0] as readonly PaymentOrder[]);
    await poll();
    expect(await states()).toEqual(['settled']);
    expect(await market.balance(holder.account)).toBe(100n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that is refused after a lost answer ends a collection that was never handed over', async () => {
    let lost = true;
    const { desk, collectedBy } = deskWith(({ signNo }) => ({
      ...{ signNo, status: lost ? 'unknown' : 'refused', reason: lost ? 'no answer' : 'the card is frozen' },
    }));
    await topUp();
    await send(desk);
    lost = false;
    await due();
    await pollDue(desk, (await market.book()).shardId);
    expect([await states(), collectedBy]).toEqual([['failed'], []]);
  });

  test('that the channel says nothing to is a call in vain', async () => {
    const { desk } = deskWith(({ signNo }) => ({ signNo, status: 'unknown', reason: 'no answer' }));
    await topUp();
    await send(desk);
    const circuits = await market.world.db.read('circuits', loadCircuits);
    expect(circuits.get('collect')).toMatchObject({ unanswered: 1 });
  });

  test('is asked for under one number by two workers at once', async () => {
    const { desk, asked } = deskWith(signed);
    for (let no = 0; no < 4; no += 1) await topUp();
    await Promise.all([send(desk), send(desk)]);
    expect(await states()).toEqual(['settled', 'settled', 'settled', 'settled']);
    expect(new Set(asked.map(({ signNo }) => signNo)).size).toBe(1);
  });
});
