/**
 * `node scripts/run.mjs <command> [arguments]`: what every npm script goes through, so that each works in a fresh clone.
 * Installs the packages where they are missing or other than the lock file's, starts private servers for commands that need
 * them, migrates, runs the command with its arguments, and stops what it started, however the command ends. Needs Node alone.
 * The exit code is the command's; the words of this program go to stderr.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startServices } from './services/index.mjs';
import { Stop, say, withLock } from './services/processes.mjs';
import { sandboxKeys } from './vault-keys.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const typescript = (file) => ['--import', 'tsx', file];
const program = (name, file) => [join('node_modules', name, file)];

/** What a worker needs does not grow with the platforms; unbounded, its heap would, until it had to be collected. */
const WORKER_HEAP = ['--max-old-space-size=320'];

/** Where `npm run bank` listens, and where `npm start` and `npm run worker` look for it unless told otherwise. */
const BANK_PORT = '8090';
const LOCAL = { BANK_URL: `http://127.0.0.1:${BANK_PORT}` };

/**
 * `servers` names the instance to start; `fresh` empties it first (unless it is in use, or named from outside).
 * `defaults` are variables for those that the environment does not set.
 * `closing` prints the line `N passed, N failed` last of all.
 */
const COMMANDS = {
  start: { node: typescript('src/main.ts'), servers: 'local', defaults: LOCAL },
  worker: { node: [...WORKER_HEAP, ...typescript('jobs/main.ts')], servers: 'local', defaults: LOCAL },
  bank: { node: typescript('scripts/bank.ts'), arguments: ['--port', BANK_PORT] },
  demo: { node: typescript('scripts/demo.ts'), servers: 'demo', fresh: true },
  bench: { node: typescript('scripts/bench/index.ts'), servers: 'bench', fresh: true },
  simulate: { node: typescript('scripts/simulate.ts'), servers: 'simulate', fresh: true },
  migrate: { node: typescript('scripts/migrate.ts'), servers: 'local', migratesItself: true },
  verify: { node: typescript('scripts/verify.ts') },
  audit: { node: typescript('scripts/audit.ts'), servers: 'local' },
  export: { node: typescript('scripts/export.ts'), servers: 'local' },
  'wind-down': { node: typescript('scripts/wind-down.ts') },
  'export-members': { node: typescript('scripts/export-members.ts'), servers: 'local' },
  'import-members': { node: typescript('scripts/import-members.ts'), servers: 'local', defaults: LOCAL },
  reseal: { node: typescript('scripts/reseal.ts'), servers: 'local' },
  operator: { node: typescript('scripts/operator.ts'), servers: 'local' },
  close: { node: typescript('scripts/close.ts'), servers: 'local', defaults: LOCAL },
  test: { node: program('jest', 'bin/jest.js'), closing: true },
  check: { node: ['scripts/quality/check.mjs'] },
  fix: { node: program('@biomejs/biome', 'bin/biome'), arguments: ['check', '--write'] },
  build: { node: program('typescript', 'bin/tsc'), arguments: ['-p', 'tsconfig.build.json'] },
  docs: { node: typescript('scripts/docs.ts') },
};
const PATIENCE_MS = 60_000;

let child;
let signalled;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal sends its interrupt to the command as well; told twice it could take the second for impatience.
    if (!(signal === 'SIGINT' && process.stdin.isTTY)) child?.kill(signal);
    if (signalled === undefined) setTimeout(() => child?.kill('SIGKILL'), PATIENCE_MS).unref();
    signalled ??= signal;
  });
}

function runNode(args, env = {}, stdio = 'inherit') {
  return new Promise((resolve, reject) => {
    if (signalled !== undefined) return resolve(128 + constants.signals[signalled]);
    child = spawn(process.execPath, args, { cwd: root, stdio, env: { ...process.env, ...env } });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      child = undefined;
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) throw new Stop(`Node 20.19 or newer is needed; this is ${process.version}`);
}

/** Whether node_modules holds what the lock file says; npm writes its own list there when it has finished installing. */
function packagesMatch() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
      const present = installed[path];
      return path === '' || (present === undefined ? optional === true || peer === true : present.version === version);
    });
  } catch {
    return false;
  }
}

async function requirePackages() {
  if (packagesMatch()) return;
  await withLock(`${root}/node_modules`, async () => {
    if (packagesMatch()) return;
    say('installing the packages of the lock file (npm ci)');
    const npm =
      process.env.npm_execpath ?? join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js');
    const code = await runNode([npm, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {}, ['ignore', 2, 2]);
    if (code !== 0) throw new Stop(`npm ci ended with ${code}`);
  });
}

async function withServers({ servers, fresh = false, migratesItself = false }, work) {
  if (servers === undefined) return work({});
  const started = await startServices(servers, { fresh });
  try {
    let url = started.databaseUrl;
    // A second run beside the first gets a schema and keys of its own.
    const beside = fresh && !started.alone && !started.external;
    if (beside) url = url.replace(/\/[^/]+$/, `/cunguan_${process.pid}`);
    const env = {
      DATABASE_URL: url,
      REDIS_URL: started.redisUrl,
      ...(beside && { REDIS_PREFIX: `cunguan-${process.pid}` }),
      // A database from outside keeps what is sealed there longer than this checkout lives: its keys are for its owner to set.
      ...((fresh || !started.external) && sandboxKeys(process.env)),
    };
    if (!migratesItself) {
      const code = await runNode(typescript('scripts/migrate.ts'), env, ['ignore', 2, 2]);
      if (code !== 0) return code;
    }
    return await work(env);
  } finally {
    await started.stop();
  }
}

/** The counts of the test run; a run that left none has failed as a whole. */
function closingLine(file) {
  try {
    const { passed, failed } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed, failed };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

async function runTests(args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'cunguan-test-'));
  const counts = join(folder, 'counts.json');
  try {
    const options = `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim();
    const code = await runNode(args, { ...env, NODE_OPTIONS: options, TEST_COUNTS_FILE: counts });
    const { passed, failed } = closingLine(counts);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return code === 0 && failed > 0 ? 1 : code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a program of ours says of itself above its first line: how it is called among the rest. Undefined of the programs of others. */
function usageOf(name, command) {
  const file = command.node.findLast((part) => /\.(ts|mjs)$/.test(part));
  if (file === undefined) return undefined;
  const [, text] = /\/\*\*\n([\s\S]*?)\n? ?\*\//.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  return text?.replace(/^ \* ?/gm, '') ?? `npm run ${name}: takes no arguments; docs/config.md lists the environment variables.`;
}

async function main() {
  const [name, ...args] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, name ?? '') ? COMMANDS[name] : undefined;
  if (command === undefined) throw new Stop(`usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
  requireNode();
  // Nothing is installed, started or emptied for whoever only asks.
  const usage = args.includes('--help') || args.includes('-h') ? usageOf(name, command) : undefined;
  if (usage !== undefined) {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  await requirePackages();
  return withServers(command, (env) => {
    const line = [...command.node, ...(command.arguments ?? []), ...args];
    return command.closing ? runTests(line, env) : runNode(line, { ...command.defaults, ...process.env, ...env });
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Stop ? error.message : error.stack);
  process.exitCode = 1;
}
