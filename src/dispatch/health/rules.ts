import type { Instant } from '../../kernel/index.js';

/** How many calls in a row without a usable answer make a channel one that is not sent to for a while. */
const BREAKS_AT = 5;
const FIRST_PAUSE_MS = 10_000;
const PAUSE_MAX_MS = 300_000;
const MINUTE_MS = 60_000;

/** How a channel's calls went of late. */
export interface Circuit {
  /** In a row, up to now; any usable answer ends them. */
  readonly unanswered: number;
  /** The last of them. */
  readonly unansweredMs: Instant;
}

/**
 * Until when nothing new is given to a channel: undefined while it answers. After the pause it is tried again; each call in vain doubles the
 * pause, up to five minutes, and the first answer ends it. (熔断)
 */
export function shutUntil({ unanswered, unansweredMs }: Circuit): Instant | undefined {
  if (unanswered < BREAKS_AT) return undefined;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(unanswered - BREAKS_AT, 16), PAUSE_MAX_MS);
  return (unansweredMs + pause) as Instant;
}

/** Calls of some time; milliseconds. */
export interface Rates {
  readonly answered: number;
  readonly unanswered: number;
  readonly latencyMs: number;
  readonly latencyMaxMs: number;
}

/** The calls of the minutes that end after a moment. */
export function ratesOf(minutes: readonly (Rates & { readonly minuteMs: Instant })[], since: Instant): Rates {
  return minutes
    .filter(({ minuteMs }) => minuteMs + MINUTE_MS > since)
    .reduce<Rates>(
      (sum, minute) => ({
        answered: sum.answered + minute.answered,
        unanswered: sum.unanswered + minute.unanswered,
        latencyMs: sum.latencyMs + minute.latencyMs,
        latencyMaxMs: Math.max(sum.latencyMaxMs, minute.latencyMaxMs),
      }),
      { answered: 0, unanswered: 0, latencyMs: 0, latencyMaxMs: 0 },
    );
}

/** What this process knows of a channel's calls and the database does not yet. */
export interface Tally {
  answered: number;
  latencyMs: number;
  latencyMaxMs: number;
  /** Wall time at which the database was last told that it answers. */
  toldMs: number;
  /** The last that this process knows is that it does not answer. */
  silent: boolean;
}
