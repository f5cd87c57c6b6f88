import { posix } from 'node:path';
import type { Attributes, SFTPWrapper } from 'ssh2';
import { type Instant, naturalDate, Refused } from '../kernel/index.js';

/** What stands at a path. */
export interface TreeEntry {
  readonly isFolder: boolean;
  /** Undefined of a folder, and of what is not made before it is opened. */
  readonly bytes?: number | undefined;
  /** When it was last changed, seconds; absent where nothing is said of it. */
  readonly changed?: number;
}

export interface NamedEntry extends TreeEntry {
  readonly name: string;
}

/** An open file: its size, any part of it, and its closing. */
export interface OpenFile extends Pick<TreeEntry, 'changed'> {
  readonly bytes: number;
  read(at: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** A file that is being handed in; it counts when it is closed. */
export interface ReceivedFile {
  /** @throws when it takes no more */
  write(at: number, bytes: Buffer): void;
  /** @throws when it is not taken after all */
  close(): Promise<void>;
}

/**
 * Folders and files that are read by SFTP and, where there is no `receive`, never written. Paths begin with `/` and have no dots in them. What is not there is undefined; a Refused
 * that is thrown is told by its code.
 */
export interface FileTree {
  look(path: string): Promise<TreeEntry | undefined>;
  list(path: string): Promise<readonly NamedEntry[] | undefined>;
  open(path: string): Promise<OpenFile | undefined>;
  /** Where somebody may hand in a file; undefined where nobody may. */
  receive?(path: string): ReceivedFile | undefined;
}

/** A file that is at hand whole. */
export function fileOfBytes(bytes: Buffer, changed = 0): OpenFile {
  return {
    ...{ bytes: bytes.length, changed },
    read: async (at, length) => bytes.subarray(at, at + length),
    close: async () => undefined,
  };
}

// SFTP's own numbers (draft-ietf-secsh-filexfer-02).
const OK = 0;
const END = 1;
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;
const WRITES = 0x02 | 0x04 | 0x08 | 0x10; // write, append, create, truncate
const CHANGES = ['REMOVE', 'MKDIR', 'RMDIR', 'RENAME', 'SETSTAT', 'FSETSTAT', 'SYMLINK'] as const;
const A_FILE = 0o100_444;
const A_FOLDER = 0o040_555;

const HANDLES_MAX = 16; // open at once over a connection
const LISTED_MAX = 100;
const READ_MAX = 256 * 1024;

type Handle = { readonly file: OpenFile } | { readonly entries: NamedEntry[] } | { readonly received: ReceivedFile };

/** How much a connection has open, over all its sessions; whoever serves the connection makes one for it. */
export interface OpenRoom {
  taken: number;
}

/** What a session has open. */
class Handles {
  readonly #open = new Map<number, Handle>();
  readonly #sftp: SFTPWrapper;
  readonly #room: OpenRoom;
  #given = 0;
  #ended = false;

  constructor(sftp: SFTPWrapper, room: OpenRoom) {
    this.#sftp = sftp;
    this.#room = room;
  }

  of(id: Buffer): Handle | undefined {
    return this.#open.get(numberOf(id));
  }

  /** Opens something, unless too much is open or nothing is there, and hands it out, unless the session is over by then. */
  async give(request: number, make: () => Promise<Handle | undefined>): Promise<void> {
    if (this.#room.taken >= HANDLES_MAX) return void this.#sftp.status(request, FAILURE, 'too many open');
    this.#room.taken += 1;
    let isGiven = false;
    try {
      const handle = await make();
      if (handle === undefined) return void this.#sftp.status(request, NO_SUCH_FILE);
      if (this.#ended) return await closeHandle(handle);
      isGiven = true;
      this.#given += 1;
      this.#open.set(this.#given, handle);
      const id = Buffer.alloc(4);
      id.writeUInt32BE(this.#given);
      this.#sftp.handle(request, id);
    } finally {
      if (!isGiven) this.#room.taken -= 1;
    }
  }

  async close(id: Buffer): Promise<void> {
    const handle = this.of(id);
    if (handle === undefined) return;
    this.#open.delete(numberOf(id));
    this.#room.taken -= 1;
    if ('received' in handle) await handle.received.close();
    else await closeHandle(handle);
  }

  end(): void {
    this.#ended = true;
    for (const handle of this.#open.values()) void closeHandle(handle).catch(() => undefined);
    this.#room.taken -= this.#open.size;
    this.#open.clear();
  }
}

async function closeHandle(handle: Handle): Promise<void> {
  if ('file' in handle) await handle.file.close();
}

/** What a session tells whoever serves it. */
export interface TreeOptions {
  /** Something was asked. */
  readonly stir?: () => void;
  /** Something was thrown that is no Refused. */
  readonly fault: (error: unknown) => void;
  readonly room: OpenRoom;
}

type Answering = (request: number, work: () => Promise<void>) => void;

/**
 * Serves a session of SFTP: every request is answered once, whatever befalls, and nothing is written but what the tree receives.
 * @returns closes what is open; to be called when the session or its connection is gone
 */
export function serveTree(sftp: SFTPWrapper, tree: FileTree, { stir, fault, room }: TreeOptions): () => void {
  const handles = new Handles(sftp, room);
  const answer: Answering = (request, work) => {
    stir?.();
    work().catch((error: unknown) => {
      if (!(error instanceof Refused)) fault(error);
      const code = error instanceof Refused ? error.refusal.code : undefined;
      sftp.status(request, code === 'NOT_FOUND' || code === 'FILE_NOT_READY' ? NO_SUCH_FILE : FAILURE, code ?? 'fault');
    });
  };
  answerLooking(tree, { sftp, handles, answer });
  answerReading(tree, { sftp, handles, answer });
  for (const change of CHANGES) sftp.on(change as 'REMOVE', (request: number) => void sftp.status(request, PERMISSION_DENIED));
  // A client that has said its last word waits for ours: scp would wait for ever, and calls a session a failure that has no exit status.
  sftp.once('end', () => {
    const { outgoing, _protocol } = sftp as unknown as Ending;
    _protocol.exitStatus(outgoing.id, 0);
    sftp.end();
  });
  return () => handles.end();
}

/** The package has `exit` on the channels of commands alone; an SFTP channel is one underneath. */
interface Ending {
  readonly outgoing: { readonly id: number };
  readonly _protocol: { exitStatus(channel: number, status: number): void };
}

interface Session {
  readonly sftp: SFTPWrapper;
  readonly handles: Handles;
  readonly answer: Answering;
}

/** What is there, and what stands in a folder. */
function answerLooking(tree: FileTree, { sftp, handles, answer }: Session): void {
  sftp.on('REALPATH', (request, path) => {
    const filename = absolute(path);
    sftp.name(request, [{ filename, longname: filename, attrs: attributesOf({ isFolder: true }) }]);
  });
  for (const asked of ['STAT', 'LSTAT'] as const) {
    sftp.on(asked, (request: number, path: string) =>
      answer(request, async () => {
        const found = await tree.look(absolute(path));
        if (found === undefined) sftp.status(request, NO_SUCH_FILE);
        else sftp.attrs(request, attributesOf(found));
      }),
    );
  }
  sftp.on('OPENDIR', (request, path) =>
    answer(request, () =>
      handles.give(request, async () => {
        const entries = await tree.list(absolute(path));
        return entries && { entries: [...entries] };
      }),
    ),
  );
  sftp.on('READDIR', (request, id) => {
    const handle = handles.of(id);
    if (handle === undefined || !('entries' in handle)) return void sftp.status(request, FAILURE);
    const entries = handle.entries.splice(0, LISTED_MAX);
    if (entries.length === 0) return void sftp.status(request, END);
    sftp.name(
      request,
      entries.map((each) => ({ filename: each.name, longname: longName(each), attrs: attributesOf(each) })),
    );
  });
}

/** The bytes of files. */
function answerReading(tree: FileTree, { sftp, handles, answer }: Session): void {
  sftp.on('OPEN', (request, path, flags) =>
    answer(request, async () => {
      if ((flags & WRITES) !== 0) {
        const received = tree.receive?.(absolute(path));
        if (received === undefined) return void sftp.status(request, PERMISSION_DENIED);
        return handles.give(request, async () => ({ received }));
      }
      await handles.give(request, async () => {
        const file = await tree.open(absolute(path));
        return file && { file };
      });
    }),
  );
  sftp.on('FSTAT', (request, id) => {
    const handle = handles.of(id);
    if (handle === undefined) return void sftp.status(request, FAILURE);
    sftp.attrs(request, attributesOf('file' in handle ? { ...handle.file, isFolder: false } : { isFolder: 'entries' in handle }));
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
  sftp.on('WRITE', (request, id, offset, bytes) =>
    answer(request, async () => {
      const handle = handles.of(id);
      if (handle === undefined || !('received' in handle)) return void sftp.status(request, PERMISSION_DENIED);
      handle.received.write(offset, bytes);
      sftp.status(request, OK);
    }),
  );
  sftp.on('CLOSE', (request, id) =>
    answer(request, async () => {
      await handles.close(id);
      sftp.status(request, OK);
    }),
  );
}

/** Everybody begins in `/`, and nothing lies above it. */
function absolute(path: string): string {
  return posix.resolve('/', path);
}

const numberOf = (id: Buffer): number => (id.length === 4 ? id.readUInt32BE() : 0);

/** The size of what is not made yet is not told. */
function attributesOf({ isFolder, bytes, changed = 0 }: TreeEntry): Attributes {
  const known = { mode: isFolder ? A_FOLDER : A_FILE, uid: 0, gid: 0, atime: changed, mtime: changed };
  return (bytes === undefined ? known : { ...known, size: bytes }) as Attributes;
}

/** A line in the form of `ls -l`, which clients show as it is. */
function longName({ name, isFolder, bytes = 0, changed }: NamedEntry): string {
  const day = changed === undefined ? '-' : naturalDate((changed * 1_000) as Instant);
  return `${isFolder ? 'dr-xr-xr-x' : '-r--r--r--'} 1 bank bank ${String(bytes).padStart(12)} ${day} ${name}`;
}
