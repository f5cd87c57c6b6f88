/**
 * The life of a payout, as data. `created` is to be sent; `sent` went out (or may have); `unknown` has no usable answer;
 * `settled` reached the payee's bank; `failed` did not, and the money is back; `returned` came back after it was settled.
 * From `created` it fails when people stop it, and a collection when its time has run out: what is to be paid out waits until it may go.
 * From `sent` and `unknown` only an answer of the channel, a query or the day-end statement leads on: never a second number. Back to `created`
 * leads the channel's own word alone that it did not pay and never will: then another may be given it.
 */
export const PAYOUT_STATES = ['created', 'sent', 'unknown', 'settled', 'failed', 'returned'] as const;
export type PayoutState = (typeof PAYOUT_STATES)[number];

export const PAYOUT_TRANSITIONS: Readonly<Record<PayoutState, readonly PayoutState[]>> = {
  created: ['sent', 'failed'],
  sent: ['unknown', 'settled', 'failed', 'created'],
  unknown: ['sent', 'settled', 'failed', 'created'],
  settled: ['returned'],
  failed: [],
  returned: [],
};

export function mayBecome(from: PayoutState, to: PayoutState): boolean {
  return PAYOUT_TRANSITIONS[from].includes(to);
}

/** The money is neither with the payee nor back. */
export const UNDER_WAY: readonly PayoutState[] = ['created', 'sent', 'unknown'];

export function isUnderWay(state: PayoutState): boolean {
  return UNDER_WAY.includes(state);
}
