import { afterAll, describe, expect, it } from '@jest/globals';
import { createConnection } from 'mysql2/promise';
import { dropDatabase, migrate } from '../../scripts/migrate.js';
import { migrations } from '../../src/migrations/index.js';
import { testServers } from '../support/services.js';

const url = new URL(testServers().databaseUrl);
url.pathname = `/test_migrations_${process.pid}`;
const NAMES = migrations.map((migration) => migration.name);

afterAll(() => dropDatabase(url.href));

async function rows(statement: string): Promise<unknown[]> {
  const connection = await createConnection(url.href);
  try {
    return (await connection.query(statement))[0] as unknown[];
  } finally {
    await connection.end();
  }
}

/** Every column, key and check of the schema. */
function schema(): Promise<unknown[]> {
  return rows(
    `SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable) AS line FROM information_schema.columns
       WHERE table_schema = DATABASE() UNION ALL
     SELECT CONCAT_WS(' ', table_name, index_name, seq_in_index, column_name, non_unique) FROM information_schema.statistics
       WHERE table_schema = DATABASE() UNION ALL
     SELECT CONCAT_WS(' ', constraint_name, check_clause) FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()
     ORDER BY line`,
  );
}

describe('the migrations', () => {
  it('lead from nothing to the newest, in their order', async () => {
    await dropDatabase(url.href);
    expect(await migrate(url.href)).toEqual(NAMES);
    expect(NAMES).toEqual([...NAMES].sort((a, b) => (a.slice(-13) < b.slice(-13) ? -1 : 1)));
  });

  it('find nothing to do the second time', async () => {
    expect(await migrate(url.href)).toEqual([]);
  });

  it('run again from the start, as after a crash before one was noted, without changing schema or rows', async () => {
    const before = await schema();
    const days = await rows('SELECT * FROM calendar_days ORDER BY date');
    await rows("INSERT INTO counters (name, value) VALUES ('process', 7)");
    await rows('DELETE FROM migrations');
    expect(await migrate(url.href)).toEqual(NAMES);
    expect(await schema()).toEqual(before);
    expect(await rows('SELECT * FROM calendar_days ORDER BY date')).toEqual(days);
    expect(await rows("SELECT value FROM counters WHERE name = 'process'")).toEqual([{ value: 7 }]);
  });

  it('of two processes that start together one waits for the other', async () => {
    await dropDatabase(url.href);
    const [one, other] = await Promise.all([migrate(url.href), migrate(url.href)]);
    expect([one, other].map((ran) => ran.length).sort()).toEqual([0, NAMES.length]);
  });
});
