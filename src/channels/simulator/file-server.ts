import { createPublicKey, verify } from 'node:crypto';
import { posix } from 'node:path';
import type { Connection, PublicKeyAuthContext, Server, SFTPWrapper } from 'ssh2';
import { type FileChannel, openSshPrivateKey, sshPublicKey } from '../files/index.js';
import { sandboxSide } from '../keys.js';
import type { Bank } from './bank.js';
import { changedAt, type Place, placeAt } from './day-folders.js';

/** Who may come, and what he sees. */
export const FILE_USERS: Readonly<Record<string, readonly FileChannel[]>> = {
  unionpay: ['unionpay', 'collect'],
  psp: ['psp', 'psp-collect'],
};

/** The SFTP server of both institutions: each user sees the folders of its channels, and nobody writes. */
export async function createFileServer(bank: Bank): Promise<Server> {
  const { Server: SshServer } = (await import('ssh2')).default; // a large package, which most processes never need
  const hostKeys = [openSshPrivateKey(sandboxSide('theirs').ssh)];
  return new SshServer({ hostKeys }, (connection) => {
    let channels: readonly FileChannel[] = [];
    connection.on('error', () => connection.end());
    connection.on('authentication', (attempt) => {
      const allowed = FILE_USERS[attempt.username];
      const isOurs = attempt.method === 'publickey' && attempt.key.data.equals(sshPublicKey(sandboxSide('ours').ssh));
      if (allowed === undefined || !isOurs) return attempt.reject(['publickey']);
      if (attempt.signature !== undefined && !isSignedBy(attempt)) return attempt.reject(['publickey']);
      channels = allowed;
      attempt.accept();
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => serveFiles(bank, channels, connection, acceptSftp()));
    });
  });
}

function isSignedBy({ blob, signature }: PublicKeyAuthContext): boolean {
  if (blob === undefined || signature === undefined) return false;
  return verify(null, blob, createPublicKey(sandboxSide('ours').ssh), signature);
}

// SFTP's own numbers (draft-ietf-secsh-filexfer-02).
const OK = 0;
const END = 1;
const NO_SUCH_FILE = 2;
const PERMISSION_DENIED = 3;
const FAILURE = 4;
const A_FILE = 0o100_444;
const A_FOLDER = 0o040_555;
const WRITES = 0x02 | 0x04 | 0x08 | 0x10; // write, append, create, truncate
const CHANGES = ['WRITE', 'FSETSTAT', 'SETSTAT', 'REMOVE', 'MKDIR', 'RMDIR', 'RENAME', 'SYMLINK'] as const;

type Named = ReturnType<Extract<Place, { kind: 'folder' }>['names']>[number];

interface Handle {
  readonly place: Place;
  readonly bytes?: Buffer;
  /** Of a folder: what was not told yet. */
  readonly entries?: Named[];
}

/** What befalls the reading of one listing, and the files that are read after it. */
interface Mishap {
  garbled: boolean;
}

