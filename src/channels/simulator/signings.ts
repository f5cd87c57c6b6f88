import { type CollectingChannel, OTHER_CONTENT, type PaymentOrder, type SigningAnswer, type SigningRequest } from '../port.js';
import type { Faults } from './faults.js';
import type { People } from './people.js';

interface Signing {
  readonly channel: CollectingChannel;
  readonly request: SigningRequest;
  readonly content: string;
  readonly answer: SigningAnswer;
}

const INITIALS: Readonly<Record<CollectingChannel, string>> = { collect: 'UC', 'psp-collect': 'PC' };

/** Who lets which channel debit which card (签约). */
export class Signings {
  readonly #faults: Faults;
  readonly #people: People;
  readonly #signings = new Map<string, Signing>();
  readonly #contracts = new Map<string, Signing>();

  constructor(faults: Faults, people: People) {
    this.#faults = faults;
    this.#people = people;
  }

  /** The card's bank is asked whether all that is said of its holder is right. The same again is the same. */
  sign(channel: CollectingChannel, request: SigningRequest): SigningAnswer {
    const { signNo } = request;
    const key = `${channel}/${signNo}`;
    const content = JSON.stringify([
      request.name,
      request.idType,
      request.idNo,
      request.account,
      request.bankCode,
      request.mobile,
    ]);
    const before = this.#signings.get(key);
    if (before !== undefined)
      return before.content === content ? before.answer : { signNo, status: 'refused', reason: OTHER_CONTENT };
    const reason = this.#refusalOf(channel, request);
    const contractNo = `${INITIALS[channel]}${String(this.#contracts.size + 1).padStart(14, '0')}`;
    const answer: SigningAnswer =
      reason === undefined ? { signNo, status: 'signed', contractNo } : { signNo, status: 'refused', reason };
    const signing: Signing = { channel, request, content, answer };
    this.#signings.set(key, signing);
    if (reason === undefined) this.#contracts.set(contractNo, signing);
    return answer;
  }

  /** Whether a contract of this name, card and mobile lets the channel debit for the order. */
  covers(channel: CollectingChannel, { contractNo, payeeName, payeeAccount, payeeBank }: PaymentOrder): boolean {
    const contract = this.#contracts.get(contractNo ?? '');
    if (contract === undefined || contract.channel !== channel) return false;
    const { name, account, bankCode, mobile } = contract.request;
    // Whoever has another number now has to sign again.
    const mobileNow = this.#people.account(bankCode, account)?.mobile ?? mobile;
    return name === payeeName && account === payeeAccount && bankCode === payeeBank && mobile === mobileNow;
  }

  all(): { channel: CollectingChannel; signNo: string; status: string; contractNo?: string }[] {
    return [...this.#signings.values()].map(({ channel, answer: { signNo, status, ...rest } }) => {
      return { channel, signNo, status, ...('contractNo' in rest ? { contractNo: rest.contractNo } : {}) };
    });
  }

  #refusalOf(channel: CollectingChannel, request: SigningRequest): string | undefined {
    const refuse = this.#faults.ofPayment(channel, 'refuse', request.signNo);
    if (refuse !== undefined) return refuse.reason ?? 'the card is not open for collections';
    const { result, wrong = [], standing } = this.#people.checkElements(request);
    if (result !== 'match') return standing === 'none' ? 'no such account' : `the card's bank has another ${wrong.join(', ')}`;
    return standing === 'usable' ? undefined : 'the card is frozen';
  }
}
