import type { Minor } from '../../kernel/index.js';
import { type ChannelCode, hasFloat } from '../port.js';

interface Float {
  balance: Minor;
  /** Of accepted payments that are not final. */
  reserved: Minor;
}

/** What the bank has in each channel in the beginning, fen, where nobody says otherwise. */
const FIRST_BALANCE = 10n ** 15n;

/** The bank's own money in each channel (备付金), out of which the channel pays. A channel without one has no bound. */
export class Floats {
  readonly #floats = new Map<ChannelCode, Float>();
  readonly #transfers = new Map<string, string>();

  balances(): { channel: ChannelCode; balance: Minor; reserved: Minor }[] {
    return [...this.#floats].map(([channel, float]) => ({ channel, ...float }));
  }

  available(channel: ChannelCode): Minor {
    const { balance, reserved } = this.#of(channel);
    return balance - reserved;
  }

  set(channel: ChannelCode, balance: Minor): void {
    this.#of(channel).balance = balance;
  }

  /** Sets money aside for an accepted payment; false when it is not there. */
  reserve(channel: ChannelCode, amount: Minor): boolean {
    if (!hasFloat(channel)) return true;
    if (this.available(channel) < amount) return false;
    this.#of(channel).reserved += amount;
    return true;
  }

  /** The payment is final: what was set aside is spent, or free again. */
  end(channel: ChannelCode, amount: Minor, spent: boolean): void {
    if (!hasFloat(channel)) return;
    const float = this.#of(channel);
    float.reserved -= amount;
    if (spent) float.balance -= amount;
  }

  /** What was paid came back. */
  restore(channel: ChannelCode, amount: Minor): void {
    if (hasFloat(channel)) this.#of(channel).balance += amount;
  }

  /**
   * Moves the bank's own money from one channel to another, once for its reference; from or to the bank's own vault where none is named.
   * @returns why not, or undefined
   */
  transfer(reference: string, from: ChannelCode | null, to: ChannelCode | null, amount: Minor): string | undefined {
    const content = JSON.stringify([from, to, amount.toString()]);
    const before = this.#transfers.get(reference);
    if (before !== undefined) return before === content ? undefined : `transfer ${reference} came before with another content`;
    if (from !== null && this.available(from) < amount) return 'insufficient float';
    this.#transfers.set(reference, content);
    if (from !== null) this.#of(from).balance -= amount;
    if (to !== null) this.#of(to).balance += amount;
    return undefined;
  }

  #of(channel: ChannelCode): Float {
    const float = this.#floats.get(channel) ?? { balance: FIRST_BALANCE, reserved: 0n };
    this.#floats.set(channel, float);
    return float;
  }
}
