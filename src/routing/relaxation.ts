import { invariant } from '../kernel/index.js';
import type { Multipliers, Program } from './program.js';

/**
 * The Lagrangian relaxation of a program: limits get prices, each payout takes its cheapest option by itself, and whatever the prices are, what
 * that costs less the worth of the limits is below the cost of every assignment that keeps them. Prices are found by cutting planes: each
 * evaluation is a column of a small linear program (one row a limit that can bind), whose duals are the next prices to try.
 */
export interface Relaxation {
  readonly multipliers: Multipliers;
  /** Below the cost of every assignment, but for rounding; see `exactBound`. */
  readonly bound: number;
  /** Prices whose choices, mixed by these weights (which add up to 1), keep every limit and cost about the bound; empty when none do. */
  readonly mixture: readonly { readonly multipliers: Multipliers; readonly weight: number }[];
}

const EVALUATIONS_MAX = 160;
const DEAR = 4;
const CLOSE = 1e-6; // of the value: nearer is not worth an evaluation
const SMOOTHING = 0.6; // how far the next prices stay with the best known ones, against the jumps of cutting planes

/** A limit that can bind: how much of it is used, and how much there is. */
interface Row {
  readonly limit: number;
  readonly used: (program: Evaluation) => number;
  readonly priced: (multipliers: Draft, price: number) => void;
}
type Draft = { fen: Float64Array; place: Float64Array; strain: number };

interface Evaluation {
  readonly value: number;
  readonly cost: number;
  readonly floats: Float64Array;
  readonly counts: Float64Array;
  readonly strain: number;
}

export function relax(program: Program): Relaxation {
  const rows = rowsOf(program);
  const draft = (prices: readonly number[]): Draft => {
    const made: Draft = { fen: zeros(program), place: zeros(program), strain: 0 };
    for (const [at, row] of rows.entries()) row.priced(made, (prices[at] as number) / row.limit);
    return made;
  };
  const at = (prices: readonly number[]) => ({ prices, ...evaluate(program, draft(prices)) });
  let best = at(rows.map(() => 0));
  if (rows.length === 0) return { multipliers: draft([]), bound: best.value, mixture: [{ multipliers: draft([]), weight: 1 }] };
  const scale = Math.max(1, best.cost);
  const column = (of: Evaluation & { readonly prices: readonly number[] }): Column => ({
    prices: of.prices,
    cost: of.cost / scale,
    use: rows.map((row) => row.used(of) / row.limit),
  });
  // Something that uses nothing and is too dear to be in any good mixture: the program may have no such choice, its mixtures must.
  const none = { prices: undefined, cost: (DEAR * (1 + costliest(program))) / scale, use: rows.map(() => 0) };
  const master = new Master(rows.length, none);
  master.add(column(best));
  let smoothing = 0;
  let solved = master.solve();
  for (let turn = 0; turn < EVALUATIONS_MAX; turn += 1) {
    if (solved.value * scale - best.value <= CLOSE * scale) break;
    const out = solved.prices.map((price) => price * scale);
    const tried = at(out.map((price, row) => smoothing * (best.prices[row] as number) + (1 - smoothing) * price));
    const cut = column(tried);
    master.add(cut);
    // A column that the master does not want says that the smoothed prices were the better ones; then less smoothing is tried.
    const wanted =
      cut.cost + cut.use.reduce((sum, use, row) => sum + use * (solved.prices[row] as number), 0) < solved.fixed - 1e-12;
    if (tried.value > best.value) best = tried;
    else if (!wanted && smoothing === 0) break;
    smoothing = wanted ? SMOOTHING : smoothing < 0.1 ? 0 : smoothing / 2;
    solved = master.solve();
  }
  const mixed = solved.mixture.flatMap(({ column: { prices }, weight }) =>
    prices ? [{ multipliers: draft(prices), weight }] : [],
  );
  const whole = mixed.length === solved.mixture.length;
  return { multipliers: draft(best.prices), bound: best.value, mixture: whole ? mixed : [] };
}

function zeros({ floats }: Program): Float64Array {
  return new Float64Array(floats.length);
}

/** The limits that all who could want them together would break. */
function rowsOf(program: Program): Row[] {
  const wants = { floats: zeros(program), counts: zeros(program), strain: 0 };
  for (let i = 0; i < program.size; i += 1) {
    let most = 0;
    for (let k = program.first[i] as number; k < (program.first[i + 1] as number); k += 1) {
      const channel = program.channel[k] as number;
      wants.floats[channel] = (wants.floats[channel] as number) + (program.amount[i] as number);
      wants.counts[channel] = (wants.counts[channel] as number) + 1;
      if (Number.isFinite(program.cost[k])) most = Math.max(most, program.strain[k] as number);
    }
    wants.strain += most;
  }
  const rows: Row[] = [];
  for (const [channel, limit] of program.floats.entries()) {
    if (limit >= (wants.floats[channel] as number)) continue;
    rows.push({
      limit,
      used: ({ floats }) => floats[channel] as number,
      priced: ({ fen }, price) => fen.fill(price, channel, channel + 1),
    });
  }
  for (const [channel, limit] of program.counts.entries()) {
    if (limit >= (wants.counts[channel] as number)) continue;
    const priced = ({ place }: Draft, price: number) => place.fill(price, channel, channel + 1);
    rows.push({ limit, used: ({ counts }) => counts[channel] as number, priced });
  }
  if (program.budget >= wants.strain) return rows;
  const priced = (made: Draft, price: number) => {
    made.strain = price;
  };
  return [...rows, { limit: program.budget, used: ({ strain }) => strain, priced }];
}

