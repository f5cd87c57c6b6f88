import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statementRow } from '../../src/channels/wire.js';
import { addDays, asId, type Id } from '../../src/kernel/index.js';
import { ensureShards, type FunctionalAccount, insertBook, openAccounts } from '../../src/ledger/index.js';
import { type Break, listBreaks } from '../../src/reconciliation/index.js';
import { type Runtime, sql } from '../../src/runtime/index.js';
import { FIRST_DATE, withRuntime } from './book.js';

const SIZES = [100_000, 1_000_000] as const;
const EACH = 100; // of each sort of break
const ROWS = 20_000;
/** Both sizes have to do with this much: without a bound the peak says how much garbage was left lying, not what was needed. */
const HEAP = '--max-old-space-size=256';

/** Sorts of breaks that are seeded, and how each must be classed. */
const SORTS = ['amount-differs', 'only-ours', 'only-theirs', 'state-differs', 'timing'] as const;
type Sort = (typeof SORTS)[number];

/**
 * A day of so many movements against a statement of as many lines, in another order, with 500 breaks in them: 100 of each class, and 100 that the
 * cut-off explains. Each size runs in a process of its own, with the statement over HTTP. `ratio` is against merely parsing the statement and
 * scanning the table, in turns with it in the same process.
 */
export function benchReconcile(): Promise<Record<string, number>> {
  return withRuntime(async (rt) => {
    const folder = await mkdtemp(join(tmpdir(), 'cunguan-bench-'));
    try {
      const runs: { lines: number; run: Measured; found: number; invented: number }[] = [];
      for (const lines of SIZES) {
        const started = performance.now();
        const day = await seed(rt, lines, join(folder, `${lines}.ndjson`));
        process.stderr.write(`${lines} lines seeded in ${Math.round(performance.now() - started)} ms\n`);
        const run = await measure(day);
        runs.push({ lines, run, ...(await judged(rt, day)) });
        process.stderr.write(`${JSON.stringify(runs.at(-1))}\n`);
      }
      const [small, large] = runs as [(typeof runs)[0], (typeof runs)[0]];
      return {
        lines: large.lines,
        linesPerSecond: Math.round(large.lines / large.run.seconds),
        plainLinesPerSecond: Math.round(large.lines / large.run.plainSeconds),
        ratio: Number((large.run.plainSeconds / large.run.seconds).toFixed(3)),
        breaksFound: large.found,
        breaksInvented: large.invented,
        peakMemoryMb: large.run.peakMemoryMb,
        peakMemoryMbOfATenth: small.run.peakMemoryMb,
      };
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

interface SeededDay {
  readonly platformId: Id;
  readonly custodyNo: string;
  readonly file: string;
  readonly breaks: ReadonlyMap<string, Sort>;
}

/** References in no order, so that neither side comes sorted. */
function referenceOf(at: number): string {
  return `CR${((at * 2_654_435_761) % 4_294_967_296).toString(36).padStart(7, '0')}-${at}`;
}

const amountOf = (at: number) => BigInt(100 + ((at * 7_919) % 1_000_000));

async function seed(rt: Runtime, lines: number, file: string): Promise<SeededDay> {
  const platformId = rt.newId();
  const custodyNo = `bench-${platformId}`;
  const functional = ['custody', 'in-transit', 'own-funds', 'commission', 'marketing', 'fees', 'suspense'] as const;
  const accounts = Object.fromEntries(functional.map((type) => [type, rt.newId()])) as Record<FunctionalAccount, Id>;
  const payouts = Array.from({ length: EACH }, () => rt.newId());
  const breaks = new Map<string, Sort>();
  const sortAt = sortsAt(lines);
  const nextReference = (at: number) => (sortAt.get(at) === 'state-differs' ? (payouts.pop() as Id) : referenceOf(at));
  await rt.db.withTx('bench-platform', async (tx) => {
    await ensureShards(tx, 1);
    const terms = { transferMax: 0n, feeMax: 0n };
    const businessDate = addDays(FIRST_DATE, 1);
    await insertBook(tx, { platformId, shardId: 0, currency: 'CNY', custodyNo, businessDate, accounts, terms });
    const rows = functional.map((type) => ({ id: accounts[type], platformId, type }));
    await openAccounts(tx, rows);
    await insertFailedPayouts(tx, platformId, accounts['own-funds'], payouts);
  });
  const first = BigInt(rt.newId());
  const theirs: { reference: string; amount: bigint }[] = [];
  for (let from = 0; from < lines; from += ROWS) {
    const today: string[] = [];
    const tomorrow: string[] = [];
    for (let at = from; at < Math.min(lines, from + ROWS); at += 1) {
      const sort = sortAt.get(at);
      const reference = nextReference(at);
      const amount = sort === 'state-differs' ? -STATE_AMOUNT : amountOf(at);
      if (sort !== undefined) breaks.set(reference, sort);
      const row = (date: string) => `${platformId},'${date}',${first + BigInt(at)},${sql.text(reference)},${amount}`;
      if (sort === 'timing') tomorrow.push(row(addDays(FIRST_DATE, 1)));
      else if (sort !== 'only-theirs' && sort !== 'state-differs') today.push(row(FIRST_DATE));
      if (sort !== 'only-ours') theirs.push({ reference, amount: sort === 'amount-differs' ? amount + 5n : amount });
    }
    const values = sql.tuples([...today, ...tomorrow]);
    await rt.db.withTx('bench-boundary', (tx) =>
      tx.write(`INSERT INTO boundary (platform_id, business_date, instruction_id, reference, amount) VALUES ${values}`),
    );
  }
  await writeStatement(file, custodyNo, theirs);
  return { platformId, custodyNo, file, breaks };
}

/** Where breaks stand: all over the day, the sorts in turn. */
function sortsAt(lines: number): Map<number, Sort> {
  const count = EACH * SORTS.length;
  const step = Math.floor(lines / count);
  return new Map(Array.from({ length: count }, (_, at) => [at * step + 3, SORTS[at % SORTS.length] as Sort]));
}

const STATE_AMOUNT = 77n;

/** The books have them as failed, and the bank has paid them. */
async function insertFailedPayouts(tx: Parameters<typeof openAccounts>[0], platformId: Id, source: Id, ids: readonly Id[]) {
  const rows = ids.map(
    (id) =>
      `${id},${platformId},0,'withdrawal',${source},NULL,${STATE_AMOUNT},'x','x','','${FIRST_DATE}','${FIRST_DATE}','failed','book',NULL,1,0,0,0`,
  );
  await tx.write(
    `INSERT INTO payouts (id, platform_id, shard_id, purpose, source_account_id, order_no, amount, payee_name, payee_account, payee_bank,
       business_date, funded_on, state, channel, reason, attempts, next_ms, created_ms, changed_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** In another order than the books have it. */
async function writeStatement(
  path: string,
  custodyNo: string,
  lines: readonly { reference: string; amount: bigint }[],
): Promise<void> {
  const file: FileHandle = await open(path, 'w');
  const hash = createHash('sha256');
  const sum = lines.reduce((total, { amount }) => total + amount, 0n);
  const head = { custodyNo, businessDate: FIRST_DATE, opening: '0', complete: true };
  await file.write(`${JSON.stringify(head)}\n`);
  const stride = strideOf(lines.length);
  for (let from = 0, place = 0; from < lines.length; from += ROWS) {
    let text = '';
    for (let at = from; at < Math.min(lines.length, from + ROWS); at += 1) {
      place = (place + stride) % lines.length;
      const { reference, amount } = lines[place] as { reference: string; amount: bigint };
      text += `${statementRow({ lineNo: at + 1, reference, amount, counterparty: '张三丰', text: 'order paid' })}\n`;
    }
    hash.update(text);
    await file.write(text);
  }
  const totals = { count: lines.length, sum: String(sum), closing: String(sum), digest: hash.digest('hex') };
  await file.write(`${JSON.stringify(totals)}\n`);
  await file.close();
}

/** A step that visits every place once. */
function strideOf(count: number): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  let stride = Math.floor(count * 0.382) | 1;
  while (gcd(stride, count) !== 1) stride += 1;
  return stride;
}

interface Measured {
  readonly seconds: number;
  readonly plainSeconds: number;
  readonly peakMemoryMb: number;
}

/** The comparison in a process of its own, which gets the statement from here. */
async function measure({ platformId, custodyNo, file }: SeededDay): Promise<Measured> {
  const server = createServer((_request, response) => void createReadStream(file).pipe(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const child = spawn(
      process.execPath,
      [HEAP, '--import', 'tsx', 'scripts/bench/reconcile-worker.ts', url, platformId, custodyNo, FIRST_DATE],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let text = '';
    for await (const chunk of child.stdout) text += chunk;
    return JSON.parse(text.trim().split('\n').at(-1) ?? '') as Measured;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** How many of the seeded breaks were found and rightly classed, and how many others were. */
async function judged(rt: Runtime, { platformId, breaks }: SeededDay): Promise<{ found: number; invented: number }> {
  const all: Break[] = [];
  for (let after: Id | undefined = asId('0'); after !== undefined; ) {
    const from: Id = after;
    const some = await rt.db.read('bench-breaks', (tx) => listBreaks(tx, { platformId, after: from }, 1_000));
    all.push(...some);
    after = some.length === 1_000 ? some.at(-1)?.id : undefined;
  }
  const isRight = (found: Break) => {
    const sort = breaks.get(found.reference);
    return sort === 'timing' ? found.timing : sort === found.class && !found.timing;
  };
  return {
    found: new Set(all.filter(isRight).map(({ reference }) => reference)).size,
    invented: all.filter(({ reference }) => !breaks.has(reference)).length,
  };
}
