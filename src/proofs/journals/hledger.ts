import { toWire } from '../../kernel/index.js';
import { decimal, type JournalFormat, type JournalLine, oneLine, sideOf } from './format.js';

const EQUITY = 'equity:opening';

const nameOf = ({ account, type }: Pick<JournalLine, 'account' | 'type'>) => `${sideOf(type)}:${type}:${account}`;
const posting = (line: JournalLine) => `    ${nameOf(line)}  ${decimal(line.amount)}\n`;
/** A comma ends the value of a tag. */
const tag = (value: string) => oneLine(value).replaceAll(',', '_');

/** A journal for hledger: passes `hledger check --strict`. */
export const hledger: JournalFormat = {
  head: ({ platform, custodyNo, from, to }) =>
    `; books of ${platform}, custody account ${tag(custodyNo)}, ${from === undefined ? '' : `from ${from} `}to ${to}\n\n` +
    `commodity 1000.00 CNY\n${from === undefined ? '' : `account ${EQUITY}\n`}`,
  account: (of) => `account ${nameOf(of)}  ; account:${toWire('account', of.account)}, opened:${of.opened}\n`,
  opening: (date, line) => `\n${date} * opening balance\n${posting(line)}    ${EQUITY}  ${decimal(-line.amount)}\n`,
  transaction: ({ date, instruction, kind, origin, requestNo, lines }) =>
    `\n${date} * (${instruction}) ${kind}\n    ; kind:${kind}, origin:${origin}\n    ; request:${tag(requestNo)}\n${lines.map(posting).join('')}`,
  closing: (date, lines) =>
    `\n${date} * closing balances\n${lines.map((line) => `    ${nameOf(line)}  0.00 CNY = ${decimal(line.amount)}\n`).join('')}`,
};
