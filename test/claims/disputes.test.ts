import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ClaimsStage, cny, DAY, frozen, next, openClaims, PAYER } from './stage.js';

let stage: ClaimsStage;
beforeAll(async () => {
  stage = await openClaims();
});
afterAll(() => stage?.stop());

const NOBODY = 'acc_1000000000000000001';
const SOON = '2037-03-02T18:00:00.000+08:00';

/** An order of so much, of which a seller got so much. */
async function splitOrder(paid: number, got: number) {
  const [orderNo, account] = [next('SO'), await stage.seller()];
  await stage.give('payment', { orderNo, amount: cny(paid), payer: PAYER, reference: next('COL') });
  await stage.give('split', { orderNo, lines: [{ account, amount: cny(got) }] });
  return { orderNo, account };
}

const dispute = (orderNo: string, amount: number, more: Record<string, unknown> = {}) =>
  stage.give('dispute-open', { orderNo, amount: cny(amount), reason: '货不对板', expiresAt: SOON, ...more });
const end = (of: string, result: string) => stage.give('dispute-end', { dispute: of, result });
const read = async (of: string) => (await stage.read(`disputes/${of}`).expect(200)).body;
const balances = async (account: string) => {
  const { balance, held, available } = (await stage.read(`accounts/${account}`).expect(200)).body;
  return [balance, held, available];
};

