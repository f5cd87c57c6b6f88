import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  createIntake,
  executeBatch,
  kinds,
  type OutboxEvent,
  relayOutbox,
  type Submission,
} from '../../src/instructions/index.js';
import { canonicalJson, type Id } from '../../src/kernel/index.js';
import { ensureShards } from '../../src/ledger/index.js';
import { violations } from '../support/invariants.js';
import {
  changeTerms,
  execute,
  openBook,
  openSub,
  pictureOfBooks,
  startWorld,
  type TestBook,
  type World,
} from '../support/world/world.js';

const START = Date.parse('2026-03-02T09:00:00+08:00');

let first: World;
let world: World;
let book: TestBook;
let anna: Id;
let ben: Id;
let shard = 0;

beforeAll(async () => {
  first = await startWorld(START);
  await first.db.withTx('shards', (tx) => ensureShards(tx, 20));
});
afterAll(() => first?.close());

// A shard and a book of its own for every test.
beforeEach(async () => {
  world = first.onShard(shard, START);
  shard += 1;
  book = await openBook(world, '2026-03-02');
  [anna, ben] = [await openSub(world, book.platformId), await openSub(world, book.platformId)];
  await changeTerms(world, book.platformId, 1_000_000n, 1_000_000n);
});
afterEach(async () => {
  expect(await violations(world.db, [book.platformId])).toEqual([]);
});

const cny = (amount: number) => ({ amount, currency: 'CNY' });

function asked(requestNo: string, kind: string, data: unknown): Submission {
  return { platformId: book.platformId, origin: 'P', requestNo, kind, body: canonicalJson(data), actor: 'test' };
}

function payment(requestNo: string, amount = 100, orderNo = 'SO-1'): Submission {
  const payer = { name: '张三', account: '6222020000000000078', bankCode: '' };
  return asked(requestNo, 'payment', { orderNo, amount: cny(amount), payer, reference: requestNo });
}

function splitTo(requestNo: string, account: Id, amount: number, orderNo = 'SO-1'): Submission {
  return asked(requestNo, 'split', { orderNo, lines: [{ account: `acc_${account}`, amount: cny(amount) }] });
}

const transfer = (requestNo: string, amount: number) =>
  asked(requestNo, 'transfer', { from: `acc_${anna}`, to: `acc_${ben}`, amount: cny(amount) });

async function balanceOf(account: Id): Promise<bigint> {
  const [row] = await world.db.read('balance', (tx) =>
    tx.rows<{ balance: string }>('SELECT balance FROM accounts WHERE id = ?', [account]),
  );
  return BigInt(row?.balance ?? '-1');
}

describe('two engines at work on one shard', () => {
  it('decide every instruction once, and leave the books as one would', async () => {
    const submissions = [
      payment('P', 100_000),
      splitTo('S', anna, 50_000),
      ...Array.from({ length: 400 }, (_, n) => transfer(`T${n}`, 1 + (n % 7))),
    ];
    const receipts = await world.intake.receive(submissions);
    const drain = async (rt: ReturnType<World['another']>) => {
      const decided: Id[] = [];
      for (;;) {
        const { outcomes } = await executeBatch(rt, kinds, world.shardId, 23);
        decided.push(...outcomes.map(({ instruction }) => instruction));
        if (outcomes.length === 0) return decided;
      }
    };
    const [one, other] = await Promise.all([drain(world.another()), drain(world.another())]);
    const ids = receipts.map((receipt) => ('id' in receipt ? receipt.id : 'refused'));
    expect([...one, ...other].sort()).toEqual([...ids].sort());
    expect(await balanceOf(ben)).toBe(
      Array.from({ length: 400 }, (_, n) => BigInt(1 + (n % 7))).reduce((sum, part) => sum + part, 0n),
    );
  });

  it('go on while more is received', async () => {
    await world.intake.receive([payment('P', 100_000), splitTo('S', anna, 50_000)]);
    const [one, two] = [world.another(), world.another()];
    let receiving = true;
    const receive = async () => {
      for (let n = 0; n < 40; n += 1) await world.intake.receive(Array.from({ length: 5 }, (_, m) => transfer(`T${n}-${m}`, 1)));
      receiving = false;
    };
    const drain = async (rt: typeof one) => {
      let count = 0;
      for (;;) {
        const over = !receiving;
        const { outcomes } = await executeBatch(rt, kinds, world.shardId, 17);
        count += outcomes.length;
        if (over && outcomes.length === 0) return count;
      }
    };
    const [, a, b] = await Promise.all([receive(), drain(one), drain(two)]);
    expect(a + b).toBe(202);
    expect(await balanceOf(ben)).toBe(200n);
  });
});

