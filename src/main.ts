import { createApp, openParts } from './app.js';
import { ensureShards } from './ledger/index.js';
import { ConfigInvalid, createRuntime, faultOf, listen, parseConfig } from './runtime/index.js';

/** The API process: starts, says on stdout that it is ready and where, and stops gracefully on SIGTERM or SIGINT. */
async function main(): Promise<void> {
  const runtime = await createRuntime(parseConfig(process.env), 'api');
  const { config, log } = runtime;
  await runtime.db.withTx(
    'shards',
    (tx) => ensureShards(tx, config.SHARDS),
    async () => undefined,
  );
  const parts = await openParts(runtime);
  const api = await listen(createApp(runtime, parts), { host: config.HOST, port: config.PORT });
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ event: 'stopping', signal });
    await api.stop();
    await parts.answers.close();
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
  log.info({ event: 'ready', url: api.url });
  process.stdout.write(`${JSON.stringify({ ready: true, url: api.url })}\n`);
}

main().catch((error: unknown) => {
  const why = error instanceof ConfigInvalid ? error.message : JSON.stringify(faultOf(error));
  process.stderr.write(`The API did not start:\n${why}\n`);
  process.exit(1);
});
