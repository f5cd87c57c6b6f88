import { describe, expect, it } from '@jest/globals';
import {
  type Deal,
  dueActs,
  endingOf,
  endStage,
  type Fund,
  hasEnded,
  nextDue,
  partsOf,
  planOf,
  stageOf,
  withFunded,
  withParts,
} from '../../src/escrow/index.js';
import { parseTemplate, type Template } from '../../src/escrow/template.js';
import { addDays, asId, type BusinessDate, type Id, type Instant, startOfDay } from '../../src/kernel/index.js';

/** The same numbers for the same seed (mulberry32). */
function chanceOf(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (n: number) => Math.floor(next() * n);
  return { below, one: <T>(of: readonly T[]): T => of[below(of.length)] as T, happens: (rate: number) => next() < rate };
}
type Chance = ReturnType<typeof chanceOf>;

const FIRST = '2026-03-02' as BusinessDate;
const ROLES = ['payer', 'anna', 'ben', 'cara'];
const HOUR = 3_600_000;

/** Any template that the schema lets pass: sequences, repeats, rates, fixed parts, objections, exits by day. */
function anyTemplate(chance: Chance): Template {
  const lines = () => {
    const to = () => chance.one(['payers', 'anna', 'ben', 'cara']);
    const takes = Array.from({ length: chance.below(3) }, () =>
      chance.happens(0.5) ? { to: to(), take: { percent: chance.below(3_334) } } : { to: to(), take: { fixed: 'part' } },
    );
    return [...takes, { to: to(), take: 'rest' }];
  };
  const leaf = () =>
    chance.one<object>([
      { confirmed: [chance.one(ROLES)] },
      { confirmed: ['anna', 'ben', 'cara'], quorum: 1 + chance.below(3) },
      { date: 'end', days: chance.below(9) - 4 },
      { since: 'open', days: chance.below(5) },
      { since: { confirmed: ['anna'] }, days: 1 + chance.below(3) },
      { review: true },
    ]);
  const when = () =>
    chance.one<object>([
      leaf(),
      { any: [leaf(), leaf()] },
      { all: [leaf(), leaf()] },
      { any: [leaf(), { all: [leaf(), leaf()] }] },
    ]);
  const keys = Array.from({ length: 1 + chance.below(4) }, (_, place) => `s${place}`);
  return parseTemplate({
    ...{ name: 'any', version: 1, title: { en: 'a', zh: 'a' }, story: { en: 'a', zh: 'a' } },
    roles: ROLES.map((role) => ({
      ...{ role, en: role, zh: role, accepts: false },
      does: role === 'payer' ? ['pays', 'many'] : ['receives'],
    })),
    amounts: ['whole', 'part'].map((name) => ({ name, en: name, zh: name })),
    dates: ['fund', 'end'].map((name) => ({ name, en: name, zh: name })),
    counts: [{ name: 'times', en: 'times', zh: 'times', most: 9 }],
    stages: keys
      .map((key, place) => ({
        ...{ key, en: key, zh: key, fundBy: { date: 'fund', days: chance.below(6) }, when: when(), pay: lines() },
        ...(chance.happens(0.3)
          ? { repeat: 'times', amount: { of: 'whole', part: chance.one(['equal', 'whole']) } }
          : {
              amount: {
                of: 'whole',
                part: chance.one<unknown>(['whole', { percent: 1 + chance.below(10_000) }]),
                atLeast: chance.happens(0.2),
              },
            }),
        ...(chance.happens(0.5) ? { by: { date: 'end', days: chance.below(4) } } : {}),
        otherwise: chance.happens(0.3) ? 'review' : lines(),
        ...{ failsAlone: chance.happens(0.3), objects: chance.happens(0.3) ? ['ben'] : [] },
        after: place > 0 && chance.happens(0.5) ? keys[place - 1] : undefined,
      }))
      .map((stage, place, all) =>
        stage.after !== undefined && 'repeat' in (all[place - 1] as object) ? { ...stage, after: undefined } : stage,
      ),
    exits: chance.happens(0.5)
      ? [
          {
            ...{
              key: 'x',
              en: 'x',
              zh: 'x',
              when: chance.one<object>([{ confirmed: ['payer'] }, { review: true }]),
              before: 'end',
            },
            rows: [
              { days: 3, pay: lines() },
              { days: -3650, pay: lines() },
            ],
          },
        ]
      : [],
  });
}

