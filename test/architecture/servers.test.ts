import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { DATABASE_SETTINGS, REDIS_SETTINGS } from '../../scripts/services/settings.mjs';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the settings that the books stand on', () => {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  let fresh: FreshDatabase;
  beforeAll(async () => {
    fresh = await freshDatabase();
  });
  afterAll(() => fresh.drop());

  test.each(Object.entries(DATABASE_SETTINGS))('docker-compose.yml gives its MySQL the same %s', (name, value) => {
    expect(compose).toContain(`- --${name}=${value}\n`);
  });

  test.each(Object.entries(REDIS_SETTINGS))('docker-compose.yml gives its Redis the same %s', (name, value) => {
    expect(compose).toContain(`"--${name}", "${value}"`);
  });

  test('a commit that was answered is on disk, in the redo log and the binary log of the test server too', async () => {
    const names = ['innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', 'time_zone', 'collation_server'];
    const rows = await fresh.db.read('settings', (tx) =>
      tx.rows<{ Variable_name: string; Value: string }>('SHOW VARIABLES WHERE Variable_name IN (?)', [names]),
    );
    expect(Object.fromEntries(rows.map((row) => [row.Variable_name, row.Value]))).toEqual({
      collation_server: 'utf8mb4_bin',
      innodb_flush_log_at_trx_commit: '1',
      log_bin: 'ON',
      sync_binlog: '1',
      time_zone: '+00:00',
    });
  });
});

describe('private servers', () => {
  // A checkout of their own, so deep that the path of a socket in it would be longer than a socket's path may be.
  const top = mkdtempSync(join(tmpdir(), 'cunguan-servers-'));
  const checkout = join(top, 'deep'.repeat(30));
  const users: ChildProcess[] = [];
  beforeAll(() => {
    mkdirSync(checkout, { recursive: true });
    cpSync(join(root, 'scripts', 'services'), join(checkout, 'scripts', 'services'), { recursive: true });
  });
  afterEach(() => {
    for (const user of users.splice(0)) user.kill('SIGKILL');
    cli('stop');
  });
  afterAll(() => rmSync(top, { recursive: true, force: true }));

  function cli(verb: string, name?: string): string {
    const args = [join(checkout, 'scripts/services/cli.mjs'), verb, ...(name === undefined ? [] : [name])];
    return execFileSync(process.execPath, args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  /** A process that uses the instance until it is told to leave by the end of its input. */
  async function joinServers(name: string): Promise<ChildProcess> {
    const program = `
      const { startServices } = await import(${JSON.stringify(join(checkout, 'scripts/services/index.mjs'))});
      const servers = await startServices('${name}');
      process.stdout.write('up');
      process.stdin.resume().on('end', () => servers.stop());`;
    const user = spawn(process.execPath, ['--input-type=module', '-e', program], {
      env: { PATH: process.env.PATH },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    users.push(user);
    await once(user.stdout as NodeJS.ReadableStream, 'data');
    return user;
  }

  async function leave(user: ChildProcess): Promise<void> {
    user.stdin?.end();
    await once(user, 'exit');
  }

  const databases = () => processesIn(checkout, 'mariadb').concat(processesIn(checkout, 'mysql'));

  test('starting twice joins what runs, and stopping twice does no harm', () => {
    const first = cli('start', 'one');
    expect(cli('start', 'one')).toBe(first);
    expect(databases()).toHaveLength(1);
    expect(cli('stop', 'one')).toBe('one: stopped\n');
    expect(cli('stop', 'one')).toBe('one: was not running\n');
    expect(databases()).toEqual([]);
  });

  test('a database that was killed comes up again at the same address', () => {
    const first = cli('start', 'one');
    for (const pid of databases()) process.kill(pid, 'SIGKILL');
    expect(cli('start', 'one')).toBe(first);
  });

  test('two names are two instances', () => {
    expect(cli('start', 'one')).not.toBe(cli('start', 'two'));
    cli('stop', 'one');
    expect(cli('status', 'one')).toBe('one: no database no redis\n');
    expect(databases()).toHaveLength(1);
  });

  test('the last to leave stops them; one that was killed does not count', async () => {
    const killed = await joinServers('one');
    const second = await joinServers('one');
    const third = await joinServers('one');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    await leave(second);
    expect(databases()).toHaveLength(1);
    await leave(third);
    expect(databases()).toEqual([]);
  });
});

/** Pids of the processes that work in `.local/<any>/<folder>` of the checkout. */
function processesIn(checkout: string, folder: string): number[] {
  const listed = execFileSync('sh', ['-c', 'for p in /proc/[0-9]*; do echo "$p $(readlink $p/cwd)"; done'], { encoding: 'utf8' });
  const works = new RegExp(`^/proc/(\\d+) ${checkout}/\\.local/[^/]+/${folder}$`);
  return listed.split('\n').flatMap((line) => {
    const pid = works.exec(line)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}
