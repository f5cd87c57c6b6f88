import type { Bilingual, Shown, ShownLine } from '../consents/index.js';
import { shownFen } from '../consents/index.js';
import { type Id, type Instant, shownTime, toYuan } from '../kernel/index.js';
import { FIRST_LEVEL, type Line, type Party, partyOf, type Take } from './rules.js';
import type { StoredVersion } from './store.js';
import type { AgreedCycle, Destination, Terms } from './terms.js';

type Names = ReadonlyMap<Id, { readonly name: string }>;

const WEEKDAYS: readonly Bilingual[] = [
  { en: 'Monday', zh: '周一' },
  { en: 'Tuesday', zh: '周二' },
  { en: 'Wednesday', zh: '周三' },
  { en: 'Thursday', zh: '周四' },
  { en: 'Friday', zh: '周五' },
  { en: 'Saturday', zh: '周六' },
  { en: 'Sunday', zh: '周日' },
];
const DESTINATION_WORDS: Readonly<Record<Destination, Bilingual>> = {
  bound: { en: 'his settlement account', zh: '本人结算账户' },
  'own-bank': { en: 'his settlement account, only while it is at this bank', zh: '本人在本行的结算账户' },
  'other-bank': { en: 'his settlement account, only while it is at another bank', zh: '本人在他行的结算账户' },
  'sub-account': { en: 'nowhere by itself: it stays on the sub-account', zh: '留存子账户，不自动划出' },
};

const CYCLE_WORDS: Readonly<Record<AgreedCycle, Bilingual>> = {
  'D+0': { en: 'on the same day', zh: '当日' },
  'D+1': { en: 'on the next day', zh: '次日' },
  'T+0': { en: 'on the same working day', zh: '当个工作日' },
  'T+1': { en: 'on the next working day', zh: '下一工作日' },
  'T+N': { en: 'after some working days', zh: '若干工作日后' },
  weekly: { en: 'once a week', zh: '每周' },
  monthly: { en: 'once a month', zh: '每月' },
  'on-request': { en: 'when the platform asks for it', zh: '按平台指令' },
};

/**
 * What a receiver sees before he signs a version: every line of the rule, every cap, from when until when. He sees nothing else, and the
 * digest of exactly this binds his signature.
 * @param names of the accounts that the rule names, and of the seller
 */
export function shownVersion(of: {
  readonly version: StoredVersion;
  readonly agreementNo: string;
  readonly platform: string;
  readonly names: Names;
  readonly answerUntil: Instant;
}): Shown {
  const { version, agreementNo, platform, names } = of;
  const { terms, validFrom, validTo, amends } = version;
  const seller = names.get(version.accountId)?.name ?? '';
  const until = validTo === null ? { en: `from ${validFrom} on`, zh: `自${validFrom}起` } : `${validFrom} – ${validTo}`;
  return {
    title:
      amends === null
        ? { en: 'Sign an agreement with a platform', zh: '签署平台合作协议' }
        : { en: 'Sign a promotion to an agreement', zh: '签署限时促销条款' },
    lines: [
      { label: { en: 'Platform', zh: '平台' }, value: platform },
      { label: { en: 'Agreement', zh: '协议编号' }, value: `${agreementNo} / ${version.version}` },
      { label: { en: 'Seller', zh: '卖家' }, value: seller },
      { label: { en: 'In force', zh: '有效期' }, value: until },
      ...ruleLines(terms, names),
      ...capLines(terms),
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: shownTime(of.answerUntil) },
    ],
    brief: {
      en: `sign version ${version.version} of agreement ${agreementNo} with ${platform}`,
      zh: `签署与${platform}的协议${agreementNo}第${version.version}版`,
    },
  };
}

function ruleLines({ rule }: Terms, names: Names): ShownLine[] {
  const isFirst = ([name]: readonly [string, unknown]) => name === FIRST_LEVEL;
  const levels = Object.entries(rule.levels);
  return [...levels.filter(isFirst), ...levels.filter((level) => !isFirst(level))].flatMap(([name, { lines, remainder }]) => {
    const label =
      name === FIRST_LEVEL ? { en: 'Split of an item', zh: '订单分账' } : { en: `Split of ${name}`, zh: `${name}分账` };
    const rest = nameOf(partyOf(remainder), names);
    return [
      ...lines.map((line) => ({ label, value: lineWords(line, names) })),
      { label, value: { en: `${rest.en}: the rest`, zh: `${rest.zh}：剩余部分` } },
    ];
  });
}

function nameOf(party: Party, names: Names): Bilingual {
  if (party === 'seller') return { en: 'the seller', zh: '卖家' };
  if (party === 'commission') return { en: 'the platform', zh: '平台' };
  const name = names.get(party)?.name ?? '';
  return { en: name, zh: name };
}

