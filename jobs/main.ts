import { openChannels } from '../src/channels/index.js';
import { createDesk } from '../src/dispatch/index.js';
import { Refused, refuse } from '../src/kernel/index.js';
import { ensureShards } from '../src/ledger/index.js';
import {
  ConfigInvalid,
  createHttpApp,
  createRuntime,
  faultOf,
  listen,
  parseConfig,
  type StartedRuntime,
} from '../src/runtime/index.js';
import { startWorkers } from './worker.js';

/** The worker process: runs the jobs, answers health and metrics, and stops gracefully on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const runtime = await createRuntime(parseConfig(process.env), 'worker');
  const { config, log } = runtime;
  await runtime.db.withTx(
    'shards',
    (tx) => ensureShards(tx, config.SHARDS),
    async () => undefined,
  );
  const channels = openChannels({ bankUrl: config.BANK_URL });
  const workers = await startWorkers(createDesk(runtime, channels));
  const health = await listen(healthApp(runtime), { host: config.HOST, port: config.METRICS_PORT });
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ event: 'stopping', signal });
    await workers.close();
    await channels.close();
    await health.stop();
    await runtime.close();
    log.info({ event: 'stopped' });
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      stop(signal).catch((error: unknown) => {
        log.fatal({ event: 'stop-failed', error: faultOf(error) });
        process.exitCode = 1;
      });
    });
  }
  log.info({ event: 'ready', url: health.url });
  process.stdout.write(`${JSON.stringify({ ready: true, url: health.url })}\n`);
}

/** Health and metrics alone: nobody signs in here. */
function healthApp(runtime: StartedRuntime) {
  const nobody = async () => {
    throw new Refused(refuse('NOT_FOUND'));
  };
  const audit = { append: async () => undefined, isDone: async () => false };
  return createHttpApp({ routes: [], authenticate: { platform: nobody, operator: nobody }, audit, runtime });
}

main().catch((error: unknown) => {
  const why = error instanceof ConfigInvalid ? error.message : JSON.stringify(faultOf(error));
  process.stderr.write(`The worker did not start:\n${why}\n`);
  process.exit(1);
});
