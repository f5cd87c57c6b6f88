import { benchClearing } from './clearing.js';
import { benchLimits } from './limits.js';
import { benchPosting } from './posting.js';
import { benchReconcile } from './reconcile.js';
import { benchRepay } from './repay.js';
import { benchRouting } from './routing.js';
import { benchSplit } from './split.js';

/** `npm run bench -- <name> --json`: each benchmark prints its figures, with --json as one line of JSON at the end. */
const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<Record<string, number>>>> = {
  posting: (args) => (args.includes('--limits') ? benchLimits(args) : benchPosting(args)),
  split: benchSplit,
  repay: benchRepay,
  routing: benchRouting,
  clearing: benchClearing,
  reconcile: benchReconcile,
};

const [name = '', ...args] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json]\n`);
  process.exit(2);
}
const figures = await bench(args);
if (!args.includes('--json'))
  for (const [figure, value] of Object.entries(figures)) process.stdout.write(`${figure.padEnd(24)} ${value}\n`);
else process.stdout.write(`${JSON.stringify(figures)}\n`);
