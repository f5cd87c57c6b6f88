import { test as property } from '@fast-check/jest';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  bankCodeCheck,
  type Checked,
  checkBankCode,
  checkCardNumber,
  checkMobile,
  checkResidentId,
  checkUscc,
  isVirtualAccountNo,
  luhnDigit,
  maskCardNumber,
  maskIdNo,
  maskMobile,
  maskName,
  organisationCodeCheck,
  residentIdCheck,
  usccCheck,
  VIRTUAL_SEQUENCE_END,
  virtualAccountNo,
} from '../../src/kernel/index.js';

const reasonOf = (checked: Checked) => (checked.ok ? 'ok' : checked.reason);
const digits = (length: number) => fc.stringMatching(new RegExp(`^[0-9]{${length}}$`));

/** The text with another character of the alphabet at one place. */
function changed(text: string, place: number, step: number, alphabet: string): string {
  const at = place % text.length;
  const old = alphabet.indexOf(text[at] as string);
  const other = alphabet[(old + 1 + (step % (alphabet.length - 1))) % alphabet.length] as string;
  return text.slice(0, at) + other + text.slice(at + 1);
}
const change = { place: fc.nat(100), step: fc.nat(1000) };

const residentId = fc
  .tuple(
    fc.constantFrom('110105', '440524', '310115', '810000', '830000', '650102'),
    fc.date({ min: new Date('1900-01-01'), max: new Date('2030-12-31'), noInvalidDate: true }),
    digits(3),
  )
  .map(([area, date, sequence]) => {
    const first17 = area + date.toISOString().slice(0, 10).replaceAll('-', '') + sequence;
    return first17 + residentIdCheck(first17);
  });

const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const uscc = fc
  .tuple(
    fc.constantFrom('91', '92', '11', '52', 'Y1'),
    fc.constantFrom('110000', '350100', '440300', '100000'),
    fc.stringMatching(/^[0-9A-HJ-NPQRTUWXY]{8}$/),
  )
  .map(([registry, area, organisation]) => {
    const first17 = registry + area + organisation + organisationCodeCheck(organisation);
    return first17 + usccCheck(first17);
  });

describe('resident identity numbers', () => {
  it.each([
    ['11010519491231002X', '1949-12-31', 'F'],
    ['440524188001010014', '1880-01-01', 'M'],
  ])("accepts the standard's own example %s and reads it", (text, birthDate, sex) => {
    expect(checkResidentId(text)).toEqual({ ok: true, birthDate, sex });
  });

  it.each([
    ['11010519491231002', 'length'],
    ['11010519491231002x', 'characters'],
    ['1101051949123100XX', 'characters'],
    ['01010519491231002X', 'area'],
    ['99010519491231002X', 'area'],
    ['110105194913310028', 'date'],
    ['110105190002290020', 'date'],
    ['110105194912310021', 'check'],
  ])('refuses %s: %s', (text, reason) => {
    expect(reasonOf(checkResidentId(text))).toBe(reason);
  });

  property.prop({ id: residentId, ...change })('never passes a number with one wrong character', ({ id, place, step }) => {
    expect(checkResidentId(id).ok).toBe(true);
    expect(checkResidentId(changed(id, place, step, place % 18 === 17 ? '0123456789X' : '0123456789')).ok).toBe(false);
  });

  property.prop({ id: residentId, place: fc.nat(16) })('never passes a number with two neighbours swapped', ({ id, place }) => {
    const swapped = id.slice(0, place) + id.charAt(place + 1) + id.charAt(place) + id.slice(place + 2);
    expect(checkResidentId(swapped).ok).toBe(swapped === id);
  });
});

describe('unified social credit codes', () => {
  it.each(['91350100M000100Y43', '914403001922038216', '9144030071526726XG', '91330100799655058B', '91110000600037341L'])(
    'accepts %s',
    (text) => {
      expect(checkUscc(text)).toEqual({ ok: true });
    },
  );

  it.each([
    ['91350100M000100Y4', 'length'],
    ['91350100M000100Y4I', 'characters'],
    ['91350100m000100Y43', 'characters'],
    ['B1350100M000100Y43', 'registry'],
    ['91990100M000100Y43', 'area'],
    ['9135010AM000100Y43', 'area'],
    ['91350100M000100Y44', 'check'],
  ])('refuses %s: %s', (text, reason) => {
    expect(reasonOf(checkUscc(text))).toBe(reason);
  });

  it('refuses a code whose organisation code is wrong though its own check is right', () => {
    const first17 = '91350100M000100Y5';
    expect(reasonOf(checkUscc(first17 + usccCheck(first17)))).toBe('inner-check');
  });

  property.prop({ code: uscc, ...change })('never passes a code with one wrong character', ({ code, place, step }) => {
    expect(checkUscc(code)).toEqual({ ok: true });
    expect(checkUscc(changed(code, place, step, USCC_ALPHABET)).ok).toBe(false);
  });
});

