import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BusinessDate } from '../../src/kernel/index.js';
import { requireAccounting } from '../services/packages.mjs';
import { type Check, type Figures, same } from './figures.js';
import type { OpenMarket } from './opening.js';

const CUNGUAN = join('scripts', 'cunguan.mjs');
/** Of so many sellers the proof that their balances are in what was attested is fetched and verified. */
const SELLERS = 20;

interface Ended {
  readonly code: number | null;
  readonly out: string;
}

/** Runs a program to its end. */
function run(root: string, program: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out }));
  });
}

interface Chapter {
  readonly market: OpenMarket;
  readonly days: readonly BusinessDate[];
  readonly figures: Figures;
  /** Of the checkout, and where files are put. */
  readonly root: string;
  readonly folder: string;
}

/**
 * What whoever trusts nobody would do with the days that were closed: verify every day's signed proof and some sellers' with the bank's public key alone, fetch all
 * check files again, replay the books, and let two other programs add them up.
 */
export async function booksChapter(chapter: Chapter): Promise<Check[]> {
  rmSync(chapter.folder, { recursive: true, force: true });
  mkdirSync(chapter.folder, { recursive: true });
  const proofs = await proofsVerify(chapter);
  const files = await filesReproduce(chapter);
  const audit = await booksReplay(chapter);
  return [...proofs, ...files, audit, ...(await othersAgree(chapter))];
}

function read(market: OpenMarket, path: string, what: string): Promise<unknown> {
  return market.clients.platform.call({ method: 'GET', path, what });
}

async function proofsVerify({ market, days, root, folder }: Chapter): Promise<Check[]> {
  const keys = join(folder, 'keys.json');
  writeFileSync(keys, JSON.stringify(await read(market, '/v1/receipt-keys', 'proofs of custody')));
  const save = (name: string, value: unknown) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  const ofDays: string[] = [];
  for (const date of days) ofDays.push(save(date, await read(market, `/v1/days/${date}/proof`, 'proofs of custody')));
  const last = days.at(-1) as BusinessDate;
  const sellers = [...market.accountOf.values()].sort().slice(0, SELLERS);
  const ofSellers: string[] = [];
  for (const account of sellers) {
    const path = `/v1/accounts/${account}/proofs/${last}`;
    const answer = await market.clients.platform.call({ method: 'GET', path, what: 'proofs of custody', orRefused: 'NOT_FOUND' });
    // A seller who never sold anything is no leaf of the tree.
    if ((answer as { code?: string }).code === undefined) ofSellers.push(save(account, answer));
  }
  const verify = (files: readonly string[]) => run(root, process.execPath, [CUNGUAN, 'verify', ...files, '--key', keys]);
  const genuine = ({ out }: Ended) => out.split('\n').filter((line) => line.startsWith('genuine')).length;
  const all = await verify(ofDays);
  const some = await verify(ofSellers);
  return [
    same('proofs of custody that verify = days', genuine(all), days.length),
    same('… and follow from one another', all.code ?? -1, 0),
    same('proofs of sellers that verify', some.code === 0 ? genuine(some) : -1, ofSellers.length),
  ];
}

interface KeptFile {
  readonly file: string;
  readonly lines: number;
  readonly utf8: { readonly sha256: string };
}

async function filesReproduce({ market, days }: Chapter): Promise<Check[]> {
  let kept = 0;
  let equal = 0;
  let lines = 0;
  for (const date of days) {
    const { items } = (await read(market, `/v1/check-files/${date}`, 'check files')) as { items: readonly KeptFile[] };
    for (const { file, lines: count, utf8 } of items) {
      kept += 1;
      lines += count;
      const path = `/v1/check-files/${date}/${file}`;
      const text = (await market.clients.platform.call({ method: 'GET', path, what: 'check files', asText: true })) as string;
      if (createHash('sha256').update(text, 'utf8').digest('hex') === utf8.sha256) equal += 1;
    }
  }
  return [same(`check files made again byte for byte (${lines} lines)`, equal, kept)];
}

async function booksReplay({ market, root }: Chapter): Promise<Check> {
  const { code, out } = await run(root, process.execPath, [
    '--import',
    'tsx',
    join('scripts', 'audit.ts'),
    '--platform',
    market.platformId,
  ]);
  const summary = out.trim().split('\n').at(-1) ?? '';
  return { what: 'npx cunguan audit', ok: code === 0, found: summary.slice(0, 160) };
}

async function othersAgree({ market, days, root, folder, figures }: Chapter): Promise<Check[]> {
  try {
    await requireAccounting();
  } catch (error) {
    return [{ what: 'hledger and beancount', ok: true, found: `not checked: ${(error as Error).message}` }];
  }
  const journals: Record<'hledger' | 'beancount', string> = {
    hledger: join(folder, 'books.journal'),
    beancount: join(folder, 'books.beancount'),
  };
  for (const [format, out] of Object.entries(journals)) {
    const of = ['--platform', market.platformId, '--format', format, '--to', days.at(-1) as string, '--out', out];
    const args = ['--import', 'tsx', join('scripts', 'export.ts'), ...of];
    const { code, out: told } = await run(root, process.execPath, args);
    if (code !== 0) return [{ what: `export for ${format}`, ok: false, found: told.slice(0, 160) }];
  }
  const hledger = await run(root, 'hledger', ['-f', journals.hledger, 'check', '--strict']);
  const beancount = await run(root, 'bean-check', [journals.beancount]);
  const custody = await run(root, 'hledger', ['-f', journals.hledger, 'balance', 'custody', '-O', 'csv', '--layout', 'bare']);
  const sum = await run(root, 'bean-query', ['-f', 'csv', journals.beancount, "SELECT sum(position) WHERE account ~ 'Custody'"]);
  return [
    { what: 'hledger accepts the books', ok: hledger.code === 0, found: hledger.out.trim().slice(-120) || 'no fault' },
    { what: 'beancount accepts the books', ok: beancount.code === 0, found: beancount.out.trim().slice(-120) || 'no fault' },
    same('custody by hledger = custody', fenIn(custody.out), figures.custody),
    same('custody by beancount = custody', fenIn(sum.out), figures.custody),
  ];
}

/** The last amount of yuan in what a program printed, in fen. */
function fenIn(text: string): bigint {
  const found = [...text.matchAll(/-?(\d+)\.(\d{2})\b/g)].at(-1);
  return found === undefined ? -1n : BigInt(`${found[1]}${found[2]}`);
}
