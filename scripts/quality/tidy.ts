/**
 * The habits that no linter knows. `npm run check` runs it; each ban says why, and every exception says why as well.
 * Text in strings and comments does not count where a ban is about code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly ban: string;
  readonly why: string;
}

interface Ban {
  readonly name: string;
  readonly pattern: RegExp;
  readonly why: string;
  /** Look at the text as it stands, comments and strings included. */
  readonly wholeText?: boolean;
  /** The files it holds for; all of src and jobs when absent. */
  readonly within?: RegExp;
  /** Files where it is right, each with the reason. */
  readonly allowed?: Readonly<Record<string, string>>;
}

const EVERYWHERE = /^(?:src|jobs|test|scripts)\//;
const PURE = /^src\/(?:.+\/(?:rules|states)\.ts|instructions\/kinds\/.+)$/;
const FILE_LINES_MAX = 500;

const CLOCK = {
  'src/kernel/time.ts': 'defines how an instant and a business date are read and written',
  'src/runtime/clock.ts': 'makes the clocks that everybody else is handed',
};
const ENVIRONMENT = {
  'src/main.ts': 'the process reads its environment once and hands the parsed configuration on',
  'jobs/main.ts': 'the process reads its environment once and hands the parsed configuration on',
};

export const BANS: readonly Ban[] = [
  { name: 'parseFloat', pattern: /\bparseFloat\b/, why: 'no float near money: parse integers of minor units' },
  { name: 'toFixed', pattern: /\.toFixed\b/, why: 'no float near money: amounts are shown from integers (kernel/money.ts)' },
  { name: 'Date.now', pattern: /\bDate\.now\b/, why: 'the clock is injected: clock.now() or clock.wall()', allowed: CLOCK },
  {
    name: 'new Date',
    pattern: /\bnew Date\b/,
    why: 'Instant and BusinessDate are the types of time (kernel/time.ts)',
    allowed: CLOCK,
  },
  { name: 'performance.now', pattern: /\bperformance\.now\b/, why: 'the clock is injected', within: /^src\/(?!runtime\/)/ },
  {
    name: 'Math.random',
    pattern: /\bMath\.random\b/,
    why: 'chance is seeded, and secrets come from node:crypto',
    within: EVERYWHERE,
  },
  {
    name: 'process.env',
    pattern: /\bprocess\.env\b/,
    why: 'parsed once by runtime/config.ts and handed on',
    allowed: ENVIRONMENT,
  },
  { name: 'console', pattern: /\bconsole\./, why: 'the log is structured: runtime.log' },
  {
    name: 'INSERT IGNORE',
    pattern: /\bINSERT\s+IGNORE\b/i,
    why: 'it hides every error, not only the doubled key: insert, and look at isDuplicateKey',
    wholeText: true,
  },
  { name: 'AUTO_INCREMENT', pattern: /\bAUTO_INCREMENT\b/i, why: 'ids are made by the application', wholeText: true },
  {
    name: 'open ends',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
    why: 'finish it, or file an issue and say what is missing',
    wholeText: true,
    within: EVERYWHERE,
    allowed: { 'scripts/quality/tidy.ts': 'names them in order to ban them' },
  },
  {
    name: 'ts-ignore',
    pattern: /@ts-(?:ignore|nocheck)\b/,
    why: 'the types are right, or the code is wrong',
    wholeText: true,
    within: EVERYWHERE,
    allowed: { 'scripts/quality/tidy.ts': 'names them in order to ban them' },
  },
  {
    name: 'setInterval',
    pattern: /\bsetInterval\b/,
    why: 'timed work is a job in jobs/schedule.ts',
    within: /^src\/(?!runtime\/)/,
  },
  {
    name: 'waiting in a pure file',
    pattern: /\b(?:async|await|Promise|Tx|Database|Runtime|fetch|setTimeout)\b/,
    why: 'rules, states and kinds are pure: they are given facts and answer with a decision',
    within: PURE,
  },
  {
    name: 'sleeping test',
    pattern: /\bsetTimeout\b/,
    why: 'wait for the thing itself, never for time to pass',
    within: /^test\/.+\.test\.ts$/,
  },
  {
    name: 'skipped test',
    pattern: /\b(?:test|it|describe)\.(?:skip|only|todo)\b/,
    why: 'a test runs or is removed',
    within: /^test\//,
  },
  {
    name: 'mocked module',
    pattern: /\bjest\.(?:mock|unstable_mockModule)\b/,
    why: 'our own modules are used as they are',
    within: /^test\//,
  },
];

