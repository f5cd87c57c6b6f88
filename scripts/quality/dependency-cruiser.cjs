/** The import rules of the house. Each says in its comment what it keeps true. */
const flowOrder = require('./flow-order.cjs');

// Files that stand in src itself put the folders together: the end of the flow.
const below = (place) => `^src/(?:(?:${flowOrder.slice(place + 1).join('|')})/|[^/]+\\.ts$)`;

/** One rule a folder: nothing that stands below it in the flow. */
const flow = flowOrder.map((folder, place) => ({
  name: `flow-${folder}`,
  severity: 'error',
  comment: `${folder} imports only folders above it: ${flowOrder.slice(0, place).join(', ') || 'none'}`,
  from: { path: `^src/${folder}/` },
  to: { path: below(place) },
}));

// A pure file computes; it neither waits nor looks at the world. scripts/quality/tidy.ts checks the rest of that promise.
const PURE_FILES = '^src/(?:.+/(?:rules|states)\\.ts$|instructions/kinds/)';

module.exports = {
  forbidden: [
    ...flow,
    {
      name: 'only-the-index',
      severity: 'error',
      comment: "Of another folder only its index.ts: what is not exported there is the folder's own business",
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'only-the-index-from-outside',
      severity: 'error',
      comment: 'The processes are put together from what the folders offer',
      from: { path: '^(?:src/[^/]+\\.ts$|jobs/)' },
      to: { path: '^src/[^/]+/', pathNot: '^src/[^/]+/index\\.ts$' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      comment: 'The service knows nothing of its worker, its tests or its tools',
      from: { path: '^src/' },
      to: { path: '^(?:jobs|test|scripts)/|^ormconfig' },
    },
    {
      name: 'jobs-stand-on-src',
      severity: 'error',
      comment: 'The worker knows nothing of tests and tools',
      from: { path: '^jobs/' },
      to: { path: '^(?:test|scripts)/|^ormconfig|^src/main\\.ts$' },
    },
    {
      name: 'migrations-only-for-tools',
      severity: 'error',
      comment: 'A running process never changes the schema',
      from: { path: '^(?:src|jobs)/', pathNot: '^src/migrations/' },
      to: { path: '^src/migrations/' },
    },
    {
      name: 'pure-files-own-folder',
      severity: 'error',
      comment: 'rules.ts, states.ts and kinds decide; they never read, write or answer',
      from: { path: PURE_FILES },
      to: { path: '^src/.+/(?:store|routes)\\.ts$' },
    },
    {
      name: 'pure-files-no-machine-room',
      severity: 'error',
      comment: 'Rules and states compute. (Kinds may: the field types of their request stand there)',
      from: { path: '^src/.+/(?:rules|states)\\.ts$' },
      to: { path: '^src/runtime/' },
    },
    {
      name: 'pure-files-packages',
      severity: 'error',
      comment: 'A pure file needs no package but those that describe shapes and divide money, and of Node only hashing',
      from: { path: PURE_FILES },
      to: { dependencyTypes: ['npm', 'core'], pathNot: '^(?:node:)?crypto$|node_modules/(?:zod|dinero\\.js)/' },
    },
    {
      name: 'typeorm-behind-one-door',
      severity: 'error',
      comment: 'One door to the database: runtime/database.ts. Elsewhere only table definitions and migrations name TypeORM',
      from: { path: '^(?:src|jobs)/', pathNot: '^src/(?:runtime/|migrations/|[^/]+/tables\\.ts$)' },
      to: { path: 'node_modules/(?:typeorm|mysql2)/' },
    },
    {
      name: 'bullmq-behind-the-bells',
      severity: 'error',
      comment: 'A queue is a bell and nothing more; the stages do not know which',
      from: { path: '^src/', pathNot: '^src/runtime/bullmq-bells\\.ts$' },
      to: { path: 'node_modules/bullmq/' },
    },
    {
      name: 'express-behind-the-routes',
      severity: 'error',
      comment: 'Routes are data; only the HTTP plumbing and the process itself know what serves them',
      from: { path: '^src/', pathNot: '^src/(?:runtime/|[^/]+\\.ts$)' },
      to: { path: 'node_modules/(?:@types/)?express/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two files that need each other are one file, or share a third; types count too',
      from: {},
      to: { circular: true },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'An import that leads nowhere',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared-packages',
      severity: 'error',
      comment: 'The running processes import only packages that package.json lists as dependencies',
      from: { path: '^(?:src|jobs)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
