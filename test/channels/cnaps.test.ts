import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { BankUnreachable, type Channels, openChannels, type PaymentOrder } from '../../src/channels/index.js';
import { type BusinessDate, instantOf } from '../../src/kernel/index.js';

const OTHER_BANK = '102100099996';
const CUSTODY = 'C-1';
const DAY = '2026-03-02' as BusinessDate;
const NEXT_DAY = '2026-03-03' as BusinessDate;
const NINE = instantOf(Date.parse('2026-03-02T09:08:07+08:00'));
const clock = { now: () => NINE, wall: () => NINE };

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

/** Messages as a system would write them, by hand. */
const mesgIdOf = (...parts: string[]) => createHash('sha256').update(parts.join('|')).digest('hex').slice(0, 20).toUpperCase();
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
/** As somebody would change a message who mends its digest too. */
const mended = (message: string) =>
  message.replace(/^(\{H:[^\r\n]*\})\r\n(?:\{S:[^\r\n]*\r\n)?(.*)$/s, (_all, block, document) => {
    return `${block}\r\n{S:SHA-256=${sha(`${block}\r\n${document}`)}}\r\n${document}`;
  });
const written = (system: string, type: string, body: string, refId: string, namespace?: string) =>
  mended(block(system, type, refId) + document(type, body, namespace));
const block = (system: string, type: string, refId: string) =>
  `{H:020000          PMTS999100000011  ${system.toUpperCase()}20260302090807XML${type.padEnd(20)}DOWN0000000000000001${refId.padEnd(20)}3D         }\r\n`;
const document = (type: string, body: string, namespace?: string) =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<Document xmlns="${namespace ?? `urn:cnaps:std:${type.slice(0, 4)}:2010:tech:xsd:${type}`}">${body}</Document>\r\n`;
const received = (mesgId: string, code = 'PM1I0000') =>
  `<ComConf><ConfInf><OrigSndr>999100000011</OrigSndr><MT>hvps.111.001.01</MT><MsgId>${mesgId}</MsgId>` +
  `<MsgRefId>20260302000024084562</MsgRefId><MsgPrcCd>${code}</MsgPrcCd></ConfInf></ComConf>`;
const head = '<GrpHdr><MsgId>N1</MsgId><CreDtTm>2026-03-02T09:08:08</CreDtTm><SysCd>HVPS</SysCd></GrpHdr>';
const original = (txId: string) => `<OrgnlTx><OrgnlTxId>${txId}</OrgnlTxId></OrgnlTx>`;
const confirmed = (txId: string, state: string, rest = '') =>
  `<CmonConf>${head}${original(txId)}<CmonConfInf><PrcSts>${state}</PrcSts>${rest}</CmonConfInf></CmonConf>`;
const queried = (txId: string, rest: string) => `<BizQryRspn>${head}${original(txId)}<TxInf>${rest}</TxInf></BizQryRspn>`;
const discarded = (mesgId: string) =>
  `<DscrdMsgNtfctn><DscrdInf><OrigSndr>999100000011</OrigSndr><MT>hvps.111.001.01</MT><MsgId>${mesgId}</MsgId>` +
  `<MsgRefId>1</MsgRefId><PrcCd>PM1E0001</PrcCd><RjctInf>NbOfTxs</RjctInf></DscrdInf></DscrdMsgNtfctn>`;

describe('what a system answers', () => {
  let answer: { status: number; text: string | ((path: string) => string) };
  let asked: { path: string; type: string | undefined; text: string }[];
  let server: Server;
  let ways: Channels;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
      const type = request.headers['content-type'];
      asked.push({ path: request.url ?? '', type, text: Buffer.concat(chunks).toString() });
      response.statusCode = answer.status;
      response.end(typeof answer.text === 'string' ? answer.text : answer.text(request.url ?? ''));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ways = openChannels({ bankUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, clock });
  });
  beforeEach(() => {
    asked = [];
  });
  afterAll(async () => {
    await ways.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  const REF = mesgIdOf('hvps', 'hvps.111.001.01', 'M1');
  const submitted = async (text: string, status = 200) => {
    answer = { status, text };
    return (await ways.channels.hvps.submit([orderOf('M1')]))[0];
  };
  const ok = written('hvps', 'ccms.990.001.02', received(REF), REF);
  const says = (state: string, rest = '', txId = 'M1') => written('hvps', 'ccms.900.001.02', confirmed(txId, state, rest), REF);

  test('a payment is asked for in one message, whose numbers are the same at every repeat', async () => {
    await submitted('');
    await submitted('');
    expect(asked[0]).toEqual(asked[1]);
    const [first] = asked;
    expect([first?.path, first?.type]).toEqual(['/hvps/messages', 'application/xml; charset=utf-8']);
    const block = `{H:02999100000011  HVPS0000          PMTS20260302090807XMLhvps.111.001.01     ${REF}${REF}3U         }`;
    const document = first?.text.slice(first.text.indexOf('<?xml')) ?? '';
    const digest = createHash('sha256').update(`${block}\r\n${document}`).digest('hex');
    expect(first?.text).toBe(`${block}\r\n{S:SHA-256=${digest}}\r\n${document}`);
    expect(document).toContain('<EndToEndId>M1</EndToEndId><TxId>M1</TxId>');
    expect(document).toContain('<IntrBkSttlmAmt Ccy="CNY">1.00</IntrBkSttlmAmt>');
    expect(document).toContain('<Cdtr><Nm>王䶮</Nm></Cdtr>');
  });

  test('that it was received is accepted, and no more', async () => {
    expect(await submitted(ok)).toEqual({ messageNo: 'M1', status: 'accepted', channelRef: '20260302000024084562' });
  });

  test.each([
    ['settled', 'PR04', '', { status: 'settled' }],
    ['netted', 'PR03', '', { status: 'settled' }],
    [
      'rejected for the account',
      'PR09',
      '<PrcCd>RJ02</PrcCd><RjctInf>户名不符</RjctInf>',
      { status: 'failed', reason: '户名不符' },
    ],
    ['rejected by the system', 'PR09', '<PrcCd>SY02</PrcCd>', { status: 'not-now', reason: 'SY02' }],
    ['lapsed', 'PR32', '', { status: 'not-now', reason: 'lapsed' }],
    ['cancelled', 'PR08', '', { status: 'unknown' }],
    ['cancelled with a code of success', 'PR08', '<PrcCd>PM1I0000</PrcCd>', { status: 'unknown' }],
    ['rejected with a code that nobody knows', 'PR09', '<PrcCd>ZZ99</PrcCd>', { status: 'unknown' }],
    ['reversed', 'PR22', '', { status: 'unknown' }],
  ])('%s', async (_what, state, rest, expected) => {
    expect(await submitted(ok + says(state, rest))).toMatchObject({ messageNo: 'M1', ...expected });
    expect(await submitted(says(state, rest))).toMatchObject({ messageNo: 'M1', ...expected });
  });

  test('the same twice counts once; what is beside it and for others does not matter', async () => {
    const others = says('PR09', '<PrcCd>RJ01</PrcCd>', 'M9') + written('hvps', 'ccms.801.001.02', '<SysSts>1</SysSts>', REF);
    expect((await submitted(ok + says('PR04') + others + says('PR04')))?.status).toBe('settled');
  });

  const bomb = mended(ok.replace('<Document', '<!DOCTYPE d [<!ENTITY a "aaaa">]><Document'));
  test.each([
    ['discarded', written('hvps', 'ccms.911.001.02', discarded(REF), REF)],
    ['discarded and received', ok + written('hvps', 'ccms.911.001.02', discarded(REF), REF)],
    ['two that contradict each other', says('PR04') + says('PR09', '<PrcCd>RJ01</PrcCd>')],
    ['three, of which one contradicts', says('PR04') + says('PR09', '<PrcCd>RJ01</PrcCd>') + says('PR04')],
    ['that of another payment', says('PR04', '', 'M2')],
    ['that of another message', mended(ok.replaceAll(REF, 'B'.repeat(20)))],
    ['that of another system', mended(ok.replace('HVPS', 'BEPS'))],
    ['that for another participant', mended(ok.replace('999100000011  HVPS', '999100000029  HVPS'))],
    ['received, but not well', written('hvps', 'ccms.990.001.02', received(REF, 'PM1E0009'), REF)],
    ['received, of another', written('hvps', 'ccms.990.001.02', received('C'.repeat(20)), REF)],
    ['nothing', ''],
    ['a good one and half of another', ok + says('PR04').slice(0, 300)],
    ['one with entities', bomb],
    ['one of another shape', mended(ok.replace('<MsgPrcCd>PM1I0000</MsgPrcCd>', ''))],
    ['one with a wrong digest', ok.replace(/SHA-256=.{8}/, 'SHA-256=00000000')],
    ['one without a digest', says('PR04').replace(/\{S:.*?\r\n/, '')],
    ['a good one, and one without a digest', ok + says('PR04').replace(/\{S:.*?\r\n/, '')],
    ['JSON', '{"answers":[{"messageNo":"M1","status":"settled"}]}'],
    ['a state that is none', says('')],
  ])('%s leaves the payment unknown', async (_what, text) => {
    expect((await submitted(text))?.status).toBe('unknown');
  });

  test.each([302, 404, 409, 500, 503])('status %i leaves the payment unknown, whatever is in it', async (status) => {
    expect((await submitted(says('PR09', '<PrcCd>RJ01</PrcCd>'), status))?.status).toBe('unknown');
  });

  test('a name that no message can carry is no reason to lose its neighbours', async () => {
    answer = { status: 200, text: '' };
    const answers = await ways.channels.beps.submit([orderOf('M1', { payeeName: 'a\u0000b' }), orderOf('M2')]);
    expect(answers.map((each) => each.status)).toEqual(['failed', 'unknown']);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.text).not.toContain('M1');
  });

  test('a number that comes twice in a list goes in two packages', async () => {
    answer = { status: 200, text: '' };
    await ways.channels.beps.submit([orderOf('M1'), orderOf('M2'), orderOf('M1', { amount: 7n })]);
    expect(asked.map(({ text }) => /<NbOfTxs>(\d+)<.*<CtrlSum>([0-9.]+)</.exec(text)?.slice(1))).toEqual([
      ['2', '2.00'],
      ['1', '0.07'],
    ]);
  });

  describe('of a query', () => {
    const AT = mesgIdOf('M1', '2026-03-02T09:08:07');
    const QUERY_REF = mesgIdOf('hvps', 'ccms.314.001.01', `Q${AT}`);
    const state = async (...texts: string[]) => {
      answer = { status: 200, text: texts.map((body) => written('hvps', 'ccms.315.001.01', body, QUERY_REF)).join('') };
      return (await ways.channels.hvps.query(['M1']))[0];
    };
    test.each([
      ['<PrcSts>PR04</PrcSts><ClrSysRef>H1</ClrSysRef>', { status: 'settled', channelRef: 'H1' }],
      ['<PrcSts>PR12</PrcSts>', { status: 'accepted' }],
      ['<PrcSts>PR08</PrcSts>', { status: 'unknown' }],
      ['<PrcSts>PR09</PrcSts><PrcCd>SY03</PrcCd>', { status: 'not-now' }],
      ['<PrcCd>SY40</PrcCd>', { status: 'not-found' }],
      ['<PrcSts>PR08</PrcSts><PrcCd>SY40</PrcCd>', { status: 'unknown' }],
      ['<PrcCd>SY41</PrcCd>', { status: 'unknown' }],
    ])('%s', async (rest, expected) => {
      expect(await state(queried('M1', rest))).toMatchObject(expected);
    });
    test('about another, or with two answers that contradict each other, is unknown', async () => {
      expect((await state(queried('M2', '<PrcCd>SY40</PrcCd>')))?.status).toBe('unknown');
      expect((await state(queried('M1', '<PrcCd>SY40</PrcCd>'), queried('M1', '<PrcSts>PR04</PrcSts>')))?.status).toBe('unknown');
    });
  });

  describe('in the queue', () => {
    const PACS = 'urn:iso:std:iso:20022:tech:xsd:pacs.008.001.02';
    const credit = (strd: string, extra = '') =>
      written(
        'hvps',
        'hvps.111.001.01',
        '<FIToFICstmrCdtTrf><GrpHdr><MsgId>X1</MsgId><CreDtTm>2026-03-03T09:00:00</CreDtTm><NbOfTxs>1</NbOfTxs>' +
          '<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr><CdtTrfTxInf><PmtId><EndToEndId>X1</EndToEndId><TxId>X1</TxId></PmtId>' +
          '<PmtTpInf><CtgyPurp><Prtry>A105</Prtry></CtgyPurp></PmtTpInf><IntrBkSttlmAmt Ccy="CNY">1.00</IntrBkSttlmAmt>' +
          `<IntrBkSttlmDt>2026-03-03</IntrBkSttlmDt>${extra}<Dbtr><Nm>王䶮</Nm></Dbtr><DbtrAcct><Id><Othr><Id>6228</Id></Othr></Id></DbtrAcct>` +
          '<DbtrAgt><FinInstnId><ClrSysMmbId><MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>' +
          '<CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>999100000011</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>' +
          `<Cdtr><Nm>C-1</Nm></Cdtr><CdtrAcct><Id><Othr><Id>C-1</Id></Othr></Id></CdtrAcct>` +
          `<RmtInf><Ustrd>退汇</Ustrd>${strd}</RmtInf></CdtTrfTxInf></FIToFICstmrCdtTrf>`,
        'QUEUE',
        PACS,
      );
    const final = (txId: string, state: string, rest = '') =>
      written('hvps', 'ccms.900.001.02', confirmed(txId, state, `${rest}<PrcDt>2026-03-03</PrcDt>`), 'QUEUE');
    const page = (...messages: string[]) =>
      `${messages.map((message, at) => `{Q:${at + 1}}\r\n${message}`).join('')}{Z:${messages.length}}\r\n`;
    const news = (text: string) => {
      answer = { status: 200, text };
      return ways.channels.hvps.news('', 10);
    };

    test('a return names what comes back, in its own words; money that names nothing of ours is no news', async () => {
      const back = credit('<Strd><RfrdDocInf><Nb>M1</Nb></RfrdDocInf><AddtlRmtInf>户名不符</AddtlRmtInf></Strd>');
      expect(await news(page(credit(''), back, final('M2', 'PR04')))).toEqual({
        items: [
          {
            cursor: '2',
            messageNo: 'M1',
            status: 'returned',
            reason: '户名不符',
            reference: 'RTM1',
            businessDate: NEXT_DAY,
            amount: 100n,
          },
          { cursor: '3', messageNo: 'M2', status: 'settled', reference: 'M2', businessDate: NEXT_DAY },
        ],
        next: '3',
      });
    });

    test('PR08, codes that nobody knows, and notices end nothing; the cursor goes on past them', async () => {
      const notices = ['ccms.319.001.01', 'ccms.909.001.01', 'ccms.990.001.02', 'saps.601.001.01'].map((type) =>
        written('hvps', type, '<Any>1</Any>', 'QUEUE'),
      );
      const items = [final('M1', 'PR08'), final('M2', 'PR09', '<PrcCd>ZZ99</PrcCd>'), ...notices, final('M3', 'PR04')];
      const read = await news(page(...items));
      expect(read.items.map((item) => item.messageNo)).toEqual(['M3']);
      expect(read.next).toBe(String(items.length));
    });

    test('a page of nothing but notices is no end of the queue', async () => {
      const at = (cursor: number) => new URLSearchParams({ after: cursor === 0 ? '' : String(cursor), limit: '10' }).toString();
      const pages = new Map([
        [at(0), page(final('M1', 'PR08'), final('M2', 'PR08'))],
        [at(2), page(final('M1', 'PR08')).replace('{Q:1}', '{Q:3}')],
        [at(3), page(final('M1', 'PR04')).replace('{Q:1}', '{Q:4}')],
      ]);
      answer = { status: 200, text: (path) => pages.get(path.split('?')[1] ?? '') ?? '{Z:0}\r\n' };
      expect(await ways.channels.hvps.news('', 10)).toMatchObject({ items: [{ cursor: '4', messageNo: 'M1' }], next: '4' });
      expect(await ways.channels.hvps.news('4', 10)).toEqual({ items: [], next: '4' });
    });

    test.each([
      ['a cursor that does not go on', page(final('M1', 'PR04'), final('M2', 'PR04')).replace('{Q:2}', '{Q:1}')],
      ['a cursor that goes back', page(final('M1', 'PR04')).replace('{Q:1}', '{Q:0}')],
      ['a message without its digest', page(final('M1', 'PR04').replace(/\{S:.*?\r\n/, ''))],
      ['a message with another digest', page(final('M1', 'PR04').replace('>2026-03-03<', '>2026-03-04<'))],
      ['a page without its end', page(final('M1', 'PR04')).replace(/\{Z:.*/s, '')],
      ['a page that lacks an item', page(final('M1', 'PR04')).replace('{Z:1}', '{Z:2}')],
      ['an item without a cursor', page(final('M1', 'PR04')).replace('{Q:1}', '{Q:}')],
      ['nothing', ''],
    ])('%s stops the page instead of being stepped over', async (_what, text) => {
      await expect(news(text)).rejects.toBeInstanceOf(BankUnreachable);
    });

    const named = '<Strd><RfrdDocInf><Nb>M1</Nb></RfrdDocInf></Strd>';
    test.each([
      ['a type that nobody expects', written('hvps', 'hvps.999.001.01', '<Any>1</Any>', 'QUEUE')],
      ['another system', mended(final('M1', 'PR04').replace('HVPS', 'IBPS'))],
      ['another participant', mended(final('M1', 'PR04').replace('999100000011  HVPS', '999100000029  HVPS'))],
      ['a final state without its date', written('hvps', 'ccms.900.001.02', confirmed('M1', 'PR04'), 'QUEUE')],
      ['a date that is none', mended(final('M1', 'PR04').replace('>2026-03-03<', '>2026-02-30<'))],
      ['a return of another currency', mended(credit(named).replace('"CNY"', '"USD"'))],
      ['a return with two amounts', credit(named, '<IntrBkSttlmAmt Ccy="CNY">2.00</IntrBkSttlmAmt>')],
      ['a return that names two payments', credit(`${named}${named.replace('M1', 'M2')}`)],
      ['a document that is none', mended(final('M1', 'PR04').replace('</CmonConf>', ''))],
    ])('%s is kept as it came, and what lies beside it is read', async (_what, odd) => {
      expect(await news(page(final('M1', 'PR04'), odd, final('M2', 'PR04')))).toMatchObject({
        items: [{ messageNo: 'M1' }, { messageNo: 'M2' }],
        next: '3',
        unread: [{ place: '2.1', reason: expect.any(String), text: odd }],
      });
    });

    const ordinary = (rest: string, category = 'A100') => mended(credit(rest).replace('>A105<', `>${category}<`));
    test.each([
      ['of several lines', mended(ordinary('').replace('<Ustrd>', '<Ustrd>a</Ustrd><Ustrd>'))],
      ['with an empty line', mended(ordinary('').replace('退汇', ''))],
      ['whose words begin like a header', mended(ordinary('').replace('退汇', '{H:02999100000011'))],
      ['that names a payment of ours', ordinary(named)],
      ['that names two', ordinary(`${named}${named}`)],
      ['without the name of its payer', mended(ordinary('').replace('<Dbtr><Nm>王䶮</Nm></Dbtr>', ''))],
      ['of a category of its own', ordinary('', 'A102')],
      ['without a category', mended(ordinary('').replace(/<PmtTpInf>.*<\/PmtTpInf>/, ''))],
    ])('an ordinary credit %s is the core bank’s business: no news', async (_what, message) => {
      const items = [expect.objectContaining({ messageNo: 'M2' })];
      expect(await news(page(message, final('M2', 'PR04')))).toEqual({ items, next: '2' });
    });

    test('a credit of another category that names a payment is doubtful', async () => {
      expect((await news(page(ordinary(named, 'A102')))).items).toMatchObject([
        { messageNo: 'M1', status: 'returned', amount: 100n, doubt: 'category A102 is not that of a return' },
      ]);
      expect((await news(page(credit(named)))).items[0]?.doubt).toBeUndefined();
    });
  });
});
