import type { ChannelCode, Channels } from '../channels/index.js';
import {
  createIntake,
  executeShard,
  type Intake,
  type Receipt,
  type Submission,
  systemInstruction,
} from '../instructions/index.js';
import { Refused, toWire } from '../kernel/index.js';
import type { Payout } from '../payouts/index.js';
import type { Runtime } from '../runtime/index.js';
import type { Tally } from './health/rules.js';
import { tidyReason } from './rules.js';

/** What the worker deals with the bank by: the machine room, the ways to the bank, and the door for instructions. */
export interface Desk {
  readonly rt: Runtime;
  readonly channels: Channels;
  readonly intake: Intake;
  /** What this process has seen of channels and not told the database yet. */
  readonly tallies: Map<ChannelCode, Tally>;
  /** Wall time at which this process last asked each channel for its float; 0: ask at once, something has changed there. */
  readonly floatsAsked: Map<ChannelCode, number>;
}

export function createDesk(rt: Runtime, channels: Channels): Desk {
  // Whoever receives here decides right afterwards; a crash in between is the sweep's.
  const silent = { ring: async () => undefined, ringInTurn: async () => undefined };
  return { rt, channels, intake: createIntake({ ...rt, bells: silent }), tallies: new Map(), floatsAsked: new Map() };
}

/** An instruction about a payout, and the shard that decides it. */
export interface Directive {
  readonly shardId: number;
  readonly submission: Submission;
}

const ACTOR = 'dispatch';
/** Why a collection failed that nobody was told of. */
const LAPSED = 'not sent in its time';

/**
 * What the channel that has the payout said; refused once another has it. Its number is that channel's, so that a word that came too late and
 * was refused does not stand in the way of the next channel's.
 */
export function settledDirective({ id, platformId, shardId, channel }: Payout): Directive {
  const data = { payout: toWire('payout', id), ...saidBy(channel) };
  const requestNo = `settled:${id}:${channel}`;
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-settled', data, actor: ACTOR }) };
}

/** By the statement of the custody account, which says that the money moved and not by which channel. */
export function settledByStatement({ id, platformId, shardId }: Payout): Directive {
  const data = { payout: toWire('payout', id) };
  const requestNo = `settled:${id}`;
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-settled', data, actor: ACTOR }) };
}

/** As `settledDirective`. */
export function failedDirective({ id, platformId, shardId, channel }: Payout, reason: string | undefined): Directive {
  const data = { payout: toWire('payout', id), reason: tidyReason(reason), ...saidBy(channel) };
  const requestNo = `failed:${id}:${channel}`;
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-failed', data, actor: ACTOR }) };
}

/**
 * A collection that was not sent in its time: one that no channel was told of or, once it was sent, one that its channel said it never received.
 * It is refused when anything became of the collection since it was looked at: somebody may have sent it, to another channel or once more to this
 * one. Its number is that look's, so that the next look can end it.
 */
export function lapsedDirective(payout: Payout): Directive {
  const { id, platformId, shardId, attempts, channel } = payout;
  if (payout.state === 'created') return unsentDirective(payout, `lapsed:${id}:${attempts}`, LAPSED);
  const data = { payout: toWire('payout', id), reason: LAPSED, ...saidBy(channel), attempts };
  const requestNo = `lapsed:${id}:${attempts}`;
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-failed', data, actor: ACTOR }) };
}

function saidBy(channel: Payout['channel']): { channel?: ChannelCode } {
  return channel === null ? {} : { channel };
}

/** One that no channel was told of and none will be; refused where it was sent after all. */
export function unsentDirective(
  { id, platformId, shardId }: Pick<Payout, 'id' | 'platformId' | 'shardId'>,
  requestNo: string,
  reason: string | undefined,
): Directive {
  const data = { payout: toWire('payout', id), reason: tidyReason(reason), unsent: true };
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-failed', data, actor: ACTOR }) };
}

/** Each reference of a return acts once, however often it comes. */
export function returnedDirective({ id, platformId, shardId }: Payout, reference: string, reason: string | undefined): Directive {
  const data = { payout: toWire('payout', id), reason: tidyReason(reason) };
  const requestNo = `returned:${id}:${reference}`.slice(0, 64);
  return { shardId, submission: systemInstruction({ platformId, requestNo, kind: 'payout-returned', data, actor: ACTOR }) };
}

/**
 * Receives instructions of the system and has all of them decided before it answers. One that was given before acts no second
 * time, also when the channel words its reason otherwise now.
 * @throws Refused NOT_FOUND for a platform without a book; those that were taken are decided all the same
 */
export async function decideNow(
  { rt, intake }: Pick<Desk, 'rt' | 'intake'>,
  directives: readonly Directive[],
): Promise<Receipt[]> {
  if (directives.length === 0) return [];
  const receipts = await intake.receive(directives.map((directive) => directive.submission));
  for (const shardId of new Set(directives.map((directive) => directive.shardId))) await executeShard(rt, shardId);
  for (const receipt of receipts) {
    if ('refused' in receipt && receipt.refused.code !== 'REQUEST_NO_REUSED') throw new Refused(receipt.refused);
  }
  return receipts;
}