const id = (place: number) => asId(String(2_000_000_000_000_000_000n + BigInt(place)));

function openDeal(chance: Chance): Deal {
  for (;;) {
    const nowMs = (startOfDay(FIRST) + 9 * HOUR) as Instant;
    const plan = planOf(
      anyTemplate(chance),
      {
        parties: ['anna', 'ben', 'cara'].map((role, place) => ({ role, account: id(place + 1), user: null })),
        amounts: { whole: BigInt(1 + chance.below(chance.one([20, 5_000, 9_999_999]))), part: BigInt(1 + chance.below(3_000)) },
        dates: { fund: addDays(FIRST, 1 + chance.below(4)), end: addDays(FIRST, 6 + chance.below(8)) },
        counts: { times: 1 + chance.below(4) },
      },
      nowMs,
    );
    if ('code' in plan) continue; // a stage without a fen
    const stages = plan.stages.map(({ key }) => ({ key, funded: 0n, fundedMs: null, end: null }));
    return {
      id: id(0),
      platformId: id(9),
      escrowNo: 'E',
      plan,
      openedMs: nowMs,
      stages,
      given: [],
      decided: [],
      turn: 0,
      dueMs: null,
      endedMs: null,
    };
  }
}

interface Told {
  deal: Deal;
  funds: readonly Fund[];
  paid: Map<Id, bigint>;
  got: bigint;
  lines: string[];
}

/** What happens at one moment; whoever sweeps does so only now and then. */
function happen(told: Told, chance: Chance, nowMs: Instant): void {
  const { deal } = told;
  const items = [...deal.plan.stages.flatMap(({ key }) => [key, `${key}:objection`]), ...deal.plan.exits.map(({ key }) => key)];
  const what = chance.below(4);
  if (what <= 1) {
    const orderId = id(100 + chance.below(4));
    const amount = BigInt(1 + chance.below(Number(deal.plan.stages[0]?.amount ?? 1n)));
    const parts = partsOf(deal, { amount, stage: chance.happens(0.3) ? chance.one(deal.plan.stages).key : undefined, nowMs });
    if ('code' in parts) return;
    told.deal = withFunded(deal, parts, nowMs);
    told.funds = withParts(told.funds, { orderId, orderNo: orderId }, parts);
    told.paid.set(orderId, (told.paid.get(orderId) ?? 0n) + amount);
  } else if (what === 2) {
    told.deal = { ...deal, given: [...deal.given, { item: chance.one(items), role: chance.one(ROLES), atMs: nowMs }] };
  } else if (chance.happens(0.3)) {
    const lines = chance.happens(0.5)
      ? null
      : [
          { to: 'anna', take: { fixed: BigInt(chance.below(500)) } },
          { to: 'payers', take: 'rest' as const },
        ];
    const item = chance.one(items);
    // As `mayDecide` has it: nobody divides a stage whose moment has come, where no dispute holds it up.
    if (lines !== null && hasEnded(deal, item, nowMs)) return;
    told.deal = { ...deal, decided: [...deal.decided, { item, lines, atMs: nowMs }] };
  }
}

function sweep(told: Told, nowMs: Instant): void {
  for (const act of dueActs(told.deal, told.funds, nowMs)) {
    if (act.stage === undefined) continue;
    const before = endingOf(told.deal, act.stage);
    const after = endStage(told.deal, told.funds, { stage: act.stage, instruction: id(7), nowMs });
    for (const { amount } of after.passings) told.got += amount;
    told.lines.push(
      `${act.stage} ${before?.how} ${before?.atMs} ${stageOf(after.deal, act.stage)?.state.end?.paid.map(({ to, amount }) => `${to} ${amount}`)}`,
    );
    told.deal = after.deal;
    told.funds = after.funds;
  }
}

