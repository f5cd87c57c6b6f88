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
