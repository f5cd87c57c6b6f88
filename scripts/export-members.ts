/**
 * Writes the members of a platform that moves to another custodian into a folder: files of JSON lines and the manifest that the bank signs.
 *
 *   npx cunguan export-members --platform plt_… --out FOLDER
 *
 * The wind-down of the platform, approved by two people, names the public key that everything personal is sealed for. The folder must not exist
 * yet; it is there whole or not at all. Works on the database of DATABASE_URL (else the private one) while the service runs, and changes nothing
 * but the audit trail.
 */
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { asId, idGenerator, Refused, toWire } from '../src/kernel/index.js';
import { auditTrail } from '../src/operators/index.js';
import { commandClock, takeProcessNumber } from '../src/runtime/index.js';
import { exportHouse } from '../src/winding-up/house/export.js';
import { FILES, type FileName } from '../src/winding-up/house/form.js';
import { readOptions, readPlatform, runCommand, Wrong, withBooks } from './books.js';

const USAGE = 'usage: npx cunguan export-members --platform plt_… --out FOLDER';

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const { platform, out } = readOptions({ platform: text, out: text }, USAGE);
  if (platform === undefined || out === undefined) throw new Wrong(USAGE);
  const platformId = readPlatform(platform, USAGE);
  const folder = resolve(process.env.INIT_CWD ?? '.', out);
  if (existsSync(folder)) throw new Wrong(`${folder} is there already`);
  await withBooks(async ({ db, vault, receiptKeys }) => {
    const unfinished = `${folder}.unfinished-${process.pid}`;
    mkdirSync(unfinished, { mode: 0o700 });
    const files = new Map<FileName, number>(
      FILES.map((name) => [name, openSync(join(unfinished, `${name}.ndjson`), 'wx', 0o600)]),
    );
    try {
      const clock = await commandClock(db);
      const manifest = await exportHouse({ db, vault, receiptKeys }, platformId, clock.now(), (name, line) => {
        writeSync(files.get(name) as number, line);
      });
      for (const file of files.values()) closeSync(file);
      files.clear();
      writeFileSync(join(unfinished, 'manifest.json'), `${JSON.stringify(manifest)}\n`, { mode: 0o600 });
      const parts = { newId: idGenerator(await takeProcessNumber(db), clock.wall), clock };
      await db.withTx('audit export', (tx) =>
        auditTrail(parts).append(tx, {
          requestId: 'script',
          operatorId: asId('0'),
          action: 'scripts/export-members.ts',
          target: `platform ${toWire('platform', platformId)}`,
          detail: JSON.stringify({ manifest: manifest.hash, receiver: manifest.content.receiver }),
          outcome: 'done',
        }),
      );
      renameSync(unfinished, folder);
      process.stdout.write(`${folder}: ${manifest.content.total} fen to be handed over, manifest ${manifest.hash}\n`);
    } catch (error) {
      for (const file of files.values()) closeSync(file);
      rmSync(unfinished, { recursive: true, force: true });
      throw error instanceof Refused ? new Wrong(error.message) : error;
    }
  });
  return 0;
}

await runCommand(main);
