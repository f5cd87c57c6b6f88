import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WIRE_MAX } from '../../src/kernel/index.js';
import { type AgreementStage, openAgreements, simpleRule, simpleTerms, TODAY } from './stage.js';

let stage: AgreementStage;
let account: string;
let agent: string;
let closed: string;
let theirs: string;
beforeAll(async () => {
  stage = await openAgreements();
  account = await stage.seller();
  agent = await stage.seller();
  closed = await stage.seller();
  theirs = await stage.seller(stage.other);
  const { body } = await stage.api.signed(stage.book, 'GET', '/v1/sub-merchants').expect(200);
  const { id } = body.items.find((each: { account: string }) => each.account === closed);
  await stage.api.signed(stage.book, 'POST', `/v1/sub-merchants/${id}/close`).expect(200);
});
afterAll(() => stage?.stop());

type Level = { lines: unknown[]; remainder: unknown };
const to = (receiver: unknown, percent: number, more: object = {}) => ({ to: receiver, take: { percent }, ...more });
const level = (lines: unknown[], remainder: unknown = 'seller'): Level => ({ lines, remainder });
const rule = (order: unknown[], others: Record<string, Level> = {}) => ({ levels: { order: level(order), ...others } });
const submit = (terms: Record<string, unknown>, more: Record<string, unknown> = {}) =>
  stage.submit(stage.asked(account, { terms: simpleTerms({ profitMax: 3000, ...terms }), ...more }));
const withRule = (of: unknown) => submit({ rule: of });
const chain = (depth: number) =>
  Object.fromEntries(
    Array.from({ length: depth }, (_, n) => [
      `l${n}`,
      level(n + 1 < depth ? [to({ level: `l${n + 1}` }, 100)] : [], 'commission'),
    ]),
  );

