import { generateKeyPairSync } from 'node:crypto';
import {
  asId,
  type BusinessDate,
  fromWire,
  type Id,
  type Instant,
  invariant,
  residentIdCheck,
  toWire,
} from '../../src/kernel/index.js';
import {
  ensureShards,
  insertingEntries,
  loadAccounts,
  lockShard,
  type Movement,
  post,
  savingAccounts,
  savingUncleared,
} from '../../src/ledger/index.js';
import { addKey } from '../../src/platforms/index.js';
import type { StartedRuntime } from '../../src/runtime/index.js';
import type { TestApi, TestPlatform } from '../support/api.js';

export interface TestBook extends TestPlatform {
  /** Wire ids of the functional accounts. */
  readonly accounts: Readonly<Record<string, string>>;
}

let made = 0;

/** A platform that the bank opened, with a key of its own. */
export async function openBook(api: TestApi, token: string, more: Record<string, unknown> = {}): Promise<TestBook> {
  made += 1;
  await api.runtime.db.withTx('shards', (tx) => ensureShards(tx, 3));
  const body = { name: `Market ${made}`, custodyNo: `62270000${1000 + made}`, openDate: '2026-03-02', ...more };
  const answer = await api.call('POST', '/admin/v1/platforms', { token, body }).expect(201);
  const id = fromWire(answer.body.id as string);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = await api.runtime.db.withTx('key', (tx) => addKey(tx, id, pem, api.runtime));
  return { id, keyId: toWire('key', key), privateKey, accounts: answer.body.book.accounts };
}

/** The body of an opening by a person; another number makes another person. */
export function person(n: number, more: Record<string, unknown> = {}) {
  const first17 = `110105199001${String((n % 28) + 1).padStart(2, '0')}${String(n % 1000).padStart(3, '0')}`;
  const name = `Person ${n}`;
  return {
    merchantNo: `M-${n}`,
    party: { kind: 'person', name, idNo: first17 + residentIdCheck(first17) },
    settlementAccount: { name, account: '6228480012345678903', bankCode: '102100099996' },
    ...more,
  };
}

/** Posts a movement straight to the ledger at a time of the test's choosing. */
export async function postMovement(
  { db, newId }: StartedRuntime,
  platformId: Id,
  movement: Movement,
  at: { date: string; instant: number },
): Promise<Id> {
  const businessDate = at.date as BusinessDate;
  return db.withTx('test posting', async (tx) => {
    const [book] = await tx.rows<{ shard_id: number }>('SELECT shard_id FROM books WHERE platform_id = ?', [platformId]);
    await lockShard(tx, (book as { shard_id: number }).shard_id, at.instant as Instant);
    const ids = [...movement.postings, ...(movement.holds ?? [])].map((posting) => posting.account);
    const accounts = await loadAccounts(tx, ids, () => businessDate);
    const before = new Map([...accounts].map(([id, account]) => [id, account.uncleared]));
    const instruction = newId();
    const stamp = { instruction, businessDate, postedMs: at.instant as Instant };
    const entries = post(movement, stamp, (id) => {
      const account = accounts.get(id);
      invariant(account, `account ${id} is there`);
      return account;
    });
    invariant(Array.isArray(entries), 'the test posts what the ledger accepts');
    const written = [...accounts.values()];
    await tx.writeInTurn([
      () => insertingEntries(entries),
      () => savingAccounts(written),
      () => savingUncleared(written, before),
    ]);
    return instruction;
  });
}

/** The bare id behind a wire id. */
export function bare(wire: string): Id {
  return asId(wire.slice(4));
}
