/**
 * Processes, ports and locks for the private servers. The process table is the only truth about what runs: a pid written to a
 * file goes stale, so a server is found by its program's name and by the folder it works in. Linux only (`/proc`).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

export const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));

/** Progress goes to stderr, so that what a command prints stays clean. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** A sentence for the person at the keyboard; printed without a stack. */
export class Stop extends Error {}

/** State and start time of a process, or undefined when there is none (a zombie counts as none). */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' '); // the name before it may hold spaces
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { startedAt: fields[19] };
  } catch {
    return undefined;
  }
}

/** `<pid>-<start>`: names one process for ever, though pids are used again. */
export function identityOf(pid) {
  const stat = statOf(pid);
  return stat === undefined ? undefined : `${pid}-${stat.startedAt}`;
}

/** @param {string} identity as `identityOf` gives it; what follows a second hyphen is not part of it */
export function isAlive(identity) {
  const [pid, startedAt] = identity.split('-');
  return statOf(pid)?.startedAt === startedAt;
}

/** The server whose program has one of `names` and which works in `folder`: its identity and the port on its command line. */
export function findServer(names, folder) {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (!names.includes(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) continue;
      if (readlinkSync(`/proc/${pid}/cwd`) !== folder) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      // Redis writes its address over its arguments.
      const port = /--port[= ](\d+)/.exec(command) ?? /127\.0\.0\.1:(\d+)/.exec(command);
      const identity = identityOf(pid);
      if (port !== null && identity !== undefined) return { identity, port: Number(port[1]) };
    } catch {
      // Gone meanwhile, or another user's.
    }
  }
  return undefined;
}

/** Starts a program that outlives this process, in its own session, with its output in a log file. */
export function startDetached(command, args, { cwd, log }) {
  const output = openSync(log, 'w', 0o600);
  const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  child.unref();
  const state = { ended: undefined };
  child.on('error', (error) => {
    state.ended = error.message;
  });
  child.on('exit', (code, signal) => {
    state.ended = `ended with ${signal ?? code}`;
  });
  return state;
}

/** Asks the process to end, waits for it, and ends it by force after `patienceMs`. */
export async function endProcess(identity, patienceMs) {
  const pid = Number(identity.split('-')[0]);
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    for (let waited = 0; waited <= patienceMs; waited += 20) {
      if (!isAlive(identity)) return;
      if (waited === 0) process.kill(pid, signal);
      await sleep(20);
    }
  }
  throw new Stop(`process ${pid} does not end`);
}

/** Runs a program to its end; its output goes to stderr, or is kept for the error with `quiet`. */
export function run(command, args, { quiet = false, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', quiet ? 'pipe' : 2, quiet ? 'pipe' : 2], ...options });
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else reject(new Stop(`${command} ${args[0] ?? ''} ended with ${signal ?? code}\n${output.slice(-2000)}`.trim()));
    });
  });
}

/** A free port of the loopback address: `wished` when nobody has it, any other else. */
export function freePort(wished = 0) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', (error) => (wished === 0 ? reject(error) : resolve(freePort())));
    probe.listen({ port: wished, host: '127.0.0.1', exclusive: true }, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

export const shortHash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/**
 * Runs `work` while no other process of this machine holds the lock of that name. The lock is a socket in the kernel's
 * abstract namespace: it goes with its process, however that ends, and leaves no file behind.
 */
export async function withLock(name, work, patienceMs = 600_000) {
  const listen = () =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.on('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
      server.listen(`\0cunguan-${shortHash(name)}`, () => resolve(server));
    });
  for (let waited = 0; waited < patienceMs; waited += 50) {
    const held = await listen();
    if (held !== undefined) {
      try {
        return await work();
      } finally {
        await new Promise((done) => held.close(done));
      }
    }
    if (waited === 2000) say(`waiting for another process at work in ${name}`);
    await sleep(50);
  }
  throw new Stop(`another process has been at work in ${name} for ${patienceMs / 60_000} minutes`);
}
