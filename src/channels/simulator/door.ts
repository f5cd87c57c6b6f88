import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { sandboxSide } from '../keys.js';
import { selfSigned } from '../self-signed.js';
import { SANDBOX_NAME } from '../settings.js';
import type { Bank } from './bank.js';
import { createFileServer } from './file-server.js';

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  readonly bank: Bank;
  readonly log: (event: string, fields: Record<string, unknown>) => void;
}

export interface Door {
  readonly url: string;
  close(): Promise<void>;
}

/** The certificate that the simulator shows; the same for every one, so that a sandbox can pin it without asking. */
export function sandboxCertificate(): string {
  return selfSigned(sandboxSide('theirs').tls, SANDBOX_NAME);
}

const TLS_HANDSHAKE = 0x16;
const LETTER_S = 0x53; // `SSH-2.0-…`; no method of HTTP begins with it
const IDLE_MS = 60_000;
/** Whoever says nothing for so long waits for the other side to begin: some SSH clients do. */
const SILENT_MS = 1_000;

/**
 * One address for everything that a sandbox talks to: what the first byte of a connection says is served, HTTP, TLS with HTTP in it, or SSH. So one
 * base URL is all that anybody has to be told. The SFTP server is made when the first one asks for it.
 */
export async function openDoor({ host, port, bank, log }: DoorOptions, serve: RequestListener): Promise<Door> {
  const plain = createServer({ keepAliveTimeout: IDLE_MS }, serve);
  const { tls } = sandboxSide('theirs');
  const keys = { key: tls.export({ format: 'pem', type: 'pkcs8' }), cert: sandboxCertificate() };
  const secure = createTlsServer({ ...keys, keepAliveTimeout: IDLE_MS }, serve);
  secure.on('tlsClientError', (error) => log('bank.tls-refused', { error: error.message }));
  let files: ReturnType<typeof createFileServer> | undefined;
  const sockets = new Set<Socket>();
  const front = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const serveSsh = () => {
      files ??= createFileServer(bank);
      files.then((server) => server.injectSocket(socket)).catch(() => socket.destroy());
    };
    let hasSpoken = false;
    const look = () => {
      hasSpoken = true;
      clearTimeout(silence);
      const first = socket.read(1) as Buffer | null;
      if (first === null) return void socket.destroy();
      socket.unshift(first);
      if (first[0] === TLS_HANDSHAKE) secure.emit('connection', socket);
      else if (first[0] === LETTER_S) serveSsh();
      else plain.emit('connection', socket);
    };
    socket.once('readable', look);
    const silence = setTimeout(() => {
      // What had come by then is seen before this is.
      setImmediate(() => {
        if (hasSpoken || socket.destroyed) return;
        socket.off('readable', look);
        serveSsh();
      });
    }, SILENT_MS).unref();
  });
  await new Promise<void>((listening, failed) => {
    front.once('error', failed);
    front.listen(port, host, listening);
  });
  return {
    url: `http://${host}:${(front.address() as AddressInfo).port}`,
    close: () =>
      new Promise<void>((closed) => {
        front.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
