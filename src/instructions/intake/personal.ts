import { resealed, type Vault } from '../../runtime/index.js';
import type { Kind, PersonalField } from '../kind.js';

/**
 * Personal data within the bodies of instructions. A kind names the fields; they are sealed one by one when the instruction is received, so that
 * the engine can hand them on as they are, and are opened only where somebody may see them, or must compare them.
 */
type Named = Pick<Kind, 'personal'> | undefined;

/** The body as it is stored. Where there is nothing to seal it is the same text. */
export function sealedBody(kind: Named, body: string, vault: Vault): string {
  return inBody(kind, body, (text) => vault.seal(text));
}

/** The body as it was given. */
export function openedBody(kind: Named, stored: string, vault: Vault): string {
  return inBody(kind, stored, (text) => vault.read(text));
}

/** The body as it would be stored today: what is plain is sealed, what another key or cipher sealed is sealed anew. */
export function resealedBody(kind: Named, stored: string, vault: Vault): string {
  return inBody(kind, stored, (text) => resealed(vault, text));
}

/** The data of a stored body as answers show it. */
export function maskedData(kind: Named, stored: string, vault: Vault): Record<string, unknown> {
  const data = JSON.parse(stored) as Record<string, unknown>;
  change(kind?.personal ?? [], data, (text, { mask }) => mask(vault.read(text)));
  return data;
}

function inBody(kind: Named, body: string, to: (text: string) => string): string {
  if (kind?.personal === undefined) return body;
  const data = JSON.parse(body) as Record<string, unknown>;
  change(kind.personal, data, to);
  return JSON.stringify(data);
}

/** An empty text says that there is none, and stays. */
function change(fields: readonly PersonalField[], data: unknown, to: (text: string, field: PersonalField) => string): void {
  for (const field of fields) {
    let within = data as Record<string, unknown> | undefined;
    for (const key of field.path.slice(0, -1)) within = within?.[key] as Record<string, unknown> | undefined;
    const last = field.path.at(-1) as string;
    const text = within?.[last];
    if (within !== undefined && typeof text === 'string' && text !== '') within[last] = to(text, field);
  }
}