const RUNNING_CODE = /^(?:src|jobs)\//;

/** What the bans and the length limit find in one file. `file` is relative to the root of the checkout. */
export function inspect(file: string, text: string): Finding[] {
  const findings: Finding[] = [];
  const code = blankStringsAndComments(text).split('\n');
  const whole = text.split('\n');
  for (const { name, pattern, why, wholeText, within = RUNNING_CODE, allowed = {} } of BANS) {
    if (!within.test(file) || Object.hasOwn(allowed, file)) continue;
    (wholeText ? whole : code).forEach((line, index) => {
      if (pattern.test(line)) findings.push({ file, line: index + 1, ban: name, why });
    });
  }
  if (RUNNING_CODE.test(file) && whole.length > FILE_LINES_MAX) {
    const why = `${whole.length} lines; a file that takes more than ${FILE_LINES_MAX} to say is two files`;
    findings.push({ file, line: FILE_LINES_MAX, ban: 'long file', why });
  }
  return findings;
}

/** The same text, of the same length, with spaces for what stands in comments, strings and the fixed parts of templates. */
export function blankStringsAndComments(text: string): string {
  const blank = (part: string) => part.replace(/[^\n]/g, ' ');
  let result = '';
  let at = 0;
  const braces: number[] = []; // for each open `${`: the braces opened inside it
  const copy = (length: number, hide: boolean) => {
    const part = text.slice(at, at + length);
    result += hide ? blank(part) : part;
    at += length;
  };
  const template = () => {
    while (at < text.length && text[at] !== '`' && !text.startsWith('${', at)) copy(text[at] === '\\' ? 2 : 1, true);
    if (text.startsWith('${', at)) {
      copy(2, true);
      braces.push(0);
    } else copy(1, true);
  };
  while (at < text.length) {
    const token = OPAQUE.exec(text.slice(at, at + OPAQUE_MAX))?.[0];
    const char = text[at] as string;
    if (token !== undefined && !(char === '/' && !token.startsWith('//') && !token.startsWith('/*') && isDivision(result))) {
      const end = token === '/*' ? text.indexOf('*/', at) + 2 : at + token.length;
      copy((end > 1 ? end : text.length) - at, true);
    } else if (char === '`') {
      copy(1, true);
      template();
    } else if (char === '}' && braces.at(-1) === 0) {
      braces.pop();
      copy(1, true);
      template();
    } else {
      if (braces.length > 0 && char === '{') braces.push((braces.pop() as number) + 1);
      if (braces.length > 0 && char === '}') braces.push((braces.pop() as number) - 1);
      copy(1, false);
    }
  }
  return result;
}

// A comment (of one line; of many, its opening), a string, or what looks like a regular expression.
const OPAQUE =
  /^(?:\/\/[^\n]*|\/\*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/*\\[\n])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\/)/;
const OPAQUE_MAX = 2000;

/** A slash after a value divides; anywhere else it opens a regular expression. */
function isDivision(before: string): boolean {
  return /(?:[\w$)\]}]|\+\+|--)\s*$/.test(before.slice(-200)) && !/\b(?:return|typeof|case|in|of)\s*$/.test(before.slice(-200));
}

function sourcesIn(root: string): string[] {
  return ['src', 'jobs', 'test', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ts|mjs|cjs|js)$/.test(name))
      .map((name) => join(folder, name)),
  );
}

/** Everything that is not tidy in the checkout at `root`. */
export function inspectAll(root: string): Finding[] {
  return sourcesIn(root).flatMap((file) => inspect(file, readFileSync(join(root, file), 'utf8')));
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
  const findings = inspectAll(root);
  for (const { file, line, ban, why } of findings) process.stdout.write(`${relative('.', file)}:${line} ${ban}: ${why}\n`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
