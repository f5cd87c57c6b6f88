/**
 * Signs one request as a platform (RFC 9421) and sends it; prints the status on stderr and the answer on stdout.
 *
 *   node --import tsx scripts/request.ts GET /v1/platform
 *   node --import tsx scripts/request.ts POST /v1/instructions '{"requestNo": …}'      ('-' reads the body from stdin)
 *
 * The platform is the one of `npm run demo -- --keep`, or that of --key FILE: JSON with `url`, `keyId` and `privateKey` (PEM).
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { request } from 'undici';
import { signRequest } from '../src/platforms/index.js';

const USAGE = 'usage: request.ts [--key FILE] GET|POST|PUT|DELETE PATH [BODY | -]';
/** Where the demo leaves its platform's key while it runs. */
const DEMO_KEY = '.local/demo/platform.json';

interface PlatformKey {
  readonly url: string;
  readonly keyId: string;
  readonly privateKey: string;
}

function fail(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}

function readKey(path: string): PlatformKey {
  try {
    const { url, keyId, privateKey } = JSON.parse(readFileSync(path, 'utf8')) as Partial<PlatformKey>;
    if (url !== undefined && keyId !== undefined && privateKey !== undefined) return { url, keyId, privateKey };
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') fail(`${path} is not there. Does \`npm run demo -- --keep\` run?`);
  }
  return fail(`${path} is not JSON with url, keyId and privateKey.`);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string', default: DEMO_KEY } },
    });
    const [method = '', path = '', body] = positionals;
    if (!/^(GET|POST|PUT|DELETE)$/.test(method) || !path.startsWith('/') || positionals.length > 3) return fail(USAGE);
    return { key: values.key, method: method as 'GET', path, body: body === '-' ? readFileSync(0, 'utf8') : body };
  } catch (error) {
    return fail(`${(error as Error).message}\n${USAGE}`);
  }
}

const { key, method, path, body } = readArguments();
const { url, keyId, privateKey } = readKey(key);
const signature = signRequest({ method, url: url + path, body, keyId, privateKey, now: Date.now() });
try {
  const response = await request(url + path, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...signature },
  });
  const text = await response.body.text();
  process.stderr.write(`HTTP ${response.statusCode}\n`);
  const isJson = /json/.test(String(response.headers['content-type']));
  process.stdout.write(`${isJson ? JSON.stringify(JSON.parse(text), null, 2) : text}\n`);
  process.exitCode = response.statusCode < 300 ? 0 : 1;
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  process.stderr.write(`${url} gave no answer: ${message || code}\n`);
  process.exitCode = 1;
}
