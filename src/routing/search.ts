import { type Choice, costOf, type Multipliers, type Program, Room, reducedCosts } from './program.js';
import type { Relaxation } from './relaxation.js';

/**
 * A choice that keeps every limit, made of the mixture that the relaxation found: payouts whose option is the same throughout take it, the
 * others are dealt out by weight, the large first, so that what one has too much the next have less. The rest that is still too much
 * leaves for a channel that has room; where there is none it waits.
 */
export function chooseByMixture(program: Program, { mixture, multipliers }: Relaxation, reduced: Float64Array): Choice {
  const parts = mixture.length > 0 ? mixture : [{ multipliers, weight: 1 }];
  const choice = dealOut(
    program,
    parts.map((part) => ({ choice: cheapestOptions(program, part.multipliers), weight: part.weight })),
  );
  const room = new Room(program, choice);
  const waiting = room.floats.length - 1;
  for (let pass = 0; pass <= PASSES; pass += 1)
    for (let channel = 0; channel < waiting; channel += 1)
      relieve(program, reduced, choice, room, { channel, waits: pass === PASSES });
  return choice;
}

function cheapestOptions(program: Program, multipliers: Multipliers): Choice {
  const { size, first } = program;
  const reduced = reducedCosts(program, multipliers);
  const choice: Choice = new Int32Array(size);
  for (let i = 0; i < size; i += 1) {
    let taken = first[i] as number;
    for (let k = taken + 1; k < (first[i + 1] as number); k += 1)
      if ((reduced[k] as number) < (reduced[taken] as number)) taken = k;
    choice[i] = taken;
  }
  return choice;
}

/** Error diffusion: each channel is owed what the weights give it, and of a payout's options the one takes it whose channel is owed most. */
function dealOut(program: Program, parts: readonly { readonly choice: Choice; readonly weight: number }[]): Choice {
  const { size, amount, channel } = program;
  const choice = (parts[0] as { choice: Choice }).choice.slice();
  const mixed: number[] = [];
  for (let i = 0; i < size; i += 1) if (parts.some((part) => part.choice[i] !== choice[i])) mixed.push(i);
  mixed.sort((a, b) => (amount[b] as number) - (amount[a] as number) || a - b);
  const owed = { fen: new Float64Array(program.floats.length), places: new Float64Array(program.floats.length) };
  for (const i of mixed) {
    const size = amount[i] as number;
    for (const part of parts) {
      const by = channel[part.choice[i] as number] as number;
      owed.fen[by] = (owed.fen[by] as number) + part.weight * size;
      owed.places[by] = (owed.places[by] as number) + part.weight;
    }
    let most = Number.NEGATIVE_INFINITY;
    for (const part of parts) {
      const k = part.choice[i] as number;
      const by = channel[k] as number;
      const claim = (owed.fen[by] as number) / size + (owed.places[by] as number);
      if (claim > most) [most, choice[i]] = [claim, k];
    }
    const by = channel[choice[i] as number] as number;
    owed.fen[by] = (owed.fen[by] as number) - size;
    owed.places[by] = (owed.places[by] as number) - 1;
  }
  return choice;
}

const PASSES = 4; // among the channels; then whoever is still too much waits

interface Overfull {
  readonly channel: number;
  readonly waits: boolean;
}

function relieve(program: Program, reduced: Float64Array, choice: Choice, room: Room, { channel, waits }: Overfull): void {
  const over = { fen: -(room.floats[channel] as number), places: -(room.counts[channel] as number) };
  if (over.fen <= 0 && over.places <= 0) return;
  const members: number[] = [];
  for (let i = 0; i < program.size; i += 1) if (program.channel[choice[i] as number] === channel) members.push(i);
  const leaving = members.flatMap((i) => {
    const fen = over.fen > 0 ? Math.min(1, (program.amount[i] as number) / over.fen) : 0;
    const relief = fen + (over.places > 0 ? 1 / over.places : 0);
    const moves: { payout: number; to: number; loss: number }[] = [];
    for (let k = program.first[i] as number; k < (program.first[i + 1] as number); k += 1) {
      if (k === choice[i] || !room.fits(i, k) || (!waits && program.channel[k] === room.floats.length - 1)) continue;
      moves.push({ payout: i, to: k, loss: ((reduced[k] as number) - (reduced[choice[i] as number] as number)) / relief });
    }
    return moves;
  });
  leaving.sort((a, b) => a.loss - b.loss || a.payout - b.payout || a.to - b.to);
  for (const { payout, to } of leaving) {
    const full = (room.floats[channel] as number) < 0 || (room.counts[channel] as number) < 0;
    if (!full) return;
    const from = choice[payout] as number;
    if (program.channel[from] !== channel || !room.fits(payout, to)) continue;
    room.give(payout, from);
    room.take(payout, to);
    choice[payout] = to;
  }
}

