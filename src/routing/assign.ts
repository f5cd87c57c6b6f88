import { invariant, type Minor } from '../kernel/index.js';
import { type Choice, costOf, type Program, Room, reducedCosts } from './program.js';
import { exactBound, type Relaxation, relax } from './relaxation.js';
import { branch, chooseByMixture, improve, makeRoom } from './search.js';

/** A channel as a batch sees it: what is free there, fen, and how many payments it takes; null: no limit. */
export interface Place {
  readonly float: Minor | null;
  readonly capacity: number | null;
}

/** A payout of a batch with the channels that may carry it. */
export interface Bid {
  /** Fen. */
  readonly amount: Minor;
  readonly options: readonly BidOption[];
}
export interface BidOption {
  /** The channel's place in the list of channels; at most one option a channel. */
  readonly place: number;
  /** Fen. */
  readonly cost: Minor;
  /** It would break a promise that another option keeps. */
  readonly late: boolean;
}

/** Who is carried by what, and how good that is. */
export interface Assignment {
  /** By payout: the place of its channel, or null: it waits. */
  readonly places: readonly (number | null)[];
  /** Fen, of all that do not wait. */
  readonly cost: Minor;
  /** Fen: no assignment in which no more wait, or are late, costs less. Whole, and proved without rounding. */
  readonly bound: Minor;
  readonly waiting: number;
  readonly late: number;
  /** It is proved that fewer cannot wait and, of as many as wait, fewer cannot be late. */
  readonly leastWait: boolean;
}

export interface AssignOptions {
  /** How many nodes branch and bound may look at, of each of the two stages. */
  readonly nodesMax?: number;
}

const NODES_MAX = 400_000;
/** Sums of amounts stay exact as numbers below this. */
const TOTAL_MAX = 2n ** 53n;

/**
 * The cheapest assignment of a whole batch to channels, such that on each the amounts are within its float and the count within its capacity,
 * and no payment is split. Waiting is always possible, and worse than any fee: first as few as possible wait, then as few as possible are
 * late, then the fees are least. (Of large batches whose limits are tight to the last fen some more may wait, if that saves far more than the
 * dearest fee; `leastWait` says so.) Of payouts that are alike in all of that the older is carried.
 *
 * Exact when the batch is small or its limits leave little choice; else the cost and the bound say how far it can be from the best.
 * Deterministic: the same batch has the same answer.
 * @param bids oldest first
 */
export function assign(places: readonly Place[], bids: readonly Bid[], { nodesMax = NODES_MAX }: AssignOptions = {}): Assignment {
  const total = bids.reduce((sum, { amount }) => sum + amount, 0n);
  invariant(total < TOTAL_MAX, 'a batch adds up to less than 2^53 fen');
  const table = tableOf(places, bids);
  const { strained, choice: found, bound, least } = inTwoStages(table, nodesMax);
  const choice = strained === 0 ? found : olderFirst(table, found);
  const taken = Array.from(choice, (option: number) => table.channel[option] as number);
  const late = Array.from(choice, (option: number) => (table.strain[option] as number) > 0);
  return {
    places: taken.map((place) => (place === places.length ? null : place)),
    cost: BigInt(costOf(table, choice)),
    bound,
    waiting: taken.filter((place) => place === places.length).length,
    late: late.filter((is, i) => is && taken[i] !== places.length).length,
    leastWait: least,
  };
}

