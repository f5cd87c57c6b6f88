/** Finds the server programs, and installs the Debian packages where they are missing and this user may. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { run, Stop, say } from './processes.mjs';

const PACKAGES = ['mariadb-server-core', 'mariadb-client-core', 'redis-server'];
const INSTALL = ['install', '-y', '--no-install-recommends', ...PACKAGES];

/** The full path of the first of `names` that is on the machine; servers often live where an ordinary PATH does not look. */
function programPath(...names) {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin'];
  for (const name of names) {
    for (const folder of folders.filter((entry) => entry !== '')) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

function findPrograms() {
  const database = programPath('mariadbd', 'mysqld');
  const redis = programPath('redis-server');
  if (database === undefined || redis === undefined) return undefined;
  const version = spawnSync(database, ['--no-defaults', '--version'], { encoding: 'utf8' }).stdout ?? '';
  const engine = version.includes('MariaDB') ? 'mariadb' : 'mysql';
  const installDb = programPath('mariadb-install-db', 'mysql_install_db');
  if (engine === 'mariadb' && (installDb === undefined || programPath('my_print_defaults') === undefined)) return undefined;
  return { database, engine, installDb, redis };
}

/**
 * @returns {Promise<{database: string, engine: 'mariadb' | 'mysql', installDb: string | undefined, redis: string}>}
 * @throws Stop with the one command to run, where the programs are missing and this user may not install them
 */
export async function requirePrograms() {
  const found = findPrograms();
  if (found !== undefined) return found;
  const root = process.getuid?.() === 0;
  const byHand = `apt-get update && ${root ? '' : 'sudo '}apt-get ${INSTALL.join(' ')}`;
  const missing = 'MariaDB (or MySQL) and Redis are not on this machine';
  const elsewhere = 'or set DATABASE_URL and REDIS_URL to servers that run already';
  const prefix = root ? [] : ['sudo', '-n'];
  const mayInstall =
    programPath('apt-get') !== undefined &&
    (root || (programPath('sudo') !== undefined && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0));
  if (!mayInstall) throw new Stop(`${missing}. Run: ${root ? '' : 'sudo '}${byHand}\n(${elsewhere})`);
  say(`${missing}: installing ${PACKAGES.join(', ')}`);
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
    return run(command, rest, { quiet: true });
  };
  try {
    await apt('-o', 'DPkg::Lock::Timeout=120', 'update');
    await apt('-o', 'DPkg::Lock::Timeout=120', ...INSTALL);
  } catch (error) {
    throw new Stop(`${error.message}\nInstalling failed. Try by hand: ${byHand}\n(${elsewhere})`);
  }
  const installed = findPrograms();
  if (installed === undefined) throw new Stop(`${missing}, even after installing ${PACKAGES.join(', ')} (${elsewhere})`);
  return installed;
}
