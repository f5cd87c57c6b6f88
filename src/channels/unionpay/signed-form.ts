import { createHash, sign, verify } from 'node:crypto';
import type { PeerKeys, SigningKey } from '../keys.js';

/**
 * The form of UnionPay's messages (全渠道 5.1.0): form-encoded fields; the signature covers the SHA-256 digest in hex of all fields but
 * `signature` that are not empty, sorted by name and joined as `name=value` with `&`. `certId` names the key.
 */
export type Fields = Readonly<Record<string, string>>;

const NAME = /^[A-Za-z0-9]{1,64}$/;
const FIELDS_MAX = 64;

/** Whether a value can be carried: one with an `&` in it could be read as two fields under the same signature. */
export function isCarried(value: string): boolean {
  return !/[&\r\n]/.test(value);
}

/** The body of a message: its fields with `certId`, `signMethod` 01 (RSA) and the signature. Empty fields are left out. */
export function sealForm(fields: Fields, key: SigningKey): string {
  const signed = withoutEmpty({ ...fields, signMethod: '01', certId: key.id });
  const signature = sign('sha256', digestOf(signed), key.privateKey).toString('base64');
  return new URLSearchParams({ ...signed, signature }).toString();
}

/** The fields of a message whose signature is that of a known key; undefined of anything else. */
export function openForm(body: string, keys: PeerKeys): Fields | undefined {
  const fields: Record<string, string> = Object.create(null);
  let count = 0;
  for (const [name, value] of new URLSearchParams(body)) {
    count += 1;
    if (!NAME.test(name) || name in fields || count > FIELDS_MAX || !isCarried(value)) return undefined;
    fields[name] = value;
  }
  const { signature, ...signed } = fields;
  const key = keys.get(signed.certId ?? '');
  if (signature === undefined || key === undefined || signed.signMethod !== '01') return undefined;
  const isSigned = verify('sha256', digestOf(withoutEmpty(signed)), key, Buffer.from(signature, 'base64'));
  return isSigned ? signed : undefined;
}

function withoutEmpty(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

function digestOf(fields: Fields): Buffer {
  const text = Object.keys(fields)
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
  return Buffer.from(createHash('sha256').update(text, 'utf8').digest('hex'));
}

/** 持卡人信息: fields as `{name=value&…}` in base64, each value escaped so that none can be read as two. */
export function packInfo(fields: Fields): string {
  const packed = Object.entries(withoutEmpty(fields)).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return Buffer.from(`{${packed.join('&')}}`, 'utf8').toString('base64');
}

export function unpackInfo(text: string): Fields | undefined {
  const inner = /^\{(.*)\}$/s.exec(Buffer.from(text, 'base64').toString('utf8'))?.[1];
  return inner === undefined ? undefined : Object.fromEntries(new URLSearchParams(inner));
}
