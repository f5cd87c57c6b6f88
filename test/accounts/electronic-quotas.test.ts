import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createIntake, executeShard, findInstructions, type Receipt } from '../../src/instructions/index.js';
import { parseInstruction } from '../../src/instructions/intake/parse.js';
import { addDays, asId, canonicalJson, type Id, instantOf, naturalDate, startOfDay, toRfc3339 } from '../../src/kernel/index.js';
import { Chance } from '../support/world/chance.js';
import { answerAll, openMandate } from '../support/world/electronic.js';
import type { World } from '../support/world/world.js';
import { BANK, type ElectronicStage, newCard, openElectronicStage } from './electronic-stage.js';

let stage: ElectronicStage;
beforeAll(async () => {
  stage = await openElectronicStage();
});
afterAll(() => stage?.stop());

interface Held {
  /** Wire id. */
  readonly account: string;
  readonly id: Id;
  readonly card: string;
  readonly mandate: Id;
}

/** An account with a mandate to pay orders, so that money can leave it without a page. */
async function hold(of: 2 | 3, world = worldOf()): Promise<Held> {
  const customer = await stage.customer();
  const card = newCard();
  const opened = await stage.open(customer, { class: of, card: { account: card, bankCode: BANK, mobile: customer.mobile } });
  const id = asId(opened.account.slice(4));
  const mandate = await openMandate(world, {
    platform: stage.book.id,
    account: id,
    kinds: ['account-payment'],
    orders: true,
    payees: [],
    paymentCap: 10n ** 15n,
    totalCap: 10n ** 15n,
    period: undefined,
    periodCap: undefined,
    expires: stage.clock.now() + 10 * 366 * 86_400_000,
  });
  return { account: opened.account, id, card, mandate };
}

/** As much of a world as is needed here. */
const worldOf = () => ({ db: stage.api.runtime.db, rt: stage.api.runtime, clock: stage.clock }) as unknown as World;
let given = 0;

/** Gives an instruction that moves the account's money so, with all that it takes besides the law; posted, or the code. */
async function move(of: Held, direction: 'in' | 'out', other: 'bound' | 'other', amount: number): Promise<string> {
  given += 1;
  const money = { amount, currency: 'CNY' };
  const payer = { name: '王小明', account: other === 'bound' ? of.card : '6222029999999999999', bankCode: BANK };
  const [kind, origin, data] =
    direction === 'in'
      ? (['incoming-transfer', 'S', { account: of.account, amount: money, payer, reference: `IN-${given}` }] as const)
      : other === 'bound'
        ? (['withdrawal', 'P', { account: of.account, amount: money }] as const)
        : ([
            'account-payment',
            'P',
            { from: of.account, to: { orderNo: `SO-${of.id}` }, amount: money, mandate: `mdt_${of.mandate}` },
          ] as const);
  return give(kind, origin, data);
}

/** Gives an instruction to which the owner says yes; posted, or the code. */
async function give(kind: string, origin: 'P' | 'S', data: object): Promise<string> {
  given += 1;
  const rt = stage.api.runtime;
  const intake = createIntake(rt);
  const { id: platformId } = stage.book;
  const requestNo = `R-${given}`;
  const parsed =
    origin === 'P' ? parseInstruction({ requestNo, kind, data }, 'P') : { requestNo, kind, body: canonicalJson(data) };
  const [receipt] = (await intake.receive([{ ...parsed, platformId, origin, actor: 'test' }])) as [Receipt];
  if ('refused' in receipt) return receipt.refused.code;
  await answerAll(worldOf(), [{ receipt, answer: 'yes' }]);
  await executeShard(rt, await stage.shardOf(stage.book));
  const outcome = (await rt.db.read('outcome', (tx) => findInstructions(tx, [receipt.id]))).get(receipt.id)?.outcome;
  return outcome?.code ?? outcome?.state ?? 'undecided';
}

async function check(of: Held, direction: 'in' | 'out', other: 'bound' | 'other', amount: number): Promise<string> {
  const body = { direction, amount: { amount, currency: 'CNY' }, with: other };
  const answer = await stage.api
    .signed(stage.book, 'POST', `/v1/electronic-accounts/${of.account}/quotas/check`, body)
    .expect(200);
  expect(answer.body.passes).toBe(answer.body.refusal === null);
  return answer.body.refusal?.code ?? 'posted';
}

