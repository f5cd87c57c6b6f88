import {
  type Id,
  type Instant,
  invariant,
  maskCardNumber,
  maskMobile,
  naturalDate,
  type Refusal,
  Refused,
  refuse,
  shownTime,
  toWire,
} from '../../kernel/index.js';
import { type Customer, customerOf, type Finding } from '../../parties/index.js';
import { readPlatform } from '../../platforms/index.js';
import { type Asked, isDuplicateKey, loadParameters, type Runtime, type Tx } from '../../runtime/index.js';
import { requireBook } from '../book.js';
import type { ElectronicAccount } from '../electronic.js';
import { standingRefusal } from '../limits.js';
import { type Card, checkCard } from '../opening/rules.js';
import { isBoundElsewhere } from '../opening/store.js';
import { refusalOf } from '../rules.js';
import { openSettlementAccount, settlementAccountsOf } from '../store.js';
import { requireElectronic } from './standing.js';
import { type AccountChange, type ChangeKind, changeByNumber, findChange, insertChange, moveChange } from './store.js';

interface Text {
  readonly en: string;
  readonly zh: string;
}

/** What is put to the customer before his card or mobile number changes. */
export interface ChangeQuestion {
  readonly subject: 'card' | 'mobile';
  readonly subjectId: Id;
  readonly platformId: Id;
  readonly customerId: Id;
  /** His password, and the code that comes to the mobile number he has now. */
  readonly needs: 'both';
  readonly shown: {
    readonly title: Text;
    readonly lines: readonly { readonly label: Text; readonly value: string }[];
    readonly brief: Text;
  };
  readonly expiresMs: Instant;
}

/** Puts a question on a page that the bank hosts. Consents stand below this folder, so the process hands it in. */
export type AskCustomer = (tx: Tx, question: ChangeQuestion) => Promise<Asked>;

/** What an electronic account is to have from now on. */
export type AskedChange = { readonly changeNo: string; readonly account: Id } & (
  | { readonly kind: 'card'; readonly card: Card }
  | { readonly kind: 'mobile'; readonly mobile: string }
  | { readonly kind: 'identity' }
);

