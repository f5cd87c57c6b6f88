import { insertSubMerchants } from '../../../src/accounts/store.js';
import type { ChannelCode } from '../../../src/channels/index.js';
import {
  createIntake,
  executeShard,
  findInstructions,
  type Intake,
  kinds,
  type Receipt,
} from '../../../src/instructions/index.js';
import {
  addDays,
  asId,
  type BusinessDate,
  type Calendar,
  canonicalJson,
  type Id,
  idGenerator,
  instantOf,
  PROCESS_NUMBERS,
  weekday,
} from '../../../src/kernel/index.js';
import {
  ACCOUNT_TYPES,
  type AccountState,
  type AccountType,
  ensureShards,
  type FunctionalAccount,
  insertBook,
  lockShard,
  openAccounts,
  setAccountState,
  setBusinessDate,
  setTerms,
} from '../../../src/ledger/index.js';
import { backgroundRecords, itemGot } from '../../../src/orders/index.js';
import { insertParties } from '../../../src/parties/index.js';
import { movePayouts } from '../../../src/payouts/index.js';
import { loadCalendar } from '../../../src/runtime/calendar-store.js';
import {
  commandConnection,
  connectOrLeave,
  createLog,
  createMetrics,
  type Database,
  type DrivenClock,
  disconnect,
  drivenClock,
  openReceiptKeys,
  openVault,
  parseConfig,
  type Runtime,
} from '../../../src/runtime/index.js';
import { type FreshDatabase, freshDatabase, TEST_KEYS } from '../database.js';
import type { Given } from '../given.js';
import { gotOf } from '../model/agreements.js';
import { claimedOf } from '../model/books.js';
import type { Model } from '../model/model.js';

/**
 * The real service without its edges: the database, the intake and the engine, with a clock that the test drives and bells
 * that nobody hears (the test executes the shard itself).
 */
export interface World {
  readonly fresh: FreshDatabase;
  readonly db: Database;
  readonly rt: Runtime;
  readonly clock: DrivenClock;
  readonly intake: Intake;
  /** The shard that its books are opened on. */
  readonly shardId: number;
  /** A second process on the same database, with the same clock. */
  another(): Runtime;
  /** The same database with a shard and a clock of its own, so that what it does disturbs nobody. */
  onShard(shardId: number, now: number): World;
  close(): Promise<void>;
}

let processes = 0;

export async function startWorld(now: number, shards = 1): Promise<World> {
  const fresh = await freshDatabase({ poolSize: 8 });
  const log = createLog('silent', 'script');
  const redis = commandConnection(fresh.redisUrl, log);
  await connectOrLeave(redis);
  const config = parseConfig({
    ...TEST_KEYS,
    DATABASE_URL: fresh.url,
    REDIS_URL: fresh.redisUrl,
    BANK_URL: 'http://127.0.0.1:1',
    REDIS_PREFIX: fresh.redisPrefix,
    LOG_LEVEL: 'silent',
  });
  const calendar = await fresh.db.read('calendar', loadCalendar);
  await fresh.db.withTx('shards', (tx) => ensureShards(tx, shards));
  const bells = { ring: async () => undefined, ringInTurn: async () => undefined };
  const metrics = createMetrics();
  const vault = openVault(TEST_KEYS);
  const receiptKeys = openReceiptKeys(TEST_KEYS);
  const runtime = (clock: DrivenClock): Runtime => {
    processes += 1;
    const newId = idGenerator(processes % PROCESS_NUMBERS, clock.wall);
    return { config, db: fresh.db, clock, calendar, newId, redis, bells, log, metrics, vault, receiptKeys };
  };
  const close = async () => {
    await disconnect(redis);
    await fresh.drop();
  };
  const onShard = (shardId: number, ms: number): World => {
    const clock = drivenClock(instantOf(ms));
    const rt = runtime(clock);
    return { fresh, db: fresh.db, rt, clock, shardId, intake: createIntake(rt), another: () => runtime(clock), onShard, close };
  };
  return onShard(0, now);
}

/** The purposes of a platform's functional accounts. */
const OPENED_LATER = [
  ...['sub', 'margin', 'order', 'escrow', 'class-2', 'class-3', 'channel-due', 'collected'],
  ...['reserve', 'advance', 'fund-collection', 'fund-advance'],
];
export const PURPOSES = (Object.keys(ACCOUNT_TYPES) as AccountType[]).filter(
  (type): type is FunctionalAccount => !OPENED_LATER.includes(type),
);
const OWN = PURPOSES.filter((type) => ACCOUNT_TYPES[type].belongsTo === 'platform');

