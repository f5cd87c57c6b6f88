import { describe, expect, test } from '@jest/globals';
import { type BusinessDate, residentIdCheck } from '../../src/kernel/index.js';
import { faultOfImage } from '../../src/parties/documents/images.js';
import { mediaTypeOf } from '../../src/parties/documents/rules.js';
import { signS3 } from '../../src/parties/documents/s3-store.js';
import { checkIdNo, checkParticulars, comparableName, isOfAge, type PersonIdType } from '../../src/parties/users/particulars.js';
import { canonical } from '../../src/parties/users/rules.js';
import { readCsv } from '../../src/parties/watch/csv.js';
import { type IndexedEntry, isHit } from '../../src/parties/watch/rules.js';
import { jpegOf, pngOf } from '../support/pictures.js';
import { company, person, residentId } from './desk.js';

const on = { today: '2026-03-02' as BusinessDate, adultAge: 18 };
const faults = (party: unknown) => checkParticulars(party as never, on).map(({ code, pointer }) => `${code} ${pointer}`);
const eighteen = (first17: string) => first17 + residentIdCheck(first17);

describe('what a document number says about itself', () => {
  test.each<[PersonIdType, string, string | true]>([
    ['resident-id', '11010519491231002X', '1949-12-31'],
    ['resident-id', '440524188001010014', '1880-01-01'],
    ['hk-macao-permit', eighteen('81000019900101001'), '1990-01-01'],
    ['hk-macao-permit', eighteen('82000019900101001'), '1990-01-01'],
    ['hk-macao-permit', 'H12345678', true],
    ['hk-macao-permit', 'M1234567801', true],
    ['taiwan-permit', eighteen('83000019900101001'), '1990-01-01'],
    ['taiwan-permit', '12345678', true],
    ['taiwan-permit', '1234567890', true],
    ['foreigner-permit', eighteen('91124719900229001'.replace('0229', '0228')), '1990-02-28'],
    ['foreigner-permit', 'USA110000000000'.slice(0, 15), true],
    ['passport', 'E12345678', true],
    ['passport', 'K1234567P', true],
  ])('%s %s is taken', (type, number, found) => {
    const checked = checkIdNo(type, number);
    expect(checked).toMatchObject(found === true ? { ok: true } : { ok: true, birthDate: found });
  });

  test.each<[PersonIdType, string]>([
    ['resident-id', '110105194912310021'], // wrong check digit
    ['resident-id', '11010519490230002X'], // no such day
    ['resident-id', eighteen('11010520230229001')], // no 29 February in that year
    ['resident-id', eighteen('81000019900101001')], // a residence permit is another document
    ['resident-id', '1101051949123100'],
    ['hk-macao-permit', '11010519491231002X'],
    ['hk-macao-permit', eighteen('83000019900101001')],
    ['hk-macao-permit', 'A12345678'],
    ['taiwan-permit', '1234567'],
    ['foreigner-permit', eighteen('91124719900230001')],
    [
      'foreigner-permit',
      `${eighteen('91124719900228001').slice(0, 17)}${eighteen('91124719900228001').endsWith('1') ? '2' : '1'}`,
    ],
    ['passport', 'E123'],
  ])('%s %s is refused', (type, number) => expect(checkIdNo(type, number).ok).toBe(false));

  test('29 February is a birthday where it exists', () => {
    expect(checkIdNo('resident-id', residentId('2000-02-29', 1))).toEqual({ ok: true, birthDate: '2000-02-29' });
  });
});

describe('age', () => {
  test.each([
    ['2008-03-02', '2026-03-01', false],
    ['2008-03-02', '2026-03-02', true],
    ['2008-02-29', '2026-02-28', false],
    ['2008-02-29', '2026-03-01', true],
    ['2004-02-29', '2022-03-01', true],
    ['2008-02-29', '2028-02-29', true],
  ])('who was born on %s is of age on %s: %s', (birth, today, expected) =>
    expect(isOfAge(birth as BusinessDate, today as BusinessDate, 18)).toBe(expected),
  );
});

