import { ACQUIRER_FILE_TRANSITIONS } from '../../src/acquirers/index.js';
import { VERSION_TRANSITIONS } from '../../src/agreements/index.js';
import { BATCH_TRANSITIONS } from '../../src/batches/index.js';
import { DEDUCTION_TRANSITIONS, DISPUTE_TRANSITIONS, FREEZE_TRANSITIONS } from '../../src/claims/index.js';
import { CLEARING_TRANSITIONS, DAY_TRANSITIONS, STEP_NAMES, STEPS } from '../../src/clearing/index.js';
import { CONSENT_TRANSITIONS } from '../../src/consents/index.js';
import { FLOAT_TRANSFER_TRANSITIONS, SIGNING_TRANSITIONS, WHY_NOT, WHY_NOT_WORDS } from '../../src/dispatch/index.js';
import { FUND_ORDER_TRANSITIONS } from '../../src/funds/index.js';
import { PROJECT_TRANSITIONS } from '../../src/lending/index.js';
import { TRIAL_TRANSITIONS, USER_TRANSITIONS } from '../../src/parties/index.js';
import { isUnderWay, PAYOUT_STATES, PAYOUT_TRANSITIONS } from '../../src/payouts/index.js';
import { REPAIR_TRANSITIONS } from '../../src/reconciliation/index.js';
import { FILE_DISPUTE_TRANSITIONS } from '../../src/reporting/disputes/states.js';
import { REVIEW_RULE_TRANSITIONS, REVIEW_TRANSITIONS } from '../../src/reviews/index.js';
import { LARGE_VALUE_TRANSITIONS, SUSPICION_TRANSITIONS, TAX_TRANSITIONS } from '../../src/supervision/index.js';
import { PROPOSAL_TRANSITIONS } from '../../src/suspense/index.js';
import { WIND_DOWN_TRANSITIONS } from '../../src/winding-up/index.js';
import { documentOf, table } from './markdown.js';

/** A drawing of a transition table: the first state is where it begins, states without a way on are where it ends. */
function drawing(transitions: Readonly<Record<string, readonly string[]>>): string {
  const states = Object.keys(transitions);
  const ways = Object.entries(transitions).flatMap(([from, to]) =>
    to.length === 0 ? [`  ${from} --> [*]`] : to.map((state) => `  ${from} --> ${state}`),
  );
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${states[0]}`, ...ways, '```'].join('\n');
}

