import { type Id, Refused, refuse } from '../kernel/index.js';
import { lockShard } from '../ledger/index.js';
import { type LockCustomer, touchCustomer } from '../parties/index.js';
import type { Runtime } from '../runtime/index.js';
import { shardsOfCustomer } from './electronic.js';

/**
 * Takes a customer and the shards of all books in which he has electronic accounts. First the shards, in their order, as the engine does
 * before it reads him; then his row. Who opens an account takes the row too (`takeCustomer`), so that what was opened before the row was
 * had is seen by the second look, and what comes after sees what was changed.
 */
export function customerLock(rt: Pick<Runtime, 'clock'>): LockCustomer {
  return async (tx, customerId: Id) => {
    const locked = new Set<number>();
    const lockShards = async () => {
      for (const shardId of await shardsOfCustomer(tx, customerId)) {
        if (locked.has(shardId)) continue;
        await lockShard(tx, shardId, rt.clock.now());
        locked.add(shardId);
      }
    };
    await lockShards();
    if (!(await touchCustomer(tx, customerId))) throw new Refused(refuse('NOT_FOUND'));
    await lockShards();
  };
}
