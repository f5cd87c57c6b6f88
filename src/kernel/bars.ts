// What would end a field or a row, and what would make a row read otherwise than it stands.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** A row of fields with bars between, in the files that the bank and its platforms send each other. A bar in a field becomes the full-width one. */
export function rowOfFields(fields: readonly string[]): string {
  return `${fields.map((field) => field.replaceAll('|', '｜').replaceAll(UNSAFE, ' ')).join('|')}\n`;
}

/** The fields of such a row, without its LF; undefined where they are not so many, or the first is not the mark of the row. */
export function fieldsOfRow(row: string, mark: string, count: number): readonly string[] | undefined {
  const fields = row.split('|');
  return fields.length === count && fields[0] === mark ? fields : undefined;
}
