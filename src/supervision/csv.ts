/** A line of a CSV file (RFC 4180): a cell is quoted where its text would not come back whole otherwise. */
export function csvLine(cells: readonly (string | number | bigint | null)[]): string {
  return `${cells
    .map((cell) => {
      const text = cell === null ? '' : String(cell);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join()}\r\n`;
}
