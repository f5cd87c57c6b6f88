import { type ElectronicAccount, electronicRecords, insertElectronicAccounts } from '../../../src/accounts/index.js';
import type { Receipt } from '../../../src/instructions/index.js';
import { releaseToInbox } from '../../../src/instructions/index.js';
import { type BusinessDate, type Id, naturalDate } from '../../../src/kernel/index.js';
import { lockShard, openAccounts } from '../../../src/ledger/index.js';
import { addParameter, sql } from '../../../src/runtime/index.js';
import type { Answer } from '../given.js';
import { boundPayer, cardOf } from '../model/outside.js';
import type { NewMandate } from '../scenario.js';
import type { World } from './world.js';

/** Customers, electronic accounts, mandates and answers as they stand when everything before them went well. */
export async function openCustomer({ db, rt, clock }: World, idExpires: string | undefined): Promise<Id> {
  const id = rt.newId();
  const idNo = `11010119900101${id.slice(-4)}`;
  await db.withTx('customer', (tx) =>
    tx.write(
      `INSERT INTO customers (id, kind, id_type, id_no_sealed, id_index, name_sealed, id_expires, documented, use_no, verified_ms, created_ms)
       VALUES (?, 'person', 'resident-id', ?, ?, ?, ?, 0, 0, ?, ?)`,
      [
        id,
        rt.vault.seal(idNo),
        rt.vault.index('id:resident-id', id),
        rt.vault.seal('张三'),
        idExpires ?? null,
        clock.now(),
        clock.now(),
      ],
    ),
  );
  return id;
}

export async function openElectronic(
  { db, rt, clock }: World,
  of: { platform: Id; customer: Id; class: 2 | 3; faceToFace: boolean },
): Promise<Id> {
  const accountId = rt.newId();
  const now = clock.now();
  const today = naturalDate(now);
  const account: ElectronicAccount = {
    accountId,
    platformId: of.platform,
    customerId: of.customer,
    userId: rt.newId(),
    class: of.class,
    virtualNo: `9156${accountId.slice(-15)}`,
    state: 'active',
    faceToFace: of.faceToFace,
    funded: false,
    aliveMs: now,
    cardIndex: rt.vault.index('card', cardOf(accountId)),
    cardClass: '1',
    interestFrom: today,
    openedMs: now,
    closedMs: null,
    owner: { stopped: null, idExpires: null, idTaskDueMs: null, documented: false },
  };
  await db.withTx('electronic account', async (tx) => {
    await openAccounts(tx, [{ id: accountId, platformId: of.platform, type: `class-${of.class}` }]);
    await insertElectronicAccounts(tx, [account], today);
    await tx.write('INSERT INTO settlement_accounts (account_id, holder_name, account_no, bank_code) VALUES (?, ?, ?, ?)', [
      accountId,
      boundPayer(accountId).name,
      boundPayer(accountId).account,
      boundPayer(accountId).bankCode,
    ]);
  });
  return accountId;
}

/** Under the shard's lock, as staff and jobs do it. */
async function underLock({ db, clock, shardId }: World, statement: string, values: unknown[]): Promise<void> {
  await db.withTx('change under lock', async (tx) => {
    await lockShard(tx, shardId, clock.now());
    await tx.write(statement, values);
  });
}

export async function changeCustomer(world: World, id: Id, to: { stopped?: boolean; documented?: boolean }): Promise<void> {
  if (to.stopped !== undefined)
    await underLock(world, 'UPDATE customers SET stopped = ? WHERE id = ?', [to.stopped ? 'court' : null, id]);
  if (to.documented) await underLock(world, 'UPDATE customers SET documented = 1, id_task_due_ms = NULL WHERE id = ?', [id]);
}

export async function changeElectronic(
  world: World,
  id: Id,
  to: { state?: 'active' | 'blocked'; alive?: boolean; faceToFace?: boolean },
): Promise<void> {
  const change = (column: string, value: unknown) =>
    underLock(world, `UPDATE electronic_accounts SET ${column} = ? WHERE account_id = ?`, [value, id]);
  if (to.state !== undefined) await change('state', to.state);
  if (to.alive) await change('alive_ms', world.clock.now());
  if (to.faceToFace) await change('face_to_face', 1);
}

export async function changeParameter({ db }: World, name: string, from: string, value: bigint): Promise<void> {
  await db.withTx('parameter', (tx) => addParameter(tx, { name, validFrom: from as BusinessDate, value, source: 'test' }));
}

export async function openMandate({ db, rt, clock }: World, of: NewMandate): Promise<Id> {
  const id = rt.newId();
  await db.withTx('mandate', async (tx) => {
    const owner = (await electronicRecords.load(tx, [of.account])).get(of.account)?.customerId ?? '0';
    await tx.write(
      `INSERT INTO mandates (id, platform_id, customer_id, user_id, account_id, mandate_no, content_hash, kinds, pays_orders, pays_projects, pays_funds, payees, payment_cap, total_cap,
         period, period_cap, expires_ms, state, granted_ms, created_ms)
       VALUES (?, ?, ?, ?, ?, ?, ${sql.hex(Buffer.alloc(32))}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?)`,
      [
        id,
        of.platform,
        owner,
        owner,
        of.account,
        `M${id}`,
        of.kinds.join(),
        of.orders ? 1 : 0,
        of.projects ? 1 : 0,
        of.funds ? 1 : 0,
        of.payees.join(),
        String(of.paymentCap),
        String(of.totalCap),
        of.period ?? null,
        of.periodCap === undefined ? null : String(of.periodCap),
        of.expires,
        clock.now(),
        clock.now(),
      ],
    );
  });
  return id;
}

export function revokeMandate(world: World, id: Id): Promise<void> {
  return underLock(world, "UPDATE mandates SET state = 'revoked', revoked_ms = ? WHERE id = ?", [world.clock.now(), id]);
}

const ENDINGS: Readonly<Partial<Record<Answer, string>>> = { yes: 'given', no: 'declined', late: 'expired', locked: 'locked' };

/** What the bank's page does when a customer has answered: the consent ends, and the instruction can be judged. */
export async function answerAll(
  { db, rt }: World,
  answered: readonly { readonly receipt: Receipt; readonly answer: Answer | undefined }[],
): Promise<void> {
  for (const { receipt, answer } of answered) {
    if ('refused' in receipt || receipt.asked === undefined || answer === undefined) continue;
    const { id, asked } = receipt;
    await db.withTx('answer', async (tx) => {
      const state = ENDINGS[answer] ?? 'given';
      await tx.write('UPDATE consents SET state = ? WHERE id = ?', [state, asked.consent]);
      if (answer === 'stranger') await tx.write('UPDATE consents SET customer_id = 1 WHERE id = ?', [asked.consent]);
      await releaseToInbox(tx, rt, id);
    });
  }
}
