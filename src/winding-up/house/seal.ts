import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';

/**
 * What names persons leaves the house only for the eyes of the custodian that it goes to: sealed with a key that is made of one key pair of this
 * export and the receiver's (X25519, HKDF-SHA-256), AES-256-GCM under an own IV for each line, bound to the file and the line that it stands in.
 */
const IV = 12;
const TAG = 16;
const INFO = 'cunguan-export-1';

/** A public key as 32 bytes in base64url. @throws when it is none */
function publicKeyOf(x: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}

export function textOfKey(key: KeyObject): string {
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return String(x);
}

export interface Place {
  readonly file: string;
  readonly line: number;
}

const placeOf = ({ file, line }: Place) => Buffer.from(`${file}\n${line}`);

function sharedKey(own: KeyObject, other: KeyObject, ephemeral: string, receiver: string): Buffer {
  const secret = diffieHellman({ privateKey: own, publicKey: other });
  return Buffer.from(hkdfSync('sha256', secret, `${ephemeral}.${receiver}`, INFO, 32));
}

/** Seals for one receiver. `ephemeral` goes with what is sealed; its private half is forgotten with this. */
export function sealerFor(receiver: string): { readonly ephemeral: string; seal(at: Place, of: unknown): string } {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const ephemeral = textOfKey(publicKey);
  const key = sharedKey(privateKey, publicKeyOf(receiver), ephemeral, receiver);
  return {
    ephemeral,
    seal(at, of) {
      const iv = randomBytes(IV);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(placeOf(at));
      const text = cipher.update(JSON.stringify(of), 'utf8');
      return Buffer.concat([iv, text, cipher.final(), cipher.getAuthTag()]).toString('base64url');
    },
  };
}

/** @returns what opens it; that throws when the text was altered, moved, or sealed for another */
export function openerOf(own: KeyObject, ephemeral: string): (at: Place, sealed: string) => unknown {
  const key = sharedKey(own, publicKeyOf(ephemeral), ephemeral, textOfKey(own));
  return (at, sealed) => {
    const bytes = Buffer.from(sealed, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV), { authTagLength: TAG });
    decipher.setAAD(placeOf(at)).setAuthTag(bytes.subarray(-TAG));
    const text = decipher.update(bytes.subarray(IV, -TAG), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text);
  };
}
