import { z } from 'zod';
import { ID_TYPES, type Minor } from '../../kernel/index.js';
import type { ElementsAnswer, ElementsQuestion, IdentityAnswer, IdentityQuestion } from '../verification/verification.js';
import { AccountClass, AccountNo, BankCode, Mobile, Name, Standing } from '../verification/wire.js';
import { draw } from './chance.js';

const AccountEntry = z.strictObject({
  /** '' for the custodian itself. */
  bankCode: BankCode.default(''),
  account: AccountNo,
  class: AccountClass.default('1'),
  /** none: the bank does not know the account. */
  standing: Standing.default('usable'),
  /** The mobile that this bank keeps, where it is not the person's. */
  mobile: Mobile.optional(),
  /** Fen as text; what can be collected from it. Without limit when absent. */
  funds: z
    .string()
    .regex(/^(0|[1-9][0-9]{0,17})$/)
    .optional(),
});
export const PersonEntry = z.strictObject({
  idType: z.enum(ID_TYPES).default('resident-id'),
  idNo: z.string().min(1).max(32),
  /** False: nobody was ever given this number. */
  issued: z.boolean().default(true),
  name: Name,
  mobile: Mobile.optional(),
  accounts: z.array(AccountEntry).max(100).default([]),
});
export type PersonEntry = z.output<typeof PersonEntry>;
type AccountEntry = z.output<typeof AccountEntry>;

interface Holding {
  readonly person: PersonEntry;
  readonly account: AccountEntry;
}

/** An account as the register has it; what is not registered is a Class I account of whoever is asked for. */
export interface KnownAccount {
  readonly name: string;
  readonly standing: z.output<typeof Standing>;
  readonly funds: Minor | undefined;
  readonly mobile: string | undefined;
}

/**
 * Who exists, and who has which account at which bank. A number that nobody registered was issued to whatever name is asked for,
 * and has every account that is asked for, so that a demo needs no registration.
 */
export class People {
  readonly #seed: number;
  readonly #people = new Map<string, PersonEntry>();
  #holdings = new Map<string, Holding>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Adds people, or replaces those of the same number. @returns why not, or undefined */
  put(entries: readonly PersonEntry[]): string | undefined {
    const after = new Map(this.#people);
    for (const entry of entries) after.set(`${entry.idType}/${entry.idNo}`, entry);
    const holdings = new Map<string, Holding>();
    for (const person of after.values()) {
      for (const account of person.accounts) {
        const key = accountKey(account.bankCode, account.account);
        if (holdings.has(key)) return `account ${account.account} is registered twice`;
        holdings.set(key, { person, account });
      }
    }
    for (const [key, entry] of after) this.#people.set(key, entry);
    this.#holdings = holdings;
    return undefined;
  }

  all(): PersonEntry[] {
    return [...this.#people.values()];
  }

  account(bankCode: string, account: string): KnownAccount | undefined {
    const holding = this.#holdings.get(accountKey(bankCode, account));
    if (holding === undefined) return undefined;
    const { standing, funds } = holding.account;
    const mobile = holding.account.mobile ?? holding.person.mobile;
    return { name: holding.person.name, standing, funds: funds === undefined ? undefined : BigInt(funds), mobile };
  }

  checkIdentity(of: IdentityQuestion): IdentityAnswer {
    const person = this.#people.get(`${of.idType}/${of.idNo}`);
    const evidence = this.#evidence('ID', [of.idType, of.idNo, of.name]);
    if (person === undefined || (person.issued && person.name === of.name)) return { result: 'match', evidence };
    return { result: person.issued ? 'name-differs' : 'unknown-number', evidence };
  }

  checkElements(of: ElementsQuestion): ElementsAnswer {
    const evidence = this.#evidence('EL', [of.idType, of.idNo, of.name, of.mobile, of.bankCode, of.account]);
    const holding = this.#holdings.get(accountKey(of.bankCode, of.account));
    if (holding === undefined) {
      const isStranger = !this.#people.has(`${of.idType}/${of.idNo}`);
      if (isStranger) return { result: 'match', accountClass: '1', standing: 'usable', evidence };
      return { result: 'differs', wrong: ['account'], standing: 'none', evidence };
    }
    const { person, account } = holding;
    if (account.standing === 'none') return { result: 'differs', wrong: ['account'], standing: 'none', evidence };
    const wrong = [
      ...(person.name === of.name ? [] : (['name'] as const)),
      ...(person.idType === of.idType && person.idNo === of.idNo ? [] : (['idNo'] as const)),
      ...((account.mobile ?? person.mobile ?? of.mobile) === of.mobile ? [] : (['mobile'] as const)),
    ];
    const { class: accountClass, standing } = account;
    if (wrong.length > 0) return { result: 'differs', wrong, accountClass, standing, evidence };
    return { result: 'match', accountClass, standing, evidence };
  }

  /** The number of an answer: the same whenever the same is asked under the same seed. */
  #evidence(prefix: string, question: readonly string[]): string {
    const number = Math.floor(draw(this.#seed, JSON.stringify([prefix, ...question])) * 2 ** 32);
    return `${prefix}${String(number).padStart(10, '0')}`;
  }
}

function accountKey(bankCode: string, account: string): string {
  return `${bankCode}/${account}`;
}