/** Every payout with every option that fits at all, and waiting as the last; `strain` is 1 where it is late, and where it waits above all lateness. */
function tableOf(places: readonly Place[], bids: readonly Bid[]): Program {
  const waits = 1 + bids.filter(({ options }) => options.some(({ late }) => late)).length;
  const floats = Float64Array.from([...places.map(({ float }) => numberOf(float)), Number.POSITIVE_INFINITY]);
  const counts = Float64Array.from([...places.map(({ capacity }) => numberOf(capacity)), Number.POSITIVE_INFINITY]);
  const [amount, first] = [new Float64Array(bids.length), new Int32Array(bids.length + 1)];
  const [channel, cost, strain]: [number[], number[], number[]] = [[], [], []];
  for (const [i, bid] of bids.entries()) {
    amount[i] = Number(bid.amount);
    for (const { place, cost: fee, late } of bid.options) {
      if ((floats[place] as number) < Number(bid.amount) || (counts[place] as number) < 1) continue;
      channel.push(place);
      cost.push(Number(fee));
      strain.push(late ? 1 : 0);
    }
    channel.push(places.length);
    cost.push(0);
    strain.push(waits);
    first[i + 1] = channel.length;
  }
  const [ofOptions, ofCost, ofStrain] = [Int32Array.from(channel), Float64Array.from(cost), Float64Array.from(strain)];
  return {
    size: bids.length,
    amount,
    first,
    channel: ofOptions,
    cost: ofCost,
    strain: ofStrain,
    floats,
    counts,
    budget: Number.POSITIVE_INFINITY,
  };
}

function numberOf(limit: Minor | number | null): number {
  if (limit === null) return Number.POSITIVE_INFINITY;
  // Rounding a limit down keeps every assignment within it; below 2^53 nothing is rounded, and no batch is above.
  return limit > TOTAL_MAX ? Number(TOTAL_MAX) : Number(limit);
}

interface Stages {
  readonly choice: Choice;
  /** What the choice strains: who waits or is late. */
  readonly strained: number;
  readonly bound: bigint;
  /** No assignment strains less. */
  readonly least: boolean;
}

/**
 * First how little must wait or be late, then what that costs at least. The first is mostly what its bound says, so the second is asked for that
 * much at once, and again only when no such assignment was found.
 */
function inTwoStages(table: Program, nodesMax: number): Stages {
  const hard: Program = { ...table, cost: table.strain, strain: new Float64Array(table.cost.length) };
  const needed = relax(hard);
  const fewest = Number(exactBound(hard, needed.multipliers));
  const stage = stageOf(table, fewest);
  let found = settle(table, stage.program, stage.relaxation, stage.reduced);
  if (costOf(hard, found) > fewest) {
    // Whole payouts do not fill limits to the last fen. With limits a little tighter their prices leave room for what remains.
    const tight = stageOf(tightened(table), fewest);
    found = better(table, found, settle(table, tight.program, tight.relaxation, tight.reduced));
  }
  if (costOf(hard, found) === fewest) return finish(table, stage, found, { least: true, nodesMax });
  const other = settle(table, hard, needed, reducedCosts(hard, needed.multipliers));
  const searched = branch(hard, needed, better(table, found, other), nodesMax);
  const strained = costOf(hard, searched.choice);
  const last = stageOf(table, strained);
  const packed = better(table, searched.choice, settle(table, last.program, last.relaxation, last.reduced));
  const fewer = finish(table, last, packed, { least: searched.proved, nodesMax });
  // Limits may be so tight that whoever packs them to the last fen can no longer choose by price. Then some more wait if that saves more
  // than they are worth.
  const worth = dearest(table);
  const dearer = Number(fewer.bound) * NEAR < costOf(table, fewer.choice);
  if (!dearer || costOf(table, found) + worth * costOf(hard, found) >= costOf(table, fewer.choice) + worth * strained)
    return fewer;
  return finish(table, stageOf(table, costOf(hard, found)), found, { least: false, nodesMax });
}

const NEAR = 1.01;

/** The second stage, with a choice that keeps its budget to begin with. */
function finish(table: Program, stage: Stage, found: Choice, { least, nodesMax }: { least: boolean; nodesMax: number }): Stages {
  const done = (choice: Choice, bound: bigint) => ({ choice, bound, least, strained: stage.program.budget });
  if (BigInt(costOf(table, found)) <= stage.bound) return done(found, stage.bound);
  const { choice, proved } = branch(stage.program, stage.relaxation, found, nodesMax);
  return done(choice, proved ? BigInt(costOf(table, choice)) : stage.bound);
}

