/**
 * Verifies what the bank signed with its public key alone: no database, no network, nothing of the bank but that key.
 *
 *   npx cunguan verify FILE … [--key FILE]
 *
 * A FILE is a receipt (电子回执, `GET /v1/receipts/…`), the receipt of an entry (电子回单, `GET /v1/accounts/…/entries/…/receipt`), a statement of an
 * account (对账单, `GET /v1/accounts/…/statement`, the JSON), a custody proof of a day
 * (存管证明, `GET /v1/days/…/proof`), the inclusion proof of an account (`GET /v1/accounts/…/proofs/…`) or a custody report (存管报告,
 * `GET /v1/custody-reports/…`); also the report of a wind-down (清退报告, `npx cunguan wind-down --report`), the manifest of an export of members and the
 * receipt of its takeover. '-' reads stdin. Custody proofs of several days, also those inside inclusion proofs, must follow from one another.
 * The key file is what `GET /v1/receipt-keys` answered, or a PEM (SPKI); when it is not named, that of this checkout's own sandbox.
 * Prints what the files prove and ends with 0, or what is wrong with the first that is not genuine and ends with 1.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { judgeReceipt, RECEIPT_VERSION, type ReceiptContent } from '../src/consents/receipts/rules.js';
import type { Shown } from '../src/consents/rules.js';
import { type Judged, type PublicKeys, Refused, readPublicKeys, toYuan } from '../src/kernel/index.js';
import {
  CUSTODY_VERSION,
  type CustodyProof,
  chainFaults,
  FIRST,
  INCLUSION_VERSION,
  type InclusionProof,
  judgeCustody,
  judgeInclusion,
} from '../src/proofs/rules.js';
import { ENTRY_RECEIPT_VERSION, type EntryReceipt, judgeEntryReceipt } from '../src/reporting/receipts/rules.js';
import { judgeStatement, type SignedStatement, STATEMENT_VERSION } from '../src/reporting/statements/form.js';
import { parseJson } from '../src/runtime/json.js';
import { CUSTODY_REPORT_VERSION, type CustodyReport, judgeCustodyReport } from '../src/supervision/custody-rules.js';
import { EXPORT_VERSION, judgeMoved, type Manifest, TAKEOVER_VERSION, type Takeover } from '../src/winding-up/house/form.js';
import { judgeReport, REPORT_FILE, REPORT_VERSION, type ReportFile } from '../src/winding-up/report-form.js';

const USAGE = 'usage: npx cunguan verify FILE … [--key FILE]';
const SANDBOX_KEYS = '.local/receipt-keys.public.json';

class Fault extends Error {}

function readArguments(): { files: readonly string[]; key: string } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string' } },
    });
    // Commands run in the root of the checkout; names of files are meant as they were typed.
    const typed = (path: string) => (path === '-' || isAddress(path) ? path : resolve(process.env.INIT_CWD ?? '.', path));
    const key = values.key === undefined ? SANDBOX_KEYS : typed(values.key);
    if (positionals.length > 0) return { files: positionals.map(typed), key };
  } catch (error) {
    throw new Fault(`${(error as Error).message}\n${USAGE}`);
  }
  throw new Fault(USAGE);
}

const isAddress = (path: string) => /^[a-z]+:\/\//i.test(path);

function read(what: string, path: string): string {
  if (isAddress(path)) throw new Fault(`${path}: ${what} is read from a file, never from the network`);
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

function readDocument(path: string): unknown {
  const text = read('the file', path);
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

const yuan = (fen: number) => `${toYuan(BigInt(fen))} yuan`;

function* toldOfReceipt(content: ReceiptContent): Iterable<string> {
  if (content.type === 'mandate-use') {
    yield `${content.instruction} (${content.kind}, request ${content.requestNo}) took ${yuan(content.amount)} from ${content.account}`;
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

function* toldOfCustody({ content }: CustodyProof): Iterable<string> {
  const { custody, children, statement, accounts, previous } = content;
  yield `${content.platform} at the end of ${content.date}: ${yuan(custody)} in the custody account ${content.custodyNo}`;
  yield `on ${accounts} accounts, which together have ${yuan(children)}; root ${content.root}`;
  const apart = BigInt(custody) - BigInt(statement.closing);
  const rest = apart === 0n ? '' : `; ${toYuan(apart)} yuan are on their way between the two`;
  yield `the core bank's statement of ${statement.lines} lines ends with ${yuan(statement.closing)}${rest}`;
  yield previous === FIRST ? 'the first proof of this platform' : `the proof of the day before has the hash ${previous}`;
}

function* toldOfInclusion({ leaf, index, custody }: InclusionProof): Iterable<string> {
  yield `${leaf.account} (${leaf.accountType}) had ${yuan(leaf.balance)} after ${leaf.seq} entries, the last with the hash ${leaf.head}`;
  yield `it is leaf ${index} of the tree of this custody proof:`;
  for (const line of toldOfCustody(custody)) yield `  ${line}`;
}

function* toldOfWindDown({ report: { content }, lines }: ReportFile): Iterable<string> {
  const { custody, reasons } = content;
  yield `${content.platform}, custody account ${content.custodyNo}: from the end of ${content.start} to the end of ${content.asOf}`;
  yield `${yuan(custody.start)} were there, ${yuan(custody.cameIn)} came in, ${yuan(custody.cameBack)} came back`;
  yield `${yuan(custody.wentOut)} went out, ${yuan(custody.stays)} stay; ${lines.length} accounts, whose sums are the same`;
  for (const [reason, { accounts, amount }] of Object.entries(reasons))
    yield `  stays: ${yuan(amount)} on ${accounts} accounts (${reason})`;
}

function* toldOfMove({ content }: Manifest | Takeover): Iterable<string> {
  if (content.type === 'export') {
    yield `${content.platform}, custody account ${content.custodyNo}, at the end of ${content.asOf}: ${yuan(content.total)} are handed over`;
    for (const { name, lines, sum, digest } of content.files) yield `  ${name}: ${lines} lines, ${yuan(sum)}, SHA-256 ${digest}`;
    return;
  }
  yield `the export ${content.export} was taken over into ${content.platform}, custody account ${content.custodyNo}: ${yuan(content.total)}`;
  yield `by one transfer with the reference ${content.reference}`;
}

function* toldOfEntry({ content }: EntryReceipt): Iterable<string> {
  const { side, account, accountType, counter, kindName } = content;
  yield `receipt ${content.receiptNo}, verification code ${content.code}`;
  yield `${yuan(content.amount)} ${side === 'in' ? 'came to' : 'went from'} ${account} (${accountType}) of ${content.platform} (${content.platformName})`;
  yield `on ${content.businessDate}, posted at ${content.postedAt}; the account then had ${yuan(content.balance)}`;
  yield `${side === 'in' ? 'from' : 'to'} ${counter.zh} / ${counter.en}`;
  yield `${kindName.zh} / ${kindName.en}: ${content.instruction}, request ${content.requestNo}`;
  yield `entry ${content.seq} of the account, with the hash ${content.entryHash}`;
}

function* toldOfStatement({ content }: SignedStatement): Iterable<string> {
  const { account, type, platform, platformName, from, to, final, lines } = content;
  yield `statement of ${account} (${type}) of ${platform} (${platformName}) from ${from} to ${to}, made at ${content.madeAt}`;
  if (!final) yield 'it holds a business day that was not over';
  yield `${yuan(content.opening)} before, ${yuan(content.totalIn)} in and ${yuan(content.totalOut)} out by ${lines.length} entries, ${yuan(content.closing)} at the end`;
}

function* toldOfReport({ content }: CustodyReport): Iterable<string> {
  const { from, to, balances, flows, days, breaks, payouts } = content;
  yield `${content.platform} (${content.name}) from ${from} to ${to}, custody account ${content.custodyNo}`;
  for (const { type, openingAccounts, opening, closingAccounts, closing } of balances) {
    // Reports of earlier days have the custody account as the books have it, below zero.
    const told = (fen: number) => yuan(type === 'custody' ? Math.abs(fen) : fen);
    yield `${type}: ${openingAccounts} accounts with ${told(opening)} before, ${closingAccounts} with ${told(closing)} at the end`;
  }
  for (const { kind, lines, ...flow } of flows)
    yield `${kind}: ${yuan(flow.in)} in and ${yuan(flow.out)} out, by ${lines} entries`;
  const unproved = days.unproved.length === 0 ? '' : `; not proved: ${days.unproved.join(' ')}`;
  yield `of ${days.all} days ${days.closed} are closed and ${days.proved} proved${unproved}`;
  for (const { class: sort, state, count, difference } of breaks)
    yield `breaks ${sort}, ${state}: ${count}, together ${yuan(difference)}`;
  for (const { purpose, state, count, amount } of payouts)
    yield `payouts ${purpose}, ${state}: ${count}, together ${yuan(amount)}`;
}

interface Verified {
  readonly what: string;
  readonly keyId: string;
  readonly lines: Iterable<string>;
  readonly custody?: CustodyProof;
}

/** Everything that the bank signs, by the version in which it says what it is. */
const DOCUMENTS: Readonly<Record<string, (value: unknown, keys: PublicKeys) => Verified>> = {
  [RECEIPT_VERSION](value, keys) {
    const { keyId, content } = genuine(judgeReceipt(value, keys));
    return { what: 'receipt', keyId, lines: toldOfReceipt(content) };
  },
  [ENTRY_RECEIPT_VERSION](value, keys) {
    const receipt = genuine(judgeEntryReceipt(value, keys));
    return { what: 'receipt of an entry', keyId: receipt.keyId, lines: toldOfEntry(receipt) };
  },
  [STATEMENT_VERSION](value, keys) {
    const statement = genuine(judgeStatement(value, keys));
    return { what: 'statement of an account', keyId: statement.keyId, lines: toldOfStatement(statement) };
  },
  [CUSTODY_VERSION](value, keys) {
    const custody = genuine(judgeCustody(value, keys));
    return { what: 'custody proof', keyId: custody.keyId, lines: toldOfCustody(custody), custody };
  },
  [INCLUSION_VERSION](value, keys) {
    const inclusion = genuine(judgeInclusion(value, keys));
    const { custody } = inclusion;
    return { what: 'inclusion proof', keyId: custody.keyId, lines: toldOfInclusion(inclusion), custody };
  },
  [CUSTODY_REPORT_VERSION](value, keys) {
    const report = genuine(judgeCustodyReport(value, keys));
    return { what: 'custody report', keyId: report.keyId, lines: toldOfReport(report) };
  },
  [REPORT_VERSION]() {
    throw new Fault(
      'NOT GENUINE: the report of a wind-down has its lines with it, as `npx cunguan wind-down --report` writes it',
    );
  },
  [REPORT_FILE](value, keys) {
    const report = sound(judgeReport(value, keys));
    return { what: 'report of a wind-down', keyId: report.report.keyId, lines: toldOfWindDown(report) };
  },
  [EXPORT_VERSION](value, keys) {
    const moved = sound(judgeMoved(value, keys));
    return { what: 'export', keyId: moved.keyId, lines: toldOfMove(moved) };
  },
  [TAKEOVER_VERSION](value, keys) {
    const moved = sound(judgeMoved(value, keys));
    return { what: 'takeover', keyId: moved.keyId, lines: toldOfMove(moved) };
  },
};

