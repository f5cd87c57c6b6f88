import {
  type BusinessDate,
  checkResidentId,
  checkUscc,
  type IdentifierFault,
  maskIdNo,
  maskMobile,
  type RefusalCode,
} from '../kernel/index.js';

export type PartyKind = 'company' | 'person';

export interface Party {
  readonly kind: PartyKind;
  readonly name: string;
  /** A unified social credit code for a company, a resident identity number for a person; capital letters. */
  readonly idNo: string;
  readonly legalRepresentative?: string | undefined;
  readonly mobile?: string | undefined;
}

/** Which identifier a party of this kind is known by. */
export const ID_TYPES = { company: 'uscc', person: 'resident-id' } as const;

/** One reason to refuse, with the place of the field that is wrong. */
export interface Finding {
  readonly code: RefusalCode;
  /** A JSON pointer. */
  readonly pointer: string;
  readonly detail: string;
}

/** What looks wrong and is no reason to refuse. */
export interface Warning {
  readonly code: 'BANK_CODE_CHECK' | 'ACCOUNT_NUMBER_CHECK';
  readonly pointer: string;
  readonly detail: string;
}

export interface Findings {
  readonly faults: readonly Finding[];
  readonly warnings: readonly Warning[];
}

const REASONS: Readonly<Record<IdentifierFault, string>> = {
  length: 'has the wrong length',
  characters: 'holds a character that cannot stand there',
  area: 'names no area of the country',
  date: 'holds a date that does not exist',
  registry: 'names no registering body',
  check: 'fails its check character',
  'inner-check': 'holds an organisation code that fails its check character',
  prefix: 'has the wrong prefix',
};

export function describeFault(reason: IdentifierFault): string {
  return REASONS[reason];
}

/**
 * Every fault of a party's particulars at once (GB 32100 for companies, GB 11643 for persons).
 * @param today nobody is born after it
 * @param root pointer of the party in the request
 */
export function checkParty(party: Party, today: BusinessDate, root = '/party'): Finding[] {
  const fault = (code: RefusalCode, detail: string): Finding[] => [{ code, pointer: `${root}/idNo`, detail }];
  if (party.kind === 'company') {
    const checked = checkUscc(party.idNo);
    return checked.ok ? [] : fault('USCC_INVALID', describeFault(checked.reason));
  }
  const checked = checkResidentId(party.idNo);
  if (!checked.ok) return fault('ID_NUMBER_INVALID', describeFault(checked.reason));
  return checked.birthDate > today ? fault('ID_NUMBER_INVALID', 'holds a date of birth in the future') : [];
}

/** A party as answers show it: numbers masked, the name whole, since whoever asks gave it. */
export function maskedParty(party: Party) {
  return {
    kind: party.kind,
    name: party.name,
    idType: ID_TYPES[party.kind],
    idNo: maskIdNo(party.idNo),
    ...(party.legalRepresentative === undefined ? {} : { legalRepresentative: party.legalRepresentative }),
    ...(party.mobile === undefined ? {} : { mobile: maskMobile(party.mobile) }),
  };
}
