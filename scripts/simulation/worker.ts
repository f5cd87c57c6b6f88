import { CHANNELS, type ChannelCode, type Channels, openChannels, type PaymentOrder } from '../../src/channels/index.js';
import { createDesk, type Desk } from '../../src/dispatch/index.js';
import { createIntake, type Intake } from '../../src/instructions/index.js';
import { type Calendar, type Clock, idGenerator } from '../../src/kernel/index.js';
import {
  type Bells,
  type Config,
  commandConnection,
  connectDatabase,
  connectOrLeave,
  createLog,
  createMetrics,
  type Database,
  openReceiptKeys,
  openVault,
  type Runtime,
  takeProcessNumber,
} from '../../src/runtime/index.js';
import { type Cut, Relay } from './relay.js';

/** What all processes of a run share: the servers, the bank, the time. */
export interface Surroundings {
  readonly config: Config;
  readonly clock: Clock;
  readonly calendar: Calendar;
  readonly bells: Bells;
  /** Ends a connection on the server's side. */
  readonly kill: (connectionId: number) => Promise<void>;
  /** Waits until the server has let go of these connections, and of what they had locked. */
  readonly gone: (connectionIds: ReadonlySet<number>) => Promise<void>;
  /** Called before the bank is asked to move or to show money. */
  readonly beforeBank: () => Promise<void>;
  /** Orders that are still on their way to the bank; it will have them within seconds. */
  readonly linger: (channel: ChannelCode, orders: readonly PaymentOrder[]) => void;
  /** A line of the log at error level: somebody would be woken. */
  readonly onAlarm: (line: string) => void;
}

/** The process is no more: whatever it was about to do, it does not do. */
export class Crashed extends Error {
  constructor() {
    super('the process crashed');
  }
}

/**
 * A crash at a call to the bank: before it leaves, or when its answer is there and nothing is recorded yet. Or an order lingers on its
 * way: for the sender it has no answer, and the bank gets it when others may have asked after it already.
 */
export interface Fuse {
  readonly when: 'before-call' | 'after-call' | 'lingers';
  readonly nth: number;
}

const metrics = createMetrics();
const ANSWER_MS = 150;

/** One process of the service: a runtime, a desk and an intake of its own, with nothing in memory that outlives it. */
export class Worker {
  readonly rt: Runtime;
  readonly desk: Desk;
  readonly intake: Intake;
  readonly #relay: Relay;
  readonly #around: Surroundings;
  readonly #db: Database;
  readonly #channels: Channels;
  readonly #death: { promise: Promise<never>; happen: () => void };
  #alive = true;
  #fuse: Fuse | undefined;
  #calls = 0;

