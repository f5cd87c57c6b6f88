import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import ssh2, { type Client, type SFTPWrapper } from 'ssh2';
import { openSshPrivateKey, sshFingerprint, sshPublicKey } from '../../src/channels/files/index.js';
import { type BusinessDate, instantOf, toWire } from '../../src/kernel/index.js';
import { setState } from '../../src/platforms/index.js';
import { makeDayFiles, openFileServer } from '../../src/reporting/index.js';
import { closeNext, type Market, openMarket } from '../clearing/market.js';
import { type Desk, openDesk } from './desk.js';

const DAY = '2026-03-02' as BusinessDate;

let market: Market;
let desk: Desk;
let server: NonNullable<Awaited<ReturnType<typeof openFileServer>>>;
let hostKey: KeyObject;
let laterMs = 0;
const ours = generateKeyPairSync('ed25519').privateKey;
const lineOf = (key: KeyObject) => `ssh-ed25519 ${sshPublicKey(key).toString('base64')} somebody@platform`;

beforeAll(async () => {
  market = await openMarket();
  desk = await openDesk(market.world);
  for (let order = 0; order < 40; order += 1) await market.pay(`SO-${order}`, 1_000n);
  await closeNext(market);
  await makeDayFiles(market.world.rt, { platformId: market.platformId, date: DAY });
  hostKey = generateKeyPairSync('ed25519').privateKey;
  const text = `h1=${hostKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')}`;
  const { rt } = market.world;
  const clock = { now: rt.clock.now, wall: () => instantOf(rt.clock.wall() + laterMs) };
  const opened = await openFileServer({ ...rt, clock, config: { ...rt.config, SFTP_PORT: 0, SFTP_HOST_KEY: text } });
  if (opened === undefined) throw new Error('there is a server');
  server = opened;
});
afterAll(async () => {
  await server?.stop();
  await desk?.stop();
  await market?.end();
});

async function login(username: string, key: KeyObject): Promise<{ client: Client; sftp: SFTPWrapper }> {
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', () => resolve());
    client.once('error', reject);
    client.connect({
      ...{ host: '127.0.0.1', port: server.port, username, privateKey: openSshPrivateKey(key) },
      hostVerifier: (wire: Buffer) => sshFingerprint(wire) === sshFingerprint(sshPublicKey(hostKey)),
    });
  });
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, of) => (error ? reject(error) : resolve(of))),
  );
  return { client, sftp };
}

const named = (sftp: SFTPWrapper, folder: string) =>
  new Promise<string[]>((resolve, reject) =>
    sftp.readdir(folder, (error, entries) => (error ? reject(error) : resolve(entries.map(({ filename }) => filename)))),
  );
const fetched = (sftp: SFTPWrapper, path: string) =>
  new Promise<Buffer>((resolve, reject) => sftp.readFile(path, (error, bytes) => (error ? reject(error) : resolve(bytes))));

test('a platform logs in with the key that the bank registered, and fetches what the API gives', async () => {
  const admin = await desk.staff('administrator');
  const path = `/admin/v1/platforms/${toWire('platform', market.platformId)}/file-keys`;
  const user = toWire('platform', market.platformId);
  await expect(login(user, ours)).rejects.toThrow(/authentication/i);
  expect((await admin('POST', path, { publicKey: 'ssh-rsa AAAA' })).json.code).toBe('KEY_UNSUITABLE');
  const added = await admin('POST', path, { publicKey: lineOf(ours) });
  expect(added.json).toMatchObject({ fingerprint: sshFingerprint(sshPublicKey(ours)), state: 'active' });
  expect((await admin('POST', path, { publicKey: lineOf(ours) })).json.code).toBe('FILE_KEY_REUSED');

  const { client, sftp } = await login(user, ours);
  expect(await named(sftp, '/')).toEqual(['20260302']);
  const names = await named(sftp, '/20260302');
  expect(names).toContain('trades.ok');
  expect(names).toHaveLength(40);
  const call = await desk.as(market.platformId);
  const trades = (await call('GET', `/v1/check-files/${DAY}/trades`)).bytes;
  expect((await fetched(sftp, '/20260302/trades.txt')).equals(trades)).toBe(true);
  expect(gunzipSync(await fetched(sftp, '/20260302/../20260302/trades.txt.gz')).equals(trades)).toBe(true);
  const gbk = (await call('GET', `/v1/check-files/${DAY}/funds?encoding=gbk`)).bytes;
  expect((await fetched(sftp, '/20260302/funds.gb18030.txt')).equals(gbk)).toBe(true);
  const marker = (await fetched(sftp, '/20260302/trades.ok')).toString();
  expect(marker).toContain(createHash('sha256').update(trades).digest('hex'));
  expect(marker.startsWith('40 40000\n')).toBe(true);

  await expect(fetched(sftp, '/20260303/trades.txt')).rejects.toThrow(/FILE_NOT_READY/);
  await expect(fetched(sftp, '/etc/passwd')).rejects.toThrow(/no such file/i);
  await expect(named(sftp, '/20250101')).rejects.toThrow(/NOT_FOUND/);
  const written = new Promise((resolve, reject) =>
    sftp.writeFile('/20260302/x.txt', 'x', (error) => (error ? reject(error) : resolve(0))),
  );
  await expect(written).rejects.toThrow(/denied/i);
  // scp waits for the last word of the server, and calls a session a failure that has no exit status.
  const status = await new Promise((resolve, reject) =>
    client.subsys('sftp', (error, channel) => {
      if (error) return reject(error);
      channel.on('close', resolve).resume();
      channel.end();
    }),
  );
  expect(status).toBe(0);
  client.end();

  const other = await openMarket({ world: market.world, bank: market.bank });
  await expect(login(toWire('platform', other.platformId), ours)).rejects.toThrow(/authentication/i);
  await other.end();
  expect((await admin('DELETE', `${path}/${added.json.id}`)).json).toMatchObject({ state: 'revoked' });
  await expect(login(user, ours)).rejects.toThrow(/authentication/i);
});

