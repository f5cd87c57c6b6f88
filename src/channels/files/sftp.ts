import type { KeyObject } from 'node:crypto';
import type { Client, SFTPWrapper } from 'ssh2';
import { assertNoTx } from '../../runtime/index.js';
import { BankUnreachable } from '../port.js';
import { openSshPrivateKey, sshFingerprint } from './ssh-key.js';

export interface SftpOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Our own key, Ed25519. */
  readonly key: KeyObject;
  /** `SHA256:…` of the host's key: no other host is talked to. */
  readonly hostKey: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
}

/** A folder of files at another house. Every method throws BankUnreachable when there is no usable answer. */
export interface RemoteFiles {
  list(folder: string): Promise<string[]>;
  /** The bytes from an offset to the end. */
  read(path: string, from: number): AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** One into which we may write as well. */
export interface RemoteFolder extends RemoteFiles {
  /** Whether a file is there. */
  has(path: string): Promise<boolean>;
  /** Writes a file, or over it. It may be there in part when this fails. */
  write(path: string, chunks: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void>;
}

const CHUNK_BYTES = 32_768; // the most that every server answers to one request

/** Connects at the first call and again after a failure; the connection stays open in between. Nothing is asked twice here. */
export function sftpFiles(options: SftpOptions): RemoteFolder {
  let open: Promise<{ client: Client; sftp: SFTPWrapper }> | undefined;
  const drop = async () => {
    const before = open;
    open = undefined;
    const connected = await before?.catch(() => undefined);
    connected?.client.destroy();
  };
  /** One answer, or the connection is given up: what would still come over it is not for the next question. */
  const ask = async <T>(what: string, start: (sftp: SFTPWrapper, done: (error: unknown, value?: T) => void) => void) => {
    assertNoTx(what);
    open ??= connect(options);
    const mine = open;
    try {
      const { client, sftp } = await mine;
      return await answerOf<T>(client, options.timeoutMs, (done) => start(sftp, done));
    } catch (error) {
      if (open === mine) await drop();
      throw new BankUnreachable(what, error instanceof Error ? error.message : String(error));
    }
  };
  return {
    async list(folder) {
      const entries = await ask<{ filename: string }[]>(`list ${folder}`, (sftp, done) => sftp.readdir(folder, done));
      return entries.map(({ filename }) => filename);
    },
    async *read(path, from) {
      const what = `read ${path}`;
      const handle = await ask<Buffer>(what, (sftp, done) => sftp.open(path, 'r', done));
      try {
        for (let at = from; ; ) {
          const into = Buffer.alloc(CHUNK_BYTES);
          const count = await ask<number>(what, (sftp, done) => {
            sftp.read(handle, into, 0, CHUNK_BYTES, at, (error, bytes) =>
              isEnd(error) ? done(undefined, 0) : done(error, bytes),
            );
          });
          if (count === 0) return;
          yield into.subarray(0, count);
          at += count;
        }
      } finally {
        // After a failure there is no connection to close it on, and after a success nothing hangs on it.
        if (open !== undefined) await ask(`close ${path}`, (sftp, done) => sftp.close(handle, done)).catch(() => undefined);
      }
    },
    has: (path) =>
      ask<boolean>(`look for ${path}`, (sftp, done) =>
        sftp.stat(path, (error) => (isMissing(error) ? done(undefined, false) : done(error, true))),
      ),
    async write(path, chunks) {
      const what = `write ${path}`;
      const handle = await ask<Buffer>(what, (sftp, done) => sftp.open(path, 'w', done));
      let at = 0;
      for await (const chunk of chunks) {
        for (let from = 0; from < chunk.length; from += CHUNK_BYTES) {
          const part = chunk.subarray(from, from + CHUNK_BYTES);
          const place = at;
          await ask(what, (sftp, done) => sftp.write(handle, part, 0, part.length, place, done));
          at += part.length;
        }
      }
      await ask(what, (sftp, done) => sftp.close(handle, done)); // only then the other side has taken it
    },
    close: drop,
  };
}

const STATUS_NO_SUCH_FILE = 2;

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === STATUS_NO_SUCH_FILE;
}

const STATUS_EOF = 1;

function isEnd(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === STATUS_EOF;
}

async function connect({ host, port, user, key, hostKey, timeoutMs, connectTimeoutMs }: SftpOptions) {
  const { Client: SshClient } = (await import('ssh2')).default; // a large package, which most processes never need
  const client = new SshClient();
  client.on('error', () => undefined); // whoever waits for an answer hears of it; nobody else has to
  try {
    await answerOf(client, connectTimeoutMs + timeoutMs, (done) => {
      client.once('ready', () => done(undefined, true));
      client.connect({
        ...{ host, port, username: user, privateKey: openSshPrivateKey(key), readyTimeout: 0 },
        hostVerifier: (wire: Buffer) => sshFingerprint(wire) === hostKey,
      });
    });
    const sftp = await answerOf<SFTPWrapper>(client, timeoutMs, (done) => client.sftp(done));
    return { client, sftp };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** What is answered within the time, unless the connection ends before. */
function answerOf<T>(client: Client, timeoutMs: number, start: (done: (error: unknown, value?: T) => void) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => end(new Error('no answer in time')), timeoutMs);
    const lost = (error?: Error) => end(error ?? new Error('the connection was lost'));
    const closed = () => lost();
    const end = (error: unknown, value?: T) => {
      clearTimeout(timer);
      client.off('error', lost);
      client.off('close', closed);
      if (error === undefined || error === null) resolve(value as T);
      else reject(error);
    };
    client.on('error', lost);
    client.on('close', closed);
    try {
      start(end);
    } catch (error) {
      end(error);
    }
  });
}
