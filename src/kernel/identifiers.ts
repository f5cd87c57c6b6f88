import { type BusinessDate, parseBusinessDate } from './time.js';

/**
 * The checks that an identifier carries in itself. They find slips of the hand and of the line, not forgeries: that a number
 * was issued, and to whom, only its issuer can say. Nothing here trims or changes case; callers normalise first.
 */
export type IdentifierFault = 'length' | 'characters' | 'area' | 'date' | 'registry' | 'check' | 'inner-check' | 'prefix';
export type Checked<Found = unknown> = ({ readonly ok: true } & Found) | { readonly ok: false; readonly reason: IdentifierFault };

const fault = (reason: IdentifierFault) => ({ ok: false, reason }) as const;

// Provinces, regions and municipalities by GB/T 2260; 81–83 are the residence permits of Hong Kong, Macao and Taiwan.
const PROVINCES = new Set(
  '11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83'.split(' '),
);

const RESIDENT_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const RESIDENT_CHECKS = '10X98765432';

/** The check character of a resident identity number (GB 11643, ISO 7064 MOD 11-2). @param first17 seventeen digits */
export function residentIdCheck(first17: string): string {
  const sum = RESIDENT_WEIGHTS.reduce((total, weight, place) => total + weight * Number(first17[place]), 0);
  return RESIDENT_CHECKS[sum % 11] as string;
}

/**
 * A resident identity number by GB 11643: area, date of birth, sequence, check. The date must exist; whether it lies in the
 * future only a caller with a clock can say.
 */
export function checkResidentId(text: string): Checked<{ birthDate: BusinessDate; sex: 'M' | 'F' }> {
  if (text.length !== 18) return fault('length');
  if (!/^[0-9]{17}[0-9X]$/.test(text)) return fault('characters');
  if (!PROVINCES.has(text.slice(0, 2))) return fault('area');
  const birthDate = parseBusinessDate(`${text.slice(6, 10)}-${text.slice(10, 12)}-${text.slice(12, 14)}`);
  if (birthDate === undefined || birthDate < '1850-01-01') return fault('date');
  if (residentIdCheck(text) !== text[17]) return fault('check');
  return { ok: true, birthDate, sex: Number(text[16]) % 2 === 1 ? 'M' : 'F' };
}

const USCC_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const USCC_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const ORGANISATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];
// Who registers: 1 staffing office, 5 civil affairs, 9 market regulation, A the military, N agriculture, Y others.
const REGISTRIES = new Set('123456789ANY');

/** The check character of an organisation code (GB 11714). @param first8 eight digits or capital letters */
export function organisationCodeCheck(first8: string): string {
  const sum = ORGANISATION_WEIGHTS.reduce(
    (total, weight, place) => total + weight * Number.parseInt(first8[place] as string, 36),
    0,
  );
  const check = 11 - (sum % 11);
  return check === 10 ? 'X' : String(check % 11);
}

/** The check character of a unified social credit code (GB 32100). @param first17 its other seventeen characters */
export function usccCheck(first17: string): string {
  const sum = USCC_WEIGHTS.reduce((total, weight, place) => total + weight * USCC_ALPHABET.indexOf(first17[place] as string), 0);
  return USCC_ALPHABET[(31 - (sum % 31)) % 31] as string;
}

/** A unified social credit code by GB 32100, with the organisation code (GB 11714) that stands in its characters 9 to 17. */
export function checkUscc(text: string): Checked {
  if (text.length !== 18) return fault('length');
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(text)) return fault('characters');
  if (!REGISTRIES.has(text.slice(0, 1))) return fault('registry');
  const area = text.slice(2, 8);
  // 100000 is the state itself: bodies that a central office registers.
  if (!/^[0-9]{6}$/.test(area) || !(PROVINCES.has(area.slice(0, 2)) || area === '100000')) return fault('area');
  if (usccCheck(text) !== text[17]) return fault('check');
  if (organisationCodeCheck(text.slice(8)) !== text[16]) return fault('inner-check');
  return { ok: true };
}

