/**
 * Keys of personal data. `node scripts/vault-keys.mjs` prints a fresh set as lines for an environment file; sandboxes get a set that is
 * made once a checkout and kept in `.local/vault-keys.json`.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const local = join(dirname(dirname(fileURLToPath(import.meta.url))), '.local');
const file = join(local, 'vault-keys.json');

/** @param {string} id of the sealing key */
function freshKeys(id) {
  const key = () => randomBytes(32).toString('base64');
  return { VAULT_KEYS: `${id}=${key()}`, VAULT_INDEX_KEY: key() };
}

/** The checkout's own keys. Of two commands that start together one makes them and both use them. */
function checkoutKeys() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  mkdirSync(local, { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(freshKeys('sandbox'), null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/**
 * The keys of a sandbox: those of the environment where it names any, else the checkout's own.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<string, string>}
 */
export function sandboxKeys(env) {
  return env.VAULT_KEYS || env.VAULT_INDEX_KEY ? {} : checkoutKeys();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, value] of Object.entries(freshKeys(process.argv[2] ?? 'k1'))) process.stdout.write(`${name}=${value}\n`);
}
