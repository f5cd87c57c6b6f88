import { createPublicKey, type KeyObject, sign } from 'node:crypto';

/** ASN.1 DER: a type, a length and what is in it. */
function der(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const short = body.length < 0x80;
  const length = short ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

const SEQUENCE = 0x30;
const ED25519 = der(SEQUENCE, Buffer.from('06032b6570', 'hex')); // 1.3.101.112
const COMMON_NAME = Buffer.from('0603550403', 'hex'); // 2.5.4.3

/**
 * A certificate that an Ed25519 key signs for itself (RFC 5280, 8410), for a sandbox whose callers pin it. The same key and name make the same
 * certificate. @returns PEM
 */
export function selfSigned(key: KeyObject, commonName: string): string {
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(commonName, 'utf8')))));
  const time = (text: string) => der(0x17, Buffer.from(text, 'latin1'));
  const body = der(
    SEQUENCE,
    der(0xa0, Buffer.from('020102', 'hex')), // version 3
    Buffer.from('020101', 'hex'), // serial number
    ED25519,
    name,
    der(SEQUENCE, time('200101000000Z'), time('491231235959Z')),
    name,
    createPublicKey(key).export({ format: 'der', type: 'spki' }),
  );
  const signature = der(0x03, Buffer.from([0]), sign(null, body, key));
  const text =
    der(SEQUENCE, body, ED25519, signature)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...text, '-----END CERTIFICATE-----', ''].join('\n');
}