describe('bank card numbers', () => {
  it.each(['6228480012345678903', '622202000000000007', '4111111111111111'])('accepts %s', (text) => {
    expect(checkCardNumber(text)).toEqual({ ok: true });
  });

  it.each([
    ['6228480012345678904', 'check'],
    ['622848001234', 'length'],
    ['62284800123456789031', 'length'],
    ['62284800 2345678903', 'characters'],
    ['', 'length'],
  ])('refuses %p: %s', (text, reason) => {
    expect(reasonOf(checkCardNumber(text))).toBe(reason);
  });

  property.prop({ body: fc.integer({ min: 12, max: 18 }).chain(digits), ...change })(
    'never passes a number with one wrong digit',
    ({ body, place, step }) => {
      const card = body + luhnDigit(body);
      expect(checkCardNumber(card).ok).toBe(true);
      expect(checkCardNumber(changed(card, place, step, '0123456789')).ok).toBe(false);
    },
  );
});

describe('CNAPS bank codes', () => {
  it.each(['102100099996', '103100000026', '104100000004', '105100000017', '308584000013', '313100000013', '403100000004'])(
    'accepts %s',
    (text) => {
      expect(checkBankCode(text)).toEqual({ ok: true });
    },
  );

  it.each([
    ['102100099997', 'check'],
    ['10210009999', 'length'],
    ['10210009999X', 'characters'],
  ])('doubts %s: %s', (text, reason) => {
    expect(reasonOf(checkBankCode(text))).toBe(reason);
  });

  property.prop({ body: digits(11), ...change })('never passes a code with one wrong digit', ({ body, place, step }) => {
    const code = body + bankCodeCheck(body);
    expect(checkBankCode(code).ok).toBe(true);
    expect(checkBankCode(changed(code, place, step, '0123456789')).ok).toBe(false);
  });
});

describe('mobile numbers', () => {
  it.each([
    ['13812345678', 'ok'],
    ['19900000000', 'ok'],
    ['12812345678', 'prefix'],
    ['1381234567', 'length'],
    ['+8613812345678', 'characters'],
  ])('%s: %s', (text, reason) => {
    expect(reasonOf(checkMobile(text))).toBe(reason);
  });
});

describe('virtual account numbers', () => {
  property.prop([fc.bigInt({ min: 0n, max: VIRTUAL_SEQUENCE_END - 1n }), fc.nat(18), fc.nat(1000)])(
    'are 19 digits that keep their sequence and betray one wrong digit',
    (sequence, place, step) => {
      const number = virtualAccountNo(sequence);
      expect(number).toMatch(/^9156[0-9]{15}$/);
      expect(BigInt(number.slice(4, 18))).toBe(sequence);
      expect(isVirtualAccountNo(number)).toBe(true);
      expect(isVirtualAccountNo(changed(number, place, step, '0123456789'))).toBe(false);
    },
  );

  it('end where the digits end', () => {
    expect(() => virtualAccountNo(VIRTUAL_SEQUENCE_END)).toThrow(RangeError);
    expect(() => virtualAccountNo(-1n)).toThrow(RangeError);
    expect(isVirtualAccountNo('6228480012345678903')).toBe(false);
  });
});

describe('masks', () => {
  it('keep what a person recognises his own by, and no more', () => {
    expect(maskName('王小明')).toBe('王**');
    expect(maskName('𠮷野')).toBe('𠮷*');
    expect(maskIdNo('11010519491231002X')).toBe('110*************2X');
    expect(maskCardNumber('6228480012345678903')).toBe('622848*********8903');
    expect(maskMobile('13812345678')).toBe('138****5678');
  });

  property.prop([fc.string({ unit: 'binary', maxLength: 40 })])(
    'show a text that is too short for them not at all, and keep the length',
    (text) => {
      const length = [...text].length;
      for (const [mask, shown] of [
        [maskName, 1],
        [maskIdNo, 5],
        [maskCardNumber, 10],
        [maskMobile, 7],
      ] as const) {
        expect([...mask(text)]).toHaveLength(length);
        if (length <= shown) expect(mask(text)).toBe('*'.repeat(length));
      }
    },
  );
});
