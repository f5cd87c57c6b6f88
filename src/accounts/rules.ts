import { addDays, type BusinessDate, checkBankCode, checkCardNumber, type Minor, type Refusal, refuse } from '../kernel/index.js';
import {
  type AccountType,
  availableOf,
  isAsset,
  type LedgerAccount,
  reservedOf,
  unclearedOf,
  withdrawableOf,
} from '../ledger/index.js';
import {
  checkParty,
  describeFault,
  type Finding,
  type Findings,
  type Party,
  type PartyKind,
  type Warning,
} from '../parties/index.js';
import { type Cycle, type CycleTerms, cycleFaults, isSameDay } from './cycle.js';

/** The account outside, in its owner's own name, to which an owner's money is paid, and nowhere else. */
export interface SettlementAccount {
  readonly name: string;
  readonly account: string;
  /** 12-digit bank code; empty for the custodian itself. */
  readonly bankCode: string;
}

export interface NewSubMerchant {
  readonly merchantNo: string;
  readonly party: Party;
  readonly settlementAccount: SettlementAccount;
  readonly cycle: Cycle;
  /** N of `t+n`; absent otherwise. */
  readonly cycleDays?: number | undefined;
  /** Of `weekly` and `monthly`; absent otherwise. */
  readonly payDay?: number | undefined;
}

/** The cycle that an opening asks for. */
export function cycleOf({ cycle, cycleDays, payDay }: Pick<NewSubMerchant, 'cycle' | 'cycleDays' | 'payDay'>): CycleTerms {
  return { cycle, cycleDays: cycleDays ?? null, payDay: payDay ?? null };
}

/** What makes two openings under one number the same: every field, in a fixed order, absent ones as such. */
export function contentOf({ party, settlementAccount, cycle, cycleDays, payDay }: NewSubMerchant): string {
  const { kind, name, idNo, legalRepresentative = null, mobile = null } = party;
  const { name: holder, account, bankCode } = settlementAccount;
  // The days of a cycle stand behind only where it has some: openings from before it could have them mean the same for ever.
  const days = cycleDays === undefined && payDay === undefined ? [] : [cycleDays ?? null, payDay ?? null];
  return JSON.stringify([kind, name, idNo, legalRepresentative, mobile, holder, account, bankCode, cycle, ...days]);
}

/**
 * Everything that is wrong with an opening, at once.
 * @param sameDayDays days since its opening before which a sub-merchant is not settled on the day itself
 * @param root pointer of the opening in the request
 */
export function checkSubMerchant(of: NewSubMerchant, today: BusinessDate, sameDayDays: number, root = ''): Findings {
  const bound = checkSettlementAccount(of.settlementAccount, of.party, `${root}/settlementAccount`);
  const faults: Finding[] = [...checkParty(of.party, today, `${root}/party`), ...bound.faults];
  for (const { field, detail } of cycleFaults(cycleOf(of)))
    faults.push({ code: 'CYCLE_INVALID', pointer: `${root}/${field}`, detail });
  if (isSameDay(of.cycle) && sameDayDays > 0)
    faults.push({
      ...{ code: 'SETTLEMENT_TOO_EARLY' as const, pointer: `${root}/cycle` },
      detail: `can be agreed for ${addDays(today, sameDayDays)} at the earliest`,
    });
  return { faults, warnings: bound.warnings };
}

/**
 * A settlement account must be its owner's own. Of its numbers only one that must be a card of UnionPay is held to its check
 * digit: accounts of companies and passbooks have none, and no rule names the one of bank codes.
 */
export function checkSettlementAccount(
  { name, account, bankCode }: SettlementAccount,
  owner: { readonly name: string; readonly kind: PartyKind },
  root = '/settlementAccount',
): Findings {
  const faults: Finding[] = [];
  const warnings: Warning[] = [];
  if (comparable(name) !== comparable(owner.name)) {
    faults.push({ code: 'HOLDER_NAME_DIFFERS', pointer: `${root}/name`, detail: 'is not the name of the owner' });
  }
  const card = checkCardNumber(account);
  if (owner.kind === 'person' && !card.ok) {
    const pointer = `${root}/account`;
    if (card.reason === 'check' && /^62[0-9]{14,17}$/.test(account)) {
      faults.push({ code: 'CARD_NUMBER_INVALID', pointer, detail: describeFault('check') });
    } else
      warnings.push({ code: 'ACCOUNT_NUMBER_CHECK', pointer, detail: 'is no card number; is it an old account or passbook?' });
  }
  const bank = bankCode === '' ? undefined : checkBankCode(bankCode);
  if (bank?.ok === false) {
    warnings.push({ code: 'BANK_CODE_CHECK', pointer: `${root}/bankCode`, detail: describeFault(bank.reason) });
  }
  return { faults, warnings };
}

/** Full-width and half-width forms of a character, such as the two kinds of brackets, are one. */
function comparable(name: string): string {
  return name.normalize('NFKC');
}

/** One refusal that carries every fault; its code is that of the first. */
export function refusalOf([first, ...others]: readonly Finding[]): Refusal | undefined {
  if (first === undefined) return undefined;
  return refuse(first.code, `${first.pointer} ${first.detail}`, { faults: [first, ...others] });
}

/** The balances of an account, each defined once in the ledger; minor units. */
export interface Balances {
  readonly balance: Minor;
  readonly held: Minor;
  readonly available: Minor;
  readonly uncleared: Minor;
  readonly withdrawable: Minor;
}

/** An asset of the bank's is below zero in the books, and shown as the money that is kept, or owed by channels. */
export function shown(type: AccountType, amount: Minor): Minor {
  return isAsset(type) ? -amount : amount;
}

export function balancesOf(account: LedgerAccount): Balances {
  const seen = { ...account, balance: shown(account.type, account.balance) };
  return {
    balance: seen.balance,
    held: reservedOf(seen),
    available: availableOf(seen),
    uncleared: unclearedOf(seen),
    withdrawable: withdrawableOf(seen),
  };
}
