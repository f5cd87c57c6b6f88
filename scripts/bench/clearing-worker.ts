import { openChannels } from '../../src/channels/index.js';
import { closeDueDays } from '../../src/clearing/index.js';
import { createDesk } from '../../src/dispatch/index.js';
import { addDays, asId, instantOf, startOfDay } from '../../src/kernel/index.js';
import { drivenClock } from '../../src/runtime/index.js';
import { FIRST_DATE, withRuntime } from './book.js';

/**
 * The worker of the benchmark, a process of its own, so that the memory is a worker's: closes the first day of the platforms that it is
 * told, one after the other, and says of the last one how long what took and how much memory the process had at most.
 */
const TEN_O_CLOCK = 10 * 3_600_000;
const [bankUrl = '', ...platforms] = process.argv.slice(2);

await withRuntime(async (started) => {
  const clock = drivenClock(instantOf(startOfDay(addDays(FIRST_DATE, 1)) + TEN_O_CLOCK));
  const rt = { ...started, clock };
  const channels = openChannels({ bankUrl, timeoutMs: 60_000 });
  const desk = createDesk(rt, channels);
  for (const platform of platforms) {
    const began = performance.now();
    const took: Record<string, number> = {};
    const peaks: Record<string, number> = {};
    let last = began;
    const at = (point: string) => {
      const now = performance.now();
      took[point] = (took[point] ?? 0) + (now - last) / 1000;
      last = now;
      peaks[point] = Math.round(process.resourceUsage().maxRSS / 1024);
    };
    const outcomes = await closeDueDays(desk, asId(platform), { at });
    const seconds = (performance.now() - began) / 1000;
    const peakMb = process.resourceUsage().maxRSS / 1024;
    process.stdout.write(`${JSON.stringify({ state: outcomes[0]?.state, seconds, took, peaks, peakMb })}\n`);
  }
  await channels.close();
});
