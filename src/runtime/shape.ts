import type { z } from 'zod';
import { pointerStep, type ShapeFault, shapeInvalid } from './json.js';

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
export function shapeFaults(error: z.ZodError, where: ShapeFault['in'], root = ''): ShapeFault[] {
  return error.issues.flatMap((issue) => faultsOf(issue as Issue, where, root)).slice(0, FAULTS_MAX);
}

/**
 * The value in the schema's output form.
 * @param root pointer of the value itself, for a part of a longer body
 * @throws Refused SHAPE_INVALID with every fault
 */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown, where: ShapeFault['in'] = 'body', root = ''): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw shapeInvalid(shapeFaults(parsed.error, where, root));
}