describe('a dispute', () => {
  it('holds exactly what is disputed: of the order first, of the receiver for the rest, and lets go when it is rejected', async () => {
    const { orderNo, account } = await splitOrder(10_000, 8_000);
    const { code, result } = await dispute(orderNo, 3_000, { account });
    expect([code, result.onOrder, result.onReceiver]).toEqual(['posted', '2000', '1000']);
    expect(await balances(account)).toEqual([8_000, 1_000, 7_000]);
    expect(await read(result.dispute)).toMatchObject({
      ...{ orderNo, account, state: 'open', amount: 3_000, held: 3_000, heldOnOrder: 2_000, heldOnAccount: 1_000 },
      ...{ givenBack: 0, endedAt: null, reason: '货不对板', expiresAt: SOON },
    });
    expect((await stage.give('refund', { orderNo, amount: cny(1) })).code).toBe('FUNDS_INSUFFICIENT');
    expect((await end(result.dispute, 'rejected')).code).toBe('posted');
    expect(await balances(account)).toEqual([8_000, 0, 8_000]);
    expect(await read(result.dispute)).toMatchObject({ state: 'rejected', held: 0, givenBack: 0 });
    expect((await stage.give('refund', { orderNo, amount: cny(2_000) })).code).toBe('posted');
  });

  it('that is upheld gives back to the order what it holds of the receiver, and only that is refunded', async () => {
    const { orderNo, account } = await splitOrder(10_000, 10_000);
    const { result } = await dispute(orderNo, 4_000, { account });
    expect((await end(result.dispute, 'upheld')).result).toMatchObject({ state: 'upheld', givenBack: '4000' });
    expect(await read(result.dispute)).toMatchObject({ state: 'upheld', held: 0, givenBack: 4_000 });
    expect(await balances(account)).toEqual([6_000, 0, 6_000]);
    expect((await stage.give('refund', { orderNo, amount: cny(4_001) })).code).toBe('REFUND_EXCEEDS_ORDER');
    expect((await stage.give('refund', { orderNo, amount: cny(4_000) })).code).toBe('posted');
  });

  it('stands behind a court that came before it, and gives back what is left for it', async () => {
    const { orderNo, account } = await splitOrder(5_000, 5_000);
    const { freeze } = await frozen(stage, account, { amount: cny(3_000) });
    const { result } = await dispute(orderNo, 4_000, { account });
    expect(await read(result.dispute)).toMatchObject({ amount: 4_000, held: 2_000, heldOnAccount: 2_000 });
    expect((await end(result.dispute, 'upheld')).result).toMatchObject({ givenBack: '2000' });
    expect(await balances(account)).toEqual([3_000, 3_000, 0]);
    const { body } = await stage.read(`judicial-freezes/${freeze}`, stage.auditor);
    expect(body.freeze).toMatchObject({ held: 3_000, left: 3_000 });
  });

  it('ends by itself at its deadline, once, and until somebody wrote that down it can only be let go', async () => {
    const { orderNo, account } = await splitOrder(5_000, 5_000);
    const { result } = await dispute(orderNo, 5_000, { account });
    expect((await stage.give('withdrawal', { account, amount: cny(1) })).code).toBe('FUNDS_INSUFFICIENT');
    stage.later(DAY);
    expect((await end(result.dispute, 'upheld')).code).toBe('DISPUTE_ENDED');
    expect(await balances(account)).toEqual([5_000, 5_000, 0]);
    await stage.sweep();
    await stage.sweep();
    expect(await balances(account)).toEqual([5_000, 0, 5_000]);
    expect(await read(result.dispute)).toMatchObject({ state: 'lapsed', held: 0, givenBack: 0 });
    expect((await end(result.dispute, 'rejected')).code).toBe('DISPUTE_ENDED');
  });

  it('may come in with the payment of its order, and end before it was decided', async () => {
    const [orderNo, expiresAt] = [next('SO'), '2037-12-31T00:00:00+08:00'];
    const paid = { orderNo, amount: cny(1_000), payer: PAYER, reference: next('COL') };
    const payment = await stage.receive('payment', paid);
    const open = await stage.receive('dispute-open', { orderNo, amount: cny(400), reason: '货不对板', expiresAt });
    const ended = await stage.receive('dispute-end', { dispute: `dsp_${open}`, result: 'upheld' });
    const again = await stage.receive('dispute-end', { dispute: `dsp_${open}`, result: 'upheld' });
    const told = await stage.decide([payment, open, ended, again]);
    expect(told.map(({ code }) => code)).toEqual(['posted', 'posted', 'posted', 'DISPUTE_ENDED']);
  });

  it('is refused by its own code for whatever does not fit', async () => {
    const expiresAt = '2037-12-31T00:00:00+08:00';
    const { orderNo, account } = await splitOrder(5_000, 3_000);
    const on = async (amount: number, more: Record<string, unknown> = {}, no = orderNo) =>
      (await dispute(no, amount, { expiresAt, ...more })).code;
    expect(await on(1, {}, next('NO'))).toBe('ORDER_NOT_FOUND');
    expect(await on(1, { account: NOBODY })).toBe('ACCOUNT_NOT_FOUND');
    expect(await on(1, { expiresAt: SOON })).toBe('DISPUTE_ENDED');
    expect(await on(2_001)).toBe('DISPUTE_EXCEEDS_ORDER');
    expect(await on(5_001, { account })).toBe('DISPUTE_EXCEEDS_ORDER');
    expect(await on(2_001, { account: await stage.seller() })).toBe('DISPUTE_EXCEEDS_ORDER');
    const { result } = await dispute(orderNo, 4_500, { account, expiresAt });
    expect(await on(501, { account })).toBe('DISPUTE_EXCEEDS_ORDER');
    expect((await end('dsp_1000000000000000001', 'rejected')).code).toBe('DISPUTE_NOT_FOUND');
    expect((await end(result.dispute, 'upheld')).code).toBe('posted');
    expect((await end(result.dispute, 'upheld')).code).toBe('DISPUTE_ENDED');
  });

  it('is read by its own platform alone, page by page', async () => {
    const { orderNo, account } = await splitOrder(900, 100);
    const expiresAt = '2037-12-31T00:00:00+08:00';
    const opened: string[] = [];
    for (const amount of [100, 200, 300]) {
      const { result } = await dispute(orderNo, amount, { account, expiresAt });
      opened.push(result.dispute);
    }
    const first = (await stage.read(`disputes?orderNo=${orderNo}&limit=2`).expect(200)).body;
    const second = (await stage.read(`disputes?orderNo=${orderNo}&limit=2&cursor=${first.next}`).expect(200)).body;
    expect([...first.items, ...second.items].map(({ dispute: id }: { dispute: string }) => id)).toEqual(opened);
    expect(second.next).toBeNull();
    expect((await stage.read('disputes?cursor=nonsense')).body.code).toBe('CURSOR_INVALID');
    const { api, other } = stage;
    expect((await api.signed(other, 'GET', `/v1/disputes/${opened[0]}`).expect(404)).body.code).toBe('NOT_FOUND');
    expect((await api.signed(other, 'GET', '/v1/disputes').expect(200)).body.items).toEqual([]);
    expect((await stage.read('disputes/dsp_1000000000000000001').expect(404)).body.code).toBe('NOT_FOUND');
  });
});

it('the books hold after all of it', async () => {
  expect(await stage.violations()).toEqual([]);
});
