import { actingCustomer, isOwner, payeeNames } from '../accounts/index.js';
import { type AnswerHandler, askConsent } from '../consents/index.js';
import { type Id, type Instant, invariant, naturalDate, Refused, refuse, toWire } from '../kernel/index.js';
import { loadBook, lockShard } from '../ledger/index.js';
import { readPlatform } from '../platforms/index.js';
import { type Asked, isDuplicateKey, loadParameters, type Runtime, type Tx } from '../runtime/index.js';
import { answerWord, findWord, insertWord, type Word, wordsOf } from './confirm-store.js';
import { borrowerOf } from './register.js';
import { accountOf, decideCap, mayConfirm, type Project, type Role, raiseEnd, rolesOf } from './rules.js';
import { shownProject } from './shown.js';
import { borrowedBy, findProject, saveProject } from './store.js';

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault' | 'config'>;

export interface AskedWord {
  readonly word: Word;
  readonly asked: Asked | undefined;
  readonly repeated: boolean;
}

/**
 * Puts a project to its borrower or guarantor, on a page that the bank hosts, with all its terms; he says yes with his trade password and a
 * code. Who has said yes, or is asked, gets the same answer again.
 * @throws Refused PROJECT_STATE, PROJECT_WRONG_PARTY, NOT_FOUND, or why the user may do nothing
 */
export async function askWord(rt: Parts, project: Project, of: { readonly role: Role; readonly user: Id }): Promise<AskedWord> {
  const id = rt.newId();
  const ask = () =>
    rt.db.withTx(
      'ask of project',
      async (tx): Promise<AskedWord> => {
        const { project: now, nowMs } = await underLock(tx, rt, project);
        const customer = await actingCustomer(tx, rt, { platformId: now.platformId, userId: of.user, nowMs });
        const account = accountOf(now, of.role);
        if (account === null || !(await isOwner(tx, rt, customer, account)))
          throw new Refused(refuse('PROJECT_WRONG_PARTY', undefined, { role: of.role, user: toWire('user', of.user) }));
        const live = liveOf(await wordsOf(tx, now.id), of.role);
        if (live !== undefined) return { word: live, asked: openQuestion(live), repeated: true };
        const refusal = mayConfirm(now, of.role, nowMs);
        if (refusal !== undefined) throw new Refused(refusal);
        return putQuestion(tx, rt, now, { ...of, id, customerId: customer.id, nowMs });
      },
      async () => {
        const word = await rt.db.read('asked of project', (tx) => findWord(tx, id));
        return word === undefined ? undefined : { word, asked: openQuestion(word), repeated: false };
      },
    );
  try {
    return await ask();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return ask();
  }
}

const liveOf = (words: readonly Word[], role: Role) =>
  words.find((word) => word.role === role && (word.state === 'asked' || word.state === 'given'));

/** The question while it is open, without its address. */
export function openQuestion({ state, consentId, expiresMs }: Word): Asked | undefined {
  if (state !== 'asked' || consentId === null || expiresMs === null) return undefined;
  return { consent: consentId, expiresMs };
}

/** The project as it is while nobody else decides about its platform's books. */
async function underLock(tx: Tx, rt: Pick<Runtime, 'clock'>, { id, platformId }: Pick<Project, 'id' | 'platformId'>) {
  const { shardId } = await loadBook(tx, platformId);
  const { nowMs } = await lockShard(tx, shardId, rt.clock.now());
  const project = await findProject(tx, id);
  invariant(project, `the project ${id} is there`);
  return { project, nowMs };
}

async function putQuestion(
  tx: Tx,
  rt: Parts,
  project: Project,
  of: { readonly id: Id; readonly role: Role; readonly user: Id; readonly customerId: Id; readonly nowMs: Instant },
): Promise<AskedWord> {
  const { id, role, nowMs } = of;
  const hours = Number((await loadParameters(tx)).on(naturalDate(nowMs), 'lending.answer-hours'));
  const expiresMs = Math.min(nowMs + hours * 3_600_000, project.raiseUntilMs) as Instant;
  const { platformId, payee } = project;
  const platform = (await readPlatform(tx, platformId))?.name ?? '';
  const payeeName = payee === null ? null : ((await payeeNames(tx, rt.vault, [payee])).get(payee)?.name ?? '');
  const asked = await askConsent(tx, rt, {
    ...{ subject: 'project', subjectId: id, platformId, customerId: of.customerId, needs: 'both', expiresMs },
    shown: shownProject({ project, role, platform, payeeName, answerUntil: expiresMs }),
  });
  const word: Word = {
    ...{ id, projectId: project.id, role, way: 'page', state: 'asked', userId: of.user, consentId: asked.consent, expiresMs },
    ...{ voucherSealed: null, recordedBy: null, createdMs: nowMs, givenMs: null },
  };
  await insertWord(tx, word);
  return { word, asked, repeated: false };
}

