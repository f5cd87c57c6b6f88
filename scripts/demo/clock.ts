import { type Instant, toRfc3339 } from '../../src/kernel/index.js';
import type { Client } from './http.js';

/** The service's clock, which never goes back: what happened in the small hours is given once the day before is closed and paid out. */
export class DrivenClock {
  readonly #admin: Client;
  #now = 0;

  constructor(admin: Client) {
    this.#admin = admin;
  }

  async moveTo(at: Instant): Promise<void> {
    if (at <= this.#now) return;
    this.#now = at;
    const body = { now: toRfc3339(at) };
    await this.#admin.call({ method: 'PUT', path: '/admin/v1/clock', body, what: 'setting the clock' });
  }

  pass(ms: number): Promise<void> {
    return this.moveTo((this.#now + ms) as Instant);
  }
}
