import { type Kind, kinds, type Origin, PROOFS } from '../../src/instructions/index.js';
import { type Minor, toYuan } from '../../src/kernel/index.js';
import { ACCOUNT_TYPES, type LedgerAccount, unclearedOf } from '../../src/ledger/index.js';
import { BEFORE } from './before.js';
import { documentOf, table } from './markdown.js';
import { idOf, type Posted, type SmallBook, seededBook } from './small-book.js';

const ORIGINS: Readonly<Record<Origin, string>> = { P: 'the platform 平台', S: 'the system itself 系统', O: 'the bank 银行' };
const BELONGS = { customer: 'a customer 客户', platform: 'the platform 平台', bank: 'the bank 银行' } as const;

export function accountingPage(): string {
  const chart = Object.entries(ACCOUNT_TYPES).map(([type, { zh, en, belongsTo }]) => [`\`${type}\``, zh, en, BELONGS[belongsTo]]);
  return documentOf(
    'Accounting 记账',
    'How each kind of instruction is posted. Every table below was made by really deciding the example of its kind over a small book: ' +
      'order SO-1001 was paid with 300.00 and split the day before (A 150.00, B 20.00, commission 10.00); A has a hold of 3.00, paid a fee of 0.60 and has ' +
      'a payout of 10.00 that was sent (and, before its return, settled); L has a Class II account, on which 1,000.00 came in from her card, and a Class III account, ' +
      'she says yes to what is asked, and has given a mandate; where a kind needs it: SO-1003 over 100.00 is bound to an agreement with A by which the platform gets ten ' +
      'percent, 125.00 of SO-1001 are disputed, 10.00 of A are frozen for a court, A has a margin of 50.00, the commission is 8.00 less and stands on marketing; transfers up to 500.00 and fees up to 10.00 are agreed. Amounts are in yuan; the API and the ' +
      'database keep fen.',
    '## The chart of a book 科目',
    'A positive balance is credit: what the bank owes to somebody. `custody` is the bank’s asset and the only account whose balance is ' +
      'negative, so all accounts of a book sum to zero. A sub-merchant has one `sub` account, each order one `order` account, and a ' +
      'book one of every other type.',
    table(['type', '中文', 'what it is', 'belongs to'], chart),
    ...[...kinds.values()].flatMap(kindPart),
  );
}

function kindPart(kind: Kind): string[] {
  const book = seededBook();
  BEFORE[kind.name]?.(book);
  const before = new Map([...book.accounts].map(([id, account]) => [id, { ...account }]));
  const posted = book.give(idOf(401), kind.name, kind.example);
  const proof = PROOFS[kind.proof];
  return [
    `## ${kind.zh} \`${kind.name}\``,
    [
      `${kind.en}.`,
      '',
      `- Who may give it: ${kind.origins.map((origin) => ORIGINS[origin]).join(', ')}.`,
      `- What makes it right: ${proof.en} (${proof.zh}).`,
      `- ${undoSentence(kind)}`,
    ].join('\n'),
    `\`\`\`json\n${JSON.stringify({ kind: kind.name, data: kind.example }, null, 2)}\n\`\`\``,
    posted.entries.length === 0 ? 'No money moves.' : entriesTable(book, posted),
    ...besides(book, posted, before),
  ];
}

function undoSentence({ undo }: Kind): string {
  if (undo === undefined) return 'It cannot be corrected.';
  if (!undo.origins.includes('P')) return 'Only the bank can correct it.';
  return 'It can be corrected: by the platform on its business date if the platform gave it, by the bank at any time.';
}

function nameOf(book: SmallBook, account: LedgerAccount): string {
  const { zh } = ACCOUNT_TYPES[account.type];
  const label = book.labels.get(account.id);
  return `${zh} \`${account.type}\`${label ? ` ${label}` : ''}`;
}

function entriesTable(book: SmallBook, { entries }: Posted): string {
  const rows = entries.map(({ account, amount, balance }) => [
    nameOf(book, book.accounts.get(account) as LedgerAccount),
    amount < 0n ? toYuan(-amount) : '',
    amount > 0n ? toYuan(amount) : '',
    toYuan(balance),
  ]);
  return table(['account 科目', 'debit 借', 'credit 贷', 'balance after 余额'], rows);
}

/** What changed besides the entries: holds, claims, what has not cleared, and lines of the core bank's statement. */
function besides(book: SmallBook, { effects }: Posted, before: ReadonlyMap<string, LedgerAccount>): string[] {
  const lines: string[] = [];
  for (const account of book.accounts.values()) {
    const was = before.get(account.id);
    const name = nameOf(book, account);
    const changed = (what: string, from: Minor, to: Minor) => {
      if (from !== to) lines.push(`- ${what} on ${name}: ${toYuan(from)} → ${toYuan(to)}.`);
    };
    changed('Held 冻结', was?.held ?? 0n, account.held);
    changed('Claimed 争议与司法冻结', was?.claimed ?? 0n, account.claimed);
    changed('Not withdrawable yet 未清算', was === undefined ? 0n : unclearedOf(was), unclearedOf(account));
  }
  for (const { reference, amount } of effects.boundary ?? []) {
    const sign = amount > 0n ? '+' : '−';
    lines.push(`- The core bank’s statement must show ${sign}${toYuan(amount < 0n ? -amount : amount)} under \`${reference}\`.`);
  }
  for (const { topic } of effects.events ?? []) lines.push(`- Others are told: \`${topic}\`.`);
  return lines.length === 0 ? [] : [lines.join('\n')];
}