/**
 * What follows from a party's answer, in its transaction: with the last word that it takes the project can be lent to.
 * @throws Refused PROJECT_STATE, PROJECT_CAP when that is not so any more: his yes comes to nothing then
 */
export function projectAnswered(rt: Pick<Runtime, 'clock' | 'vault'>): AnswerHandler {
  return async (tx, id, ending) => {
    const word = await findWord(tx, id);
    invariant(word, `the word ${id} is there`);
    const found = await findProject(tx, word.projectId);
    invariant(found, `the project ${word.projectId} is there`);
    const { project, nowMs } = await underLock(tx, rt, found);
    const to = ({ given: 'given', declined: 'declined', expired: 'lapsed', locked: 'lapsed' } as const)[ending];
    const refusal = to === 'given' ? mayConfirm(project, word.role, nowMs) : undefined;
    if (refusal !== undefined) throw new Refused(refusal);
    const changed = await answerWord(tx, id, to, nowMs);
    if (to !== 'given') return undefined;
    if (!changed) throw new Refused(refuse('PROJECT_STATE', 'It was answered otherwise meanwhile.'));
    await open(tx, rt, project, nowMs);
    return undefined;
  };
}

/** Takes bids from now on, when all have said yes: what the borrower owes is looked at again, since that is the moment from which it counts. */
async function open(tx: Tx, rt: Pick<Runtime, 'vault'>, project: Project, nowMs: Instant): Promise<void> {
  const given = (await wordsOf(tx, project.id)).filter(({ state }) => state === 'given').map(({ role }) => role);
  if (rolesOf(project).some((role) => !given.includes(role))) return;
  const parameters = await loadParameters(tx);
  const { kind, index } = await borrowerOf(tx, rt, project.borrower);
  const borrowed = await borrowedBy(tx, index, project.platformId);
  const capped = decideCap(kind, project.amount, borrowed, naturalDate(nowMs), parameters);
  if (capped !== undefined) throw new Refused(capped);
  const raising = { ...project, state: 'raising' } as const;
  await saveProject(tx, { ...raising, dueMs: raiseEnd(raising, parameters) });
}

/**
 * A member of staff saw a party's signature on the contract. A question that is open on a page lapses with that; who has said yes already
 * gets the same answer. Each person of the bank speaks for one party of a project.
 * @throws Refused PROJECT_NOT_FOUND, PROJECT_STATE, PROJECT_WRONG_PARTY, PROJECT_CAP, SAME_OPERATOR
 */
export async function recordWord(
  tx: Tx,
  rt: Pick<Runtime, 'newId' | 'clock' | 'vault'>,
  of: { readonly project: Id; readonly role: Role; readonly voucher: string; readonly by: Id },
): Promise<Word> {
  const found = await findProject(tx, of.project);
  if (found === undefined) throw new Refused(refuse('PROJECT_NOT_FOUND'));
  const { project, nowMs } = await underLock(tx, rt, found);
  const words = await wordsOf(tx, project.id);
  const live = liveOf(words, of.role);
  if (live?.state === 'given') return live;
  const refusal = mayConfirm(project, of.role, nowMs);
  if (refusal !== undefined) throw new Refused(refusal);
  if (words.some(({ recordedBy, role }) => recordedBy === of.by && role !== of.role)) throw new Refused(refuse('SAME_OPERATOR'));
  if (live !== undefined) await answerWord(tx, live.id, 'lapsed', nowMs);
  const word: Word = {
    ...{ id: rt.newId(), projectId: project.id, role: of.role, way: 'paper', state: 'given', userId: null, consentId: null },
    ...{ expiresMs: null, voucherSealed: rt.vault.seal(of.voucher), recordedBy: of.by, createdMs: nowMs, givenMs: nowMs },
  };
  await insertWord(tx, word);
  await open(tx, rt, project, nowMs);
  return word;
}
