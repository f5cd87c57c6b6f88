import { createConnection } from 'mysql2/promise';
import { startServices } from '../../scripts/services/index.mjs';

/** Before all tests: the servers of the instance `test`, unless DATABASE_URL and REDIS_URL name others. */
export default async function startServers() {
  const servers = await startServices('test');
  globalThis.testServers = servers;
  process.env.DATABASE_URL = servers.databaseUrl;
  process.env.REDIS_URL = servers.redisUrl;
  if (servers.alone) await dropLeftovers(servers.databaseUrl);
}

/** Schemas of test files that were killed before they could clear up. */
async function dropLeftovers(url) {
  const connection = await createConnection(url);
  const [rows] = await connection.query(
    "SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE 'test\\_%'",
  );
  for (const { name } of rows) await connection.query(`DROP DATABASE \`${name}\``);
  await connection.end();
}