const quotas = async (of: Held, on = '') =>
  (await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${of.account}/quotas${on === '' ? '' : `?on=${on}`}`)).body;
const left = async (of: Held, bucket: string) =>
  (await quotas(of)).buckets.find((each: { bucket: string }) => each.bucket === bucket).left as number;

const staffed = async (path: string, of: Held) => {
  const { token } = await stage.staff();
  await stage.api
    .call('POST', `/admin/v1/electronic-accounts/${of.account}/${path}`, { token, body: { reason: 'test' } })
    .expect(200);
};

/** The first moment of a day, or a minute later where that is now. */
const goTo = (day: string) => stage.clock.advance(instantOf(startOfDay(day as Parameters<typeof startOfDay>[0]) + 60_000));

describe('the quotas that are told', () => {
  test('are what was used and is left of every bucket, and the room under the cap', async () => {
    const two = await hold(2);
    await staffed('confirm-face-to-face', two);
    expect(await move(two, 'in', 'other', 400_000)).toBe('posted');
    expect(await move(two, 'in', 'bound', 500_000)).toBe('posted');
    expect(await move(two, 'out', 'other', 100_001)).toBe('posted');
    expect(await quotas(two)).toEqual({
      on: '2037-03-02',
      per: 'account',
      buckets: [
        { bucket: 'out.day', limit: 1_000_000, used: 100_001, left: 899_999 },
        { bucket: 'out.year', limit: 20_000_000, used: 100_001, left: 19_899_999 },
        { bucket: 'in.day', limit: 1_000_000, used: 400_000, left: 600_000 },
        { bucket: 'in.year', limit: 20_000_000, used: 400_000, left: 19_600_000 },
      ],
      balance: null,
    });
    const three = await hold(3);
    expect(await move(three, 'in', 'bound', 150_000)).toBe('posted');
    expect((await quotas(three)).balance).toEqual({ cap: 200_000, room: 50_000 });
    // Room is kept for what is being collected.
    const data = { account: three.account, amount: { amount: 30_000, currency: 'CNY' } };
    expect(await give('top-up', 'P', data)).toBe('posted');
    expect((await quotas(three)).balance).toEqual({ cap: 200_000, room: 20_000 });
    expect([await check(three, 'in', 'bound', 20_001), await check(three, 'in', 'bound', 20_000)]).toEqual([
      'BALANCE_CAP',
      'posted',
    ]);
  });

  test('on a day to come count the year and not the day; of a past one only the limits are known', async () => {
    const three = await hold(3);
    expect(await move(three, 'in', 'bound', 100_000)).toBe('posted');
    expect(await move(three, 'out', 'other', 30_000)).toBe('posted');
    const later = await quotas(three, '2037-03-09');
    expect(later.buckets.slice(0, 2)).toEqual([
      { bucket: 'out.day', limit: 200_000, used: 0, left: 200_000 },
      { bucket: 'out.year', limit: 5_000_000, used: 30_000, left: 4_970_000 },
    ]);
    expect((await quotas(three, '2038-01-01')).buckets[1].used).toBe(0);
    // Before 2018-01-12 a Class III account had other limits.
    const before = await quotas(three, '2018-01-11');
    expect(before.buckets).toEqual([
      { bucket: 'out.day', limit: 500_000, used: null, left: null },
      { bucket: 'out.year', limit: 10_000_000, used: null, left: null },
      { bucket: 'in.day', limit: 500_000, used: null, left: null },
      { bucket: 'in.year', limit: 10_000_000, used: null, left: null },
    ]);
    expect(before.balance).toEqual({ cap: 100_000, room: null });
    expect((await quotas(three, '2018-01-12')).buckets[0].limit).toBe(200_000);
    const never = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${three.account}/quotas?on=2016-03-31`);
    expect([never.status, never.body.code]).toEqual([400, 'SHAPE_INVALID']);
  });
});

