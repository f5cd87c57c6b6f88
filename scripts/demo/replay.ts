import { addDays, type BusinessDate, type Instant, naturalDate, startOfDay } from '../../src/kernel/index.js';
import { DrivenClock } from './clock.js';
import { closeDay } from './day.js';
import type { Client } from './http.js';
import { expectedOutcome, instructionOf, referenceOf } from './instructions.js';
import type { OpenMarket } from './opening.js';
import { payerOf } from './people.js';
import type { MarketEvent, PaymentEvent } from './rules.js';

const BATCH_MAX = 5_000;
const INFLOWS_MAX = 1_000;
/** At nine in the morning the large-value system is open: what waited for it goes out. */
const MORNING_MS = 9 * 3_600_000;
/** And a quarter of an hour before a working day begins: what goes out then has arrived before the cut-off. */
const EVENING_MS = 900_000;

/** What the replay tells while it goes on. */
export interface DayDone {
  readonly date: BusinessDate;
  /** From 1. */
  readonly day: number;
  readonly days: number;
  readonly instructions: number;
}

export interface Plan {
  readonly events: readonly MarketEvent[];
  readonly firstDay: BusinessDate;
  readonly lastDay: BusinessDate;
}

/** Every natural day from the first to the last, in order. */
export function daysOf({ firstDay, lastDay }: Pick<Plan, 'firstDay' | 'lastDay'>): BusinessDate[] {
  const days: BusinessDate[] = [];
  for (let date = firstDay; date <= lastDay; date = addDays(date, 1)) days.push(date);
  return days;
}

/**
 * Replays the events day by day and closes each day. @throws Error when the service answers an instruction otherwise than the
 * rules of the run demand, or does not close a day
 */
export async function replay(market: OpenMarket, plan: Plan, tell: (done: DayDone) => void): Promise<void> {
  const byDay = new Map<BusinessDate, MarketEvent[]>();
  for (const event of plan.events) {
    const date = naturalDate(event.at);
    const before = byDay.get(date);
    if (before === undefined) byDay.set(date, [event]);
    else before.push(event);
  }
  const days = daysOf(plan);
  const clock = new DrivenClock(market.clients.admin);
  let instructions = 0;
  for (const [place, date] of days.entries()) {
    const events = byDay.get(date) ?? [];
    if (events.length > 0) await trade(market, clock, date, events);
    const next = addDays(date, 1);
    await clock.moveTo((startOfDay(next) - EVENING_MS) as Instant);
    await settleAll(market, clock);
    await clock.moveTo(startOfDay(next));
    await closeDay(market, date);
    await clock.moveTo((startOfDay(next) + MORNING_MS) as Instant);
    await settleAll(market, clock);
    instructions += events.length;
    tell({ date, day: place + 1, days: days.length, instructions });
  }
}

async function isOpen(platform: Client, channel: string): Promise<boolean> {
  const { items } = (await platform.call({ method: 'GET', path: '/v1/channel-states', what: 'payouts arriving' })) as {
    items: readonly { readonly channel: string; readonly state: string }[];
  };
  return items.some((item) => item.channel === channel && item.state === 'open');
}

interface UnderWay {
  readonly items: readonly { readonly backlog: number }[];
  /** Payouts that no channel can carry now. */
  readonly waiting: { readonly count: number };
}

/** Waits until all that is to be paid is with the payees. While the large-value system is shut, what waits for it goes on waiting. */
async function settleAll({ clients }: OpenMarket, clock: DrivenClock): Promise<void> {
  const what = 'payouts arriving';
  for (const until = performance.now() + ARRIVAL_MS; performance.now() < until; ) {
    const { items, waiting } = (await clients.admin.call({ method: 'GET', path: '/admin/v1/channels', what })) as UnderWay;
    const left = items.reduce((sum, { backlog }) => sum + backlog, 0);
    if (left === 0 && waiting.count === 0) return;
    if (left === 0 && !(await isOpen(clients.platform, 'hvps'))) return;
    await clock.pass(ASK_EVERY_MS);
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
  }
  throw new Error('The payouts of a clearing did not arrive within 30 seconds.');
}