const ROUNDS_MAX = 6;
const EXCHANGED_MAX = 250; // of each channel that are looked at as partners of an exchange

/** Makes a choice cheaper, one payout at a time or two that change places, as long as that helps; no limit is broken on the way. */
export function improve(program: Program, choice: Choice): Choice {
  const better = choice.slice();
  const room = new Room(program, better);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const shifted = shiftAll(program, better, room);
    const exchanged = exchangeAll(program, better, room);
    if (!shifted && !exchanged) break;
  }
  return better;
}

function shiftAll(program: Program, choice: Choice, room: Room): boolean {
  const { size, first, cost } = program;
  let moved = false;
  for (let i = 0; i < size; i += 1) {
    const from = choice[i] as number;
    let best = from;
    for (let k = first[i] as number; k < (first[i + 1] as number); k += 1) {
      if ((cost[k] as number) >= (cost[best] as number) || !room.fits(i, k)) continue;
      best = k;
    }
    if (best === from) continue;
    room.give(i, from);
    room.take(i, best);
    choice[i] = best;
    moved = true;
  }
  return moved;
}

interface Move {
  readonly payout: number;
  readonly from: number;
  readonly to: number;
  readonly gain: number;
}

function exchangeAll(program: Program, choice: Choice, room: Room): boolean {
  const channels = program.floats.length;
  const most = mostGained(program, choice);
  const gain = (from: number, to: number) => most[from * channels + to] as number;
  let moved = false;
  for (let p = 0; p < channels; p += 1) {
    for (let q = p + 1; q < channels; q += 1) {
      if (gain(p, q) + gain(q, p) <= 0) continue;
      const there = movesBetween(program, choice, { from: p, to: q, above: -gain(q, p) });
      const back = movesBetween(program, choice, { from: q, to: p, above: -gain(p, q) });
      for (const move of there) {
        if (!isStill(choice, move)) continue;
        const partner = back.find(
          (other) => other.gain + move.gain > 0 && isStill(choice, other) && fitTogether(program, room, move, other),
        );
        if (partner === undefined) continue;
        for (const { payout, from } of [move, partner]) room.give(payout, from);
        for (const { payout, to } of [move, partner]) {
          room.take(payout, to);
          choice[payout] = to;
        }
        moved = true;
      }
    }
  }
  return moved;
}

/** By pair of channels: what whoever gains most by going from the one to the other gains. */
function mostGained({ size, first, channel, cost, floats }: Program, choice: Choice): Float64Array {
  const channels = floats.length;
  const most = new Float64Array(channels * channels).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < size; i += 1) {
    const now = choice[i] as number;
    for (let k = first[i] as number; k < (first[i + 1] as number); k += 1) {
      const pair = (channel[now] as number) * channels + (channel[k] as number);
      most[pair] = Math.max(most[pair] as number, (cost[now] as number) - (cost[k] as number));
    }
  }
  return most;
}

function isStill(choice: Choice, { payout, from }: Move): boolean {
  return choice[payout] === from;
}

interface Ways {
  readonly from: number;
  readonly to: number;
  /** Who gains no more than this finds no partner. */
  readonly above: number;
}