describe('what is checked is what the engine then does', () => {
  /** Amounts around everything that decides, and others. */
  const amountFor = async (chance: Chance, of: Held, direction: 'in' | 'out'): Promise<number> => {
    const { buckets, balance } = await quotas(of);
    const account = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${of.account}`);
    const edges = [
      ...buckets
        .filter(({ bucket }: { bucket: string }) => bucket.startsWith(direction))
        .map((each: { left: number }) => each.left),
      account.body.balance,
      balance?.room ?? 1_000,
    ];
    const edge = chance.pick(edges) as number;
    return Math.max(1, chance.once(3) ? 1 + chance.below(250_000) : edge + chance.below(3) - 1);
  };

  test.each([2, 3] as const)(
    'for Class %d, whatever was moved before, whoever is blocked, on whatever day',
    async (of) => {
      const chance = new Chance(20_370_302 + of);
      const held = await hold(of);
      const seen = new Map<string, number>();
      let blocked = false;
      for (let step = 0; step < 70; step += 1) {
        if (step === 8 && of === 2) await staffed('confirm-face-to-face', held);
        if (chance.once(12)) {
          blocked = !blocked;
          await staffed(blocked ? 'block' : 'unblock', held);
        }
        if (chance.once(15)) stage.later(86_400_000);
        const direction = step < 3 ? 'in' : chance.pick(['in', 'out'] as const);
        const other = step === 2 ? 'bound' : chance.pick(['bound', 'other'] as const);
        const amount = await amountFor(chance, held, direction);
        const told = await check(held, direction, other, amount);
        expect([step, direction, other, amount, await move(held, direction, other, amount)]).toEqual([
          step,
          direction,
          other,
          amount,
          told,
        ]);
        seen.set(told, (seen.get(told) ?? 0) + 1);
      }
      expect([...seen.keys()].sort()).toEqual(expect.arrayContaining(['ACCOUNT_BLOCKED', 'FUNDS_INSUFFICIENT', 'posted']));
      expect([...seen.keys()]).toContain(of === 2 ? 'INFLOW_NOT_CONFIRMED' : 'INFLOW_NOT_ACTIVATED');
      expect([...seen.keys()].some((code) => code.startsWith('LIMIT_') || code === 'BALANCE_CAP')).toBe(true);
    },
    120_000,
  );

  test('a frozen account, and money that has not cleared', async () => {
    const held = await hold(2);
    expect(await move(held, 'in', 'bound', 10_000)).toBe('posted');
    expect(await check(held, 'out', 'bound', 10_000)).toBe('FUNDS_UNCLEARED');
    expect(await move(held, 'out', 'bound', 10_000)).toBe('FUNDS_UNCLEARED');
    const body = { reason: 'court' };
    await stage.api.call('POST', `/admin/v1/accounts/${held.account}/freeze`, { token: stage.token, body }).expect(200);
    expect(await check(held, 'out', 'other', 1)).toBe('ACCOUNT_FROZEN');
    expect(await move(held, 'out', 'other', 1)).toBe('ACCOUNT_FROZEN');
    expect(await check(held, 'in', 'bound', 1)).toBe('posted');
    const { body: view } = await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${held.account}`);
    expect(view).toMatchObject({ frozen: true, standing: { code: 'ACCOUNT_FROZEN' } });
  });

  test('checking changes nothing', async () => {
    const held = await hold(2);
    expect(await move(held, 'in', 'bound', 10_000)).toBe('posted');
    const before = await stage.rows(`SELECT * FROM limit_use WHERE account_id = ${held.id}`);
    for (const direction of ['in', 'out'] as const) await check(held, direction, 'other', 500);
    expect(await stage.rows(`SELECT * FROM limit_use WHERE account_id = ${held.id}`)).toEqual(before);
    expect(await left(held, 'out.day')).toBe(1_000_000);
  });
});

