import { type Bilingual, type Shown, shownFen } from '../consents/index.js';
import { type Instant, shownTime } from '../kernel/index.js';
import type { RepaymentMethod } from './plan.js';
import type { Project, Role } from './rules.js';

const METHOD_WORDS: Readonly<Record<RepaymentMethod, Bilingual>> = {
  annuity: { en: 'equal instalments', zh: '等额本息' },
  'equal-principal': { en: 'equal principal', zh: '等额本金' },
  'interest-first': { en: 'interest monthly, principal at the end', zh: '先息后本' },
  bullet: { en: 'all at the end', zh: '一次性还本付息' },
};

const TITLES: Readonly<Record<Role, Bilingual>> = {
  borrower: { en: 'Confirm that you borrow', zh: '确认借款' },
  guarantor: { en: 'Confirm that you stand for a borrower', zh: '确认担保' },
};

/** Hundredths of a percent as people read them. */
const percent = (hundredths: number) => `${Math.trunc(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}%`;
/** Millionths as people read them. */
const yearly = (millionths: bigint) => `${millionths / 10_000n}.${String(millionths % 10_000n).padStart(4, '0')}%`;

/** What borrower and guarantor see before they say yes: every term of the project, and who gets its money. */
export function shownProject(of: {
  readonly project: Project;
  readonly role: Role;
  readonly platform: string;
  /** Who is paid in place of the borrower. */
  readonly payeeName: string | null;
  readonly answerUntil: Instant;
}): Shown {
  const { project, role, platform, payeeName } = of;
  const title = TITLES[role];
  const months = { en: `${project.months} months`, zh: `${project.months}个月` };
  return {
    title,
    fen: String(project.amount),
    lines: [
      { label: { en: 'Platform', zh: '平台' }, value: platform },
      { label: { en: 'Project', zh: '借款标的' }, value: project.projectNo },
      { label: { en: 'What for', zh: '借款用途' }, value: project.purpose },
      { label: { en: 'Amount', zh: '借款金额' }, value: shownFen(project.amount) },
      { label: { en: 'Term', zh: '期限' }, value: months },
      { label: { en: 'Rate a year', zh: '年利率' }, value: yearly(project.rate) },
      { label: { en: 'Rate a year on what is overdue', zh: '逾期罚息年利率' }, value: yearly(project.penaltyRate) },
      { label: { en: 'Paid back by', zh: '还款方式' }, value: METHOD_WORDS[project.method] },
      { label: { en: 'Fee of the platform, of what is lent', zh: '平台服务费（放款时收取）' }, value: percent(project.lendFee) },
      { label: { en: 'Raised until', zh: '募集截止' }, value: shownTime(project.raiseUntilMs) },
      ...(payeeName === null ? [] : [{ label: { en: 'The money goes to', zh: '受托支付收款方' }, value: payeeName }]),
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: shownTime(of.answerUntil) },
    ],
    brief: {
      en: `${title.en}, project ${project.projectNo}, ${months.en}`,
      zh: `${title.zh}，标的${project.projectNo}，${months.zh}`,
    },
  };
}
