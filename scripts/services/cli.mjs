/** `node scripts/services/cli.mjs start|stop|status [name]`: private servers by hand; what `start` starts stays up until `stop`. */

import { instanceNames, servicesStatus, startServices, stopServices } from './index.mjs';
import { Stop } from './processes.mjs';

const [verb, name] = process.argv.slice(2);
const print = (line) => process.stdout.write(`${line}\n`);

function printStatus(instance) {
  const { databaseUrl, redisUrl, users } = servicesStatus(instance);
  print(
    `${instance}: ${databaseUrl ?? 'no database'} ${redisUrl ?? 'no redis'}${users.length > 0 ? ` used by ${users.join(', ')}` : ''}`,
  );
}

const verbs = {
  start: async () => {
    const { databaseUrl, redisUrl } = await startServices(name ?? 'local', { keep: true });
    print(`DATABASE_URL=${databaseUrl}\nREDIS_URL=${redisUrl}`);
  },
  stop: async () => {
    for (const instance of name === undefined ? instanceNames() : [name]) {
      print(`${instance}: ${(await stopServices(instance)) ? 'stopped' : 'was not running'}`);
    }
  },
  status: async () => {
    for (const instance of name === undefined ? instanceNames() : [name]) printStatus(instance);
  },
};

try {
  if (!Object.hasOwn(verbs, verb ?? '')) throw new Stop('usage: node scripts/services/cli.mjs start|stop|status [name]');
  await verbs[verb]();
} catch (error) {
  process.stderr.write(`${error instanceof Stop ? error.message : error.stack}\n`);
  process.exitCode = 1;
}
