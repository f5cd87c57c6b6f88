import {
  type BusinessDate,
  checkResidentId,
  checkUscc,
  type IdType,
  parseBusinessDate,
  type RefusalCode,
  residentIdCheck,
} from '../../kernel/index.js';
import { describeFault, type Finding } from '../rules.js';

/** The documents that a person is known by. */
export const PERSON_ID_TYPES = ['resident-id', 'passport', 'hk-macao-permit', 'taiwan-permit', 'foreigner-permit'] as const;
export type PersonIdType = (typeof PERSON_ID_TYPES)[number];

/** A person by name and document. */
export interface IdentifiedPerson {
  readonly name: string;
  readonly idType: PersonIdType;
  /** Capital letters. */
  readonly idNo: string;
  /** Needed where the number does not carry it. */
  readonly birthDate?: BusinessDate | undefined;
  /** Last valid day of the document; null: for long (长期). */
  readonly idExpires: BusinessDate | null;
}

export interface PersonParticulars extends IdentifiedPerson {
  readonly kind: 'person';
  readonly mobile: string;
  readonly address?: string | undefined;
  readonly occupation?: string | undefined;
}

/** Who acts for a company towards the bank (经办人). */
export interface CompanyOperator extends IdentifiedPerson {
  readonly mobile: string;
}

/** Somebody who owns a quarter of a company or more (受益所有人), with his share in basis points. */
export interface BeneficialOwner extends IdentifiedPerson {
  readonly share: number;
}

export interface CompanyParticulars {
  readonly kind: 'company';
  readonly name: string;
  /** Unified social credit code. */
  readonly idNo: string;
  /** Last day of the licence; null: for long. */
  readonly idExpires: BusinessDate | null;
  readonly address?: string | undefined;
  readonly representative: IdentifiedPerson;
  readonly operator: CompanyOperator;
  readonly owners: readonly BeneficialOwner[];
}

export type Particulars = PersonParticulars | CompanyParticulars;

/** Particulars of which some may be missing, because they were unreadable; what is there has the right shape. */
type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };
export interface LooseCompany extends Loose<Omit<CompanyParticulars, 'kind' | 'representative' | 'operator' | 'owners'>> {
  readonly kind: 'company';
  readonly representative?: Loose<IdentifiedPerson> | undefined;
  readonly operator?: Loose<CompanyOperator> | undefined;
  readonly owners?: readonly Loose<BeneficialOwner>[] | undefined;
}
export type LoosePerson = Loose<Omit<PersonParticulars, 'kind'>> & { readonly kind: 'person' };
export type LooseParticulars = LoosePerson | LooseCompany;

export interface CheckedOn {
  readonly today: BusinessDate;
  /** Full years from which a person acts without a guardian. */
  readonly adultAge: number;
}

type CheckedId = { readonly ok: true; readonly birthDate?: BusinessDate } | { readonly ok: false; readonly detail: string };

const wrong = (detail: string): CheckedId => ({ ok: false, detail });

// The two digits with which the residence permits of Hong Kong, Macao and Taiwan begin.
const PERMITS: Readonly<Record<string, PersonIdType>> = { 81: 'hk-macao-permit', 82: 'hk-macao-permit', 83: 'taiwan-permit' };
// What stood before the residence permits and is still valid: 来往内地通行证, 来往大陆通行证, the old 外国人永久居留证.
const OLD_FORMS: Partial<Record<PersonIdType, RegExp>> = {
  'hk-macao-permit': /^[HM][0-9]{8}(?:[0-9]{2})?$/,
  'taiwan-permit': /^(?:[0-9]{8}|[0-9]{10})$/,
  'foreigner-permit': /^[A-Z]{3}[0-9]{12}$/,
};