function serveFiles(bank: Bank, channels: readonly FileChannel[], connection: Connection, sftp: SFTPWrapper): void {
  const handles = new Map<number, Handle>();
  const mishap: Mishap = { garbled: false };
  let opened = 0;
  const handOut = (request: number, handle: Handle) => {
    opened += 1;
    handles.set(opened, handle);
    const id = Buffer.alloc(4);
    id.writeUInt32BE(opened);
    sftp.handle(request, id);
  };
  const handleOf = (id: Buffer) => handles.get(id.length === 4 ? id.readUInt32BE() : 0);
  const at = (path: string) => placeAt(bank, channels, absolute(path));
  const describe = (request: number, place: Place | undefined) => {
    if (place === undefined) sftp.status(request, NO_SUCH_FILE);
    else sftp.attrs(request, attributesOf(place));
  };
  sftp.on('REALPATH', (request, path) => {
    sftp.name(request, [{ filename: absolute(path), longname: '', attrs: attributesOf(at(path) ?? NOWHERE) }]);
  });
  sftp.on('OPENDIR', (request, path) => {
    const place = at(path);
    if (place?.kind !== 'folder') return void sftp.status(request, NO_SUCH_FILE);
    const open = () => handOut(request, { place, entries: [...place.names()] });
    if (place.channel === undefined) return open();
    befall(bank, place.channel, connection, mishap, (isThere) => (isThere ? open() : sftp.status(request, FAILURE)));
  });
  sftp.on('READDIR', (request, id) => {
    const entries = handleOf(id)?.entries?.splice(0, LISTED_MAX);
    if (entries === undefined || entries.length === 0) return void sftp.status(request, entries === undefined ? FAILURE : END);
    sftp.name(request, entries.map(shown));
  });
  sftp.on('OPEN', (request, path, flags) => {
    if ((flags & WRITES) !== 0) return void sftp.status(request, PERMISSION_DENIED);
    const place = at(path);
    if (place?.kind !== 'file') return void sftp.status(request, NO_SUCH_FILE);
    handOut(request, { place, bytes: mishap.garbled ? garbled(place.bytes) : place.bytes });
  });
  sftp.on('READ', (request, id, offset, length) => {
    const bytes = handleOf(id)?.bytes;
    if (bytes === undefined) return void sftp.status(request, FAILURE);
    if (offset >= bytes.length) return void sftp.status(request, END);
    sftp.data(request, bytes.subarray(offset, offset + length));
  });
  sftp.on('STAT', (request, path) => describe(request, at(path)));
  sftp.on('LSTAT', (request, path) => describe(request, at(path)));
  sftp.on('FSTAT', (request, id) => describe(request, handleOf(id)?.place));
  for (const change of CHANGES) sftp.on(change as 'REMOVE', (request) => sftp.status(request, PERMISSION_DENIED));
  sftp.on('CLOSE', (request, id) => {
    if (id.length === 4) handles.delete(id.readUInt32BE());
    sftp.status(request, OK);
  });
  // A client that has said its last word waits for ours: scp would wait for ever, and calls a session a failure that has no exit status.
  sftp.once('end', () => {
    const { outgoing, _protocol } = sftp as unknown as Ending;
    _protocol.exitStatus(outgoing.id, 0);
    sftp.end();
  });
}

/** The package has `exit` on the channels of commands alone; an SFTP channel is one underneath. */
interface Ending {
  readonly outgoing: { readonly id: number };
  readonly _protocol: { exitStatus(channel: number, status: number): void };
}

const LISTED_MAX = 100;
const NOWHERE: Place = { kind: 'folder', names: () => [] };

/** Everybody begins in `/`, and nothing lies above it. */
function absolute(path: string): string {
  return posix.resolve('/', path);
}

function attributesOf(place: Place) {
  const time = place.kind === 'file' ? changedAt(place.date) : 0;
  const [mode, size] = place.kind === 'file' ? [A_FILE, place.bytes.length] : [A_FOLDER, 0];
  return { mode, uid: 0, gid: 0, size, atime: time, mtime: time };
}

/** An entry with its line in the form of `ls -l`, which clients show as it is. */
function shown({ name, place }: Named) {
  const attrs = attributesOf(place);
  const day = place.kind === 'file' ? place.date : '-';
  const [letters, size] = [place.kind === 'file' ? '-r--r--r--' : 'dr-xr-xr-x', String(attrs.size).padStart(10)];
  return { filename: name, longname: `${letters} 1 bank bank ${size} ${day} ${name}`, attrs };
}

/** The faults of a call, as they look over this wire. */
function befall(bank: Bank, channel: FileChannel, connection: Connection, mishap: Mishap, go: (isThere: boolean) => void): void {
  const befallen = bank.faults.ofCall({ scope: channel, on: 'news', keys: [] });
  mishap.garbled = befallen?.fault === 'garbage';
  const fault = befallen?.fault;
  if (fault === 'half-open') return;
  if (fault === 'not-received' || fault === 'lost-answer') connection.end();
  else if (fault === 'late') setTimeout(() => go(true), befallen?.ms).unref();
  else go(fault !== 'maintenance');
}

/** As if a disk had turned some of it over. */
function garbled(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => (at % 97 === 7 ? byte ^ 0x15 : byte)));
}