describe('terms with a fault are refused with the code of the fault', () => {
  const cases: readonly [what: string, code: string, ask: () => ReturnType<typeof submit>][] = [
    ['rates above the whole', 'RULE_OVER_WHOLE', () => withRule(rule([to('commission', 6000), to('seller', 4001)]))],
    ['a level that leads back to itself', 'RULE_LEVEL_CYCLE', () => withRule(rule([to({ level: 'order' }, 100)]))],
    [
      'levels in a circle that nothing reaches',
      'RULE_LEVEL_CYCLE',
      () => withRule(rule([], { a: level([to({ level: 'b' }, 100)]), b: level([to({ level: 'a' }, 100)]) })),
    ],
    ['a level that is not there', 'RULE_LEVEL_UNKNOWN', () => withRule(rule([to({ level: 'agents' }, 100)]))],
    [
      'a level by the name of what every object has',
      'RULE_LEVEL_UNKNOWN',
      () => withRule(rule([to({ level: 'constructor' }, 1)])),
    ],
    ['no first level', 'RULE_LEVEL_UNKNOWN', () => withRule({ levels: { first: level([]) } })],
    ['a level that nothing reaches', 'RULE_LEVEL_UNREACHABLE', () => withRule(rule([], { spare: level([]) }))],
    ['six levels one below another', 'RULE_DEPTH', () => withRule(rule([to({ level: 'l0' }, 100)], chain(5)))],
    [
      'tiers that do not ascend',
      'RULE_TIERS',
      () =>
        withRule(
          rule([
            {
              to: 'commission',
              take: {
                tiers: [
                  { upTo: 5, percent: 1 },
                  { upTo: 5, percent: 2 },
                  { upTo: null, percent: 3 },
                ],
              },
            },
          ]),
        ),
    ],
    ['a minimum above the maximum', 'RULE_BOUNDS', () => withRule(rule([to('commission', 100, { min: 2, max: 1 })]))],
    [
      'the goods below the first level',
      'RULE_BASE',
      () => withRule(rule([to({ level: 'a' }, 100)], { a: level([{ to: 'commission', take: { percent: 1, of: 'goods' } }]) })),
    ],
    ['a receiver twice', 'RULE_RECEIVERS', () => withRule(rule([to('commission', 1), to('commission', 2)]))],
    [
      'others that can get more than 30 %',
      'RULE_CAP',
      () => withRule(rule([to('commission', 2000), to({ account: agent }, 1001)])),
    ],
    [
      'others that can get more than 30 % in the worst of cases alone',
      'RULE_CAP',
      () =>
        withRule(
          rule([
            {
              to: 'commission',
              take: {
                tiers: [
                  { upTo: 1_000_000, percent: 100 },
                  { upTo: null, percent: 3001 },
                ],
              },
            },
          ]),
        ),
    ],
    ['a remainder to the platform', 'RULE_CAP', () => withRule({ levels: { order: level([to('seller', 6999)], 'commission') } })],
    ['a platform that can get more than its profit', 'RULE_PROFIT', () => submit({ rule: simpleRule(1001), profitMax: 1000 })],
    [
      'a receiver that nobody knows',
      'RECEIVER_NOT_ALLOWED',
      () => withRule(rule([to({ account: 'acc_1000000000000000001' }, 1)])),
    ],
    ['a receiver of another platform', 'RECEIVER_NOT_ALLOWED', () => withRule(rule([to({ account: theirs }, 1)]))],
    ['a receiver that is closed', 'RECEIVER_NOT_ALLOWED', () => withRule(rule([to({ account: closed }, 1)]))],
    [
      "a receiver that is the platform's own account",
      'RECEIVER_NOT_ALLOWED',
      () => withRule(rule([to({ account: stage.book.accounts.fees }, 1)])),
    ],
    ['the seller by his account', 'RECEIVER_NOT_ALLOWED', () => withRule(rule([to({ account }, 1)]))],
    ['a profit above the cap of all others', 'AGREEMENT_CAPS', () => submit({ othersCap: 2000 })],
    ['a day above its month', 'AGREEMENT_CAPS', () => submit({ volume: { day: 2, month: 1 } })],
    ['an order above its day', 'AGREEMENT_CAPS', () => submit({ orderMax: 2, volume: { day: 1 } })],
    ['T+N without N', 'CYCLE_INVALID', () => submit({ cycle: 'T+N' })],
    ['more than thirty days', 'CYCLE_INVALID', () => submit({ cycle: 'T+N', cycleDays: 31 })],
    ['a weekly payout on no day', 'CYCLE_INVALID', () => submit({ cycle: 'weekly' })],
    ['a weekly payout on an eighth day', 'CYCLE_INVALID', () => submit({ cycle: 'weekly', payout: { day: 8 } })],
    ['a day for a cycle that has none', 'CYCLE_INVALID', () => submit({ payout: { day: 5 } })],
    [
      'more than thirty days in all',
      'CYCLE_INVALID',
      () => submit({ cycle: 'T+N', cycleDays: 20, payout: { holdBackDays: 11 } }),
    ],
    ['a month and days before it', 'CYCLE_INVALID', () => submit({ cycle: 'monthly', payout: { day: 1, holdBackDays: 1 } })],
    ['a payout that costs more than a fee may', 'AGREEMENT_CAPS', () => submit({ feeMax: 10, payout: { fee: { fixed: 11 } } })],
    [
      'a payout that costs a part where no fee is allowed',
      'AGREEMENT_CAPS',
      () => submit({ feeMax: 0, payout: { fee: { percent: 1 } } }),
    ],
    [
      'a payout that costs more than the bank agreed with the platform',
      'AGREEMENT_CAPS',
      () => submit({ payout: { fee: { fixed: 1_000_000 } } }),
    ],
    ['settlement on the same working day for a new seller', 'SETTLEMENT_TOO_EARLY', () => submit({ cycle: 'T+0' })],
    ['settlement on the same day for a new seller', 'SETTLEMENT_TOO_EARLY', () => submit({ cycle: 'D+0' })],
    ['a category in both lists', 'AGREEMENT_CATEGORIES', () => submit({ categories: ['goods'], forbidden: ['goods'] })],
    ['a beginning in the past', 'AGREEMENT_BACKDATED', () => submit({}, { validFrom: '2037-03-01' })],
    ['an end before the beginning', 'AGREEMENT_DATES', () => submit({}, { validTo: '2037-03-01' })],
    ['a promotion without an end', 'AGREEMENT_DATES', () => submit({}, { amends: 1 })],
    ['a promotion over nothing', 'AGREEMENT_AMENDS', () => submit({}, { amends: 1, validTo: '2037-04-01' })],
    ['a version that is not the next', 'AGREEMENT_VERSION_NOT_NEXT', () => submit({}, { version: 2 })],
    ['a seller that nobody knows', 'ACCOUNT_NOT_FOUND', () => submit({}, { account: 'acc_1000000000000000001' })],
    ['a seller of another platform', 'ACCOUNT_NOT_FOUND', () => submit({}, { account: theirs })],
    ['a seller that is closed', 'ACCOUNT_NOT_FOUND', () => submit({}, { account: closed })],
  ];
  it.each(cases)('%s: %s', async (_what, code, ask) => {
    const { body } = await ask();
    expect(body.code).toBe(code);
    expect(body.faults.map((fault: { code: string }) => fault.code)).toContain(code);
  });

  it('and says nothing of the agreements of another platform', async () => {
    await stage.submit(stage.asked(theirs), stage.other).expect(201);
    const { body } = await submit({}, { account: theirs, agreementNo: 'MINE' }).expect(404);
    expect(body.faults.map((fault: { code: string }) => fault.code)).toEqual(['ACCOUNT_NOT_FOUND']);
  });

  it('and nothing was kept of any of them', async () => {
    const { body } = await stage.api.signed(stage.book, 'GET', '/v1/agreements').expect(200);
    expect(body.items).toEqual([]);
  });
});

