import type { ElementsAnswer } from '../../channels/index.js';
import { type BusinessDate, maskCardNumber, type RefusalCode } from '../../kernel/index.js';
import {
  type AsOf,
  type Customer,
  checkIdNo,
  customerStanding,
  type Finding,
  type Findings,
  isOfAge,
  type PersonIdType,
  type User,
  userStanding,
} from '../../parties/index.js';
import type { CardClass } from '../electronic.js';
import { checkSettlementAccount } from '../rules.js';

/** The account outside that is to be bound, as the platform carries it; what is absent is an element that is missing. */
export interface AskedCard {
  readonly account?: string | undefined;
  /** 12-digit bank code; empty for the custodian itself. */
  readonly bankCode: string;
  readonly mobile?: string | undefined;
}

export interface Card {
  readonly account: string;
  readonly bankCode: string;
  readonly mobile: string;
}

/** Who is to own the account, and what of his accounts decides whether he may have another. */
export interface Applicant {
  readonly user: Pick<User, 'state' | 'refusal'>;
  readonly customer: Customer | null;
  /** How many accounts of the class he has that are not closed. */
  readonly held: number;
  /** Under which he may show to be reached. */
  readonly mobiles: readonly string[];
  /** The card is bound to somebody else's account. */
  readonly cardTaken: boolean;
}

/**
 * Everything that is wrong with an opening and that the bank knows itself, at once: who the applicant is, whether he may have one more
 * account of the class (银发〔2018〕16号: five), and the elements as far as their own form and our own records say.
 */
