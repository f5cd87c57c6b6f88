import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type ChannelCode, type Channels, openChannels, type PaymentOrder } from '../../src/channels/index.js';
import { type FaultPlan, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { allNews, describeChannel } from './conformance.js';

const OTHER_BANK = '102100099996';

describeChannel({ code: 'book', payeeBank: '', otherBank: OTHER_BANK, first: 'settled' });
describeChannel({ code: 'interbank', payeeBank: OTHER_BANK, otherBank: '', first: 'accepted' });

const CUSTODY = 'C-1';
const DAY = '2026-03-02' as BusinessDate;

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
    const { interbank } = ways.channels;
    await interbank.submit([orderOf(1, 'interbank')]);
    expect((await interbank.query(['M1']))[0]?.status).toBe('accepted');
    expect((await interbank.submit([orderOf(2, 'interbank')]))[0]?.status).toBe('failed');
    expect(await allNews(interbank)).toEqual([]);
    expect(await ways.coreBank.statement(CUSTODY, DAY)).toMatchObject({ complete: false, closing: 150n });
    bank.bank.advanceMs(999);
    expect(await allNews(interbank)).toEqual([]);
    bank.bank.advanceMs(1);
    expect((await allNews(interbank)).map((item) => [item.messageNo, item.status, item.reference])).toEqual([
      ['M1', 'settled', 'M1'],
    ]);
    expect(await ways.coreBank.statement(CUSTODY, DAY)).toMatchObject({ complete: true, closing: 50n });
  });

  test('that fail later are news with a reason, and their money is free again', async () => {
    bank.bank.faults.replace({
      scripted: [{ scope: 'interbank', fault: 'fail-later', messageNo: 'M1', reason: 'no such account' }],
    });
    const { interbank } = ways.channels;
    expect((await interbank.submit([orderOf(1, 'interbank')]))[0]?.status).toBe('accepted');
    expect(await allNews(interbank)).toMatchObject([{ messageNo: 'M1', status: 'failed', reason: 'no such account' }]);
    expect((await interbank.query(['M1']))[0]).toMatchObject({ status: 'failed', reason: 'no such account' });
    expect((await interbank.submit([orderOf(2, 'interbank')]))[0]?.status).toBe('accepted');
    expect(bank.bank.books().totals).toMatchObject({ paid: 100n, paidTwice: 0 });
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
    'fail-later': 0.1,
    return: 0.1,
    'double-news': 0.3,
    'answer-missing': 0.1,
    'slow-result': 0.1,
  };

  test('repeating under the same number ends every payment, none paid twice, no fen lost', async () => {
    const { bank, ways } = await startFunded(seed, { rates: { book: rates, interbank: rates } }, 250);
    for (const code of ['book', 'interbank'] as const) {
      const channel = ways.channels[code];
      let open = Array.from({ length: 120 }, (_, no) => orderOf(code === 'book' ? no : 1_000 + no, code));
      for (let round = 0; open.length > 0; round += 1) {
        expect(round).toBeLessThan(200);
        for (let from = 0; from < open.length; from += 10) await channel.submit(open.slice(from, from + 10));
        bank.bank.advanceMs(500);
        const answers = await channel.query(open.map((order) => order.messageNo));
        open = open.filter((_, at) => !['settled', 'failed'].includes(answers[at]?.status ?? ''));
      }
    }
    bank.bank.setDate('2026-04-01' as BusinessDate);
    const { payments, custody, payees, totals } = bank.bank.books();
    expect(totals.paidTwice).toBe(0);
    expect(payments).toHaveLength(240);
    expect(
      payments.every((each) => each.timesPaid === (each.status === 'settled' ? 1 : 0) && each.timesReturned <= each.timesPaid),
    ).toBe(true);
    expect(payments.some((each) => each.timesReturned === 1)).toBe(true);
    const held = custody.reduce((sum, account) => sum + account.balance, 0n);
    expect(held + payees.reduce((sum, payee) => sum + payee.balance, 0n)).toBe(totals.inflow);
    expect(totals.inflow - totals.paid + totals.returned).toBe(held);
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
