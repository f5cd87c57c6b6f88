import { type Instant, maskCardNumber, toRfc3339, toYuan } from '../../kernel/index.js';
import type { ProofKind } from '../policy.js';
import { type Bilingual, type Shown, type ShownLine, shownFen } from '../rules.js';
import type { MandateTerms } from './rules.js';

/** What a mandate may cover, as the customer reads it. */
const KIND_WORDS: Readonly<Record<Exclude<ProofKind, 'mandate'>, Bilingual>> = {
  'account-payment': { en: 'pay from your account', zh: '从您的账户付款' },
  'own-transfer': { en: 'move money between accounts of yours', zh: '在您本人账户之间转账' },
  withdrawal: { en: 'pay out to your bound account', zh: '提现至您的绑定账户' },
  'account-closing': { en: 'close your account', zh: '销户' },
  'fund-subscription': { en: 'buy units of funds with money of your account', zh: '以您账户资金申购基金' },
  'fund-redemption': { en: 'bring back to your account what it has in funds', zh: '赎回基金至您的账户' },
  'fund-exchange': { en: 'buy a fund with what your account has in a money fund', zh: '以储蓄罐份额申购其他基金' },
  'pot-payment': { en: 'pay with what your account has in a money fund', zh: '以储蓄罐份额赎回款付款' },
  'top-up': { en: 'collect from your bound card into your account', zh: '从您的绑定卡扣款充值到您的账户' },
  bid: { en: 'bid for loan projects with your money', zh: '用您账户资金投标借款标的' },
  'claim-purchase': { en: 'buy claims on loan projects with your money', zh: '用您账户资金受让债权' },
  'claim-sale': { en: 'offer your claims on loan projects for sale', zh: '转让您持有的债权' },
  repayment: { en: 'repay what you borrowed by a project', zh: '偿还您的借款标的' },
  compensation: { en: 'pay for a borrower for whom you stand', zh: '为您担保的借款人代偿' },
  recovery: { en: 'give back what was paid for you', zh: '偿还他人为您代偿的款项' },
};

/** A kind in words; one of another time, as it is called. */
export const wordsOfKind = (kind: string): Bilingual =>
  (KIND_WORDS as Readonly<Record<string, Bilingual>>)[kind] ?? { en: kind, zh: kind };

/** Whom a mandate names without an account, as the customer reads it. */
export const PAYEE_WORDS: readonly (readonly [of: 'orders' | 'projects' | 'funds', words: Bilingual])[] = [
  ['orders', { en: 'your orders on the platform', zh: '您在该平台的订单' }],
  ['projects', { en: 'loan projects on the platform', zh: '该平台的借款标的' }],
  ['funds', { en: 'funds, whose units are then yours', zh: '基金公司（所申购份额归您所有）' }],
];

export const PERIOD_WORDS: Readonly<Record<'day' | 'month', Bilingual>> = {
  day: { en: 'At most a day', zh: '每日累计上限' },
  month: { en: 'At most a month', zh: '每月累计上限' },
};

/** To the minute, Shanghai time, as it is shown. */
export function shownTime(instant: Instant): string {
  return toRfc3339(instant).slice(0, 16).replace('T', ' ');
}

/**
 * What the customer sees before he grants a mandate: every cap, every payee, the end. He sees nothing else, and the digest of exactly
 * this binds his consent.
 * @param payees names of the accounts that may be paid, in the order of the terms
 */
export function shownMandate(of: {
  readonly terms: MandateTerms;
  readonly mandateNo: string;
  readonly platform: string;
  readonly virtualNo: string;
  readonly payees: readonly string[];
  readonly answerUntil: Instant;
}): Shown {
  const { terms, platform, virtualNo } = of;
  const ending = virtualNo.slice(-4);
  const payment = toYuan(terms.paymentCap);
  const total = toYuan(terms.totalCap);
  return {
    title: { en: 'Grant a mandate to debit your account', zh: '授权平台扣款（免逐笔确认）' },
    lines: [
      { label: { en: 'Platform', zh: '被授权平台' }, value: platform },
      { label: { en: 'Number', zh: '授权编号' }, value: of.mandateNo },
      { label: { en: 'Your account', zh: '您的账户' }, value: maskCardNumber(virtualNo) },
      ...terms.kinds.map((kind) => ({ label: { en: 'It may', zh: '可办理' }, value: wordsOfKind(kind) })),
      ...payeeLines(terms, of.payees),
      { label: { en: 'At most a payment', zh: '单笔上限' }, value: shownFen(terms.paymentCap) },
      ...(terms.period === null || terms.periodCap === null
        ? []
        : [{ label: PERIOD_WORDS[terms.period], value: shownFen(terms.periodCap) }]),
      { label: { en: 'At most in all', zh: '累计上限' }, value: shownFen(terms.totalCap) },
      { label: { en: 'It ends', zh: '有效期至' }, value: shownTime(terms.expiresMs) },
      {
        label: { en: 'You may end it', zh: '撤销' },
        value: { en: 'at any time, with effect at once', zh: '您可随时撤销，立即生效' },
      },
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: shownTime(of.answerUntil) },
    ],
    brief: {
      en: `let ${platform} debit your account ending ${ending}, at most CNY ${payment} a payment and CNY ${total} in all`,
      zh: `授权${platform}从尾号${ending}账户扣款，单笔最高${payment}元，累计最高${total}元`,
    },
  };
}

function payeeLines({ payees }: MandateTerms, names: readonly string[]): ShownLine[] {
  const label = { en: 'Who may be paid', zh: '收款方' };
  return [
    ...PAYEE_WORDS.filter(([of]) => payees[of]).map(([, value]) => ({ label, value })),
    ...names.map((value) => ({ label, value })),
  ];
}
