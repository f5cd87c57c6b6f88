import { AGREEMENT_REFUSALS } from './refusals/agreements.js';
import { BATCH_REFUSALS } from './refusals/batches.js';
import { CLEARING_REFUSALS } from './refusals/clearing.js';
import { CUSTOMER_REFUSALS } from './refusals/customers.js';
import type { RefusalEntry } from './refusals/entry.js';
import { ESCROW_REFUSALS } from './refusals/escrow.js';
import { FLOAT_REFUSALS } from './refusals/floats.js';
import { FUND_REFUSALS } from './refusals/funds.js';
import { HOLD_REFUSALS } from './refusals/holds.js';
import { LENDING_REFUSALS } from './refusals/lending.js';
import { LENDING_CLAIM_REFUSALS } from './refusals/lending-claims.js';
import { MONEY_REFUSALS } from './refusals/money.js';
import { MONEY_IN_REFUSALS } from './refusals/money-in.js';
import { ORDER_REFUSALS } from './refusals/orders.js';
import { PROOF_REFUSALS } from './refusals/proofs.js';
import { RECONCILIATION_REFUSALS } from './refusals/reconciliation.js';
import { REFUND_REFUSALS } from './refusals/refunds.js';
import { REPORTING_REFUSALS } from './refusals/reporting.js';
import { REQUEST_REFUSALS } from './refusals/requests.js';
import { REVIEW_REFUSALS } from './refusals/reviews.js';
import { ROUTING_REFUSALS } from './refusals/routing.js';
import { SUPERVISION_REFUSALS } from './refusals/supervision.js';
import { SUSPENSE_REFUSALS } from './refusals/suspense.js';
import { WINDING_UP_REFUSALS } from './refusals/winding-up.js';

/**
 * The closed catalogue of refusals: every "no" that this system can say, to whom, and what the caller may do about it.
 *
 * A refusal is a value, returned and stored, never thrown by a rule. `http` is the status of the problem-details answer,
 * `retry` says whether the same request may succeed later (`same-number`: send it again unchanged; `new-number`: mend it
 * and send it under another request number; `never`), `actor` who has to act. No refusal ever moves money.
 */
export const REFUSALS = {
  ...REQUEST_REFUSALS,
  ...CUSTOMER_REFUSALS,
  ...AGREEMENT_REFUSALS,
  ...MONEY_REFUSALS,
  ...MONEY_IN_REFUSALS,
  ...HOLD_REFUSALS,
  ...SUSPENSE_REFUSALS,
  ...RECONCILIATION_REFUSALS,
  ...REFUND_REFUSALS,
  ...REVIEW_REFUSALS,
  ...ROUTING_REFUSALS,
  ...ORDER_REFUSALS,
  ...ESCROW_REFUSALS,
  ...LENDING_REFUSALS,
  ...LENDING_CLAIM_REFUSALS,
  ...FUND_REFUSALS,
  ...CLEARING_REFUSALS,
  ...BATCH_REFUSALS,
  ...FLOAT_REFUSALS,
  ...PROOF_REFUSALS,
  ...REPORTING_REFUSALS,
  ...SUPERVISION_REFUSALS,
  ...WINDING_UP_REFUSALS,
} as const satisfies Record<string, RefusalEntry>;

export type { RefusalEntry } from './refusals/entry.js';
export type RefusalCode = keyof typeof REFUSALS;

/** A "no" with what the caller needs to see why: `detail` in plain words, `fields` as data. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly detail?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export function refuse(code: RefusalCode, detail?: string, fields?: Record<string, unknown>): Refusal {
  return { code, ...(detail === undefined ? {} : { detail }), ...(fields === undefined ? {} : { fields }) };
}

/** Carries a refusal out of a request handler; only the HTTP edge throws and catches it, rules return refusals. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}${refusal.detail ? `: ${refusal.detail}` : ''}`);
    this.name = 'Refused';
    this.refusal = refusal;
  }
}

/** A broken promise of our own: nothing catches it but the top of the request or job. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
