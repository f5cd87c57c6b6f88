import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  BankUnreachable,
  type Channel,
  type ChannelCode,
  type ChannelNews,
  type Channels,
  hasFloat,
  isCollecting,
  OTHER_CONTENT,
  openChannels,
  type PaymentOrder,
} from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { PersonEntry } from '../../src/channels/simulator/people.js';
import { addDays, type BusinessDate } from '../../src/kernel/index.js';
import { wholeStatement } from '../support/statement.js';

/** What the suite has to know of an adapter. */
export interface Adapter {
  readonly code: ChannelCode;
  /** The bank of a payee whom this channel reaches. */
  readonly payeeBank: string;
  /** Of a payee whom it does not reach; absent where it reaches all. */
  readonly otherBank?: string;
  /** Whether a payment is final when it is answered, or only accepted. */
  readonly first: 'settled' | 'accepted';
  /** Whether a call carries one payment, so that what befalls it leaves its neighbours alone; many when absent. */
  readonly oneACall?: boolean;
  /** Whether one answer says of all that a call carried that it was accepted; each has its own when absent. */
  readonly answeredTogether?: boolean;
  /** Whether its news stand in a file that comes when the day is over. */
  readonly atDayEnd?: boolean;
}

const CUSTODY = 'C-1';
const DAY = '2026-03-02' as BusinessDate;
const NEXT_DAY = '2026-03-03' as BusinessDate;
const FUNDS = 10_000_000n;
const IMPATIENT_MS = 100;

