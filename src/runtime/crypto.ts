import { createHash, randomBytes } from 'node:crypto';

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest();
}

/** A secret of 256 bits behind a prefix that secret scanners can look for: `cgo_…`. */
export function newToken(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`;
}

/**
 * What is stored of a token. It has 256 bits of chance, so a plain hash cannot be searched; and since the lookup goes by the
 * hash, its time tells nothing of the token.
 */
export function hashToken(token: string): Buffer {
  return sha256(token);
}

/** A number for one request, in logs and answers; it says nothing and need not be sortable. */
export function newRequestId(): string {
  return randomBytes(12).toString('hex');
}