export function checkOpening(of: { class: 2 | 3; card: AskedCard }, applicant: Applicant, asOf: AsOf): Findings {
  const { user, customer, mobiles, held, cardTaken } = applicant;
  const faults: Finding[] = [];
  const fault = (code: RefusalCode, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  const standing = userStanding(user);
  if (standing !== undefined) fault(standing.code, '/user', standing.detail ?? 'may not open accounts');
  if (customer !== null) faults.push(...checkOwner(customer, asOf));
  const bound = checkCard(of.card, customer && { name: customer.name, mobiles });
  faults.push(...bound.faults);
  if (cardTaken) fault('CARD_TAKEN', '/card/account', "is bound to another person's account");
  const most = Number(asOf.parameters.on(asOf.today, `class-${of.class}.accounts`));
  if (held >= most) fault('ACCOUNTS_MAX', '/class', `is held ${held} times already; ${most} are allowed`);
  return { faults, warnings: bound.warnings };
}

/** An account is opened only with a document that is valid today: the days of grace are for those who have one. */
function checkOwner(customer: Customer, asOf: AsOf): Finding[] {
  if (customer.kind !== 'person') return [{ code: 'PERSON_ONLY', pointer: '/user', detail: 'is a company' }];
  const faults: Finding[] = [];
  if (!isAdult(customer, asOf)) faults.push({ code: 'MINOR_NOT_ALLOWED', pointer: '/user', detail: 'is not shown to be of age' });
  const expired = customer.idExpires !== null && customer.idExpires < asOf.today;
  if (expired) faults.push({ code: 'ID_DOCUMENT_EXPIRED', pointer: '/user', detail: 'has no valid identity document' });
  const stopped = customerStanding(customer, asOf);
  if (stopped !== undefined && !(expired && stopped.code === 'ID_DOCUMENT_EXPIRED'))
    faults.push({ code: stopped.code, pointer: '/user', detail: 'may do no business outside the counter' });
  return faults;
}

function isAdult({ idType, idNo, particulars }: Customer, { today, parameters }: AsOf): boolean {
  const checked = idType === 'uscc' ? undefined : checkIdNo(idType as PersonIdType, idNo);
  const registered = particulars?.kind === 'person' ? particulars.birthDate : undefined;
  const birthDate: BusinessDate | undefined = (checked?.ok ? checked.birthDate : undefined) ?? registered;
  return birthDate !== undefined && isOfAge(birthDate, today, Number(parameters.on(today, 'adult.age')));
}

/**
 * What of a card can be said without its bank: all elements are there, its number stands, and the mobile is one under which its owner may
 * show to be reached (names, numbers and standing are the bank's to say).
 */
export function checkCard(card: AskedCard, customer: CardOwner | null, root = '/card'): Findings {
  const faults: Finding[] = [];
  const missing = (field: string) => faults.push({ code: 'ELEMENT_MISSING', pointer: `${root}/${field}`, detail: 'is missing' });
  if (card.account === undefined) missing('account');
  if (card.mobile === undefined) missing('mobile');
  else if (customer !== null && !customer.mobiles.includes(card.mobile))
    faults.push({ code: 'MOBILE_DIFFERS', pointer: `${root}/mobile`, detail: "is not the customer's verified mobile number" });
  if (card.account === undefined) return { faults, warnings: [] };
  const holder = customer?.name ?? '';
  const { account, bankCode } = card;
  const number = checkSettlementAccount({ name: holder, account, bankCode }, { name: holder, kind: 'person' }, root);
  return { faults: [...faults, ...number.faults], warnings: number.warnings };
}

/** Whose card it is to be. */
export interface CardOwner {
  readonly name: string;
  readonly mobiles: readonly string[];
}

export interface Binding {
  readonly class: 2 | 3;
  /** Of the platform: a lending platform binds no credit card. */
  readonly profile: string;
}

const WRONG: Readonly<Record<NonNullable<ElementsAnswer['wrong']>[number], readonly [pointer: string, detail: string]>> = {
  name: ['/user', 'the name is not the holder of the account'],
  idNo: ['/user', 'the identity number is not that of the holder'],
  mobile: ['/card/mobile', "is not the mobile number that the account's bank keeps"],
  account: ['/card/account', 'is not known to its bank'],
};

/**
 * What the answer of the card's bank forbids (银发〔2016〕302号): for Class Ⅱ the five elements, so an account of Class Ⅰ or a credit card;
 * for Class Ⅲ four; never a payment account, on a lending platform never a credit card. Of an account that is not the customer's
 * nothing more is told than that.
 */
export function checkElementsAnswer(answer: ElementsAnswer, of: Binding): Finding[] {
  const { result, accountClass, standing, wrong = [] } = answer;
  const pointer = '/card/account';
  if (standing === 'none') return [{ code: 'BOUND_ACCOUNT_UNUSABLE', pointer, detail: 'does not exist' }];
  if (result !== 'match') {
    const named = wrong.map(
      (element): Finding => ({ code: 'ELEMENTS_DIFFER', pointer: WRONG[element][0], detail: WRONG[element][1] }),
    );
    return named.length > 0 ? named : [{ code: 'ELEMENTS_DIFFER', pointer, detail: 'does not belong to the customer' }];
  }
  const faults: Finding[] = [];
  if (accountClass === 'payment') faults.push({ code: 'PAYMENT_ACCOUNT_BOUND', pointer, detail: 'is a payment account' });
  else if (accountClass === 'credit' && of.profile === 'lending')
    faults.push({ code: 'CREDIT_CARD_BOUND', pointer, detail: 'is a credit card' });
  else if (of.class === 2 && accountClass !== '1' && accountClass !== 'credit')
    faults.push({ code: 'BOUND_ACCOUNT_CLASS', pointer, detail: 'is neither of Class Ⅰ nor a credit card' });
  if (standing !== 'usable') faults.push({ code: 'BOUND_ACCOUNT_UNUSABLE', pointer, detail: 'is frozen' });
  return faults;
}

/** The class of a card whose bank's answer allows it to be bound. */
export function cardClassOf({ accountClass }: ElementsAnswer): CardClass | undefined {
  return accountClass === 'payment' ? undefined : accountClass;
}

const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 300_000;

/** How long to wait before asking again a counterpart that did not answer; it grows to five minutes. */
export function askAgainAfterMs(attempts: number): number {
  return Math.min(RETRY_FIRST_MS * 2 ** Math.min(attempts, 16), RETRY_MAX_MS);
}

/** A card as answers show it. */
export function maskedCard({ account, bankCode }: { readonly account: string; readonly bankCode: string }) {
  return { account: maskCardNumber(account), bankCode };
}
