import { Redis } from 'ioredis';
import { type Connection, createConnection } from 'mysql2/promise';
import type { ChannelCode, PaymentOrder } from '../../src/channels/index.js';
import { type RunningBank, startBank } from '../../src/channels/simulator/index.js';
import { kinds, openedBody } from '../../src/instructions/index.js';
import { type BusinessDate, invariant, naturalDate } from '../../src/kernel/index.js';
import { loadCalendar } from '../../src/runtime/calendar-store.js';
import {
  connectDatabase,
  type Database,
  keysOfSecret,
  openVault,
  parseConfig,
  receiptKeysOfSecret,
} from '../../src/runtime/index.js';
import { Model } from '../../test/support/model/model.js';
import { nextWorkingDayOf } from '../../test/support/world/world.js';
import { RedisBells } from './bells.js';
import { Chance } from './chance.js';
import { Giving } from './giving.js';
import { Market } from './market.js';
import { Memory } from './memory.js';
import { SECOND, Time } from './time.js';
import { Witness } from './witness.js';
import { Crashed, type Surroundings, Worker } from './worker.js';

export interface SimulationOptions {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly redisPrefix: string;
  readonly seed: number;
  readonly steps: number;
  /** The bank's statements are wrong at times. */
  readonly statements: boolean;
  readonly say: (line: string) => void;
}

const SHARDS = 3;
const PLATFORMS = 4; // so that two share a shard
const WORKERS = 2;
const LINGER_STEPS = 8; // at a second each: as long as a call may take, and not longer
const TOLD = 6;
const TRACE = 12;
/** Days before holidays, before a weekend that is worked, and an ordinary one. */
const FIRST_DAYS = ['2026-02-11', '2025-09-26', '2026-04-01', '2025-12-29', '2026-06-16', '2026-07-08'] as const;

/** All that a run is played with: real servers, the bank simulator, processes that come and go, and those who watch. */
export class Simulation {
  readonly options: SimulationOptions;
  readonly chance: Chance;
  readonly time: Time;
  readonly bank: RunningBank;
  readonly bells: RedisBells;
  readonly db: Database;
  readonly model: Model;
  readonly market: Market;
  readonly witness: Witness;
  readonly memory: Memory;
  readonly giving: Giving;
  readonly workers: Worker[] = [];
  readonly counts = { crashes: 0, redisFlushes: 0, closes: 0, violations: 0, faultsThrown: 0 };
  readonly unknownSeen = new Set<string>();
  step = 0;
  #beginning = '';
  #told = 0;
  readonly #admin: Connection;
  readonly #redis: Redis;
  readonly #around: Surroundings;
  readonly #trace: string[] = [];
  readonly #lingering: { arrives: number; channel: ChannelCode; orders: readonly PaymentOrder[] }[] = [];

