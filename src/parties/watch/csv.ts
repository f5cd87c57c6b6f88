/**
 * CSV by RFC 4180: fields with commas or quotes stand in quotes, a quote in one is doubled; lines end in CRLF or LF.
 * @returns the lines with their fields, or undefined where a quote is not closed
 */
export function readCsv(text: string): string[][] | undefined {
  const lines: string[][] = [];
  let fields: string[] = [];
  let field = '';
  let quoted = false;
  const endLine = () => {
    fields.push(field);
    if (fields.length > 1 || field !== '') lines.push(fields);
    fields = [];
    field = '';
  };
  for (let at = text.startsWith('\ufeff') ? 1 : 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === ',') {
      fields.push(field);
      field = '';
    } else if (char === '\n') endLine();
    else if (char !== '\r') field += char;
  }
  if (quoted) return undefined;
  endLine();
  return lines;
}
