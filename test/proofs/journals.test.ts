import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import { requireAccounting } from '../../scripts/services/packages.mjs';
import { type BusinessDate, parseYuan, toWire } from '../../src/kernel/index.js';
import { isAsset } from '../../src/ledger/index.js';
import { closingBalances } from '../../src/proofs/attest.js';
import { type JOURNAL_FORMATS, journal, PeriodWrong } from '../../src/proofs/journals/write.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { TEST_KEYS } from '../support/database.js';

const DAYS = ['2026-03-02', '2026-03-03', '2026-03-04', '2026-03-05'] as BusinessDate[];
const [MON, TUE, WED, THU] = DAYS as [BusinessDate, BusinessDate, BusinessDate, BusinessDate];
type Format = keyof typeof JOURNAL_FORMATS;

const folder = mkdtempSync(join(tmpdir(), 'cunguan-journals-'));
let market: Market;
beforeAll(async () => {
  await requireAccounting();
  market = await openMarket();
  for (const [place, date] of DAYS.entries()) {
    for (let order = 0; order <= place; order += 1) {
      const orderNo = `${date}-${order}`;
      await market.pay(orderNo, 100_001n);
      if (order % 2 === 0)
        await market.split(orderNo, [
          [market.here, 60_007n + BigInt(order)],
          [market.there, 1n],
        ]);
    }
    await closeNext(market);
  }
  await market.pay('open', 700n); // on a date that is not over
}, 120_000);
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await market?.end();
});

async function written(format: Format, from?: BusinessDate, to?: BusinessDate): Promise<string> {
  const file = join(folder, `${format}-${from ?? ''}-${to ?? ''}`);
  let text = '';
  for await (const part of journal(market.world.db, { platformId: market.platformId, format, from, to })) text += part;
  writeFileSync(file, text);
  return file;
}

/** Our balances at the end of a date, by account number, as an accountant has them; those that are zero are left out. */
async function ours(date: BusinessDate): Promise<Record<string, bigint>> {
  const balances: Record<string, bigint> = {};
  for await (const { account, type, balance } of closingBalances(market.world, { platformId: market.platformId, date })) {
    expect(isAsset(type) ? -balance >= 0n : -balance <= 0n).toBe(true);
    if (balance !== 0n) balances[account] = -balance;
  }
  return balances;
}

/** What the program itself makes of the file. */
const READERS = {
  hledger: {
    check: (file: string) => spawnSync('hledger', ['-f', file, 'check', '--strict'], { encoding: 'utf8' }),
    balances: (file: string) => execFileSync('hledger', ['-f', file, 'bal', '-N', '--flat', '-O', 'csv'], { encoding: 'utf8' }),
  },
  beancount: {
    check: (file: string) => spawnSync('bean-check', [file], { encoding: 'utf8' }),
    balances: (file: string) =>
      execFileSync('bean-query', ['-q', '-f', 'csv', file, 'SELECT account, sum(position) AS balance GROUP BY account'], {
        encoding: 'utf8',
      }),
  },
} as const;

function theirs(format: Format, file: string): Record<string, bigint> {
  const rows = parse(READERS[format].balances(file), { columns: true, trim: true }) as { account: string; balance: string }[];
  const balances: Record<string, bigint> = {};
  for (const { account, balance } of rows) {
    const amount = balance === '' || balance === '0' ? 0n : parseYuan(balance.replace(' CNY', ''));
    if (amount !== 0n) balances[account.split(':').at(-1) as string] = amount;
  }
  return balances;
}

describe.each<Format>(['hledger', 'beancount'])('%s', (format) => {
  test.each<[string, BusinessDate | undefined, BusinessDate | undefined]>([
    ['from the beginning', undefined, undefined],
    ['of the first day', undefined, MON],
    ['from a day on, with what was there before', WED, undefined],
    ['of one day in between', TUE, TUE],
  ])('accepts the books %s and comes to the same balance of every account', async (_what, from, to) => {
    const file = await written(format, from, to);
    const { status, stdout, stderr } = READERS[format].check(file);
    expect([status, stdout + stderr]).toEqual([0, '']);
    const balances = theirs(format, file);
    expect(balances).toEqual(await ours(to ?? THU));
    expect(Object.keys(balances).length).toBeGreaterThan(1);
  });

  test('tells by the closing assertions when other amounts stand in it', async () => {
    const text = readFileSync(await written(format), 'utf8');
    const file = join(folder, `${format}-bent`);
    const bent = text.replaceAll('1000.01 CNY', '1000.02 CNY');
    expect(bent).not.toBe(text);
    // Each transaction still sums to zero: only the assertion of the custody account can tell.
    writeFileSync(file, bent);
    expect(READERS[format].check(file).status).not.toBe(0);
  });

  test('finds with each transaction its instruction, kind and request number', async () => {
    const text = readFileSync(await written(format, undefined, MON), 'utf8');
    const rows = await market.world.db.read('instructions', (tx) =>
      tx.rows<{ id: string; kind: string; request_no: string }>(
        `SELECT i.id, i.kind, i.request_no FROM instructions AS i WHERE i.platform_id = ? AND i.id IN (SELECT instruction_id FROM entries WHERE business_date = ?)`,
        [market.platformId, MON],
      ),
    );
    expect(rows.length).toBeGreaterThan(1);
    for (const { id, kind, request_no } of rows)
      for (const word of [toWire('instruction', id as never), kind, request_no]) expect(text).toContain(word);
  });
});

test('a journal is the same each time, and ends before the open date', async () => {
  expect(readFileSync(await written('hledger', undefined, TUE), 'utf8')).toBe(
    readFileSync(await written('hledger', undefined, TUE), 'utf8'),
  );
  const { businessDate } = await market.book();
  await expect(written('hledger', undefined, businessDate)).rejects.toThrow(PeriodWrong);
  await expect(written('hledger', WED, TUE)).rejects.toThrow(PeriodWrong);
});

test('the command writes the whole file where it was asked to, or none', async () => {
  const file = join(folder, 'by-command.journal');
  const run = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ['--import', 'tsx', 'scripts/export.ts', '--platform', toWire('platform', market.platformId), ...args],
      {
        env: { PATH: process.env.PATH, ...TEST_KEYS, DATABASE_URL: market.world.fresh.url },
        encoding: 'utf8',
      },
    );
  expect(run('--format', 'hledger', '--to', MON, '--out', file)).toMatchObject({ status: 0, stderr: '' });
  expect(readFileSync(file, 'utf8')).toBe(readFileSync(await written('hledger', undefined, MON), 'utf8'));
  const late = run('--format', 'hledger', '--to', '2099-01-01', '--out', join(folder, 'late.journal'));
  expect([late.status, late.stderr]).toEqual([1, expect.stringContaining('the books are open from')]);
  expect(() => readFileSync(join(folder, 'late.journal'))).toThrow('ENOENT');
}, 120_000);
