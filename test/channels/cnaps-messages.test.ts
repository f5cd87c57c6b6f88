import { createHash } from 'node:crypto';
import { test as property } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { verdictOf } from '../../src/channels/cnaps/codes.js';
import { type CreditTransfer, creditBody, readCredit } from '../../src/channels/cnaps/credit.js';
import { decodeMessages, decodeQueue, encodeMessage, encodeQueue, type Header } from '../../src/channels/cnaps/envelope.js';
import { isXmlText, leaf, parseXml, Unreadable } from '../../src/channels/cnaps/xml.js';
import { addDays, type BusinessDate, fenOfYuan } from '../../src/kernel/index.js';

const ONCE = { seed: 20_260_302, numRuns: 60 };

const TRANSFER: CreditTransfer = {
  txId: '2236512894231552001',
  category: 'A100',
  amount: 123_456n,
  date: '2026-03-02' as BusinessDate,
  payer: { bank: '999100000011', account: 'C-1', name: 'C-1' },
  payee: { bank: '102100099996', account: '6228480000000000001', name: '甲&乙 <商行>' },
  remark: '结算 {H:02',
};
const HEADER: Header = {
  system: 'hvps',
  direction: 'up',
  sentAt: '2026-03-02T09:08:07',
  type: 'hvps.111.001.01',
  mesgId: 'AAAA0000000000000001',
  refId: 'AAAA0000000000000001',
};
const BLOCK =
  '{H:02999100000011  HVPS0000          PMTS20260302090807XMLhvps.111.001.01     AAAA0000000000000001AAAA00000000000000013U         }';
const DOCUMENT =
  '<?xml version="1.0" encoding="UTF-8"?>\r\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pacs.008.001.02">' +
  '<FIToFICstmrCdtTrf>' +
  '<GrpHdr><MsgId>2236512894231552001</MsgId><CreDtTm>2026-03-02T09:08:07</CreDtTm><NbOfTxs>1</NbOfTxs>' +
  '<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf></GrpHdr>' +
  '<CdtTrfTxInf><PmtId><EndToEndId>2236512894231552001</EndToEndId><TxId>2236512894231552001</TxId></PmtId>' +
  '<PmtTpInf><CtgyPurp><Prtry>A100</Prtry></CtgyPurp></PmtTpInf>' +
  '<IntrBkSttlmAmt Ccy="CNY">1234.56</IntrBkSttlmAmt><IntrBkSttlmDt>2026-03-02</IntrBkSttlmDt>' +
  '<SttlmPrty>NORM</SttlmPrty><ChrgBr>DEBT</ChrgBr>' +
  '<Dbtr><Nm>C-1</Nm></Dbtr><DbtrAcct><Id><Othr><Id>C-1</Id></Othr></Id></DbtrAcct>' +
  '<DbtrAgt><FinInstnId><ClrSysMmbId><MmbId>999100000011</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>' +
  '<CdtrAgt><FinInstnId><ClrSysMmbId><MmbId>102100099996</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>' +
  '<Cdtr><Nm>甲&amp;乙 &lt;商行&gt;</Nm></Cdtr>' +
  '<CdtrAcct><Id><Othr><Id>6228480000000000001</Id></Othr></Id></CdtrAcct>' +
  '<RmtInf><Ustrd>结算 &#123;H:02</Ustrd></RmtInf></CdtTrfTxInf></FIToFICstmrCdtTrf></Document>\r\n';
const digest = (document: string, block: string) => createHash('sha256').update(`${block}\r\n${document}`).digest('hex');
const signed = (document: string, block = BLOCK) => `${block}\r\n{S:SHA-256=${digest(document, block)}}\r\n${document}`;
const unsigned = (document: string) => `${BLOCK}\r\n${document}`;

