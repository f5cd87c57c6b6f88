import { parseArgs } from 'node:util';
import { fromWire, type Id, toWire, wirePattern } from '../src/kernel/index.js';
import { loadBooks } from '../src/ledger/index.js';
import { Config, connectDatabase, type Database, openReceiptKeys, openVault } from '../src/runtime/index.js';

/** Something that whoever typed the command can put right: told without a stack. */
export class Wrong extends Error {}

const Needed = Config.pick({
  DATABASE_URL: true,
  VAULT_KEYS: true,
  VAULT_INDEX_KEY: true,
  VAULT_CIPHER: true,
  RECEIPT_KEYS: true,
});

/** What commands need that only read books. @throws Wrong naming what is not set */
export async function withBooks<T>(
  work: (books: {
    readonly db: Database;
    readonly vault: ReturnType<typeof openVault>;
    readonly receiptKeys: ReturnType<typeof openReceiptKeys>;
  }) => Promise<T>,
): Promise<T> {
  const config = Needed.safeParse(process.env);
  if (!config.success)
    throw new Wrong(config.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const db = await connectDatabase({ url: config.data.DATABASE_URL, poolSize: 2 });
  try {
    return await work({ db, vault: openVault(config.data), receiptKeys: openReceiptKeys(config.data) });
  } finally {
    await db.close();
  }
}

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** Options and nothing else. @throws Wrong with the usage */
export function readOptions<T extends Options>(options: T, usage: string) {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new Wrong(`${(error as Error).message}\n${usage}`);
  }
}

/** @throws Wrong when the text is no platform's id */
export function readPlatform(wire: string, usage: string): Id {
  if (!wirePattern('platform').test(wire))
    throw new Wrong(`${wire} is no platform: they look like plt_2236512894231552003\n${usage}`);
  return fromWire(wire);
}

/** @throws Wrong when the database has no book of this platform */
export async function requireBook(db: Database, platformId: Id): Promise<void> {
  const books = await db.read('books.of-platform', (tx) => loadBooks(tx, [platformId]));
  if (!books.has(platformId)) throw new Wrong(`there is no platform ${toWire('platform', platformId)} in this database`);
}

/** Runs a command to its exit code. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Wrong ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