const TIGHTER = 1 - 1 / 10_000;

function tightened(table: Program): Program {
  const tighter = (limit: number) => (limit < 10_000 ? limit : Math.floor(limit * TIGHTER));
  return { ...table, floats: table.floats.map(tighter), counts: table.counts.map(tighter) };
}

interface Stage {
  readonly program: Program;
  readonly relaxation: Relaxation;
  /** What the relaxation proves, in whole fen. */
  readonly bound: bigint;
  /** What each option costs when limits are priced, also those that the budget excludes. */
  readonly reduced: Float64Array;
}

/** The cheapest assignment that strains no more than a budget, as prices see it. What alone would strain more costs infinitely much. */
function stageOf(table: Program, budget: number): Stage {
  const cost = table.cost.map((of, k) => ((table.strain[k] as number) > budget ? Number.POSITIVE_INFINITY : of));
  const program = { ...table, budget, cost };
  const relaxation = relax(program);
  const { multipliers } = relaxation;
  const strain = Math.max(multipliers.strain, budget === 0 ? dearest(table) : 0);
  return {
    program,
    relaxation,
    bound: exactBound(program, multipliers),
    reduced: reducedCosts(table, { ...multipliers, strain }),
  };
}

/** Above what any one or two options differ by. */
function dearest({ cost }: Program): number {
  return 1 + 2 * cost.reduce((most, of) => Math.max(most, of), 0);
}

/** A good assignment by what the relaxation of a stage found. */
function settle(table: Program, program: Program, relaxation: Relaxation, reduced: Float64Array): Choice {
  const dear = dearest(table);
  const weighted = { ...table, cost: table.cost.map((of, k) => of + dear * (table.strain[k] as number)) };
  return improve(weighted, makeRoom(weighted, reduced, chooseByMixture(program, relaxation, reduced)));
}

/** The one that strains less, then the one that costs less. */
function better(table: Program, a: Choice, b: Choice): Choice {
  const byStrain = costOf({ ...table, cost: table.strain }, b) - costOf({ ...table, cost: table.strain }, a);
  return byStrain < 0 || (byStrain === 0 && costOf(table, b) < costOf(table, a)) ? b : a;
}

const LOOKED_AT = 300; // of the youngest on each channel

/** Whoever waits takes the place of somebody younger where nothing else changes: neither what it costs nor how many wait or are late. */
function olderFirst(program: Program, choice: Choice): Choice {
  const { size, first, amount, channel, cost, strain } = program;
  const waiting = program.floats.length - 1;
  const room = new Room(program, choice);
  const fair = choice.slice();
  const youngest: number[][] = Array.from({ length: waiting + 1 }, () => []);
  for (let i = size - 1; i >= 0; i -= 1) {
    const there = youngest[channel[fair[i] as number] as number] as number[];
    if (there.length < LOOKED_AT) there.push(i);
  }
  const waitOf = (i: number) => (first[i + 1] as number) - 1;
  for (let i = 0; i < size; i += 1) {
    if (channel[fair[i] as number] !== waiting) continue;
    for (let k = first[i] as number; k < waitOf(i); k += 1) {
      const place = channel[k] as number;
      const free = (room.floats[place] as number) - (amount[i] as number);
      const others = youngest[place] as number[];
      const at = others.findIndex((j) => {
        const theirs = fair[j] as number;
        const alike = cost[k] === cost[theirs] && strain[k] === strain[theirs];
        return j > i && channel[theirs] === place && alike && free + (amount[j] as number) >= 0;
      });
      if (at < 0) continue;
      const other = others[at] as number;
      room.give(other, fair[other] as number);
      room.take(i, k);
      fair[i] = k;
      fair[other] = waitOf(other);
      break;
    }
  }
  return fair;
}