describe('a credit transfer on the wire', () => {
  test('is the header block, the digest block and the document, letter by letter', () => {
    const body = creditBody('hvps', { msgId: TRANSFER.txId, createdAt: HEADER.sentAt, transfers: [TRANSFER] });
    expect(encodeMessage(HEADER, body)).toBe(signed(DOCUMENT));
    expect(BLOCK).toHaveLength(130);
  });

  test('is read back', () => {
    const [message, ...others] = decodeMessages(signed(DOCUMENT));
    expect(others).toEqual([]);
    expect(message).toMatchObject(HEADER);
    const { transfers, msgId } = readCredit('hvps', message?.content);
    expect([msgId, transfers]).toEqual([TRANSFER.txId, [TRANSFER]]);
  });

  test('without a digest is refused, and says so', () => {
    expect(() => decodeMessages(unsigned(DOCUMENT))).toThrow('the message has no digest block');
    expect(() => decodeMessages(signed(DOCUMENT) + unsigned(DOCUMENT))).toThrow('the message has no digest block');
  });

  test('may have words in it that look like another message, with a digest of its own', () => {
    const forged = `]]>\r\n${signed(DOCUMENT.replace('1234.56', '9999.99'))}`;
    for (const words of ['{H:02', '>{H:02', '{Q:1}\r\n', '{Z:0}\r\n', `{H:${'x'.repeat(126)}}\r\n`]) {
      const [message, ...others] = decodeMessages(signed(DOCUMENT.replace('结算 &#123;H:02', words)));
      expect([others, readCredit('hvps', message?.content).transfers]).toEqual([
        [],
        [{ ...TRANSFER, remark: words.replaceAll('\r\n', '\n') }], // a reader of XML makes line feeds of line ends
      ]);
    }
    const page = encodeQueue([{ cursor: '1', messages: [signed(DOCUMENT.replace('结算', `<![CDATA[${forged}`))] }]);
    const [item, ...more] = decodeQueue(page);
    expect([more, item?.messages.length]).toEqual([[], 1]);
    expect(() => item?.messages[0]?.open()).toThrow(Unreadable);
  });

  test('may have as many lines of words as the payer likes, also empty ones', () => {
    const remarkOf = (words: string) =>
      readCredit('hvps', decodeMessages(signed(DOCUMENT.replace('<Ustrd>结算 &#123;H:02</Ustrd>', words)))[0]?.content)
        .transfers[0]?.remark;
    expect(remarkOf('<Ustrd>货款</Ustrd><Ustrd></Ustrd><Ustrd>三月</Ustrd>')).toBe('货款 三月');
    expect(remarkOf('<Ustrd/>')).toBe('');
    expect(remarkOf('')).toBe('');
  });

  test('of another bank is read too when it is laid out in lines and has fields of which we know nothing', () => {
    const laidOut = DOCUMENT.replaceAll('><', '>\r\n  <').replace('<ChrgBr>', '<InstrPrty>HIGH</InstrPrty>\r\n<ChrgBr>');
    expect(readCredit('hvps', decodeMessages(signed(laidOut))[0]?.content).transfers).toEqual([TRANSFER]);
  });

  const wrong: [string, string, string][] = [
    ['another number of transfers', '<NbOfTxs>1<', '<NbOfTxs>2<'],
    ['a sum that is not theirs', '</NbOfTxs>', '</NbOfTxs><CtrlSum>1234.57</CtrlSum>'],
    ['another currency', 'Ccy="CNY"', 'Ccy="USD"'],
    ['no currency', ' Ccy="CNY"', ''],
    ['an amount in powers of ten', '>1234.56<', '>1e3<'],
    ['an amount with three decimals', '>1234.56<', '>1.005<'],
    ['an amount without decimals', '>1234.56<', '>1234<'],
    ['an amount below zero', '>1234.56<', '>-1234.56<'],
    ['an amount of nothing', '>1234.56<', '>0.00<'],
    ['an amount with leading zeros', '>1234.56<', '>01234.56<'],
    ['an amount with a blank', '>1234.56<', '> 1234.56<'],
    ['an amount in hexadecimal', '>1234.56<', '>0x10.00<'],
    ['an amount in full-width digits', '>1234.56<', '>１234.56<'],
    ['an amount that is too large', '>1234.56<', `>${'9'.repeat(17)}.00<`],
    ['two amounts', '<IntrBkSttlmDt>', '<IntrBkSttlmAmt Ccy="CNY">1.00</IntrBkSttlmAmt><IntrBkSttlmDt>'],
    ['a bank code of 11 digits', '102100099996', '10210009999'],
    ['a date that is none', '>2026-03-02<', '>2026-02-30<'],
    ['a number of 36 characters', '<TxId>2236512894231552001', `<TxId>${'x'.repeat(36)}`],
    ['a name that is too long', '甲', '甲'.repeat(140)],
    ['no payee', '<Cdtr><Nm>甲&amp;乙 &lt;商行&gt;</Nm></Cdtr>', ''],
    ['another root', 'FIToFICstmrCdtTrf', 'FICdtTrf'],
  ];
  test.each(wrong)('with %s is refused whole', (_what, from, to) => {
    const document = DOCUMENT.replaceAll(from, to);
    expect(document).not.toBe(DOCUMENT);
    expect(() => decodeMessages(signed(document)).map(({ content }) => readCredit('hvps', content))).toThrow(Unreadable);
  });

  test('is one a message in HVPS and IBPS; a package of BEPS has its sum, and no number twice', () => {
    const two = [TRANSFER, { ...TRANSFER, txId: 'M2', amount: 44n }];
    const heading = { msgId: 'P1', createdAt: HEADER.sentAt };
    const content = (system: 'hvps' | 'beps' | 'ibps', transfers: CreditTransfer[], change = (body: string) => body) =>
      parseXml(`<Document>${change(creditBody(system, { ...heading, transfers }))}</Document>`).content;
    expect(readCredit('beps', content('beps', two)).transfers).toEqual(two);
    for (const system of ['hvps', 'ibps'] as const) expect(() => readCredit(system, content(system, two))).toThrow(Unreadable);
    const without = (body: string) => body.replace(/<CtrlSum>.*<\/CtrlSum>/, '');
    expect(() => readCredit('beps', content('beps', two, without))).toThrow('CtrlSum');
    expect(() => readCredit('beps', content('beps', [TRANSFER, TRANSFER]))).toThrow('one TxId');
    const many = Array.from({ length: 501 }, (_, no) => ({ ...TRANSFER, txId: `M${no}` }));
    expect(() => readCredit('beps', content('beps', many))).toThrow(Unreadable);
    expect(readCredit('beps', content('beps', many.slice(1))).transfers).toHaveLength(500);
  });
});