/** The most that any assignment costs. (An option that is excluded costs infinitely much.) */
function costliest({ size, first, cost }: Program): number {
  let sum = 0;
  for (let i = 0; i < size; i += 1) {
    let most = 0;
    for (let k = first[i] as number; k < (first[i + 1] as number); k += 1)
      if (Number.isFinite(cost[k])) most = Math.max(most, cost[k] as number);
    sum += most;
  }
  return sum;
}

/** Each payout takes what is cheapest under these prices. */
function evaluate(program: Program, prices: Multipliers): Evaluation {
  const { size, amount, first, channel, cost, strain } = program;
  const { fen, place } = prices;
  const floats = zeros(program);
  const counts = zeros(program);
  const sum = { value: 0, cost: 0, strain: 0 };
  for (let i = 0; i < size; i += 1) {
    const fens = amount[i] as number;
    const end = first[i + 1] as number;
    let least = Number.POSITIVE_INFINITY;
    let taken = 0;
    for (let k = first[i] as number; k < end; k += 1) {
      const by = channel[k] as number;
      const reduced =
        (cost[k] as number) + (fen[by] as number) * fens + (place[by] as number) + prices.strain * (strain[k] as number);
      if (reduced >= least) continue;
      least = reduced;
      taken = k;
    }
    const by = channel[taken] as number;
    sum.value += least;
    sum.cost += cost[taken] as number;
    sum.strain += strain[taken] as number;
    floats[by] = (floats[by] as number) + fens;
    counts[by] = (counts[by] as number) + 1;
  }
  return { cost: sum.cost, strain: sum.strain, floats, counts, value: sum.value - worthOf(program, prices) };
}

function worthOf({ floats, counts, budget }: Program, { fen, place, strain }: Multipliers): number {
  let worth = strain === 0 ? 0 : strain * budget;
  for (const [channel, price] of fen.entries()) if (price > 0) worth += price * (floats[channel] as number);
  for (const [channel, price] of place.entries()) if (price > 0) worth += price * (counts[channel] as number);
  return worth;
}

const PARTS = 2 ** 40;
const EXACT_PARTS = 2n ** 40n;

/**
 * The bound that prices prove, in whole numbers: the prices are rounded to parts of 2^-40, which are prices as good as any, and everything is
 * added up exactly. Costs are whole, so the next whole number above it is a bound too.
 */
export function exactBound(program: Program, multipliers: Multipliers): bigint {
  const parts = (price: number) => BigInt(Math.round(Math.max(0, price) * PARTS));
  const fen = Array.from(multipliers.fen, parts);
  const place = Array.from(multipliers.place, parts);
  const strain = parts(multipliers.strain);
  const whole = (value: number) => BigInt(value);
  let sum = 0n;
  for (let i = 0; i < program.size; i += 1) {
    const amount = whole(program.amount[i] as number);
    let least: bigint | undefined;
    for (let k = program.first[i] as number; k < (program.first[i + 1] as number); k += 1) {
      if (!Number.isFinite(program.cost[k])) continue;
      const by = program.channel[k] as number;
      const reduced =
        whole(program.cost[k] as number) * EXACT_PARTS +
        (fen[by] as bigint) * amount +
        (place[by] as bigint) +
        strain * whole(program.strain[k] as number);
      if (least === undefined || reduced < least) least = reduced;
    }
    sum += least ?? 0n;
  }
  for (const [channel, price] of fen.entries()) if (price > 0n) sum -= price * whole(program.floats[channel] as number);
  for (const [channel, price] of place.entries()) if (price > 0n) sum -= price * whole(program.counts[channel] as number);
  if (strain > 0n) sum -= strain * whole(program.budget);
  const floor = sum / EXACT_PARTS;
  return sum > 0n && floor * EXACT_PARTS < sum ? floor + 1n : floor;
}

interface Column {
  /** What it was evaluated at. */
  readonly prices: readonly number[] | undefined;
  readonly cost: number;
  readonly use: readonly number[];
}

/**
 * The small linear program: the cheapest mixture of evaluations that uses at most 1 of each row. Primal simplex; since there are few rows, the
 * basis is inverted anew at every step, and no error adds up.
 */
class Master {
  private readonly rows: number;
  private readonly columns: Column[];
  /** By row of the basis: below `rows` the slack of that row, else a column. */
  private readonly basis: number[];

