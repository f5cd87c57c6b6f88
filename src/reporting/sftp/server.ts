import { createPublicKey, verify } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import type { AuthContext, Connection, PublicKeyAuthContext } from 'ssh2';
import { openSshPrivateKey, signingKeyOf, sshFingerprint } from '../../channels/index.js';
import { fromWire, type Id, invariant, Refused, refuse, wirePattern } from '../../kernel/index.js';
import { readPlatform } from '../../platforms/index.js';
import { type FileTree, faultOf, type Runtime, serveTree, type Tx } from '../../runtime/index.js';
import { type Guest, Guests } from './guests.js';
import { findFileKey } from './store.js';
import { treeOf } from './tree.js';

export interface FileServer {
  readonly port: number;
  stop(): Promise<void>;
}

const LOGIN_MS = 8_000;
const IDLE_MS = 300_000;
const GOODBYE_MS = 1_000;
const SESSIONS_MAX = 10; // of a connection
/** How long a session that reads on in what it has opened is believed to be welcome. */
const BELIEVED_MS = 5_000;

/**
 * The SFTP server at which platforms fetch their check files: user `plt_…`, with a public key that the bank registered. Nobody writes, nobody gets a
 * shell, and nobody sees another's folders. Each listing and each opening looks again whether key and platform are live, and a session of one
 * that is not is ended. Undefined where none is configured.
 * @throws when there is a port and no host key
 */
export async function openFileServer(rt: Runtime): Promise<FileServer | undefined> {
  const { SFTP_PORT: port, SFTP_HOST_KEY: hostKey, HOST: host } = rt.config;
  if (port < 0) return undefined;
  const key = signingKeyOf(hostKey)?.privateKey;
  invariant(key?.asymmetricKeyType === 'ed25519', 'SFTP_HOST_KEY is an Ed25519 key where there is an SFTP_PORT');
  const { Server } = (await import('ssh2')).default; // a large package, which most processes never need
  const guests = new Guests();
  const ssh = new Server({ hostKeys: [openSshPrivateKey(key)] }, (connection, { ip, port: remotePort }) => {
    const guest = guests.of(ip, remotePort);
    if (guest === undefined) return void connection.end();
    connection.on('error', () => connection.end()); // whoever sends what is no SSH is not served
    serve(rt, connection, guest);
  });
  // The sockets are ours and not the package's, which knows of a connection only once it has said that it speaks SSH.
  const server = createServer((socket) => {
    const guest = guests.admit(socket);
    if (guest === undefined) return;
    const late = setTimeout(() => guest.isStranger && socket.destroy(), LOGIN_MS).unref();
    socket.once('close', () => clearTimeout(late));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const listening = (server.address() as AddressInfo).port;
  rt.log.info({ event: 'sftp.ready', port: listening });
  return {
    port: listening,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      guests.cutAll();
      await closed;
    },
  };
}

/** Who was let in, and by which key. */
interface Login {
  readonly platformId: Id;
  readonly fingerprint: string;
}

function serve(rt: Runtime, connection: Connection, guest: Guest): void {
  let login: Login | undefined;
  let quiet: ReturnType<typeof setTimeout> | undefined;
  const bye = () => {
    connection.end();
    setTimeout(() => guest.socket.destroy(), GOODBYE_MS).unref(); // whoever does not hang up is hung up on
  };
  const stir = () => {
    clearTimeout(quiet);
    quiet = setTimeout(bye, IDLE_MS).unref();
  };
  connection.once('close', () => clearTimeout(quiet));
  connection.on('authentication', (attempt) => {
    authenticate(rt, attempt).then(
      (found) => {
        if (found === undefined) return attempt.reject(['publickey']);
        if (isProof(attempt)) login = found;
        attempt.accept();
      },
      () => attempt.reject(['publickey']),
    );
  });
  connection.on('ready', () => {
    guest.isStranger = false;
    stir();
  });
  const room = { taken: 0 };
  let sessions = 0;
  connection.on('session', (accept, reject) => {
    if (sessions >= SESSIONS_MAX) return void reject();
    sessions += 1;
    accept().once('sftp', (acceptSftp) => {
      invariant(login, 'who opens a session was let in');
      const { platformId } = login;
      rt.log.info({ event: 'sftp.session', platformId });
      const fault = (error: unknown) => rt.log.error({ event: 'sftp.fault', platformId, error: faultOf(error) });
      const sftp = acceptSftp();
      const end = serveTree(sftp, whileWelcome(rt, login, bye), { stir, fault, room });
      sftp.once('close', () => {
        sessions -= 1;
        connection.off('close', end);
        end();
      });
      connection.once('close', end);
    });
  });
}

/** What a platform sees as long as its key and itself are live; after that it is shown out. @throws Refused KEY_UNKNOWN of the tree */
function whileWelcome(rt: Runtime, login: Login, bye: () => void): FileTree {
  const tree = treeOf(rt, login.platformId);
  let seenMs = rt.clock.wall();
  const look = async () => {
    const nowMs = rt.clock.wall();
    if (!(await rt.db.read('sftp-key', (tx) => isLive(tx, login)))) {
      rt.log.info({ event: 'sftp.shown-out', platformId: login.platformId });
      bye();
      throw new Refused(refuse('KEY_UNKNOWN'));
    }
    seenMs = nowMs;
  };
  return {
    look: async (path) => look().then(() => tree.look(path)),
    list: async (path) => look().then(() => tree.list(path)),
    async open(path) {
      await look();
      const file = await tree.open(path);
      if (file === undefined) return undefined;
      return {
        ...file,
        async read(at, length) {
          if (Math.abs(rt.clock.wall() - seenMs) >= BELIEVED_MS) await look();
          return file.read(at, length);
        },
      };
    },
  };
}

async function isLive(tx: Tx, { platformId, fingerprint }: Login): Promise<boolean> {
  const key = await findFileKey(tx, fingerprint);
  if (key?.platformId !== platformId || key.revokedMs !== null) return false;
  return (await readPlatform(tx, platformId))?.state === 'active';
}

/** Whose key it is: the user is the platform, and both the key and the platform are live. */
async function authenticate({ db }: Runtime, attempt: AuthContext): Promise<Login | undefined> {
  if (attempt.method !== 'publickey' || !wirePattern('platform').test(attempt.username)) return undefined;
  const login = { platformId: fromWire(attempt.username), fingerprint: sshFingerprint(attempt.key.data) };
  if (!(await db.read('sftp-key', (tx) => isLive(tx, login)))) return undefined;
  return !isProof(attempt) || isSigned(attempt) ? login : undefined;
}

/** A client may ask first whether a key would do, without a signature. */
function isProof(attempt: AuthContext): boolean {
  return attempt.method === 'publickey' && attempt.signature !== undefined;
}

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: what stands before the 32 bytes of an Ed25519 public key

function isSigned({ key, blob, signature }: PublicKeyAuthContext): boolean {
  if (blob === undefined || signature === undefined || key.algo !== 'ssh-ed25519') return false;
  const spki = createPublicKey({ key: Buffer.concat([SPKI_HEAD, key.data.subarray(-32)]), format: 'der', type: 'spki' });
  return verify(null, blob, spki, signature);
}
