import { createHash } from 'node:crypto';
import { bankCodeCheck, luhnDigit, organisationCodeCheck, residentIdCheck, usccCheck } from '../../src/kernel/index.js';

/**
 * Made-up people and companies behind the ids of the data: always the same for one id, with numbers that pass their checks and
 * belong to nobody.
 */
export interface BankAccount {
  readonly name: string;
  readonly account: string;
  /** Empty: at the custodian. */
  readonly bankCode: string;
}

const SURNAMES = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗'];
const GIVEN = [...'伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华文慧建国云'];
const CITIES = ['杭州', '宁波', '苏州', '广州', '深圳', '成都', '武汉', '青岛', '厦门', '长沙'];
const TRADES = ['商贸', '电子商务', '服饰', '家居', '食品', '数码科技', '文化用品', '户外用品'];
const BANKS = ['102100009999', '105100000017', '103100000026', '104100000004', '308584000013', '301290000007'];
const AREAS = ['110105', '310104', '330106', '440106', '510107', '420106', '320106', '370203'];

/** Numbers drawn out of an id: the same id always gives the same. */
function drawer(purpose: string, id: string) {
  const bytes = createHash('sha256').update(`${purpose}/${id}`).digest();
  let at = 0;
  const below = (end: number) => {
    const value = bytes.readUInt32BE((at % 7) * 4);
    at += 1;
    return value % end;
  };
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  return { below, pick, digits: (count: number) => String(below(10 ** Math.min(count, 9))).padStart(count, '0') };
}

/** Ids with a first hex digit of 0 to 7 have their account at the custodian, the others elsewhere. */
export function isAtCustodian(id: string): boolean {
  return /^[0-7]/.test(id);
}

function bankOf(id: string): string {
  if (isAtCustodian(id)) return '';
  const code = drawer('bank', id).pick(BANKS).slice(0, 11);
  return code + bankCodeCheck(code);
}

function personName(purpose: string, id: string): string {
  const { pick } = drawer(`${purpose}-name`, id);
  return pick(SURNAMES) + pick(GIVEN) + pick(GIVEN);
}

function cardNumber(purpose: string, id: string): string {
  const { digits } = drawer(`${purpose}-card`, id);
  const number = `6217${digits(7)}${digits(7)}`;
  return number + luhnDigit(number);
}

/** Who pays for the orders of a customer, and where a refund goes. */
export function payerOf(customerId: string): BankAccount {
  return { name: personName('payer', customerId), account: cardNumber('payer', customerId), bankCode: bankOf(customerId) };
}

/** The opening of a seller as a sub-merchant. @param number its place among the sellers, which makes its identity its own */
export function sellerOf(sellerId: string, number: number) {
  return drawer('kind', sellerId).below(2) === 0 ? companySeller(sellerId, number) : personSeller(sellerId, number);
}

function companySeller(sellerId: string, number: number) {
  const { pick, digits } = drawer('company', sellerId);
  const name = `${pick(CITIES)}${pick(GIVEN)}${pick(GIVEN)}${pick(TRADES)}有限公司`;
  const party = { kind: 'company' as const, name, idNo: usccOf(number), legalRepresentative: personName('legal', sellerId) };
  const account = `8${digits(8)}${digits(9)}`;
  return opening(sellerId, party, account);
}

/** @param number 0 to 99,999,999 */
export function usccOf(number: number): string {
  const organisation = String(number).padStart(8, '0');
  const first17 = `91330106${organisation}${organisationCodeCheck(organisation)}`;
  return first17 + usccCheck(first17);
}

function personSeller(sellerId: string, number: number) {
  const { pick, below } = drawer('person', sellerId);
  const birth = `${1955 + below(40)}${String(1 + below(12)).padStart(2, '0')}${String(1 + below(28)).padStart(2, '0')}`;
  const first17 = `${pick(AREAS)}${birth}${String(number % 1000).padStart(3, '0')}`;
  const party = { kind: 'person' as const, name: personName('seller', sellerId), idNo: first17 + residentIdCheck(first17) };
  return opening(sellerId, party, cardNumber('seller', sellerId));
}

function opening<Party extends { readonly name: string }>(sellerId: string, party: Party, account: string) {
  return { merchantNo: sellerId, party, settlementAccount: { name: party.name, account, bankCode: bankOf(sellerId) } };
}

/** A person who lends or borrows: whom a platform registers as its user, and the card that he binds. */
export interface Member {
  readonly party: object;
  readonly mobile: string;
  readonly card: BankAccount;
}

const CARD_BANK = '102100099996';

/** @param number 0 to 34,999, which makes his identity and mobile number his own */
export function memberOf(number: number): Member {
  const id = `member-${number}`;
  const { pick, below } = drawer('member', id);
  const two = (value: number) => String(value).padStart(2, '0');
  const birth = `${1960 + Math.floor(number / 1000)}${two(1 + below(12))}${two(1 + below(28))}`;
  const first17 = `${AREAS[0]}${birth}${String(number % 1000).padStart(3, '0')}`;
  const name = personName('member', id);
  const mobile = `139${10_000_000 + number}`;
  const identity = { name, idType: 'resident-id', idNo: first17 + residentIdCheck(first17), idExpires: null };
  const address = `${pick(CITIES)}市某路 ${1 + below(400)} 号`;
  return {
    party: { kind: 'person', ...identity, mobile, address, occupation: '职员' },
    mobile,
    card: { name, account: cardNumber('member', id), bankCode: CARD_BANK },
  };
}