/** What a document's number says about itself, by the form that the document has; capital letters. */
export function checkIdNo(idType: PersonIdType, idNo: string): CheckedId {
  if (idType === 'passport') return /^[A-Z0-9]{5,15}$/.test(idNo) ? { ok: true } : wrong(describeFault('length'));
  if (OLD_FORMS[idType]?.test(idNo)) return { ok: true };
  if (idType === 'foreigner-permit') return checkForeigner(idNo);
  const checked = checkResidentId(idNo);
  if (!checked.ok) return wrong(describeFault(checked.reason));
  if ((PERMITS[idNo.slice(0, 2)] ?? 'resident-id') !== idType) return wrong('is the number of another sort of document');
  return { ok: true, birthDate: checked.birthDate };
}

/** 外国人永久居留身份证: a 9, then region and nationality; date of birth, sequence and check stand as in GB 11643. */
function checkForeigner(idNo: string): CheckedId {
  if (!/^9[0-9]{16}[0-9X]$/.test(idNo)) return wrong(describeFault(idNo.length === 18 ? 'characters' : 'length'));
  const birthDate = parseBusinessDate(`${idNo.slice(6, 10)}-${idNo.slice(10, 12)}-${idNo.slice(12, 14)}`);
  if (birthDate === undefined) return wrong(describeFault('date'));
  return residentIdCheck(idNo) === idNo[17] ? { ok: true, birthDate } : wrong(describeFault('check'));
}

/**
 * Whether somebody has that many full years. Who was born on 29 February completes a year on 1 March where there is no such day.
 * Dates as text order like dates, also that 29 February which does not exist.
 */
export function isOfAge(birthDate: BusinessDate, today: BusinessDate, years: number): boolean {
  return `${String(Number(birthDate.slice(0, 4)) + years).padStart(4, '0')}${birthDate.slice(4)}` <= today;
}

const OWNER_SHARE_MIN = 2_500;
const WHOLE = 10_000;

/** Every fault of a party's particulars that can be known without asking anybody, at once. */
export function checkParticulars(of: LooseParticulars, on: CheckedOn, root = '/party'): Finding[] {
  return of.kind === 'person' ? checkPerson(of, on, root) : checkCompany(of, on, root);
}

function checkPerson(of: Loose<IdentifiedPerson>, on: CheckedOn, root: string): Finding[] {
  const faults: Finding[] = [];
  const fault = (code: RefusalCode, field: string, detail: string) => faults.push({ code, pointer: `${root}/${field}`, detail });
  const checked = of.idType === undefined || of.idNo === undefined ? undefined : checkIdNo(of.idType, of.idNo);
  if (checked?.ok === false) fault('ID_NUMBER_INVALID', 'idNo', checked.detail);
  const inNumber = checked?.ok ? checked.birthDate : undefined;
  if (inNumber !== undefined && of.birthDate !== undefined && of.birthDate !== inNumber)
    fault('PARTICULARS_INVALID', 'birthDate', 'is not the date of birth in the number');
  if (checked?.ok && inNumber === undefined && of.birthDate === undefined)
    fault('PARTICULARS_INVALID', 'birthDate', 'is needed: the number does not carry it');
  const birthDate = inNumber ?? of.birthDate;
  if (birthDate !== undefined && birthDate > on.today) {
    if (inNumber !== undefined) fault('ID_NUMBER_INVALID', 'idNo', 'holds a date of birth in the future');
    else fault('PARTICULARS_INVALID', 'birthDate', 'lies in the future');
  } else if (birthDate !== undefined && !isOfAge(birthDate, on.today, on.adultAge)) {
    fault('MINOR_NOT_ALLOWED', inNumber === undefined ? 'birthDate' : 'idNo', `is younger than ${on.adultAge}`);
  }
  if (isExpired(of.idExpires, on.today)) fault('ID_DOCUMENT_EXPIRED', 'idExpires', 'has passed');
  return faults;
}

/** A document is valid through its last day. */
function isExpired(idExpires: BusinessDate | null | undefined, today: BusinessDate): boolean {
  return idExpires !== undefined && idExpires !== null && idExpires < today;
}

