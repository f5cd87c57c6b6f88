import { pathToFileURL } from 'node:url';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { DataSource } from 'typeorm';

/** Seconds to wait for another process that migrates the same database. */
const LOCK_SECONDS = 120;

/**
 * Brings the database of `url` to the newest migration, making the database when it is missing. Two processes that start
 * together take turns; the second finds nothing left to do.
 * @returns names of the migrations that ran
 */
export async function migrate(url: string): Promise<string[]> {
  const schema = schemaOf(url);
  const guard = await createConnection(withoutSchema(url));
  try {
    await guard.query(`CREATE DATABASE IF NOT EXISTS \`${schema}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
    const [[lock]] = await guard.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS taken', [
      `migrate ${schema}`.slice(0, 64),
      LOCK_SECONDS,
    ]);
    if (Number(lock?.taken) !== 1) throw new Error(`another process has been migrating ${schema} for ${LOCK_SECONDS} s`);
    process.env.DATABASE_URL ??= url; // the configuration below refuses to load without one
    const { default: configured } = await import('../ormconfig.js');
    const source = await new DataSource({ ...configured.options, url } as DataSource['options']).initialize();
    try {
      const ran = await source.runMigrations();
      return ran.map((migration) => migration.name);
    } finally {
      await source.destroy();
    }
  } finally {
    await guard.end(); // which gives the lock back
  }
}

/** Removes a database and all that is in it. */
export async function dropDatabase(url: string): Promise<void> {
  const connection = await createConnection(withoutSchema(url));
  try {
    await connection.query(`DROP DATABASE IF EXISTS \`${schemaOf(url)}\``);
  } finally {
    await connection.end();
  }
}

function schemaOf(url: string): string {
  const schema = decodeURIComponent(new URL(url).pathname.slice(1));
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(schema)) throw new Error(`"${schema}" is no name for a database: letters, digits, _ and -`);
  return schema;
}

function withoutSchema(url: string): string {
  const server = new URL(url);
  server.pathname = '/';
  return server.href;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const url = process.env.DATABASE_URL;
  if (url === undefined) throw new Error('DATABASE_URL is not set');
  const ran = await migrate(url);
  process.stderr.write(ran.length === 0 ? 'the database is up to date\n' : `migrated: ${ran.join(', ')}\n`);
}
