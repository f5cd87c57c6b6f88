import { randomInt } from 'node:crypto';
import type { Verification } from '../../channels/index.js';
import { type Id, type Instant, instantOf, invariant, type Minor, naturalDate, Refused, refuse } from '../../kernel/index.js';
import { loadParameters, type Parameters, type Runtime, type Tx } from '../../runtime/index.js';
import { comparableName } from '../users/particulars.js';
import { touchCustomer, usersOfCustomer } from '../users/records.js';
import { askAgainMs } from '../users/rules.js';
import { requireActingUser } from '../users/standing.js';
import { insertVerification } from '../users/verification-records.js';
import {
  countAnswer,
  dueTrials,
  insertTrial,
  moveTrial,
  putOffTrial,
  type Trial,
  type TrialDirection,
  trialsOf,
} from './trial-records.js';

/** The account outside that is to be a company's own. */
export interface TrialAccount {
  readonly name: string;
  readonly account: string;
  /** 12-digit bank code; empty for the custodian itself. */
  readonly bankCode: string;
}

type Parts = Pick<Runtime, 'db' | 'newId' | 'clock' | 'vault'>;

/** A trial with what its owner may see of it. */
export interface OpenTrial {
  readonly trial: Trial;
  readonly account: TrialAccount;
  readonly amount: Minor;
  readonly answersLeft: number;
}

const HOUR_MS = 3_600_000;

function openTrial({ vault }: Parts, trial: Trial, parameters: Parameters): OpenTrial {
  const max = Number(parameters.on(trial.startedOn, 'trial.attempts'));
  return {
    trial,
    account: JSON.parse(vault.open(trial.accountSealed)) as TrialAccount,
    amount: BigInt(vault.open(trial.amountSealed)),
    answersLeft: Math.max(0, max - trial.wrongAnswers),
  };
}

/**
 * Starts to show that an account is a company's own. The same direction and account while one is under way: that one again.
 * @throws Refused NOT_FOUND, COMPANY_ONLY, HOLDER_NAME_DIFFERS, VERIFICATION_ENDED (too many today, or another is under way), or why the
 * user may not act
 */
export async function startTrial(
  rt: Parts,
  { platformId, userId, direction, account }: { platformId: Id; userId: Id; direction: TrialDirection; account: TrialAccount },
): Promise<OpenTrial> {
  const nowMs = rt.clock.now();
  const today = naturalDate(nowMs);
  const work = async (tx: Tx) => {
    const parameters = await loadParameters(tx);
    const { customer } = await requireActingUser(tx, { platformId, userId, vault: rt.vault, asOf: { today, nowMs, parameters } });
    if (customer.kind !== 'company') throw new Refused(refuse('COMPANY_ONLY'));
    if (comparableName(account.name) !== comparableName(customer.name))
      throw new Refused(refuse('HOLDER_NAME_DIFFERS', '/account/name is not the name of the company'));
    await touchCustomer(tx, customer.id); // two starts come one after the other, so that the day's are counted
    const before = await trialsOf(tx, [userId]);
    const live = before.find((trial) => trial.decidedMs === null);
    if (live !== undefined) return sameTrial(openTrial(rt, live, parameters), direction, account);
    // Of the company, under whatever number and on whatever platform: another number gives no new guesses.
    const users = (await usersOfCustomer(tx, customer.id)).map((user) => user.id);
    const startedToday = (await trialsOf(tx, users)).filter((trial) => trial.startedOn === today).length;
    if (startedToday >= Number(parameters.on(today, 'trial.starts.day')))
      throw new Refused(refuse('VERIFICATION_ENDED', 'No more verifications can be started today.'));
    const amount = randomInt(1, Number(parameters.on(today, 'trial.amount')) + 1);
    const trial: Trial = {
      id: rt.newId(),
      userId,
      direction,
      accountSealed: rt.vault.seal(JSON.stringify(account)),
      amountSealed: rt.vault.seal(String(amount)),
      state: 'asked',
      wrongAnswers: 0,
      attempts: 0,
      nextMs: nowMs,
      expiresMs: instantOf(nowMs + Number(parameters.on(today, 'trial.hours')) * HOUR_MS),
      startedOn: today,
      createdMs: nowMs,
      decidedMs: null,
    };
    await insertTrial(tx, trial);
    return openTrial(rt, trial, parameters);
  };
  return rt.db.withTx('start trial', work, async () => undefined); // after a lost COMMIT it finds the one that it wrote
}

function sameTrial(open: OpenTrial, direction: TrialDirection, account: TrialAccount): OpenTrial {
  const same = open.account.account === account.account && open.account.bankCode === account.bankCode;
  if (open.trial.direction === direction && same) return open;
  throw new Refused(refuse('VERIFICATION_ENDED', 'Another verification is under way.'));
}

/** The last one. @throws Refused NOT_FOUND */
export async function readTrial(tx: Tx, rt: Parts, userId: Id): Promise<OpenTrial> {
  const [trial] = await trialsOf(tx, [userId]);
  if (trial === undefined) throw new Refused(refuse('NOT_FOUND'));
  return openTrial(rt, trial, await loadParameters(tx));
}

/**
 * What the company says it was paid. Each answer is counted before it is looked at; after the last wrong one it is over.
 * @throws Refused NOT_FOUND, VERIFICATION_ENDED, DEPOSIT_AMOUNT_WRONG
 */