/** One day's business: the buyers pay into the custody account, and the platform gives its instructions. */
async function trade(market: OpenMarket, clock: DrivenClock, date: BusinessDate, events: readonly MarketEvent[]): Promise<void> {
  const last = events.at(-1) as MarketEvent;
  const payments = events.filter((event): event is PaymentEvent => event.kind === 'payment');
  await Promise.all([clock.moveTo(last.at), payIn(market, date, payments)]);
  for (let from = 0; from < events.length; from += BATCH_MAX) await instruct(market, events.slice(from, from + BATCH_MAX));
}

async function payIn(
  { clients, custodyNo }: OpenMarket,
  businessDate: BusinessDate,
  payments: readonly PaymentEvent[],
): Promise<void> {
  for (let from = 0; from < payments.length; from += INFLOWS_MAX) {
    const items = payments.slice(from, from + INFLOWS_MAX).map((payment) => ({
      reference: referenceOf(payment),
      amount: String(payment.amount),
      counterparty: payerOf(payment.order.customerId).name,
      text: `订单 ${payment.order.orderId}`,
    }));
    const path = `/core/accounts/${custodyNo}/inflows`;
    await clients.bank.call({ method: 'POST', path, body: { businessDate, items }, what: 'buyers paying' });
  }
}

interface BatchAnswer {
  readonly batch: string;
  readonly undecided: number;
  readonly lines: readonly Line[];
}

interface Line {
  readonly requestNo: string;
  readonly state: string;
  readonly code: string | null;
  /** Of a refund that was posted: the payout that carries it. */
  readonly detail: { readonly payout?: string } | null;
}

async function instruct(market: OpenMarket, events: readonly MarketEvent[]): Promise<void> {
  const given = events.map((event) => instructionOf(event, market));
  const answer = (await market.clients.platform.call({
    method: 'POST',
    path: '/v1/instructions/batches',
    body: given.map((instruction) => `${JSON.stringify(instruction)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson', prefer: 'wait=30' },
    what: 'instructions',
  })) as BatchAnswer;
  if (answer.undecided > 0)
    throw new Error(`${answer.undecided} instructions of ${answer.batch} were not decided within 30 seconds.`);
  for (const [place, event] of events.entries()) {
    const line = answer.lines[place];
    const requestNo = given[place]?.requestNo;
    const outcome = line?.state === 'refused' ? line.code : line?.state;
    if (line?.requestNo === requestNo && outcome === expectedOutcome(event)) continue;
    throw new Error(`${requestNo} became ${outcome ?? 'nothing'}; by the rules of the run it is ${expectedOutcome(event)}.`);
  }
  const refunds = answer.lines.flatMap(({ detail }) => (typeof detail?.payout === 'string' ? [detail.payout] : []));
  for (const refund of refunds) await arrive(market, refund);
}

const ARRIVAL_MS = 30_000;
const LOOK_EVERY_MS = 10;
/** Of the driven clock, between two looks: what a channel accepted is asked after when its time has come. */
const ASK_EVERY_MS = 2_000;

/**
 * Waits until a refund is with the payer: it is paid at once, and the day ends hours later. Were the driven clock set to
 * midnight meanwhile, the refund would be on its way over the cut-off, which is a difference that only time explains.
 */
async function arrive({ clients }: OpenMarket, payout: string): Promise<void> {
  const what = 'refunds arriving';
  let asked = false;
  for (const until = performance.now() + ARRIVAL_MS; performance.now() < until; ) {
    const { state, reason } = (await clients.platform.call({ method: 'GET', path: `/v1/payouts/${payout}`, what })) as {
      state: string;
      reason: string | null;
    };
    // No channel takes it now: nobody has heard of it, and it goes out when one opens.
    if (state === 'settled' || (state === 'created' && reason !== null)) return;
    if (state === 'failed' || state === 'returned')
      throw new Error(`The refund ${payout} ${state}; the simulated bank makes no faults.`);
    if (state === 'sent' && !asked) {
      asked = true;
      // Its result may be here before the question.
      const orRefused = 'PAYOUT_STATE_CONFLICT';
      await clients.admin.call({ method: 'POST', path: `/admin/v1/payouts/${payout}/query`, what, orRefused });
    } else await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
  }
  throw new Error(`The refund ${payout} did not arrive within 30 seconds.`);
}
