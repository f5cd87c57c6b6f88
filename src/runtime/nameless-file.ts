import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that goes with the process, however that ends: its name is taken away as soon as it is open. Whoever has it closes it. */
export async function namelessFile(): Promise<FileHandle> {
  const path = join(tmpdir(), `cunguan-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  await unlink(path);
  return handle;
}
