import { type Inflow, PAYING_CHANNELS } from '../../src/channels/index.js';
import type { Bank } from '../../src/channels/simulator/bank.js';
import { type BusinessDate, type Instant, naturalDate } from '../../src/kernel/index.js';
import type { Database, Tx } from '../../src/runtime/index.js';
import type { Given } from '../../test/support/given.js';
import type { Model } from '../../test/support/model/model.js';

/** An instruction that was decided, as the shard's own feed told it. */
export interface Decided {
  readonly id: string;
  readonly platform: string;
  readonly origin: Given['origin'];
  readonly requestNo: string;
  readonly kind: string;
  readonly data: Given['data'];
  /** 'posted', or the code of the refusal. */
  readonly result: string;
}

interface Row {
  shard_id: number;
  seq: string;
  id: string;
  platform_id: string;
  origin: Given['origin'];
  request_no: string;
  kind: string;
  body: string;
  state: string;
  code: string | null;
  batch_no: string;
  business_date: string;
  decided_ms: string;
}

const FEED = `SELECT b.shard_id, b.seq, o.instruction_id AS id, i.platform_id, i.origin, i.request_no, i.kind, i.body, o.state, o.code, o.batch_no,
    o.business_date, o.decided_ms
  FROM outbox AS b JOIN outcomes AS o ON o.instruction_id = b.ref_id JOIN instructions AS i ON i.id = b.ref_id
  WHERE b.shard_id = ? AND b.seq > ? AND b.topic IN ('instruction.posted', 'instruction.refused') ORDER BY b.seq`;

/**
 * Watches the books from outside, over a connection of its own that nothing disturbs: every decision is repeated on the model, and
 * must come out the same; the money that a posted payment speaks of stands at the core bank; what the books say of a payout
 * must be what the bank has done.
 */
export class Witness {
  readonly decided = new Map<string, Decided>();
  readonly posted = new Map<string, string[]>();
  /** Under which date the bank booked an inflow. */
  readonly inflowDates = new Map<string, BusinessDate>();
  readonly #db: Database;
  readonly #model: Model;
  readonly #bank: Bank;
  readonly #custodyNoOf: (platform: string) => string;
  readonly #violate: (sentence: string) => void;
  readonly #opened: (kind: string, stored: string) => string;
  readonly #seen = new Map<number, string>();
  readonly #touched = new Set<string>();
  #looking: Promise<void> = Promise.resolve();

  constructor(of: {
    db: Database;
    model: Model;
    bank: Bank;
    shards: number;
    custodyNoOf: (platform: string) => string;
    violate: (sentence: string) => void;
    /** The body of an instruction as it was given, from the stored one. */
    opened: (kind: string, stored: string) => string;
  }) {
    this.#db = of.db;
    this.#model = of.model;
    this.#bank = of.bank;
    this.#custodyNoOf = of.custodyNoOf;
    this.#violate = of.violate;
    this.#opened = of.opened;
    for (let shard = 0; shard < of.shards; shard += 1) this.#seen.set(shard, '-1');
  }

  count(kind: string, result = 'posted'): number {
    let count = 0;
    for (const decided of this.decided.values()) if (decided.kind === kind && decided.result === result) count += 1;
    return count;
  }

