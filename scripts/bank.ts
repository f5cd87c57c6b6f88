import { parseArgs } from 'node:util';
import { startBank } from '../src/channels/simulator/index.js';
import { shippedCalendar } from '../src/migrations/index.js';

// The bank simulator as a process of its own: `tsx scripts/bank.ts --port 0 --seed 1`. Prints one line of JSON with its address
// when it is ready; stops on SIGTERM or SIGINT.
const { values } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
  },
});
const [port, seed] = [Number(values.port), Number(values.seed)];
if (!Number.isInteger(port) || port < 0 || port > 65_535 || !Number.isSafeInteger(seed)) {
  console.error('usage: bank [--host ADDRESS] [--port 0..65535] [--seed INTEGER]');
  process.exit(2);
}

const running = await startBank({ host: values.host, port, seed, wallMs: () => Date.now(), calendar: shippedCalendar() });
console.log(JSON.stringify({ url: running.url, seed }));

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void running.stop().then(() => process.exit(0));
  });
}
