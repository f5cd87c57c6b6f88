import {
  accountFunds,
  countPassage,
  type ElectronicAccount,
  electronicRecords,
  lendingFlow,
  limitUseRecords,
  payeeNames,
} from '../../accounts/index.js';
import {
  askConsent,
  type Bilingual,
  loadPolicies,
  proofNeeded,
  type Question,
  type Shown,
  shownFen,
} from '../../consents/index.js';
import { type Id, type Instant, maskCardNumber, naturalDate, shownTime, toRfc3339 } from '../../kernel/index.js';
import { loadBooks } from '../../ledger/index.js';
import { readPlatform } from '../../platforms/index.js';
import { type Asked, loadParameters, type Runtime, type Tx, type Vault } from '../../runtime/index.js';
import { settlementAccountRecords } from '../effects/payouts.js';
import type { Act } from '../kind.js';
import { kinds } from '../kinds/index.js';
import { insertInbox, shardOfInstruction } from '../store.js';

/**
 * Instructions that need the customer's own act: they are received, and wait outside the inbox for his answer. Whatever he answers, and
 * also when he does not in time, they go into the inbox then; the engine judges by the answer.
 */
export interface ToAsk {
  readonly platformId: Id;
  readonly kind: string;
  readonly act: Act;
}

/** What is put to the customer before an instruction is decided; the instruction's id comes with its writing. */
export type Draft = Omit<Question, 'subject' | 'subjectId'>;

/** The questions that these instructions take, in their order; undefined where none is to be asked and the engine can judge alone. */
export async function draftQuestions(
  tx: Tx,
  rt: Pick<Runtime, 'clock' | 'vault'>,
  asked: readonly ToAsk[],
): Promise<(Draft | undefined)[]> {
  const unmandated = asked.filter(({ act }) => takesAnswer(act));
  if (unmandated.length === 0) return asked.map(() => undefined);
  const accounts = await electronicRecords.load(tx, [...new Set(unmandated.map(({ act }) => act.account))]);
  if (accounts.size === 0) return asked.map(() => undefined);
  const funds = await accountFunds(
    tx,
    [...accounts.values()].map((account) => account.accountId),
  );
  const uses = await limitUseRecords.load(tx, [...new Set([...accounts.values()].map((account) => account.customerId))]);
  const books = await loadBooks(tx, [...new Set(asked.map(({ platformId }) => platformId))]);
  const policies = await loadPolicies(tx);
  const parameters = await loadParameters(tx);
  const nowMs = rt.clock.now();
  const minutes = parameters.on(naturalDate(nowMs), 'consent.minutes');
  const expiresMs = (nowMs + Number(minutes) * 60_000) as Instant;
  const payeeOf = await payeesOf(tx, rt.vault, unmandated);
  const platforms = new Map<Id, string>();
  for (const id of books.keys()) platforms.set(id, (await readPlatform(tx, id))?.name ?? '');
  return asked.map((each) => {
    const { platformId, kind, act } = each;
    const account = takesAnswer(act) ? accounts.get(act.account) : undefined;
    const profile = books.get(platformId)?.profile;
    if (account === undefined || profile === undefined || account.platformId !== platformId) return undefined;
    const use = uses.get(account.customerId)?.uses ?? [];
    const frozen = funds.get(act.account)?.state === 'frozen';
    if (isHopeless(act, { account, uses: use, frozen, nowMs, parameters })) return undefined;
    const found = payeeOf(each, account.customerId);
    if (found === undefined) return undefined;
    const { cardIndex, ...payee } = found;
    const { needs } = proofNeeded(policies, profile, kind);
    const shown = shownOf({ kind, act, account, payee, platform: platforms.get(platformId) ?? '', expiresMs });
    return { platformId, customerId: account.customerId, needs, cardIndex, shown, expiresMs };
  });
}

/** Whether it is his answer that is to be proof of his will, and nothing else. */
function takesAnswer({ mandate, voucher }: Act): boolean {
  return mandate === undefined && voucher === undefined;
}

/**
 * What the law forbids now nobody is asked to agree to: the engine will say why. This looks without a lock, so it only spares a question;
 * what passes here is judged again.
 */
function isHopeless(
  { account: id, amount, payee }: Act,
  of: Pick<Parameters<typeof countPassage>[0], 'account' | 'uses' | 'frozen' | 'nowMs' | 'parameters'>,
): boolean {
  const flow = flowTo(id, payee, of);
  return 'code' in countPassage({ ...of, amount: -(amount ?? 1n), flow, balanceAfter: 0n, reserved: 0n });
}

function flowTo(
  account: Id,
  payee: Act['payee'],
  { nowMs, parameters }: Pick<Parameters<typeof countPassage>[0], 'nowMs' | 'parameters'>,
) {
  if (payee === 'bound-card') return 'bound';
  if ('project' in payee) return lendingFlow(parameters, naturalDate(nowMs));
  // What an account brings back to itself are units of a fund.
  return 'fund' in payee || ('account' in payee && payee.account === account) ? 'product' : 'unbound';
}

type Payee = Bilingual & { readonly cardIndex?: Buffer | undefined };

/**
 * In words, to whom the money of an act goes: his card by its ending, a sub-merchant by name, another account of his by its ending.
 * Undefined where it is nobody that this platform and this customer may know of, which the engine will say. With a card comes its blind
 * index: the answer is bound to the card that is shown.
 */
