import { z } from 'zod';
import { Refused, refuse } from '../kernel/index.js';
import { checkShape, moneySchema, parseJson, requestNo } from '../runtime/index.js';
import { ATOMIC_MAX, type Header, LINES_MAX, type RawLine } from './rules.js';
import { BATCH_MODES } from './states.js';

const headerFields = {
  batchNo: requestNo.meta({ description: "The platform's own number of the file; it means this file for ever" }),
  mode: z.enum(BATCH_MODES).meta({ description: 'partial: each line for itself; atomic: all lines or none' }),
  count: z.int().min(0).optional().meta({ description: 'How many lines there are; held against them when given' }),
  total: moneySchema.optional().meta({
    description: 'The sum of the lines: of each its `amount`, or else the amounts of its own lines; held against them when given',
  }),
};
const headerSchema = z.strictObject(headerFields);
const fileSchema = z.strictObject({ ...headerFields, lines: z.array(z.unknown()) });

/** A line as it is documented; a file is read whole, with every fault of every line. */
const lineSchema = z.strictObject({
  line: z.int().min(1).meta({ description: 'Unique within the file; lines are executed in the order of their numbers' }),
  kind: z.string(),
  data: z.record(z.string(), z.unknown()).meta({ description: 'As in an instruction of this kind' }),
});
export const documentedFile = z.strictObject({ ...headerFields, lines: z.array(lineSchema) }).meta({
  id: 'BatchFile',
  description: 'As NDJSON the first line is the header, without `lines`, and each other line is one of them',
});

export interface BatchFile {
  readonly header: Header;
  readonly lines: readonly RawLine[];
}

/**
 * A file as JSON, or as NDJSON with its header as the first line.
 * @throws Refused BODY_MALFORMED or SHAPE_INVALID where its header cannot be read; BATCH_FILE_TOO_LARGE
 */
export function readFile(text: string, mediaType: string): BatchFile {
  const { header, lines } = mediaType.startsWith('application/x-ndjson') ? readLines(text) : readWhole(text);
  const max = header.mode === 'atomic' ? ATOMIC_MAX : LINES_MAX;
  if (lines.length > max) throw new Refused(refuse('BATCH_FILE_TOO_LARGE', undefined, { max, found: lines.length }));
  return { header, lines };
}

function headerOf({ batchNo, mode, count, total }: z.output<typeof headerSchema>): Header {
  return { batchNo, mode, count, total: total?.amount };
}

function readWhole(text: string): BatchFile {
  const file = checkShape(fileSchema, parseJson(text));
  return { header: headerOf(file), lines: file.lines.map((value, place) => ({ place: place + 1, value })) };
}

function readLines(text: string): BatchFile {
  const [first = '', ...rest] = text.split('\n');
  if (rest.at(-1) === '') rest.pop();
  const header = headerOf(checkShape(headerSchema, parseJson(first)));
  if (rest.length > LINES_MAX)
    throw new Refused(refuse('BATCH_FILE_TOO_LARGE', undefined, { max: LINES_MAX, found: rest.length }));
  return { header, lines: rest.map((line, place) => ({ place: place + 1, ...parsed(line) })) };
}

function parsed(line: string): Omit<RawLine, 'place'> {
  try {
    return { value: parseJson(line) };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const [fault] = (error.refusal.fields?.errors ?? []) as { pointer: string; detail: string }[];
    return { value: line, fault: fault === undefined ? (error.refusal.detail ?? '') : `${fault.pointer} ${fault.detail}` };
  }
}
