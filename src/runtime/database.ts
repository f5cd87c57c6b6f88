import { AsyncLocalStorage } from 'node:async_hooks';
import { format } from 'mysql2';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { invariant } from '../kernel/index.js';

/**
 * The database: one door to a transaction, and no way to run a statement by accident outside it.
 *
 * Every store function takes a `Tx` first; only `withTx`, `read` and `snapshot` make one. They do not nest. A deadlock or a
 * certification conflict runs the whole function again from BEGIN. A connection lost at COMMIT leaves the outcome unknown:
 * `committed` looks up a key that the function wrote, and only if it is not there the function runs again.
 */
export interface Tx {
  readonly __tx: true;
  /** Rows of a SELECT; BIGINT columns come as decimal strings. */
  rows<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Runs a writing statement; answers the number of affected rows. */
  write(sql: string, parameters?: readonly unknown[]): Promise<number>;
  /**
   * Runs writing statements one after the other, and builds each while the server is at work on the one before.
   * Never more than one is under way: after a deadlock the server would run what follows outside the transaction.
   */
  writeInTurn(statements: Iterable<() => string | undefined>): Promise<void>;
  readonly manager: EntityManager;
}

export interface Database {
  withTx<T>(label: string, work: (tx: Tx) => Promise<T>, committed?: () => Promise<T | undefined>): Promise<T>;
  /** For reading: each statement sees what is committed when it starts. */
  read<T>(label: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** For reading: all statements see one and the same moment. */
  snapshot<T>(label: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const ATTEMPTS_MAX = 5;
const open = new AsyncLocalStorage<string>();

/** Fails where a network call is about to be made while a transaction is open: a row lock never waits for another machine. */
export function assertNoTx(what: string): void {
  invariant(open.getStore() === undefined, `${what} inside the database transaction ${open.getStore()}`);
}

/** A row that a repeated or concurrent writer put there first. */
export function isDuplicateKey(error: unknown): boolean {
  return codeOf(error) === 'ER_DUP_ENTRY';
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: unknown };
  return typeof code === 'string' ? code : codeOf(driverError);
}

// Rolled back for certain; the function may run again from BEGIN.
const ROLLED_BACK = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);
// The server or the way to it is gone: before COMMIT rolled back, at COMMIT unknown.
const CONNECTION_LOST = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'ER_ERROR_DURING_COMMIT',
  'ER_UNKNOWN_COM_ERROR',
  'ER_SERVER_SHUTDOWN',
  'ER_CONNECTION_KILLED',
]);

/** What the pool hands out: the driver's own connection, whose `query` sends at once. */
interface DriverConnection {
  query(sql: string, parameters: readonly unknown[], done: (error: unknown, result: unknown) => void): void;
}

function makeTx(manager: EntityManager, run: (sql: string, parameters?: readonly unknown[]) => Promise<unknown>): Tx {
  const write = async (sql: string, parameters?: readonly unknown[]) =>
    ((await run(sql, parameters)) as { affectedRows: number }).affectedRows;
  return {
    __tx: true,
    manager,
    rows: <Row>(sql: string, parameters?: readonly unknown[]) => run(sql, parameters) as Promise<Row[]>,
    write,
    writeInTurn: async (statements) => {
      let running: Promise<unknown> = Promise.resolve();
      try {
        for (const build of statements) {
          const text = build();
          await running;
          if (text !== undefined) running = write(text);
        }
      } catch (error) {
        await running.catch(() => undefined); // the first error is the one to tell; the rollback waits for the statement
        throw error;
      }
      await running;
    },
  };
}

/** The transaction of one connection. */
async function txOf(runner: QueryRunner): Promise<Tx> {
  const connection = (await runner.connect()) as DriverConnection;
  return makeTx(
    runner.manager,
    (sql, parameters = []) =>
      new Promise((resolve, reject) => {
        connection.query(sql, parameters, (error, result) => (error ? reject(error) : resolve(result)));
      }),
  );
}

type Attempt<T> = { done: true; value: T } | { done: false; error: unknown; atCommit: boolean };

async function attempt<T>(source: DataSource, begin: string, label: string, work: (tx: Tx) => Promise<T>): Promise<Attempt<T>> {
  const runner = source.createQueryRunner();
  let atCommit = false;
  try {
    const tx = await txOf(runner);
    await runner.query(begin);
    const value = await open.run(label, () => work(tx));
    atCommit = true;
    await runner.query('COMMIT');
    return { done: true, value };
  } catch (error) {
    await runner.query('ROLLBACK').catch(() => undefined); // a lost connection is rolled back by the server
    return { done: false, error, atCommit };
  } finally {
    await runner.release();
  }
}

