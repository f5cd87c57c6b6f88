import type { IdType, Minor } from '../../kernel/index.js';

/**
 * What only others can say about a person or company: whether a number was issued to that name, whether an account outside belongs
 * to him, and what comes of a trial payment. Every answer may also be `unanswered` (no answer, too late, garbage, a 4xx or 5xx);
 * then nothing is known and it is asked again. None of these throws for the sake of an answer, and none may be called inside a
 * transaction.
 */
export interface Verification {
  /** 联网核查: is this number issued to this name? */
  checkIdentity(of: IdentityQuestion): Promise<IdentityAnswer>;
  /** 四要素/五要素: asks the bank of an account whether name, number, mobile and account belong together, and what sort of account it is. */
  checkElements(of: ElementsQuestion): Promise<ElementsAnswer>;
  /**
   * 小额打款验证, outward: pays a small amount to an account, once for each message number. The same payment again under its number
   * answers what became of the first; `unanswered` may have been paid, and is repeated as it was.
   */
  payTrial(of: TrialPayment): Promise<{ readonly result: 'paid' | 'failed' | 'unanswered'; readonly reason?: string }>;
  /** 来账验证, inward: whether the account has paid in exactly this amount under this reference. */
  findTrialInflow(of: TrialInflow): Promise<{ readonly result: 'found' | 'not-found' | 'unanswered' }>;
}

export interface IdentityQuestion {
  readonly idType: IdType;
  readonly idNo: string;
  readonly name: string;
}
/** match 一致; name-differs 号码存在姓名不符; unknown-number 号码不存在. */
export interface IdentityAnswer {
  readonly result: 'match' | 'name-differs' | 'unknown-number' | 'unanswered';
  /** The counterpart's own number of the answer, kept as evidence. */
  readonly evidence?: string;
}

export interface ElementsQuestion extends IdentityQuestion {
  readonly mobile: string;
  readonly account: string;
  /** CNAPS code; '' for the custodian itself. */
  readonly bankCode: string;
}
export interface ElementsAnswer {
  readonly result: 'match' | 'differs' | 'unanswered';
  /** Which elements are wrong, where the bank says. */
  readonly wrong?: readonly ('name' | 'idNo' | 'mobile' | 'account')[];
  /** Ⅰ, Ⅱ, Ⅲ, a credit card, or a payment account of a payment institution; absent when there is no such account. */
  readonly accountClass?: '1' | '2' | '3' | 'credit' | 'payment';
  readonly standing?: 'usable' | 'frozen' | 'none';
  readonly evidence?: string;
}

export interface TrialPayment {
  readonly messageNo: string;
  readonly name: string;
  readonly account: string;
  readonly bankCode: string;
  /** At most 50 fen. */
  readonly amount: Minor;
}
export interface TrialInflow {
  readonly account: string;
  readonly amount: Minor;
  readonly reference: string;
}

/** The bank's SMS gateway. */
export interface SmsGateway {
  /**
   * Sends a message once for each message number, of at most 35 letters, digits, `_` and `-`.
   * @returns whether the gateway took it; `unanswered` may have been sent, and is repeated under the same number
   */
  send(message: {
    readonly messageNo: string;
    readonly mobile: string;
    readonly text: string;
  }): Promise<'sent' | 'refused' | 'unanswered'>;
}
