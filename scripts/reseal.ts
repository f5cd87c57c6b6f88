/**
 * `npm run reseal`: seals what a database holds plain from before there was any sealing, and seals anew what an older key or another cipher
 * sealed, the images of documents too. It works while the service runs, may be stopped at any time and started again, and changes nothing that changes meanwhile.
 * What it did is the last line of stdout, in JSON; the exit code is 0 when nothing is left to do and nothing was unreadable.
 */
import { pathToFileURL } from 'node:url';
import { kinds, resealedBody } from '../src/instructions/index.js';
import { type DocumentStore, documentStore } from '../src/parties/documents/document-store.js';
import {
  Config,
  connectDatabase,
  type Database,
  isSealed,
  openVault,
  resealed,
  type Tx,
  type Vault,
} from '../src/runtime/index.js';

/** Columns that hold sealed text under the names they had when it was plain. Columns named `…_sealed` are found by their names. */
const NAMED_BEFORE: Readonly<Record<string, readonly string[]>> = {
  // Where others are copied from comes first, so that a payout made meanwhile copies what is sealed already.
  settlement_accounts: ['holder_name', 'account_no'],
  orders: ['payer_name', 'payer_account'],
  parties: ['name', 'id_no', 'legal_representative', 'mobile'],
  instructions: ['body'],
  payouts: ['payee_name', 'payee_account'],
  statement_lines: ['counterparty', 'text'],
  audit_entries: ['detail'],
  break_repairs: ['note', 'decided_note'],
  breaks: ['note'],
};
/** What must be read with them to know what they should be. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  instructions: ['kind'],
  parties: ['id_type', 'id_index'],
  settlement_accounts: ['account_index', 'holder_index'],
};

const PAGE = 500;
const AT_ONCE = 100; // rows that a transaction changes: an engine that needs one of them waits a moment
const PASSES_MAX = 5;

export interface Resealing {
  /** The key that everything is sealed with now. */
  readonly key: string;
  /** Texts that were plain. */
  readonly sealed: number;
  /** Texts of another key or cipher. */
  readonly resealed: number;
  /** Images of documents, of another key or cipher. */
  readonly documents: number;
  /** Blind indexes that were missing. */
  readonly indexed: number;
  /** Rows that changed while they were worked on; the next pass looks at them again. */
  readonly changedMeanwhile: number;
  /** Texts and images whose key is not there, that were altered, or are gone. They stay as they are. */
  readonly unreadable: number;
  readonly passes: number;
  /** A whole pass found nothing to do. */
  readonly done: boolean;
  /** Rows that were changed, by table. */
  readonly tables: Readonly<Record<string, number>>;
}

type Counts = {
  -readonly [Name in 'sealed' | 'resealed' | 'documents' | 'indexed' | 'changedMeanwhile' | 'unreadable']: number;
} & {
  tables: Record<string, number>;
};

type Cell = string | Buffer | null;
type Row = Record<string, Cell>;
interface Table {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
}

export interface ResealingOptions {
  /** Where the images of documents lie. */
  readonly images?: DocumentStore;
  /** Is told what could not be read, without any of it. */
  readonly say?: (line: string) => void;
}

export async function reseal(
  db: Database,
  vault: Vault,
  { images, say = () => undefined }: ResealingOptions = {},
): Promise<Resealing> {
  const counts: Counts = { sealed: 0, resealed: 0, documents: 0, indexed: 0, changedMeanwhile: 0, unreadable: 0, tables: {} };
  const tables = await db.read('sealed-tables', sealedTables);
  const work = { db, vault, counts, say };
  const unreadableImages = images === undefined ? 0 : await resealImages(work, images);
  for (let passes = 1; ; passes += 1) {
    const before = counts.sealed + counts.resealed + counts.indexed + counts.changedMeanwhile;
    counts.unreadable = unreadableImages;
    for (const table of tables) await resealTable(work, table);
    const quiet = counts.sealed + counts.resealed + counts.indexed + counts.changedMeanwhile === before;
    // A batch that began before its tables were sealed may still have written plain copies, so one pass more has to find nothing.
    if (quiet || passes === PASSES_MAX) return { key: vault.keyId, ...counts, passes, done: quiet };
  }
}

async function sealedTables(tx: Tx): Promise<Table[]> {
  const named = await tx.rows<{ name: string; col: string }>(
    `SELECT table_name AS name, column_name AS col FROM information_schema.columns
     WHERE table_schema = DATABASE() AND column_name LIKE '%\\_sealed' ORDER BY table_name, ordinal_position`,
  );
  const keys = await tx.rows<{ name: string; col: string }>(
    `SELECT table_name AS name, column_name AS col FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index`,
  );
  const columns = new Map(Object.entries(NAMED_BEFORE).map(([name, before]) => [name, [...before]]));
  for (const { name, col } of named) columns.set(name, [...(columns.get(name) ?? []), col]);
  return [...columns].map(([name, of]) => ({
    name,
    columns: of,
    key: keys.filter((row) => row.name === name).map((row) => row.col),
  }));
}

interface Work {
  readonly db: Database;
  readonly vault: Vault;
  readonly counts: Counts;
  readonly say: (line: string) => void;
}

