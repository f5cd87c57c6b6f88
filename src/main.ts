import { createApp, openParts } from './app.js';
import { ensureShards } from './ledger/index.js';
import { openFileServer } from './reporting/index.js';
import { listen, runProcess } from './runtime/index.js';

/** The API process. */
runProcess('api', process.env, async (runtime) => {
  const { config, db } = runtime;
  await db.withTx(
    'shards',
    (tx) => ensureShards(tx, config.SHARDS),
    async () => undefined,
  );
  const parts = await openParts(runtime);
  const files = await openFileServer(runtime);
  const api = await listen(createApp(runtime, parts), { host: config.HOST, port: config.PORT });
  return {
    url: api.url,
    async stop() {
      await Promise.all([api.stop(), files?.stop()]);
      await parts.answers.close();
    },
  };
});
