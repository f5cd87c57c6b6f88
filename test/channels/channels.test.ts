import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  BankUnreachable,
  CHANNELS,
  type ChannelCode,
  type Channels,
  openChannels,
  type PaymentOrder,
} from '../../src/channels/index.js';
import { type FaultPlan, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { wholeStatement } from '../support/statement.js';
import { allNews, describeChannel } from './conformance.js';

const OTHER_BANK = '102100099996';

describeChannel({ code: 'book', payeeBank: '', otherBank: OTHER_BANK, first: 'settled' });
for (const code of ['hvps', 'ibps'] as const)
  describeChannel({ code, payeeBank: OTHER_BANK, otherBank: '', first: 'accepted', oneACall: true });
describeChannel({ code: 'beps', payeeBank: OTHER_BANK, otherBank: '', first: 'accepted', answeredTogether: true });
const FILES = { oneACall: true, atDayEnd: true };
describeChannel({ ...FILES, code: 'psp', payeeBank: OTHER_BANK, otherBank: '', first: 'accepted' });
describeChannel({ ...FILES, code: 'unionpay', payeeBank: OTHER_BANK, otherBank: '', first: 'settled' });
describeChannel({ ...FILES, code: 'collect', payeeBank: '', first: 'settled' });
describeChannel({ ...FILES, code: 'collect', payeeBank: OTHER_BANK, first: 'accepted' });
describeChannel({ ...FILES, code: 'psp-collect', payeeBank: OTHER_BANK, first: 'accepted' });

const CUSTODY = 'C-1';
const DAY = '2026-03-02' as BusinessDate;
const NEXT_DAY = '2026-03-03' as BusinessDate;

function orderOf(no: number, code: ChannelCode): PaymentOrder {
  return {
    messageNo: `M${no}`,
    custodyNo: CUSTODY,
    amount: 100n,
    payeeName: 'Seller',
    payeeAccount: `6228${no}`,
    payeeBank: code === 'book' ? '' : OTHER_BANK,
    businessDate: DAY,
    remark: '',
  };
}

async function startFunded(seed: number, faults: FaultPlan, timeoutMs: number): Promise<{ bank: RunningBank; ways: Channels }> {
  const bank = await startBank({ port: 0, seed });
  const ways = openChannels({ bankUrl: bank.url, timeoutMs });
  await ways.coreBank.openCustodyAccount(CUSTODY, 'Platform One');
  await ways.coreBank.inflows(CUSTODY, DAY, [{ reference: 'IN', amount: 1_000_000n, counterparty: '', text: '' }]);
  bank.bank.faults.replace(faults);
  return { bank, ways };
}

describe('accepted payments', () => {
  let bank: RunningBank;
  let ways: Channels;
  beforeAll(async () => {
    ({ bank, ways } = await startFunded(1, {}, 20_000));
  });
  beforeEach(async () => {
    bank.bank.reset();
    await ways.coreBank.openCustodyAccount(CUSTODY, 'Platform One');
    await ways.coreBank.inflows(CUSTODY, DAY, [{ reference: 'IN', amount: 150n, counterparty: '', text: '' }]);
  });
  afterAll(async () => {
    await ways.close();
    await bank.stop();
  });

  test('stay accepted until the delay is over, hold their money meanwhile, and keep the statement incomplete', async () => {
    bank.bank.faults.replace({ settleDelayMs: 1_000 });
    const { beps } = ways.channels;
    await beps.submit([orderOf(1, 'beps')]);
    expect((await beps.query(['M1']))[0]?.status).toBe('accepted');
    expect((await beps.submit([orderOf(2, 'beps')]))[0]?.status).toBe('failed');
    expect(await allNews(beps)).toEqual([]);
    expect(await wholeStatement(ways, CUSTODY, DAY)).toMatchObject({ complete: false, closing: 150n });
    bank.bank.advanceMs(999);
    expect(await allNews(beps)).toEqual([]);
    bank.bank.advanceMs(1);
    expect((await allNews(beps)).map((item) => [item.messageNo, item.status, item.reference])).toEqual([['M1', 'settled', 'M1']]);
    expect(await wholeStatement(ways, CUSTODY, DAY)).toMatchObject({ complete: true, closing: 50n });
  });

  test('that fail later are news with a reason, and their money is free again', async () => {
    bank.bank.faults.replace({
      scripted: [{ scope: 'beps', fault: 'fail-later', messageNo: 'M1', reason: 'no such account' }],
    });
    const { beps } = ways.channels;
    expect((await beps.submit([orderOf(1, 'beps')]))[0]?.status).toBe('accepted');
    expect(await allNews(beps)).toMatchObject([{ messageNo: 'M1', status: 'failed', reason: 'no such account' }]);
    expect((await beps.query(['M1']))[0]).toMatchObject({ status: 'failed', reason: 'no such account' });
    expect((await beps.submit([orderOf(2, 'beps')]))[0]?.status).toBe('accepted');
    expect(bank.bank.books().totals).toMatchObject({ paid: 100n, paidTwice: 0 });
  });

  test('a collection that is accepted takes nothing of our money meanwhile, and keeps the statement incomplete until it is final', async () => {
    bank.bank.faults.replace({ settleDelayMs: 1_000 });
    const { collect } = ways.channels;
    await collect.submit([orderOf(1, 'beps')]);
    expect((await collect.query(['M1']))[0]?.status).toBe('accepted');
    expect(bank.bank.books().custody).toMatchObject([{ balance: 150n, reserved: 0n }]);
    expect(await wholeStatement(ways, CUSTODY, DAY)).toMatchObject({ complete: false, closing: 150n });
    bank.bank.advanceMs(1_000);
    bank.bank.setDate(NEXT_DAY);
    expect((await allNews(collect)).map((item) => [item.messageNo, item.status])).toEqual([['M1', 'settled']]);
    expect(await wholeStatement(ways, CUSTODY, DAY)).toMatchObject({ complete: true, closing: 250n });
  });

  test.each([
    [{ standing: 'none' }, 'Seller', 'no such account'],
    [{ standing: 'frozen' }, 'Seller', 'the card is frozen'],
    [{}, 'Another', 'account and name do not match'],
    [{ funds: '99' }, 'Seller', 'insufficient funds on the card'],
  ])('a card that is %j of %s gives nothing', async (of, name, reason) => {
    bank.bank.people.put([PersonEntry.parse({ idNo: '1', name, accounts: [{ account: '62281', bankCode: OTHER_BANK, ...of }] })]);
    expect(await ways.channels.collect.submit([orderOf(1, 'beps')])).toMatchObject([{ status: 'failed', reason }]);
    expect(await wholeStatement(ways, CUSTODY, DAY)).toMatchObject({ complete: true, closing: 150n });
  });

  test('a card that is emptied between acceptance and result fails late', async () => {
    bank.bank.people.put([
      PersonEntry.parse({ idNo: '1', name: 'Seller', accounts: [{ account: '62281', bankCode: OTHER_BANK, funds: '150' }] }),
    ]);
    bank.bank.faults.replace({ settleDelayMs: 1_000 });
    const { collect } = ways.channels;
    await collect.submit([orderOf(1, 'beps'), { ...orderOf(1, 'beps'), messageNo: 'M2' }]);
    bank.bank.advanceMs(1_000);
    bank.bank.setDate(NEXT_DAY);
    expect((await allNews(collect)).map(({ messageNo, status, reason }) => [messageNo, status, reason])).toEqual([
      ['M1', 'settled', undefined],
      ['M2', 'failed', 'insufficient funds on the card'],
    ]);
    expect(bank.bank.books().totals).toMatchObject({ collected: 100n });
  });

  test('the book channel is final at once, so that nothing but a return is news of it', async () => {
    await ways.channels.book.submit([orderOf(1, 'book')]);
    expect(await allNews(ways.channels.book)).toEqual([]);
  });
});

describe.each([1, 2, 3])('with every fault switched on, seed %i', (seed) => {
  const rates = {
    'lost-answer': 0.15,
    'not-received': 0.15,
    late: 0.05,
    garbage: 0.1,
    maintenance: 0.05,
    'half-open': 0.02,
    refuse: 0.1,
    'turn-away': 0.05,
    'turn-away-later': 0.05,
    'not-now': 0.1,
    'not-now-later': 0.1,
    'fail-later': 0.1,
    return: 0.1,
    'double-news': 0.3,
    'answer-missing': 0.1,
    'slow-result': 0.1,
    cancelled: 0.1,
    discarded: 0.05,
  };

  const EACH = 60;

  test.each(CHANNELS)('repeating under the same number ends every payment by %s, none paid twice, no fen lost', async (code) => {
    const { bank, ways } = await startFunded(seed, { rates: { [code]: rates } }, 250);
    const channel = ways.channels[code];
    let open = Array.from({ length: EACH }, (_, no) => orderOf(no, code));
    for (let round = 0; open.length > 0; round += 1) {
      expect(round).toBeLessThan(200);
      for (let from = 0; from < open.length; from += 10) await channel.submit(open.slice(from, from + 10));
      bank.bank.advanceMs(500);
      const answers = await channel.query(open.map((order) => order.messageNo));
      open = open.filter((_, at) => !['settled', 'failed', 'refused'].includes(answers[at]?.status ?? ''));
    }
    bank.bank.setDate('2026-04-01' as BusinessDate);
    const { payments, custody, payees, totals } = bank.bank.books();
    expect(totals.paidTwice).toBe(0);
    expect(payments).toHaveLength(EACH);
    expect(
      payments.every((each) => each.timesPaid === (each.status === 'settled' ? 1 : 0) && each.timesReturned <= each.timesPaid),
    ).toBe(true);
    expect(payments.some((each) => each.timesReturned === 1)).toBe(true);
    const held = custody.reduce((sum, account) => sum + account.balance, 0n);
    expect(held + payees.reduce((sum, payee) => sum + payee.balance, 0n)).toBe(totals.inflow);
    expect(totals.inflow - totals.paid + totals.returned + totals.collected - totals.chargedBack).toBe(held);
    await ways.close();
    await bank.stop();
  });
});

test('the same seed and calls give the same faults, answers and books; another seed others', async () => {
  const run = async (seed: number) => {
    const faulty = { 'lost-answer': 0.3, refuse: 0.3, return: 0.3 };
    const { bank, ways } = await startFunded(seed, { rates: { book: faulty } }, 20_000);
    const answers: unknown[] = [];
    for (let no = 0; no < 40; no += 1) {
      const [answer] = await ways.channels.book.submit([orderOf(no, 'book')]);
      answers.push(answer?.status);
    }
    const books = bank.bank.books();
    await ways.close();
    await bank.stop();
    return { answers, books };
  };
  const first = await run(7);
  expect(await run(7)).toEqual(first);
  expect((await run(8)).answers).not.toEqual(first.answers);
});

describe.each(['book'] as const)('answers of %s that only look right', (code) => {
  let answer: { status: number; body: unknown };
  let server: Server;
  let ways: Channels;
  beforeAll(async () => {
    server = createServer((_request, response) => {
      response.statusCode = answer.status;
      response.end(JSON.stringify(answer.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ways = openChannels({ bankUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  });
  afterAll(async () => {
    await ways.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  const settled = { messageNo: 'M1', status: 'settled' };
  const submitted = async (status: number, body: unknown) => {
    answer = { status, body };
    return (await ways.channels[code].submit([orderOf(1, code)]))[0]?.status;
  };

  test('the plain one counts, also beside fields that we do not know and answers that we did not ask for', async () => {
    expect(
      await submitted(200, {
        answers: [
          { ...settled, fee: 1 },
          { messageNo: 'M9', status: 'failed' },
        ],
        page: 1,
      }),
    ).toBe('settled');
    expect(await submitted(200, { answers: [settled, settled] })).toBe('settled');
  });

  test.each([
    ['a 5xx, whatever its body says', 502, { answers: [{ messageNo: 'M1', status: 'failed' }] }],
    ['a 4xx, whatever its body says', 409, { answers: [{ messageNo: 'M1', status: 'failed' }] }],
    ['a redirection', 302, { answers: [settled] }],
    ['two that contradict each other', 200, { answers: [settled, { messageNo: 'M1', status: 'failed' }] }],
    ['three, of which one contradicts', 200, { answers: [settled, { messageNo: 'M1', status: 'failed' }, settled] }],
    ['that of another payment', 200, { answers: [{ messageNo: 'M2', status: 'failed' }] }],
    ['none', 200, { answers: [] }],
    ['a status that is none', 200, { answers: [{ messageNo: 'M1', status: 'PR08' }] }],
    ['not-found, which only a query may say', 200, { answers: [{ messageNo: 'M1', status: 'not-found' }] }],
  ])('%s leaves the payment unknown', async (_name, status, body) => {
    expect(await submitted(status, body)).toBe('unknown');
  });

  test('one unreadable item of news stops the page instead of being stepped over', async () => {
    const item = { cursor: '1', messageNo: 'M1', status: 'settled', reference: 'M1', businessDate: DAY, amount: '100' };
    answer = { status: 200, body: { items: [item], next: '1' } };
    expect((await ways.channels[code].news('', 10)).items).toHaveLength(1);
    for (const odd of [
      { status: 'gone' },
      { businessDate: '2026-02-30' },
      { cursor: '' },
      { messageNo: 7 },
      { amount: '1.00' },
    ]) {
      answer = { status: 200, body: { items: [item, { ...item, ...odd }], next: '2' } };
      await expect(ways.channels[code].news('', 10)).rejects.toBeInstanceOf(BankUnreachable);
    }
  });
});
