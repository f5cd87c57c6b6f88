import { createPublicKey, verify } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { AuthContext, Connection, PublicKeyAuthContext } from 'ssh2';
import { openSshPrivateKey, signingKeyOf, sshFingerprint } from '../../channels/index.js';
import { fromWire, type Id, invariant, wirePattern } from '../../kernel/index.js';
import { readPlatform } from '../../platforms/index.js';
import { faultOf, type Runtime, serveTree } from '../../runtime/index.js';
import { findFileKey } from './store.js';
import { treeOf } from './tree.js';

export interface FileServer {
  readonly port: number;
  stop(): Promise<void>;
}

const CONNECTIONS_MAX = 50;
const LOGIN_MS = 20_000;
const IDLE_MS = 300_000;

/**
 * The SFTP server at which platforms fetch their check files: user `plt_…`, with a public key that the bank registered. Nobody writes, nobody gets a
 * shell, and nobody sees another's folders. Undefined where none is configured.
 * @throws when there is a port and no host key
 */
export async function openFileServer(rt: Runtime): Promise<FileServer | undefined> {
  const { SFTP_PORT: port, SFTP_HOST_KEY: hostKey, HOST: host } = rt.config;
  if (port < 0) return undefined;
  const key = signingKeyOf(hostKey)?.privateKey;
  invariant(key?.asymmetricKeyType === 'ed25519', 'SFTP_HOST_KEY is an Ed25519 key where there is an SFTP_PORT');
  const { Server } = (await import('ssh2')).default; // a large package, which most processes never need
  const open = new Set<Connection>();
  const server = new Server({ hostKeys: [openSshPrivateKey(key)] }, (connection) => {
    if (open.size >= CONNECTIONS_MAX) return void connection.end();
    open.add(connection);
    connection.once('close', () => open.delete(connection));
    connection.on('error', () => connection.end()); // whoever sends what is no SSH is not served
    serve(rt, connection);
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
      for (const connection of open) connection.end();
      await closed;
    },
  };
}

function serve(rt: Runtime, connection: Connection): void {
  let platformId: Id | undefined;
  let quiet = setTimeout(() => connection.end(), LOGIN_MS).unref();
  const stir = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => connection.end(), IDLE_MS).unref();
  };
  connection.once('close', () => clearTimeout(quiet));
  connection.on('authentication', (attempt) => {
    authenticate(rt, attempt).then(
      (found) => {
        if (found === undefined) return attempt.reject(['publickey']);
        platformId = found;
        attempt.accept();
      },
      () => attempt.reject(['publickey']),
    );
  });
  connection.on('ready', stir);
  connection.on('session', (accept) => {
    accept().on('sftp', (acceptSftp) => {
      invariant(platformId, 'who opens a session was let in');
      rt.log.info({ event: 'sftp.session', platformId });
      const fault = (error: unknown) => rt.log.error({ event: 'sftp.fault', platformId, error: faultOf(error) });
      connection.once('close', serveTree(acceptSftp(), treeOf(rt, platformId), { stir, fault }));
    });
  });
}

/** Whose key it is: the user is the platform, and both the key and the platform are live. */
async function authenticate({ db }: Runtime, attempt: AuthContext): Promise<Id | undefined> {
  if (attempt.method !== 'publickey' || !wirePattern('platform').test(attempt.username)) return undefined;
  const platformId = fromWire(attempt.username);
  const { key, platform } = await db.read('sftp-key', async (tx) => ({
    key: await findFileKey(tx, sshFingerprint(attempt.key.data)),
    platform: await readPlatform(tx, platformId),
  }));
  if (key?.platformId !== platformId || key.revokedMs !== null || platform?.state !== 'active') return undefined;
  // A client may ask first whether a key would do, without a signature.
  return attempt.signature === undefined || isSigned(attempt) ? platformId : undefined;
}

const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: what stands before the 32 bytes of an Ed25519 public key

function isSigned({ key, blob, signature }: PublicKeyAuthContext): boolean {
  if (blob === undefined || signature === undefined || key.algo !== 'ssh-ed25519') return false;
  const spki = createPublicKey({ key: Buffer.concat([SPKI_HEAD, key.data.subarray(-32)]), format: 'der', type: 'spki' });
  return verify(null, blob, spki, signature);
}