describe('a document that is no message', () => {
  const bomb =
    '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Document>&c;</Document>';
  test.each([
    ['expands entities', bomb],
    ['reads a file', '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Document>&x;</Document>'],
    ['has an external document type', '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd"><Document/>'],
    ['refers to an entity that nobody declared', '<Document>&x;</Document>'],
    ['refers to a character that is none', '<Document>&#0;</Document>'],
    ['refers to half a pair', '<Document>&#xD800;</Document>'],
    ['refers beyond all characters', '<Document>&#x110000;</Document>'],
    ['has a bare ampersand', '<Document>A & B</Document>'],
    ['has CDATA', '<Document><![CDATA[1]]></Document>'],
    ['has a comment', '<Document><!-- 1 --></Document>'],
    ['has an instruction', '<Document><?x y?></Document>'],
    ['has a control character', '<Document>\u0001</Document>'],
    ['has two roots', '<Document>1</Document><Document>2</Document>'],
    ['has a root of another name after it', '<Document>1</Document><Other/>'],
    ['has text between elements', '<Document><a>1</a>2<b>3</b></Document>'],
    ['is cut off', '<Document><a>1</a>'],
    ['closes another element', '<Document><a>1</b></Document>'],
    ['has an attribute twice', '<Document a="1" a="2"/>'],
    ['is nested too deep', `<Document>${'<a>'.repeat(30)}${'</a>'.repeat(30)}</Document>`],
    ['is nested without end', `<Document>${'<a>'.repeat(100_000)}`],
    ['has a reserved name', '<Document><__proto__><x>1</x></__proto__></Document>'],
    ['is of another encoding', '<?xml version="1.0" encoding="GBK"?><Document/>'],
    ['is too long', `<Document>${'甲'.repeat(1_500_000)}</Document>`],
    ['is empty', ''],
    ['is JSON', '{"a":1}'],
  ])('%s: refused, and nothing is read of it', (_what, text) => {
    expect(() => parseXml(text)).toThrow(Unreadable);
  });
});