function run(seed: number, often: boolean): Told {
  const chance = chanceOf(seed);
  const told: Told = { deal: openDeal(chance), funds: [], paid: new Map(), got: 0n, lines: [] };
  for (let step = 0; step < 60; step += 1) {
    const nowMs = (told.deal.openedMs + step * 5 * HOUR) as Instant;
    if (often) sweep(told, nowMs);
    happen(told, chance, nowMs);
    conserved(told);
  }
  // In the end the bank decides what nobody else did.
  const last = (told.deal.openedMs + 5_000 * HOUR) as Instant;
  sweep(told, last);
  const left = told.deal.stages.filter(({ end }) => end === null);
  const lines = [{ to: 'payers', take: 'rest' as const }];
  told.deal = { ...told.deal, decided: [...told.deal.decided, ...left.map(({ key }) => ({ item: key, lines, atMs: last }))] };
  sweep(told, last);
  return told;
}

/** By plain comparisons: it runs after every step of every story. */
function conserved({ funds, paid, got, deal }: Told): void {
  const must = (holds: boolean, what: string) => {
    if (!holds) throw new Error(what);
  };
  const sum = (of: (fund: Fund) => bigint) => funds.reduce((total, fund) => total + of(fund), 0n);
  const came = [...paid.values()].reduce((total, amount) => total + amount, 0n);
  must(sum(({ amount }) => amount) === came, 'what came in stands for stages');
  must(sum(({ released }) => released) === got, 'what was let go was got');
  for (const [orderId, amount] of paid) {
    const of = funds.reduce((total, fund) => (fund.orderId === orderId ? total + fund.amount : total), 0n);
    must(of === amount, 'every order brings what was paid for it');
  }
  for (const { key, funded, end } of deal.stages) {
    const mine = funds.filter(({ stage }) => stage === key);
    must(mine.reduce((total, { amount }) => total + amount, 0n) === funded, 'a stage has what orders brought for it');
    for (const { amount, released, back } of mine)
      must(released + back === (end === null ? 0n : amount), 'what ended was let go or goes back');
    if (end !== null) must(end.paid.reduce((total, { amount }) => total + amount, 0n) === funded, 'nothing of a stage is lost');
  }
}

describe('of any template and whatever its parties do', () => {
  it.each(Array.from({ length: 200 }, (_, place) => place + 1))('every fen is let go or goes back, once (seed %i)', (seed) => {
    const told = run(seed, true);
    conserved(told);
    expect(told.deal.stages.every(({ end }) => end !== null)).toBe(true);
    expect(told.funds.every(({ amount, released, back }) => released + back === amount)).toBe(true);
    expect(told.deal.endedMs).not.toBeNull();
  });

  it.each(Array.from({ length: 50 }, (_, place) => place + 1))('a stage that ended does not end again (seed %i)', (seed) => {
    const { deal, funds } = run(seed, true);
    expect(dueActs(deal, funds, (deal.openedMs + 9_000 * HOUR) as Instant).filter(({ stage }) => stage !== undefined)).toEqual(
      [],
    );
    expect(
      nextDue(
        deal,
        funds.map((fund) => ({ ...fund, sent: fund.back })),
        deal.openedMs,
      ),
    ).toBeNull();
  });
});

describe('a sweep that is late', () => {
  // Nothing is paid in after the first days, so that what the parties do is the same in both.
  it.each(Array.from({ length: 150 }, (_, place) => place + 1))('changes nothing of what became of a deal (seed %i)', (seed) => {
    const [often, once] = [true, false].map((now) => run(seed, now)) as [Told, Told];
    expect(once.paid).toEqual(often.paid);
    expect([...once.lines].sort()).toEqual([...often.lines].sort());
  });
});
