import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase, TEST_KEYS } from '../support/database.js';

const HEAD = 'loan_id,issue_month,loan_purpose,loan_amount,term,interest_rate,installment,loan_status';
// One that is paid back within a month, one whose only instalment the guarantor pays, and one that is settled after three.
const ROWS = [
  'a,Jan-2018,moving,28000,1,14.07,28328.30,Current',
  'b,Jan-2018,other,1000,1,12.00,1010.00,Charged Off',
  'c,Jan-2018,debt_consolidation,5000,36,12.61,167.54,Fully Paid',
];

describe('the run on loans', () => {
  let database: FreshDatabase;
  const folder = mkdtempSync(join(tmpdir(), 'cunguan-loans-'));
  beforeAll(async () => {
    database = await freshDatabase();
    writeFileSync(join(folder, 'loans.csv'), `${[HEAD, ...ROWS].join('\n')}\n`);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await database.drop();
  });

  it('raises, lends out and repays them through the service, and finds every fen again', async () => {
    const { code, out, told } = await demo(['--loans', folder, '--json', '--out', folder]);
    expect([code, code === 0 ? '' : `${out}\n${told}`]).toEqual([0, '']);
    const figures = JSON.parse(out.trim().split('\n').at(-1) as string) as Record<string, number>;
    expect(figures).toMatchObject({
      ...{ loans: 3, raised: 3_400_000, lentOut: 3_400_000, instalmentsPaid: 4, principal: 3_400_000 },
      ...{ compensated: 101_000, platformFees: 34_000, held: 0, installmentMatches: 3 },
    });
    expect(figures.custody).toBe(figures.sumOfSubAccounts);
    const lines = readFileSync(join(folder, 'loans.csv'), 'utf8').trim().split('\n');
    expect(lines[2]).toMatch(/^b,1000\.00,1010\.00,1000\.00,10\.00,\d+$/);
    expect(lines[3]).toMatch(/^c,5000\.00,167\.54,5000\.00,\d+\.\d\d,\d+$/);
  }, 600_000);

  function demo(args: readonly string[]): Promise<{ code: number | null; out: string; told: string }> {
    const servers = { DATABASE_URL: database.url, REDIS_URL: database.redisUrl, REDIS_PREFIX: database.redisPrefix };
    const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...args], {
      env: { PATH: process.env.PATH ?? '', ...TEST_KEYS, ...servers },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const texts = { out: '', told: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      texts.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      texts.told += text;
    });
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code, ...texts }));
    });
  }
});
