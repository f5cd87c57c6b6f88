import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { TEST_KEYS } from '../support/database.js';

/** The worker as a process of its own, as `npm run worker` starts it. */
export interface WorkerProcess {
  readonly url: string;
  readonly pid: number;
  /** Answers the exit code, or the signal that ended it. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string | null>;
}

export async function startWorkerProcess(env: Record<string, string>): Promise<WorkerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'jobs/main.ts'], {
    env: { PATH: process.env.PATH ?? '', ...TEST_KEYS, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  const { url } = JSON.parse(await firstLine(child, ended)) as { url: string };
  return {
    url,
    pid: child.pid as number,
    end: (signal) => {
      child.kill(signal);
      return ended;
    },
  };
}

async function firstLine(child: ChildProcess, ended: Promise<unknown>): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const line = new Promise<string>((resolve) => lines.once('line', resolve));
  const early = ended.then((how) => Promise.reject(new Error(`the worker ended with ${how} before it was ready`)));
  return Promise.race([line, early]);
}
