import { asId, type Id } from '../../../src/kernel/index.js';
import { decideProposal, insertProposal } from '../../../src/suspense/store.js';
import type { NewProposal } from '../scenario.js';
import type { World } from './world.js';

const [MAKER, CHECKER] = [asId('1000000000000000061'), asId('1000000000000000062')];

/** One member of staff says what shall become of money on suspense; nothing looks at it but the books. */
export async function proposeOnSuspense({ db, rt }: World, { platform, item, account, amount }: NewProposal): Promise<Id> {
  const id = rt.newId();
  const proposal = {
    ...{
      id,
      platformId: asId(platform),
      itemId: asId(item),
      amount,
      reasonSealed: rt.vault.seal('核实'),
      state: 'proposed' as const,
    },
    ...{ action: account === undefined ? ('return' as const) : ('attribute' as const), noteSealed: null, instructionId: null },
    ...{ accountId: account === undefined ? null : asId(account), proposedBy: MAKER, proposedMs: rt.clock.now() },
    ...{ decidedBy: null, decidedMs: null },
  };
  await db.withTx('propose', (tx) => insertProposal(tx, proposal).then(() => true));
  return id;
}

/** Another approves it; the instruction is given by the test itself. */
export async function approveOnSuspense({ db, rt }: World, proposal: Id): Promise<void> {
  const by = { state: 'approved' as const, by: CHECKER, atMs: rt.clock.now(), noteSealed: null };
  await db.withTx('approve', (tx) => decideProposal(tx, proposal, by));
}
