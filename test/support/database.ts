import { Redis } from 'ioredis';
import { dropDatabase, migrate } from '../../scripts/migrate.js';
import { connectDatabase, type Database, keysOfSecret, receiptKeysOfSecret } from '../../src/runtime/index.js';
import { testServers } from './services.js';

export interface FreshDatabase {
  readonly url: string;
  readonly db: Database;
  readonly redisUrl: string;
  /** Every key that the test makes in Redis must begin with it. */
  readonly redisPrefix: string;
  /** Closes the connections and removes the schema and the keys. */
  drop(): Promise<void>;
}

/** The keys of personal data and of receipts in tests: in all that one test starts, be it in its own process or beside it. */
export const TEST_KEYS = { ...keysOfSecret('test'), ...receiptKeysOfSecret('test') };

let made = 0;

/** A migrated schema and a Redis prefix that nobody else uses. Call `drop` in `afterAll`. */
export async function freshDatabase({ poolSize = 5 } = {}): Promise<FreshDatabase> {
  const { databaseUrl, redisUrl } = testServers();
  made += 1;
  const name = `${process.pid}_${process.hrtime.bigint()}_${made}`; // a worker's next test file counts from one again
  const schema = new URL(databaseUrl);
  schema.pathname = `/test_${name}`;
  const url = schema.href;
  await migrate(url);
  const db = await connectDatabase({ url, poolSize });
  const redisPrefix = `test-${name.replaceAll('_', '-')}`;
  return {
    url,
    db,
    redisUrl,
    redisPrefix,
    drop: async () => {
      await db.close();
      await dropDatabase(url);
      await deleteKeys(redisUrl, redisPrefix);
    },
  };
}

async function deleteKeys(redisUrl: string, prefix: string): Promise<void> {
  const redis = new Redis(redisUrl);
  for await (const keys of redis.scanStream({ match: `*${prefix}*`, count: 1000 })) {
    if ((keys as string[]).length > 0) await redis.unlink(...(keys as string[]));
  }
  await redis.quit();
}
