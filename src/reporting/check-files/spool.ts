import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { Refused, refuse } from '../../kernel/index.js';
import { namelessFile, type Runtime } from '../../runtime/index.js';
import { making } from '../turnstile.js';
import type { CheckFile } from './columns.js';
import { digester, encoded, type FileEncoding } from './format.js';
import { alarm, type Day, filesOfDay, isSameDigest, writeFiles } from './make.js';
import type { KeptFile } from './store.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'clock' | 'log' | 'metrics'>;

export interface WantedFile extends Day {
  readonly file: CheckFile;
  readonly encoding: FileEncoding;
  readonly gzip: boolean;
}

/** A file that was made again and found to be the one that was kept. Whoever has it closes it. */
export interface Spooled {
  readonly kept: KeptFile;
  readonly handle: FileHandle;
  /** As it goes out: packed, if it was wanted so. */
  readonly bytes: number;
}

/**
 * Makes a file of a past day again and holds it against what was kept, before anybody gets a byte of it.
 * @throws Refused NOT_FOUND, FILE_NOT_READY, FILE_DIFFERS (with an alarm), OVERLOADED
 */
export async function spool(rt: Parts, wanted: WantedFile): Promise<Spooled> {
  const kept = (await filesOfDay(rt, wanted)).find(({ file }) => file === wanted.file);
  if (kept === undefined) throw new Refused(refuse('NOT_FOUND'));
  return making.pass(async () => {
    const handle = await namelessFile();
    try {
      const passing = digester();
      const plain = encodedPieces(rt, wanted, passing);
      // Not by a stream of its own: that would keep the handle open for ever.
      if (wanted.gzip) await pipeline(plain, createGzip(), (packed) => writeAll(handle, packed));
      else await writeAll(handle, plain);
      if (!isSameDigest(passing.end(), kept.digests[wanted.encoding])) throw alarm(rt, wanted);
      return { kept, handle, bytes: (await handle.stat()).size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  });
}

async function writeAll(handle: FileHandle, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await handle.appendFile(chunk);
}

async function* encodedPieces(rt: Parts, { encoding, file, ...day }: WantedFile, passing: ReturnType<typeof digester>) {
  for await (const { chunk } of writeFiles(rt, day, [file])) {
    const bytes = encoded(chunk, encoding);
    passing.take(bytes);
    yield bytes;
  }
}

/** The bytes of a nameless file from its beginning; closes it at the end, however that comes. */
export function streamOf(handle: FileHandle): Readable {
  return handle.createReadStream({ start: 0 });
}
