/**
 * The service against chance:
 *
 *   npm run simulate -- [--seed N] [--steps M] [--statements] [--json]
 *   npm run simulate -- --channels [--seed N] [--payouts M] [--json]
 *
 * Started by `npm run simulate`, which gives it a database and a Redis of its own. Broken checks go to stderr with the seed and the
 * step, the figures to stdout. The exit code is 0 when every check held, 1 when one did not, 2 when it cannot be started like this.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { logsOf, runChannels } from './simulation/channels/index.js';
import { runSimulation } from './simulation/index.js';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE = `usage: npm run simulate -- [--seed N] [--steps M] [--statements] [--json]
       npm run simulate -- --channels [--seed N] [--payouts M] [--json]`;

function wholeNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`"${text}" is no whole number`);
  return Number(text);
}

function readOptions() {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: { seed: text, steps: text, payouts: text, statements: flag, channels: flag, json: flag },
  });
  const { DATABASE_URL, REDIS_URL, REDIS_PREFIX = 'cunguan' } = process.env;
  if (!DATABASE_URL || !REDIS_URL)
    throw new Error('DATABASE_URL and REDIS_URL are not set; `npm run simulate` starts servers and sets them');
  return {
    json: values.json,
    channels: values.channels,
    run: {
      databaseUrl: DATABASE_URL,
      redisUrl: REDIS_URL,
      redisPrefix: REDIS_PREFIX,
      seed: wholeNumber(values.seed, 1),
      steps: wholeNumber(values.steps, 2_000),
      payouts: wholeNumber(values.payouts, 10_000),
      folder: logsOf(ROOT),
      statements: values.statements,
      say: (line: string) => void process.stderr.write(`${line}\n`),
    },
  };
}

function print(figures: object, json: boolean): void {
  if (json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else
    for (const [figure, value] of Object.entries(figures))
      process.stdout.write(`${figure.padEnd(14)} ${typeof value === 'object' ? JSON.stringify(value) : value}\n`);
}

let options: ReturnType<typeof readOptions> | undefined;
try {
  options = readOptions();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
  process.exitCode = 2;
}
if (options?.channels) {
  const figures = await runChannels(options.run);
  print(figures, options.json);
  const { paidTwice, lost, unknownLeft, moneyOff, breaksLeft } = figures;
  process.exitCode = paidTwice + lost + unknownLeft + moneyOff + breaksLeft > 0 ? 1 : 0;
} else if (options !== undefined) {
  const figures = await runSimulation(options.run);
  const { steps, instructions, seconds } = figures;
  options.run.say(`${Math.round(steps / seconds)} steps and ${Math.round(instructions / seconds)} instructions a second`);
  print(figures, options.json);
  process.exitCode = figures.violations > 0 ? 1 : 0;
}