export interface TestBook {
  readonly platformId: Id;
  readonly shardId: number;
  readonly accounts: Readonly<Record<(typeof PURPOSES)[number], Id>>;
}

export async function openBook({ db, rt, shardId }: World, date: string, profile = 'marketplace'): Promise<TestBook> {
  const platformId = rt.newId();
  const ids = PURPOSES.map((type) => [type, rt.newId()] as const);
  const accounts = Object.fromEntries(ids) as TestBook['accounts'];
  await db.withTx('open book', async (tx) => {
    await insertBook(tx, {
      platformId,
      shardId,
      accounts,
      currency: 'CNY',
      custodyNo: `C${platformId}`,
      businessDate: date as BusinessDate,
      terms: { transferMax: 0n, feeMax: 0n },
      profile,
    });
    await openAccounts(
      tx,
      ids.map(([type, id]) => ({ id, platformId, type })),
    );
    for (const type of OWN) await bind(tx, accounts[type]);
  });
  return { platformId, shardId, accounts };
}

/** A sub-account, with a settlement account bound to it unless it is to have none. */
export async function openSub({ db, rt }: World, platformId: Id, bound = true): Promise<Id> {
  const id = rt.newId();
  await db.withTx('open sub-account', async (tx) => {
    await openAccounts(tx, [{ id, platformId, type: 'sub' }]);
    if (bound) await bind(tx, id);
    // Whoever pays it is shown its owner's name.
    const party = { id: rt.newId(), platformId, kind: 'company' as const, name: '商户', idNo: `91350100M${id.slice(-9)}` };
    await insertParties(tx, rt.vault, [{ ...party, createdMs: rt.clock.now() }]);
    const merchant = {
      id: rt.newId(),
      platformId,
      merchantNo: `M${id}`,
      partyId: party.id,
      accountId: id,
      ...{ cycle: 't+1' as const, cycleDays: null, payDay: null },
    };
    const virtualNo = `9156${id.slice(-15)}`;
    await insertSubMerchants(tx, [
      { ...merchant, virtualNo, contentHash: Buffer.alloc(32), openedMs: rt.clock.now(), closedMs: null },
    ]);
  });
  return id;
}

async function bind(tx: Parameters<typeof openAccounts>[0], accountId: Id): Promise<void> {
  await tx.write('INSERT INTO settlement_accounts (account_id, holder_name, account_no, bank_code) VALUES (?, ?, ?, ?)', [
    accountId,
    '户名',
    `62${accountId.slice(-16)}`,
    '',
  ]);
}

export async function changeTerms({ db }: World, platformId: Id, transferMax: bigint, feeMax: bigint): Promise<void> {
  await db.withTx('terms', (tx) => setTerms(tx, platformId, { transferMax, feeMax }));
}

/** Under the shard's lock, as the service does it. */
export async function changeState({ db, clock, shardId }: World, account: Id, state: AccountState): Promise<void> {
  await db.withTx('account state', async (tx) => {
    await lockShard(tx, shardId, clock.now());
    await setAccountState(tx, account, state);
  });
}

/** Under the shard's lock, as the cut-off does it. */
export async function openDate({ db, clock }: World, book: TestBook, from: string, to: string): Promise<void> {
  const changed = await db.withTx('cut-off', async (tx) => {
    await lockShard(tx, book.shardId, clock.now());
    return setBusinessDate(tx, book.platformId, from as BusinessDate, to as BusinessDate);
  });
  if (!changed) throw new Error(`${from} is not the open business date`);
}

/** As dispatch does when it sends a payout; answers whether there was one to send. */
export async function markSent({ db, clock }: World, payout: Id, channel: ChannelCode = 'book'): Promise<boolean> {
  const change = { nowMs: clock.now(), nextMs: clock.now(), channel };
  return (await db.withTx('sent', (tx) => movePayouts(tx, [payout], 'created', 'sent', change))) === 1;
}

export interface Asked {
  readonly platform: string;
  readonly origin: Given['origin'];
  readonly requestNo: string;
  readonly kind: string;
  readonly data: Given['data'];
  readonly answer?: Given['answer'];
}

function actOf(kind: string, data: Given['data']) {
  const of = kinds.get(kind);
  return of?.act?.(of.schema.parse(data));
}

/** Hands instructions to the intake, all together; they are not decided yet. */
export function receive({ intake }: World, asked: readonly Asked[]): Promise<Receipt[]> {
  return intake.receive(
    asked.map(({ platform, origin, requestNo, kind, data, answer }) => ({
      platformId: asId(platform),
      origin,
      requestNo,
      kind,
      body: canonicalJson(data),
      actor: 'test',
      act: answer === undefined || answer === 'unasked' ? undefined : actOf(kind, data),
    })),
  );
}

