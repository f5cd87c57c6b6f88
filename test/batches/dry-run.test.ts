import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decideTogether, executeShard, type Submission, tryOut, type Verdict } from '../../src/instructions/index.js';
import { asId, canonicalJson, type Id } from '../../src/kernel/index.js';
import { ensureShards, lockShard } from '../../src/ledger/index.js';
import type { Database } from '../../src/runtime/index.js';
import { Chance } from '../support/world/chance.js';
import { RandomBank } from '../support/world/random.js';
import {
  type Asked,
  openBook,
  openSub,
  outcomesOf,
  receive,
  startWorld,
  type TestBook,
  type World,
} from '../support/world/world.js';

const START = Date.parse('2026-03-02T09:00:00+08:00');

let world: World;
beforeAll(async () => {
  world = await startWorld(START);
  await world.db.withTx('shards', (tx) => ensureShards(tx, 10));
});
afterAll(() => world?.close());

function submissionOf({ platform, origin, requestNo, kind, data }: Asked): Submission {
  return { platformId: asId(platform), origin, requestNo, kind, body: canonicalJson(data), actor: 'test' };
}

/** How many rows each table has, and the turns of the shards: what any writing would change. */
async function rowsOf(db: Database): Promise<Record<string, string>> {
  return db.read('rows', async (tx) => {
    const tables = await tx.rows<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'",
    );
    const counts: Record<string, string> = {};
    for (const { name } of tables) counts[name] = (await tx.rows<{ n: string }>(`SELECT COUNT(*) AS n FROM ${name}`))[0]?.n ?? '';
    for (const { id, batch_no } of await tx.rows<{ id: number; batch_no: string }>('SELECT id, batch_no FROM shards'))
      counts[`shard ${id}`] = batch_no;
    return counts;
  });
}

async function balancesOf(db: Database, platforms: readonly Id[]): Promise<Map<string, bigint>> {
  const rows = await db.read('balances', (tx) =>
    tx.rows<{ id: string; balance: string }>(`SELECT id, balance FROM accounts WHERE platform_id IN (${platforms.join()})`),
  );
  return new Map(rows.map((row) => [row.id, BigInt(row.balance)]));
}

/** Tries everything before it is given, and holds the verdicts against what comes. */
class TryingBank extends RandomBank {
  readonly #at: World;
  readonly seen = new Map<string, number>();
  compared = 0;
  together = 0;
  kept = 0;

  constructor(at: World, chance: Chance) {
    super(at, chance);
    this.#at = at;
  }

  override async giveAll(asked: readonly Asked[]) {
    const all = asked.map((one) => ({ ...one, answer: 'unasked' as const }));
    const platform = all[0]?.platform;
    const some = this.#at.clock.now() % 2 === this.together % 2 ? 3 : 1;
    const together = all.filter((one) => one.platform === platform && one.origin === 'P').slice(0, some);
    const unasked = all.filter((one) => !together.includes(one));
    const before = await this.giveTogether(together);
    return [...before, ...(await this.giveEach(unasked))];
  }