async function withTx<T>(
  source: DataSource,
  label: string,
  work: (tx: Tx) => Promise<T>,
  committed?: () => Promise<T | undefined>,
): Promise<T> {
  assertNoTx(`withTx(${label})`);
  for (let number = 1; ; number += 1) {
    const result = await attempt(source, 'START TRANSACTION', label, work);
    if (result.done) return result.value;
    const code = codeOf(result.error) ?? '';
    const lost = CONNECTION_LOST.has(code);
    if (number >= ATTEMPTS_MAX || !(lost || ROLLED_BACK.has(code))) throw result.error;
    if (lost && result.atCommit) {
      if (committed === undefined) throw result.error;
      const value = await committed();
      if (value !== undefined) return value;
    }
    await new Promise((resume) => setTimeout(resume, 5 * 2 ** number));
  }
}

async function snapshot<T>(source: DataSource, label: string, work: (tx: Tx) => Promise<T>): Promise<T> {
  const runner = source.createQueryRunner();
  try {
    const tx = await txOf(runner);
    await runner.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await runner.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
    return await open.run(label, () => work(tx));
  } finally {
    await runner.query('ROLLBACK').catch(() => undefined); // it wrote nothing
    await runner.release();
  }
}

export interface DatabaseOptions {
  url: string;
  poolSize: number;
}

export function dataSourceOptions(url: string, poolSize: number) {
  return {
    type: 'mysql' as const,
    url,
    poolSize,
    timezone: 'Z',
    charset: 'utf8mb4',
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    connectTimeout: 10_000,
    extra: {
      // The driver looks for placeholders even where there are no values; over a multi-row insert that costs more than the rest.
      queryFormat: (sql: string, values: unknown[]) => (values.length === 0 ? sql : format(sql, values as never, false, 'Z')),
      queueLimit: 10_000,
      maxIdle: Math.max(1, poolSize - 1),
      idleTimeout: 60_000,
      enableKeepAlive: true,
    },
  };
}

/** Connects, and refuses a server whose settings would break a promise of the books. */
export async function connectDatabase({ url, poolSize }: DatabaseOptions): Promise<Database> {
  const source = await new DataSource(dataSourceOptions(url, poolSize)).initialize();
  try {
    await assertServerSettings(source);
  } catch (error) {
    await source.destroy();
    throw error;
  }
  return {
    withTx: (label, work, committed) => withTx(source, label, work, committed),
    read: (label, work) => {
      assertNoTx(`read(${label})`);
      return open.run(label, () =>
        work(makeTx(source.manager, (sql, parameters) => source.query(sql, parameters as unknown[] | undefined))),
      );
    },
    snapshot: (label, work) => {
      assertNoTx(`snapshot(${label})`);
      return snapshot(source, label, work);
    },
    ping: async () => void (await source.query('SELECT 1')),
    close: () => source.destroy(),
  };
}

const PACKET_MIN = 64 * 1024 * 1024; // a batch of the largest instructions in one statement

async function assertServerSettings(source: DataSource): Promise<void> {
  const names = ['sql_mode', 'tx_isolation', 'transaction_isolation', 'collation_database', 'max_allowed_packet'];
  const rows = (await source.query(`SHOW VARIABLES WHERE Variable_name IN ('${names.join("','")}')`)) as {
    Variable_name: string;
    Value: string;
  }[];
  const setting = new Map(rows.map((row) => [row.Variable_name, row.Value]));
  const mode = setting.get('sql_mode') ?? '';
  invariant(mode.includes('STRICT_TRANS_TABLES'), 'the server runs in strict mode (sql_mode STRICT_TRANS_TABLES)');
  // The literals that we make escape with backslashes; without them text from outside could end its literal.
  invariant(!mode.includes('NO_BACKSLASH_ESCAPES'), 'sql_mode is without NO_BACKSLASH_ESCAPES');
  const isolation = setting.get('transaction_isolation') ?? setting.get('tx_isolation');
  invariant(isolation === 'READ-COMMITTED', `the server's transaction isolation is READ-COMMITTED, not ${isolation}`);
  const collation = setting.get('collation_database');
  invariant(
    collation === 'utf8mb4_bin',
    `the database's collation is utf8mb4_bin, not ${collation}: R-1 and r-1 are two numbers`,
  );
  const packet = Number(setting.get('max_allowed_packet'));
  invariant(packet >= PACKET_MIN, `max_allowed_packet is at least ${PACKET_MIN}, not ${packet}`);
}
