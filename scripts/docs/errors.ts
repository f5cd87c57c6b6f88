import { REFUSALS, type RefusalEntry } from '../../src/kernel/index.js';
import { documentOf, table } from './markdown.js';

const RETRY: Readonly<Record<RefusalEntry['retry'], string>> = {
  'same-number': 'the same request again, unchanged, under the same number',
  'new-number': 'mend it, and send it under another request number',
  never: 'not as it is',
};
const ACTOR: Readonly<Record<RefusalEntry['actor'], string>> = {
  caller: 'the caller',
  bank: 'the bank',
  'platform-operator': 'a person at the platform',
  nobody: 'nobody: it passes, or has been done',
};

export function errorsPage(): string {
  const rows = Object.entries<RefusalEntry>(REFUSALS).map(([code, { http, en, zh, retry, actor }]) => [
    `\`${code}\``,
    String(http),
    en,
    zh,
    `\`${retry}\``,
    actor,
  ]);
  return documentOf(
    'Refusals 错误码',
    'Every "no" of the service. An answer that is not a success is a problem document (RFC 9457, `application/problem+json`) whose `code` ' +
      'stands here. No refusal moves money. A refused instruction is remembered under its request number and refused again in the ' +
      'same words; a request that was refused before it was received (signature, shape, overload) leaves no trace of its number.',
    ['`retry` says what may help:', '', ...Object.entries(RETRY).map(([name, text]) => `- \`${name}\`: ${text}.`)].join('\n'),
    ['`actor` says who has to act:', '', ...Object.entries(ACTOR).map(([name, text]) => `- \`${name}\`: ${text}.`)].join('\n'),
    table(['code', 'HTTP', 'meaning', '中文', 'retry', 'actor'], rows),
  );
}
