import { z } from 'zod';
import { canonicalJson, Refused, refuse } from '../../kernel/index.js';
import { checkShape, parseJson, requestNo, type ShapeFault, shapeInvalid } from '../../runtime/index.js';
import type { Act, Kind, Origin } from '../kind.js';
import { kinds } from '../kinds/index.js';

/** An instruction whose shape is right: its number, its kind, and the canonical JSON of its data. */
export interface ParsedInstruction {
  readonly requestNo: string;
  readonly kind: string;
  readonly body: string;
  /** What a customer may have to say yes to. */
  readonly act: Act | undefined;
}

const LINES_MAX = 5000;
export const BATCH_BODY_MAX = 16 * 1024 * 1024; // 5,000 splits of 20 receivers fit

function formOf(kind: Kind) {
  return z.strictObject({ requestNo, kind: z.literal(kind.name), data: kind.schema as z.ZodType<Record<string, unknown>> }).meta({
    id: `Instruction-${kind.name}`,
    description: `${kind.en} ${kind.zh}`,
    example: { requestNo: 'R-1', kind: kind.name, data: kind.example },
  });
}

/** The schema of what may be given by this origin: one form a kind. */
export function instructionSchema(origin: Origin) {
  const forms = [...kinds.values()].filter((kind) => kind.origins.includes(origin)).map(formOf);
  return z.discriminatedUnion('kind', forms as [ReturnType<typeof formOf>, ...ReturnType<typeof formOf>[]]);
}

const schemas = { P: instructionSchema('P'), O: instructionSchema('O') };

/**
 * @param root JSON pointer of the value in the body
 * @throws Refused SHAPE_INVALID with every fault; KIND_NOT_PERMITTED for a kind that this origin may not give
 */
export function parseInstruction(value: unknown, origin: 'P' | 'O', root = ''): ParsedInstruction {
  const name = (value as { kind?: unknown } | null)?.kind;
  const kind = typeof name === 'string' ? kinds.get(name) : undefined;
  if (kind !== undefined && !kind.origins.includes(origin))
    throw new Refused(refuse('KIND_NOT_PERMITTED', undefined, { kind: kind.name }));
  const parsed = checkShape(schemas[origin], value, 'body', root);
  const act = kinds.get(parsed.kind)?.act?.(parsed.data);
  return { requestNo: parsed.requestNo, kind: parsed.kind, body: canonicalJson((value as { data: unknown }).data), act };
}

/**
 * A batch: a JSON array, or one JSON object a line. All faults of all lines are told at once, and then nothing is received.
 * @throws Refused BATCH_TOO_LARGE, BODY_MALFORMED, SHAPE_INVALID (pointers begin with the line, from 0)
 */
export function parseBatch(text: string, mediaType: string): ParsedInstruction[] {
  const values = mediaType.startsWith('application/x-ndjson') ? parseLines(text) : parseArray(text);
  if (values.length > LINES_MAX)
    throw new Refused(refuse('BATCH_TOO_LARGE', undefined, { max: LINES_MAX, found: values.length }));
  if (values.length === 0) throw shapeInvalid([{ in: 'body', pointer: '', detail: 'a batch has at least one instruction' }]);
  const faults: ShapeFault[] = [];
  const parsed: ParsedInstruction[] = [];
  for (const [line, value] of values.entries()) {
    try {
      parsed.push(parseInstruction(value, 'P', `/${line}`));
    } catch (error) {
      faults.push(...faultsOf(error, line));
    }
    if (faults.length >= FAULTS_MAX) break;
  }
  if (faults.length > 0) throw shapeInvalid(faults.slice(0, FAULTS_MAX));
  return parsed;
}

const FAULTS_MAX = 100;

function faultsOf(error: unknown, line: number): ShapeFault[] {
  if (!(error instanceof Refused)) throw error;
  const { code, detail, fields } = error.refusal;
  const errors = fields?.errors as ShapeFault[] | undefined;
  return errors ?? [{ in: 'body', pointer: `/${line}`, detail: detail ?? code }];
}

function parseArray(text: string): unknown[] {
  const value = parseJson(text);
  if (!Array.isArray(value)) throw shapeInvalid([{ in: 'body', pointer: '', detail: 'must be an array' }]);
  return value;
}

function parseLines(text: string): unknown[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > LINES_MAX) throw new Refused(refuse('BATCH_TOO_LARGE', undefined, { max: LINES_MAX, found: lines.length }));
  const faults: ShapeFault[] = [];
  const values = lines.map((line, place) => {
    try {
      return parseJson(line, `/${place}`);
    } catch (error) {
      faults.push(...faultsOf(error, place));
      return undefined;
    }
  });
  const [first] = faults;
  if (first !== undefined) {
    const line = Number(first.pointer.split('/')[1]) + 1;
    throw new Refused(refuse('BODY_MALFORMED', `Line ${line}: ${first.detail}`, { line, errors: faults.slice(0, FAULTS_MAX) }));
  }
  return values;
}
