import { sweep } from '../../jobs/sweep.job.js';
import { JOBS } from '../../jobs/worker.js';
import { setFrozen } from '../../src/accounts/book.js';
import { closeSubMerchant } from '../../src/accounts/sub-merchants.js';
import { closeDueDays } from '../../src/clearing/index.js';
import { changeDay } from '../../src/clearing/store.js';
import { type Desk, pollDue, sendDue } from '../../src/dispatch/index.js';
import { executeShard, type Receipt } from '../../src/instructions/index.js';
import { type BusinessDate, type Id, Refused } from '../../src/kernel/index.js';
import { reconcileChannelFiles } from '../../src/reconciliation/index.js';
import { acceptBreak } from '../../src/reconciliation/store.js';
import type { Bell } from './bells.js';
import type { Request } from './giving.js';
import type { Side } from './market.js';
import { isTurnedAway, reordered, submissionOf } from './memory.js';
import type { Simulation } from './simulation.js';
import { DAY, HOUR, MINUTE, SECOND } from './time.js';
import { weather } from './weather.js';
import { Crashed, type Worker } from './worker.js';

type StepOf = (simulation: Simulation) => Promise<string>;

/** What may happen next, and how often. */
export const STEPS: readonly (readonly [StepOf, number])[] = [
  [give, 30],
  [listen, 26],
  [execute, 8],
  [send, 8],
  [poll, 8],
  [sweepUp, 3],
  [letTimePass, 12],
  [closeDays, 7],
  [staff, 4],
  [changeWeather, 2],
  [flushRedis, 1],
  [crashIdle, 1],
];

/** Arms what may break while a process works: the wire to the database, or the process itself at a call to the bank. */
function endanger({ chance }: Simulation, worker: Worker, calls: boolean): string {
  if (chance.happens(0.14)) {
    const at = chance.happens(0.7) ? ('commit' as const) : ('statement' as const);
    const how = chance.one(['before', 'after', 'killed'] as const);
    const nth = at === 'commit' ? chance.between(1, 4) : chance.between(1, 25);
    const crash = chance.happens(0.5);
    worker.cut({ at, nth, how }, crash);
    return ` [cut ${how} ${at} ${nth}${crash ? ', crash' : ''}]`;
  }
  if (!calls || !chance.happens(0.16)) return '';
  const fuse = { when: chance.one(['before-call', 'after-call', 'lingers'] as const), nth: chance.between(1, 3) };
  worker.burn(fuse);
  return ` [${fuse.when} ${fuse.nth}]`;
}

/** Work of one process, or of two at once; one of them in danger. */
async function work(
  simulation: Simulation,
  what: string,
  calls: boolean,
  job: (worker: Worker) => Promise<unknown>,
): Promise<string> {
  const { chance } = simulation;
  const first = simulation.worker(chance.below(2));
  const both = chance.happens(0.25);
  const danger = endanger(simulation, first, calls);
  const at = both ? simulation.workers : [first];
  await Promise.all(at.map((worker) => simulation.attempt(worker, what, job)));
  return `${what}${both ? ', two at once' : ''}${danger}${first.alive ? '' : ' – crashed'}`;
}

function made(simulation: Simulation): Request[] {
  const { chance, giving, memory } = simulation;
  const requests = giving.batch(
    chance.weighted([
      [chance.between(1, 4), 6],
      [chance.between(5, 15), 3],
      [60, 0.15],
    ]),
  );
  for (let extra = chance.between(0, 3); extra > 0; extra -= 1) {
    const before = chance.happens(0.3) ? chance.one(requests) : memory.earlier(chance);
    if (before === undefined) continue;
    requests.push(chance.happens(0.3) ? giving.other(before) : { ...before, body: reordered(before.body) as Request['body'] });
  }
  return requests; // a repeat never comes before its first
}