describe('the envelope', () => {
  const good = signed(DOCUMENT);
  test.each([
    ['a letter of the document changed', good.replace('1234.56', '1234.57')],
    ['a letter of the header changed', good.replace('20260302090807', '20260302090808')],
    ['another digest', good.replace(/SHA-256=./, 'SHA-256=_')],
    ['something behind it', `${good}x`],
    ['something before it', `x${good}`],
    ['no header', DOCUMENT],
    ['a header that is too short', good.replace('         }', '        }')],
    ['another participant', signed(DOCUMENT, BLOCK.replace('999100000011  HVPS', '999100000029  HVPS'))],
    ['another system', signed(DOCUMENT, BLOCK.replace('HVPS', 'XVPS'))],
    ['no direction', signed(DOCUMENT, BLOCK.replace('3U ', '3X '))],
    ['a document of another type', signed(DOCUMENT, BLOCK.replace('hvps.111.001.01', 'hvps.141.001.01'))],
    ['half a document', signed(DOCUMENT.slice(0, DOCUMENT.length / 2))],
    ['no digest', unsigned(DOCUMENT)],
    ['two documents', signed(`${DOCUMENT}${DOCUMENT}`)],
  ])('with %s is not read', (_what, text) => {
    expect(() => decodeMessages(text)).toThrow(Unreadable);
  });

  test('several messages one after another are all read, or none', () => {
    expect(decodeMessages(good + good)).toHaveLength(2);
    expect(decodeMessages('')).toEqual([]);
    expect(() => decodeMessages(good + good.slice(0, -20))).toThrow(Unreadable);
  });

  test('a page of the queue is read whole, and known when its end is missing', () => {
    const page = encodeQueue([
      { cursor: '7', messages: [good] },
      { cursor: '8', messages: [good, good] },
    ]);
    expect(decodeQueue(page).map(({ cursor, messages }) => [cursor, messages.length])).toEqual([
      ['7', 1],
      ['8', 2],
    ]);
    expect(decodeQueue(encodeQueue([]))).toEqual([]);
    const second = page.indexOf('{Q:8}');
    for (const cut of ['', page.slice(0, second), `${page.slice(0, second)}{Z:2}\r\n`, page.slice(0, -1), `${page}x`])
      expect(() => decodeQueue(cut)).toThrow(Unreadable);
  });
});

const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isXmlText);
const number = fc.stringMatching(/^[A-Za-z0-9_-]{1,35}$/);
const bank = fc.stringMatching(/^[0-9]{12}$/);
const party = fc.record({ bank, account: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter(isXmlText), name });
const transfer: fc.Arbitrary<CreditTransfer> = fc
  .record({
    txId: number,
    category: fc.constantFrom('A100', 'A105'),
    amount: fc.bigInt({ min: 1n, max: 10n ** 18n - 1n }),
    date: fc.nat(3_000).map((days) => addDays('2024-01-01' as BusinessDate, days)),
    payer: party,
    payee: party,
    remark: fc.oneof(fc.constant(''), name),
    back: fc.option(fc.record({ original: number, reason: name }), { nil: undefined }),
  })
  .map(({ back, ...rest }) => ({ ...rest, ...back }));