function checkCompany(of: LooseCompany, on: CheckedOn, root: string): Finding[] {
  const faults: Finding[] = [];
  const code = of.idNo === undefined ? undefined : checkUscc(of.idNo);
  if (code?.ok === false) faults.push({ code: 'USCC_INVALID', pointer: `${root}/idNo`, detail: describeFault(code.reason) });
  if (isExpired(of.idExpires, on.today))
    faults.push({ code: 'ID_DOCUMENT_EXPIRED', pointer: `${root}/idExpires`, detail: 'has passed' });
  if (of.representative !== undefined) faults.push(...checkPerson(of.representative, on, `${root}/representative`));
  if (of.operator !== undefined) faults.push(...checkPerson(of.operator, on, `${root}/operator`));
  return [...faults, ...checkOwners(of.owners ?? [], on, `${root}/owners`)];
}

/** Owners may be minors: they act through nobody here. Each holds a quarter at least, and all of them not more than the whole. */
function checkOwners(owners: readonly Loose<BeneficialOwner>[], on: CheckedOn, root: string): Finding[] {
  const fault = (pointer: string, detail: string): Finding => ({ code: 'PARTICULARS_INVALID', pointer, detail });
  const faults = owners.flatMap((owner, place) => [
    ...checkPerson(owner, { ...on, adultAge: 0 }, `${root}/${place}`),
    ...(owner.share !== undefined && owner.share < OWNER_SHARE_MIN
      ? [fault(`${root}/${place}/share`, 'is less than a quarter: no beneficial owner')]
      : []),
  ]);
  const sum = owners.reduce((total, owner) => total + (owner.share ?? 0), 0);
  if (sum > WHOLE) faults.push(fault(root, 'hold more than the whole together'));
  const numbers = owners.map((owner) => `${owner.idType} ${owner.idNo}`);
  owners.forEach((owner, place) => {
    if (owner.idNo !== undefined && numbers.indexOf(numbers[place] as string) < place)
      faults.push(fault(`${root}/${place}/idNo`, 'stands twice'));
  });
  return faults;
}

/** Everybody who stands behind a party: itself first, then those who act for it or own it; each person once for a role. */
export function identitiesOf(of: Particulars): NamedIdentity[] {
  if (of.kind === 'person') return [{ role: 'self', idType: of.idType, idNo: of.idNo, name: of.name }];
  const people: [string, IdentifiedPerson][] = [
    ['representative', of.representative],
    ['operator', of.operator],
    ...of.owners.map((owner): [string, IdentifiedPerson] => ['owner', owner]),
  ];
  return [
    { role: 'self', idType: 'uscc', idNo: of.idNo, name: of.name },
    ...people.map(([role, { idType, idNo, name }]) => ({ role, idType, idNo, name })),
  ];
}

export interface NamedIdentity {
  readonly role: string;
  readonly idType: IdType;
  readonly idNo: string;
  readonly name: string;
}

/** Whose identity others are asked about: the party, and who speaks for a company; one person in two roles once. */
export function identitiesToVerify(of: Particulars): NamedIdentity[] {
  const asked = new Map<string, NamedIdentity>();
  for (const identity of identitiesOf(of)) {
    const key = JSON.stringify([identity.idType, identity.idNo, identity.name]);
    if (identity.role !== 'owner' && !asked.has(key)) asked.set(key, identity);
  }
  return [...asked.values()];
}

/** One spelling of a name for comparing: full-width and half-width forms are one, blanks, dots and case do not count. */
export function comparableName(name: string): string {
  return name
    .normalize('NFKC')
    .replace(/[\s·•・.,]/gu, '')
    .toUpperCase();
}

/** The mobile number by which a party is reached: a person's own, or that of who acts for a company. */
export function mobileOf(of: Particulars): string {
  return of.kind === 'person' ? of.mobile : of.operator.mobile;
}
