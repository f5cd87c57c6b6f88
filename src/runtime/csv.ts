export type CsvCell = string | number | bigint | null;

const NUMBER = /^-?\d+(\.\d+)?$/;
/** What a spreadsheet takes for a formula; the last four are the same signs in full width. */
const FORMULA = /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;

/**
 * A line of a CSV file (RFC 4180): a cell is quoted where its text would not come back whole otherwise. What a spreadsheet would take for a
 * formula has an apostrophe before it; a negative number is none.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join()}\r\n`;
}

function cellText(cell: CsvCell): string {
  const text = cell === null ? '' : String(cell);
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