export async function answerTrial(rt: Parts, userId: Id, amount: Minor): Promise<OpenTrial> {
  const nowMs = rt.clock.now();
  const work = async (tx: Tx): Promise<OpenTrial | 'early' | 'ended' | 'wrong'> => {
    const open = await readTrial(tx, rt, userId);
    const { trial } = open;
    if (trial.state === 'asked' || trial.direction === 'inward') return 'early';
    const max = Number((await loadParameters(tx)).on(trial.startedOn, 'trial.attempts'));
    if (trial.state === 'verified') return open.amount === amount ? open : 'ended'; // a second click
    if (!(await countAnswer(tx, trial.id, max, nowMs))) return 'ended';
    const to = open.amount === amount ? 'verified' : undefined;
    const now = (await readTrial(tx, rt, userId)).trial;
    const isLast = now.wrongAnswers >= max;
    if (to === undefined && !isLast) return 'wrong';
    await moveTrial(tx, now, to ?? 'ended', { nowMs, nextMs: nowMs });
    await keepResult(tx, rt, open, { result: to ?? 'ended', nowMs });
    return to === undefined ? 'wrong' : readTrial(tx, rt, userId);
  };
  // The count stands, whatever the answer was: it is committed before the refusal is thrown. A lost COMMIT counts it once more at worst.
  const result = await rt.db.withTx('answer trial', work, async () => undefined);
  if (result === 'early') throw new Refused(refuse('VERIFICATION_ENDED', 'Nothing was paid to the account yet.'));
  if (result === 'ended') throw new Refused(refuse('VERIFICATION_ENDED'));
  if (result !== 'wrong') return result;
  const { answersLeft } = await rt.db.read('trial', (tx) => readTrial(tx, rt, userId));
  throw new Refused(refuse('DEPOSIT_AMOUNT_WRONG', undefined, { answersLeft }));
}

async function keepResult(
  tx: Tx,
  { newId, vault }: Parts,
  { trial, account, amount }: OpenTrial,
  { result, nowMs }: { result: string; nowMs: Instant },
): Promise<void> {
  await insertVerification(tx, {
    id: newId(),
    userId: trial.userId,
    kind: 'trial',
    subject: trial.direction,
    askedSealed: vault.seal(JSON.stringify({ ...account, amount: String(amount) })),
    result,
    evidence: trial.id,
    askedMs: trial.createdMs,
    answeredMs: nowMs,
  });
}

const DUE_MAX = 100;

/** Pays what is to be paid, looks for what is to come in, and ends what nobody answered. Answers how many it looked at. */
export async function runTrials(rt: Parts, verification: Verification): Promise<number> {
  for (let looked = 0; ; ) {
    const nowMs = rt.clock.now();
    const { due, parameters } = await rt.db.read('trials due', async (tx) => ({
      due: await dueTrials(tx, nowMs, DUE_MAX),
      parameters: await loadParameters(tx),
    }));
    if (due.length === 0) return looked;
    for (const trial of due) await runTrial(rt, verification, openTrial(rt, trial, parameters), parameters);
    looked += due.length;
  }
}

async function runTrial(rt: Parts, verification: Verification, open: OpenTrial, parameters: Parameters): Promise<void> {
  const { trial, account, amount } = open;
  const isOver = trial.expiresMs <= rt.clock.now();
  if (trial.state === 'waiting') {
    invariant(isOver, 'a trial that waits for its company is due when its time is over');
    return end(rt, open, 'ended');
  }
  if (trial.direction === 'inward') {
    const { result } = await verification.findTrialInflow({ account: account.account, amount, reference: trial.id });
    if (result === 'found') return end(rt, open, 'verified');
    return isOver && result === 'not-found' ? end(rt, open, 'ended') : putOff(rt, trial);
  }
  // Its number makes the payment one, however often it is sent.
  const { result } = await verification.payTrial({ messageNo: trial.id, ...account, amount });
  if (result === 'failed') return end(rt, open, 'failed');
  if (result === 'unanswered') return isOver ? end(rt, open, 'ended') : putOff(rt, trial);
  const nowMs = rt.clock.now();
  const expiresMs = instantOf(nowMs + Number(parameters.on(trial.startedOn, 'trial.hours')) * HOUR_MS);
  await rt.db.withTx(
    'trial paid',
    async (tx) => {
      if (await moveTrial(tx, trial, 'waiting', { nowMs, nextMs: expiresMs, expiresMs }))
        await keepResult(tx, rt, open, { result: 'paid', nowMs });
    },
    async () => undefined,
  );
}

async function end(rt: Parts, open: OpenTrial, to: 'verified' | 'failed' | 'ended'): Promise<void> {
  const nowMs = rt.clock.now();
  const work = async (tx: Tx) => {
    if (await moveTrial(tx, open.trial, to, { nowMs, nextMs: nowMs })) await keepResult(tx, rt, open, { result: to, nowMs });
  };
  await rt.db.withTx('end trial', work, async () => undefined);
}

async function putOff(rt: Parts, trial: Trial): Promise<void> {
  const nextMs = instantOf(rt.clock.now() + askAgainMs(trial.attempts));
  await rt.db.withTx(
    'put off trial',
    (tx) => putOffTrial(tx, trial, nextMs),
    async () => undefined,
  );
}

/** The account that a company has shown to be its own, the last one; undefined: none yet. */
export async function verifiedAccountOf(tx: Tx, rt: Pick<Parts, 'vault'>, userId: Id): Promise<TrialAccount | undefined> {
  const trial = (await trialsOf(tx, [userId])).find((each) => each.state === 'verified');
  return trial && (JSON.parse(rt.vault.open(trial.accountSealed)) as TrialAccount);
}
