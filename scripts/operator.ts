/**
 * Makes an operator with a first token: how the first administrator comes about. The token is printed once, on stdout.
 *
 *   npm run operator -- create --name 'Li Ping' --roles administrator,operator
 *
 * It goes to the database that `npm start` uses: the private one, or that of DATABASE_URL.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { asId, idGenerator, toWire } from '../src/kernel/index.js';
import { auditTrail, createOperator, issueToken, ROLES, type Role } from '../src/operators/index.js';
import { connectDatabase, type Database, takeProcessNumber, wallClock } from '../src/runtime/index.js';

/** @returns the wire id and the token; the audit entry names no operator, for a script on the server made it */
export async function makeOperator(db: Database, name: string, roles: readonly Role[]): Promise<{ id: string; token: string }> {
  const parts = { newId: idGenerator(await takeProcessNumber(db), wallClock.wall), clock: wallClock };
  return db.withTx('make operator', async (tx) => {
    const row = await createOperator(tx, { name, roles }, parts);
    const token = await issueToken(tx, row.id, parts);
    const id = toWire('operator', row.id);
    await auditTrail(parts).append(tx, {
      requestId: 'script',
      operatorId: asId('0'),
      action: 'scripts/operator.ts create',
      target: `operator ${id}`,
      detail: JSON.stringify({ name, roles }),
      outcome: 'done',
    });
    return { id, token };
  });
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { name: { type: 'string' }, roles: { type: 'string' } },
  });
  const roles = (values.roles ?? '').split(',').filter(Boolean);
  const url = process.env.DATABASE_URL;
  if (positionals[0] !== 'create' || !values.name || roles.length === 0 || !roles.every(isRole)) {
    throw new Error(`usage: npm run operator -- create --name NAME --roles ${ROLES.join(',')} (one or more)`);
  }
  if (url === undefined) throw new Error('DATABASE_URL is not set; `npm run operator` sets it');
  const db = await connectDatabase({ url, poolSize: 2 });
  try {
    process.stdout.write(`${JSON.stringify(await makeOperator(db, values.name, roles))}\n`);
  } finally {
    await db.close();
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
