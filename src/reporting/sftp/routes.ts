import { z } from 'zod';
import { sshFingerprint } from '../../channels/index.js';
import { Refused, refuse, toRfc3339, toWire } from '../../kernel/index.js';
import { readPlatform } from '../../platforms/index.js';
import { isDuplicateKey, type Route, type Runtime, rfc3339Schema, route, wireId } from '../../runtime/index.js';
import { type FileKey, fileKeysOf, findFileKey, insertFileKey, revokeFileKey } from './store.js';

const keySchema = z
  .strictObject({
    id: z.string().meta({ example: 'fky_2236512894231552003' }),
    fingerprint: z.string().meta({ example: 'SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpXHEUvbDPtc1u6nqE' }),
    state: z.enum(['active', 'revoked']),
    createdAt: rfc3339Schema,
    revokedAt: rfc3339Schema.nullable(),
  })
  .meta({ id: 'FileKey', description: 'A public SSH key with which a platform fetches its check files' });

function showKey({ id, fingerprint, createdMs, revokedMs }: FileKey): z.input<typeof keySchema> {
  return {
    id: toWire('file-key', id),
    fingerprint,
    state: revokedMs === null ? 'active' : 'revoked',
    createdAt: toRfc3339(createdMs),
    revokedAt: revokedMs === null ? null : toRfc3339(revokedMs),
  };
}

const operator = { audience: 'operator', tag: 'Check files' } as const;
const ofPlatform = z.strictObject({ platform: wireId('platform') });
const PATH = '/admin/v1/platforms/{platform}/file-keys';

/** The keys with which platforms fetch their files by SFTP. */
export function fileKeyRoutes(rt: Runtime): Route[] {
  return [listRoute(rt), addRoute(rt), revokeRoute(rt)];
}

function listRoute({ db }: Runtime): Route {
  return route({
    ...operator,
    method: 'GET',
    path: PATH,
    permission: 'platforms.read',
    summary: "A platform's keys for SFTP",
    summaryZh: '对账文件 SFTP 公钥列表',
    params: ofPlatform,
    answers: { 200: { description: 'All of them', schema: z.strictObject({ items: z.array(keySchema) }) } },
    handle: async ({ params }) => {
      const keys = await db.read('file-keys', (tx) => fileKeysOf(tx, params.platform));
      return { status: 200, body: { items: keys.map(showKey) } };
    },
  });
}

/** The wire form of an Ed25519 key in the one-line form of OpenSSH; undefined when it is not that. */
function sshWireOf(text: string): Buffer | undefined {
  const [, base64] = /^ssh-ed25519 ([A-Za-z0-9+/]{68})(?: [^\r\n]{0,200})?\s*$/.exec(text) ?? [];
  const wire = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
  const head = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1');
  return wire?.length === head.length + 32 && wire.subarray(0, head.length).equals(head) ? wire : undefined;
}

function addRoute({ clock, newId }: Runtime): Route {
  return route({
    ...operator,
    method: 'POST',
    path: PATH,
    permission: 'platforms.write',
    summary: 'Registers a public SSH key of a platform',
    summaryZh: '登记对账文件 SFTP 公钥',
    params: ofPlatform,
    body: z.strictObject({ publicKey: z.string().max(400).meta({ description: 'One line of OpenSSH, `ssh-ed25519 AAAA…`' }) }),
    answers: { 201: { description: 'Registered', schema: keySchema } },
    refusals: ['NOT_FOUND', 'KEY_UNSUITABLE', 'FILE_KEY_REUSED'],
    handle: async ({ params: { platform: platformId }, body, tx }) => {
      if ((await readPlatform(tx, platformId)) === undefined) throw new Refused(refuse('NOT_FOUND'));
      const wire = sshWireOf(body.publicKey);
      if (wire === undefined) throw new Refused(refuse('KEY_UNSUITABLE', 'It is no Ed25519 key in the form of OpenSSH.'));
      const publicKey = `ssh-ed25519 ${wire.toString('base64')}`;
      const key = { id: newId(), platformId, fingerprint: sshFingerprint(wire), publicKey, createdMs: clock.now() };
      if ((await findFileKey(tx, key.fingerprint)) !== undefined) throw new Refused(refuse('FILE_KEY_REUSED'));
      await insertFileKey(tx, key).catch((error: unknown) => {
        throw isDuplicateKey(error) ? new Refused(refuse('FILE_KEY_REUSED')) : error;
      });
      const audit = { target: `platform ${toWire('platform', platformId)}`, note: key.fingerprint };
      return { status: 201, body: showKey({ ...key, revokedMs: null }), audit };
    },
  });
}

function revokeRoute({ clock }: Runtime): Route {
  return route({
    ...operator,
    method: 'DELETE',
    path: `${PATH}/{key}`,
    permission: 'platforms.write',
    summary: 'Revokes a key for SFTP: no login with it succeeds any more, and its sessions end',
    summaryZh: '停用对账文件 SFTP 公钥',
    params: ofPlatform.extend({ key: wireId('file-key') }),
    answers: { 200: { description: 'Revoked', schema: keySchema } },
    refusals: ['NOT_FOUND'],
    handle: async ({ params: { platform: platformId, key: id }, tx }) => {
      if (!(await revokeFileKey(tx, platformId, id, clock.now()))) throw new Refused(refuse('NOT_FOUND'));
      const key = (await fileKeysOf(tx, platformId)).find((each) => each.id === id);
      if (key === undefined) throw new Refused(refuse('NOT_FOUND'));
      return {
        status: 200,
        body: showKey(key),
        audit: { target: `platform ${toWire('platform', platformId)}`, note: key.fingerprint },
      };
    },
  });
}