async function payeesOf(
  tx: Tx,
  vault: Vault,
  asked: readonly ToAsk[],
): Promise<(asked: ToAsk, customerId: Id) => Payee | undefined> {
  const named = [
    ...new Set(asked.flatMap(({ act: { payee } }) => (payee !== 'bound-card' && 'account' in payee ? [payee.account] : []))),
  ];
  const merchants = await payeeNames(tx, vault, named);
  const own = named.length === 0 ? undefined : await electronicRecords.load(tx, named);
  const toCard = [...new Set(asked.flatMap(({ act }) => (act.payee === 'bound-card' ? [act.account] : [])))];
  const cards = await settlementAccountRecords.load(tx, toCard);
  return ({ platformId, act: { account, payee } }, customerId) => {
    if (payee === 'bound-card') {
      const card = cards.get(account);
      const number = card === undefined ? '' : vault.read(card.account);
      const ending = number.slice(-4);
      return {
        en: `your bound card ending ${ending}`,
        zh: `本人绑定卡 尾号${ending}`,
        cardIndex: vault.index('card', number),
      };
    }
    if ('orderNo' in payee) return { en: `order ${payee.orderNo}`, zh: `订单 ${payee.orderNo}` };
    if ('project' in payee) return { en: `project ${payee.project}`, zh: `借款标的 ${payee.project}` };
    if ('fund' in payee) return { en: `fund ${payee.fund}`, zh: `基金 ${payee.fund}` };
    const merchant = merchants.get(payee.account);
    if (merchant?.platformId === platformId) return { en: merchant.name, zh: merchant.name };
    const other = own?.get(payee.account);
    if (other?.platformId !== platformId || other.customerId !== customerId) return undefined;
    const ending = other.virtualNo.slice(-4);
    const roman = other.class === 2 ? ['II', 'Ⅱ'] : ['III', 'Ⅲ'];
    return { en: `Class ${roman[0]} account ending ${ending}`, zh: `${roman[1]}类电子账户 尾号${ending}` };
  };
}

function shownOf(of: {
  kind: string;
  act: Act;
  account: ElectronicAccount;
  payee: Bilingual;
  platform: string;
  expiresMs: Instant;
}): Shown {
  const { kind, act, account, payee, platform, expiresMs } = of;
  const name = kinds.get(kind);
  const ending = account.virtualNo.slice(-4);
  const amount = act.amount ?? act.sells?.price;
  const until = toRfc3339(expiresMs).slice(0, 16).replace('T', ' ');
  return {
    title: { en: name?.en ?? kind, zh: name?.zh ?? kind },
    ...(act.amount === undefined ? {} : { fen: String(act.amount) }),
    lines: [
      { label: { en: 'Platform', zh: '发起平台' }, value: platform },
      { label: { en: 'Your account', zh: '您的账户' }, value: maskCardNumber(account.virtualNo) },
      { label: labelOf(kind, act), value: payee },
      ...(act.redeems === undefined
        ? []
        : [{ label: { en: 'Out of', zh: '赎回份额' }, value: { en: `fund ${act.redeems}`, zh: `基金 ${act.redeems}` } }]),
      ...amountLines(act),
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: until },
    ],
    brief: {
      en: `${name?.en ?? kind}, account ending ${ending}, ${payee.en}${amount === undefined ? '' : `, CNY ${yuan(amount)}`}`,
      zh: `尾号${ending}账户${name?.zh ?? kind}，${payee.zh}${amount === undefined ? '' : `，${yuan(amount)}元`}`,
    },
  };
}

function labelOf(kind: string, { sells }: Act): Bilingual {
  if (sells !== undefined) return { en: 'Claim on', zh: '债权标的' };
  return { en: kind === 'top-up' ? 'From' : 'To', zh: kind === 'top-up' ? '扣款来源' : '收款方' };
}

function amountLines({ amount, sells }: Act): Shown['lines'] {
  if (sells !== undefined)
    return [
      { label: { en: 'Principal that you sell', zh: '转让本金' }, value: shownFen(sells.share) },
      { label: { en: 'For', zh: '转让价格' }, value: shownFen(sells.price) },
      { label: { en: 'Less a fee of the platform', zh: '平台费用' }, value: shownFen(sells.fee) },
      { label: { en: 'Offered until', zh: '挂牌截止' }, value: shownTime(sells.untilMs) },
    ];
  const label = { en: 'Amount', zh: '金额' };
  return [{ label, value: amount === undefined ? { en: 'all that is on it', zh: '全部余额' } : shownFen(amount) }];
}

const yuan = (fen: bigint) => `${fen / 100n}.${String(fen % 100n).padStart(2, '0')}`;

/** Writes the question about an instruction that is being written. */
export function askAbout(tx: Tx, rt: Runtime, instruction: Id, draft: Draft): Promise<Asked> {
  return askConsent(tx, rt, { ...draft, subject: 'instruction', subjectId: instruction });
}

/** The customer has answered, or did not in time: the instruction can be judged. Answers what to do after the commit. */
export async function releaseToInbox(tx: Tx, rt: Pick<Runtime, 'bells'>, instruction: Id): Promise<() => Promise<void>> {
  const shardId = await shardOfInstruction(tx, instruction);
  await insertInbox(tx, [{ shardId, instruction }]);
  return () => rt.bells.ring('execute-shard', String(shardId));
}
