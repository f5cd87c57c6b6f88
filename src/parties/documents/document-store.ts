import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { assertNoTx, type Config } from '../../runtime/index.js';
import { s3Store } from './s3-store.js';

/** Where sealed images lie: a folder on disk, or a bucket of an S3-compatible store. What is written under a key stays. */
export interface DocumentStore {
  /** @param sealed text of the vault */
  put(key: string, sealed: string): Promise<void>;
  /** Undefined: there is nothing under this key. */
  get(key: string): Promise<string | undefined>;
}

export type StoreConfig = Pick<
  Config,
  'DOCUMENTS_DIR' | 'DOCUMENTS_S3_URL' | 'DOCUMENTS_S3_REGION' | 'DOCUMENTS_S3_KEY_ID' | 'DOCUMENTS_S3_SECRET'
>;

/** The store that the configuration names; nothing is opened before its first use. */
export function documentStore(config: StoreConfig, nowMs: () => number): DocumentStore {
  const url = config.DOCUMENTS_S3_URL;
  if (url === '') return folderStore(config.DOCUMENTS_DIR);
  const { DOCUMENTS_S3_REGION: region, DOCUMENTS_S3_KEY_ID: keyId, DOCUMENTS_S3_SECRET: secret } = config;
  return s3Store({ url, region, keyId, secret, nowMs });
}

/** The last digits of an id change fastest: they spread the files over a thousand folders. */
const FOLDER_DIGITS = 3;

/** @param root is made when the first image is kept; readable by the owner of the process alone */
function folderStore(root: string): DocumentStore {
  const placeOf = (key: string) => {
    const folder = join(root, key.slice(-FOLDER_DIGITS));
    return { folder, file: join(folder, `${key}.sealed`) };
  };
  return {
    async put(key, sealed) {
      assertNoTx('writing a document');
      const { folder, file } = placeOf(key);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Written whole under another name first: a process that is killed leaves nothing half under the key.
      const draft = `${file}.${randomBytes(6).toString('hex')}`;
      const handle = await open(draft, 'wx', 0o600);
      try {
        await handle.writeFile(sealed, 'utf8');
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(draft, file);
      const directory = await open(folder);
      try {
        await directory.sync(); // or the name may be gone after a power cut
      } finally {
        await directory.close();
      }
    },
    async get(key) {
      assertNoTx('reading a document');
      try {
        return await readFile(placeOf(key).file, 'utf8');
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}
