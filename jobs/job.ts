import type { Desk } from '../src/dispatch/index.js';
import type { BellName } from '../src/runtime/index.js';

/**
 * A job, as a declaration. It is rung by a bell that carries a key and no data: the job looks at the rows and does what is to be
 * done there. Run twice, or by two workers at once, it does nothing more than once.
 */
export interface JobDefinition {
  readonly name: BellName;
  /** What it does, and what its key is. */
  readonly en: string;
  readonly zh: string;
  /** How many of it one worker runs side by side; of one key there is never more than one. */
  readonly concurrency: number;
  /** Answers how much it did, or, where that tells too little, a word for the metrics: what came of it. */
  readonly run: (desk: Desk, key: string) => Promise<number | string>;
}