  /** All of them, or none, as the dry run says. */
  async giveTogether(asked: readonly Asked[]) {
    if (asked.length === 0) return [];
    const submissions = asked.map(submissionOf);
    const tried = await tryOut(this.#at.rt, submissions);
    const keep = async () => undefined;
    const { kept, verdicts } = await decideTogether(this.#at.rt, submissions, keep, async () => false);
    expect(verdicts.map(({ state, code }) => code ?? state)).toEqual(tried.map(({ state, code }) => code ?? state));
    expect(kept).toBe(tried.every(({ state }) => state === 'posted'));
    this.together += 1;
    this.kept += kept ? 1 : 0;
    if (kept) {
      const batch = this.model.begin();
      for (const [place, one] of asked.entries()) {
        const { instruction, replay } = verdicts[place] as Verdict;
        if (!replay) expect(this.model.decide({ ...one, id: instruction as string })).toBe('posted');
      }
      batch.end();
    }
    await executeShard(this.#at.rt, this.#at.shardId);
    await this.check(); // what was not kept has left nothing
    return verdicts.map(({ state, code }) => ({ id: '', replay: false, result: code ?? state }));
  }

  async giveEach(unasked: readonly Asked[]) {
    if (unasked.length === 0) return [];
    const before = await rowsOf(this.#at.db);
    const balances = await balancesOf(this.#at.db, this.platformIds);
    const verdicts = new Map<Asked, Verdict>();
    for (const platform of new Set(unasked.map((one) => one.platform))) {
      const of = unasked.filter((one) => one.platform === platform);
      const tried = await tryOut(this.#at.rt, of.map(submissionOf));
      for (const [place, one] of of.entries()) verdicts.set(one, tried[place] as Verdict);
    }
    expect(await rowsOf(this.#at.db)).toEqual(before);
    const results = await super.giveAll(unasked);
    const expected = new Map<string, bigint>();
    for (const [place, one] of unasked.entries()) {
      const verdict = verdicts.get(one) as Verdict;
      const word = WORDS[verdict.state] ?? verdict.code;
      expect([one.kind, one.data, word]).toEqual([one.kind, one.data, results[place]?.result]);
      this.seen.set(word ?? '', (this.seen.get(word ?? '') ?? 0) + 1);
      for (const { account, amount } of verdict.movements)
        if (account !== null) expected.set(account, (expected.get(account) ?? 0n) + amount);
    }
    // A credit may have had refunds tried again that waited: they are nobody's here.
    if (Number(before.shortages) > 0 || verdicts.size !== unasked.length) return results;
    const after = await balancesOf(this.#at.db, this.platformIds);
    this.compared += 1;
    for (const [account, balance] of balances)
      expect([account, (after.get(account) ?? 0n) - balance]).toEqual([account, expected.get(account) ?? 0n]);
    return results;
  }
}

const WORDS: Readonly<Record<string, string>> = {
  posted: 'posted',
  'awaiting-funds': 'undecided',
  'in-review': 'undecided',
  received: 'undecided',
};

describe('a dry run of random instructions', () => {
  it.each([11, 12])(
    'says what giving them says, moves what they move, and writes nothing: seed %i',
    async (seed) => {
      const bank = new TryingBank(world.onShard(seed - 10, 0), new Chance(seed));
      await bank.open();
      for (let batch = 0; batch < 12; batch += 1) await bank.step();
      expect(bank.seen.get('posted')).toBeGreaterThan(30);
      expect(bank.seen.size).toBeGreaterThan(8);
      expect(bank.compared).toBeGreaterThan(3);
      expect(bank.kept).toBeGreaterThan(3);
      expect(bank.together - bank.kept).toBeGreaterThan(3);
    },
    240_000,
  );
});

describe('a dry run', () => {
  let at: World;
  let book: TestBook;
  let anna: Id;
  beforeAll(async () => {
    at = world.onShard(5, START);
    book = await openBook(at, '2026-03-02');
    anna = await openSub(at, book.platformId);
  });
  const cny = (amount: number) => ({ amount, currency: 'CNY' as const });
  const ask = (requestNo: string, kind: string, data: object): Asked => ({
    platform: book.platformId,
    origin: 'P',
    requestNo,
    kind,
    data: data as Asked['data'],
  });
  const pay = (requestNo: string, orderNo: string, amount: number) =>
    ask(requestNo, 'payment', {
      orderNo,
      amount: cny(amount),
      payer: { name: '张三', account: '6222020000000000078', bankCode: '' },
      reference: `REF-${requestNo}`,
    });
  const splitTo = (requestNo: string, orderNo: string, parts: readonly [Id, number][]) =>
    ask(requestNo, 'split', {
      orderNo,
      lines: parts.map(([account, amount]) => ({ account: `acc_${account}`, amount: cny(amount) })),
    });

  it('says line by line what is there before and after, and what the fees take', async () => {
    const [paid, split] = await tryOut(at.rt, [
      submissionOf(pay('D1', 'SO-1', 10_000)),
      submissionOf(
        splitTo('D2', 'SO-1', [
          [anna, 9_000],
          [book.accounts.commission, 1_000],
        ]),
      ),
    ]);
    expect(paid).toMatchObject({ state: 'posted', instruction: null, replay: false });
    expect(paid?.movements.find(({ type }) => type === 'order')).toMatchObject({
      account: null, // it would be opened
      amount: 10_000n,
      before: { available: 0n },
      after: { available: 10_000n },
    });
    expect(split?.movements.map(({ type, amount }) => [type, amount])).toEqual([
      ['order', -10_000n],
      ['sub', 9_000n],
      ['commission', 1_000n],
    ]);
    expect(split?.detail).toMatchObject({ withdrawableFrom: '2026-03-03' });
  });

  it('sees what those before it would write also where only writing can tell, and undoes it', async () => {
    const asked = [
      pay('D3', 'SO-2', 10_000),
      splitTo('D4', 'SO-2', [
        [anna, 9_000],
        [book.accounts.commission, 1_000],
      ]),
      ask('D5', 'refund', { orderNo: 'SO-2', amount: cny(4_000), recall: 'pro-rata' }),
      ask('D6', 'refund', { orderNo: 'SO-2', amount: cny(7_000), recall: 'pro-rata' }),
      splitTo('D7', 'SO-2', [[anna, 1]]),
    ];
    const before = await rowsOf(at.db);
    const tried = await tryOut(at.rt, asked.map(submissionOf));
    expect(await rowsOf(at.db)).toEqual(before);
    expect(tried.map(({ state, code }) => code ?? state)).toEqual([
      'posted',
      'posted',
      'posted',
      'REFUND_EXCEEDS_ORDER',
      'SPLIT_EXCEEDS_ORDER',
    ]);
    expect(JSON.stringify(tried[2]?.detail)).toContain('"payout":null'); // its number would be another one
    const receipts = await receive(at, asked);
    await executeShard(at.rt, at.shardId);
    const ids = receipts.map((receipt) => ('id' in receipt ? receipt.id : asId('0')));
    const came = await outcomesOf(at, ids);
    expect(ids.map((id) => came.get(id))).toEqual(tried.map(({ state, code }) => code ?? state));
  });

  it('knows the numbers that were used, and the answers to them', async () => {
    const given = pay('D8', 'SO-3', 100);
    const [receipt] = await receive(at, [given]);
    await executeShard(at.rt, at.shardId);
    const id = receipt !== undefined && 'id' in receipt ? receipt.id : '';
    const tried = await tryOut(at.rt, [
      submissionOf(given),
      submissionOf(pay('D8', 'SO-3', 101)),
      submissionOf(pay('D9', 'SO-4', 5)),
      submissionOf(pay('D9', 'SO-4', 5)),
    ]);
    expect(tried).toMatchObject([
      { state: 'posted', replay: true, instruction: id, movements: [] },
      { state: 'refused', code: 'REQUEST_NO_REUSED', replay: false },
      { state: 'posted', replay: false, instruction: null },
      { state: 'posted', replay: true, instruction: null, movements: [] },
    ]);
  });

  it('waits for nobody: a turn of the shard that somebody else has does not hold it up', async () => {
    let locked: () => void = () => undefined;
    let release: () => void = () => undefined;
    const hasIt = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const tried = new Promise<void>((resolve) => {
      release = resolve;
    });
    const busy = at.db.withTx('busy', async (tx) => {
      await lockShard(tx, at.shardId, at.clock.now());
      locked();
      await tried;
    });
    await hasIt;
    const [verdict] = await tryOut(at.rt, [submissionOf(pay('D10', 'SO-5', 5))]);
    release();
    await busy;
    expect(verdict).toMatchObject({ state: 'posted' });
  });
});
