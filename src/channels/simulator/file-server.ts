import { createHash, createPublicKey, verify } from 'node:crypto';
import type { Connection, PublicKeyAuthContext, Server, SFTPWrapper } from 'ssh2';
import { type BusinessDate, parseBusinessDate } from '../../kernel/index.js';
import { type FileChannel, openSshPrivateKey, pspFile, sshPublicKey, unionPayFile } from '../files/index.js';
import { sandboxSide } from '../keys.js';
import type { Bank } from './bank.js';

const USERS: Readonly<Record<string, readonly FileChannel[]>> = {
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
      const allowed = USERS[attempt.username];
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
const END = 1;
const NO_SUCH_FILE = 2;
const FAILURE = 4;
const OK = 0;
const A_FILE = 0o100_444;
const WRITES = 0x02 | 0x04 | 0x08 | 0x10; // write, append, create, truncate

interface Handle {
  readonly bytes?: Buffer;
  /** Of a folder: what was not told yet. */
  entries?: { readonly name: string; readonly size: number }[];
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
  sftp.on('OPENDIR', (request, path) => {
    const channel = channels.find((each) => path === `/${each}`);
    if (channel === undefined) return void sftp.status(request, NO_SUCH_FILE);
    befall(bank, channel, connection, mishap, (isThere) => {
      if (isThere) handOut(request, { entries: listing(bank, channel) });
      else sftp.status(request, FAILURE);
    });
  });
  sftp.on('READDIR', (request, id) => {
    const entries = handleOf(id)?.entries?.splice(0, LISTED_MAX);
    if (entries === undefined || entries.length === 0) return void sftp.status(request, entries === undefined ? FAILURE : END);
    sftp.name(
      request,
      entries.map(({ name, size }) => ({ filename: name, longname: name, attrs: attributesOf(size) })),
    );
  });
  sftp.on('OPEN', (request, path, flags) => {
    const bytes = (flags & WRITES) === 0 ? fileAt(bank, channels, path) : undefined;
    if (bytes === undefined) return void sftp.status(request, NO_SUCH_FILE);
    handOut(request, { bytes: mishap.garbled ? garbled(bytes) : bytes });
  });
  sftp.on('READ', (request, id, offset, length) => {
    const bytes = handleOf(id)?.bytes;
    if (bytes === undefined) return void sftp.status(request, FAILURE);
    if (offset >= bytes.length) return void sftp.status(request, END);
    sftp.data(request, bytes.subarray(offset, offset + length));
  });
  sftp.on('STAT', (request, path) => {
    const bytes = fileAt(bank, channels, path);
    if (bytes === undefined) sftp.status(request, NO_SUCH_FILE);
    else sftp.attrs(request, attributesOf(bytes.length));
  });
  sftp.on('CLOSE', (request, id) => {
    if (id.length === 4) handles.delete(id.readUInt32BE());
    sftp.status(request, OK);
  });
}

const LISTED_MAX = 100;

function attributesOf(size: number) {
  return { mode: A_FILE, uid: 0, gid: 0, size, atime: 0, mtime: 0 };
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

const formOf = (channel: FileChannel) => (channel === 'unionpay' || channel === 'collect' ? unionPayFile : pspFile);

function listing(bank: Bank, channel: FileChannel): { name: string; size: number }[] {
  return bank.dayEnd.dates(channel, bank.date).flatMap((date) => {
    const name = formOf(channel).nameOf(channel, date);
    const bytes = contentOf(bank, channel, date) ?? Buffer.alloc(0);
    return [
      { name: `${name}.txt`, size: bytes.length },
      { name: `${name}.sha256`, size: digestOf(bytes, name).length },
      { name: `${name}.ok`, size: 0 },
    ];
  });
}

function fileAt(bank: Bank, channels: readonly FileChannel[], path: string): Buffer | undefined {
  const [, folder, name = '', ending] = /^\/([a-z-]+)\/([A-Za-z0-9_-]+)\.(txt|sha256|ok)$/.exec(path) ?? [];
  const channel = channels.find((each) => each === folder);
  const date = parseBusinessDate(name.slice(-8).replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3'));
  if (channel === undefined || date === undefined || formOf(channel).nameOf(channel, date) !== name) return undefined;
  const bytes = contentOf(bank, channel, date);
  if (bytes === undefined) return undefined;
  if (ending === 'ok') return Buffer.alloc(0);
  return ending === 'txt' ? bytes : digestOf(bytes, name);
}

/** A file exists once its date is over. */
function contentOf(bank: Bank, channel: FileChannel, date: BusinessDate): Buffer | undefined {
  if (bank.date === undefined || date >= bank.date) return undefined;
  return bank.dayEnd.encoded(channel, date, (file) => formOf(channel).encode(file));
}

function digestOf(bytes: Buffer, name: string): Buffer {
  return Buffer.from(`${createHash('sha256').update(bytes).digest('hex')}  ${name}.txt\n`, 'latin1');
}
