import { Agenda } from './agenda.js';

/** What the payment institution tells of a trade by itself (异步通知). */
export interface Notice {
  readonly url: string;
  readonly product: 'payout' | 'collection';
  readonly outTradeNo: string;
  readonly status: string;
  /** How often it was sent. */
  attempts: number;
  state: 'waiting' | 'heard' | 'given-up';
}

/** From one attempt to the next, in seconds of the bank's time; after the last it gives up. */
const PAUSES_S = [15, 30, 180, 600, 1_800, 3_600, 7_200, 21_600, 54_000];

/** The notices of a bank that stand out. When one is due it is sent; until it is answered `success` it comes again, ever more seldom. */
export class Notices {
  readonly #agenda = new Agenda<Notice>();
  readonly #all: Notice[] = [];

  add(nowMs: number, notice: Pick<Notice, 'url' | 'product' | 'outTradeNo' | 'status'>): void {
    const added: Notice = { ...notice, attempts: 0, state: 'waiting' };
    this.#all.push(added);
    this.#agenda.add(nowMs, added);
  }

  takeDue(nowMs: number): Notice[] {
    return this.#agenda.takeDue(nowMs);
  }

  /** Says what became of an attempt. */
  note(notice: Notice, wasHeard: boolean, nowMs: number): void {
    const pause = PAUSES_S[notice.attempts];
    notice.attempts += 1;
    notice.state = wasHeard ? 'heard' : pause === undefined ? 'given-up' : 'waiting';
    if (notice.state === 'waiting' && pause !== undefined) this.#agenda.add(nowMs + pause * 1_000, notice);
  }

  all(): readonly Notice[] {
    return this.#all;
  }
}
