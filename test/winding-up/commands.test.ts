import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { toWire } from '../../src/kernel/index.js';
import { windDownRoutes } from '../../src/winding-up/index.js';
import { windDownRound } from '../../src/winding-up/round.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { startApiOn, type TestApi } from '../support/api.js';

let market: Market;
let api: TestApi;
const folder = mkdtempSync(join(tmpdir(), 'cunguan-wind-down-'));

beforeAll(async () => {
  market = await openMarket();
  // By the market's own clock: the API's is the wall's.
  api = await startApiOn(market.world.fresh, () => windDownRoutes(market.world.rt));
  await market.pay('unsplit', 900n);
});
afterAll(async () => {
  await api?.stop();
  await market?.end();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command as whoever has the token. */
function run(script: string, args: readonly string[], token = ''): Promise<{ readonly failed: boolean; readonly text: string }> {
  const env = { PATH: process.env.PATH, NODE_OPTIONS: '', CUNGUAN_URL: api.url, CUNGUAN_TOKEN: token };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], { env }, (error, stdout, stderr) =>
      resolve({ failed: error !== null, text: stdout + stderr }),
    );
  });
}

test('a platform is wound up from the command line by two people, and anybody can verify the report', async () => {
  const [li, wang, auditor] = [await api.operator('operator'), await api.operator('reviewer'), await api.operator('auditor')];
  const windDown = (token: string, ...args: string[]) =>
    run('wind-down', ['--platform', toWire('platform', market.platformId), ...args], token);
  expect((await windDown(auditor.token, '--reason', '停业')).text).toContain('PERMISSION');
  expect(JSON.parse((await windDown(li.token, '--reason', '停业')).text)).toMatchObject({ state: 'proposed', reason: '停业' });
  expect((await windDown(li.token, '--approve')).text).toContain('SAME_OPERATOR');
  expect(JSON.parse((await windDown(wang.token, '--approve')).text)).toMatchObject({ state: 'winding-up' });
  await windDownRound(market.desk, market.platformId);
  expect(JSON.parse((await windDown(auditor.token)).text).left).toEqual([
    expect.objectContaining({ reason: 'on-its-way', accounts: 1, amount: 900 }),
  ]);
  for (let day = 0; day < 3; day += 1) {
    await closeNext(market);
    await windDownRound(market.desk, market.platformId);
  }
  const [report, keys] = [join(folder, 'report.json'), join(folder, 'keys.json')];
  expect(JSON.parse((await windDown(auditor.token, '--report', report)).text)).toMatchObject({ report: 1 });
  writeFileSync(keys, JSON.stringify({ keys: market.world.rt.receiptKeys.published }));
  const verified = await run('verify', [report, '--key', keys]);
  expect([verified.failed, verified.text]).toEqual([false, expect.stringContaining('9.00 yuan went out, 0.00 yuan stay')]);
  expect(JSON.parse((await windDown(li.token, '--close')).text)).toMatchObject({ state: 'closed' });
}, 120_000);
