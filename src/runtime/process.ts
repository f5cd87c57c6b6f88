import { ConfigInvalid, parseConfig } from './config.js';
import { faultOf } from './log.js';
import { createRuntime, type StartedRuntime } from './start.js';

/** What a process does once its runtime is there. */
export interface Running {
  readonly url: string;
  /** Lets what is at work finish; the runtime is closed afterwards. */
  stop(): Promise<void>;
}

type Begin = (runtime: StartedRuntime) => Promise<Running>;

/**
 * The life of a process: it says on stdout that it is ready and where, stops once on SIGTERM or SIGINT, and says on stderr why it did not
 * start.
 */
export function runProcess(service: 'api' | 'worker', env: NodeJS.ProcessEnv, begin: Begin): void {
  start(service, env, begin).catch((error: unknown) => {
    const why = error instanceof ConfigInvalid ? error.message : JSON.stringify(faultOf(error));
    process.stderr.write(`The ${service} did not start:\n${why}\n`);
    process.exit(1);
  });
}

async function start(service: 'api' | 'worker', env: NodeJS.ProcessEnv, begin: Begin): Promise<void> {
  const runtime = await createRuntime(parseConfig(env), service);
  const { log } = runtime;
  const running = await begin(runtime);
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ event: 'stopping', signal });
    await running.stop();
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
  log.info({ event: 'ready', url: running.url });
  process.stdout.write(`${JSON.stringify({ ready: true, url: running.url })}\n`);
}