  /** Takes in what was decided since the last look; one look after the other. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    const seen = [...this.#seen];
    const feeds = await this.#db.read('feeds', (tx) => Promise.all(seen.map((from) => tx.rows<Row>(FEED, from))));
    for (const row of feeds.flat()) {
      this.#take(row);
      this.#seen.set(row.shard_id, row.seq);
    }
  }

  #take(row: Row): void {
    const given: Given & { requestNo: string } = {
      id: row.id,
      platform: row.platform_id,
      origin: row.origin,
      requestNo: row.request_no,
      kind: row.kind,
      data: JSON.parse(this.#opened(row.kind, row.body)) as Given['data'],
    };
    const result = row.code ?? row.state;
    if (this.decided.has(row.id)) this.#violate(`instruction ${row.id} was decided twice`);
    this.decided.set(row.id, { ...given, result });
    this.#repeat(row, given, result);
    if (result !== 'posted') return;
    this.posted.set(row.kind, [...(this.posted.get(row.kind) ?? []), row.id]);
    this.#touch(given);
    if (row.kind === 'payment') this.#bookInflow(row, given);
    if (row.kind.startsWith('payout-')) this.#askBank(row.kind, String(given.data.payout).slice(4));
  }

  /** Decides on the model what the service decided. */
  #repeat(row: Row, given: Given, result: string): void {
    const model = this.#model;
    if (row.business_date > model.platform(row.platform_id).date) model.openDate(row.platform_id, row.business_date);
    if (row.business_date < model.platform(row.platform_id).date)
      this.#violate(`${row.id} is dated on ${row.business_date}, which was cut off`);
    model.now = Number(row.decided_ms);
    model.batch = Number(row.batch_no);
    const payout = row.kind.startsWith('payout-') ? model.payouts.get(String(given.data.payout).slice(4)) : undefined;
    if (payout?.state === 'created') payout.state = 'sent'; // which is dispatch's to do, not the engine's
    const expected = model.decide(given);
    if (expected !== result)
      this.#violate(`${row.kind} ${row.id} came out as ${result}; by the rules it is ${expected}: ${row.body}`);
  }

  #touch({ platform, data, id }: Given): void {
    const wires = [data.account, data.from, data.to, ...(data.lines ?? []).map((line) => line.account)];
    for (const wire of wires) if (typeof wire === 'string') this.#touched.add(wire.slice(4));
    const order = data.orderNo === undefined ? undefined : this.#model.orders.get(`${platform}/${data.orderNo}`);
    if (order !== undefined) this.#touched.add(order.account);
    const hold = this.#model.holds.get(data.hold?.slice(4) ?? id);
    if (hold !== undefined) this.#touched.add(hold.account);
    const payout = this.#model.payouts.get(data.payout?.slice(4) ?? id);
    if (payout !== undefined) this.#touched.add(payout.source);
    for (const own of Object.values(this.#model.platform(platform).own)) this.#touched.add(own);
  }

  #bookInflow(row: Row, { data, platform }: Given): void {
    const item: Inflow = {
      reference: data.reference as string,
      amount: BigInt(data.amount?.amount ?? 0),
      counterparty: data.payer?.name ?? '',
      text: 'collection',
    };
    // Where a close is late, the bank has money that came after midnight on its next day, and other such money not.
    const natural = naturalDate(Number(row.decided_ms) as Instant);
    const date =
      natural > row.business_date && data.amount?.amount !== undefined && data.amount.amount % 2 === 1
        ? natural
        : row.business_date;
    this.inflowDates.set(item.reference, date as BusinessDate);
    const booked = this.#bank.inflows(this.#custodyNoOf(platform), date as BusinessDate, [item]);
    if (typeof booked === 'string') this.#violate(`the core bank refused an inflow: ${booked}`);
  }

  /** A result in the books is one at the bank. */
  #askBank(kind: string, payout: string): void {
    const states = PAYING_CHANNELS.map((channel) => this.#bank.query(channel, payout).status);
    const paid = states.filter((state) => state === 'settled').length;
    const wanted = kind === 'payout-failed' ? 0 : 1;
    if (paid !== wanted) this.#violate(`${kind} for ${payout}, which the bank has paid ${paid} times`);
    if (kind === 'payout-failed' && states.includes('accepted'))
      this.#violate(`${kind} for ${payout}, which the bank may still pay`);
  }

  /** What is cheap enough to look at after every step. */
  async check(tx: Tx): Promise<void> {
    const look = async ([sentence, sql]: [string, string]) => {
      for (const row of await tx.rows<Record<string, unknown>>(sql)) this.#violate(`${sentence}: ${JSON.stringify(row)}`);
    };
    await Promise.all([...Object.entries(EACH_STEP).map(look), this.#compareTouched(tx)]);
  }

  async #compareTouched(tx: Tx): Promise<void> {
    const ids = [...this.#touched];
    this.#touched.clear();
    if (ids.length === 0) return;
    const rows = await tx.rows<{ id: string; balance: string; held: string }>(
      `SELECT id, balance, held FROM accounts WHERE id IN (${ids.join()})`,
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    for (const id of ids) {
      const model = this.#model.accounts.get(id);
      if (model === undefined) continue; // of another's, or of nobody: refused
      const row = found.get(id);
      const same = row !== undefined && BigInt(row.balance) === model.balance && BigInt(row.held) === model.held;
      if (!same)
        this.#violate(`account ${id} has ${row?.balance}, held ${row?.held}; by the rules ${model.balance}, held ${model.held}`);
    }
  }
}

const EACH_STEP: Readonly<Record<string, string>> = {
  'all accounts of a book sum to zero':
    'SELECT platform_id, SUM(balance) AS total FROM accounts GROUP BY platform_id HAVING SUM(balance) <> 0',
  'no account is below its floor':
    "SELECT id, balance, held FROM accounts WHERE IF(type IN ('custody', 'channel-due'), balance > 0 OR held <> 0, held < 0 OR balance < held)",
  'custody is what crossed its wall': `SELECT a.platform_id, a.balance, b.total FROM accounts AS a
    JOIN (SELECT platform_id, SUM(amount) AS total FROM boundary GROUP BY platform_id) AS b ON b.platform_id = a.platform_id
    WHERE a.type = 'custody' AND a.balance + b.total <> 0`,
  'money in transit is the payouts under way': `SELECT a.platform_id, a.balance, p.total FROM accounts AS a
    LEFT JOIN (SELECT platform_id, SUM(amount) AS total FROM payouts WHERE state IN ('created', 'sent', 'unknown') GROUP BY platform_id) AS p
      ON p.platform_id = a.platform_id
    WHERE a.type = 'in-transit' AND a.balance <> COALESCE(p.total, 0)`,
  "an order's counters add up to its account": `SELECT o.order_no, a.balance, o.paid, o.split, o.returned, o.refunded FROM orders AS o
    JOIN accounts AS a ON a.id = o.account_id WHERE a.balance <> o.paid - o.split + o.returned - o.refunded`,
  'held is what is left of the holds': `SELECT a.id, a.held, h.total FROM accounts AS a
    LEFT JOIN (SELECT account_id, SUM(amount - captured - released) AS total FROM holds GROUP BY account_id) AS h ON h.account_id = a.id
    WHERE a.type = 'sub' AND a.held <> COALESCE(h.total, 0)`,
  'an instruction waits or is decided': `SELECT counted.* FROM (SELECT (SELECT COUNT(*) FROM instructions) AS given,
    (SELECT COUNT(*) FROM inbox) AS waiting, (SELECT COUNT(*) FROM outcomes) AS decided) AS counted WHERE given <> waiting + decided`,
  'a channel hears only of what was committed as sent': `SELECT p.id, p.state FROM payouts AS p LEFT JOIN dispatches AS d ON d.payout_id = p.id
    WHERE (p.state = 'created') <> (d.payout_id IS NULL)`,
};
