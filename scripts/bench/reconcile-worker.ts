import { openChannels } from '../../src/channels/index.js';
import { createDesk, type Desk } from '../../src/dispatch/index.js';
import { asId, type BusinessDate, type Id } from '../../src/kernel/index.js';
import { reconcileDay } from '../../src/reconciliation/index.js';
import { boundaryPage } from '../../src/reconciliation/store.js';
import { withRuntime } from './book.js';
import { median } from './figures.js';

// Compares one day three times, in turns with merely parsing the statement and scanning the table, and keeps what it found once.
const [url = '', platform = '', custodyNo = '', on = ''] = process.argv.slice(2);
const [platformId, date] = [asId(platform), on as BusinessDate];
const ROUNDS = 3;
const PAGE = 10_000;

/** What nobody can do without: every line parsed and verified, every row read. */
async function plain({ rt, channels }: Desk): Promise<void> {
  await channels.coreBank.statement(custodyNo, date, () => undefined);
  for (let after: Id | undefined = asId('0'); after !== undefined; ) {
    const from: Id = after;
    after = (await rt.db.read('scan', (tx) => boundaryPage(tx, platformId, date, from, PAGE))).next;
  }
}

async function secondsOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

const figures = await withRuntime(async (rt) => {
  const channels = openChannels({ bankUrl: url });
  const desk = createDesk(rt, channels);
  const times: { plain: number; whole: number }[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const plainSeconds = await secondsOf(() => plain(desk));
    const whole = await secondsOf(async () => {
      const reconciled = await reconcileDay(desk, { platformId, shardId: 0, custodyNo, date, resumed: false });
      if (reconciled.state !== 'done') throw new Error(reconciled.reason);
      if (round === ROUNDS - 1) await rt.db.withTx('keep', reconciled.write);
    });
    times.push({ plain: plainSeconds, whole });
    process.stderr.write(`round ${round}: plain ${plainSeconds.toFixed(2)} s, compared ${whole.toFixed(2)} s\n`);
  }
  await channels.close();
  return {
    plainSeconds: median(times.map(({ plain: seconds }) => seconds)),
    seconds: median(times.map(({ whole }) => whole)),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
});
process.stdout.write(`${JSON.stringify(figures)}\n`);
