import { type Bilingual, type Shown, type ShownLine, shownFen } from '../consents/index.js';
import { type Id, type Instant, shownTime } from '../kernel/index.js';
import { type PlanLine, takenBy } from './plan.js';
import { ACCEPT, type Deal, objectionTo, partyOf, stageOf } from './rules.js';

type Names = ReadonlyMap<Id, { readonly name: string }>;

/** What a party sees before he says yes: the deal, what it is about, and who gets what of which amount by it. */
export function shownConfirmation(of: {
  readonly deal: Deal;
  readonly item: string;
  readonly role: string;
  readonly platform: string;
  /** Of the parties' accounts. */
  readonly names: Names;
  readonly answerUntil: Instant;
}): Shown {
  const { deal, item, role, platform } = of;
  const about = aboutOf(deal, item);
  const whose = deal.plan.roles.find((each) => each.role === role);
  return {
    title: about.title,
    lines: [
      { label: { en: 'Platform', zh: '平台' }, value: platform },
      { label: { en: 'Deal', zh: '托管交易' }, value: deal.escrowNo },
      { label: { en: 'You act as', zh: '您的身份' }, value: { en: whose?.en ?? role, zh: whose?.zh ?? role } },
      ...about.lines(of.names),
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: shownTime(of.answerUntil) },
    ],
    brief: {
      en: `${about.title.en}: ${about.brief.en}, deal ${deal.escrowNo}`,
      zh: `${about.title.zh}：${about.brief.zh}，托管交易${deal.escrowNo}`,
    },
  };
}

interface About {
  readonly title: Bilingual;
  readonly brief: Bilingual;
  readonly lines: (names: Names) => ShownLine[];
}

function aboutOf(deal: Deal, item: string): About {
  const { plan } = deal;
  if (item === ACCEPT) {
    return {
      title: { en: 'Agree to a deal', zh: '确认托管交易条款' },
      brief: { en: plan.template, zh: plan.template },
      lines: (names) =>
        plan.stages.flatMap(({ en, zh, amount, pay }) => [
          { label: { en: 'Stage', zh: '阶段' }, value: { en, zh } },
          ...linesOf(deal, pay, amount, names),
        ]),
    };
  }
  const exit = plan.exits.find(({ key }) => key === item);
  if (exit !== undefined) {
    return {
      title: { en: 'End a deal', zh: '终止托管交易' },
      brief: exit,
      lines: () => [
        { label: { en: 'What you confirm', zh: '确认事项' }, value: { en: exit.en, zh: exit.zh } },
        ...exit.rows.flatMap(({ days, pay }) => [
          ...(exit.before === null
            ? []
            : [{ label: { en: 'At least so many days before', zh: '至少提前天数' }, value: `${days} / ${exit.before}` }]),
          ...pay.map((line) => ({ label: { en: 'Of what is open', zh: '未释放款项' }, value: wordsOf(deal, line) })),
        ]),
      ],
    };
  }
  const stage = plan.stages.find(({ key }) => key === item || objectionTo(key) === item);
  const title =
    stage?.key === item
      ? { en: 'Confirm a stage of a deal', zh: '确认托管阶段' }
      : { en: 'Object to a stage of a deal', zh: '对托管阶段提出异议' };
  const { en = item, zh = item } = stage ?? {};
  return {
    title,
    brief: { en, zh },
    lines: (names) => [
      { label: { en: 'Stage', zh: '阶段' }, value: { en, zh } },
      ...(stage === undefined ? [] : linesOf(deal, stage.pay, stageOf(deal, stage.key)?.state.funded ?? stage.amount, names)),
    ],
  };
}

/** Who gets what, by name and in yuan. */
function linesOf(deal: Deal, lines: readonly PlanLine[], whole: bigint, names: Names): ShownLine[] {
  return [...takenBy(lines, whole)].map(([to, amount]) => {
    const { en, zh } = roleWords(deal, to);
    const account = partyOf(deal, to)?.account ?? null;
    const name = account === null ? '' : (names.get(account)?.name ?? '');
    return { label: { en: `To ${en} ${name}`.trim(), zh: `付给${zh}${name}` }, value: shownFen(amount) };
  });
}

function roleWords(deal: Deal, role: string): Bilingual {
  if (role === 'payers') return { en: 'whoever paid', zh: '付款人' };
  const found = deal.plan.roles.find((each) => each.role === role);
  return { en: found?.en ?? role, zh: found?.zh ?? role };
}

function wordsOf(deal: Deal, { to, take }: PlanLine): Bilingual {
  const { en, zh } = roleWords(deal, to);
  if (take === 'rest') return { en: `${en}: the rest`, zh: `${zh}：剩余部分` };
  if ('percent' in take) return { en: `${en}: ${take.percent / 100}%`, zh: `${zh}：${take.percent / 100}%` };
  const yuan = `${take.fixed / 100n}.${String(take.fixed % 100n).padStart(2, '0')}`;
  return { en: `${en}: CNY ${yuan}`, zh: `${zh}：${yuan}元` };
}
