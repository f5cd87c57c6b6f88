import { type BusinessDate, type Clock, type Instant, instantOf, startOfDay } from '../../src/kernel/index.js';

/** The time of a run: it stands still until a step lets it pass, and the business clock and the wall's agree. */
export class Time implements Clock {
  #now: Instant;

  /** Begins at nine in the morning. */
  constructor(date: BusinessDate) {
    this.#now = instantOf(startOfDay(date) + 9 * HOUR);
  }

  now(): Instant {
    return this.#now;
  }

  wall(): Instant {
    return this.#now;
  }

  pass(ms: number): void {
    this.#now = instantOf(this.#now + ms);
  }
}

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