describe('what is no terms at all is refused as such, at once', () => {
  const shapeless: readonly [what: string, terms: () => Record<string, unknown>][] = [
    ['ten thousand levels', () => ({ rule: { levels: { order: level([]), ...chain(10_000) } } })],
    ['a thousand lines', () => ({ rule: rule(Array.from({ length: 1000 }, (_, n) => ({ to: 'seller', take: { fixed: n } }))) })],
    ['a rate as text with an exponent', () => ({ othersCap: '1e3' })],
    ['a rate as text', () => ({ othersCap: '1000' })],
    ['a rate with a fraction', () => ({ othersCap: 0.5 })],
    ['a rate below nothing', () => ({ othersCap: -1 })],
    ['a rate above all', () => ({ othersCap: 10_001 })],
    ['an amount beyond the books', () => ({ orderMax: Number(WIRE_MAX) + 1 })],
    ['a level in Chinese', () => ({ rule: rule([], { 代理: level([]) }) })],
    ['a level in capitals', () => ({ rule: rule([], { Agents: level([]) }) })],
    ['a take of two sorts', () => ({ rule: rule([{ to: 'seller', take: { percent: 1, fixed: 1 } }]) })],
    ['a field that there is not', () => ({ rule: { ...rule([]), script: 'x' } })],
    ['a receiver in words', () => ({ rule: rule([to('commission ', 1)]) })],
  ];
  it.each(shapeless)('%s', async (_what, terms) => {
    const { body, status } = await submit(terms());
    expect([400, 413]).toContain(status);
    expect(['SHAPE_INVALID', 'BODY_TOO_LARGE']).toContain(body.code);
  });

  const bent: readonly [what: string, from: string, into: string][] = [
    ['an exponent', '"othersCap":3000', '"othersCap":3e3'],
    ['a number that is one only at first sight', '"othersCap":3000', '"othersCap":3000.0'],
    ['a cap twice', '"othersCap":3000', '"othersCap":3000,"othersCap":9999'],
    ['a level by the name of a prototype', '"levels":{', '"levels":{"__proto__":{"lines":[],"remainder":"seller"},'],
  ];
  it.each(bent)('%s', async (_what, from, into) => {
    const text = JSON.stringify(stage.asked(account));
    expect(text).toContain(from);
    const { body } = await stage.submit(text.replace(from, into));
    expect(['SHAPE_INVALID', 'BODY_MALFORMED']).toContain(body.code);
  });

  it('a number of an agreement with letters from elsewhere', async () => {
    for (const agreementNo of ['协议-1', 'AG 1', 'AG\u202e1', 'x'.repeat(65), ''])
      expect((await submit({}, { agreementNo }).expect(400)).body.code).toBe('SHAPE_INVALID');
    expect((await submit({}, { agreementNo: 'AG\u0000' }).expect(400)).body.code).toBe('BODY_MALFORMED');
  });
});

describe('the largest of what is allowed', () => {
  it('is taken, worked out to the fen, and told in the first of many faults', async () => {
    const names = Array.from({ length: 19 }, (_, n) => `l${n}`);
    const lines = Array.from({ length: 41 }, (_, n) => ({ to: n % 2 ? 'commission' : 'seller', take: { fixed: n } }));
    const levels = {
      order: level([...names.map((name) => to({ level: name }, 10)), ...lines]),
      ...Object.fromEntries(names.map((name) => [name, level(lines)])),
    };
    expect((await withRule({ levels })).body.code).toBe('RULE_RECEIVERS'); // each line gives like the one before
    const wide = {
      order: level(names.map((name) => to({ level: name }, 10))),
      ...Object.fromEntries(names.map((name) => [name, level([to('commission', 10_000, { max: Number(WIRE_MAX) })])])),
    };
    const caps = {
      orderMax: Number(WIRE_MAX),
      volume: { day: Number(WIRE_MAX), month: Number(WIRE_MAX) },
      reserve: Number(WIRE_MAX),
    };
    const { body } = await submit({ rule: { levels: wide }, ...caps }).expect(201);
    expect(body.terms).toMatchObject(caps);
    const half = Math.floor(Number(WIRE_MAX) / 2);
    const evaluated = await stage.api
      .signed(stage.book, 'POST', `/v1/agreements/${body.agreement}/versions/1/evaluate`, { goods: half, freight: half })
      .expect(200);
    const sum = evaluated.body.shares.reduce((all: bigint, { amount }: { amount: number }) => all + BigInt(amount), 0n);
    expect(sum).toBe(BigInt(half) * 2n);
    await stage.signed(body);
    await stage.staff(stage.anne, body.id, 'check').expect(200);
    await stage.staff(stage.bert, body.id, 'approve').expect(200);
  });
});

