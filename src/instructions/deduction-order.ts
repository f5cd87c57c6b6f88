import type { OrderDeduction } from '../claims/index.js';
import { canonicalJson, invariant, toWire } from '../kernel/index.js';
import type { Runtime } from '../runtime/index.js';
import { receiveInTx } from './intake/intake.js';

/** Gives the instruction of an approved deduction, under a number made of the deduction's, so that it acts once. */
export function orderDeduction(rt: Runtime): OrderDeduction {
  return async (tx, { id, platformId }, by) => {
    const { receipt, shardId } = await receiveInTx(tx, rt, {
      platformId,
      origin: 'S',
      requestNo: `deduction:${id}`,
      kind: 'judicial-deduction',
      body: canonicalJson({ deduction: toWire('deduction', id) }),
      actor: toWire('operator', by),
    });
    invariant('id' in receipt, 'the number of a deduction means the same each time');
    return { instruction: receipt.id, shardId };
  };
}
