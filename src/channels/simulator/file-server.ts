import { createPublicKey, verify } from 'node:crypto';
import type { Connection, PublicKeyAuthContext, Server } from 'ssh2';
import { type FileTree, fileOfBytes, serveTree, type TreeEntry } from '../../runtime/index.js';
import { type FileChannel, openSshPrivateKey, sshPublicKey } from '../files/index.js';
import { sandboxSide } from '../keys.js';
import type { Bank } from './bank.js';
import { changedAt, type Place, placeAt } from './day-folders.js';
import type { CallPoint } from './faults.js';
import { FUNDS_USER, fundTree } from './funds/folders.js';

/** Who may come, and what he sees. */
export const FILE_USERS: Readonly<Record<string, readonly FileChannel[]>> = {
  unionpay: ['unionpay', 'collect'],
  psp: ['psp', 'psp-collect'],
};

/** The SFTP server of both institutions, whose users see the folders of their channels, and of the exchange of fund files, where orders are handed in. */
export async function createFileServer(bank: Bank): Promise<Server> {
  const { Server: SshServer } = (await import('ssh2')).default; // a large package, which most processes never need
  const hostKeys = [openSshPrivateKey(sandboxSide('theirs').ssh)];
  return new SshServer({ hostKeys }, (connection) => {
    let channels: readonly FileChannel[] | undefined;
    const room = { taken: 0 };
    connection.on('error', () => connection.end());
    connection.on('authentication', (attempt) => {
      const isFunds = attempt.username === FUNDS_USER;
      const allowed = FILE_USERS[attempt.username];
      const isOurs = attempt.method === 'publickey' && attempt.key.data.equals(sshPublicKey(sandboxSide('ours').ssh));
      if ((allowed === undefined && !isFunds) || !isOurs) return attempt.reject(['publickey']);
      if (attempt.signature !== undefined && !isSignedBy(attempt)) return attempt.reject(['publickey']);
      channels = allowed;
      attempt.accept();
    });
    connection.on('session', (accept) => {
      accept().on('sftp', (acceptSftp) => {
        const befallen = async (point: CallPoint) => {
          const what = bank.faults.ofCall(point);
          await befall(connection, what);
          return what?.fault === 'garbage';
        };
        const tree = channels === undefined ? fundTree(bank, befallen) : treeOf(bank, channels, connection);
        connection.once('close', serveTree(acceptSftp(), tree, { fault: () => undefined, room }));
      });
    });
  });
}

function isSignedBy({ blob, signature }: PublicKeyAuthContext): boolean {
  if (blob === undefined || signature === undefined) return false;
  return verify(null, blob, createPublicKey(sandboxSide('ours').ssh), signature);
}

/** What a user sees, with what befalls the reading of a listing and the files that are read after it. */
function treeOf(bank: Bank, channels: readonly FileChannel[], connection: Connection): FileTree {
  let isGarbled = false;
  return {
    async look(path) {
      const place = placeAt(bank, channels, path);
      return place && entryOf(place);
    },
    async list(path) {
      const place = placeAt(bank, channels, path);
      if (place?.kind !== 'folder') return undefined;
      const { channel } = place;
      const befallen = channel && bank.faults.ofCall({ scope: channel, on: 'news', keys: [] });
      isGarbled = befallen?.fault === 'garbage';
      await befall(connection, befallen);
      return place.names().map((each) => ({ name: each.name, ...entryOf(each.place) }));
    },
    async open(path) {
      const place = placeAt(bank, channels, path);
      if (place?.kind !== 'file') return undefined;
      return fileOfBytes(isGarbled ? garbled(place.bytes) : place.bytes, changedAt(place.date));
    },
  };
}

function entryOf(place: Place): TreeEntry {
  if (place.kind === 'folder') return { isFolder: true };
  return { isFolder: false, bytes: place.bytes.length, changed: changedAt(place.date) };
}

/** The faults of a call, as they look over this wire. @throws when the folder is said to be shut */
async function befall(connection: Connection, befallen: ReturnType<Bank['faults']['ofCall']>): Promise<void> {
  const fault = befallen?.fault;
  if (fault === 'not-received' || fault === 'lost-answer') connection.end();
  if (fault === 'not-received' || fault === 'lost-answer' || fault === 'half-open') await new Promise(() => undefined);
  if (fault === 'late') await new Promise((resume) => setTimeout(resume, befallen?.ms).unref());
  if (fault === 'maintenance') throw new Error('maintenance');
}

/** As if a disk had turned some of it over. */
function garbled(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, at) => (at % 97 === 7 ? byte ^ 0x15 : byte)));
}
