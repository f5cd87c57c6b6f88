/**
 * The life of an order of fund units, as data. `waiting`: the redemption that pays for another fund, until the units of that are confirmed.
 * `created` goes into the file of its trading day; `sent` is with the fund company; `confirmed` by it: the units are there, or gone;
 * `settled`: the money is where it belongs, too; units that are worth nothing bring none, and are `settled` when they are gone. Back from `settled` leads a payment to the fund's custody account that failed. What the company
 * refuses is `failed` and undone; a redemption whose money somebody else relies on is `created` again instead, and sent on the next trading day.
 */
export const FUND_ORDER_STATES = ['waiting', 'created', 'sent', 'confirmed', 'settled', 'failed'] as const;
export type FundOrderState = (typeof FUND_ORDER_STATES)[number];

export const FUND_ORDER_TRANSITIONS: Readonly<Record<FundOrderState, readonly FundOrderState[]>> = {
  waiting: ['created', 'failed'],
  created: ['sent'],
  sent: ['confirmed', 'settled', 'failed', 'created'],
  confirmed: ['settled'],
  settled: ['confirmed'],
  failed: [],
};
