import { addDays, type BusinessDate, type Minor } from '../kernel/index.js';
import { type CustomerDay, type Parameters, SIDES, type Side, thresholdOf } from './rules.js';

/** What a customer's days look like when somebody should look at them. Pure. Each rule is data: a name, what it is, and a test. */
export interface SuspicionRule {
  readonly name: string;
  readonly zh: string;
  readonly en: string;
  readonly test: (day: CustomerDay, history: History, parameters: Parameters) => Figures | undefined;
  /** Whether the history is worth reading at all. */
  readonly worthReading: (day: CustomerDay, parameters: Parameters) => boolean;
}

/** What was found, in words and fen, for whoever reviews it. */
export type Figures = Readonly<Record<string, string | number | readonly string[]>>;

/** The days before, with a flow, newest first: those within the longest window, and the last one before that. */
export interface History {
  readonly days: readonly Pick<CustomerDay, 'date' | 'inSum' | 'outSum'>[];
}

const sumOf = (day: Pick<CustomerDay, 'inSum' | 'outSum'>, side: Side): Minor => (side === 'in' ? day.inSum : day.outSum);

function isJustBelow(day: Pick<CustomerDay, 'inSum' | 'outSum'>, side: Side, of: CustomerDay, parameters: Parameters): boolean {
  const threshold = thresholdOf(of.kind, of.date, parameters);
  const sum = sumOf(day, side);
  return sum < threshold && sum * 100n >= threshold * parameters.on(of.date, 'structuring.share');
}

/** How many days back the history of a day goes. */
export function windowOf(date: BusinessDate, parameters: Parameters): number {
  return Number(parameters.on(date, 'structuring.window'));
}

const structuring: SuspicionRule = {
  name: 'structuring',
  zh: '多日拆分、略低于大额标准',
  en: 'just below the threshold of large values on several days',
  worthReading: (day, parameters) => SIDES.some((side) => isJustBelow(day, side, day, parameters)),
  test(day, { days }, parameters) {
    const from = addDays(day.date, 1 - windowOf(day.date, parameters));
    for (const side of SIDES) {
      if (!isJustBelow(day, side, day, parameters)) continue;
      const below = [day, ...days.filter(({ date }) => date >= from)].filter((each) => isJustBelow(each, side, day, parameters));
      if (BigInt(below.length) >= parameters.on(day.date, 'structuring.days'))
        return { side, days: below.map(({ date }) => date), sums: below.map((each) => String(sumOf(each, side))) };
    }
    return undefined;
  },
};

const passThrough: SuspicionRule = {
  name: 'pass-through',
  zh: '当日集中转入分散转出或分散转入集中转出',
  en: 'what came in went out on the same day, from many to few or from few to many',
  worthReading: () => false,
  test(day, _history, parameters) {
    const on = (name: string) => parameters.on(day.date, `pass-through.${name}`);
    if (day.inSum < on('amount') || day.outSum * 100n < day.inSum * on('share')) return undefined;
    const [least, most] = [day.inLines, day.outLines].sort((a, b) => a - b) as [number, number];
    if (BigInt(most) < on('many') || BigInt(least) > on('few')) return undefined;
    return { in: String(day.inSum), inLines: day.inLines, out: String(day.outSum), outLines: day.outLines };
  },
};

const sleeping: SuspicionRule = {
  name: 'sleeping-then-large',
  zh: '长期闲置后突发大额',
  en: 'nothing for a long time, then a day of much',
  worthReading: (day, parameters) => isLargeAfterSleep(day, parameters),
  test(day, { days }, parameters) {
    const last = days[0]?.date;
    if (!isLargeAfterSleep(day, parameters) || last === undefined) return undefined;
    if (last > addDays(day.date, -Number(parameters.on(day.date, 'sleeping.days')))) return undefined;
    return { last, in: String(day.inSum), out: String(day.outSum) };
  },
};

function isLargeAfterSleep(day: CustomerDay, parameters: Parameters): boolean {
  const amount = parameters.on(day.date, 'sleeping.amount');
  return day.inSum >= amount || day.outSum >= amount;
}

const refundChurn: SuspicionRule = {
  name: 'refund-churn',
  zh: '退款金额异常',
  en: 'much of what came in went back by refunds',
  worthReading: () => false,
  test(day, _history, parameters) {
    const on = (name: string) => parameters.on(day.date, `refund-churn.${name}`);
    if (day.refunded < on('amount') || day.refunded * 100n < day.inSum * on('share')) return undefined;
    return { refunded: String(day.refunded), in: String(day.inSum) };
  },
};

export const SUSPICION_RULES: readonly SuspicionRule[] = [structuring, passThrough, sleeping, refundChurn];