/** Who could go from one channel to another, those who gain most (or lose least) first. */
function movesBetween(program: Program, choice: Choice, { from, to, above }: Ways): Move[] {
  const moves: Move[] = [];
  for (let i = 0; i < program.size; i += 1) {
    const now = choice[i] as number;
    if (program.channel[now] !== from) continue;
    for (let k = program.first[i] as number; k < (program.first[i + 1] as number); k += 1) {
      if (program.channel[k] !== to) continue;
      const gain = (program.cost[now] as number) - (program.cost[k] as number);
      if (gain > above) moves.push({ payout: i, from: now, to: k, gain });
    }
  }
  const amountOf = ({ payout }: Move) => program.amount[payout] as number;
  moves.sort((a, b) => b.gain - a.gain || amountOf(a) - amountOf(b) || a.payout - b.payout);
  if (moves.length <= EXCHANGED_MAX) return moves;
  const least = moves[EXCHANGED_MAX - 1]?.gain;
  const certain = moves.filter(({ gain }) => gain > Number(least));
  const tied = moves.filter(({ gain }) => gain === least);
  // Of those who are equally good an even sample over their amounts: which of them fits is not known before.
  const wanted = EXCHANGED_MAX - certain.length;
  return [...certain, ...Array.from({ length: wanted }, (_, at) => tied[Math.floor((at * tied.length) / wanted)] as Move)];
}

function fitTogether({ amount, channel }: Program, room: Room, a: Move, b: Move): boolean {
  const difference = (amount[a.payout] as number) - (amount[b.payout] as number);
  return (
    (room.floats[channel[a.to] as number] as number) >= difference &&
    (room.floats[channel[b.to] as number] as number) >= -difference
  );
}

const MISSES_MAX = 24; // payouts in a row for which no room could be made; the others are larger still

/** Takes payouts that wait onto channels from which others can go elsewhere, the small first. No limit is broken. */
export function makeRoom(program: Program, reduced: Float64Array, choice: Choice): Choice {
  const waiting = program.floats.length - 1;
  const better = choice.slice();
  const room = new Room(program, better);
  const idle = Array.from({ length: program.size }, (_, i) => i).filter((i) => program.channel[better[i] as number] === waiting);
  idle.sort((a, b) => (program.amount[a] as number) - (program.amount[b] as number) || a - b);
  for (let at = 0, misses = 0; at < idle.length && misses < MISSES_MAX; at += 1) {
    const i = idle[at] as number;
    const options = Array.from(
      { length: Number(program.first[i + 1]) - Number(program.first[i]) - 1 },
      (_, k) => k + Number(program.first[i]),
    );
    options.sort((a, b) => (reduced[a] as number) - (reduced[b] as number) || a - b);
    const done = options.some((k) => takeIn(program, reduced, better, room, i, k));
    misses = done ? 0 : misses + 1;
  }
  return better;
}

function takeIn(program: Program, reduced: Float64Array, choice: Choice, room: Room, payout: number, option: number): boolean {
  const channel = program.channel[option] as number;
  const moved: { payout: number; from: number }[] = [];
  const go = (i: number, to: number) => {
    room.give(i, choice[i] as number);
    room.take(i, to);
    choice[i] = to;
  };
  if (!room.fits(payout, option)) {
    for (const { payout: other, to } of departures(program, reduced, choice, room, channel)) {
      const from = choice[other] as number;
      if (program.channel[from] !== channel || !room.fits(other, to)) continue;
      moved.push({ payout: other, from });
      go(other, to);
      if (room.fits(payout, option)) break;
    }
  }
  const fits = room.fits(payout, option);
  if (fits) go(payout, option);
  else for (const { payout: other, from } of moved.reverse()) go(other, from);
  return fits;
}

const DEPARTURES_MAX = 400;

/** Who could leave a channel for another that has room, those first whom it costs least. */
function departures(program: Program, reduced: Float64Array, choice: Choice, room: Room, channel: number) {
  const found: { payout: number; to: number; loss: number }[] = [];
  const waiting = program.floats.length - 1;
  for (let i = 0; i < program.size; i += 1) {
    const from = choice[i] as number;
    if (program.channel[from] !== channel) continue;
    for (let k = program.first[i] as number; k < (program.first[i + 1] as number); k += 1)
      if (k !== from && program.channel[k] !== waiting && room.fits(i, k))
        found.push({
          payout: i,
          to: k,
          loss: ((reduced[k] as number) - (reduced[from] as number)) / (program.amount[i] as number),
        });
  }
  return found.sort((a, b) => a.loss - b.loss || a.payout - b.payout || a.to - b.to).slice(0, DEPARTURES_MAX);
}

export interface Searched {
  readonly choice: Choice;
  /** No assignment within the limits is cheaper. */
  readonly proved: boolean;
}

const CORE_MAX = 600;

