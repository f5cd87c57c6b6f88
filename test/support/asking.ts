import { type Id, Refused } from '../../src/kernel/index.js';
import type { Answer, Permission, Route, Tx } from '../../src/runtime/index.js';

/** Who asks a route, with what; parsed already, as the edge hands it on. */
export interface Asking {
  readonly caller: { readonly platformId: Id } | { readonly permissions: ReadonlySet<Permission> };
  readonly params: Readonly<Record<string, Id>>;
  readonly body?: unknown;
  /** Of operator routes that change something. */
  readonly tx?: Tx;
}

/** What the service itself answers under a method and path, without the edge: the body, or the code of the refusal. */
export async function ask(routes: readonly Route[], name: `${string} /${string}`, asking: Asking): Promise<unknown> {
  const found = routes.find(({ method, path }) => `${method} ${path}` === name);
  if (found === undefined) throw new Error(`no route ${name}`);
  try {
    const answer: Answer = await found.handle(asking as unknown as Parameters<typeof found.handle>[0]);
    return JSON.parse(JSON.stringify(answer.body, (_key, value) => (typeof value === 'bigint' ? Number(value) : value)));
  } catch (error) {
    if (error instanceof Refused) return error.refusal.code;
    throw error;
  }
}