describe('two intakes that race with the same request numbers', () => {
  it('give the same instruction for the same body', async () => {
    const [a, b] = [createIntake(world.another()), createIntake(world.another())];
    const submissions = Array.from({ length: 60 }, (_, n) => payment(`P${n}`, 100 + n, `SO-${n}`));
    const [of, other] = await Promise.all([a.receive(submissions), b.receive([...submissions].reverse())]);
    const ids = of.map((receipt) => ('id' in receipt ? receipt.id : 'refused'));
    expect([...other].reverse().map((receipt) => ('id' in receipt ? receipt.id : 'refused'))).toEqual(ids);
    expect(new Set(ids).size).toBe(60);
    // Of the two, one is the first and the other its replay.
    of.forEach((receipt, place) => {
      const twin = other[59 - place] as typeof receipt;
      expect('id' in receipt && 'id' in twin && receipt.replay !== twin.replay).toBe(true);
    });
    const results = await execute(world, ids as Id[]);
    expect([...results.values()].filter((result) => result === 'posted')).toHaveLength(60);
  });

  it('refuse the second body', async () => {
    const [a, b] = [createIntake(world.another()), createIntake(world.another())];
    const bodies = (amount: number) => Array.from({ length: 40 }, (_, n) => payment(`P${n}`, amount, `SO-${n}`));
    const [of, other] = await Promise.all([a.receive(bodies(100)), b.receive(bodies(101))]);
    of.forEach((receipt, place) => {
      const codes = [receipt, other[place]].map((one) => (one === undefined ? '' : 'id' in one ? 'received' : one.refused.code));
      expect(codes.sort()).toEqual(['REQUEST_NO_REUSED', 'received']);
    });
    const [row] = await world.db.read('count', (tx) =>
      tx.rows<{ n: string }>('SELECT COUNT(*) AS n FROM instructions WHERE platform_id = ?', [book.platformId]),
    );
    expect(Number(row?.n)).toBe(40);
    await execute(world, []);
  });

  it('and one intake sees the same number twice in one group', async () => {
    const [one, same, another] = await world.intake.receive([payment('P'), payment('P'), payment('P', 101)]);
    expect(one).toMatchObject({ replay: false });
    expect(same).toEqual({ id: (one as { id: Id }).id, replay: true });
    expect(another).toMatchObject({ refused: { code: 'REQUEST_NO_REUSED' } });
    await execute(world, []);
  });
});

