/**
 * Private MariaDB and Redis servers in `.local/<name>/` of the checkout, on free ports of the loopback address.
 *
 * Several processes may use one instance. Each notes itself in `users/`; the last one to leave stops the servers, and a note
 * whose process has died does not count. With DATABASE_URL and REDIS_URL set nothing is started and nothing is stopped.
 * Depends on Node alone: it runs before any package is installed.
 */
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { databaseUrl, findDatabase, startDatabase, stopDatabase } from './mariadb.mjs';
import { requirePrograms } from './packages.mjs';
import { freePort, identityOf, isAlive, Stop, say, withLock } from './processes.mjs';
import { findRedis, redisUrl, startRedis, stopRedis } from './redis.mjs';

export { freePort };

const root = realpathSync(join(dirname(fileURLToPath(import.meta.url)), '..', '..'));
/** The note of an instance that was started to stay. */
const KEPT = 'kept';

let starts = 0;

function folderOf(name) {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name))
    throw new Stop(`"${name}" is no name for an instance: lower case letters, digits, hyphens`);
  return join(root, '.local', name);
}

function usersOf(folder) {
  const users = join(folder, 'users');
  mkdirSync(users, { recursive: true, mode: 0o700 });
  return readdirSync(users).filter((note) => {
    if (note === KEPT || isAlive(note)) return true;
    rmSync(join(users, note), { force: true });
    return false;
  });
}

/** Ports stay the same from start to start while they are free, so that an address noted down stays good. */
function rememberedPorts(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'ports.json'), 'utf8'));
  } catch {
    return { database: 0, redis: 0 };
  }
}

/** The servers that are named from outside, if they are. */
function externalServers() {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (!DATABASE_URL && !REDIS_URL) return undefined;
  if (!DATABASE_URL || !REDIS_URL) throw new Stop('Set both DATABASE_URL and REDIS_URL to use servers of your own, or neither');
  return { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL };
}

async function stopServers(folder) {
  const database = findDatabase(folder);
  const redis = findRedis(folder);
  await Promise.all([database && stopDatabase(folder, database.identity), redis && stopRedis(redis.identity)]);
  return database !== undefined || redis !== undefined;
}

async function startServers(folder, programs) {
  const ports = rememberedPorts(folder);
  const [database, redis] = await Promise.all([
    startDatabase(folder, programs, ports.database),
    startRedis(folder, programs, ports.redis),
  ]);
  writeFileSync(join(folder, 'ports.json'), `${JSON.stringify({ database, redis })}\n`);
  return { databaseUrl: databaseUrl(folder, database), redisUrl: redisUrl(redis) };
}

/**
 * Starts the servers of the instance `name`, or joins those that run.
 * @param {string} name
 * @param {{ keep?: boolean, fresh?: boolean }} [options] keep: they stay up until `stopServices`; fresh: empty data, unless
 *   somebody is using the instance already
 * @returns {Promise<{ databaseUrl: string, redisUrl: string, external: boolean, alone: boolean, stop: () => Promise<void> }>}
 *   `alone`: nobody else was using them; `stop` leaves, and stops them when nobody else is left
 * @throws Stop with a sentence for the person at the keyboard
 */
export async function startServices(name, { keep = false, fresh = false } = {}) {
  const external = externalServers();
  if (external !== undefined) return { ...external, external: true, alone: false, stop: () => Promise.resolve() };
  if (process.platform !== 'linux') {
    throw new Stop('Private servers run on Linux. Elsewhere use `docker compose up`, or set DATABASE_URL and REDIS_URL');
  }
  const folder = folderOf(name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return withLock(folder, async () => {
    const programs = await requirePrograms();
    const others = usersOf(folder);
    if (fresh && others.length === 0) {
      await stopServers(folder);
      for (const data of ['mariadb', 'mysql', 'redis']) rmSync(join(folder, data), { recursive: true, force: true });
    }
    starts += 1;
    const note = keep ? KEPT : `${identityOf(process.pid)}-${starts}`;
    const path = join(folder, 'users', note);
    writeFileSync(path, '');
    try {
      const urls = await startServers(folder, programs);
      return { ...urls, external: false, alone: others.length === 0, stop: () => leave(folder, path) };
    } catch (error) {
      rmSync(path, { force: true });
      if (others.length === 0) await stopServers(folder);
      throw error;
    }
  });
}

function leave(folder, path) {
  return withLock(folder, async () => {
    rmSync(path, { force: true });
    if (usersOf(folder).length === 0) await stopServers(folder);
  });
}

/** Stops the instance, whoever uses it. Answers whether anything ran. */
export function stopServices(name) {
  const folder = folderOf(name);
  return withLock(folder, async () => {
    const users = usersOf(folder).filter((note) => note !== KEPT);
    if (users.length > 0) say(`still used by process ${users.map((note) => note.split('-')[0]).join(', ')}`);
    rmSync(join(folder, 'users'), { recursive: true, force: true });
    return stopServers(folder);
  });
}

/** What runs of the instance, and for whom. */
export function servicesStatus(name) {
  const folder = folderOf(name);
  const database = findDatabase(folder);
  const redis = findRedis(folder);
  return {
    databaseUrl: database && databaseUrl(folder, database.port),
    redisUrl: redis && redisUrl(redis.port),
    users: usersOf(folder),
  };
}

/** The instances that this checkout has made. */
export function instanceNames() {
  try {
    return readdirSync(join(root, '.local'));
  } catch {
    return [];
  }
}