/** Decides what a shard has received; answers what became of these instructions: posted, or the code of the refusal. */
export async function execute(world: World, ids: readonly Id[]): Promise<Map<Id, string>> {
  await executeShard(world.rt, world.shardId);
  return outcomesOf(world, ids);
}

export async function outcomesOf({ db }: World, ids: readonly Id[]): Promise<Map<Id, string>> {
  const views = await db.read('outcomes', (tx) => findInstructions(tx, ids));
  return new Map([...views].map(([id, { outcome }]) => [id, outcome?.code ?? outcome?.state ?? 'undecided']));
}

/** A line for every account, order, share, hold and payout of these platforms, for one look at all differences. */
export type Picture = Record<string, string>;

const lots = (uncleared: ReadonlyMap<string, bigint>) =>
  [...uncleared]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([due, amount]) => ` ${due}:${amount}`)
    .join('');

/** What of each item was refunded, and who has how much of it. */
const goods = (items: readonly { no: string; refunded: bigint; got: ReadonlyMap<string, bigint> }[]) =>
  items
    .map(({ no, refunded, got }) => {
      const parts = [...got].filter(([, amount]) => amount !== 0n).sort(([a], [b]) => (a < b ? -1 : 1));
      return `${no} refunded ${refunded} got ${parts.map(([account, amount]) => `${account}:${amount}`).join(' ')}`;
    })
    .join('; ');

export async function pictureOfBooks(db: Database, platformIds: readonly Id[]): Promise<Picture> {
  const within = `platform_id IN (${platformIds.join()})`;
  type Row = Record<string, string>;
  return db.snapshot('picture', async (tx) => {
    const picture: Picture = {};
    const uncleared = new Map<string, Map<string, bigint>>();
    for (const row of await tx.rows<Row>(
      `SELECT u.account_id, u.due_date, u.amount FROM uncleared AS u JOIN accounts AS a ON a.id = u.account_id
       JOIN books AS b ON b.platform_id = a.platform_id WHERE u.amount > 0 AND u.due_date > b.business_date AND a.${within}`,
    )) {
      const of = uncleared.get(row.account_id as string) ?? new Map<string, bigint>();
      uncleared.set(row.account_id as string, of.set(row.due_date as string, BigInt(row.amount as string)));
    }
    for (const row of await tx.rows<Row>(`SELECT id, type, state, balance, held, claimed FROM accounts WHERE ${within}`)) {
      const lines = lots(uncleared.get(row.id as string) ?? new Map());
      picture[`account ${row.id}`] =
        `${row.type} ${row.state} ${row.balance} held ${row.held} claimed ${row.claimed} uncleared${lines}`;
    }
    for (const row of await tx.rows<Row>(`SELECT * FROM orders WHERE ${within}`)) {
      picture[`order ${row.platform_id}/${row.order_no}`] =
        `${row.account_id} paid ${row.paid} split ${row.split} returned ${row.returned} refunded ${row.refunded} ` +
        `subsidy ${row.subsidised}-${row.subsidy_returned}`;
    }
    const withGoods = await tx.rows<Row>(`SELECT order_id FROM order_backgrounds WHERE ${within}`);
    const ids = withGoods.map((row) => row.order_id as string);
    for (const { orderId, bound, items } of ids.length === 0 ? [] : (await backgroundRecords.load(tx, ids)).values()) {
      if (bound) picture[`goods ${orderId}`] = goods(items.map((item) => ({ ...item, got: itemGot(item) })));
    }
    for (const row of await tx.rows<Row>(
      `SELECT s.* FROM order_shares AS s JOIN orders AS o ON o.account_id = s.order_id WHERE o.${within}`,
    )) {
      picture[`share ${row.order_id}/${row.receiver_id}`] = `split ${row.split} returned ${row.returned}`;
    }
    for (const row of await tx.rows<Row>(
      `SELECT id, account_id, amount - captured - released AS open FROM holds WHERE ${within}`,
    )) {
      picture[`hold ${row.id}`] = `on ${row.account_id} left ${row.open}`;
    }
    for (const row of await tx.rows<Row>(`SELECT * FROM lending_projects WHERE ${within}`))
      picture[`project ${row.id}`] =
        `${row.state} raised ${row.raised} left ${row.principal_left} unrecovered ${row.unrecovered}`;
    for (const row of await tx.rows<Row>(`SELECT * FROM lending_bids WHERE ${within}`))
      picture[`bid ${row.id}`] = `${row.state} own ${row.own} marketing ${row.marketing}`;
    for (const row of await tx.rows<Row>(
      `SELECT c.* FROM lending_claims AS c JOIN lending_projects AS p ON p.id = c.project_id WHERE p.${within}`,
    ))
      picture[`claim ${row.id}`] = `of ${row.account_id} left ${row.principal_left} earned ${row.earned}`;
    for (const row of await tx.rows<Row>(`SELECT id, source_account_id, amount, state FROM payouts WHERE ${within}`)) {
      picture[`payout ${row.id}`] = `from ${row.source_account_id} ${row.amount} ${row.state}`;
    }
    for (const row of await tx.rows<Row>(
      `SELECT id, amount, amount - attributed - returned - undone AS rest, source FROM suspense_items WHERE ${within}`,
    )) {
      picture[`suspense ${row.id}`] = `${row.amount} left ${row.rest} ${row.source}`;
    }
    for (const row of await tx.rows<Row>(`SELECT * FROM margins WHERE ${within}`))
      picture[`margin ${row.account_id}`] = `${row.margin_id} up to ${row.target}`;
    for (const row of await tx.rows<Row>(`SELECT * FROM receivables WHERE ${within}`)) {
      const left = BigInt(row.amount as string) - BigInt(row.recovered as string);
      picture[`receivable ${row.instruction_id}/${row.account_id}`] = `${row.amount} left ${left}`;
    }
    for (const row of await tx.rows<Row>(`SELECT * FROM shortages WHERE ${within} AND state = 'waiting'`))
      picture[`waits ${row.instruction_id}`] = `${row.amount} missing ${row.missing}`;
    for (const row of await tx.rows<Row>(`SELECT * FROM fund_holdings WHERE ${within}`))
      picture[`holding ${row.account_id}:${row.fund_code}`] =
        `${row.units} frozen ${row.frozen} pending ${row.pending} due ${row.due} income ${row.income} to ${row.income_to ?? 'none'}`;
    for (const o of await tx.rows<Row>(`SELECT * FROM fund_orders WHERE ${within}`))
      picture[`fund order ${o.id}`] =
        `${o.account_id} ${o.fund_code} ${o.way} ${o.amount} units ${o.units} ${o.state} on ${o.trading_date ?? 'none'} ` +
        `settles ${o.settles_on ?? 'none'} collected ${o.collected}`;
    for (const row of await tx.rows<Row>(`SELECT * FROM fund_books WHERE ${within}`))
      picture[`fund book ${row.platform_id}`] = `${row.collection_id} ${row.advance_id} advanced ${row.advanced}`;
    return picture;
  });
}

