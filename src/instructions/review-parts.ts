import type { Id } from '../kernel/index.js';
import type { WakeInstruction } from '../reviews/index.js';
import type { Runtime, Tx, Vault } from '../runtime/index.js';
import { releaseToInbox } from './intake/asking.js';
import { maskedData } from './intake/personal.js';
import { kinds } from './kinds/index.js';

/** What those who decide reviews need of instructions: to have one decided anew, and to see what it asks. */
export function reviewParts(rt: Pick<Runtime, 'bells'>): {
  wake: WakeInstruction;
  dataOf: (kind: string, body: string, vault: Vault) => Record<string, unknown>;
} {
  return {
    wake: (tx: Tx, instruction: Id) => releaseToInbox(tx, rt, instruction),
    dataOf: (kind, body, vault) => maskedData(kinds.get(kind), body, vault),
  };
}