/** Instructions arrive at one process, or the same ones at two. */
async function give(simulation: Simulation): Promise<string> {
  const { chance, memory } = simulation;
  const requests = made(simulation);
  const submissions = requests.map(submissionOf);
  turnAway(simulation, requests[0] as Request);
  const first = simulation.worker(chance.below(2));
  const both = chance.happens(0.1);
  const danger = both ? '' : endanger(simulation, first, false);
  const workers = both ? simulation.workers : [first];
  const answers = await Promise.all(
    workers.map((worker) =>
      simulation.attempt(worker, 'receive', ({ intake }): Promise<Receipt[]> => intake.receive(submissions)),
    ),
  );
  const heard = answers.filter((receipts) => receipts !== undefined);
  if (heard.length === 0) memory.lost(requests, submissions);
  memory.answered(requests, submissions, heard);
  return `give ${requests.length}${both ? ' to two' : ''}${danger}`;
}

function turnAway(simulation: Simulation, request: Request): void {
  const { chance } = simulation;
  if (!chance.happens(0.1)) return;
  const { body } = request;
  const wrong = chance.one([
    { ...body, data: { ...body.data, surprise: 1 } },
    { ...body, kind: 'gift' },
    { ...body, requestNo: '' },
    { ...body, data: { ...body.data, amount: { amount: 0, currency: 'CNY' }, lines: [] } },
    { requestNo: body.requestNo, kind: body.kind },
  ]);
  if (!isTurnedAway(request, wrong)) simulation.violate(`the door let ${JSON.stringify(wrong)} in`);
}

/** What a worker does when it hears a bell. */
export async function hear(desk: Desk, { name, key }: Bell): Promise<unknown> {
  return JOBS.find((job) => job.name === name)?.run(desk, key);
}

async function listen(simulation: Simulation): Promise<string> {
  const { bells, chance } = simulation;
  const rung = await bells.take(chance, chance.between(1, 4));
  for (const bell of rung) await work(simulation, `${bell.name} ${bell.key}`, true, ({ desk }) => hear(desk, bell));
  return `hear ${rung.map(({ name, key }) => `${name} ${key}`).join(', ') || 'nothing'}`;
}

function execute(simulation: Simulation): Promise<string> {
  const shard = simulation.chance.one(simulation.shards);
  return work(simulation, `execute shard ${shard}`, false, ({ rt }) => executeShard(rt, shard));
}

function send(simulation: Simulation): Promise<string> {
  const shardId = simulation.chance.one(simulation.shards);
  return work(simulation, `send payouts of shard ${shardId}`, true, ({ desk }) => sendDue(desk, { shardId }));
}

export function poll(simulation: Simulation): Promise<string> {
  const shard = simulation.chance.one(simulation.shards);
  return work(simulation, `poll shard ${shard}`, true, ({ desk }) => pollDue(desk, shard));
}

/** What time alone starts in a worker, besides the taking of transfers. */
export async function letTimeWork(desk: Desk): Promise<void> {
  await sweep(desk);
  await reconcileChannelFiles(desk);
}

function sweepUp(simulation: Simulation): Promise<string> {
  return work(simulation, 'sweep', false, ({ desk }) => letTimeWork(desk));
}

async function letTimePass(simulation: Simulation): Promise<string> {
  const { chance, time } = simulation;
  const untilMidnight = DAY - ((time.now() + 8 * HOUR) % DAY);
  const ms = chance.weighted([
    [chance.between(2 * SECOND, 10 * MINUTE), 6],
    [chance.between(10 * MINUTE, 5 * HOUR), 4],
    [untilMidnight + chance.between(0, 2 * HOUR), 2],
    [chance.between(1, 3) * DAY, 0.4],
  ]);
  simulation.pass(ms);
  return `${Math.round(ms / MINUTE)} minutes pass`;
}

async function closeDays(simulation: Simulation): Promise<string> {
  const { chance, market } = simulation;
  const platform = chance.one(market.sides).book.platformId;
  const crashAt = chance.happens(0.35) ? chance.between(1, 8) : 0;
  let points = 0;
  let where = '';
  const told = await work(simulation, `close days of ${platform}`, true, async (worker) => {
    const outcomes = await closeDueDays(worker.desk, platform, {
      at: (point) => {
        points += 1;
        if (points !== crashAt) return;
        where = ` – crashed ${point}`;
        worker.crash();
        throw new Crashed();
      },
    });
    simulation.counts.closes += outcomes.filter(({ state }) => state === 'closed').length;
  });
  return told + where;
}

