import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** One process of the service under test, which said that it is ready. */
export interface Running {
  readonly name: string;
  /** Where it listens; empty when it did not say. */
  readonly url: string;
}

const READY_MS = 180_000;
const STOP_MS = 20_000;

/**
 * The processes that the run starts: each a program of its own, its log a file of its own. They are stopped in the reverse order
 * of their start, and none outlives this process.
 */
export class Processes {
  readonly #logs: string;
  readonly #children: { readonly name: string; readonly child: ChildProcess; readonly ended: Promise<void> }[] = [];
  readonly #killed = new Set<ChildProcess>();
  #stopping = false;
  #fail: (error: Error) => void = () => undefined;
  /** Rejects when a process ends that should not have; never resolves. */
  readonly failed: Promise<never>;

  /** @param logs an existing folder */
  constructor(logs: string) {
    this.#logs = logs;
    this.failed = new Promise<never>((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined); // whoever waits for something races against it
    process.on('exit', () => {
      for (const { child } of this.#children) child.kill('SIGKILL');
    });
  }

  /**
   * Starts a program of the checkout and waits until it prints a line of JSON, which says that it is ready and where.
   * @throws when it ends before, or says nothing for a minute; the end of its log is in the message
   */
  async start(name: string, program: readonly string[], env: Readonly<Record<string, string>>): Promise<Running> {
    if (this.#stopping) throw new Error(`The ${name} was not started: the run is being stopped.`);
    const path = join(this.#logs, `${name}.log`);
    const log = openSync(path, 'w');
    const child = spawn(process.execPath, ['--import', 'tsx', ...program], {
      stdio: ['ignore', 'pipe', log],
      env: { ...process.env, ...env },
    });
    closeSync(log);
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    this.#children.push({ name, child, ended });
    const url = await new Promise<string>((resolve, reject) => {
      const why = (what: string) => new Error(`The ${name} ${what}. The end of ${basename(path)}:\n${endOf(path)}`);
      const timer = setTimeout(() => reject(why('did not get ready within three minutes')), READY_MS);
      void ended.then(() => {
        clearTimeout(timer);
        const error = why('ended');
        reject(error);
        if (!this.#stopping && !this.#killed.has(child)) this.#fail(error);
      });
      // Read to the end, so that the pipe never fills up.
      createInterface({ input: child.stdout as Readable }).on('line', (line) => {
        const said = parseJson(line);
        if (said === undefined) return;
        clearTimeout(timer);
        resolve(typeof said.url === 'string' ? said.url : '');
      });
    });
    return { name, url };
  }

  /** Ends a process at once and without a word, as a power cut would. */
  async kill(name: string): Promise<void> {
    const place = this.#children.findIndex((each) => each.name === name);
    const [found] = place < 0 ? [] : this.#children.splice(place, 1);
    if (found === undefined) throw new Error(`There is no process ${name}.`);
    this.#killed.add(found.child);
    found.child.kill('SIGKILL');
    await found.ended;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child, ended } of this.#children.reverse()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }
    this.#children.length = 0;
  }
}

function parseJson(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const END_BYTES = 8_192;

/** The last lines of a log, which may be of any length. */
function endOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, END_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8').trimEnd().split('\n').slice(-20).join('\n');
  } finally {
    closeSync(file);
  }
}
