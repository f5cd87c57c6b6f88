import { type ElectronicAccount, electronicRecords, payeeNames } from '../accounts/index.js';
import { askConsent, type Bilingual, loadPolicies, proofNeeded, type Question, type Shown, shownFen } from '../consents/index.js';
import { asId, type Id, type Instant, maskCardNumber, naturalDate, toRfc3339 } from '../kernel/index.js';
import { loadBooks } from '../ledger/index.js';
import { readPlatform } from '../platforms/index.js';
import { type Asked, loadParameters, type Runtime, type Tx, type Vault } from '../runtime/index.js';
import type { Act } from './kind.js';
import { kinds } from './kinds/index.js';
import { insertInbox, shardOfInstruction } from './store.js';

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
  const unmandated = asked.filter(({ act }) => act.mandate === undefined);
  if (unmandated.length === 0) return asked.map(() => undefined);
  const accounts = await electronicRecords.load(tx, [...new Set(unmandated.map(({ act }) => act.account))]);
  if (accounts.size === 0) return asked.map(() => undefined);
  const books = await loadBooks(tx, [...new Set(asked.map(({ platformId }) => platformId))]);
  const policies = await loadPolicies(tx);
  const nowMs = rt.clock.now();
  const minutes = (await loadParameters(tx)).on(naturalDate(nowMs), 'consent.minutes');
  const expiresMs = (nowMs + Number(minutes) * 60_000) as Instant;
  const names = await payeesOf(
    tx,
    rt.vault,
    unmandated.flatMap(({ act }) => accountOf(act.payee) ?? []),
  );
  const platforms = new Map<Id, string>();
  for (const id of books.keys()) platforms.set(id, (await readPlatform(tx, id))?.name ?? '');
  return asked.map(({ platformId, kind, act }) => {
    const account = act.mandate === undefined ? accounts.get(act.account) : undefined;
    const profile = books.get(platformId)?.profile;
    if (account === undefined || profile === undefined || account.platformId !== platformId || account.state !== 'active')
      return undefined;
    const payee = payeeOf(act, names);
    if (payee === undefined) return undefined;
    const { needs } = proofNeeded(policies, profile, kind);
    const shown = shownOf({ kind, act, account, payee, platform: platforms.get(platformId) ?? '', expiresMs });
    return { platformId, customerId: account.customerId, needs, shown, expiresMs };
  });
}

function accountOf(payee: Act['payee']): Id | undefined {
  return payee !== 'bound-card' && 'account' in payee ? payee.account : undefined;
}

/** In words, whom an account belongs to: a sub-merchant by name, an electronic account by its ending. */
async function payeesOf(tx: Tx, vault: Vault, accounts: readonly Id[]): Promise<Map<Id, Bilingual>> {
  if (accounts.length === 0) return new Map();
  const payees = new Map<Id, Bilingual>();
  for (const [id, name] of await payeeNames(tx, vault, accounts)) payees.set(id, { en: name, zh: name });
  for (const [id, { class: of, virtualNo }] of await electronicRecords.load(tx, accounts)) {
    const ending = virtualNo.slice(-4);
    const zh = `${of === 2 ? 'Ⅱ' : 'Ⅲ'}类电子账户 尾号${ending}`;
    payees.set(asId(id), { en: `Class ${of === 2 ? 'II' : 'III'} account ending ${ending}`, zh });
  }
  return payees;
}

/** In words; undefined when there is no such account, which the engine will say. */
function payeeOf({ payee }: Act, names: ReadonlyMap<Id, Bilingual>): Bilingual | undefined {
  if (payee === 'bound-card') return { en: 'your bound card', zh: '本人绑定卡' };
  if ('orderNo' in payee) return { en: `order ${payee.orderNo}`, zh: `订单 ${payee.orderNo}` };
  return names.get(payee.account);
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
  const until = toRfc3339(expiresMs).slice(0, 16).replace('T', ' ');
  return {
    title: { en: name?.en ?? kind, zh: name?.zh ?? kind },
    ...(act.amount === undefined ? {} : { fen: String(act.amount) }),
    lines: [
      { label: { en: 'Platform', zh: '发起平台' }, value: platform },
      { label: { en: 'Your account', zh: '您的账户' }, value: maskCardNumber(account.virtualNo) },
      { label: { en: kind === 'top-up' ? 'From' : 'To', zh: kind === 'top-up' ? '扣款来源' : '收款方' }, value: payee },
      ...(act.amount === undefined
        ? [{ label: { en: 'Amount', zh: '金额' }, value: { en: 'all that is on it', zh: '全部余额' } }]
        : [{ label: { en: 'Amount', zh: '金额' }, value: shownFen(act.amount) }]),
      { label: { en: 'Answer until', zh: '请于此前确认' }, value: until },
    ],
    brief: {
      en: `${name?.en ?? kind}, account ending ${ending}, ${payee.en}${act.amount === undefined ? '' : `, CNY ${yuan(act.amount)}`}`,
      zh: `尾号${ending}账户${name?.zh ?? kind}，${payee.zh}${act.amount === undefined ? '' : `，${yuan(act.amount)}元`}`,
    },
  };
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