  constructor(rows: number, feasible: Column) {
    this.rows = rows;
    this.columns = [feasible];
    this.basis = [...Array.from({ length: rows }, (_, row) => row), rows];
  }

  add(column: Column): void {
    this.columns.push(column);
  }

  /** @returns the mixture and its cost, what a row is worth, and what is left of the cost besides */
  solve(): { value: number; prices: number[]; fixed: number; mixture: { column: Column; weight: number }[] } {
    let before: { at: number; id: number } | undefined;
    for (let step = 0; ; step += 1) {
      let inverse = inverted(this.basis.map((id) => this.#entries(id)));
      if (inverse === undefined && before !== undefined) {
        // Rounding made a step to a basis that cannot be inverted: the one before it is good enough.
        this.basis[before.at] = before.id;
        inverse = inverted(this.basis.map((id) => this.#entries(id)));
        step = Number.POSITIVE_INFINITY;
      }
      invariant(inverse !== undefined, 'the basis of a linear program can be inverted');
      const duals = inverse.map((_, row) =>
        this.basis.reduce((sum, id, at) => sum + this.#cost(id) * entryAt(inverse, at, row), 0),
      );
      const values = inverse.map((line) => line.reduce((sum, entry) => sum + entry, 0)); // the right-hand side is 1 everywhere
      const entering = step < 40 + 20 * this.rows ? this.#entering(duals) : undefined;
      const leaving = entering === undefined ? undefined : this.#leaving(inverse, values, entering);
      if (entering === undefined || leaving === undefined) {
        const value = this.basis.reduce((sum, id, at) => sum + this.#cost(id) * (values[at] as number), 0);
        const prices = duals.slice(0, this.rows).map((dual) => Math.max(0, -dual));
        const mixture = this.basis.flatMap((id, at) => {
          const weight = values[at] as number;
          return id < this.rows || weight <= 1e-9 ? [] : [{ column: this.columns[id - this.rows] as Column, weight }];
        });
        return { value, prices, fixed: duals[this.rows] as number, mixture };
      }
      before = { at: leaving, id: this.basis[leaving] as number };
      this.basis[leaving] = entering;
    }
  }

  #cost(id: number): number {
    return id < this.rows ? 0 : (this.columns[id - this.rows] as Column).cost;
  }

  #entries(id: number): number[] {
    if (id >= this.rows) return [...(this.columns[id - this.rows] as Column).use, 1];
    return Array.from({ length: this.rows + 1 }, (_, row) => (row === id ? 1 : 0));
  }

  #entering(duals: readonly number[]): number | undefined {
    let least = -1e-10;
    let entering: number | undefined;
    for (let id = 0; id < this.rows + this.columns.length; id += 1) {
      if (this.basis.includes(id)) continue;
      const reduced = this.#cost(id) - this.#entries(id).reduce((sum, entry, row) => sum + entry * (duals[row] as number), 0);
      if (!(reduced < least)) continue;
      least = reduced;
      entering = id;
    }
    return entering;
  }

  #leaving(inverse: readonly (readonly number[])[], values: readonly number[], entering: number): number | undefined {
    const entries = this.#entries(entering);
    let least = Number.POSITIVE_INFINITY;
    let leaving: number | undefined;
    for (const [at, line] of inverse.entries()) {
      const rate = line.reduce((sum, entry, row) => sum + entry * (entries[row] as number), 0);
      if (rate <= 1e-9) continue;
      const ratio = Math.max(0, values[at] as number) / rate;
      if (
        ratio > least + 1e-12 ||
        (ratio > least - 1e-12 && (this.basis[at] as number) > (this.basis[leaving as number] as number))
      )
        continue;
      least = ratio;
      leaving = at;
    }
    return leaving;
  }
}

function entryAt(matrix: readonly (readonly number[])[], row: number, column: number): number {
  return matrix[row]?.[column] as number;
}

/** The inverse of the matrix that has these columns (Gauss-Jordan with row pivots); undefined when there is none. */
function inverted(columns: readonly (readonly number[])[]): number[][] | undefined {
  const size = columns.length;
  const work = Array.from({ length: size }, (_, row) => [
    ...columns.map((column) => column[row] as number),
    ...Array.from({ length: size }, (_unit, column) => (column === row ? 1 : 0)),
  ]);
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1)
      if (Math.abs(entryAt(work, row, column)) > Math.abs(entryAt(work, pivot, column))) pivot = row;
    const line = work[pivot] as number[];
    work[pivot] = work[column] as number[];
    const by = line[column] as number;
    if (!(Math.abs(by) > 1e-13)) return undefined;
    const scaled = line.map((entry) => entry / by);
    work[column] = scaled;
    for (const [row, other] of work.entries()) {
      const times = other[column] as number;
      if (row === column || times === 0) continue;
      for (let at = column; at < 2 * size; at += 1) other[at] = (other[at] as number) - times * (scaled[at] as number);
    }
  }
  return work.map((line) => line.slice(size));
}
