import { exampleFile, FIELD_FORMS, FILE_COLUMNS } from '../../src/acquirers/index.js';
import { documentOf, table } from './markdown.js';

const ROWS = {
  header: 'The first line 文件头',
  line: 'A trade 明细',
  trailer: 'The last line 文件尾',
} as const satisfies Record<keyof typeof FILE_COLUMNS, string>;

export function acquirerFilesPage(): string {
  const parts = (Object.keys(ROWS) as (keyof typeof ROWS)[]).flatMap((row) => [
    `## ${ROWS[row]}`,
    table(
      ['', 'field', 'what it is', '中文', 'form', '格式'],
      FILE_COLUMNS[row].map(({ name, form, example, en, zh }, place) => {
        const isFixed = form === 'mark';
        return [
          String(place + 1),
          `\`${name}\``,
          en,
          zh,
          isFixed ? `\`${example}\`` : FIELD_FORMS[form].en,
          isFixed ? `\`${example}\`` : FIELD_FORMS[form].zh,
        ];
      }),
    ),
  ]);
  return documentOf(
    'Day files of acquirers 收单对账文件',
    'One of the staff uploads the text with `POST /admin/v1/platforms/{platform}/acquirer-files`, another releases it; then every trade is instructed as a ' +
      "payment of its order, and the acquirer's fee with them. The file is UTF-8, every line ends with a line feed (the last too), and fields stand " +
      'between pipes. It is taken whole or refused whole: `ACQUIRER_FILE_REFUSED` has `faults`, each with the line (1 is the header, 0 the whole), the field and what is wrong.',
    ['```text', exampleFile().trimEnd(), '```'].join('\n'),
    ...parts,
    '## Afterwards',
    '`GET /admin/v1/acquirer-files/{file}` says of each instruction whether it was posted or refused, and why. What was refused, such as a fee beyond what the ' +
      'platform has of its own, is instructed anew by `POST /admin/v1/acquirer-files/{file}/retry` when the cause is gone. Until then the statement shows less than the ' +
      'books, and the day has a break under the reference.',
  );
}
