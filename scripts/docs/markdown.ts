/** What the made documents begin with. */
const MADE = '<!-- Made by `npm run docs` from the code. Do not edit. -->';

/** A table; a bar inside a cell would end it, so it is escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** A document of these parts, with a blank line between each. */
export function documentOf(title: string, ...parts: readonly string[]): string {
  return `${[`# ${title}`, MADE, ...parts].join('\n\n')}\n`;
}
