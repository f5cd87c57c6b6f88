/**
 * `npm run close -- --platform plt_… [--date YYYY-MM-DD] [--watch]`: rings for the close of a platform's days, and shows the steps of a day.
 * The worker closes; this looks at the rows. With --watch it stays until the day is closed or stopped. Without a date: the day that is open,
 * or the one whose close has begun. The exit code is 0 when the day is closed, 3 when it stopped, 4 when it is not over or still under way,
 * 2 when it was called wrongly.
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { type DayWithSteps, dayWithSteps, STEP_NAMES, STEPS } from '../src/clearing/index.js';
import { addDays, type BusinessDate, fromWire, type Id, parseBusinessDate, Refused, wirePattern } from '../src/kernel/index.js';
import { loadBook } from '../src/ledger/index.js';
import { createRuntime, parseConfig, type Runtime } from '../src/runtime/index.js';

const USAGE = 'usage: npm run close -- --platform plt_… [--date YYYY-MM-DD] [--watch]';
const LOOK_EVERY_MS = 500;

/** One line a step, and how far the one at work is. */
export function shown({ day, steps, progress }: DayWithSteps): string {
  const lines = STEPS.map((step) => {
    const row = steps.find((each) => each.step === step);
    const state = row?.state ?? 'waiting';
    const took = row?.startedMs && row.finishedMs ? ` ${((row.finishedMs - row.startedMs) / 1000).toFixed(1)} s` : '';
    const at = progress?.step === step ? ` ${progressText(progress)}` : '';
    return `  ${MARKS[state]} ${step.padEnd(10)} ${STEP_NAMES[step].zh}${took}${at}`;
  });
  const reason = day.reason === null ? '' : `: ${day.reason}`;
  return [`${day.date} ${day.state}${reason}`, ...lines].join('\n');
}

const MARKS = { done: '✓', running: '▶', waiting: '·', stopped: '✗' } as const;

function progressText({ stage, done, total, perSecond, secondsLeft }: NonNullable<DayWithSteps['progress']>): string {
  const of = total === null ? `${done}` : `${done} of ${total}`;
  const pace = perSecond === null ? '' : `, ${perSecond} a second`;
  const left = secondsLeft === null ? '' : `, ${secondsLeft} s left`;
  return `${of} ${stage}${pace}${left}`;
}

interface Asked {
  readonly platformId: Id;
  readonly date: BusinessDate | undefined;
  readonly watch: boolean;
}

function parse(args: readonly string[]): Asked | undefined {
  try {
    const options = { platform: { type: 'string' }, date: { type: 'string' }, watch: { type: 'boolean' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    const date = values.date === undefined ? undefined : parseBusinessDate(values.date);
    const isPlatform = wirePattern('platform').test(values.platform ?? '');
    if (!isPlatform || (values.date !== undefined && date === undefined)) return undefined;
    return { platformId: fromWire(values.platform as string), date, watch: values.watch ?? false };
  } catch {
    return undefined;
  }
}

/** The day whose close has begun and not ended, else the one that is open. */
async function dayOf(rt: Runtime, platformId: Id): Promise<BusinessDate> {
  return rt.db.read('day-to-show', async (tx) => {
    const { businessDate } = await loadBook(tx, platformId);
    const yesterday = addDays(businessDate, -1);
    const before = await dayWithSteps(tx, rt, platformId, yesterday).catch(notThere);
    return before === undefined || before.day.state === 'closed' ? businessDate : yesterday;
  });
}

function notThere(error: unknown): undefined {
  if (error instanceof Refused) return undefined;
  throw error;
}

async function run({ platformId, date: asked, watch }: Asked): Promise<number> {
  const rt = await createRuntime(parseConfig({ ...process.env, LOG_LEVEL: 'warn' }), 'script');
  try {
    const date = asked ?? (await dayOf(rt, platformId));
    await rt.bells.ring('close-day', platformId);
    for (let last = ''; ; ) {
      const now = await rt.db.read('day-with-steps', (tx) => dayWithSteps(tx, rt, platformId, date));
      const text = shown(now);
      if (text !== last) process.stdout.write(`${text}\n`);
      last = text;
      if (now.day.state === 'closed') return 0;
      if (now.day.state === 'stopped') return 3;
      if (!watch) return 4;
      await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
    }
  } finally {
    await rt.close();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const asked = parse(process.argv.slice(2));
  if (asked === undefined) {
    process.stderr.write(`${USAGE}\n`);
    process.exitCode = 2;
  } else {
    try {
      process.exitCode = await run(asked);
    } catch (error) {
      process.stderr.write(`${(error as Error).message}\n`);
      process.exitCode = 2;
    }
  }
}
