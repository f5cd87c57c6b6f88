/**
 * `node scripts/quality/complete-lock.mjs`: run it after `npm install <package>`. npm leaves out of the lock file the builds
 * for other systems that its registry did not show it, and `npm ci` then refuses the lock file everywhere. This names them, by
 * the version that their parent asks for; on the systems they are not for, npm never looks for them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const SYSTEM = /\b(android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const PROCESSOR = /\b(arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)\b/;

/** The optional builds that the lock file does not name: path in the tree and entry. */
export function missingBuilds(packages) {
  return Object.values(packages).flatMap(({ optionalDependencies = {}, dev }) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !Object.keys(packages).some((path) => path.endsWith(`node_modules/${name}`)))
      .map(([name, version]) => [`node_modules/${name}`, entryOf(name, version, dev)]),
  );
}

function entryOf(name, version, dev) {
  const system = SYSTEM.exec(name)?.[1];
  const processor = PROCESSOR.exec(name)?.[1];
  if (system === undefined || processor === undefined) throw new Error(`${name}: its name does not say what it is built for`);
  const library = system === 'linux' ? (/\bmusl/.test(name) ? 'musl' : 'glibc') : undefined;
  return {
    version,
    cpu: [processor],
    ...(dev && { dev: true }),
    ...(library && { libc: [library] }),
    optional: true,
    os: [system],
  };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const missing = missingBuilds(lock.packages);
  Object.assign(lock.packages, Object.fromEntries(missing));
  const root = lock.packages[''];
  const rest = Object.entries(lock.packages).filter(([name]) => name !== '');
  lock.packages = { '': root, ...Object.fromEntries(rest.sort(([a], [b]) => a.localeCompare(b, 'en'))) };
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  process.stderr.write(`${missing.length} builds for other systems added to package-lock.json\n`);
}
