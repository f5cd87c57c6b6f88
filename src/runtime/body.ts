import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refused, refuse } from '../kernel/index.js';

export const BODY_LIMIT_DEFAULT = 256 * 1024;
/** What is still thrown away after a refusal, so that a client that is sending gets to read the answer. */
const DISCARD_MAX = 8 * 1024 * 1024;

/**
 * The raw body, read no further than `limit` bytes.
 * @throws Refused BODY_TOO_LARGE; the connection closes after the answer
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, limit: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(request, response, limit);
  if (request.headers['content-encoding'] !== undefined && request.headers['content-encoding'] !== 'identity') {
    throw new Refused(refuse('MEDIA_TYPE_UNSUPPORTED', 'Content codings are not accepted.'));
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      request.off('data', onData);
      reject(tooLarge(request, response, limit));
    };
    request.on('data', onData);
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const cut = () => reject(new Refused(refuse('BODY_MALFORMED', 'The connection closed before the end of the body.')));
    request.once('error', cut);
    request.once('close', cut);
  });
}

function tooLarge(request: IncomingMessage, response: ServerResponse, limit: number): Refused {
  response.setHeader('Connection', 'close');
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARD_MAX) request.destroy();
  });
  return new Refused(refuse('BODY_TOO_LARGE', `This path accepts at most ${limit} bytes.`, { limit }));
}

/** Refuses a media type that the path does not take; parameters but a charset of UTF-8 are ignored. */
export function checkMediaType(header: string | undefined, accepted: readonly string[]): void {
  const [type = '', ...parameters] = (header ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith('charset='))
    ?.slice(8)
    .replaceAll('"', '');
  if (accepted.includes(type) && (charset === undefined || charset === 'utf-8')) return;
  throw new Refused(refuse('MEDIA_TYPE_UNSUPPORTED', `This path accepts ${accepted.join(', ')} in UTF-8.`));
}
