import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Channels, OTHER_CONTENT, openChannels, type PaymentOrder, type SigningRequest } from '../../src/channels/index.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import { wholeStatement } from '../support/statement.js';
import { allNews } from './conformance.js';

const FRIDAY = '2026-03-06' as BusinessDate;
const OTHER_BANK = '102100099996';
const CARD = '6228480000000000001';
const CUSTODY = 'C-1';

let bank: RunningBank;
let ways: Channels;
beforeAll(async () => {
  bank = await startBank({ port: 0, seed: 3 });
  ways = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
});
afterAll(async () => {
  await ways.close();
  await bank.stop();
});
beforeEach(async () => {
  bank.bank.reset();
  await ways.coreBank.openCustodyAccount(CUSTODY, 'Platform One');
});

const request: SigningRequest = {
  ...{ signNo: 'S1', name: '李四', idType: 'resident-id', idNo: '310101198801010022' },
  ...{ account: CARD, bankCode: OTHER_BANK, mobile: '13900139000' },
};
const order = (no: number, changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
  ...{ messageNo: `M${no}`, custodyNo: CUSTODY, amount: 100n, payeeName: request.name, payeeAccount: CARD },
  ...{ payeeBank: OTHER_BANK, businessDate: FRIDAY, remark: '' },
  ...changes,
});
const register = (changes: object = {}) =>
  bank.bank.people.put([
    PersonEntry.parse({
      ...{ idNo: request.idNo, name: request.name, mobile: request.mobile, ...changes },
      accounts: [{ account: CARD, bankCode: OTHER_BANK }],
    }),
  ]);

describe.each(['collect', 'psp-collect'] as const)('a contract of %s', (code) => {
  const sign = (changes: Partial<SigningRequest> = {}) => ways.channels[code].sign({ ...request, ...changes });
  const contractNo = async () => {
    const answer = await sign();
    return answer.status === 'signed' ? answer.contractNo : '';
  };

  test('is signed once for its number', async () => {
    const first = await sign();
    expect(first).toEqual({ signNo: 'S1', status: 'signed', contractNo: expect.any(String) });
    expect(await sign()).toEqual(first);
    expect(await sign({ signNo: 'S2' })).not.toMatchObject({ contractNo: (first as { contractNo: string }).contractNo });
    expect(await sign({ mobile: '13900139001' })).toEqual({ signNo: 'S1', status: 'refused', reason: OTHER_CONTENT });
  });

  test("is refused with the reason of the card's bank", async () => {
    register();
    expect(await sign({ signNo: 'S3', mobile: '13900139001' })).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining('mobile'),
    });
    expect(await sign({ signNo: 'S4', account: '1' })).toMatchObject({ status: 'refused', reason: 'no such account' });
    expect((await sign()).status).toBe('signed');
  });

  test.each(['lost-answer', 'garbage', 'not-received', 'maintenance'] as const)(
    'of which the answer is none (%s) is asked for again',
    async (fault) => {
      bank.bank.faults.replace({ scripted: [{ scope: code, on: 'sign', fault }] });
      expect((await sign()).status).toBe('unknown');
      expect((await sign()).status).toBe('signed');
      expect(bank.bank.signings.all()).toHaveLength(1);
    },
  );

  test('is not needed by a collection unless the bank says so; then by name, card and mobile, at this channel', async () => {
    const { channels } = ways;
    expect((await channels[code].submit([order(1)]))[0]?.status).toBe('accepted');
    expect((await fetch(`${bank.url}/sandbox/signings`, { method: 'PUT', body: '{"required":true}' })).status).toBe(200);
    const refused = { status: 'refused', reason: 'no contract for this card' };
    const contract = { contractNo: await contractNo() };
    const other = code === 'collect' ? 'psp-collect' : 'collect';
    expect(await channels[code].submit([order(2)])).toMatchObject([refused]);
    expect(await channels[code].submit([order(3, { contractNo: 'X' })])).toMatchObject([refused]);
    expect(await channels[code].submit([order(4, { ...contract, payeeName: '王五' })])).toMatchObject([refused]);
    expect(await channels[code].submit([order(5, { ...contract, payeeAccount: '2' })])).toMatchObject([refused]);
    expect(await channels[other].submit([order(6, contract)])).toMatchObject([refused]);
    expect((await channels[code].submit([order(7, contract)]))[0]?.status).toBe('accepted');
    register({ mobile: '13700137000' });
    expect(await channels[code].submit([order(8, contract)])).toMatchObject([refused]);
  });
});

describe('a payment institution that pays over later', () => {
  const collect = () => ways.channels['psp-collect'];
  const lines = async (date: BusinessDate) =>
    (await wholeStatement(ways, CUSTODY, date)).lines.map((line) => [line.reference, line.amount]);

  test('credits what it collected on a date in one sum on the next working day; the file says of which payments it is made', async () => {
    bank.bank.faults.replace({ settleAfterDays: 1 });
    await collect().submit([order(1), order(2, { amount: 50n })]);
    expect((await collect().query(['M1', 'M2'])).map((answer) => answer.status)).toEqual(['settled', 'settled']);
    expect(bank.bank.books()).toMatchObject({
      custody: [{ balance: 0n }],
      totals: { collected: 150n, inTransit: 150n },
    });
    const monday = addDays(FRIDAY, 3);
    expect((await wholeStatement(ways, CUSTODY, monday)).complete).toBe(false);
    bank.bank.setDate(addDays(FRIDAY, 2));
    const reference = `PS20260306${CUSTODY}`;
    const news = { status: 'settled', reference, businessDate: monday };
    expect(await allNews(collect())).toEqual([
      { ...news, messageNo: 'M1', amount: 100n, cursor: '2026-03-06:1' },
      { ...news, messageNo: 'M2', amount: 50n, cursor: '2026-03-06:2' },
    ]);
    expect(await lines(FRIDAY)).toEqual([]);
    bank.bank.setDate(addDays(FRIDAY, 5)); // also when nobody looks on that day
    expect(await lines(monday)).toEqual([[reference, 150n]]);
    expect(bank.bank.books()).toMatchObject({ custody: [{ balance: 150n }], totals: { collected: 150n, inTransit: 0n } });
  });

  test('debits a charge-back by itself', async () => {
    bank.bank.faults.replace({ settleAfterDays: 1, scripted: [{ scope: 'psp-collect', fault: 'return', days: 4 }] });
    await collect().submit([order(1)]);
    await collect().query(['M1']);
    const day = addDays(FRIDAY, 4);
    bank.bank.setDate(day);
    bank.bank.setDate(addDays(day, 1));
    expect(await lines(day)).toEqual([['RTM1', -100n]]);
    expect((await allNews(collect())).map(({ status, reference, businessDate }) => [status, reference, businessDate])).toEqual([
      ['settled', `PS20260306${CUSTODY}`, addDays(FRIDAY, 3)],
      ['returned', 'RTM1', day],
    ]);
    expect(bank.bank.books()).toMatchObject({ custody: [{ balance: 0n }] });
  });
});