describe('particulars', () => {
  test('a sound person and a sound company have no fault', () => {
    expect(faults(person(1).party)).toEqual([]);
    expect(faults(company(1).party)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['a wrong check digit', { idNo: '110105194912310021' }, ['ID_NUMBER_INVALID /party/idNo']],
    ['a minor', { idNo: residentId('2008-03-03', 1) }, ['MINOR_NOT_ALLOWED /party/idNo']],
    ['nobody born yet', { idNo: residentId('2026-03-03', 1) }, ['ID_NUMBER_INVALID /party/idNo']],
    ['a document that ended yesterday', { idExpires: '2026-03-01' }, ['ID_DOCUMENT_EXPIRED /party/idExpires']],
    ['one that ends today', { idExpires: '2026-03-02' }, []],
    ['one for long', { idExpires: null }, []],
    ['another date of birth than in the number', { birthDate: '1990-01-02' }, ['PARTICULARS_INVALID /party/birthDate']],
    ['a passport alone', { idType: 'passport', idNo: 'E12345678' }, ['PARTICULARS_INVALID /party/birthDate']],
    [
      'a passport of a minor',
      { idType: 'passport', idNo: 'E12345678', birthDate: '2010-01-01' },
      ['MINOR_NOT_ALLOWED /party/birthDate'],
    ],
    ['a passport of an adult', { idType: 'passport', idNo: 'E12345678', birthDate: '1990-01-01' }, []],
    [
      'all of it together',
      { idNo: '110105194912310021', idExpires: '2020-01-01' },
      ['ID_NUMBER_INVALID /party/idNo', 'ID_DOCUMENT_EXPIRED /party/idExpires'],
    ],
  ])('%s', (_what, more, expected) => expect(faults(person(1, more).party)).toEqual(expected));

  const owner = (n: number, share: number) => ({ ...company(n).party.representative, share });
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a credit code with a wrong check', { idNo: '91350100M000100Y44' }, ['USCC_INVALID /party/idNo']],
    ['a licence that ended', { idExpires: '2026-03-01' }, ['ID_DOCUMENT_EXPIRED /party/idExpires']],
    ['an owner of less than a quarter', { owners: [owner(2, 2_499)] }, ['PARTICULARS_INVALID /party/owners/0/share']],
    ['an owner of a quarter', { owners: [owner(2, 2_500)] }, []],
    ['owners of the whole', { owners: [owner(2, 2_500), owner(3, 7_500)] }, []],
    ['owners of more than the whole', { owners: [owner(2, 2_501), owner(3, 7_500)] }, ['PARTICULARS_INVALID /party/owners']],
    ['one owner twice', { owners: [owner(2, 2_500), owner(2, 2_500)] }, ['PARTICULARS_INVALID /party/owners/1/idNo']],
    ['no owner of a quarter', { owners: [] }, []],
    [
      'a representative who is a minor',
      { representative: { ...owner(2, 1), idNo: residentId('2010-01-01', 1) } },
      ['MINOR_NOT_ALLOWED /party/representative/idNo'],
    ],
    ['an owner who is a minor', { owners: [{ ...owner(2, 5_000), idNo: residentId('2010-01-01', 1) }] }, []],
  ])('%s', (_what, more, expected) => expect(faults(company(1, more).party)).toEqual(expected));
});