/** Walks a table along its primary key. */
async function resealTable(work: Work, table: Table): Promise<void> {
  const key = table.key.join();
  const selected = [...table.key, ...table.columns, ...(BESIDE[table.name] ?? [])].join();
  for (let after: readonly Cell[] | undefined; ; ) {
    const where = after === undefined ? '' : `WHERE (${key}) > (${table.key.map(() => '?').join()})`;
    const rows: Row[] = await work.db.read('rows-to-reseal', (tx) =>
      tx.rows<Row>(`SELECT ${selected} FROM ${table.name} ${where} ORDER BY ${key} LIMIT ${PAGE}`, after ?? []),
    );
    const changes = rows.flatMap((row) => changesOf(work, table, row) ?? []);
    for (let from = 0; from < changes.length; from += AT_ONCE) await write(work, table, changes.slice(from, from + AT_ONCE));
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = table.key.map((column) => last[column] as Cell);
  }
}

/** An image never changes, so it is simply written again under its number. Answers how many could not be read. */
async function resealImages({ db, vault, counts, say }: Work, images: DocumentStore): Promise<number> {
  let unreadable = 0;
  for (let after = '0'; ; ) {
    const rows = await db.read('documents-to-reseal', (tx) =>
      tx.rows<{ id: string }>(`SELECT id FROM documents WHERE id > ? ORDER BY id LIMIT ${PAGE}`, [after]),
    );
    for (const { id } of rows) {
      const stored = await images.get(id);
      const wanted = stored === undefined ? undefined : readably(() => resealed(vault, stored));
      if (wanted === undefined) {
        unreadable += 1;
        say(`document ${id} cannot be read: its key is missing, or it was altered or is gone`);
      } else if (wanted !== stored) {
        await images.put(id, wanted);
        counts.documents += 1;
      }
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return unreadable;
    after = last.id;
  }
}

function readably(work: () => string): string | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

interface Change {
  readonly row: Row;
  readonly to: Row;
}

/** What a row should be instead; undefined when it is that, or cannot be read. */
function changesOf({ vault, say, counts }: Work, { name, key, columns }: Table, row: Row): Change | undefined {
  const to: Row = {};
  try {
    for (const column of columns) {
      const stored = row[column];
      if (typeof stored !== 'string') continue;
      const wanted = name === 'instructions' ? resealedBody(kinds.get(String(row.kind)), stored, vault) : resealed(vault, stored);
      if (wanted !== stored) to[column] = wanted;
    }
    if (name === 'parties' && row.id_index === null)
      to.id_index = vault.index(`id:${row.id_type}`, vault.read(String(row.id_no)));
    if (name === 'settlement_accounts' && row.account_index === null) {
      to.account_index = vault.index('card', vault.read(String(row.account_no)));
      to.holder_index = vault.index('holder', vault.read(String(row.holder_name)));
    }
  } catch {
    counts.unreadable += 1;
    say(`${name} ${key.map((column) => row[column]).join('/')} cannot be read: its key is missing, or it was altered`);
    return undefined;
  }
  return Object.keys(to).length === 0 ? undefined : { row, to };
}

/**
 * Writes new texts where the old ones stand still: what the service wrote in between is newer. (Equal without regard to blanks at the end, as
 * the server compares, is enough: the service writes only sealed texts.)
 */
async function write({ db, counts }: Work, { name, key }: Table, changes: readonly Change[]): Promise<void> {
  const written = await db.withTx(
    'reseal',
    async (tx) => {
      const done: Change[] = [];
      for (const change of changes) {
        const columns = Object.keys(change.to);
        const same = columns.map((column) => (change.row[column] === null ? `${column} IS NULL` : `${column} = ?`));
        const changed = await tx.write(
          `UPDATE ${name} SET ${columns.map((column) => `${column} = ?`).join()}
           WHERE ${[...key.map((column) => `${column} = ?`), ...same].join(' AND ')}`,
          [
            ...Object.values(change.to),
            ...key.map((column) => change.row[column]),
            ...columns.map((column) => change.row[column]).filter((value) => value !== null),
          ],
        );
        if (changed === 1) done.push(change);
      }
      return done;
    },
    async () => undefined, // done again, it finds what it wrote and counts it as changed meanwhile
  );
  counts.changedMeanwhile += changes.length - written.length;
  if (written.length > 0) counts.tables[name] = (counts.tables[name] ?? 0) + written.length;
  for (const { row, to } of written) {
    for (const column of Object.keys(to)) {
      const before = row[column];
      if (column.endsWith('_index')) counts.indexed += 1;
      else if (typeof before === 'string' && (isSealed(before) || /"s[12]\.[a-z0-9-]{1,16}\./.test(before))) counts.resealed += 1;
      else counts.sealed += 1;
    }
  }
}

const Needed = Config.pick({
  DATABASE_URL: true,
  VAULT_KEYS: true,
  VAULT_INDEX_KEY: true,
  VAULT_CIPHER: true,
  DOCUMENTS_DIR: true,
  DOCUMENTS_S3_URL: true,
  DOCUMENTS_S3_REGION: true,
  DOCUMENTS_S3_KEY_ID: true,
  DOCUMENTS_S3_SECRET: true,
});

async function main(): Promise<void> {
  const config = Needed.safeParse(process.env);
  if (!config.success)
    throw new Error(config.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const db = await connectDatabase({ url: config.data.DATABASE_URL, poolSize: 2 });
  try {
    const images = documentStore(config.data, Date.now);
    const result = await reseal(db, openVault(config.data), { images, say: (line) => process.stderr.write(`${line}\n`) });
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.done && result.unreadable === 0 ? 0 : 1;
  } finally {
    await db.close();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
