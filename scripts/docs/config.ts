import { z } from 'zod';
import { Config } from '../../src/runtime/config.js';
import { documentOf, table } from './markdown.js';

interface Variable {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

function valuesOf({ type, enum: choices, minimum, maximum }: Variable): string {
  if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ');
  if (minimum === undefined) return type ?? '';
  // A bound that is the range of the number type itself says nothing.
  return maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER
    ? `${type}, at least ${minimum}`
    : `${type}, ${minimum} to ${maximum}`;
}

export function configPage(): string {
  const { properties = {} } = z.toJSONSchema(Config, { io: 'output' }) as { properties?: Record<string, Variable> };
  const rows = Object.entries(properties).map(([name, variable]) => [
    `\`${name}\``,
    variable.default === undefined ? '(must be set)' : `\`${variable.default}\``,
    valuesOf(variable),
    variable.description ?? '',
  ]);
  return documentOf(
    'Configuration',
    'Environment variables of the API (`src/main.ts`) and of the worker (`jobs/main.ts`). They are parsed once, when a process ' +
      'starts; a process that finds faults tells all of them and does not start. The npm commands set `DATABASE_URL`, `REDIS_URL` and ' +
      '`BANK_URL` by themselves where the environment does not. On private servers they also make the keys of personal data, once a ' +
      'checkout (`.local/vault-keys.json`); for a database of your own set them yourself: `node scripts/vault-keys.mjs` prints fresh ones, and ' +
      '[the runbook](runbooks/keys.md) says how they are exchanged.',
    table(['variable', 'default', 'values', 'meaning'], rows),
  );
}
