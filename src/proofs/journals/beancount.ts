import { addDays, toWire } from '../../kernel/index.js';
import { decimal, type JournalFormat, type JournalLine, oneLine, sideOf } from './format.js';

const EQUITY = 'Equity:Opening';

/** Each part of a name begins with a capital or a digit. */
const capital = (part: string) => part.charAt(0).toUpperCase() + part.slice(1);
const nameOf = ({ account, type }: Pick<JournalLine, 'account' | 'type'>) =>
  `${capital(sideOf(type))}:${type.split('-').map(capital).join('-')}:${account}`;
const posting = (line: JournalLine) => `  ${nameOf(line)}  ${decimal(line.amount)}\n`;
const quoted = (text: string) => `"${oneLine(text).replace(/["\\]/g, '\\$&')}"`;

/** A ledger for beancount: passes `bean-check`. A balance there is that of the morning, so the last is of the day after. */
export const beancount: JournalFormat = {
  head: ({ platform, custodyNo, from, to }) =>
    `option "title" ${quoted(`Books of ${platform}, custody account ${custodyNo}, ${from === undefined ? '' : `from ${from} `}to ${to}`)}\n` +
    `option "operating_currency" "CNY"\n\n${from === undefined ? '' : `${from} open ${EQUITY} CNY\n`}`,
  account: (of) => `${of.opened} open ${nameOf(of)} CNY\n  account: "${toWire('account', of.account)}"\n`,
  opening: (date, line) => `\n${date} * "opening balance"\n${posting(line)}  ${EQUITY}  ${decimal(-line.amount)}\n`,
  transaction: ({ date, instruction, kind, origin, requestNo, lines }) =>
    `\n${date} * "${kind}"\n  instruction: "${instruction}"\n  kind: "${kind}"\n  origin: "${origin}"\n  request: ${quoted(requestNo)}\n` +
    lines.map(posting).join(''),
  closing: (date, lines) =>
    `\n${lines.map((line) => `${addDays(date, 1)} balance ${nameOf(line)}  ${decimal(line.amount)}\n`).join('')}`,
};