describe('parameters are dated rows', () => {
  const put = (name: string, body: unknown, token = stage.token) =>
    stage.api.call('PUT', `/admin/v1/parameters/${name}`, { token, body });
  const source = '银发〔2037〕1号';

  test('one is added for a day to come, is told to platforms by date, and holds from that day on', async () => {
    const held = await hold(3);
    const [today] = (await stage.rows('SELECT business_date FROM books LIMIT 1')) as [{ business_date: string }];
    expect(today.business_date).toBe('2037-03-02');
    const validFrom = '2037-07-01';
    const { body } = await put('class-3.balance', { validFrom, value: 300_000, source }).expect(200);
    expect(body).toEqual({ name: 'class-3.balance', validFrom, value: 300_000, source });
    await put('class-3.balance', { validFrom, value: 300_000, source }).expect(200); // the second click
    const on = async (date: string) => {
      const answer = await stage.api.signed(stage.book, 'GET', `/v1/limits?on=${date}`).expect(200);
      return answer.body.items.find(({ name }: { name: string }) => name === 'class-3.balance')?.value;
    };
    expect([await on('2018-01-11'), await on('2018-01-12'), await on('2037-06-30'), await on('2037-07-01')]).toEqual([
      100_000, 200_000, 200_000, 300_000,
    ]);
    expect((await quotas(held, '2037-06-30')).balance.cap).toBe(200_000);
    expect((await quotas(held, '2037-07-01')).balance.cap).toBe(300_000);
    expect(await move(held, 'in', 'bound', 200_001)).toBe('BALANCE_CAP');
    goTo('2037-07-01');
    expect(await move(held, 'in', 'bound', 200_001)).toBe('posted');
    const told = await stage.api.signed(stage.book, 'GET', '/v1/limits').expect(200);
    expect(JSON.stringify(told.body)).not.toContain('interest.');
  });

  test.each([
    ['for yesterday', 'class-3.balance', { validFrom: '2037-06-30', value: 1 }, 422, 'PARAMETER_BACKDATED'],
    ['that is there', 'class-3.balance', { validFrom: '2037-07-01', value: 1 }, 409, 'PARAMETER_EXISTS'],
    ['no flag', 'limits.per-customer', { validFrom: '2037-12-01', value: 2 }, 422, 'PARAMETER_VALUE'],
    ['above all rates', 'interest.demand', { validFrom: '2037-12-01', value: 1_000_001 }, 422, 'PARAMETER_VALUE'],
    ['no months at all', 'dormancy.months', { validFrom: '2037-12-01', value: 0 }, 422, 'PARAMETER_VALUE'],
    ['nobody knows', 'class-4.balance', { validFrom: '2037-12-01', value: 1 }, 404, 'NOT_FOUND'],
    ['negative', 'class-3.balance', { validFrom: '2037-12-01', value: -1 }, 400, 'SHAPE_INVALID'],
  ])('a value %s is refused', async (_what, name, body, status, code) => {
    const answer = await put(name, { ...body, source });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('only who may write platforms adds one, and what was there is never rewritten', async () => {
    const { token } = await stage.staff();
    await put('class-3.balance', { validFrom: '2037-12-01', value: 1, source }, token).expect(403);
    const list = await stage.api.call('GET', '/admin/v1/parameters', { token }).expect(200);
    expect(list.body.items).toContainEqual({
      name: 'class-3.balance',
      validFrom: '2018-01-12',
      value: 200_000,
      source: '银发〔2018〕16号',
    });
    const audit = await stage.rows("SELECT target, outcome FROM audit_entries WHERE target LIKE 'parameter %' ORDER BY id");
    expect(audit.length).toBeGreaterThan(0);
  });

  test('counted for all accounts of a person together, once the bank sets it so', async () => {
    const customer = await stage.customer();
    const [one, two] = [await stage.open(customer), await stage.open(customer)];
    const card = newCard();
    const held = { account: one.account, id: asId(one.account.slice(4)), card, mandate: asId('1') };
    for (const each of [one, two]) await staffed('confirm-face-to-face', { ...held, account: each.account });
    expect(await move(held, 'in', 'other', 600_000)).toBe('posted');
    await put('limits.per-customer', { validFrom: '2037-07-01', value: 1, source }).expect(200);
    const other = { ...held, account: two.account, id: asId(two.account.slice(4)) };
    expect(await quotas(other)).toMatchObject({ per: 'customer' });
    expect(await left(other, 'in.day')).toBe(400_000);
    expect(await check(other, 'in', 'other', 400_001)).toBe('LIMIT_IN_DAY');
    expect(await move(other, 'in', 'other', 400_001)).toBe('LIMIT_IN_DAY');
    expect(await move(other, 'in', 'other', 400_000)).toBe('posted');
  });
});

test('what was used of every bucket is told as of any moment, by the limits and the use of then', async () => {
  const of = await hold(2);
  await staffed('confirm-face-to-face', of);
  const asOf = async (ms: number) => {
    const text = encodeURIComponent(toRfc3339(instantOf(ms)));
    return (await stage.api.signed(stage.book, 'GET', `/v1/electronic-accounts/${of.account}/quotas?asOf=${text}`)).body;
  };
  const usedAt = async (ms: number) => (await asOf(ms)).buckets.map(({ used }: { used: number | null }) => used);
  const opened = stage.clock.now();
  stage.clock.advance(instantOf(opened + 1_000));
  expect(await move(of, 'in', 'other', 400_000)).toBe('posted');
  const first = stage.clock.now();
  stage.clock.advance(instantOf(first + 1_000));
  expect(await move(of, 'out', 'other', 100_000)).toBe('posted');
  const second = stage.clock.now();
  goTo(addDays(naturalDate(second), 1));
  const midnight = startOfDay(naturalDate(stage.clock.now()));
  expect(await move(of, 'in', 'other', 7)).toBe('posted');
  const third = stage.clock.now();

  const before = await asOf(startOfDay(naturalDate(opened)) - 86_400_000);
  expect(before.buckets.map(({ used }: { used: number | null }) => used)).toEqual([null, null, null, null]);
  expect(await usedAt(opened)).toEqual([0, 0, 0, 0]);
  expect(await usedAt(first)).toEqual([0, 0, 400_000, 400_000]);
  expect(await usedAt(second)).toEqual([100_000, 100_000, 400_000, 400_000]);
  expect(await usedAt(midnight - 1)).toEqual([100_000, 100_000, 400_000, 400_000]);
  expect(await usedAt(midnight)).toEqual([0, 100_000, 0, 400_000]);
  expect(await usedAt(third)).toEqual((await quotas(of)).buckets.map(({ used }: { used: number }) => used));
  expect((await asOf(third + 86_400_000)).code).toBe('SHAPE_INVALID');
});
