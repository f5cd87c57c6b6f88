import { createPool, type Pool, type PoolConnection, type RowDataPacket } from 'mysql2/promise';

/**
 * The bare loop that every figure is measured against: what a careful programmer would write without hash chain, outcome,
 * outbox, idempotent intake or any rule. For each 2,000 transfers: begin, select the touched accounts for update, one insert
 * of transfers with one unique key, one insert of two entries each, one upsert of balances, commit.
 */
export const BARE_BATCH = 2000;

export class BareLoop {
  private transfers = 0;

  private readonly pool: Pool;
  private readonly accounts: number;
  private readonly chance: () => number;

  private constructor(pool: Pool, accounts: number, chance: () => number) {
    this.pool = pool;
    this.accounts = accounts;
    this.chance = chance;
  }

  static async open(url: string, accounts: number, chance: () => number): Promise<BareLoop> {
    const pool = createPool({ uri: url, connectionLimit: 1, supportBigNumbers: true, bigNumberStrings: true });
    for (const table of ['bare_accounts', 'bare_transfers', 'bare_entries']) await pool.query(`DROP TABLE IF EXISTS ${table}`);
    await pool.query('CREATE TABLE bare_accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL, version BIGINT NOT NULL)');
    await pool.query(
      `CREATE TABLE bare_transfers (id BIGINT PRIMARY KEY, request_no VARCHAR(64) NOT NULL, payer BIGINT NOT NULL, payee BIGINT NOT NULL,
         amount BIGINT NOT NULL, UNIQUE KEY bare_request (request_no))`,
    );
    await pool.query(
      `CREATE TABLE bare_entries (account_id BIGINT NOT NULL, seq BIGINT NOT NULL, transfer_id BIGINT NOT NULL, amount BIGINT NOT NULL,
         PRIMARY KEY (transfer_id, account_id), UNIQUE KEY bare_chain (account_id, seq))`,
    );
    for (let from = 1; from <= accounts; from += 10_000) {
      const rows = Array.from({ length: Math.min(10_000, accounts - from + 1) }, (_, i) => `(${from + i},1000000000,0)`);
      await pool.query(`INSERT INTO bare_accounts VALUES ${rows.join()}`);
    }
    return new BareLoop(pool, accounts, chance);
  }

  /** Runs `batches` batches; answers transfers a second. */
  async run(batches: number): Promise<number> {
    const connection = await this.pool.getConnection();
    const started = performance.now();
    for (let batch = 0; batch < batches; batch += 1) await this.batch(connection);
    const seconds = (performance.now() - started) / 1000;
    connection.release();
    return (batches * BARE_BATCH) / seconds;
  }

  private async batch(connection: PoolConnection): Promise<void> {
    const pairs = Array.from({ length: BARE_BATCH }, () => {
      const payer = 1 + Math.floor(this.chance() * this.accounts);
      const payee = 1 + ((payer + Math.floor(this.chance() * (this.accounts - 1))) % this.accounts);
      this.transfers += 1;
      return { id: this.transfers, payer, payee };
    });
    const ids = [...new Set(pairs.flatMap(({ payer, payee }) => [payer, payee]))].sort((a, b) => a - b);
    await connection.query('START TRANSACTION');
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT id, balance, version FROM bare_accounts WHERE id IN (${ids.join()}) FOR UPDATE`,
    );
    const accounts = new Map(
      rows.map((row) => [Number(row.id), { balance: BigInt(row.balance as string), version: Number(row.version) }]),
    );
    const entries: string[] = [];
    for (const { id, payer, payee } of pairs) {
      for (const [account, amount] of [
        [payer, -1n],
        [payee, 1n],
      ] as const) {
        const state = accounts.get(account) as { balance: bigint; version: number };
        state.balance += amount;
        state.version += 1;
        entries.push(`(${account},${state.version},${id},${amount})`);
      }
    }
    const transfers = pairs.map(({ id, payer, payee }) => `(${id},'bare-${id}',${payer},${payee},1)`);
    await connection.query(`INSERT INTO bare_transfers VALUES ${transfers.join()}`);
    await connection.query(`INSERT INTO bare_entries VALUES ${entries.join()}`);
    const balances = [...accounts].map(([id, { balance, version }]) => `(${id},${balance},${version})`);
    await connection.query(
      `INSERT INTO bare_accounts VALUES ${balances.join()} ON DUPLICATE KEY UPDATE balance = VALUES(balance), version = VALUES(version)`,
    );
    await connection.query('COMMIT');
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
