import {
  CHECK_FILE_NAMES,
  CHECK_FILES,
  type CheckFile,
  columnMeaning,
  FILE_VERSION,
} from '../../src/reporting/check-files/columns.js';
import { kindsOf } from '../../src/reporting/check-files/lines.js';
import { documentOf, table } from './markdown.js';

const kindsIn = (file: CheckFile): string[] => {
  const kinds = kindsOf(file);
  return kinds.length === 0 ? [] : [`Made of the kinds ${kinds.map((kind) => `\`${kind}\``).join(', ')}, and their corrections.`];
};

const code = (...lines: readonly string[]) => lines.map((line) => `    ${line}`).join('\n');

function section(file: CheckFile): string {
  const { zh, en, columns, sum } = CHECK_FILES[file];
  const rows = columns.map((column) => [`\`${column}\``, columnMeaning(column).zh, columnMeaning(column).en]);
  const parts = [
    `## \`${file}\` ${zh}`,
    `Holds ${en}.`,
    ...kindsIn(file),
    `Its sum is ${sum}.`,
    table(['column', '中文', 'meaning'], rows),
  ];
  return parts.join('\n\n');
}

export function checkFilesPage(): string {
  return documentOf(
    'Check files 对账文件',
    `The form of the files that platforms get of every business day, version ${FILE_VERSION}. A file is made when the day is over, and made again from the ` +
      'books whenever somebody asks for it: it is the same byte for byte, or it is given to nobody. What becomes known later (the result of a payout, a ' +
      'correction) stands in the file of the day on which it was posted.',
    '## Form 格式',
    'Text of lines, each ended by a line feed, with fields between bars `|`. `no` counts the D lines from 1.\n\n' +
      '```text\n' +
      `H|cunguan-check|${FILE_VERSION}|<platform>|<date>|<file>|CNY|fen\n` +
      'N|no|<names of the columns>\nD|<no>|<fields>\nT|<count of D lines>|<sum of their amounts>\n```',
    'Amounts are integers of fen. A bar within a field is written as the full-width `｜`, and a character that cannot be seen as a blank. Names and ' +
      'account numbers of people are masked.',
    'In UTF-8, or in GB 18030 (`encoding=gbk` means it too): it has the bytes of GBK for every character of GBK, and four bytes for the others. Decode ' +
      'before you split: within a character of two bytes the second may be that of a bar.',
    'Digests are SHA-256 and SM3 (GB/T 32905) over the whole file in its encoding, unpacked. Packed it is gzip.',
    '## Where 获取方式',
    table(
      ['way', 'what'],
      [
        ['`GET /v1/check-files/{date}`', 'the files of a day with counts, sums and digests'],
        [
          '`GET /v1/check-files/{date}/{file}`',
          'one file; `encoding` (or Accept-Charset) and `pack=gzip`; digests in X-File-Sha256 and X-File-Sm3',
        ],
        ['SFTP `/YYYYMMDD/<file>.txt`', 'UTF-8; `<file>.gb18030.txt` for GB 18030; `.gz` after either: packed'],
        [
          'SFTP `/YYYYMMDD/<file>.ok`',
          'count and sum; then a line for each encoding: SHA-256, SM3, bytes, name. What has it is complete',
        ],
        ['`POST …/{file}/confirmation`', 'the platform finds the file of that digest right'],
        ['`POST …/{file}/disputes`', 'it disputes lines by their numbers, or names what it misses; the bank’s staff answers'],
      ],
    ),
    'By SFTP the user is the platform’s id, `plt_…`, with an Ed25519 key that the bank has registered. The server runs in the API process where `SFTP_PORT` is set. A session ends when its key is revoked or its platform suspended, and after five quiet minutes. A connection may have 10 sessions, and 16 files and folders open in all of them; an address 25 connections.',
    'The bank (once), with the private half of its host key kept like any other:',
    code(
      'export SFTP_PORT=2222 SFTP_HOST_KEY=h1=$(openssl genpkey -algorithm ed25519 -outform der | base64 -w0)     # before npm start',
    ),
    'The platform makes a key, and an administrator of the bank registers the line of its public half:',
    code(
      "ssh-keygen -t ed25519 -N '' -f files.key",
      'POST /admin/v1/platforms/{platform}/file-keys     {"publicKey":"ssh-ed25519 AAAA…"}',
      'sftp -i files.key -P 2222 plt_…@127.0.0.1',
      'sftp> get /20260302/trades.txt',
    ),
    'It says that a file is right, or what is wrong with it, by the digest of what it read. While a dispute is open the file cannot be confirmed (`FILE_DISPUTED`):',
    code(
      'POST /v1/check-files/{date}/{file}/confirmation     {"digest":"<SHA-256 or SM3, hex>"}',
      'POST /v1/check-files/{date}/{file}/disputes    {"digest":"…","lines":[{"line":1,"reason":"…"},{"requestNo":"R-77","reason":"missing"}]}',
      'GET /v1/file-disputes',
      'POST /admin/v1/file-disputes/{dispute}/seen',
      'POST /admin/v1/file-disputes/{dispute}/answer           {"verdict":"rejected","answer":"…"}',
    ),
    ...CHECK_FILE_NAMES.map(section),
  );
}
