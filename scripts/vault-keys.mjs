/**
 * Keys of personal data, and the key that signs receipts. `node scripts/vault-keys.mjs` prints a fresh set as lines for an environment
 * file; sandboxes get a set that is made once a checkout and kept in `.local/vault-keys.json` and `.local/receipt-keys.json`.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const local = join(dirname(dirname(fileURLToPath(import.meta.url))), '.local');

/** @param {string} id of the sealing key */
function freshKeys(id) {
  const key = () => randomBytes(32).toString('base64');
  return { VAULT_KEYS: `${id}=${key()}`, VAULT_INDEX_KEY: key() };
}

/** @param {string} id of the signing key */
function freshReceiptKeys(id) {
  const der = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' });
  return { RECEIPT_KEYS: `${id}=${der.toString('base64')}` };
}

/** Where `npx cunguan verify` looks for the public half of a sandbox's key, in the form of `GET /v1/receipt-keys`. */
function publishReceiptKeys({ RECEIPT_KEYS }) {
  const keys = RECEIPT_KEYS.split(',').map((part) => {
    const [, kid, base64] = /^([^=]+)=(.+)$/.exec(part);
    const key = createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
    return { kid, ...createPublicKey(key).export({ format: 'jwk' }), use: 'sig', alg: 'EdDSA' };
  });
  writeFileSync(join(local, 'receipt-keys.public.json'), `${JSON.stringify({ keys }, null, 2)}\n`);
}

/**
 * What the checkout keeps under a name. Of two commands that start together one makes it and both use it.
 * @param {string} name
 * @param {() => Record<string, string>} make
 * @returns {Record<string, string>}
 */
function kept(name, make) {
  const file = join(local, name);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  mkdirSync(local, { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(make(), null, 2)}\n`, { mode: 0o600 });
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
  const vault = env.VAULT_KEYS || env.VAULT_INDEX_KEY ? {} : kept('vault-keys.json', () => freshKeys('sandbox'));
  if (env.RECEIPT_KEYS) return vault;
  const receipts = kept('receipt-keys.json', () => freshReceiptKeys('sandbox'));
  publishReceiptKeys(receipts);
  return { ...vault, ...receipts };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const id = process.argv[2] ?? 'k1';
  const keys = { ...freshKeys(id), ...freshReceiptKeys(id) };
  for (const [name, value] of Object.entries(keys)) process.stdout.write(`${name}=${value}\n`);
}
