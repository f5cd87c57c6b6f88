/** When and how a seller is paid, told a second time: in the words of a bookkeeper with a calendar on the wall. */

export interface ModelPaying {
  /** D+0, D+1, T+0, T+1, T+5 …, weekly-5 (1 Monday to 7 Sunday), monthly-31, on-request. */
  readonly cycle: string;
  readonly heldBack: number;
  readonly minimum: bigint;
  /** own-bank, other-bank, sub-account; bound where nothing is said. */
  readonly to: string;
  /** A payout costs so much, and so many hundredths of a percent of all that leaves. */
  readonly costs: { readonly fixed: bigint; readonly bp: bigint };
}

export const PAID_NEXT_DAY: ModelPaying = {
  ...{ cycle: 'T+1', heldBack: 0, minimum: 0n, to: 'bound' },
  costs: { fixed: 0n, bp: 0n },
};

const plusDays = (date: string, days: number) => new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
const dayAfter = (date: string) => plusDays(date, 1);
const dayBefore = (date: string) => plusDays(date, -1);

type NextWorkingDay = (date: string) => string;

const isWorked = (date: string, next: NextWorkingDay) => next(dayBefore(date)) === date;

const many = (count: number, step: (date: string) => string, date: string): string =>
  count === 0 ? date : many(count - 1, step, step(date));

/** The days that a week or month names, around a date. */
function* agreedDays(cycle: string, around: string): Generator<string> {
  const [word, day] = cycle.split('-') as [string, string];
  for (let date = many(45, dayBefore, around), left = 110; left > 0; date = dayAfter(date), left -= 1) {
    const at = new Date(date);
    const lastOfMonth = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 0)).getUTCDate();
    const isDay =
      word === 'weekly' ? (at.getUTCDay() + 6) % 7 === Number(day) - 1 : at.getUTCDate() === Math.min(Number(day), lastOfMonth);
    if (isDay) yield date;
  }
}

/** When those are paid: a day off is put off to the next day that is worked. */
function payDays(cycle: string, around: string, next: NextWorkingDay): string[] {
  return [...agreedDays(cycle, around)].map((date) => (isWorked(date, next) ? date : next(date)));
}

/** From when on money may leave that came in on a day. */
export function dueOn({ cycle, heldBack }: ModelPaying, cameIn: string, next: NextWorkingDay): string {
  const from = many(heldBack, dayAfter, cameIn);
  if (cycle === 'on-request') return next(from);
  if (cycle.startsWith('D+')) return dayAfter(from);
  if (cycle === 'T+0') return dayAfter(isWorked(from, next) ? from : next(from));
  if (cycle.startsWith('T+')) return many(Number(cycle.slice(2)), next, from);
  return payDays(cycle, from, next)
    .filter((date) => date > from)
    .sort()[0] as string;
}

/** Whether those on a cycle are paid in the morning of a date. */
export function isPaidOn({ cycle }: ModelPaying, date: string, next: NextWorkingDay): boolean {
  if (cycle === 'on-request') return false;
  if (cycle.startsWith('D+')) return true;
  if (cycle === 'T+0') return isWorked(dayBefore(date), next);
  return cycle.startsWith('T+') ? isWorked(date, next) : payDays(cycle, date, next).includes(date);
}

/** What of a payout is the platform's: half a fen is one. */
export function costOf({ costs }: ModelPaying, gross: bigint, most: bigint): bigint {
  const cost = costs.fixed + (gross * costs.bp + 5_000n) / 10_000n;
  return cost < most ? cost : most;
}