describe('round trips', () => {
  property.prop([fc.uniqueArray(transfer, { minLength: 1, maxLength: 8, selector: (one) => one.txId }), number], ONCE)(
    'what is written is what is read, whatever the names: other scripts, braces, angle brackets, blanks, line ends',
    (transfers, msgId) => {
      const message = { msgId, createdAt: HEADER.sentAt, transfers };
      const header: Header = { ...HEADER, system: 'beps', type: 'beps.121.001.01' };
      const written = encodeMessage(header, creditBody('beps', message));
      const [read] = decodeMessages(Buffer.from(written + written).toString());
      expect(readCredit('beps', read?.content)).toEqual(message);
    },
  );

  test.each(['王䶮', '𠮷野家', '阿凡提·买买提', 'Ω—ž', '甲\u3000乙', ' 甲 ', 'a\r\nb', '👨‍👩‍👧'])(
    'the name %j comes through as it is',
    (text) => {
      expect(parseXml(`<Document>${leaf('Nm', text)}</Document>`).content).toEqual({ Nm: text });
    },
  );

  property.prop([fc.string({ unit: 'binary', maxLength: 200 })], ONCE)('no text makes the reader fail otherwise', (text) => {
    for (const read of [parseXml, decodeMessages, decodeQueue]) {
      try {
        read(text);
      } catch (error) {
        expect(error).toBeInstanceOf(Unreadable);
      }
    }
  });

  property.prop([fc.nat(DOCUMENT.length - 1), fc.string({ unit: 'binary-ascii', minLength: 1, maxLength: 1 })], ONCE)(
    'a letter that is damaged makes the message unreadable',
    (at, letter) => {
      const whole = signed(DOCUMENT);
      const place = whole.length - DOCUMENT.length + at;
      fc.pre(whole[place] !== letter);
      expect(() => decodeMessages(whole.slice(0, place) + letter + whole.slice(place + 1))).toThrow(Unreadable);
    },
  );
});

describe('yuan and states', () => {
  property.prop([fc.bigInt({ min: 0n, max: 10n ** 18n - 1n })], ONCE)('fen come back as they went', (fen) => {
    expect(fenOfYuan(`${fen / 100n}.${String(fen % 100n).padStart(2, '0')}`)).toBe(fen);
  });

  test('the largest amounts are exact', () => {
    expect(fenOfYuan('9007199254740993.01')).toBe(900_719_925_474_099_301n);
  });

  test.each([
    ['PR03', undefined, 'settled'],
    ['PR04', undefined, 'settled'],
    ['PR05', 'ZZ99', 'settled'],
    ['PR08', undefined, 'unknown'],
    ['PR08', 'RJ01', 'unknown'],
    ['PR09', 'RJ01', 'failed'],
    ['PR09', 'RJ10', 'failed'],
    ['PR09', 'SY01', 'refused'],
    ['PR09', 'SY02', 'not-now'],
    ['PR09', 'SY03', 'not-now'],
    ['PR09', 'SY04', 'refused'],
    ['PR32', 'SY05', 'not-now'],
    ['PR09', 'ZZ99', 'unknown'],
    ['PR09', undefined, 'unknown'],
    ['PR09', 'toString', 'unknown'],
    ['PR32', undefined, 'not-now'],
    ['PR32', 'RJ02', 'failed'],
    ['PR32', 'ZZ99', 'unknown'],
    ['PR11', undefined, 'accepted'],
    ['PR12', undefined, 'accepted'],
    ['PR21', undefined, 'unknown'],
    ['PR22', undefined, 'unknown'],
    ['PR98', undefined, 'unknown'],
    ['PR99', undefined, 'unknown'],
    ['', undefined, 'unknown'],
    [undefined, 'RJ01', 'unknown'],
  ])('state %s with code %s is %s', (state, code, verdict) => {
    expect(verdictOf(state, code)).toBe(verdict);
  });
});