export function pictureOfModel(model: Model): Picture {
  const picture: Picture = {};
  for (const [id, a] of model.accounts) {
    picture[`account ${id}`] =
      `${a.type} ${a.state} ${a.balance} held ${a.held} claimed ${claimedOf(a)} uncleared${lots(a.uncleared)}`;
  }
  for (const [key, o] of model.orders) {
    picture[`order ${key}`] =
      `${o.account} paid ${o.paid} split ${o.split} returned ${o.returned} refunded ${o.refunded} subsidy ${o.subsidised}-${o.subsidyReturned}`;
    const { items } = o.background ?? {};
    if (items !== undefined)
      picture[`goods ${o.account}`] = goods(items.map((item) => ({ no: item.no, refunded: item.refunded, got: gotOf(item) })));
  }
  for (const [key, s] of model.shares) if (s.split > 0n) picture[`share ${key}`] = `split ${s.split} returned ${s.returned}`;
  for (const [id, h] of model.holds) picture[`hold ${id}`] = `on ${h.account} left ${h.left}`;
  for (const [id, i] of model.items) picture[`suspense ${id}`] = `${i.amount} left ${i.left} ${i.source}`;
  for (const [id, m] of model.cover.margins) picture[`margin ${id}`] = `${m.account} up to ${m.target}`;
  for (const d of model.cover.debts) picture[`receivable ${d.refund}/${d.account}`] = `${d.amount} left ${d.left}`;
  for (const [id, w] of model.cover.waiting) picture[`waits ${id}`] = `${w.amount} missing ${w.missing}`;
  Object.assign(picture, model.lending.picture());
  for (const [id, p] of model.payouts) picture[`payout ${id}`] = `from ${p.source} ${p.amount} ${p.state}`;
  return { ...picture, ...model.funds.picture() };
}

/** The next working day by the calendar's data, counted here and not by the kernel. */
export function nextWorkingDayOf(calendar: Pick<Calendar, 'exceptions'>): (date: string) => string {
  return (date) => {
    for (let day = addDays(date as BusinessDate, 1); ; day = addDays(day, 1)) {
      const works = calendar.exceptions.get(day);
      if (works === true || (works === undefined && weekday(day) >= 1 && weekday(day) <= 5)) return day;
    }
  };
}