  private constructor(
    options: SimulationOptions,
    parts: {
      admin: Connection;
      redis: Redis;
      db: Database;
      bank: RunningBank;
      around: Omit<Surroundings, 'clock' | 'bells' | 'kill' | 'gone' | 'beforeBank' | 'linger' | 'onAlarm'>;
    },
  ) {
    const { admin, redis, db, bank, around } = parts;
    this.options = options;
    this.chance = new Chance(options.seed);
    this.time = new Time(this.chance.one(FIRST_DAYS) as BusinessDate);
    this.bank = bank;
    this.db = db;
    this.#admin = admin;
    this.#redis = redis;
    this.bells = new RedisBells(redis, options.redisPrefix);
    this.model = new Model(nextWorkingDayOf(around.calendar));
    this.market = new Market(this.model, bank.bank);
    const violate = (sentence: string) => this.violate(sentence);
    const vault = openVault(around.config);
    const opened = (kind: string, stored: string) => openedBody(kinds.get(kind), stored, vault);
    this.memory = new Memory(violate, opened);
    this.witness = new Witness({
      db,
      model: this.model,
      bank: bank.bank,
      shards: SHARDS,
      violate,
      opened,
      custodyNoOf: (platform) => this.market.side(platform).book.custodyNo,
    });
    this.giving = new Giving(this.chance, this.market, this.model, this.witness, () => this.time.now());
    this.#around = {
      ...around,
      clock: this.time,
      bells: this.bells,
      kill: async (id) => void (await admin.query(`KILL ${id}`).catch(() => undefined)), // it may have ended by itself
      gone: (ids) => this.#gone(ids),
      beforeBank: () => this.witness.look(),
      linger: (channel, orders) =>
        void this.#lingering.push({ arrives: this.step + (this.step % LINGER_STEPS) + 1, channel, orders }),
      onAlarm: (line) => this.#alarm(line),
    };
  }

  static async start(options: SimulationOptions): Promise<Simulation> {
    const { databaseUrl, redisUrl, redisPrefix, seed } = options;
    const bank = await startBank({ port: 0, seed });
    const config = parseConfig({
      ...keysOfSecret(`simulation ${seed}`),
      ...receiptKeysOfSecret(`simulation ${seed}`),
      DATABASE_URL: databaseUrl,
      REDIS_URL: redisUrl,
      REDIS_PREFIX: redisPrefix,
      BANK_URL: bank.url,
      SHARDS: String(SHARDS),
      LOG_LEVEL: 'error',
    });
    const admin = await createConnection(databaseUrl);
    const db = await connectDatabase({ url: databaseUrl, poolSize: 4 });
    const calendar = await db.read('calendar', loadCalendar);
    const simulation = new Simulation(options, { admin, redis: new Redis(redisUrl), db, bank, around: { config, calendar } });
    await simulation.#open();
    return simulation;
  }

  async #open(): Promise<void> {
    const [row] = await this.db.read('books', (tx) => tx.rows<{ number: string }>('SELECT COUNT(*) AS number FROM books'));
    if (row?.number !== '0' && Number(row?.number) !== 0)
      throw new Error('the simulation needs a migrated and otherwise empty database');
    for (let number = 0; number < WORKERS; number += 1) this.workers.push(await Worker.start(this.#around));
    await this.market.open(this.worker(0).rt, this.today(), SHARDS, PLATFORMS);
  }

  get shards(): number[] {
    return Array.from({ length: SHARDS }, (_, shard) => shard);
  }

  today(): BusinessDate {
    return naturalDate(this.time.now());
  }

  worker(number: number): Worker {
    const worker = this.workers[number];
    invariant(worker, 'there is such a process');
    return worker;
  }

  get lingers(): boolean {
    return this.#lingering.length > 0;
  }

  /** Orders that were on their way long enough reach the bank. */
  deliver(all = false): void {
    for (const { arrives, channel, orders } of this.#lingering.splice(0)) {
      if (all || arrives <= this.step) for (const order of orders) this.bank.bank.submit(channel, order);
      else this.#lingering.push({ arrives, channel, orders });
    }
  }

  /** Time passes for the service and for the bank. */
  pass(ms: number): void {
    this.deliver(ms > LINGER_STEPS * SECOND);
    this.time.pass(ms);
    this.bank.bank.advanceMs(ms);
  }

  begin(name: string): void {
    this.#beginning = name;
  }

  note(line: string): void {
    this.#beginning = '';
    this.#trace.push(`step ${this.step} (${this.today()}): ${line}`);
    if (this.#trace.length > TRACE) this.#trace.shift();
  }

  violate(sentence: string): void {
    const { say, seed } = this.options;
    this.counts.violations += 1;
    if (this.counts.violations > 50) return; // what follows the first ones is seldom news
    say(`VIOLATION seed ${seed} step ${this.step}: ${sentence}`);
    if (this.#told === this.step) return;
    this.#told = this.step;
    for (const line of this.#trace.slice(-TOLD)) say(`    ${line}`);
    if (this.#beginning !== '') say(`    in ${this.#beginning}`);
  }

  /** Crashed processes are buried, and others start in their place. */
  async replaceDead(): Promise<void> {
    for (const [place, worker] of this.workers.entries()) {
      if (worker.alive) continue;
      this.counts.crashes += 1;
      await worker.buried();
      this.time.pass(SECOND);
      this.workers[place] = await Worker.start(this.#around);
    }
  }

  /**
   * Runs work on one process. A crash ends it; a fault that was thrown is in order where the wire was cut, and nowhere else.
   * Answers what it did, or undefined.
   */
  async attempt<T>(worker: Worker, what: string, work: (worker: Worker) => Promise<T>): Promise<T | undefined> {
    try {
      return await worker.run(work);
    } catch (error) {
      if (error instanceof Crashed || !worker.alive) return undefined;
      if (worker.calm()) this.counts.faultsThrown += 1;
      else this.violate(`${what} failed: ${(error as Error).stack ?? error}`);
      return undefined;
    }
  }

  async #gone(ids: ReadonlySet<number>): Promise<void> {
    for (;;) {
      const [rows] = await this.#admin.query(`SELECT 1 FROM information_schema.processlist WHERE id IN (${[...ids, 0].join()})`);
      if ((rows as unknown[]).length === 0) return;
      await new Promise((resume) => setTimeout(resume, 2));
    }
  }

  /** Words at error level are for people. In a run they are in order only where something was made for people to see. */
  #alarm(line: string): void {
    const { event, ...rest } = JSON.parse(line) as { event?: string };
    if (event === 'close.stopped' && this.options.statements) return;
    this.violate(`alarm ${event}: ${JSON.stringify(rest)}`);
  }

  async stop(): Promise<void> {
    for (const worker of this.workers) await worker.stop();
    await this.bells.flush();
    this.#redis.disconnect();
    await this.db.close();
    await this.#admin.end();
    await this.bank.stop();
  }
}
