/** A private Redis of one instance folder. */
import { mkdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { endProcess, findServer, freePort, Stop, say, sleep, startDetached } from './processes.mjs';
import { REDIS_SETTINGS } from './settings.mjs';

const READY_MS = 30_000;
const STARTS_MAX = 3;
const dataFolder = (folder) => join(folder, 'redis');

export const findRedis = (folder) => findServer(['redis-server'], dataFolder(folder));
export const redisUrl = (port) => `redis://127.0.0.1:${port}`;
export const stopRedis = (identity) => endProcess(identity, 10_000);

/** Answers PING with PONG: up, and done with loading its file. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(2000, () => socket.destroy());
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => {
      resolve(bytes.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}

/** Starts Redis unless it runs; answers its port when it takes commands. */
export async function startRedis(folder, programs, wishedPort) {
  const data = dataFolder(folder);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const log = join(folder, 'redis.log');
  let server = findRedis(folder);
  let state = { ended: undefined };
  let starts = 0;
  for (let waited = 0; waited < READY_MS; waited += 20) {
    if (server !== undefined && (await answers(server.port))) return server.port;
    if (server === undefined) {
      // Somebody may take the port between the look and the start; then another one does.
      const port = await freePort(starts === 0 ? wishedPort : 0);
      const settings = Object.entries(REDIS_SETTINGS).flatMap(([name, value]) => [`--${name}`, value]);
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', data, '--daemonize', 'no', ...settings];
      state = startDetached(programs.redis, args, { cwd: data, log });
      server = { port };
      starts += 1;
    }
    if (state.ended !== undefined) {
      if (starts === STARTS_MAX) break;
      server = undefined;
      continue;
    }
    await sleep(20);
  }
  say(`Redis did not start (${state.ended ?? `not ready after ${READY_MS / 1000} s`}). The end of ${log}:`);
  throw new Stop(readFileSync(log, 'utf8').split('\n').slice(-15).join('\n'));
}
