/**
 * The assignment of a batch as numbers: each payout takes one of its options, an option costs something, uses up float and one place of its
 * channel, and strains a budget. All figures are whole numbers below 2^53, so that sums of them are exact. Waiting is a last channel of
 * its own, which has room for everything.
 */
export interface Program {
  /** Payouts, oldest first. */
  readonly size: number;
  readonly amount: Float64Array;
  /** The options of payout i are those from first[i] up to but without first[i + 1]. */
  readonly first: Int32Array;
  readonly channel: Int32Array;
  readonly cost: Float64Array;
  readonly strain: Float64Array;
  /** By channel: Infinity where there is no limit. */
  readonly floats: Float64Array;
  readonly counts: Float64Array;
  /** The most that all may strain together. */
  readonly budget: number;
}

/** What each limit is worth: by channel for a fen of float and for a place, and for the budget. None is below zero. */
export interface Multipliers {
  readonly fen: Float64Array;
  readonly place: Float64Array;
  readonly strain: number;
}

/** Which option each payout takes. */
export type Choice = Int32Array;

/** What is left of each limit under a choice. */
export class Room {
  readonly floats: Float64Array;
  readonly counts: Float64Array;
  budget: number;
  private readonly program: Program;

  constructor(program: Program, choice?: Choice) {
    this.program = program;
    this.floats = program.floats.slice();
    this.counts = program.counts.slice();
    this.budget = program.budget;
    if (choice !== undefined) for (let i = 0; i < program.size; i += 1) this.take(i, choice[i] as number);
  }

  take(payout: number, option: number): void {
    this.#move(payout, option, -1);
  }

  give(payout: number, option: number): void {
    this.#move(payout, option, 1);
  }

  /** Whether a payout may take an option, whatever it strains. */
  fits(payout: number, option: number): boolean {
    const channel = this.program.channel[option] as number;
    return (this.counts[channel] as number) >= 1 && (this.floats[channel] as number) >= (this.program.amount[payout] as number);
  }

  /** No limit is broken. */
  isWithin(): boolean {
    return this.budget >= 0 && this.counts.every((count) => count >= 0) && this.floats.every((float) => float >= 0);
  }

  #move(payout: number, option: number, sign: number): void {
    const channel = this.program.channel[option] as number;
    this.floats[channel] = (this.floats[channel] as number) + sign * (this.program.amount[payout] as number);
    this.counts[channel] = (this.counts[channel] as number) + sign;
    this.budget += sign * (this.program.strain[option] as number);
  }
}

export function costOf({ cost }: Program, choice: Choice): number {
  return choice.reduce((sum, option) => sum + (cost[option] as number), 0);
}

/** What an option costs when limits have prices. */
export function reducedCosts(program: Program, { fen, place, strain }: Multipliers): Float64Array {
  const reduced = new Float64Array(program.cost.length);
  for (let i = 0; i < program.size; i += 1) {
    const amount = program.amount[i] as number;
    const end = program.first[i + 1] as number;
    for (let k = program.first[i] as number; k < end; k += 1) {
      const channel = program.channel[k] as number;
      reduced[k] =
        (program.cost[k] as number) +
        (fen[channel] as number) * amount +
        (place[channel] as number) +
        strain * (program.strain[k] as number);
    }
  }
  return reduced;
}
