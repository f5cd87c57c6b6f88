/**
 * `npm run docs`: writes the documents that are made from the code (scripts/docs/pages.ts). A test fails when one of them is
 * not what this would write.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGES } from './docs/pages.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const [file, make] of Object.entries(PAGES)) {
  writeFileSync(join(root, file), make());
  process.stderr.write(`wrote ${file}\n`);
}
