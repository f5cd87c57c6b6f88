import { createHash } from 'node:crypto';
import { electronicRecords, payeeNames } from '../../accounts/index.js';
import {
  addMonths,
  canonicalJson,
  type Id,
  type Instant,
  invariant,
  naturalDate,
  Refused,
  refuse,
  startOfDay,
  toWire,
} from '../../kernel/index.js';
import { type Book, loadAccounts, loadBook, lockShard } from '../../ledger/index.js';
import { requireActingUser } from '../../parties/index.js';
import { readPlatform } from '../../platforms/index.js';
import {
  type Asked,
  hashToken,
  isDuplicateKey,
  loadParameters,
  newToken,
  type Parameters,
  type Runtime,
  type Tx,
} from '../../runtime/index.js';
import type { AnswerHandler } from '../answer.js';
import { askConsent } from '../ask.js';
import { proofNeeded } from '../policy.js';
import { loadPolicies } from '../policy-store.js';
import { findConsentOf } from '../store.js';
import { decideTerms, type MandateTerms } from './rules.js';
import { shownMandate } from './shown.js';
import {
  endMandate,
  findMandate,
  findMandateByNo,
  insertLink,
  insertMandate,
  type NewMandate,
  type Revoker,
  type StoredMandate,
  settleMandate,
} from './store.js';

/** What a platform wants a customer to grant it. */
export interface MandateRequest extends MandateTerms {
  readonly mandateNo: string;
  readonly user: Id;
  readonly account: Id;
}

/** A mandate that was asked for, and its question while it is open: with the address of the page the first time. */
export interface AskedMandate {
  readonly mandate: StoredMandate;
  readonly asked: Asked | undefined;
  readonly repeated: boolean;
}

type MandateRuntime = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'config'>;

/**
 * Writes a mandate that waits for its customer, and the question that is put to him; both factors are needed. The same number with the
 * same content again is the first request, whatever became of it since.
 * @throws Refused MANDATE_NO_REUSED, MANDATE_TERMS, MANDATE_NOT_ENOUGH, ACCOUNT_NOT_FOUND, ACCOUNT_CLOSED, ACCOUNT_CLOSING, NOT_FOUND for
 *   a user that the platform does not have, or why that user may do nothing
 */
export async function askMandate(rt: MandateRuntime, platformId: Id, request: MandateRequest): Promise<AskedMandate> {
  const contentHash = hashOf(request);
  const before = (tx: Tx) => knownMandate(tx, platformId, request.mandateNo, contentHash);
  let written: AskedMandate | undefined;
  try {
    return await rt.db.withTx(
      'ask-mandate',
      async (tx) => {
        const known = await before(tx);
        if (known !== undefined) return again(tx, known);
        written = await writeMandate(tx, rt, platformId, request, contentHash);
        return written;
      },
      async () => {
        const known = await rt.db.read('mandate-there', before);
        return known === undefined || written === undefined || known.id !== written.mandate.id ? undefined : written;
      },
    );
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return rt.db.read('mandate-there', async (tx) => {
      const mandate = await before(tx); // an equal request came between
      invariant(mandate, 'the mandate that was there first is there');
      return again(tx, mandate);
    });
  }
}

/** A mandate that was asked for before: its question, while the customer may still answer, without the address. */
async function again(tx: Tx, mandate: StoredMandate): Promise<AskedMandate> {
  const question = mandate.state === 'pending' ? await findConsentOf(tx, 'mandate', mandate.id) : undefined;
  const isOpen = question?.state === 'pending';
  return {
    mandate,
    asked: isOpen ? { consent: question.id, expiresMs: question.expiresMs } : undefined,
    repeated: true,
  };
}

/** What makes two requests one and the same: everything but the order of lists. What is not asked for leaves no trace in it. */
function hashOf({ kinds, payees, ...rest }: MandateRequest): Buffer {
  const { orders, projects, funds } = payees;
  const wider = { ...(projects ? { projects } : {}), ...(funds ? { funds } : {}) };
  const text = JSON.stringify(
    { ...rest, kinds: [...kinds].sort(), orders, ...wider, accounts: [...payees.accounts].sort() },
    (_key, value) => (typeof value === 'bigint' ? String(value) : value),
  );
  return createHash('sha256')
    .update(canonicalJson(JSON.parse(text)))
    .digest();
}

async function knownMandate(tx: Tx, platformId: Id, mandateNo: string, contentHash: Buffer): Promise<StoredMandate | undefined> {
  const known = await findMandateByNo(tx, platformId, mandateNo);
  if (known !== undefined && !known.contentHash.equals(contentHash))
    throw new Refused(refuse('MANDATE_NO_REUSED', undefined, { mandate: toWire('mandate', known.id) }));
  return known;
}

