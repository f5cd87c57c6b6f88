import { openChannels } from '../../../src/channels/index.js';
import { createDesk } from '../../../src/dispatch/index.js';
import { asId, type Id } from '../../../src/kernel/index.js';
import { claimsOf } from '../../../src/lending/index.js';
import { approve, propose } from '../../../src/winding-up/decide.js';
import { windDownRound } from '../../../src/winding-up/round.js';
import type { Wound } from '../verbs/winding-up.js';
import type { World } from './world.js';

/** One person says that the platform shall be wound up, and another approves. */
export async function vanish({ db, rt, clock }: World, platform: Id): Promise<void> {
  const as = () => ({ operator: rt.newId(), nowMs: clock.now() });
  const why = { reasonSealed: rt.vault.seal('平台失联'), ordersBackOn: undefined, movesTo: undefined };
  await db.withTx('propose', (tx) => propose(tx, rt.newId(), platform, why, as()));
  await db.withTx('approve', (tx) => approve(tx, platform, as()));
}

/** One round by the service; what it gave, in its order. */
export async function roundOf({ db, rt }: World, platform: Id): Promise<(Wound & { readonly id: Id })[]> {
  const given = () =>
    db.read('given in rounds', (tx) =>
      tx.rows<{ id: string; kind: string; body: string; state: string; code: string | null }>(
        `SELECT i.id, i.kind, i.body, o.state, o.code FROM instructions AS i JOIN outcomes AS o ON o.instruction_id = i.id
         WHERE i.platform_id = ? AND i.origin = 'S' AND i.request_no LIKE 'wd:%' ORDER BY i.id`,
        [platform],
      ),
    );
  const before = new Set((await given()).map(({ id }) => id));
  // A round gives instructions and asks no channel anything.
  const channels = openChannels({ bankUrl: 'http://127.0.0.1:1', timeoutMs: 1_000 });
  try {
    await windDownRound(createDesk(rt, channels), platform);
  } finally {
    await channels.close();
  }
  const made = (await given()).filter(({ id }) => !before.has(id));
  return made.map(({ id, kind, body, state, code }) => ({
    ...{ id: asId(id), kind, result: code ?? state },
    data: (typeof body === 'string' ? JSON.parse(body) : body) as Wound['data'],
  }));
}

/** What the owner of an account is shown of what he lent: minor units by the number of the project. */
export async function shownClaims({ db }: World, account: Id): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  const all = await db.read('claims', (tx) => claimsOf(tx, { account }, { after: undefined, limit: 1_000 }));
  for (const { claim, project } of all)
    if (claim.left > 0n) found.set(project.projectNo, (found.get(project.projectNo) ?? 0n) + claim.left);
  return found;
}
