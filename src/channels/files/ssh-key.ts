import { createHash, createPublicKey, type KeyObject } from 'node:crypto';

/** Ed25519 keys in the form that SSH takes them (openssh-key-v1, RFC 4253 and 8709). */
const TYPE = 'ssh-ed25519';

function text(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

function pointOf(key: KeyObject): Buffer {
  const { x = '' } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return Buffer.from(x, 'base64url');
}

/** The public key as it goes over the wire. */
export function sshPublicKey(key: KeyObject): Buffer {
  return text(TYPE, pointOf(key));
}

/** `SHA256:…`, as ssh-keygen shows it. */
export function sshFingerprint(wire: Buffer): string {
  return `SHA256:${createHash('sha256').update(wire).digest('base64').replace(/=+$/, '')}`;
}

/** The private key as a file of OpenSSH, without a passphrase. */
export function openSshPrivateKey(key: KeyObject): string {
  const point = pointOf(key);
  const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const check = Buffer.alloc(8); // the same number twice
  const inner = Buffer.concat([check, text(TYPE, point, Buffer.concat([seed, point]), 'cunguan')]);
  const padding = Buffer.from(Array.from({ length: (8 - (inner.length % 8)) % 8 }, (_, at) => at + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    Buffer.from('openssh-key-v1\0', 'latin1'),
    text('none', 'none', ''),
    count,
    text(sshPublicKey(key), Buffer.concat([inner, padding])),
  ]);
  const lines = whole.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}
