/**
 * Takes over the members of another custodian's export into an empty platform of this one; or, on the other side, hands over what was signed for.
 *
 *   npx cunguan import-members --platform plt_… --from FOLDER --key PRIVATE.pem --bank-keys KEYS.json --reference REF --out RECEIPT.json
 *   npx cunguan import-members --platform plt_… --from FOLDER --receipt RECEIPT.json --bank-keys KEYS.json
 *
 * The first is the receiving bank's: KEYS.json is what the other bank's `GET /v1/receipt-keys` answers, PRIVATE.pem the X25519 key for which the
 * export was sealed, REF the reference of the one transfer on the statement. The second is the handing bank's, with the receiving bank's keys.
 * Nothing is taken of an export that is not genuine in every bit. A run that was stopped is run again, and goes on.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openChannels, settingsOf } from '../src/channels/index.js';
import { createDesk, type Desk } from '../src/dispatch/index.js';
import { asId, type PublicKeys, Refused, readPublicKeys, toWire } from '../src/kernel/index.js';
import { auditTrail } from '../src/operators/index.js';
import { createRuntime, parseConfig } from '../src/runtime/index.js';
import { HandOverWrong, handOverHouse } from '../src/winding-up/house/hand-over.js';
import { ExportWrong, importHouse } from '../src/winding-up/house/import.js';
import { readOptions, readPlatform, runCommand, Wrong } from './books.js';

const USAGE =
  'usage: npx cunguan import-members --platform plt_… --from FOLDER --bank-keys KEYS.json (--key PRIVATE.pem --reference REF --out RECEIPT.json | --receipt RECEIPT.json)';

const typed = (path: string) => resolve(process.env.INIT_CWD ?? '.', path);

function read<T>(path: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(typed(path), 'utf8'));
  } catch (error) {
    throw new Wrong(`${path}: ${(error as Error).message}`);
  }
}

function x25519(pem: string): KeyObject {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== 'x25519') throw new Error('it is not an X25519 key');
  return key;
}

const JSON_OF = (text: string): unknown => JSON.parse(text);

async function withDesk<T>(work: (desk: Desk) => Promise<T>): Promise<T> {
  const runtime = await createRuntime(parseConfig(process.env), 'script');
  const channels = openChannels(settingsOf(runtime.config));
  try {
    return await work(createDesk(runtime, channels));
  } catch (error) {
    if (error instanceof ExportWrong || error instanceof HandOverWrong || error instanceof Refused)
      throw new Wrong(error.message);
    throw error;
  } finally {
    await channels.close();
    await runtime.close();
  }
}

async function main(): Promise<number> {
  const text = { type: 'string' } as const;
  const options = readOptions(
    { platform: text, from: text, key: text, 'bank-keys': text, reference: text, out: text, receipt: text },
    USAGE,
  );
  const { platform, from, key, reference, out, receipt } = options;
  const bankKeys = options['bank-keys'];
  if (platform === undefined || from === undefined || bankKeys === undefined) throw new Wrong(USAGE);
  const platformId = readPlatform(platform, USAGE);
  const manifest = read(join(from, 'manifest.json'), JSON_OF);
  const keys: PublicKeys = read(bankKeys, readPublicKeys);
  await withDesk(async (desk) => {
    let done: Record<string, unknown>;
    if (receipt !== undefined) {
      const total = await handOverHouse(desk, { platformId, manifest, receipt: read(receipt, JSON_OF), keys });
      done = { handedOver: String(total) };
    } else {
      if (key === undefined || reference === undefined || out === undefined) throw new Wrong(USAGE);
      const own = read(key, x25519);
      const source = (file: string) => createReadStream(join(typed(from), `${file}.ndjson`));
      const signed = await importHouse(desk, { platformId, manifest, keys, key: own, reference, source });
      writeFileSync(typed(out), `${JSON.stringify(signed)}\n`);
      done = { export: signed.content.export, total: signed.content.total };
    }
    const { rt } = desk;
    await rt.db.withTx('audit import', (tx) =>
      auditTrail(rt).append(tx, {
        requestId: 'script',
        operatorId: asId('0'),
        action: 'scripts/import-members.ts',
        target: `platform ${toWire('platform', platformId)}`,
        detail: JSON.stringify(done),
        outcome: 'done',
      }),
    );
    process.stdout.write(`${JSON.stringify(done)}\n`);
  });
  return 0;
}

await runCommand(main);
