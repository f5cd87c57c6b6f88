/** How the plain bank makes a plan: one row an instalment. Amounts minor units, rates millionths a year. */
export interface Row {
  readonly no: number;
  readonly due: string;
  principal: bigint;
  interest: bigint;
  /** Of what was overdue, fen times days, and what of the penalty on it was paid. */
  product: bigint;
  counted: string;
  penaltyPaid: bigint;
}

/** What a plan is made of. */
export interface Planned {
  readonly months: number;
  readonly rate: bigint;
  readonly method: 'annuity' | 'equal-principal' | 'interest-first' | 'bullet';
}

const DAY = 86_400_000;
export const sum = (amounts: Iterable<bigint>) => [...amounts].reduce((total, amount) => total + amount, 0n);
export const half = (value: bigint, by: bigint) => (2n * value + by) / (2n * by);
export const daysFrom = (from: string, to: string) => BigInt((Date.parse(to) - Date.parse(from)) / DAY);
const YEAR = 12n * 1_000_000n;

/** So many months later, at the latest the last day of that month. */
export function monthsAfter(day: string, months: number): string {
  const [year, month, date] = day.split('-').map(Number) as [number, number, number];
  const last = new Date(Date.UTC(year, month - 1 + months + 1, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}

/** The smallest instalment, in whole fen, that the loan is paid with in so many months: found by trying, with fractions of a fen kept. */
function annuity(principal: bigint, rate: bigint, months: number): bigint {
  const pays = (each: bigint) => {
    let [left, scale] = [principal, 1n];
    for (let month = 0; month < months; month += 1) {
      left = left * (YEAR + rate) - each * scale * YEAR;
      scale *= YEAR;
    }
    return left <= 0n;
  };
  let [low, high] = [0n, principal + half(principal * rate, YEAR) + 1n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (pays(middle)) high = middle;
    else low = middle;
  }
  return high;
}

export function rowsOf(of: Planned, principal: bigint, lentOn: string, behind: number): Row[] {
  const row = (no: number, months: number, paid: bigint, interest: bigint): Row => {
    const due = monthsAfter(lentOn, months);
    return { no, due, principal: paid, interest, product: 0n, counted: due, penaltyPaid: 0n };
  };
  const { months, rate, method } = of;
  if (method === 'bullet') return [row(1, months, principal, half(principal * rate * BigInt(months), YEAR))];
  const times = months - behind;
  const each = method === 'annuity' ? annuity(principal, rate, times) : principal / BigInt(times);
  let left = principal;
  const rows: Row[] = [];
  for (let no = behind + 1; no <= months; no += 1) {
    const interest = half(left * rate, YEAR);
    const share = method === 'annuity' ? each - interest : method === 'equal-principal' ? each : 0n;
    const paid = no === months || share > left ? left : share;
    left -= paid;
    if (paid + interest > 0n) rows.push(row(no, no, paid, interest));
  }
  return rows;
}

/** One fen after the other to whom the most of his share is still missing. */
export function share(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = sum(weights);
  if (total === 0n) return weights.map(() => 0n);
  const parts = weights.map((weight) => (total * weight) / all);
  for (let rest = total - sum(parts); rest > 0n; rest -= 1n) {
    let best = 0;
    const lacks = weights.map((weight, place) => total * weight - (parts[place] as bigint) * all);
    for (const [place, lack] of lacks.entries()) if (lack > (lacks[best] as bigint)) best = place;
    parts[best] = (parts[best] as bigint) + 1n;
  }
  return parts;
}
