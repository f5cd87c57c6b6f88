/** A private MariaDB (or MySQL) of one instance folder. */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { endProcess, findServer, freePort, run, Stop, say, shortHash, sleep, startDetached } from './processes.mjs';
import { DATABASE_SETTINGS } from './settings.mjs';

const PROGRAMS = ['mariadbd', 'mysqld'];
const SOCKET_PATH_BYTES_MAX = 107;
const READY_MS = 90_000;
const STARTS_MAX = 3;
const USER = 'cunguan';
const SCHEMA = 'cunguan';

const dataFolder = (folder, engine) => join(folder, engine);
const asRoot = () => (process.getuid?.() === 0 ? ['--user=root'] : []);

/** The database process of this instance, whichever engine made it. */
export function findDatabase(folder) {
  return findServer(PROGRAMS, dataFolder(folder, 'mariadb')) ?? findServer(PROGRAMS, dataFolder(folder, 'mysql'));
}

export function databaseUrl(folder, port) {
  return `mysql://${USER}:${readFileSync(join(folder, 'secret'), 'utf8').trim()}@127.0.0.1:${port}/${SCHEMA}`;
}

export async function stopDatabase(folder, identity) {
  await endProcess(identity, 30_000);
  const sockets = socketFolder(folder);
  if (sockets !== folder) rmSync(sockets, { recursive: true, force: true });
}

/** A socket's path has at most 107 bytes; deep checkouts get a short folder of their own for it. */
function socketFolder(folder) {
  if (Buffer.byteLength(join(folder, 'db.sock')) <= SOCKET_PATH_BYTES_MAX) return folder;
  const temporary = Buffer.byteLength(tmpdir()) <= 60 ? tmpdir() : '/tmp';
  const short = join(temporary, `cunguan-${userInfo().uid}-${shortHash(folder)}`);
  mkdirSync(short, { recursive: true, mode: 0o700 });
  if (lstatSync(short).uid !== userInfo().uid) throw new Stop(`${short} belongs to another user: remove it`);
  return short;
}

/** Makes the data folder beside its place and moves it there when whole: an interrupted start leaves nothing half-made. */
async function makeDataFolder(folder, programs) {
  const data = dataFolder(folder, programs.engine);
  if (existsSync(data)) return data;
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const common = ['--no-defaults', ...asRoot(), `--datadir=${fresh}`];
  if (programs.engine === 'mariadb') {
    const owner = userInfo().username;
    // Over the socket only the account of this operating system's user is let in, over TCP only the one with the secret.
    const sign = ['--auth-root-authentication-method=socket', `--auth-root-socket-user=${owner}`];
    await run(programs.installDb, [...common, ...sign, '--skip-test-db', '--skip-name-resolve'], { quiet: true });
  } else {
    mkdirSync(fresh, { mode: 0o700 });
    await run(programs.database, [...common, '--initialize-insecure'], { quiet: true });
  }
  renameSync(fresh, data);
  return data;
}

/** Statements that the server runs before it listens; one per line. */
function writeInitFile(folder) {
  const secretFile = join(folder, 'secret');
  if (!existsSync(secretFile)) writeFileSync(secretFile, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
  const secret = readFileSync(secretFile, 'utf8').trim();
  const account = `'${USER}'@'127.0.0.1'`;
  const path = join(folder, 'init.sql');
  const statements = [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${secret}';`,
    `ALTER USER ${account} IDENTIFIED BY '${secret}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${account} WITH GRANT OPTION;`,
    `CREATE DATABASE IF NOT EXISTS ${SCHEMA};`,
  ];
  writeFileSync(path, `${statements.join('\n')}\n`, { mode: 0o600 });
  return path;
}

/** The server greets only when it is ready, and after the statements of its init file. */
function greets(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(2000, () => socket.destroy());
    socket.once('data', (bytes) => {
      resolve(bytes[4] === 10); // the protocol's version; an error packet has 255 there
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}

function serverArguments(folder, data, port, programs) {
  const engineOnly =
    programs.engine === 'mariadb'
      ? ['--binlog-format=ROW', '--innodb-log-file-size=134217728']
      : ['--mysqlx=OFF', '--secure-file-priv=', '--innodb-redo-log-capacity=268435456'];
  const sockets = socketFolder(folder);
  return [
    '--no-defaults',
    ...asRoot(),
    `--datadir=${data}`,
    `--port=${port}`,
    '--bind-address=127.0.0.1',
    `--socket=${join(sockets, 'db.sock')}`,
    `--pid-file=${join(sockets, 'db.pid')}`,
    `--tmpdir=${sockets}`,
    `--init-file=${writeInitFile(folder)}`,
    `--log-bin=${join(data, 'binlog')}`,
    '--skip-name-resolve',
    ...Object.entries(DATABASE_SETTINGS).map(([name, value]) => `--${name}=${value}`),
    ...engineOnly,
  ];
}

/** Starts the database unless it runs; answers its port when it takes connections. */
export async function startDatabase(folder, programs, wishedPort) {
  const data = await makeDataFolder(folder, programs);
  const log = join(folder, 'database.log');
  let server = findDatabase(folder);
  let state = { ended: undefined };
  let starts = 0;
  for (let waited = 0; waited < READY_MS; waited += 50) {
    if (server !== undefined && (await greets(server.port))) return server.port;
    if (server === undefined) {
      // Somebody may take the port between the look and the start; then another one does.
      const port = await freePort(starts === 0 ? wishedPort : 0);
      state = startDetached(programs.database, serverArguments(folder, realpathSync(data), port, programs), { cwd: data, log });
      server = { port };
      starts += 1;
    }
    if (state.ended !== undefined) {
      if (starts === STARTS_MAX) break;
      server = undefined;
      continue;
    }
    await sleep(50);
  }
  say(`The database did not start (${state.ended ?? `not ready after ${READY_MS / 1000} s`}). The end of ${log}:`);
  throw new Stop(readFileSync(log, 'utf8').split('\n').slice(-15).join('\n'));
}
