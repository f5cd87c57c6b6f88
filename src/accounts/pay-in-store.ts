import { asId, type Id, type Instant, virtualAccountNo } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import type { PayInRule } from './pay-in-rules.js';
import { takeVirtualNumbers } from './store.js';

/** From whom an account takes transfers, as its platform set it. */
export interface PayIn {
  readonly accountId: Id;
  readonly rule: PayInRule;
}

/** By account id; read here, changed by a route under the shard's lock. */
export const payInRecords: RecordType<PayIn> = {
  name: 'pay-in',
  accountsOf: () => [],
  async load(tx, keys) {
    const rows = await tx.rows<{ account_id: string; rule: PayInRule }>(
      `SELECT account_id, rule FROM pay_in_rules WHERE account_id IN (${keys.join()})`,
    );
    return new Map(rows.map((row) => [row.account_id, { accountId: asId(row.account_id), rule: row.rule }]));
  },
  saving: () => {
    throw new Error('no instruction changes from whom an account takes transfers');
  },
};

/** Call it under the shard's lock. */
export async function savePayIn(tx: Tx, { accountId, rule }: PayIn, nowMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO pay_in_rules (account_id, rule, changed_ms) VALUES (?, ?, ?)
     ON DUPLICATE KEY UPDATE rule = VALUES(rule), changed_ms = VALUES(changed_ms)`,
    [accountId, rule, nowMs],
  );
}

/** Gives an account of the platform's own a virtual account number. */
export async function numberOwnAccount(tx: Tx, platformId: Id, accountId: Id): Promise<void> {
  const virtualNo = virtualAccountNo(await takeVirtualNumbers(tx, 1));
  await tx.write('INSERT INTO own_numbers (virtual_no, platform_id, account_id) VALUES (?, ?, ?)', [
    virtualNo,
    platformId,
    accountId,
  ]);
}

/** The virtual account numbers of accounts of the platform's own, by account. */
export async function ownNumbers(tx: Tx, accountIds: readonly Id[]): Promise<Map<Id, string>> {
  if (accountIds.length === 0) return new Map();
  const rows = await tx.rows<{ account_id: string; virtual_no: string }>(
    `SELECT account_id, virtual_no FROM own_numbers WHERE account_id IN (${accountIds.join()})`,
  );
  return new Map(rows.map((row) => [asId(row.account_id), row.virtual_no]));
}

/** Who has a virtual account number, and where it stands. */
export interface VirtualAccount {
  readonly accountId: Id;
  readonly platformId: Id;
}

/** The accounts under these virtual numbers, closed ones too; a number that nobody has is left out. */
export async function accountsByVirtualNo(tx: Tx, numbers: readonly string[]): Promise<Map<string, VirtualAccount>> {
  if (numbers.length === 0) return new Map();
  const list = numbers.map(sql.text).join();
  const rows = await tx.rows<{ virtual_no: string; account_id: string; platform_id: string }>(
    ['electronic_accounts', 'sub_merchants', 'own_numbers']
      .map((table) => `SELECT virtual_no, account_id, platform_id FROM ${table} WHERE virtual_no IN (${list})`)
      .join(' UNION ALL '),
  );
  return new Map(rows.map((row) => [row.virtual_no, { accountId: asId(row.account_id), platformId: asId(row.platform_id) }]));
}
