import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import { missingBuilds } from '../../scripts/quality/complete-lock.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const flowOrder = createRequire(import.meta.url)('../../scripts/quality/flow-order.cjs') as string[];

describe('every part of the house has a place in the flow', () => {
  const entries = readdirSync(join(root, 'src'), { withFileTypes: true });

  test('each folder of src stands in the one list of scripts/quality/flow-order.cjs', () => {
    const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(folders.filter((folder) => !flowOrder.includes(folder))).toEqual([]);
  });

  test('beside the folders there are only the process and what it is put together from', () => {
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    expect(files.sort()).toEqual(['app.ts', 'main.ts']);
  });

  test('each folder says in its index.ts what it offers', () => {
    const folders = flowOrder.filter((folder) => existsSync(join(root, 'src', folder)));
    expect(folders.filter((folder) => !existsSync(join(root, 'src', folder, 'index.ts')))).toEqual([]);
  });
});

test('the lock file names the builds for every system, or npm ci would refuse it: run scripts/quality/complete-lock.mjs', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dependencies?: object; devDependencies?: object; optionalDependencies?: Record<string, string> }>;
  };
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<
    string,
    object
  >;
  expect(missingBuilds(lock.packages)).toEqual([]);
  expect(lock.packages['']).toMatchObject({ dependencies, devDependencies });
});

describe('the import rules refuse what they name', () => {
  const house = mkdtempSync(join(tmpdir(), 'cunguan-house-'));
  afterAll(() => rmSync(house, { recursive: true }));

  function write(file: string, ...imports: string[]): void {
    mkdirSync(join(house, dirname(file)), { recursive: true });
    const lines = imports.map((from, index) => `import * as a${index} from '${from}';\nvoid a${index};`);
    writeFileSync(join(house, file), `${lines.join('\n')}\nexport {};\n`);
  }

  /** `rule: from` of every import that is refused in the house as written. */
  function refused(): string[] {
    const config = join(root, 'scripts/quality/dependency-cruiser.cjs');
    const args = [join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '--config', config];
    const output = execFileSync(process.execPath, [...args, '--output-type', 'json', 'src', 'jobs', 'scripts'], {
      cwd: house,
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
    });
    const { summary } = JSON.parse(output) as { summary: { violations: { from: string; rule: { name: string } }[] } };
    return summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`).sort();
  }

  test('one violation of each kind, and nothing else', () => {
    symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
    writeFileSync(join(house, 'package.json'), readFileSync(join(root, 'package.json')));
    for (const folder of flowOrder) write(`src/${folder}/index.ts`);
    write('src/ledger/store.ts', '../runtime/index.js', '../kernel/index.js');
    write('src/orders/tables.ts', 'typeorm');
    write('src/runtime/bullmq-bells.ts', 'bullmq');
    write('jobs/sweep.job.ts', 'bullmq', '../src/ledger/index.js');
    write('scripts/tool.ts');
    write('src/main.ts', './ledger/index.js', 'express');

    write('src/kernel/ids.ts', '../runtime/index.js');
    write('src/ledger/early.ts', '../orders/index.js');
    write('src/ledger/early-main.ts', '../main.js');
    write('src/orders/deep.ts', '../ledger/store.js');
    write('jobs/deep.job.ts', '../src/ledger/store.js');
    write('src/ledger/tool.ts', '../../scripts/tool.js');
    write('src/ledger/worker.ts', '../../jobs/sweep.job.js');
    write('jobs/tool.job.ts', '../scripts/tool.js');
    write('jobs/migrating.job.ts', '../src/migrations/index.js');
    write('src/ledger/rules.ts', './store.js');
    write('src/ledger/states.ts', '../runtime/index.js');
    write('src/orders/rules.ts', 'node:fs', 'node:crypto', 'zod');
    write('src/instructions/kinds/split.ts', 'ioredis', '../../runtime/index.js');
    write('src/orders/store.ts', 'typeorm');
    write('src/dispatch/index.ts', 'bullmq');
    write('src/payouts/routes.ts', 'express');
    write('src/clearing/one.ts', './two.js');
    write('src/clearing/two.ts', './one.js');
    write('src/operators/lost.ts', './nowhere.js');
    write('src/operators/dev.ts', 'fast-check');

    expect(refused()).toEqual(
      [
        'flow-kernel: src/kernel/ids.ts',
        'flow-ledger: src/ledger/early.ts',
        'flow-ledger: src/ledger/early-main.ts',
        'only-the-index: src/orders/deep.ts',
        'only-the-index-from-outside: jobs/deep.job.ts',
        'src-stands-alone: src/ledger/tool.ts',
        'src-stands-alone: src/ledger/worker.ts',
        'jobs-stand-on-src: jobs/tool.job.ts',
        'migrations-only-for-tools: jobs/migrating.job.ts',
        'pure-files-own-folder: src/ledger/rules.ts',
        'pure-files-no-machine-room: src/ledger/states.ts',
        'pure-files-packages: src/orders/rules.ts',
        'pure-files-packages: src/instructions/kinds/split.ts',
        'typeorm-behind-one-door: src/orders/store.ts',
        'bullmq-behind-the-bells: src/dispatch/index.ts',
        'express-behind-the-routes: src/payouts/routes.ts',
        'no-cycles: src/clearing/one.ts',
        'resolvable: src/operators/lost.ts',
        'declared-packages: src/operators/dev.ts',
      ].sort(),
    );
  });
});
