import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { CREDIT_TYPES, type CreditTransfer, creditBody } from '../../src/channels/cnaps/credit.js';
import { CNAPS_CODES, type CnapsCode, decodeMessages, encodeMessage, type Header } from '../../src/channels/cnaps/envelope.js';
import { BankUnreachable, type Channels, openChannels, type PaymentOrder } from '../../src/channels/index.js';
import { type FaultRule, type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import type { BusinessDate } from '../../src/kernel/index.js';
import { wholeStatement } from '../support/statement.js';
import { allNews } from './conformance.js';

const OTHER_BANK = '102100099996';
const CUSTODY = 'C-1';
const DAY = '2026-03-02' as BusinessDate;

const orderOf = (messageNo: string, changes: Partial<PaymentOrder> = {}): PaymentOrder => ({
  messageNo,
  custodyNo: CUSTODY,
  amount: 100n,
  payeeName: '王䶮',
  payeeAccount: `6228${messageNo}`,
  payeeBank: OTHER_BANK,
  businessDate: DAY,
  remark: '',
  ...changes,
});

let bank: RunningBank;
let ways: Channels;
beforeAll(async () => {
  bank = await startBank({ port: 0, seed: 20_260_302 });
  ways = openChannels({ bankUrl: bank.url, timeoutMs: 20_000 });
});
beforeEach(async () => {
  bank.bank.reset();
  await ways.coreBank.openCustodyAccount(CUSTODY, 'Platform One');
  await ways.coreBank.inflows(CUSTODY, DAY, [{ reference: 'IN', amount: 1_000_000n, counterparty: '', text: '' }]);
});
afterAll(async () => {
  await ways.close();
  await bank.stop();
});
const script = (...scripted: FaultRule[]) => bank.bank.faults.replace({ scripted, settleDelayMs: 1_000 });

describe.each(CNAPS_CODES)('%s', (system) => {
  const channel = () => ways.channels[system];
  const statusOf = async (messageNo: string) => (await channel().query([messageNo]))[0]?.status;

  test.each([
    [{ fault: 'slow-result', ms: 1 }, 'settled'],
    [{ fault: 'fail-later', reason: 'no such account' }, 'failed'],
    [{ fault: 'turn-away-later', reason: 'queued for too long' }, 'refused'],
  ] as const)('PR08 is unknown, to an order and to a query, until what then happens (%j) is known', async (then, ending) => {
    script({ scope: system, fault: 'cancelled' }, { scope: system, ...then });
    expect((await channel().submit([orderOf('M1')]))[0]?.status).toBe('unknown');
    expect(await statusOf('M1')).toBe('unknown');
    expect((await channel().submit([orderOf('M1')]))[0]?.status).toBe('unknown');
    expect(await allNews(channel())).toEqual([]);
    bank.bank.advanceMs(5_000);
    expect((await allNews(channel())).map((item) => [item.messageNo, item.status])).toEqual([['M1', ending]]);
    expect(await statusOf('M1')).toBe(ending);
    expect(bank.bank.books().payments).toMatchObject([{ timesPaid: ending === 'settled' ? 1 : 0 }]);
  });

  test('what was discarded is unknown and was not done; it may be sent again', async () => {
    script({ scope: system, fault: 'discarded' });
    const [answer] = await channel().submit([orderOf('M1')]);
    expect(answer).toMatchObject({ status: 'unknown', reason: 'discarded: discarded by the system' });
    expect(await statusOf('M1')).toBe('not-found');
    expect((await channel().submit([orderOf('M1')]))[0]?.status).toBe('accepted');
  });

  test.each(['settled', 'returned'] as const)('names beyond all alphabets come back as they went, also when %s', async (how) => {
    const names = ['王䶮', '𠮷野家', '阿凡提·买买提', 'A&B <{H:02>', ' 甲\r\n乙 ', '👨‍👩‍👧', '一'.repeat(140)];
    script({ scope: system, fault: 'return', days: 0, reason: '户名 <不符> & {Q:1}' });
    if (how === 'settled') script();
    await channel().submit(names.map((payeeName, no) => orderOf(`M${no}`, { payeeName, remark: payeeName })));
    bank.bank.advanceMs(1_000);
    const items = (await allNews(channel())).filter((item) => item.status === how);
    expect(items).toHaveLength(names.length);
    if (how === 'returned') expect(new Set(items.map((item) => item.reason))).toEqual(new Set(['户名 <不符> & {Q:1}']));
    const { lines } = await wholeStatement(ways, CUSTODY, DAY);
    expect(lines.filter((line) => /^M/.test(line.reference)).map((line) => line.counterparty)).toEqual(names);
  });

  test('a return that does not say what comes back is an ordinary credit: no news of a payment, a line of the statement', async () => {
    script({ scope: system, fault: 'return', days: 0 }, { scope: system, fault: 'unnamed-return', messageNo: 'M1' });
    await channel().submit([orderOf('M1'), orderOf('M2')]);
    bank.bank.advanceMs(1_000);
    const returned = (await allNews(channel())).filter((item) => item.status === 'returned');
    expect(returned.map((item) => [item.messageNo, item.reference])).toEqual([['M2', 'RTM2']]);
    expect(await statusOf('M1')).toBe('settled');
    const { lines } = await wholeStatement(ways, CUSTODY, DAY);
    expect(lines.map((line) => line.reference)).toEqual(expect.arrayContaining(['RTM1', 'RTM2']));
  });

  test('a return that nobody can read is kept as it came, and what lies beside it is heard of', async () => {
    script({ scope: system, fault: 'return', days: 0 }, { scope: system, fault: 'odd-return', messageNo: 'M1' });
    await channel().submit([orderOf('M1'), orderOf('M2')]);
    bank.bank.advanceMs(1_000);
    const { items, unread } = await channel().news('', 1_000);
    expect(items.filter((item) => item.status === 'returned').map((item) => item.messageNo)).toEqual(['M2']);
    expect(unread).toEqual([
      { place: expect.any(String), reason: expect.any(String), text: expect.stringContaining('<Nb>M1</Nb>') },
    ]);
  });

  test('the float is told in the form of its own, in the red too; an answer that cannot be read throws', async () => {
    bank.bank.floats.set(system, 12_345n);
    expect(await channel().float()).toBe(12_345n);
    bank.bank.floats.set(system, -7n);
    expect(await channel().float()).toBe(-7n);
    script(
      ...(['garbage', 'lost-answer', 'maintenance'] as const).map((fault) => ({ scope: system, fault, on: 'float' as const })),
    );
    for (let time = 0; time < 3; time += 1) await expect(channel().float()).rejects.toBeInstanceOf(BankUnreachable);
    expect(await channel().float()).toBe(-7n);
  });

  test('every form of garbage is unreadable, in the queue too', async () => {
    script({ scope: system, fault: 'garbage', on: 'news', times: 30 });
    for (let time = 0; time < 30; time += 1) {
      await channel().submit([orderOf(`M${time}`)]); // so that the page is another each time
      bank.bank.advanceMs(1_000);
      await expect(channel().news('', 1_000)).rejects.toBeInstanceOf(BankUnreachable);
    }
    expect(await allNews(channel())).toHaveLength(30);
  });

  describe('messages that are wrong', () => {
    const header = (type = CREDIT_TYPES[system]): Header => ({
      system,
      direction: 'up',
      sentAt: '2026-03-02T09:00:00',
      type,
      mesgId: 'A1',
      refId: 'A1',
    });
    const transfer = (txId: string, changes: Partial<CreditTransfer> = {}): CreditTransfer => ({
      txId,
      category: 'A100',
      amount: 100n,
      date: DAY,
      payer: { bank: '999100000011', account: CUSTODY, name: CUSTODY },
      payee: { bank: OTHER_BANK, account: '6228', name: 'Seller' },
      remark: '',
      ...changes,
    });
    const message = (transfers: CreditTransfer[], change: (body: string) => string = (body) => body) =>
      encodeMessage(header(), change(creditBody(system, { msgId: 'X1', createdAt: '2026-03-02T09:00:00', transfers })));
    const post = async (body: string) => {
      const response = await fetch(`${bank.url}/${system}/messages`, { method: 'POST', body });
      return { status: response.status, text: await response.text() };
    };
    /** With the digest of what it says now. */
    const mended = (text: string) =>
      text.replace(/^(.*)\r\n\{S:.*\}\r\n(.*)$/s, (_all, block, document) => {
        const digest = createHash('sha256').update(`${block}\r\n${document}`).digest('hex');
        return `${block}\r\n{S:SHA-256=${digest}}\r\n${document}`;
      });
    const expectDiscarded = async (body: string, why = '') => {
      const { status, text } = await post(body);
      expect(status).toBe(200);
      expect(text).toContain(why);
      expect(decodeMessages(text).map(({ type, refId }) => [type, refId])).toEqual([['ccms.911.001.02', 'A1']]);
      expect(bank.bank.books().payments).toEqual([]);
    };
    const replaced = (from: string | RegExp, to: string) => (body: string) => {
      expect(body.replace(from, to)).not.toBe(body);
      return body.replace(from, to);
    };

    test('the right one is taken', async () => {
      const { text } = await post(message([transfer('M1')]));
      expect(decodeMessages(text).map(({ type }) => type)).toEqual(['ccms.990.001.02']);
    });

    test.each([
      ['counts wrongly', replaced('<NbOfTxs>1<', '<NbOfTxs>2<')],
      ['counts nothing', replaced('<NbOfTxs>1<', '<NbOfTxs>0<')],
      ['adds up wrongly', replaced(/(<CtrlSum>1.00<\/CtrlSum>)?<SttlmInf>/, '<CtrlSum>1.01</CtrlSum><SttlmInf>')],
      ['has 1e3 yuan', replaced(/>1\.00<\/IntrBk/, '>1e3</IntrBk')],
      ['has 1.005 yuan', replaced(/>1\.00<\/IntrBk/, '>1.005</IntrBk')],
      ['is below zero', replaced(/>1\.00<\/IntrBk/, '>-1.00</IntrBk')],
      ['is in another currency', replaced('Ccy="CNY"', 'Ccy="USD"')],
      ['refers to an entity', replaced('Seller', '&x;')],
      ['is not well-formed', replaced('</Cdtr>', '</Dbtr>')],
    ])('one that %s is discarded whole', async (_what, change) => {
      await expectDiscarded(message([transfer('M1')], change));
    });

    test('one with a wrong digest, with entities that expand, too long, of another system or from another bank is discarded', async () => {
      const good = message([transfer('M1')]);
      await expectDiscarded(good.replace('Seller', 'Sellor'), 'the digest is another');
      const bomb = '<!DOCTYPE d [<!ENTITY a "hahaha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Document';
      await expectDiscarded(mended(good.replace('<Document', bomb).replace('Seller', '&b;&b;&b;&b;')), 'document type');
      await expectDiscarded(mended(good.replace('Seller', 'x'.repeat(5 * 1024 * 1024))), 'too long');
      await expectDiscarded(good + good);
      const other: CnapsCode = system === 'hvps' ? 'beps' : 'hvps';
      await expectDiscarded(encodeMessage({ ...header(), system: other }, ''));
      await expectDiscarded(encodeMessage(header('ccms.303.001.01'), '<Any>1</Any>'));
      await expectDiscarded(message([transfer('M1', { payer: { bank: OTHER_BANK, account: CUSTODY, name: 'x' } })]));
      await expectDiscarded(message([transfer('M1', { category: 'A105', original: 'M0', reason: 'x' })]));
    });

    test('one without its digest is discarded, and told why', async () => {
      await expectDiscarded(message([transfer('M1')]).replace(/\{S:.*\}\r\n/, ''), 'the message has no digest block');
    });

    test('two payments under one number are discarded, both', async () => {
      await expectDiscarded(message([transfer('M1'), transfer('M1', { amount: 200n })]));
      if (system !== 'beps') await expectDiscarded(message([transfer('M1'), transfer('M2')]));
    });

    test('one whose header cannot be read is refused', async () => {
      for (const body of ['', 'x', '{"orders":[]}', '<Document/>']) expect((await post(body)).status).toBe(400);
    });

    test('the JSON of other channels is not spoken here', async () => {
      for (const path of ['payments', 'queries', 'news', 'float'])
        expect((await fetch(`${bank.url}/${system}/${path}`)).status).toBe(404);
    });
  });
});

test('a package of BEPS is answered at once with what is final already, and the rest is accepted', async () => {
  script({ scope: 'beps', fault: 'refuse', messageNo: 'M2' }, { scope: 'beps', fault: 'turn-away', messageNo: 'M3' });
  const answers = await ways.channels.beps.submit([orderOf('M1'), orderOf('M2'), orderOf('M3'), orderOf('M4')]);
  expect(answers.map(({ status, reason }) => [status, reason])).toEqual([
    ['accepted', undefined],
    ['failed', 'payee account closed'],
    ['refused', 'the channel takes no more payments'],
    ['accepted', undefined],
  ]);
});

test('payments that differ in one number of a package leave its neighbours as they were', async () => {
  script();
  await ways.channels.beps.submit([orderOf('M1'), orderOf('M2')]);
  const answers = await ways.channels.beps.submit([orderOf('M1'), orderOf('M2', { amount: 7n }), orderOf('M3')]);
  expect(answers.map(({ status, reason }) => [status, reason])).toEqual([
    ['accepted', undefined],
    ['failed', 'duplicate with other content'],
    ['accepted', undefined],
  ]);
});