/** What every channel adapter promises, whatever stands behind it. */
export function describeChannel(adapter: Adapter): void {
  const comesIn = isCollecting(adapter.code);
  /** What a payment does to the custody account. */
  const moved = (amount: bigint) => (comesIn ? amount : -amount);
  describe(`channel ${adapter.code} to ${adapter.payeeBank === '' ? 'the custodian' : 'another bank'}`, () => {
    let bank: RunningBank;
    let patient: Channels;
    let impatient: Channels;
    let channel: Channel;

    beforeAll(async () => {
      bank = await startBank({ port: 0, seed: 20_260_302 });
      patient = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
      impatient = openChannels({ bankUrl: bank.url, timeoutMs: IMPATIENT_MS });
      channel = patient.channels[adapter.code];
    });
    afterAll(async () => {
      await Promise.all([patient.close(), impatient.close()]);
      await bank.stop();
    });
    beforeEach(async () => {
      bank.bank.reset();
      await patient.coreBank.openCustodyAccount(CUSTODY, 'Platform One');
      await patient.coreBank.inflows(CUSTODY, DAY, [{ reference: 'IN-1', amount: FUNDS, counterparty: 'buyers', text: '' }]);
    });

    const order = (no: number, changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
      messageNo: `${2236512894231552000n + BigInt(no)}`,
      custodyNo: CUSTODY,
      amount: 1_000n + BigInt(no),
      payeeName: `Seller ${no}`,
      payeeAccount: `622848${String(no).padStart(10, '0')}`,
      payeeBank: adapter.payeeBank,
      businessDate: DAY,
      remark: 'settlement',
      ...changes,
    });
    const script = (...rules: Omit<FaultRule, 'scope'>[]) =>
      bank.bank.faults.replace({ scripted: rules.map((rule) => ({ scope: adapter.code, ...rule })) });
    const statusOf = async (asked: PaymentOrder) => (await channel.query([asked.messageNo]))[0]?.status;
    const timesPaid = (asked: PaymentOrder) =>
      bank.bank.books().payments.find((each) => each.messageNo === asked.messageNo)?.timesPaid;
    /** Lets the bank's day pass, where its news wait for that. */
    const endDay = () => {
      if (adapter.atDayEnd === true) bank.bank.setDate(addDays(bank.bank.date ?? DAY, 1));
    };
    const totalPaid = () => bank.bank.books().totals[comesIn ? 'collected' : 'paid'];
    const expectMoneyConserved = () => {
      const { custody, payees, totals } = bank.bank.books();
      const held = custody.reduce((sum, account) => sum + account.balance, 0n);
      expect(held + payees.reduce((sum, payee) => sum + payee.balance, 0n)).toBe(totals.inflow);
      expect(totals.paidTwice).toBe(0);
    };

    test('a payment reaches the payee once, and the statement shows it under its number', async () => {
      const sent = order(1);
      expect(await channel.submit([sent])).toEqual([
        { messageNo: sent.messageNo, status: adapter.first, channelRef: expect.any(String) },
      ]);
      expect(await statusOf(sent)).toBe('settled');
      expect(bank.bank.books().payees).toEqual([
        { payeeBank: sent.payeeBank, payeeAccount: sent.payeeAccount, balance: -moved(sent.amount) },
      ]);
      const statement = await wholeStatement(patient, CUSTODY, DAY);
      expect(statement.lines.map((line) => [line.reference, line.amount])).toEqual([
        ['IN-1', FUNDS],
        [sent.messageNo, moved(sent.amount)],
      ]);
      expectMoneyConserved();
    });

    test('the same order again answers its present state and is not paid again', async () => {
      const sent = order(1);
      await channel.submit([sent]);
      expect(await channel.submit([sent])).toEqual([
        { messageNo: sent.messageNo, status: 'settled', channelRef: expect.any(String) },
      ]);
      await Promise.all([channel.submit([sent]), channel.submit([sent])]);
      expect(timesPaid(sent)).toBe(1);
      expectMoneyConserved();
    });

    test('another content under a known number pays nothing and leaves the first payment as it is', async () => {
      const sent = order(1);
      await channel.submit([sent]);
      for (const changes of [
        { amount: 999n },
        { payeeAccount: '6228480000000099' },
        { businessDate: NEXT_DAY },
        { remark: 'x' },
      ]) {
        expect(await channel.submit([{ ...sent, ...changes }])).toEqual([
          { messageNo: sent.messageNo, status: 'failed', reason: OTHER_CONTENT },
        ]);
      }
      expect(await statusOf(sent)).toBe('settled');
      expect(totalPaid()).toBe(sent.amount);
      expectMoneyConserved();
    });

    test('a lost answer makes all that the call carried unknown; a query finds them; each was paid once', async () => {
      const sent = [order(1), order(2), order(3)];
      script({ fault: 'lost-answer', messageNo: order(2).messageNo });
      const neighbours = adapter.oneACall ? adapter.first : 'unknown';
      expect((await channel.submit(sent)).map((answer) => answer.status)).toEqual([neighbours, 'unknown', neighbours]);
      expect((await channel.query(sent.map((each) => each.messageNo))).map((answer) => answer.status)).toEqual(
        Array(3).fill('settled'),
      );
      await channel.submit(sent);
      expect(sent.map(timesPaid)).toEqual([1, 1, 1]);
      expectMoneyConserved();
    });

    test.each(['not-received', 'maintenance'] as const)(
      '%s: unknown, then not-found, and the same number may be sent again',
      async (fault) => {
        const sent = order(1);
        script({ fault });
        expect((await channel.submit([sent]))[0]?.status).toBe('unknown');
        expect(await channel.query([sent.messageNo])).toEqual([{ messageNo: sent.messageNo, status: 'not-found' }]);
        expect((await channel.submit([sent]))[0]?.status).toBe(adapter.first);
        expect(await statusOf(sent)).toBe('settled');
        expect(timesPaid(sent)).toBe(1);
        expectMoneyConserved();
      },
    );

    test('garbage is unknown in every form, never an exception, on submit and on query', async () => {
      script({ fault: 'garbage', times: 12 }, { fault: 'garbage', on: 'query', times: 12 });
      for (let no = 1; no <= 12; no += 1) {
        expect((await channel.submit([order(no)]))[0]?.status).toBe('unknown');
        expect(await statusOf(order(no))).toBe('unknown');
      }
      for (let no = 1; no <= 12; no += 1) expect(await statusOf(order(no))).toBe('settled');
      expectMoneyConserved();
    });

    test('a half-open connection ends as unknown at the time-out, and nothing was paid', async () => {
      const sent = order(1);
      script({ fault: 'half-open' });
      expect((await impatient.channels[adapter.code].submit([sent]))[0]?.status).toBe('unknown');
      expect(await statusOf(sent)).toBe('not-found');
      expectMoneyConserved();
    });

    test('an answer within the time-out counts, one after it is unknown', async () => {
      script(
        { fault: 'late', ms: 1, messageNo: order(1).messageNo },
        { fault: 'late', ms: 60_000, messageNo: order(2).messageNo },
      );
      expect((await channel.submit([order(1)]))[0]?.status).toBe(adapter.first);
      expect((await impatient.channels[adapter.code].submit([order(2)]))[0]?.status).toBe('unknown');
      expect(await statusOf(order(2))).toBe('settled');
    });

    test('a payment left out of the answer is unknown, its neighbours are not where they have answers of their own', async () => {
      script({ fault: 'answer-missing', messageNo: order(2).messageNo });
      const answers = await channel.submit([order(1), order(2), order(3)]);
      const neighbours = adapter.answeredTogether ? 'unknown' : adapter.first;
      expect(answers.map((answer) => answer.status)).toEqual([neighbours, 'unknown', neighbours]);
      for (const no of [1, 2, 3]) expect(await statusOf(order(no))).toBe('settled');
    });

    test('a refusal is final under its number, has its reason, and moves nothing', async () => {
      const sent = order(1);
      script({ fault: 'refuse', reason: 'account closed', messageNo: sent.messageNo });
      const failed = [{ messageNo: sent.messageNo, status: 'failed', reason: 'account closed', channelRef: expect.any(String) }];
      expect(await channel.submit([sent])).toEqual(failed);
      script();
      expect(await channel.submit([sent])).toEqual(failed);
      expect(await channel.query([sent.messageNo])).toEqual(failed);
      expect(totalPaid()).toBe(0n);
    });

    test('what this channel turns away is refused under its number, not failed, and moves nothing', async () => {
      const [now, later] = [order(1), order(2)];
      script(
        { fault: 'turn-away', reason: 'over the limit', messageNo: now.messageNo },
        { fault: 'turn-away-later', reason: 'queued for too long', messageNo: later.messageNo },
      );
      const refused = { messageNo: now.messageNo, status: 'refused', reason: 'over the limit', channelRef: expect.any(String) };
      expect(await channel.submit([now])).toEqual([refused]);
      expect(await channel.query([now.messageNo])).toEqual([refused]);
      if (adapter.first === 'accepted') {
        await channel.submit([later]);
        expect(await channel.query([later.messageNo])).toMatchObject([{ status: 'refused', reason: 'queued for too long' }]);
        endDay();
        expect((await allNews(channel)).map((item) => [item.messageNo, item.status])).toContainEqual([
          later.messageNo,
          'refused',
        ]);
      }
      expect(totalPaid()).toBe(0n);
    });

    test('what it does not take now moves nothing, and is paid once when it is sent again under its number', async () => {
      const sent = order(1);
      script({ fault: 'not-now', reason: 'outside its hours', messageNo: sent.messageNo });
      const [before] = await channel.submit([sent, order(2)]);
      const notNow = {
        ...{ messageNo: sent.messageNo, status: 'not-now', reason: 'outside its hours', channelRef: expect.any(String) },
      };
      expect(before).toEqual(notNow);
      expect(await channel.query([sent.messageNo])).toEqual([notNow]);
      expect([timesPaid(sent), timesPaid(order(2))]).toEqual([0, 1]);
      // Days may lie between the two, so that the date is another.
      const again = { ...sent, businessDate: NEXT_DAY };
      expect(await channel.submit([again])).toMatchObject([{ status: adapter.first }]);
      expect(await statusOf(sent)).toBe('settled');
      expect(await channel.submit([again])).toMatchObject([{ status: 'settled' }]);
      expect(await channel.submit([sent])).toMatchObject([{ status: 'failed', reason: OTHER_CONTENT }]);
      expect(timesPaid(sent)).toBe(1);
      expectMoneyConserved();
    });

    if (adapter.first === 'accepted') {
      test('what it had accepted and lets lapse is told as that, and is paid once when it is sent again under its number', async () => {
        const sent = order(1);
        script({ fault: 'not-now-later', messageNo: sent.messageNo });
        await channel.submit([sent]);
        const lapsed = { messageNo: sent.messageNo, status: 'not-now', reason: 'queued for too long' };
        expect(await channel.query([sent.messageNo])).toMatchObject([lapsed]);
        endDay();
        expect(await allNews(channel)).toMatchObject([lapsed]);
        expect(await channel.submit([sent])).toMatchObject([{ status: 'accepted' }]);
        expect(await statusOf(sent)).toBe('settled');
        expect(timesPaid(sent)).toBe(1);
        expectMoneyConserved();
      });
    }

    if (hasFloat(adapter.code)) {
      test('it pays out of the float that the bank keeps there, to the fen, and not beyond it', async () => {
        bank.bank.floats.set(adapter.code, 3_000n);
        const answers = await channel.submit([
          order(1, { amount: 3_001n }),
          order(2, { amount: 2_999n }),
          order(3, { amount: 2n }),
        ]);
        expect(answers.map((answer) => answer.status)).toEqual(['not-now', adapter.first, 'not-now']);
        expect(await channel.float()).toBe(1n);
        expect((await channel.submit([order(4, { amount: 1n })]))[0]?.status).toBe(adapter.first);
        expect(await channel.float()).toBe(0n);
      });

      test('what comes back is in the float again', async () => {
        bank.bank.floats.set(adapter.code, 5_000n);
        script({ fault: 'return', days: 1, messageNo: order(1).messageNo });
        await channel.submit([order(1, { amount: 5_000n })]);
        expect(await channel.float()).toBe(0n);
        bank.bank.setDate(NEXT_DAY);
        expect(await channel.float()).toBe(5_000n);
      });
    } else {
      test('the bank keeps no money there', async () => {
        expect(await channel.float()).toBeUndefined();
      });
    }

    const whoPays = comesIn ? 'the card' : 'the custody account';
    test(`what ${whoPays} lacks is refused, to the fen`, async () => {
      const card = { payeeName: 'One', payeeAccount: '6228480000000000077' };
      const account = { bankCode: adapter.payeeBank, account: card.payeeAccount, funds: String(FUNDS) };
      bank.bank.people.put([PersonEntry.parse({ idNo: '1', name: card.payeeName, accounts: [account] })]);
      const answers = await channel.submit([
        order(1, { ...card, amount: FUNDS + 1n }),
        order(2, { ...card, amount: FUNDS }),
        order(3, { ...card, amount: 1n }),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual(['failed', adapter.first, 'failed']);
      expectMoneyConserved();
    });

    test('an order that cannot be sent fails by itself and its neighbours are paid', async () => {
      const wrong: Partial<PaymentOrder>[] = [
        { messageNo: 'x'.repeat(36) },
        { messageNo: '' },
        { amount: 0n },
        { amount: -5n },
        { payeeAccount: '' },
        { payeeName: '' },
        { payeeBank: '12' },
        ...(adapter.otherBank === undefined ? [] : [{ payeeBank: adapter.otherBank }]),
      ];
      const answers = await channel.submit([order(1), ...wrong.map((changes) => order(2, changes)), order(3)]);
      const elsewhere = (changes: Partial<PaymentOrder>) =>
        changes.payeeBank === adapter.otherBank && changes.payeeBank !== undefined;
      const expected = wrong.map((changes) => (elsewhere(changes) ? 'refused' : 'failed'));
      expect(answers.map((answer) => answer.status)).toEqual([adapter.first, ...expected, adapter.first]);
      expect(bank.bank.books().payments).toHaveLength(2);
    });

    test('lists longer than one call are answered whole and in their order', async () => {
      const sent = Array.from({ length: adapter.oneACall ? 101 : 1_101 }, (_, no) => order(no));
      const answers = await channel.submit(sent);
      expect(answers.map((answer) => answer.messageNo)).toEqual(sent.map((each) => each.messageNo));
      const asked = sent.map((each) => each.messageNo).reverse();
      expect((await channel.query(asked)).map((answer) => answer.messageNo)).toEqual(asked);
      expect(await channel.submit([])).toEqual([]);
      expectMoneyConserved();
    });

    test('a settled payment that comes back is news once more, credits custody once, on the date of its return', async () => {
      const sent = order(1);
      script({ fault: 'return', days: 1, reason: 'name differs', messageNo: sent.messageNo });
      await channel.submit([sent]);
      expect((await allNews(channel)).filter((item) => item.status === 'returned')).toEqual([]);
      bank.bank.setDate(NEXT_DAY);
      endDay();
      const reference = `RT${sent.messageNo}`;
      expect((await allNews(channel)).filter((item) => item.status === 'returned')).toEqual([
        {
          cursor: expect.any(String),
          messageNo: sent.messageNo,
          status: 'returned',
          reason: 'name differs',
          reference,
          businessDate: NEXT_DAY,
          amount: sent.amount,
        },
      ]);
      expect(await statusOf(sent)).toBe('settled');
      const statement = await wholeStatement(patient, CUSTODY, NEXT_DAY);
      expect(statement.lines.map((line) => [line.reference, line.amount])).toEqual([[reference, -moved(sent.amount)]]);
      expect([statement.opening, statement.closing]).toEqual([FUNDS + moved(sent.amount), FUNDS]);
      expectMoneyConserved();
    });

    test('doubled news is the same item under two cursors', async () => {
      script({ fault: 'double-news' }, { fault: 'return', days: 0 });
      await channel.submit([order(1)]);
      endDay();
      const returned = (await allNews(channel)).filter((item) => item.status === 'returned');
      expect(returned).toHaveLength(2);
      const [first, second] = returned as [ChannelNews, ChannelNews];
      expect({ ...second, cursor: first.cursor }).toEqual(first);
      expect(second.cursor).not.toBe(first.cursor);
      expectMoneyConserved();
    });

    test('the feed is read in pages, each item once, and goes on where it ended', async () => {
      script({ fault: 'return', days: 0 });
      await channel.submit([order(1), order(2), order(3)]);
      endDay();
      const whole = await channel.news('', 1_000);
      const read: ChannelNews[] = [];
      let after = '';
      for (let page = await channel.news(after, 2); page.items.length > 0; page = await channel.news(after, 2)) {
        expect(page.items.length).toBeLessThanOrEqual(2);
        read.push(...page.items);
        after = page.next;
      }
      expect(read).toEqual(whole.items);
      expect(after).toBe(whole.next);
      expect(await channel.news(after, 1_000)).toEqual({ items: [], next: after });
    });

    test.each(['lost-answer', 'garbage', 'maintenance', 'not-received'] as const)(
      'news that cannot be read (%s) throws and loses nothing',
      async (fault) => {
        script({ fault: 'return', days: 0 }, { fault, on: 'news' });
        await channel.submit([order(1)]);
        endDay();
        await expect(channel.news('', 10)).rejects.toBeInstanceOf(BankUnreachable);
        expect((await channel.news('', 10)).items.map((item) => item.status)).toContain('returned');
      },
    );

    test('a bank that is not there: all unknown, no exception', async () => {
      const gone = await startBank({ port: 0, seed: 1 });
      await gone.stop();
      const channels = openChannels({ bankUrl: gone.url, timeoutMs: 500 });
      expect((await channels.channels[adapter.code].submit([order(1)]))[0]?.status).toBe('unknown');
      expect((await channels.channels[adapter.code].query([order(1).messageNo]))[0]?.status).toBe('unknown');
      await channels.close();
    });
  });
}

/** Everything in a channel's feed. */
export async function allNews(channel: Channel): Promise<ChannelNews[]> {
  const items: ChannelNews[] = [];
  let after = '';
  for (;;) {
    const page = await channel.news(after, 1_000);
    if (page.items.length === 0) return items;
    items.push(...page.items);
    after = page.next;
  }
}