test('no other key, no password, and no shell', async () => {
  const user = toWire('platform', market.platformId);
  await expect(login(user, generateKeyPairSync('ed25519').privateKey)).rejects.toThrow(/authentication/i);
  await expect(login('root', ours)).rejects.toThrow(/authentication/i);
});

/** A platform's key is registered, and it is logged in with it. */
async function guest() {
  const key = generateKeyPairSync('ed25519').privateKey;
  const admin = await desk.staff('administrator');
  const path = `/admin/v1/platforms/${toWire('platform', market.platformId)}/file-keys`;
  const added = await admin('POST', path, { publicKey: lineOf(key) });
  const session = await login(toWire('platform', market.platformId), key);
  const gone = new Promise<void>((resolve) => session.client.once('close', () => resolve()));
  const revoke = () => admin('DELETE', `${path}/${added.json.id}`);
  return { ...session, key, gone, revoke };
}

const opened = (sftp: SFTPWrapper, path: string) =>
  new Promise<Buffer>((resolve, reject) => sftp.open(path, 'r', (error, handle) => (error ? reject(error) : resolve(handle))));
/** So many of them are over. */
const nth = (count: number, all: readonly (Promise<unknown> | undefined)[]) =>
  new Promise<void>((resolve) => {
    let over = 0;
    for (const each of all)
      void Promise.resolve(each).then(() => {
        over += 1;
        if (over === count) resolve();
      });
  });
const readOf = (sftp: SFTPWrapper, handle: Buffer) =>
  new Promise<number>((resolve, reject) =>
    sftp.read(handle, Buffer.alloc(10), 0, 10, 0, (error, bytes) => (error ? reject(error) : resolve(bytes))),
  );

test('a session ends when its key is revoked or its platform suspended', async () => {
  const listing = await guest();
  expect(await named(listing.sftp, '/')).toEqual(['20260302']);
  await listing.revoke();
  await expect(named(listing.sftp, '/')).rejects.toThrow();
  await listing.gone;

  const reading = await guest();
  const handle = await opened(reading.sftp, '/20260302/trades.txt');
  expect(await readOf(reading.sftp, handle)).toBe(10);
  const put = (state: 'active' | 'suspended') =>
    market.world.db.withTx('put', async (tx) => {
      await setState(tx, market.platformId, state);
      return true;
    });
  await put('suspended');
  laterMs = 5_000; // until then it is believed to be welcome
  await expect(readOf(reading.sftp, handle)).rejects.toThrow();
  await reading.gone;
  await put('active');
  laterMs = 0;
});

test('what a connection has open is bounded over all its sessions', async () => {
  const { client, sftp, revoke } = await guest();
  const second = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, of) => (error ? reject(error) : resolve(of))),
  );
  const marker = '/20260302/trades.ok';
  for (let at = 0; at < 15; at += 1) await opened(sftp, marker);
  const last = await opened(second, marker);
  await expect(opened(second, marker)).rejects.toThrow(/too many open/);
  await expect(opened(sftp, marker)).rejects.toThrow(/too many open/);
  await new Promise<void>((resolve) => second.close(last, () => resolve()));
  await opened(second, marker);
  const ended = new Promise((resolve) => sftp.once('close', resolve));
  sftp.end();
  await ended;
  await opened(second, marker);
  client.end();
  await revoke();
});

test('connections that say nothing, or no more than that they speak SSH, keep nobody out', async () => {
  const { key, client, sftp, revoke } = await guest();
  const crowd = await Promise.all(
    Array.from({ length: 60 }, async (_, at) => {
      const socket = connect({ port: server.port, host: '127.0.0.1', localAddress: at < 5 ? '127.0.0.2' : '127.0.0.1' });
      socket.on('error', () => undefined).resume();
      if (at % 2 === 0) socket.write('SSH-2.0-nobody\r\n');
      await once(socket, 'connect');
      return socket;
    }),
  );
  const another = await login(toWire('platform', market.platformId), key);
  expect(await named(another.sftp, '/')).toEqual(['20260302']);
  expect(await named(sftp, '/')).toEqual(['20260302']); // whoever was let in stays
  const near = crowd.slice(5).map((socket) => (socket.closed ? undefined : once(socket, 'close')));
  await nth(45, near); // ten strangers of an address are borne
  expect(crowd.slice(0, 5).filter(({ closed }) => closed)).toEqual([]); // a stranger from elsewhere stays too
  for (const socket of crowd) socket.destroy();
  another.client.end();
  client.end();
  await revoke();
});

test('a port without a host key does not start', async () => {
  const { rt } = market.world;
  await expect(openFileServer({ ...rt, config: { ...rt.config, SFTP_PORT: 0 } })).rejects.toThrow(/SFTP_HOST_KEY/);
  expect(await openFileServer(rt)).toBeUndefined();
});