describe('of two at once', () => {
  /** A new seller's first version, signed and checked by Anne. */
  async function checked(asked: Record<string, unknown>) {
    const { body } = await stage.submit(asked).expect(201);
    await stage.signed(body);
    await stage.staff(stage.anne, body.id, 'check').expect(200);
    return body;
  }
  // biome-ignore lint/suspicious/noExplicitAny: answers of the API
  const codesOf = (answers: readonly any[]) => answers.map(({ status, body }) => (status < 300 ? 'done' : body.code)).sort();

  it('submissions of one version one is taken', async () => {
    const seller = await stage.seller();
    const other = simpleTerms({ rule: simpleRule(900) });
    const answers = await Promise.all([stage.submit(stage.asked(seller)), stage.submit(stage.asked(seller, { terms: other }))]);
    expect(codesOf(answers)).toEqual(['AGREEMENT_NO_REUSED', 'done']);
    const numbers = await Promise.all([
      stage.submit(stage.asked(seller, { agreementNo: 'X-1' })),
      stage.submit(stage.asked(seller, { agreementNo: 'X-2' })),
    ]);
    expect(codesOf(numbers)).toEqual(['AGREEMENT_EXISTS', 'AGREEMENT_EXISTS']);
  });

  it('versions that overlap one is approved', async () => {
    const seller = await stage.seller();
    const first = await checked(stage.asked(seller));
    const second = await checked(stage.asked(seller, { version: 2 }));
    const third = await checked(stage.asked(seller, { version: 3, validTo: '2037-12-31' }));
    const { token } = await stage.api.operator('reviewer');
    const answers = await Promise.all([
      stage.staff(stage.bert, first.id, 'approve'),
      stage.staff(token, second.id, 'approve'),
      stage.staff(token, third.id, 'approve'),
    ]);
    expect(codesOf(answers)).toEqual(['AGREEMENT_OVERLAPS', 'AGREEMENT_OVERLAPS', 'done']);
  });

  it('an approval and a withdrawal one is done, and stays', async () => {
    for (let round = 0; round < 5; round += 1) {
      const seller = await stage.seller();
      const version = await checked(stage.asked(seller));
      const withdraw = () => stage.api.signed(stage.book, 'POST', `/v1/agreements/${version.agreement}/versions/1/withdraw`);
      const answers = await Promise.all([stage.staff(stage.bert, version.id, 'approve'), withdraw()]);
      expect(codesOf(answers)).toEqual(['AGREEMENT_STATE', 'done']);
      const { state } = (await stage.read(version.id)).body;
      expect(state).toBe(answers[0].status === 200 ? 'approved' : 'withdrawn');
      expect((await stage.staff(stage.bert, version.id, 'approve')).body.code).toBe('AGREEMENT_STATE');
    }
  });

  it('looks one is the first, and the same person is never both', async () => {
    const seller = await stage.seller();
    const { body } = await stage.submit(stage.asked(seller, { validFrom: TODAY })).expect(201);
    await stage.signed(body);
    const looks = await Promise.all([stage.staff(stage.anne, body.id, 'check'), stage.staff(stage.bert, body.id, 'check')]);
    expect(codesOf(looks)).toEqual(['AGREEMENT_STATE', 'done']);
    const first = looks[0].status === 200 ? stage.anne : stage.bert;
    const twice = await Promise.all([stage.staff(first, body.id, 'approve'), stage.staff(first, body.id, 'approve')]);
    expect(codesOf(twice)).toEqual(['SAME_OPERATOR', 'SAME_OPERATOR']);
  });

  it('signatures of one receiver one is recorded', async () => {
    const seller = await stage.seller();
    const { body } = await stage.submit(stage.asked(seller)).expect(201);
    const sign = (voucher: string) => stage.staff(stage.clerk, body.id, 'signatures', { account: seller, voucher });
    expect(codesOf(await Promise.all([sign('F-1'), sign('F-2')]))[1]).toBe('done');
    expect((await stage.read(body.id)).body).toMatchObject({ state: 'countersigned', papers: [{}] });
  });
});
