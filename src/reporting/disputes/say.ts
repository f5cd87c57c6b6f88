import { Refused, refuse } from '../../kernel/index.js';
import type { Runtime } from '../../runtime/index.js';
import type { CheckFile } from '../check-files/columns.js';
import { type Day, filesOfDay, writeFiles } from '../check-files/make.js';
import { confirmFile, type KeptFile, keptFiles } from '../check-files/store.js';
import { making } from '../turnstile.js';
import { disputesSaid, type FileDispute, hasUnanswered, insertDisputes, takeFile } from './store.js';

type Parts = Pick<Runtime, 'db' | 'vault' | 'clock' | 'log' | 'metrics' | 'newId'>;

interface OfFile extends Day {
  readonly file: CheckFile;
}

/** The file of which a platform speaks. @throws Refused FILE_DIGEST_OTHER when it looked at something else */
async function named(rt: Parts, of: OfFile, digest: string): Promise<KeptFile> {
  const kept = (await filesOfDay(rt, of)).find(({ file }) => file === of.file);
  if (kept === undefined) throw new Refused(refuse('NOT_FOUND'));
  const known = Object.values(kept.digests).flatMap(({ sha256, sm3 }) => [sha256.toString('hex'), sm3.toString('hex')]);
  if (!known.includes(digest.toLowerCase())) throw new Refused(refuse('FILE_DIGEST_OTHER'));
  return kept;
}

/**
 * The platform finds a file right. Said again it answers the first time.
 * @throws Refused FILE_DIGEST_OTHER, FILE_DISPUTED while a dispute over it is unanswered
 */
export async function confirm(rt: Parts, of: OfFile, digest: string, keyId: string): Promise<KeptFile> {
  const kept = await named(rt, of, digest);
  const confirmedMs = await rt.db.withTx('confirm-check-file', async (tx) => {
    await takeFile(tx, of);
    if (await hasUnanswered(tx, of)) throw new Refused(refuse('FILE_DISPUTED'));
    return confirmFile(tx, of, keyId, rt.clock.now());
  });
  return { ...kept, confirmedMs };
}

/** What a platform says of a line, or of one that is missing. */
export interface SaidLine {
  readonly line?: number | undefined;
  /** As it stands in the file: `ins_…`. */
  readonly instruction?: string | undefined;
  readonly requestNo?: string | undefined;
  readonly reason: string;
}

/** What it is about. */
export const saidKeyOf = ({ line, instruction, requestNo }: SaidLine) =>
  line === undefined ? `missing:${instruction ?? requestNo ?? ''}` : `line:${line}`;

/**
 * Disputes lines of a file. A line is disputed once: who sends the same again gets the first disputes again.
 * @throws Refused FILE_DIGEST_OTHER, FILE_LINE_UNKNOWN (all or none of the lines are taken), FILE_CONFIRMED
 */
export async function dispute(
  rt: Parts,
  of: OfFile,
  { digest, lines, keyId }: { digest: string; lines: readonly SaidLine[]; keyId: string },
): Promise<FileDispute[]> {
  const kept = await named(rt, of, digest);
  const instructions = await instructionsAt(rt, kept, lines);
  const keys = lines.map(saidKeyOf);
  const fresh = lines.map(
    (said): FileDispute => ({
      ...{
        id: rt.newId(),
        platformId: of.platformId,
        date: of.date,
        file: of.file,
        line: said.line ?? 0,
        saidKey: saidKeyOf(said),
      },
      instruction: bare(said.line === undefined ? said.instruction : instructions.get(said.line)),
      reason: rt.vault.seal(said.reason),
      raisedBy: keyId,
      raisedMs: rt.clock.now(),
      ...{ state: 'open', seenMs: null, answer: null, answeredMs: null },
    }),
  );
  return rt.db.withTx('dispute-check-file', async (tx) => {
    await takeFile(tx, of);
    const before = new Set((await disputesSaid(tx, of, keys)).map(({ saidKey }) => saidKey));
    const added = fresh.filter(({ saidKey }) => !before.has(saidKey));
    const confirmed = (await keptFiles(tx, of.platformId, of.date)).find(({ file }) => file === of.file)?.confirmedMs ?? null;
    if (added.length > 0 && confirmed !== null) throw new Refused(refuse('FILE_CONFIRMED'));
    await insertDisputes(tx, added);
    return disputesSaid(tx, of, keys);
  });
}

const bare = (wire: string | undefined) => (wire === undefined || wire === '' ? null : (wire.slice(4) as FileDispute['id']));

/** Of the lines that are named, the instructions that they tell of; empty for a line of a balance. */
async function instructionsAt(rt: Parts, kept: KeptFile, lines: readonly SaidLine[]): Promise<Map<number, string>> {
  const wanted = new Map(lines.flatMap((said) => (said.line === undefined ? [] : [[said.line, said] as const])));
  const unknown = (line: number) => new Refused(refuse('FILE_LINE_UNKNOWN', undefined, { line, lines: kept.lines }));
  for (const line of wanted.keys()) if (line > kept.lines) throw unknown(line);
  const found = new Map<number, string>();
  if (wanted.size === 0) return found;
  await making.pass(async () => {
    for await (const { chunk, text } of writeFiles(rt, kept, [kept.file])) {
      for (const row of chunk.split('\n')) {
        const line = text.read(row, 'instruction');
        if (line !== undefined && wanted.has(line.no)) found.set(line.no, line.field);
      }
      if (found.size === wanted.size) return;
    }
  });
  for (const [line, { instruction }] of wanted)
    if (instruction !== undefined && found.get(line) !== instruction) throw unknown(line);
  return found;
}
