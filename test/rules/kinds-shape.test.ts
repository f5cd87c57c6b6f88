import { describe, expect, it } from '@jest/globals';
import { kinds } from '../../src/instructions/index.js';
import { parseBatch, parseInstruction } from '../../src/instructions/intake/parse.js';
import { Refused } from '../../src/kernel/index.js';

type Json = Record<string, unknown>;
const given = [...kinds.values()].filter((kind) => kind.origins.includes('P'));

function refusalOf(work: () => unknown): { code: string; pointers: string[] } {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const errors = (error.refusal.fields?.errors ?? []) as { pointer: string }[];
    return { code: error.refusal.code, pointers: errors.map(({ pointer }) => pointer) };
  }
  return { code: 'accepted', pointers: [] };
}

const instruction = (kind: string, data: unknown) => ({ requestNo: 'R-1', kind, data });

describe.each(given.map(({ name, example }) => [name, example as Json] as const))('the shape of %s', (name, example) => {
  const parse = (data: unknown) => refusalOf(() => parseInstruction(instruction(name, data), 'P'));

  it('its example is accepted', () => {
    expect(parse(example)).toEqual({ code: 'accepted', pointers: [] });
  });

  it('a field that nobody knows is refused, and named', () => {
    expect(parse({ ...example, colour: 'red' })).toEqual({ code: 'SHAPE_INVALID', pointers: ['/data/colour'] });
  });

  it.each(Object.keys(example))('%s of a wrong type is refused, and named', (field) => {
    const { code, pointers } = parse({ ...example, [field]: 7 });
    expect(code).toBe('SHAPE_INVALID');
    expect(pointers.some((pointer) => pointer.startsWith(`/data/${field}`))).toBe(true);
  });

  it.each([0, -1, 1.5, 2 ** 53, '100', null, Number.NaN])('an amount of %p is refused, and named', (amount) => {
    const text = JSON.stringify(example);
    if (!text.includes('"amount":{')) return;
    const bent = JSON.parse(text, (key, value) => (key === 'amount' && typeof value === 'number' ? amount : value)) as Json;
    const { code, pointers } = parse(bent);
    expect(code).toBe('SHAPE_INVALID');
    expect(pointers.every((pointer) => pointer.endsWith('/amount'))).toBe(true);
  });

  it('another currency is refused', () => {
    const text = JSON.stringify(example);
    expect(parse(JSON.parse(text.replaceAll('CNY', 'USD'))).code).toBe(text.includes('CNY') ? 'SHAPE_INVALID' : 'accepted');
  });
});

describe('who may give what', () => {
  it.each(
    [...kinds.values()].flatMap(({ name, origins, example }) =>
      (['P', 'O'] as const).map((origin) => [name, origin, origins.includes(origin), example] as const),
    ),
  )('%s given by %s: %s', (name, origin, allowed, example) => {
    expect(refusalOf(() => parseInstruction(instruction(name, example), origin)).code).toBe(
      allowed ? 'accepted' : 'KIND_NOT_PERMITTED',
    );
  });

  it('a kind that nobody knows is a fault of shape', () => {
    expect(refusalOf(() => parseInstruction(instruction('gift', {}), 'P')).code).toBe('SHAPE_INVALID');
  });
});

describe('a batch', () => {
  const split = kinds.get('split') as { example: unknown };
  const line = JSON.stringify(instruction('split', split.example));
  const ndjson = (lines: readonly string[]) => refusalOf(() => parseBatch(lines.join('\n'), 'application/x-ndjson'));

  it('of five thousand is read, one more is too many', () => {
    const lines = Array.from({ length: 5_000 }, () => line);
    expect(ndjson(lines).code).toBe('accepted');
    expect(ndjson([...lines, line]).code).toBe('BATCH_TOO_LARGE');
  });

  it('names the line that is not JSON', () => {
    expect(() => parseBatch([line, '{"requestNo":', line].join('\n'), 'application/x-ndjson')).toThrow(/BODY_MALFORMED: Line 2/);
  });

  it('tells the faults of all lines at once', () => {
    const bad = JSON.stringify(instruction('split', { ...(split.example as Json), orderNo: '' }));
    expect(ndjson([bad, line, bad])).toEqual({ code: 'SHAPE_INVALID', pointers: ['/0/data/orderNo', '/2/data/orderNo'] });
  });

  it('with nothing in it is refused', () => {
    expect(ndjson([]).code).not.toBe('accepted');
    expect(refusalOf(() => parseBatch('[]', 'application/json')).code).toBe('SHAPE_INVALID');
    expect(refusalOf(() => parseBatch('{}', 'application/json')).code).toBe('SHAPE_INVALID');
  });

  it('refuses a number that JSON would round in silence', () => {
    const rounded = line.replace(/"amount":9000/, '"amount":9000.0000000000000001');
    expect(rounded).not.toBe(line);
    expect(ndjson([rounded]).code).not.toBe('accepted');
    expect(ndjson([line.replace(/"amount":9000/, '"amount":9007199254740993')]).code).not.toBe('accepted');
  });
});
