import { expect } from '@jest/globals';
import { REFUSALS } from '../../src/kernel/index.js';
import type { openApiOf, Route } from '../../src/runtime/index.js';
import { operationId, refusalsOf } from '../../src/runtime/openapi.js';

/** What must hold for the document of any set of routes: each is there once, with its refusals, and references resolve. */
export function expectSound(document: ReturnType<typeof openApiOf>, routes: readonly Route[]): void {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  const ids = operations.map((operation) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const declared of routes) {
    expect(ids).toContain(operationId(declared));
    const operation = document.paths[declared.path]?.[declared.method.toLowerCase()] as { responses: object };
    for (const code of refusalsOf(declared))
      expect(JSON.stringify(operation.responses[String(REFUSALS[code].http) as never])).toContain(code);
  }
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
  for (const reference of references) {
    const found = reference
      .slice(2)
      .split('/')
      .reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], document);
    expect([reference, found]).toEqual([reference, expect.anything()]);
  }
}
