import type { Id, Instant } from '../kernel/index.js';

/** What became of an instruction. */
export interface Outcome {
  readonly instruction: Id;
  readonly platformId: Id;
  readonly kind: string;
  readonly state: 'posted' | 'refused';
  readonly code: string | null;
  /** The result of a posted, the detail and fields of a refused instruction. */
  readonly detail: Readonly<Record<string, unknown>> | null;
  readonly businessDate: string;
  readonly decidedMs: Instant;
}