export function statesPage(): string {
  const steps = STEPS.map((step, place) => [String(place + 1), `\`${step}\``, STEP_NAMES[step].zh, STEP_NAMES[step].en]);
  const whys = WHY_NOT.map((why) => [`\`${why}\``, WHY_NOT_WORDS[why].en, WHY_NOT_WORDS[why].zh]);
  const underWay = PAYOUT_STATES.filter(isUnderWay).map((state) => `\`${state}\``);
  return documentOf(
    'States 状态',
    'The states are data in the code, and these drawings are made from it. What a change of state does to the money stands in ' +
      '[accounting.md](accounting.md).',
    '## A payout 出款',
    drawing(PAYOUT_TRANSITIONS),
    `From \`src/payouts/states.ts\`. The money is neither with the payee nor back while the payout is ${underWay.join(', ')}.`,
    '## A contract of a card with a collecting channel 代收签约',
    drawing(SIGNING_TRANSITIONS),
    'From `src/dispatch/signing/states.ts`. A collection waits for it; what has no answer is asked again under its number.',
    '## A business day 营业日',
    drawing(DAY_TRANSITIONS),
    'From `src/clearing/states.ts`.',
    '## A clearing 清算批次',
    drawing(CLEARING_TRANSITIONS),
    'From `src/clearing/states.ts`. It pays on the date after the day that is closed.',
    "## A consent: the customer's answer 客户确认",
    drawing(CONSENT_TRANSITIONS),
    'From `src/consents/states.ts`. What is `given` and about no instruction stays so; an instruction uses it up.',
    '## Why a payout does not go by a channel 未选通道的原因',
    'The words of `why` in `GET /admin/v1/payouts/{payout}`, and of the reason of a payout that waits.',
    table(['', 'what it says', '中文'], whys),
    '## A version of an agreement 协议版本',
    drawing(VERSION_TRANSITIONS),
    'From `src/agreements/states.ts`. An approved version is in force from its first to its last day; that takes no step.',
    '## A project that many lend to 借款标的',
    drawing(PROJECT_TRANSITIONS),
    'From `src/lending/states.ts`. `full` goes back to `raising` when a bid is cancelled; time alone makes it `miscarried`, or `cancelled` where nobody could lend to it yet.',
    '## An order of fund units 基金委托',
    drawing(FUND_ORDER_TRANSITIONS),
    'From `src/funds/states.ts`. Only the redemption that pays for another fund begins as `waiting`; every other order begins as `created`. Back to ' +
      '`created` goes a redemption that the company refused and whose money is spent already; back to `confirmed` a purchase whose payment to the ' +
      'fund did not arrive.',
    '## A dispute 争议',
    drawing(DISPUTE_TRANSITIONS),
    'From `src/claims/states.ts`. `upheld` and `rejected` are decided by the platform or the bank, `lapsed` by the deadline.',
    '## A dispute over a line of a check file 对账异议',
    drawing(FILE_DISPUTE_TRANSITIONS),
    'From `src/reporting/disputes/states.ts`. What is `accepted` is put right by instructions of their own: no file changes.',
    '## A judicial freeze 司法冻结',
    drawing(FREEZE_TRANSITIONS),
    'From `src/claims/states.ts`. A freeze of which a part was lifted or deducted stays `active` until its last day.',
    '## A judicial deduction 司法扣划',
    drawing(DEDUCTION_TRANSITIONS),
    'From `src/claims/states.ts`. What the books refuse stays `approved`, and its instruction says why.',
    '## A proposal about money on suspense 挂账处理',
    drawing(PROPOSAL_TRANSITIONS),
    'From `src/suspense/states.ts`. What the books refuse stays `approved`, and its instruction says why.',
    '## A repair of a break 差错处理方案',
    drawing(REPAIR_TRANSITIONS),
    'From `src/reconciliation/repair-rules.ts`. What the books refuse stays `approved`, and its instruction says why.',
    "## A transfer of the bank's own money between channels 备付金调拨",
    drawing(FLOAT_TRANSFER_TRANSITIONS),
    'From `src/dispatch/floats/states.ts`. `approved` is told to the core bank under the same number until it answers.',
    '## A batch 批量指令',
    drawing(BATCH_TRANSITIONS),
    'From `src/batches/states.ts`. A file that is not legal is `rejected` when it comes.',
    '## A file of an acquirer 收单文件',
    drawing(ACQUIRER_FILE_TRANSITIONS),
    'From `src/acquirers/states.ts`. A file with a fault is never kept.',
    '## A review 人工复核',
    drawing(REVIEW_TRANSITIONS),
    'From `src/reviews/states.ts`. What was `approved` or `passed` is decided anew, and its instruction says what became of it.',
    '## A review rule 复核规则',
    drawing(REVIEW_RULE_TRANSITIONS),
    'From `src/reviews/states.ts`. An approved rule is in force from its first to its last day; that takes no step.',
    '## A user and his identity 用户实名核验',
    drawing(USER_TRANSITIONS),
    'From `src/parties/states.ts`. A platform sees `held` as `pending`: that somebody may stand on the watch list is not told.',
    '## A trial payment to a company 对公打款验证',
    drawing(TRIAL_TRANSITIONS),
    'From `src/parties/states.ts`.',
    '## A large-value report 大额交易报告',
    drawing(LARGE_VALUE_TRANSITIONS),
    'From `src/supervision/states.ts`. Two people exempt a candidate.',
    '## A case of suspicion 可疑交易',
    drawing(SUSPICION_TRANSITIONS),
    'From `src/supervision/states.ts`. Two people confirm or dismiss it.',
    '## A version of the data about sellers 涉税信息',
    drawing(TAX_TRANSITIONS),
    'From `src/supervision/states.ts`. A correction makes a new version.',
    '## A wind-down of a platform 平台清退',
    drawing(WIND_DOWN_TRANSITIONS),
    'From `src/winding-up/states.ts`. A settled one is looked at every day; what has become possible is returned.',
    '## The steps of a close 日终步骤',
    table(['', 'step', '中文', 'what it does'], steps),
  );
}
