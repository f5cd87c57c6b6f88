#!/usr/bin/env node
/**
 * `npx cunguan verify|audit|export|wind-down|…`: the commands for whoever checks the bank, and for platforms that stop or move. In a checkout they go through scripts/run.mjs, like every npm command;
 * where there is only what `npm run build` made, they run from there, on what the environment names.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMANDS = {
  verify: 'FILE … [--key FILE]',
  audit: '[--platform plt_…] [--json]',
  'wind-down': '--platform plt_… [--reason TEXT | --approve | --reject NOTE | --again | --close | --report FILE]',
  'export-members': '--platform plt_… --out FOLDER',
  'import-members': '--platform plt_… --from FOLDER --bank-keys FILE (--key FILE --reference REF --out FILE | --receipt FILE)',
  export: '--platform plt_… --format hledger|beancount [--from DATE] [--to DATE] --out FILE',
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);

if (!Object.hasOwn(COMMANDS, name ?? '')) {
  for (const [command, usage] of Object.entries(COMMANDS)) process.stderr.write(`npx cunguan ${command} ${usage}\n`);
  process.exit(1);
}
const runner = join(root, 'scripts', 'run.mjs');
const built = join(root, 'dist', 'scripts', `${name}.js`);
const line = existsSync(runner) ? [runner, name] : ['--enable-source-maps', built];
// Names of files are meant from where they were typed; the command itself runs in the root.
const env = { ...process.env, INIT_CWD: process.cwd() };
const child = spawn(process.execPath, [...line, ...args], { cwd: root, stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
child.on('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
