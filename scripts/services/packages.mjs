/** Finds the programs that are no npm packages, and installs their Debian packages where they are missing and this user may. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { run, Stop, say, withLock } from './processes.mjs';

const SERVERS = ['mariadb-server-core', 'mariadb-client-core', 'redis-server'];

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
 * @param {string[]} packages
 * @param {string} missing a sentence without its end
 * @param {string} elsewhere what else would do, in brackets
 * @throws Stop with the one command to run, where this user may not install
 */
async function install(packages, missing, elsewhere) {
  const arguments_ = ['install', '-y', '--no-install-recommends', ...packages];
  const root = process.getuid?.() === 0;
  const byHand = `apt-get update && ${root ? '' : 'sudo '}apt-get ${arguments_.join(' ')}`;
  const prefix = root ? [] : ['sudo', '-n'];
  const mayInstall =
    programPath('apt-get') !== undefined &&
    (root || (programPath('sudo') !== undefined && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0));
  if (!mayInstall) throw new Stop(`${missing}. Run: ${root ? '' : 'sudo '}${byHand}\n${elsewhere}`);
  say(`${missing}: installing ${packages.join(', ')}`);
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', ...args];
    return run(command, rest, { quiet: true });
  };
  try {
    await apt('-o', 'DPkg::Lock::Timeout=120', 'update');
    await apt('-o', 'DPkg::Lock::Timeout=120', ...arguments_);
  } catch (error) {
    throw new Stop(`${error.message}\nInstalling failed. Try by hand: ${byHand}\n${elsewhere}`);
  }
}

/**
 * @returns {Promise<{database: string, engine: 'mariadb' | 'mysql', installDb: string | undefined, redis: string}>}
 * @throws Stop with the one command to run, where the programs are missing and this user may not install them
 */
export async function requirePrograms() {
  const found = findPrograms();
  if (found !== undefined) return found;
  const missing = 'MariaDB (or MySQL) and Redis are not on this machine';
  const elsewhere = '(or set DATABASE_URL and REDIS_URL to servers that run already)';
  await install(SERVERS, missing, elsewhere);
  const installed = findPrograms();
  if (installed === undefined) throw new Stop(`${missing}, even after installing ${SERVERS.join(', ')} ${elsewhere}`);
  return installed;
}

/**
 * The programs of plain-text accounting that tests let read the exported books.
 * @throws Stop with the one command to run, where they are missing and this user may not install them
 */
export async function requireAccounting() {
  const missing = () =>
    programPath('hledger') === undefined || programPath('bean-check') === undefined || programPath('bean-query') === undefined;
  if (!missing()) return;
  await withLock('accounting', async () => {
    if (!missing()) return; // another process may just have installed them
    await install(['hledger', 'beancount'], 'hledger or beancount is not on this machine', '');
    if (missing()) throw new Stop('hledger or beancount is not on this machine, even after installing them');
  });
}

const CJK_FONT = '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc';

function hasChineseFont() {
  if (existsSync(CJK_FONT)) return true;
  const list = programPath('fc-list');
  return list !== undefined && (spawnSync(list, [':lang=zh-cn', 'family'], { encoding: 'utf8' }).stdout ?? '').trim() !== '';
}

/**
 * A Chromium for tests that look at a page as a person does, and a font in which its Chinese can be read (for the pictures; where it
 * cannot be installed they show boxes, and nothing else changes).
 * @returns {Promise<string>} the path of the program
 * @throws Stop with the one command to run, where it is missing and this user may not install it
 */
export async function requireBrowser() {
  const find = () => programPath('chromium', 'chromium-browser', 'google-chrome');
  const found = find();
  if (found !== undefined && hasChineseFont()) return found;
  return withLock('chromium', () => installBrowser(find));
}

async function installBrowser(find) {
  const found = find(); // another process may just have installed it
  if (found !== undefined && hasChineseFont()) return found;
  const packages = [...(found === undefined ? ['chromium'] : []), 'fonts-noto-cjk'];
  try {
    await install(packages, 'A browser or a Chinese font for its pictures is not on this machine', '');
  } catch (error) {
    if (found === undefined) throw error;
    say(error.message);
  }
  const installed = find();
  if (installed === undefined) throw new Stop('Chromium is not on this machine, even after installing it');
  return installed;
}
