import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { PAGES } from '../../scripts/docs/pages.js';
import { type AppParts, allRoutes } from '../../src/app.js';
import type { StartedRuntime } from '../../src/runtime/index.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();

const documents = ['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')];

test.each(Object.entries(PAGES))('%s is what the code makes of it: run npm run docs', (file, make) => {
  expect(read(file)).toBe(make());
});

test('every term of the glossary stands in the code', () => {
  const code = filesIn('src', '.ts').map(read).join('\n');
  const terms = [...read('docs/glossary.md').matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] as string);
  expect(terms.length).toBeGreaterThan(30);
  expect(terms.filter((term) => !new RegExp(`(?<![A-Za-z])${term}`).test(code))).toEqual([]);
  expect(terms.filter((term, place) => terms.indexOf(term) !== place)).toEqual([]);
});

test('every place that the glossary names exists', () => {
  const places = read('docs/glossary.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] as string));
  expect(places.filter((place) => !existsSync(join(root, 'src', place)))).toEqual([]);
});

describe.each(documents)('%s', (file) => {
  const text = read(file);

  test('has one title, and it comes first', () => {
    const outside = text.replace(/```[\s\S]*?```/g, '');
    expect(outside).toMatch(/^# /);
    expect([...outside.matchAll(/^# /gm)]).toHaveLength(1);
  });

  test('leads nowhere that is not there', () => {
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => (match[1] as string).replace(/#.*/, ''));
    const local = targets.filter((target) => target !== '' && !/^https?:/.test(target));
    expect(local.filter((target) => !existsSync(join(root, dirname(file), target)))).toEqual([]);
  });

  test('names only npm commands that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...text.matchAll(/npm run ([a-z-]+)/g)].map((match) => match[1] as string);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('names only files of the project that exist', () => {
    const named = [...text.matchAll(/`((?:src|jobs|test|scripts|docs)\/[\w./-]+)`/g)].map((match) => match[1] as string);
    expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });
});

test('every call of the API that a document names is one of the service', () => {
  const runtime = { config: { REDIS_PREFIX: 'x' } } as unknown as StartedRuntime;
  const routes = new Set(
    allRoutes(runtime, {} as AppParts).map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '*')}`),
  );
  const unknown = documents.flatMap((file) =>
    [...read(file).matchAll(/\b(GET|POST|PUT|DELETE) "?(\/(?:v1|admin\/v1)[^\s"'`?]*)/g)]
      .map(
        (match) => `${match[1]} ${(match[2] as string).replace(/\{\w+\}|\$[A-Z]\w*|\b[a-z]{3}_…/g, '*').replace(/[.,;)]+$/, '')}`,
      )
      .filter((call) => !routes.has(call) && call !== 'GET /admin/v1/clock' && call !== 'PUT /admin/v1/clock')
      .map((call) => `${relative('.', file)}: ${call}`),
  );
  expect(unknown).toEqual([]);
});