describe('small things that much hangs on', () => {
  test('spellings of a name that are one, and names that are two', () => {
    expect(comparableName('买买提·艾力')).toBe(comparableName('买买提•艾力'));
    expect(comparableName('Ｍary  Ann')).toBe(comparableName('MARY ANN'));
    expect(comparableName('王小明')).not.toBe(comparableName('王小名'));
  });

  test('content is the same in whatever order its fields come, and another with another value', () => {
    expect(canonical({ a: 1, b: { c: [1, { e: 1, d: undefined }] } })).toBe(canonical({ b: { c: [1, { e: 1 }] }, a: 1 }));
    expect(canonical({ a: null })).not.toBe(canonical({}));
  });

  test('CSV with quotes, doubled quotes, line ends of both sorts and a byte order mark', () => {
    expect(readCsv('\ufefflist,name\r\n"a,b","say ""x"""\n\nlast,')).toEqual([
      ['list', 'name'],
      ['a,b', 'say "x"'],
      ['last', ''],
    ]);
    expect(readCsv('a,"open')).toBeUndefined();
  });

  test('an image is what its bytes say', () => {
    const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d', 'hex'), Buffer.from('IHDR'), Buffer.alloc(8)]);
    expect(mediaTypeOf(png)).toBe('image/png');
    expect(mediaTypeOf(Buffer.from('ffd8ffe000104a464946ffd9', 'hex'))).toBe('image/jpeg');
    expect(mediaTypeOf(Buffer.from('%PDF-1.4\n1 0 obj\n%%EOF\n'))).toBe('application/pdf');
    expect(mediaTypeOf(Buffer.from('<svg onload=alert(1)>'))).toBeUndefined();
    expect(mediaTypeOf(Buffer.from('ffd8ffe000104a464946', 'hex'))).toBeUndefined();
    expect(mediaTypeOf(Buffer.alloc(0))).toBeUndefined();
  });

  test('an image is whole, and of a size that can be read', () => {
    const png = pngOf();
    expect(faultOfImage(png, 'image/png')).toBeUndefined();
    expect(faultOfImage(jpegOf(), 'image/jpeg')).toBeUndefined();
    expect(mediaTypeOf(jpegOf())).toBe('image/jpeg');
    expect(faultOfImage(Buffer.alloc(1_024), 'application/pdf')).toBeUndefined();
    for (const [width, height] of [
      [199, 320],
      [320, 199],
      [20_001, 200],
      [0, 0],
    ] as const) {
      expect(faultOfImage(pngOf({ width, height, bytes: 2_000 }), 'image/png')).toMatch(/pixels/);
      expect(faultOfImage(jpegOf(width, height), 'image/jpeg')).toMatch(/pixels/);
    }
    expect(faultOfImage(png.subarray(0, 1_023), 'image/png')).toMatch(/1024 bytes/);
    const bent = Buffer.from(png);
    bent.writeUInt8(7, 18); // the width, without its check
    const noFrame = jpegOf();
    noFrame.writeUInt8(0xc4, 21);
    for (const [bytes, type] of [
      [bent, 'image/png'],
      [png.subarray(0, -12), 'image/png'],
      [noFrame, 'image/jpeg'],
      [Buffer.concat([jpegOf().subarray(0, 20), Buffer.alloc(2_000), Buffer.from('ffd9', 'hex')]), 'image/jpeg'],
    ] as const)
      expect(faultOfImage(bytes, type)).toMatch(/not whole/);
  });
});

describe('a hit of the watch list', () => {
  const index = (text: string) => Buffer.from(text.padEnd(32, '.'));
  const identity = { role: 'self', idType: 'resident-id', idIndex: index('id 1'), nameIndex: index('name 1') } as const;
  const entry = (of: Partial<IndexedEntry>): IndexedEntry => ({ idType: null, idIndex: null, nameIndex: null, ...of });
  test.each<[string, IndexedEntry, boolean]>([
    ['his number', entry({ idType: 'resident-id', idIndex: index('id 1') }), true],
    ['his number under another name', entry({ idType: 'resident-id', idIndex: index('id 1'), nameIndex: index('name 2') }), true],
    ['his name alone', entry({ nameIndex: index('name 1') }), true],
    [
      'a namesake with another number',
      entry({ idType: 'resident-id', idIndex: index('id 2'), nameIndex: index('name 1') }),
      false,
    ],
    [
      'his name with another sort of document',
      entry({ idType: 'passport', idIndex: index('id 2'), nameIndex: index('name 1') }),
      true,
    ],
    ['another sort of document alone', entry({ idType: 'passport', idIndex: index('id 1') }), false],
    ['another name', entry({ nameIndex: index('name 2') }), false],
  ])('%s', (_what, of, expected) => expect(isHit(identity, of)).toBe(expected));
});

describe('requests to an S3-compatible store', () => {
  const access = {
    region: 'us-east-1',
    keyId: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  };

  test('are signed as the example of AWS says', () => {
    const signed = signS3(
      {
        method: 'GET',
        host: 'examplebucket.s3.amazonaws.com',
        path: '/test.txt',
        body: '',
        at: '20130524T000000Z',
        headers: { range: 'bytes=0-9' },
      },
      access,
    );
    expect(signed.authorization).toContain('SignedHeaders=host;range;x-amz-content-sha256;x-amz-date');
    expect(signed.authorization).toContain('Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
  });
});
