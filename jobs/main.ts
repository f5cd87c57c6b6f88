import { openChannels, settingsOf } from '../src/channels/index.js';
import { createDesk } from '../src/dispatch/index.js';
import { Refused, refuse } from '../src/kernel/index.js';
import { ensureShards } from '../src/ledger/index.js';
import { createHttpApp, listen, runProcess, type StartedRuntime } from '../src/runtime/index.js';
import { startWorkers } from './worker.js';

/** The worker process: runs the jobs, and answers health and metrics. */
runProcess('worker', process.env, async (runtime) => {
  const { config, db } = runtime;
  await db.withTx(
    'shards',
    (tx) => ensureShards(tx, config.SHARDS),
    async () => undefined,
  );
  const channels = openChannels(settingsOf(config));
  const workers = await startWorkers(createDesk(runtime, channels));
  const health = await listen(healthApp(runtime), { host: config.HOST, port: config.METRICS_PORT });
  return {
    url: health.url,
    async stop() {
      await workers.close();
      await channels.close();
      await health.stop();
    },
  };
});

/** Health and metrics alone: nobody signs in here. */
function healthApp(runtime: StartedRuntime) {
  const nobody = async () => {
    throw new Refused(refuse('NOT_FOUND'));
  };
  const audit = { append: async () => undefined, isDone: async () => false };
  return createHttpApp({ routes: [], authenticate: { platform: nobody, operator: nobody }, audit, runtime });
}
