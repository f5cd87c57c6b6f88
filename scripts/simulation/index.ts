import { performance } from 'node:perf_hooks';
import { audit } from './audit.js';
import { converge } from './ending.js';
import { Simulation, type SimulationOptions } from './simulation.js';
import { poll, STEPS } from './steps.js';
import { SECOND } from './time.js';
import { weather } from './weather.js';

export type { SimulationOptions } from './simulation.js';

/** What a run came to; `violations` counts every check that did not hold. */
export interface Figures {
  readonly seed: number;
  readonly steps: number;
  readonly instructions: number;
  readonly posted: number;
  readonly refused: number;
  readonly payouts: number;
  readonly settled: number;
  readonly failed: number;
  readonly returned: number;
  readonly unknownSeen: number;
  readonly crashes: number;
  readonly redisFlushes: number;
  readonly closes: number;
  readonly violations: number;
  readonly seconds: number;
}

const AUDIT_EVERY = 250;

/**
 * Plays the service against chance: the real engine, dispatch, clearing and reconciliation on a real database and a real Redis, and
 * the bank simulator. What happens next, and what breaks meanwhile, is drawn from one seed; after every step the books must be
 * right, and in the end everything must have come to its end.
 */
export async function runSimulation(options: SimulationOptions): Promise<Figures> {
  const startedAt = performance.now();
  const simulation = await Simulation.start(options);
  try {
    const { chance, bank } = simulation;
    bank.bank.faults.replace(weather(chance, options.statements).plan);
    while (simulation.step < options.steps) {
      simulation.step += 1;
      await takeStep(simulation);
      if (simulation.step % AUDIT_EVERY === 0) await audit(simulation);
    }
    await converge(simulation);
    return await figuresOf(simulation, (performance.now() - startedAt) / 1000);
  } finally {
    await simulation.stop();
  }
}

async function takeStep(simulation: Simulation): Promise<void> {
  const { chance, db, memory, witness } = simulation;
  chance.begin(simulation.step);
  simulation.pass(SECOND);
  // While an order is on its way, to ask after it is what might go wrong.
  const step = simulation.lingers && chance.happens(0.5) ? poll : chance.weighted(STEPS);
  simulation.begin(step.name);
  try {
    simulation.note(await step(simulation));
  } catch (error) {
    simulation.violate(`the step failed: ${(error as Error).stack ?? error}`);
  }
  for (const worker of simulation.workers) worker.calm();
  await simulation.replaceDead();
  await witness.look();
  await db.read('after-step', async (tx) => {
    await memory.clearUp(tx);
    await witness.check(tx);
    for (const { id } of await tx.rows<{ id: string }>("SELECT id FROM payouts WHERE state = 'unknown'"))
      simulation.unknownSeen.add(id);
  });
}

async function figuresOf({ options, counts, db, unknownSeen, witness }: Simulation, seconds: number): Promise<Figures> {
  const states = new Map(
    (
      await db.read('payouts', (tx) =>
        tx.rows<{ state: string; number: string }>('SELECT state, COUNT(*) AS number FROM payouts GROUP BY state'),
      )
    ).map((row) => [row.state, Number(row.number)]),
  );
  const posted = [...witness.decided.values()].filter(({ result }) => result === 'posted').length;
  const { crashes, redisFlushes, closes, violations } = counts;
  return {
    seed: options.seed,
    steps: options.steps,
    instructions: witness.decided.size,
    posted,
    refused: witness.decided.size - posted,
    payouts: [...states.values()].reduce((sum, number) => sum + number, 0),
    settled: states.get('settled') ?? 0,
    failed: states.get('failed') ?? 0,
    returned: states.get('returned') ?? 0,
    unknownSeen: unknownSeen.size,
    crashes,
    redisFlushes,
    closes,
    violations,
    seconds: Math.round(seconds * 10) / 10,
  };
}