/** What is judged with words: the document, or what is wrong with it. */
function sound<Document>(judged: Document | string): Document {
  if (typeof judged === 'string') throw new Fault(`NOT GENUINE: ${judged}`);
  return judged;
}

/** What names no version is judged as a receipt, and told what it lacks. @throws Fault when it is not genuine */
function verify(value: unknown, keys: PublicKeys): Verified {
  const version = String((value as { version?: unknown } | null)?.version ?? RECEIPT_VERSION);
  const document = Object.hasOwn(DOCUMENTS, version) ? DOCUMENTS[version] : undefined;
  if (document === undefined) throw new Fault(`NOT GENUINE: "${version}" is the version of no document of the bank's`);
  return document(value, keys);
}

function genuine<Document>(judged: Judged<Document>): Document {
  if ('fault' in judged) throw new Fault(`NOT GENUINE: ${judged.fault}`);
  return judged.document;
}

/** What came from outside must not speak to the terminal. */
const plain = (line: string) => line.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');

function main(): void {
  const { files, key } = readArguments();
  const keys = readKeys(key);
  if (key === SANDBOX_KEYS) process.stderr.write(`no --key was named: held against this checkout's own keys, ${SANDBOX_KEYS}\n`);
  const days: CustodyProof[] = [];
  for (const file of files) {
    if (files.length > 1) process.stdout.write(`${plain(file)}\n`);
    const { what, keyId, lines, custody } = verify(readDocument(file), keys);
    process.stdout.write(`genuine: signed by the bank with its key ${keyId} (${what})\n`);
    for (const line of lines) process.stdout.write(`  ${plain(line)}\n`);
    if (custody !== undefined) days.push(custody);
  }
  const [fault] = chainFaults(days);
  if (fault !== undefined) throw new Fault(`NOT GENUINE: ${fault}`);
  if (new Set(days.map(({ hash }) => hash)).size > 1) process.stdout.write('the proofs of the days follow from one another\n');
}

try {
  main();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${error.message.split('\n').map(plain).join('\n')}\n`);
  process.exitCode = 1;
}
