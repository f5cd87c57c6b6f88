/** `npm run check`: types, lint and format, import rules, dead code and habits, side by side. Prints only what is wrong. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const CHECKS = [
  ['types', 'node_modules/typescript/bin/tsc', '-p', '.'],
  ['lint and format', 'node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--max-diagnostics=200'],
  [
    'import rules',
    'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
    ...['--config', 'scripts/quality/dependency-cruiser.cjs', '--output-type', 'err-long'],
    ...['src', 'jobs', 'scripts', 'test', 'ormconfig.ts'],
  ],
  ['dead code', 'node_modules/knip/bin/knip.js', '--no-progress'],
  ['habits', '--import', 'tsx', 'scripts/quality/tidy.ts'],
];

function run([name, ...command]) {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const keep = (chunk) => {
      output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (code) => resolve({ name, code, output, seconds: (performance.now() - startedAt) / 1000 }));
  });
}

const results = await Promise.all(CHECKS.map(run));
for (const { name, output } of results.filter(({ code }) => code !== 0)) process.stdout.write(`\n── ${name}\n${output.trim()}\n`);
process.stdout.write('\n');
for (const { name, code, seconds } of results)
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)\n`);
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
