import type { RemoteFiles } from './sftp.js';

const DIGEST_BYTES_MAX = 1_024;

/**
 * What the other side says a file's digest is, in the file beside it.
 * @param path without what stands behind the dot
 * @returns SHA-256 in hex
 * @throws BankUnreachable, and what `fail` makes of a digest that cannot be read
 */
export async function digestBeside(files: RemoteFiles, path: string, fail: (why: string) => Error): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of files.read(`${path}.sha256`, 0)) {
    bytes += chunk.length;
    chunks.push(chunk);
    if (bytes > DIGEST_BYTES_MAX) break;
  }
  const digest = /^([0-9a-f]{64})\s/.exec(Buffer.concat(chunks).toString('latin1'))?.[1];
  if (digest === undefined) throw fail('its digest cannot be read');
  return digest;
}