describe('a batch that cannot be finished', () => {
  async function tables() {
    const books = await pictureOfBooks(world.db, [book.platformId]);
    const counts = await world.db.read('counts', (tx) =>
      tx.rows(
        `SELECT (SELECT COUNT(*) FROM entries) AS entries, (SELECT COUNT(*) FROM outcomes) AS outcomes, (SELECT COUNT(*) FROM outbox) AS outbox,
           (SELECT COUNT(*) FROM boundary) AS boundary, (SELECT COUNT(*) FROM inbox WHERE shard_id = ?) AS inbox,
           (SELECT batch_no FROM shards WHERE id = ?) AS batch`,
        [world.shardId, world.shardId],
      ),
    );
    return { books, counts };
  }

  it('for a fault in one decision leaves nothing of the others, and is decided whole when the fault is gone', async () => {
    const receipts = await world.intake.receive([
      payment('P', 500),
      splitTo('S', anna, 300),
      transfer('T', 50),
      splitTo('S2', ben, 100),
    ]);
    const before = await tables();
    const broken = new Map(kinds);
    const { transfer: _, ...decide } = { transfer: kinds.get('transfer') };
    broken.set('transfer', {
      ...(kinds.get('transfer') as NonNullable<typeof _>),
      ...decide,
      decide: () => {
        throw new Error('a bug of this kind');
      },
    });
    await expect(executeBatch(world.rt, broken, world.shardId)).rejects.toThrow('a bug of this kind');
    expect(await tables()).toEqual(before);
    const ids = receipts.flatMap((receipt) => ('id' in receipt ? [receipt.id] : []));
    expect([...(await execute(world, ids)).values()]).toEqual(['posted', 'posted', 'posted', 'posted']);
  });

  it('for a fault in its last statement leaves nothing of those before', async () => {
    await world.intake.receive([payment('P', 500), splitTo('S', anna, 300)]);
    const before = await tables();
    const [row] = await world.db.read('batch', (tx) =>
      tx.rows<{ batch_no: string }>('SELECT batch_no FROM shards WHERE id = ?', [world.shardId]),
    );
    const seq = String((BigInt(row?.batch_no ?? '0') + 1n) * 1_000_000n);
    const place = [world.shardId, seq];
    await world.db.withTx('in the way', (tx) => tx.write("INSERT INTO outbox VALUES (?, ?, 'in.the.way', 1, 1)", place));
    await expect(executeBatch(world.rt, kinds, world.shardId)).rejects.toThrow(/Duplicate/);
    await world.db.withTx('out of the way', (tx) => tx.write('DELETE FROM outbox WHERE shard_id = ? AND seq = ?', place));
    expect(await tables()).toEqual(before);
    expect((await executeBatch(world.rt, kinds, world.shardId)).outcomes.map(({ state }) => state)).toEqual(['posted', 'posted']);
  });

  it('whose connection is cut is done once all the same', async () => {
    await world.intake.receive([payment('P', 500), ...Array.from({ length: 300 }, (_, n) => splitTo(`S${n}`, anna, 1))]);
    // Somebody holds the shard; the engine waits for it, and its connection is cut meanwhile.
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let locked: () => void = () => undefined;
    const isLocked = new Promise<void>((resolve) => {
      locked = resolve;
    });
    const holder = world.db.withTx('holder', async (tx) => {
      await tx.write('UPDATE shards SET batch_no = batch_no + 1 WHERE id = ?', [world.shardId]);
      locked();
      await held;
    });
    await isLocked;
    const running = executeBatch(world.rt, kinds, world.shardId);
    await world.db.read('cut', async (tx) => {
      for (;;) {
        const [waiting] = await tx.rows<{ id: string }>(
          "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND info LIKE 'UPDATE shards SET batch_no%' AND id <> CONNECTION_ID()",
        );
        if (waiting === undefined) continue;
        await tx.write(`KILL CONNECTION ${waiting.id}`);
        return;
      }
    });
    letGo();
    await holder;
    expect((await running).outcomes).toHaveLength(301);
    expect(await balanceOf(anna)).toBe(300n);
  });
});

describe("a shard's time", () => {
  it('never goes back, though the clock of a process does', async () => {
    await world.intake.receive([payment('P1')]);
    await executeBatch(world.rt, kinds, world.shardId);
    const behind = world.onShard(world.shardId, START - 60_000);
    await behind.intake.receive([payment('P2')]);
    const { outcomes } = await executeBatch(behind.rt, kinds, world.shardId);
    expect(outcomes.map(({ decidedMs }) => decidedMs)).toEqual([START]);
  });
});

describe('the relay of events', () => {
  it('hands each over in order, again after a crash, and never one that was done', async () => {
    await world.intake.receive([payment('P', 500), splitTo('S', anna, 300), splitTo('S2', anna, 300)]);
    await executeBatch(world.rt, kinds, world.shardId);
    const crash = () => Promise.reject(new Error('crash'));
    await expect(relayOutbox(world.rt, 'test', world.shardId, crash)).rejects.toThrow('crash');
    const heard: OutboxEvent[] = [];
    const hear = async (events: readonly OutboxEvent[]) => void heard.push(...events);
    expect(await relayOutbox(world.rt, 'test', world.shardId, hear)).toBe(3);
    expect(await relayOutbox(world.rt, 'test', world.shardId, hear)).toBe(0);
    expect(heard.map(({ topic }) => topic)).toEqual(['instruction.posted', 'instruction.posted', 'instruction.refused']);
    expect(await relayOutbox(world.rt, 'other', world.shardId, hear)).toBe(3);
    await execute(world, []);
  });
});