/**
 * Branch and bound. An option whose price, limits included, is so far above its payout's best that taking it alone would lift the bound to
 * the cost of the best choice known is left out; where only one is left it is fixed. Of the others every combination is tried that the same
 * bound does not exclude, until the nodes are used up.
 */
export function branch(program: Program, { multipliers, bound }: Relaxation, known: Choice, nodesMax: number): Searched {
  const target = costOf(program, known);
  // A better choice costs at least one less. What sums of fractions may be off by is left on the safe side.
  const spare = (cost: number) => cost - 1 - bound + 1e-6 + Math.abs(bound) * 1e-12;
  if (spare(target) < 0) return { choice: known, proved: true };
  const reduced = reducedCosts(program, multipliers);
  const core: CorePayout[] = [];
  const choice: Choice = known.slice();
  const room = new Room(program);
  for (let i = 0; i < program.size; i += 1) {
    const options = Array.from(
      { length: (program.first[i + 1] as number) - (program.first[i] as number) },
      (_, at) => at + Number(program.first[i]),
    );
    const least = options.reduce((min, k) => Math.min(min, reduced[k] as number), Number.POSITIVE_INFINITY);
    const over = (k: number) => Math.max(0, (reduced[k] as number) - least);
    const open = options.filter((k) => over(k) <= spare(target));
    const [only] = open;
    if (open.length === 1 && only !== undefined) {
      choice[i] = only;
      room.take(i, only);
    } else core.push({ payout: i, options: open.map((k) => ({ option: k, over: over(k) })).sort((a, b) => a.over - b.over) });
  }
  if (!room.isWithin()) return { choice: known, proved: true };
  if (core.length > CORE_MAX) return { choice: known, proved: false };
  core.sort(
    (a, b) =>
      Number(b.options[1]?.over) - Number(a.options[1]?.over) ||
      Number(program.amount[b.payout]) - Number(program.amount[a.payout]) ||
      a.payout - b.payout,
  );
  return search(program, core, room, choice, { known, target, spare, nodesMax });
}

interface CorePayout {
  readonly payout: number;
  /** The cheapest first; `over`: how far above it. */
  readonly options: readonly { readonly option: number; readonly over: number }[];
}

interface Aim {
  readonly known: Choice;
  readonly target: number;
  readonly spare: (cost: number) => number;
  readonly nodesMax: number;
}

function search(program: Program, core: readonly CorePayout[], room: Room, choice: Choice, aim: Aim): Searched {
  const found = { choice: aim.known, target: aim.target };
  const twin = core.map((one, depth) => isTwin(program, core[depth - 1], one));
  let nodes = 0;
  const visit = (depth: number, over: number): boolean => {
    if (depth === core.length) {
      const cost = costOf(program, choice);
      if (cost < found.target) Object.assign(found, { choice: choice.slice(), target: cost });
      return true;
    }
    const { payout, options } = core[depth] as CorePayout;
    // Of two payouts that are alike in everything the later takes no earlier option: the other way round is the same assignment.
    const since = twin[depth] ? optionPlace(program, core[depth - 1] as CorePayout, choice) : 0;
    for (const { option, over: more } of options) {
      if (over + more > aim.spare(found.target)) break;
      if (option - (program.first[payout] as number) < since || !room.fits(payout, option)) continue;
      if ((program.strain[option] as number) > room.budget) continue;
      nodes += 1;
      if (nodes > aim.nodesMax) return false;
      room.take(payout, option);
      choice[payout] = option;
      const whole = visit(depth + 1, over + more);
      room.give(payout, option);
      if (!whole) return false;
    }
    return true;
  };
  const proved = visit(0, 0);
  return { choice: found.choice, proved };
}

function optionPlace(program: Program, { payout }: CorePayout, choice: Choice): number {
  return (choice[payout] as number) - (program.first[payout] as number);
}

function isTwin(program: Program, before: CorePayout | undefined, { payout }: CorePayout): boolean {
  if (before === undefined || program.amount[before.payout] !== program.amount[payout]) return false;
  const [a, b] = [Number(program.first[before.payout]), Number(program.first[payout])];
  const options = Number(program.first[payout + 1]) - b;
  if (Number(program.first[before.payout + 1]) - a !== options) return false;
  return Array.from({ length: options }, (_, at) => at).every((at) =>
    [program.channel, program.cost, program.strain].every((of) => of[a + at] === of[b + at]),
  );
}