/** The Luhn digit that follows `digits` (ISO/IEC 7812-1, annex B). */
export function luhnDigit(digits: string): string {
  let sum = 0;
  for (let place = digits.length - 1, double = true; place >= 0; place -= 1, double = !double) {
    const digit = Number(digits[place]);
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

/** A bank card number: 13 to 19 digits that end in their Luhn digit. */
export function checkCardNumber(text: string): Checked {
  if (!/^[0-9]*$/.test(text)) return fault('characters');
  if (text.length < 13 || text.length > 19) return fault('length');
  return luhnDigit(text.slice(0, -1)) === text.slice(-1) ? { ok: true } : fault('check');
}

/** The check digit of a CNAPS bank code: ISO 7064 MOD 11,10. @param first11 eleven digits */
export function bankCodeCheck(first11: string): string {
  let product = 10;
  for (const char of first11.slice(0, 11)) {
    const sum = (product + Number(char)) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return String((11 - product) % 10);
}

/**
 * A CNAPS bank code (联行号): twelve digits, the last one a check. No rule names the algorithm and a few codes in use fail
 * it, so a failed `check` is a reason to warn and never one to refuse.
 */
export function checkBankCode(text: string): Checked {
  if (text.length !== 12) return fault('length');
  if (!/^[0-9]{12}$/.test(text)) return fault('characters');
  return bankCodeCheck(text) === text[11] ? { ok: true } : fault('check');
}

/** A mobile number of the Chinese mainland, without the country code. */
export function checkMobile(text: string): Checked {
  if (!/^[0-9]*$/.test(text)) return fault('characters');
  if (text.length !== 11) return fault('length');
  return /^1[3-9]/.test(text) ? { ok: true } : fault('prefix');
}

// ISO/IEC 7812: 9 is for national assignment and the country's number follows, so that no card of any scheme has this prefix.
export const VIRTUAL_PREFIX = '9156';
const VIRTUAL_SEQUENCE_DIGITS = 14;
/** The first sequence number that has no virtual account number. */
export const VIRTUAL_SEQUENCE_END = 10n ** BigInt(VIRTUAL_SEQUENCE_DIGITS);

/**
 * The virtual account number of a sequence number: 19 digits, prefix, sequence and Luhn digit.
 * @param sequence from 0 up to VIRTUAL_SEQUENCE_END
 * @throws RangeError beyond it
 */
export function virtualAccountNo(sequence: bigint): string {
  if (sequence < 0n || sequence >= VIRTUAL_SEQUENCE_END) throw new RangeError(`no virtual account number for ${sequence}`);
  const digits = VIRTUAL_PREFIX + String(sequence).padStart(VIRTUAL_SEQUENCE_DIGITS, '0');
  return digits + luhnDigit(digits);
}

export function isVirtualAccountNo(text: string): boolean {
  return /^[0-9]{19}$/.test(text) && text.startsWith(VIRTUAL_PREFIX) && checkCardNumber(text).ok;
}

/** Keeps `head` and `tail` characters and puts a star for each of the others; too short a text is starred whole. */
function mask(text: string, head: number, tail: number): string {
  const chars = [...text];
  const hidden = chars.length - head - tail;
  if (hidden < 1) return '*'.repeat(chars.length);
  return chars.slice(0, head).join('') + '*'.repeat(hidden) + chars.slice(chars.length - tail).join('');
}

/** A person's name: the first character stays (王**). */
export function maskName(name: string): string {
  return mask(name, 1, 0);
}

/** An identity number or credit code: the first three and last two characters stay. */
export function maskIdNo(idNo: string): string {
  return mask(idNo, 3, 2);
}

/** A card or account number: the issuer's six digits and the last four stay. */
export function maskCardNumber(cardNumber: string): string {
  return mask(cardNumber, 6, 4);
}

/** A mobile number: 138****5678. */
export function maskMobile(mobile: string): string {
  return mask(mobile, 3, 4);
}

/** What a person or company is identified by; in the database as it stands here. */
export const ID_TYPES = [
  'resident-id', // 居民身份证
  'passport', // 护照
  'hk-macao-permit', // 港澳居民居住证 / 来往内地通行证
  'taiwan-permit', // 台湾居民居住证 / 来往大陆通行证
  'foreigner-permit', // 外国人永久居留身份证
  'uscc', // 统一社会信用代码
] as const;
export type IdType = (typeof ID_TYPES)[number];
