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
  /** Wall time at which this process last asked each channel for its float. */
  readonly floatsAsked: Map<ChannelCode, number>;
}

export function createDesk(rt: Runtime, channels: Channels): Desk {
  // Whoever receives here decides right afterwards; a crash in between is the sweep's.
  const silent = { ring: async () => undefined };
  return { rt, channels, intake: createIntake({ ...rt, bells: silent }), tallies: new Map(), floatsAsked: new Map() };
}

/** An instruction about a payout, and the shard that decides it. */
export interface Directive {
  readonly shardId: number;
  readonly submission: Submission;
}

const ACTOR = 'dispatch';
/** Why a collection failed that nobody was told of. */
export const LAPSED = 'not sent in its time';

export function settledDirective({ id, platformId, shardId }: Payout): Directive {
  const data = { payout: toWire('payout', id) };
  return {
    shardId,
    submission: systemInstruction({ platformId, requestNo: `settled:${id}`, kind: 'payout-settled', data, actor: ACTOR }),
  };
}

export function failedDirective({ id, platformId, shardId }: Payout, reason: string | undefined): Directive {
  const data = { payout: toWire('payout', id), reason: tidyReason(reason) };
  return {
    shardId,
    submission: systemInstruction({ platformId, requestNo: `failed:${id}`, kind: 'payout-failed', data, actor: ACTOR }),
  };
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
