/**
 * Replays the books and compares them with what is stored and with what the bank attested.
 *
 *   npx cunguan audit [--platform plt_…] [--json]
 *
 * Works on the database of DATABASE_URL (else the private one) while the service runs, and changes nothing. How far it is stands on stderr, each fault
 * and the sum on stdout, with --json the sum as JSON in the last line. Ends with 0 when all is as it must be, else with 1.
 */
import { type AuditTally, audit } from '../src/proofs/index.js';
import { readOptions, readPlatform, requireBook, runCommand, withBooks } from './books.js';

const USAGE = 'usage: npx cunguan audit [--platform plt_…] [--json]';
const EVERY_MS = 1_000;

const inWords = ({ platforms, accounts, entries, instructions, days }: AuditTally) =>
  `${platforms} platforms, ${accounts} accounts, ${entries} entries, ${instructions} instructions, ${days} attested days`;

async function main(): Promise<number> {
  const { platform, json } = readOptions({ platform: { type: 'string' }, json: { type: 'boolean' } }, USAGE);
  const platformId = platform === undefined ? undefined : readPlatform(platform, USAGE);
  const started = performance.now();
  let told = started;
  let last: AuditTally | undefined;
  await withBooks(async (books) => {
    if (platformId !== undefined) await requireBook(books.db, platformId);
    for await (const tally of audit(books, platformId)) {
      last = tally;
      if (performance.now() - told < EVERY_MS) continue;
      told = performance.now();
      process.stderr.write(`${inWords(tally)} …\n`);
    }
  });
  if (last === undefined) return 1;
  const { faults, ...counts } = last;
  const seconds = (performance.now() - started) / 1000;
  const entriesPerSecond = Math.round(counts.entries / seconds);
  for (const { platform: of, check, fault } of faults) process.stdout.write(`FAULT ${of} ${check}: ${fault}\n`);
  if (counts.faultCount > faults.length) process.stdout.write(`… and ${counts.faultCount - faults.length} more\n`);
  process.stdout.write(`${inWords(last)}: ${counts.faultCount} faults, ${entriesPerSecond} entries a second\n`);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...counts, seconds: Math.round(seconds * 1000) / 1000, entriesPerSecond, faults })}\n`,
    );
  return counts.faultCount === 0 ? 0 : 1;
}

await runCommand(main);
