import type { Minor } from '../../kernel/index.js';
import { OTHER_CONTENT } from '../port.js';
import type { TrialInflow, TrialPayment } from '../verification/verification.js';
import type { Faults } from './faults.js';
import type { People } from './people.js';

interface Trial extends TrialPayment {
  readonly result: 'paid' | 'failed';
  readonly reason?: string;
}

interface Sms {
  readonly messageNo: string;
  readonly mobile: string;
  readonly text: string;
}

type Answer<Result> = { readonly messageNo: string; readonly result: Result; readonly reason?: string };

/** What carries a message number and is done once for it: trial payments, and short messages. */
export class Messages {
  readonly #faults: Faults;
  readonly #people: People;
  readonly #trials = new Map<string, Trial>();
  readonly #inflows = new Map<string, TrialInflow>();
  readonly #sms = new Map<string, Sms & { readonly result: 'sent' | 'refused' }>();

  constructor(faults: Faults, people: People) {
    this.#faults = faults;
    this.#people = people;
  }

  payTrial(payment: TrialPayment): Answer<'paid' | 'failed'> {
    const { messageNo } = payment;
    const before = this.#trials.get(messageNo);
    if (before !== undefined && !isSameTrial(before, payment)) return { messageNo, result: 'failed', reason: OTHER_CONTENT };
    const trial = before ?? this.#tryTrial(payment);
    this.#trials.set(messageNo, trial);
    const { result, reason } = trial;
    return reason === undefined ? { messageNo, result } : { messageNo, result, reason };
  }

  #tryTrial(payment: TrialPayment): Trial {
    const refuse = this.#faults.ofPayment('verification', 'refuse', payment.messageNo);
    if (refuse !== undefined) return { ...payment, result: 'failed', reason: refuse.reason ?? 'payee account closed' };
    const known = this.#people.account(payment.bankCode, payment.account);
    if (known?.standing === 'none') return { ...payment, result: 'failed', reason: 'no such account' };
    if (known !== undefined && known.name !== payment.name)
      return { ...payment, result: 'failed', reason: 'payee account and name do not match' };
    return { ...payment, result: 'paid' };
  }

  /** The trial payments to an account, or to all, oldest first. */
  trials(account: string | undefined): Trial[] {
    return [...this.#trials.values()].filter((trial) => account === undefined || trial.account === account);
  }

  /** Lets an account pay in; the same again is the same. @returns why not, or undefined */
  addTrialInflow(inflow: TrialInflow): string | undefined {
    const before = this.#inflows.get(inflow.reference);
    if (before !== undefined && !isSameInflow(before, inflow)) return `${inflow.reference} came before with another content`;
    this.#inflows.set(inflow.reference, inflow);
    return undefined;
  }

  findTrialInflow(of: TrialInflow): { result: 'found' | 'not-found' } {
    const inflow = this.#inflows.get(of.reference);
    return { result: inflow !== undefined && isSameInflow(inflow, of) ? 'found' : 'not-found' };
  }

  sendSms(message: Sms): Answer<'sent' | 'refused'> {
    const { messageNo, mobile, text } = message;
    const before = this.#sms.get(messageNo);
    if (before !== undefined && (before.mobile !== mobile || before.text !== text))
      return { messageNo, result: 'refused', reason: OTHER_CONTENT };
    const refused =
      before === undefined &&
      (this.#faults.ofPayment('sms', 'refuse', messageNo) ?? this.#faults.ofPayment('sms', 'refuse', mobile)) !== undefined;
    const sms = before ?? { messageNo, mobile, text, result: refused ? ('refused' as const) : ('sent' as const) };
    this.#sms.set(messageNo, sms);
    return { messageNo, result: sms.result };
  }

  /** What was sent to a mobile, or to all, oldest first. */
  sms(mobile: string | undefined): Sms[] {
    return [...this.#sms.values()]
      .filter((each) => each.result === 'sent' && (mobile === undefined || each.mobile === mobile))
      .map(({ messageNo, mobile: to, text }) => ({ messageNo, mobile: to, text }));
  }
}

function isSameTrial(a: TrialPayment, b: TrialPayment): boolean {
  return a.name === b.name && a.account === b.account && a.bankCode === b.bankCode && a.amount === b.amount;
}

function isSameInflow(a: { account: string; amount: Minor }, b: { account: string; amount: Minor }): boolean {
  return a.account === b.account && a.amount === b.amount;
}
