/**
 * Verifies a receipt (电子回执) with the bank's public key alone: no database, no network, nothing of the bank but that key.
 *
 *   npm run verify -- FILE [--key FILE]
 *
 * FILE is what `GET /v1/receipts/…` answered ('-' reads stdin). The key file is what `GET /v1/receipt-keys` answered, or a PEM (SPKI); when it is not
 * named, that of this checkout's own sandbox. Prints what the receipt proves and ends with 0, or what is wrong with it and ends with 1.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { judgeReceipt, type PublicKeys, type ReceiptContent, readPublicKeys } from '../src/consents/receipts/rules.js';
import type { Shown } from '../src/consents/rules.js';
import { Refused, toYuan } from '../src/kernel/index.js';
import { parseJson } from '../src/runtime/json.js';

const USAGE = 'usage: npm run verify -- FILE [--key FILE]';
const SANDBOX_KEYS = '.local/receipt-keys.public.json';

class Fault extends Error {}

function readArguments(): { file: string; key: string } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string', default: SANDBOX_KEYS } },
    });
    const [file] = positionals;
    if (file !== undefined && positionals.length === 1) return { file, key: values.key };
  } catch (error) {
    throw new Fault(`${(error as Error).message}\n${USAGE}`);
  }
  throw new Fault(USAGE);
}

function read(what: string, path: string): string {
  if (/^[a-z]+:\/\//i.test(path)) throw new Fault(`${path}: ${what} is read from a file, never from the network`);
  let bytes: Buffer;
  try {
    bytes = readFileSync(path === '-' ? 0 : path);
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT';
    throw new Fault(`${path}: ${missing ? 'there is no such file' : `${what} cannot be read`}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault(`NOT GENUINE: ${what} is not whole UTF-8 text: the file was cut off or damaged`);
  }
}

function readKeys(path: string): PublicKeys {
  const text = read('the key', path);
  try {
    return readPublicKeys(text);
  } catch (error) {
    throw new Fault(`${path}: ${(error as Error).message}`);
  }
}

function readReceipt(path: string): unknown {
  const text = read('the receipt', path);
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { detail, fields } = error.refusal;
    const [number] = (fields?.errors ?? []) as { pointer: string; detail: string }[];
    if (number !== undefined) throw new Fault(`NOT GENUINE: the field ${number.pointer} ${number.detail}`);
    throw new Fault(`NOT GENUINE: it is not whole JSON: the file was cut off or damaged (${detail ?? 'unreadable'})`);
  }
}

function* told(content: ReceiptContent): Iterable<string> {
  if (content.type === 'mandate-use') {
    yield `${content.instruction} (${content.kind}, request ${content.requestNo}) took ${toYuan(BigInt(content.amount))} yuan from ${content.account}`;
    yield `as use ${content.use} of ${content.mandate} by ${content.platform}, at ${content.usedAt}`;
    yield `asked for: ${JSON.stringify(content.data)}, signed with ${content.from.key}, received ${content.receivedAt}`;
    yield `the customer gave the mandate by ${content.granted.consent}; hash of that receipt ${content.granted.hash}`;
    return;
  }
  const how = content.factors.length === 0 ? 'without a factor' : `with ${content.factors.join(' and ')}`;
  yield `${content.consent}: the customer said ${content.said === 'given' ? 'yes' : 'no'} ${how} at ${content.answeredAt}`;
  yield `about the ${content.subject} ${content.about} of ${content.platform}, asked at ${content.askedAt}`;
  yield `from ${content.from.ip}${content.from.forwardedFor && ` (forwarded for ${content.from.forwardedFor})`}, ${content.from.userAgent || 'no browser named'}`;
  yield 'he was shown:';
  const { title, fen, lines } = content.shown as unknown as Shown;
  yield `  ${title.zh} / ${title.en}${fen === undefined ? '' : `: ${toYuan(BigInt(fen))} yuan`}`;
  for (const { label, value } of lines) {
    const text =
      typeof value === 'string' ? value : 'fen' in value ? `${toYuan(BigInt(value.fen))} yuan` : `${value.zh} / ${value.en}`;
    yield `  ${label.zh} / ${label.en}: ${text}`;
  }
}

/** What came from outside must not speak to the terminal. */
const plain = (line: string) => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

try {
  const { file, key } = readArguments();
  const keys = readKeys(key);
  const judged = judgeReceipt(readReceipt(file), keys);
  if ('fault' in judged) throw new Fault(`NOT GENUINE: ${judged.fault}`);
  const { receipt } = judged;
  process.stdout.write(`genuine: signed by the bank with its key ${receipt.keyId}\n`);
  for (const line of told(receipt.content)) process.stdout.write(`  ${plain(line)}\n`);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message.split('\n').map(plain).join('\n')}\n`);
  process.exitCode = 1;
}
