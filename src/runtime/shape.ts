import type { z } from 'zod';
import { pointerStep, readJson, type ShapeFault, shapeInvalid } from './json.js';

const FAULTS_MAX = 50;

type Issue = z.core.$ZodIssue;

function faultsOf(issue: Issue, where: ShapeFault['in'], root: string): ShapeFault[] {
  const pointer = root + issue.path.map(pointerStep).join('');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ in: where, pointer: pointer + pointerStep(key), detail: 'unknown field' }));
  }
  if (issue.code === 'invalid_union') {
    // The form that came nearest says more than "no form matched".
    const [nearest] = [...issue.errors].sort((a, b) => a.length - b.length);
    if (nearest && nearest.length > 0) return nearest.flatMap((inner) => faultsOf(inner as Issue, where, pointer));
  }
  return [{ in: where, pointer, detail: issue.message }];
}

/** Every fault of a failed parse. */
function shapeFaults(error: z.ZodError, where: ShapeFault['in'], root: string): ShapeFault[] {
  return error.issues.flatMap((issue) => faultsOf(issue as Issue, where, root)).slice(0, FAULTS_MAX);
}

export type Shaped<T> = { readonly value: T; readonly faults?: undefined } | { readonly faults: ShapeFault[] };

/**
 * The value in the schema's output form, or every fault.
 * @param root pointer of the value itself, for a part of a longer body
 */
export function shape<T>(schema: z.ZodType<T>, value: unknown, where: ShapeFault['in'], root = ''): Shaped<T> {
  const parsed = schema.safeParse(value);
  return parsed.success ? { value: parsed.data } : { faults: shapeFaults(parsed.error, where, root) };
}

/** The same for JSON text, in which every number must be an integer within ±(2^53−1). @throws Refused BODY_MALFORMED */
export function shapeJson<T>(schema: z.ZodType<T>, text: string, root = ''): Shaped<T> {
  const { value, faults } = readJson(text, root);
  const shaped = shape(schema, value, 'body', root);
  if (faults.length === 0) return shaped;
  // What the text says of a number is nearer the cause than what the schema says of its rounded value.
  const others = (shaped.faults ?? []).filter((fault) => !faults.some((number) => number.pointer === fault.pointer));
  return { faults: [...faults, ...others] };
}

/** The value in the schema's output form. @throws Refused SHAPE_INVALID with every fault */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown, where: ShapeFault['in'] = 'body', root = ''): T {
  const shaped = shape(schema, value, where, root);
  if (shaped.faults) throw shapeInvalid(shaped.faults);
  return shaped.value;
}

/** Whether a body of this shape may be left out: `{}` is one of it. */
export function hasOnlyOptional(schema: z.ZodType): boolean {
  return schema.safeParse({}).success;
}
