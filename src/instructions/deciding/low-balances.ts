import type { Id } from '../../kernel/index.js';
import { lockShard, type ShardTurn } from '../../ledger/index.js';
import { noteLowBalances, shardsWithCrossings } from '../../refunds/index.js';
import type { Runtime, Tx } from '../../runtime/index.js';
import { insertingOutbox } from '../store.js';

/**
 * Platforms are told of their accounts that fell below what they want to have there, once until they are above it again. What fell and
 * rose within one batch is not told: nobody could have done anything.
 * @param from how many events this turn has told already
 */
export async function tellLowBalances(tx: Tx, turn: ShardTurn, accounts: readonly Id[] | 'all', from: number): Promise<void> {
  const low = await noteLowBalances(tx, accounts, turn);
  if (low.length === 0) return;
  const events = low.map(({ accountId, platformId }) => ({ topic: 'account.low' as const, platformId, ref: accountId }));
  await tx.write(insertingOutbox(turn, events, from));
}

/** The same for what no instruction did: an authority's freeze, or a new mark. Answers on how many shards. */
export async function sweepLowBalances(rt: Runtime): Promise<number> {
  const shards = await rt.db.read('low-balances', shardsWithCrossings);
  for (const shard of shards)
    await rt.db.withTx(
      'tell-low-balances',
      async (tx) => tellLowBalances(tx, await lockShard(tx, shard, rt.clock.now()), 'all', 0),
      async () => undefined, // what was noted is not noted again
    );
  return shards.length;
}