async function staff(simulation: Simulation): Promise<string> {
  const { chance, market } = simulation;
  const side = chance.one(market.sides);
  const { rt } = simulation.worker(0);
  await simulation.witness.look(); // the model changes when the books do, and not before
  if (simulation.options.statements && chance.happens(0.5)) return repair(simulation);
  switch (chance.below(4)) {
    case 0: {
      const transferMax = chance.one([0n, 1_000n, 5_000_000n]);
      await market.changeTerms(rt, side, transferMax, chance.one([0n, 10_000n]));
      return `terms of ${side.book.platformId}: ${transferMax}`;
    }
    case 1:
      return freeze(simulation, side);
    case 2:
      return closeMerchant(simulation, side);
    default:
      if (side.subs.length < 14) await market.openMerchant(rt, side, chance.happens(0.2));
      return `a merchant of ${side.book.platformId} opens`;
  }
}

/** People accept the differences that a wrong statement made, and the closes that it stopped go on. */
export async function repair(simulation: Simulation): Promise<string> {
  const { db, time } = simulation;
  const { rt } = simulation.worker(0);
  const open = await db.read('open-breaks', (tx) =>
    tx.rows<{ id: Id }>("SELECT id FROM breaks WHERE state = 'open' AND timing = 0"),
  );
  const stopped = await db.read('stopped', (tx) =>
    tx.rows<{ platform_id: Id; business_date: BusinessDate }>(
      "SELECT platform_id, business_date FROM business_days WHERE state = 'stopped'",
    ),
  );
  await rt.db.withTx('repair', async (tx) => {
    for (const { id } of open) await acceptBreak(tx, id, 'simulation', 'seen', time.now());
    for (const { platform_id, business_date } of stopped) {
      const change = { from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const;
      await changeDay(tx, platform_id, business_date, change);
    }
  });
  return `${open.length} breaks are accepted, ${stopped.length} closes go on`;
}

async function freeze(simulation: Simulation, side: Side): Promise<string> {
  const { chance, model } = simulation;
  const { account } = chance.one(side.merchants);
  const known = model.accounts.get(account);
  if (known === undefined || known.state === 'closed') return 'nobody is frozen';
  const frozen = known.state === 'open' && chance.happens(0.5);
  const { rt } = simulation.worker(0);
  known.state = (await rt.db.withTx('freeze', (tx) => setFrozen(tx, rt, account, frozen))) as typeof known.state;
  return `${account} is ${known.state}`;
}

async function closeMerchant(simulation: Simulation, side: Side): Promise<string> {
  const { chance, model } = simulation;
  const merchant = chance.one(side.merchants);
  const known = model.accounts.get(merchant.account);
  const { rt } = simulation.worker(0);
  try {
    const { state } = await closeSubMerchant(rt, side.book.platformId, merchant.id);
    const empty = known?.balance === 0n && known.held === 0n;
    if (!empty) simulation.violate(`merchant ${merchant.id} was closed with ${known?.balance} on its account`);
    if (known !== undefined) known.state = state;
    return `merchant ${merchant.id} closes`;
  } catch (error) {
    if (error instanceof Refused) return `merchant ${merchant.id} does not close: ${error.refusal.code}`;
    throw error;
  }
}

async function changeWeather(simulation: Simulation): Promise<string> {
  const { name, plan } = weather(simulation.chance, simulation.options.statements);
  simulation.bank.bank.faults.replace(plan);
  return `the bank is ${name}`;
}

async function flushRedis(simulation: Simulation): Promise<string> {
  await simulation.bells.flush();
  simulation.counts.redisFlushes += 1;
  return 'Redis is flushed';
}

async function crashIdle(simulation: Simulation): Promise<string> {
  simulation.worker(simulation.chance.below(2)).crash();
  return 'a process crashes';
}
