import type { Clock } from '../kernel/index.js';

const WAIT_MAX_MS = 30_000;

/**
 * How many milliseconds a request wants to wait for its outcome, by its `Prefer` header (RFC 7240): `wait=N` in seconds, at most
 * 30; `respond-async` is not at all.
 */
export function preferredWaitMs(prefer: string | undefined, defaultMs: number): number {
  const preferences = (prefer ?? '').split(/[,;]/).map((part) => part.trim().toLowerCase());
  if (preferences.includes('respond-async')) return 0;
  const seconds = preferences.map((part) => /^wait=([0-9]{1,4})$/.exec(part)?.[1]).find((found) => found !== undefined);
  return seconds === undefined ? defaultMs : Math.min(Number(seconds) * 1000, WAIT_MAX_MS);
}

const LOOK_FIRST_MS = 20;
const LOOK_MAX_MS = 200;

/**
 * Looks at the rows until they say something or the wait is over; at least once. For answers that a worker writes: the rows are the
 * truth, and no announcement can be lost.
 * @param look answers undefined as long as there is nothing to say
 */
export async function waitFor<T>(clock: Clock, waitMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const endMs = clock.wall() + waitMs;
  for (let pauseMs = LOOK_FIRST_MS; ; pauseMs = Math.min(pauseMs * 2, LOOK_MAX_MS)) {
    const seen = await look();
    const leftMs = endMs - clock.wall();
    if (seen !== undefined || leftMs <= 0) return seen;
    await new Promise((resume) => setTimeout(resume, Math.min(pauseMs, leftMs)));
  }
}
