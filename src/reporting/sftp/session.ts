import type { Attributes, SFTPWrapper } from 'ssh2';
import { type Id, Refused } from '../../kernel/index.js';
import { faultOf, type Runtime } from '../../runtime/index.js';
import { type Listed, listDay, listRoot, lookAt, normalised, type OpenFile, openPlace, placeOf } from './tree.js';

// SFTP's own numbers (draft-ietf-secsh-filexfer-02).
const OK = 0;
const END = 1;
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;
const WRITES = 0x02 | 0x04 | 0x08 | 0x10; // write, append, create, truncate
const A_FILE = 0o100_444;
const A_FOLDER = 0o040_555;

const HANDLES_MAX = 16; // open at once in a session
const LISTED_MAX = 100;
const READ_MAX = 256 * 1024;

type Handle = { readonly file: OpenFile } | { readonly entries: Listed[] };

/** What a session has open. */
class Handles {
  readonly #open = new Map<number, Handle>();
  readonly #sftp: SFTPWrapper;
  #given = 0;
  #opening = 0;
  #ended = false;

  constructor(sftp: SFTPWrapper) {
    this.#sftp = sftp;
  }

  of(id: Buffer): Handle | undefined {
    return this.#open.get(numberOf(id));
  }

  /** Opens something, unless too much is open, and hands it out, unless the session is over by then. */
  async give(request: number, make: () => Promise<Handle>): Promise<void> {
    if (this.#open.size + this.#opening >= HANDLES_MAX) return void this.#sftp.status(request, FAILURE, 'too many open');
    this.#opening += 1;
    try {
      const handle = await make();
      if (this.#ended) return await closeHandle(handle);
      this.#given += 1;
      this.#open.set(this.#given, handle);
      const id = Buffer.alloc(4);
      id.writeUInt32BE(this.#given);
      this.#sftp.handle(request, id);
    } finally {
      this.#opening -= 1;
    }
  }

  async close(id: Buffer): Promise<void> {
    const handle = this.of(id);
    this.#open.delete(numberOf(id));
    if (handle !== undefined) await closeHandle(handle);
  }

  end(): void {
    this.#ended = true;
    for (const handle of this.#open.values()) void closeHandle(handle).catch(() => undefined);
    this.#open.clear();
  }
}

async function closeHandle(handle: Handle): Promise<void> {
  if ('file' in handle) await handle.file.close();
}

type Answering = (request: number, work: () => Promise<void>) => void;

/**
 * One session of a platform: every request is answered once, whatever befalls.
 * @returns closes what is open; to be called when the connection is gone
 */
export function serveTree(rt: Runtime, platformId: Id, sftp: SFTPWrapper, stir: () => void): () => void {
  const handles = new Handles(sftp);
  const answer: Answering = (request, work) => {
    stir();
    work().catch((error: unknown) => {
      if (!(error instanceof Refused)) rt.log.error({ event: 'sftp.fault', platformId, error: faultOf(error) });
      const code = error instanceof Refused ? error.refusal.code : undefined;
      sftp.status(request, code === 'NOT_FOUND' || code === 'FILE_NOT_READY' ? NO_SUCH_FILE : FAILURE, code ?? 'fault');
    });
  };
  answerLooking(rt, platformId, { sftp, handles, answer });
  answerReading(rt, platformId, { sftp, handles, answer });
  for (const change of ['REMOVE', 'MKDIR', 'RMDIR', 'RENAME', 'SETSTAT', 'FSETSTAT', 'WRITE', 'SYMLINK'] as const)
    sftp.on(change as 'REMOVE', (request: number) => void sftp.status(request, PERMISSION_DENIED));
  return () => handles.end();
}

interface Session {
  readonly sftp: SFTPWrapper;
  readonly handles: Handles;
  readonly answer: Answering;
}

/** What is there, and what stands in a folder. */
function answerLooking(rt: Runtime, platformId: Id, { sftp, handles, answer }: Session): void {
  sftp.on('REALPATH', (request, path) => {
    const filename = normalised(path);
    sftp.name(request, [{ filename, longname: filename, attrs: attributesOf({ isFolder: true, bytes: undefined }) }]);
  });
  for (const asked of ['STAT', 'LSTAT'] as const) {
    sftp.on(asked, (request: number, path: string) =>
      answer(request, async () => {
        const place = placeOf(path);
        const found = place && (await lookAt(rt, platformId, place));
        if (found === undefined) sftp.status(request, NO_SUCH_FILE);
        else sftp.attrs(request, attributesOf(found));
      }),
    );
  }
  sftp.on('OPENDIR', (request, path) =>
    answer(request, async () => {
      const place = placeOf(path);
      if (place === undefined || place.kind === 'file') return void sftp.status(request, NO_SUCH_FILE);
      await handles.give(request, async () => ({
        entries: place.kind === 'root' ? await listRoot(rt, platformId) : await listDay(rt, platformId, place.date),
      }));
    }),
  );
  sftp.on('READDIR', (request, id) => {
    const handle = handles.of(id);
    if (handle === undefined || 'file' in handle) return void sftp.status(request, FAILURE);
    const entries = handle.entries.splice(0, LISTED_MAX);
    if (entries.length === 0) return void sftp.status(request, END);
    sftp.name(
      request,
      entries.map((each) => ({ filename: each.name, longname: longName(each), attrs: attributesOf(each) })),
    );
  });
}

/** The bytes of files. */
function answerReading(rt: Runtime, platformId: Id, { sftp, handles, answer }: Session): void {
  sftp.on('OPEN', (request, path, flags) =>
    answer(request, async () => {
      if ((flags & WRITES) !== 0) return void sftp.status(request, PERMISSION_DENIED);
      const place = placeOf(path);
      if (place?.kind !== 'file') return void sftp.status(request, NO_SUCH_FILE);
      await handles.give(request, async () => ({ file: await openPlace(rt, platformId, place) }));
    }),
  );
  sftp.on('FSTAT', (request, id) => {
    const handle = handles.of(id);
    if (handle === undefined) return void sftp.status(request, FAILURE);
    const isFile = 'file' in handle;
    sftp.attrs(request, attributesOf({ isFolder: !isFile, bytes: isFile ? handle.file.bytes : undefined }));
  });
  sftp.on('READ', (request, id, offset, length) =>
    answer(request, async () => {
      const handle = handles.of(id);
      if (handle === undefined || !('file' in handle)) return void sftp.status(request, FAILURE);
      const bytes = await handle.file.read(offset, Math.min(length, READ_MAX));
      if (bytes.length === 0) sftp.status(request, END);
      else sftp.data(request, bytes);
    }),
  );
  sftp.on('CLOSE', (request, id) =>
    answer(request, async () => {
      await handles.close(id);
      sftp.status(request, OK);
    }),
  );
}

const numberOf = (id: Buffer): number => (id.length === 4 ? id.readUInt32BE() : 0);

/** The size of what is not made yet is not told. */
function attributesOf({ isFolder, bytes }: Pick<Listed, 'isFolder' | 'bytes'>): Attributes {
  const known = { mode: isFolder ? A_FOLDER : A_FILE, uid: 0, gid: 0, atime: 0, mtime: 0 };
  return (bytes === undefined ? known : { ...known, size: bytes }) as Attributes;
}

function longName({ name, isFolder, bytes }: Listed): string {
  return `${isFolder ? 'd' : '-'}r--r--r-- 1 cunguan cunguan ${String(bytes ?? 0).padStart(12)} Jan  1 00:00 ${name}`;
}