async function writeMandate(
  tx: Tx,
  rt: MandateRuntime,
  platformId: Id,
  request: MandateRequest,
  contentHash: Buffer,
): Promise<AskedMandate> {
  const nowMs = rt.clock.now();
  const today = naturalDate(nowMs);
  const parameters = await loadParameters(tx);
  const refusal = decideTerms(request, nowMs, latestEnd(nowMs, parameters));
  if (refusal !== undefined) throw new Refused(refusal);
  const asOf = { today, nowMs, parameters };
  const { user, customer } = await requireActingUser(tx, { platformId, userId: request.user, vault: rt.vault, asOf });
  const virtualNo = await ownAccount(tx, platformId, customer.id, request.account);
  const policies = await loadPolicies(tx);
  const book = await loadBook(tx, platformId);
  const barred = request.kinds.find((kind) => !proofNeeded(policies, book.profile, kind).mandates);
  if (barred !== undefined) throw new Refused(refuse('MANDATE_NOT_ENOUGH', undefined, { kind: barred }));
  const payees = await namesOf(tx, rt, book, request.payees.accounts);
  const platform = (await readPlatform(tx, platformId))?.name ?? '';
  const answerMs = nowMs + Number(parameters.on(today, 'mandate.answer-hours')) * 3_600_000;
  const expiresMs = Math.min(answerMs, request.expiresMs) as Instant;
  const { user: _user, account: accountId, ...terms } = request;
  const ids = { id: rt.newId(), platformId, customerId: customer.id, accountId, userId: user.id };
  const mandate: NewMandate = { ...terms, ...ids, contentHash, createdMs: nowMs };
  await insertMandate(tx, mandate);
  const asked = await askConsent(tx, rt, {
    subject: 'mandate',
    subjectId: mandate.id,
    platformId,
    customerId: customer.id,
    needs: proofNeeded(policies, book.profile, 'mandate').needs,
    shown: shownMandate({ terms, mandateNo: terms.mandateNo, platform, virtualNo, payees, answerUntil: expiresMs }),
    expiresMs,
  });
  const stored = await findMandate(tx, mandate.id);
  invariant(stored, 'a mandate that was written is there');
  return { mandate: stored, asked, repeated: false };
}

/** The last end that the bank accepts: the same moment of the day, so many years ahead. */
function latestEnd(nowMs: Instant, parameters: Parameters): Instant {
  const today = naturalDate(nowMs);
  const years = Number(parameters.on(today, 'mandate.years'));
  return (startOfDay(addMonths(today, 12 * years)) + (nowMs - startOfDay(today))) as Instant;
}

/** The number of an electronic account of this customer, opened through this platform and not closed. */
async function ownAccount(tx: Tx, platformId: Id, customerId: Id, accountId: Id): Promise<string> {
  const account = (await electronicRecords.load(tx, [accountId])).get(accountId);
  const shown = { account: toWire('account', accountId) };
  if (account === undefined || account.platformId !== platformId || account.customerId !== customerId)
    throw new Refused(refuse('ACCOUNT_NOT_FOUND', 'The user has no such electronic account.', shown));
  if (account.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED', undefined, shown));
  if (account.state === 'closing') throw new Refused(refuse('ACCOUNT_CLOSING', undefined, shown));
  return account.virtualNo;
}

/** Who holds the accounts that may be paid: only sub-merchants of the platform, so that the customer reads a verified name. */
async function namesOf(tx: Tx, rt: Pick<Runtime, 'vault'>, book: Book, accounts: readonly Id[]): Promise<string[]> {
  if (accounts.length === 0) return [];
  const there = await loadAccounts(tx, accounts, () => book.businessDate);
  const names = await payeeNames(tx, rt.vault, accounts);
  return accounts.map((id) => {
    const account = there.get(id);
    const name = names.get(id)?.name;
    const shown = { account: toWire('account', id) };
    if (account === undefined || name === undefined || account.platformId !== book.platformId)
      throw new Refused(refuse('ACCOUNT_NOT_FOUND', 'The platform has no such sub-merchant.', shown));
    if (account.state === 'closed') throw new Refused(refuse('ACCOUNT_CLOSED', undefined, shown));
    return name;
  });
}

/**
 * What follows from the customer's answer, in its transaction: he gave it, or he did not.
 * @throws Refused MANDATE_ENDED when the platform has withdrawn it meanwhile; his yes comes to nothing then
 */
export function mandateAnswered({ clock }: Pick<Runtime, 'clock'>): AnswerHandler {
  return async (tx, id, ending) => {
    const to = ({ given: 'active', declined: 'declined', expired: 'lapsed', locked: 'lapsed' } as const)[ending];
    const changed = await settleMandate(tx, id, to, clock.now());
    if (!changed && ending === 'given') throw new Refused(refuse('MANDATE_ENDED', undefined, { mandate: toWire('mandate', id) }));
    return undefined;
  };
}

/**
 * Ends a mandate from the commit on: it takes the shard, so what was accepted before and is decided after is refused. Twice changes
 * nothing.
 * @param mayBe whether whoever revokes may see it
 * @throws Refused NOT_FOUND
 */
export async function revokeMandate(
  tx: Tx,
  { clock }: Pick<Runtime, 'clock'>,
  id: Id,
  by: Revoker,
  mayBe: (mandate: StoredMandate) => boolean,
): Promise<StoredMandate> {
  const mandate = await findMandate(tx, id);
  if (mandate === undefined || !mayBe(mandate)) throw new Refused(refuse('NOT_FOUND'));
  const nowMs = clock.now();
  const { shardId } = await loadBook(tx, mandate.platformId);
  await lockShard(tx, shardId, nowMs);
  await endMandate(tx, id, by, nowMs);
  const now = await findMandate(tx, id);
  invariant(now, 'a mandate is never removed');
  return now;
}

/** A fresh address of a customer's own page. The caller commits, and hands it out only then. */
export async function linkToMandates(
  tx: Tx,
  { clock, config }: Pick<Runtime, 'clock' | 'config'>,
  of: { readonly customerId: Id; readonly platformId: Id | null; readonly expiresMs: Instant },
): Promise<string> {
  const token = newToken('cgm');
  await insertLink(tx, { ...of, tokenHash: hashToken(token) }, clock.now());
  return `${config.PUBLIC_URL.replace(/\/$/, '')}/mandates/${token}`;
}