/** A change as it stands; with the address of the page the first time, and never for a repeated request. */
export interface TakenChange {
  readonly change: AccountChange;
  readonly repeated: boolean;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'bells'>;

/**
 * Takes a change that a platform asks for. A card or a mobile number first takes the customer's own act; a new check of his identity does
 * not. What is wrong already is refused and its number stays free; what was taken is remembered.
 * @throws Refused NOT_FOUND, CHANGE_NO_REUSED, CHANGE_UNDER_WAY, or why the account or the card cannot
 */
export async function askChange(rt: Parts, ask: AskCustomer, platformId: Id, asked: AskedChange): Promise<TakenChange> {
  const to = asked.kind === 'card' ? JSON.stringify(asked.card) : asked.kind === 'mobile' ? asked.mobile : '';
  const contentHash = rt.vault.index('change', JSON.stringify([asked.kind, asked.account, to]));
  const find = () => rt.db.read('change', (tx) => changeByNumber(tx, platformId, asked.changeNo));
  const before = await find();
  if (before !== undefined) return repeated(before, contentHash);
  let made: TakenChange | undefined;
  try {
    const taken = await rt.db.withTx(
      'ask change',
      async (tx) => {
        made = undefined;
        made = await write(tx, rt, { ask, platformId, asked, to, contentHash });
        return made;
      },
      async () => ((made && (await find()))?.id === made?.change.id ? made : undefined),
    );
    if (taken.change.state === 'pending') await ring(rt, taken.change);
    return taken;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const twin = await find();
    if (twin === undefined) throw new Refused(refuse('CHANGE_UNDER_WAY'));
    return repeated(twin, contentHash);
  }
}

function repeated(change: AccountChange, contentHash: Buffer): TakenChange {
  if (!change.contentHash.equals(contentHash)) throw new Refused(refuse('CHANGE_NO_REUSED'));
  return { change, repeated: true };
}

/** Tells the worker of the account's shard. */
async function ring({ db, bells }: Pick<Parts, 'db' | 'bells'>, { platformId }: Pick<AccountChange, 'platformId'>) {
  const { shardId } = await db.read('book', (tx) => requireBook(tx, platformId));
  await bells.ring('verify-openings', String(shardId));
}

interface Writing {
  readonly ask: AskCustomer;
  readonly platformId: Id;
  readonly asked: AskedChange;
  readonly to: string;
  readonly contentHash: Buffer;
}

async function write(tx: Tx, rt: Parts, { ask, platformId, asked, to, contentHash }: Writing): Promise<TakenChange> {
  const account = await requireElectronic(tx, asked.account, platformId);
  const customer = await customerOf(tx, account.customerId, rt.vault);
  invariant(customer, `the electronic account ${account.accountId} has an owner`);
  const nowMs = rt.clock.now();
  const refusal = await changeRefusal(tx, rt, { account, customer, asked, nowMs });
  if (refusal !== undefined) throw new Refused(refusal);
  const id = rt.newId();
  const question =
    asked.kind === 'identity' ? undefined : await ask(tx, await questionOf(tx, rt, { id, account, customer, asked, nowMs }));
  const change: AccountChange = {
    ...newChange({ id, account, kind: asked.kind, contentHash, nowMs }),
    changeNo: asked.changeNo,
    toSealed: rt.vault.seal(to),
    state: question === undefined ? 'pending' : 'asked',
    asked: question ?? null,
  };
  await insertChange(tx, change);
  return { change, repeated: false };
}

/** A change with nothing known of it but whose it is. */
export function newChange(of: {
  id: Id;
  account: ElectronicAccount;
  kind: ChangeKind;
  contentHash: Buffer;
  nowMs: Instant;
}): Omit<AccountChange, 'changeNo' | 'toSealed' | 'state' | 'asked'> {
  const { id, account, kind, contentHash, nowMs } = of;
  const { platformId, accountId, customerId } = account;
  const nobody = { askedBy: null, decidedBy: null, reasonSealed: null, refusal: null };
  const times = { attempts: 0, nextMs: nowMs, createdMs: nowMs, decidedMs: null };
  return { id, platformId, kind, accountId, customerId, contentHash, ...nobody, ...times };
}

export interface ChangeAt {
  readonly account: ElectronicAccount;
  readonly customer: Customer;
  readonly asked: { kind: 'card'; card: Card } | { kind: 'mobile'; mobile: string } | { kind: 'identity' };
  readonly nowMs: Instant;
}

/**
 * Why a change cannot be: the account is closed, blocked or its owner stopped; for a card what of it is wrong by our own records. A new
 * check of the identity is what a dormant account needs, so dormancy does not forbid it.
 */
export async function changeRefusal(
  tx: Tx,
  { vault }: Pick<Parts, 'vault'>,
  { account, customer, asked, nowMs }: ChangeAt,
): Promise<Refusal | undefined> {
  const judged = asked.kind === 'identity' ? { ...account, aliveMs: null } : account;
  const standing = standingRefusal(judged, 'out', nowMs, await loadParameters(tx));
  if (standing !== undefined || asked.kind !== 'card') return standing;
  const mobiles = customer.mobile === null ? [] : [customer.mobile];
  const faults: Finding[] = [...checkCard(asked.card, { name: customer.name, mobiles }).faults];
  if (await isBoundElsewhere(tx, vault.index('card', asked.card.account), customer.id))
    faults.push({ code: 'CARD_TAKEN', pointer: '/card/account', detail: "is bound to another person's account" });
  return refusalOf(faults);
}

async function questionOf(
  tx: Tx,
  { vault }: Pick<Parts, 'vault'>,
  { id, account, customer, asked, nowMs }: ChangeAt & { readonly id: Id },
): Promise<ChangeQuestion> {
  const platform = await readPlatform(tx, account.platformId);
  const bound = (await settlementAccountsOf(tx, [account.accountId])).get(account.accountId);
  invariant(platform && bound && asked.kind !== 'identity', `the account ${account.accountId} has a platform and a card`);
  const minutes = Number((await loadParameters(tx)).on(naturalDate(nowMs), 'consent.minutes'));
  const expiresMs = (nowMs + minutes * 60_000) as Instant;
  const own = maskCardNumber(account.virtualNo);
  const card = asked.kind === 'card';
  const before = card ? maskCardNumber(openSettlementAccount(vault, bound).account) : maskMobile(customer.mobile ?? '');
  const after = card ? maskCardNumber(asked.card.account) : maskMobile(asked.mobile);
  return {
    subject: asked.kind,
    subjectId: id,
    platformId: account.platformId,
    customerId: customer.id,
    needs: 'both',
    shown: {
      title: card
        ? { en: 'Change of the bound card', zh: '变更绑定卡' }
        : { en: 'Change of the mobile number', zh: '变更手机号' },
      lines: [
        { label: { en: 'Platform', zh: '发起平台' }, value: platform.name },
        { label: { en: 'Your account', zh: '您的账户' }, value: own },
        { label: card ? { en: 'Bound card now', zh: '原绑定卡' } : { en: 'Mobile number now', zh: '原手机号' }, value: before },
        { label: card ? { en: 'New bound card', zh: '新绑定卡' } : { en: 'New mobile number', zh: '新手机号' }, value: after },
        { label: { en: 'Answer until', zh: '请于此前确认' }, value: shownTime(expiresMs) },
      ],
      brief: card
        ? { en: `bind the card ending ${after.slice(-4)} to your account`, zh: `将绑定卡变更为尾号${after.slice(-4)}的账户` }
        : {
            en: `change your mobile number to the one ending ${after.slice(-4)}`,
            zh: `将手机号变更为尾号${after.slice(-4)}的号码`,
          },
    },
    expiresMs,
  };
}

const ANSWERS = { declined: 'CONSENT_DECLINED', expired: 'CONSENT_EXPIRED', locked: 'CONSENT_LOCKED' } as const;

/**
 * What follows when the customer answered, or did not, in the same commit: with a yes the change is verified outside, else it is refused.
 * Answers the bell to ring afterwards. It acts once, whatever is told twice.
 */
export function changeAnswered(rt: Pick<Runtime, 'db' | 'clock' | 'bells'>) {
  return async (tx: Tx, id: Id, answer: 'given' | keyof typeof ANSWERS): Promise<(() => Promise<void>) | undefined> => {
    const nowMs = rt.clock.now();
    if (answer !== 'given') {
      const change = await findChange(tx, id);
      const fields = change?.asked ? { consent: toWire('consent', change.asked.consent) } : {};
      await moveChange(tx, id, 'asked', 'refused', { nowMs, refusal: refuse(ANSWERS[answer], undefined, fields) });
      return undefined;
    }
    const change = await findChange(tx, id);
    if (change === undefined || !(await moveChange(tx, id, 'asked', 'pending', { nowMs }))) return undefined;
    return () => ring(rt, change);
  };
}