  private constructor(around: Surroundings, relay: Relay, db: Database, processNumber: number) {
    this.#around = around;
    this.#relay = relay;
    this.#db = db;
    this.#death = makeDeath();
    const { config, clock, calendar } = around;
    const log = createLog('error', 'worker', { write: (line) => this.#alive && around.onAlarm(line) });
    const redis = commandConnection(config.REDIS_URL, createLog('silent', 'worker'));
    const bells: Bells = {
      ring: async (name, key) => (this.#alive ? around.bells.ring(name, key) : undefined),
      ringInTurn: async (name, keys) => (this.#alive ? around.bells.ringInTurn(name, keys) : undefined),
    };
    this.rt = {
      config,
      clock,
      calendar,
      redis,
      bells,
      log,
      metrics,
      vault: openVault(config),
      receiptKeys: openReceiptKeys(config),
      db: this.#guardedDatabase(),
      newId: idGenerator(processNumber, () => clock.wall()),
    };
    this.#channels = openChannels({ bankUrl: config.BANK_URL, timeoutMs: ANSWER_MS, connectTimeoutMs: ANSWER_MS });
    this.desk = createDesk(this.rt, this.#guardedChannels());
    this.intake = createIntake(this.rt);
  }

  static async start(around: Surroundings): Promise<Worker> {
    const relay = await Relay.open(around.config.DATABASE_URL, around.kill);
    const db = await connectDatabase({ url: relay.url, poolSize: 4 });
    const worker = new Worker(around, relay, db, await takeProcessNumber(db));
    await connectOrLeave(worker.rt.redis);
    return worker;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Runs work of this process to its end, or to the end of the process. @throws Crashed */
  run<T>(work: (worker: this) => Promise<T>): Promise<T> {
    if (!this.#alive) throw new Crashed();
    const running = work(this);
    running.catch(() => undefined); // after a crash nobody waits for it any more
    return Promise.race([running, this.#death.promise]);
  }

  cut(cut: Omit<Cut, 'also'>, crash: boolean): void {
    this.#relay.arm(crash ? { ...cut, also: () => this.crash() } : cut);
  }

  burn(fuse: Fuse): void {
    this.#fuse = fuse;
    this.#calls = 0;
  }

  /** Takes back what was planned and did not happen; answers whether the wire was cut. */
  calm(): boolean {
    this.#fuse = undefined;
    return this.#relay.disarm();
  }

  /** At once and without a word: connections end, what was in memory is gone. */
  crash(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#relay.sever();
    this.rt.redis.disconnect();
    this.#death.happen();
  }

  /** After a crash: waits until the server has noticed. */
  async buried(): Promise<void> {
    await this.#channels.close();
    await this.#db.close().catch(() => undefined);
    await this.#around.gone(this.#relay.connectionIds);
  }

  async stop(): Promise<void> {
    this.#alive = false;
    await this.#channels.close();
    await this.#db.close();
    this.rt.redis.disconnect();
    this.#relay.sever();
  }

  #live(): void {
    if (!this.#alive) throw new Crashed();
  }

  #guardedDatabase(): Database {
    const db = this.#db;
    return {
      withTx: async (label, work, committed) => {
        this.#live();
        return db.withTx(label, work, committed);
      },
      read: async (label, work) => {
        this.#live();
        return db.read(label, work);
      },
      snapshot: async (label, work) => {
        this.#live();
        return db.snapshot(label, work);
      },
      ping: () => db.ping(),
      close: () => db.close(),
    };
  }

  #guardedChannels(): Channels {
    const { channels, coreBank, verification, sms } = this.#channels;
    const { beforeBank, linger } = this.#around;
    const next = () => {
      this.#live();
      this.#calls += 1;
      return this.#fuse?.nth === this.#calls ? this.#fuse.when : undefined;
    };
    const call = async <T>(work: () => Promise<T>): Promise<T> => {
      const now = next();
      if (now === 'before-call') this.crash();
      this.#live();
      const answer = await work();
      if (now === 'after-call') this.crash();
      this.#live();
      return answer;
    };
    const channel = (code: ChannelCode): Channels['channels'][ChannelCode] => ({
      code,
      submit: async (orders) => {
        await beforeBank();
        if (this.#fuse?.when !== 'lingers' || this.#fuse.nth !== this.#calls + 1)
          return call(() => channels[code].submit(orders));
        next();
        linger(code, orders);
        return orders.map(({ messageNo }) => ({ messageNo, status: 'unknown', reason: 'it lingers on the way' }));
      },
      query: (messageNos) => call(() => channels[code].query(messageNos)),
      news: (after, limit) => call(() => channels[code].news(after, limit)),
      float: () => call(() => channels[code].float()),
    });
    return {
      channels: Object.fromEntries(CHANNELS.map((code) => [code, channel(code)])) as Channels['channels'],
      coreBank: {
        openCustodyAccount: (custodyNo, name) => call(() => coreBank.openCustodyAccount(custodyNo, name)),
        statement: (custodyNo, date, take) =>
          call(async () => beforeBank().then(() => coreBank.statement(custodyNo, date, take))),
        inflows: (custodyNo, date, items) => call(() => coreBank.inflows(custodyNo, date, items)),
        incoming: (after, limit) => call(() => coreBank.incoming(after, limit)),
        acceptIncoming: (reference, custodyNo, date) => call(() => coreBank.acceptIncoming(reference, custodyNo, date)),
        rejectIncoming: (reference, reason) => call(() => coreBank.rejectIncoming(reference, reason)),
        moveFloat: (...of) => call(() => coreBank.moveFloat(...of)),
      },
      dayFiles: this.#channels.dayFiles,
      funds: this.#channels.funds,
      verification,
      sms,
      close: () => this.#channels.close(),
    };
  }
}

function makeDeath(): { promise: Promise<never>; happen: () => void } {
  let happen: () => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    happen = () => reject(new Crashed());
  });
  promise.catch(() => undefined);
  return { promise, happen };
}