function lineWords({ to, take, min, max }: Line, names: Names): Bilingual {
  const who = typeof to === 'object' && 'level' in to ? { en: to.level, zh: to.level } : nameOf(partyOf(to), names);
  const what = takeWords(take);
  const least = min === null ? { en: '', zh: '' } : { en: `, at least CNY ${toYuan(min)}`, zh: `，最低${toYuan(min)}元` };
  const most = max === null ? { en: '', zh: '' } : { en: `, at most CNY ${toYuan(max)}`, zh: `，最高${toYuan(max)}元` };
  return { en: `${who.en}: ${what.en}${least.en}${most.en}`, zh: `${who.zh}：${what.zh}${least.zh}${most.zh}` };
}

const percent = (basisPoints: bigint) => `${Number(basisPoints) / 100}%`;

function takeWords(take: Take): Bilingual {
  if ('fixed' in take) return { en: `CNY ${toYuan(take.fixed)}`, zh: `${toYuan(take.fixed)}元` };
  const of = take.of === 'goods' ? { en: ' of the goods', zh: '（按商品金额）' } : { en: '', zh: '' };
  if ('percent' in take) return { en: percent(take.percent) + of.en, zh: percent(take.percent) + of.zh };
  const tiers = take.tiers.map(({ upTo, percent: rate }) => ({
    en: upTo === null ? `${percent(rate)} above` : `${percent(rate)} up to CNY ${toYuan(upTo)}`,
    zh: upTo === null ? `以上部分${percent(rate)}` : `${toYuan(upTo)}元以内部分${percent(rate)}`,
  }));
  return { en: tiers.map(({ en }) => en).join(', ') + of.en, zh: tiers.map(({ zh }) => zh).join('，') + of.zh };
}

function capLines({ othersCap, profitMax, feeMax, orderMax, volume, reserve, refund, ...paid }: Terms): ShownLine[] {
  const amounts: [Bilingual, bigint | null][] = [
    [{ en: 'At most an order', zh: '单笔订单上限' }, orderMax],
    [{ en: 'At most a day', zh: '每日累计上限' }, volume.day],
    [{ en: 'At most a month', zh: '每月累计上限' }, volume.month],
  ];
  return [
    { label: { en: 'At most to others than the seller', zh: '分给卖家以外各方上限' }, value: percent(othersCap) },
    { label: { en: 'At most to the platform', zh: '平台收益上限' }, value: percent(profitMax) },
    {
      label: { en: 'At most a fee', zh: '单笔手续费上限' },
      value: feeMax === null ? { en: 'as the bank agreed with the platform', zh: '按银行与平台的约定' } : shownFen(feeMax),
    },
    ...amounts.flatMap(([label, amount]) => (amount === null ? [] : [{ label, value: shownFen(amount) }])),
    ...payoutLines(paid),
    { label: { en: 'Stays on the account', zh: '账户留存' }, value: shownFen(reserve) },
    {
      label: { en: 'A refund is given back', zh: '退款承担' },
      value:
        refund === 'pro-rata'
          ? { en: 'by all, in proportion', zh: '各方按比例退回' }
          : { en: 'by those whom the platform names', zh: '按平台指定的各方退回' },
    },
  ];
}

/** When and how the seller is paid: every term that is not the rule, each in a line of its own. */
function payoutLines({ cycle, cycleDays, payout }: Pick<Terms, 'cycle' | 'cycleDays' | 'payout'>): ShownLine[] {
  const { day, holdBackDays, minimum, merge, to, fee } = payout;
  const number = cycleDays === null ? '' : ` (${cycleDays})`;
  const named = day === null ? undefined : cycle === 'weekly' ? WEEKDAYS[day - 1] : { en: `day ${day}`, zh: `${day}日` };
  const on = named === undefined ? { en: number, zh: number } : { en: `, ${named.en}`, zh: named.zh };
  const costs = [
    ...(fee.fixed === 0n ? [] : [{ en: `CNY ${toYuan(fee.fixed)}`, zh: `${toYuan(fee.fixed)}元` }]),
    ...(fee.percent === 0n ? [] : [{ en: percent(fee.percent), zh: percent(fee.percent) }]),
  ];
  const lines: [shown: boolean, line: ShownLine][] = [
    [
      true,
      {
        label: { en: 'The seller is paid', zh: '结算周期' },
        value: { en: CYCLE_WORDS[cycle].en + on.en, zh: CYCLE_WORDS[cycle].zh + on.zh },
      },
    ],
    [
      holdBackDays > 0,
      {
        label: { en: 'Held back before that', zh: '结算前暂留' },
        value: { en: `${holdBackDays} days`, zh: `${holdBackDays}天` },
      },
    ],
    [minimum > 0n, { label: { en: 'Not paid below', zh: '起付金额' }, value: shownFen(minimum) }],
    [!merge, { label: { en: 'Payouts', zh: '出款方式' }, value: { en: 'one for each day of credits', zh: '按入账日逐日出款' } }],
    [to !== 'bound', { label: { en: 'Paid to', zh: '出款去向' }, value: DESTINATION_WORDS[to] }],
    [
      costs.length > 0,
      {
        label: { en: 'A payout costs', zh: '结算手续费（每笔）' },
        value: { en: costs.map(({ en }) => en).join(' + '), zh: costs.map(({ zh }) => zh).join('＋') },
      },
    ],
  ];
  return lines.flatMap(([shown, line]) => (shown ? [line] : []));
}
