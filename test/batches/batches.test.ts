import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { batchesDue, commitBatch, listLines, previewBatch, receiveFile, rerunBatch, runBatch } from '../../src/batches/index.js';
import { countLines, findBatch } from '../../src/batches/store.js';
import { expireConsents } from '../../src/consents/index.js';
import { answerHandlers, createIntake, executeShard, type Intake } from '../../src/instructions/index.js';
import { asId, type Id, instantOf, Refused } from '../../src/kernel/index.js';
import { ensureShards, setAccountState } from '../../src/ledger/index.js';
import { violations } from '../support/invariants.js';
import { openCustomer, openElectronic } from '../support/world/electronic.js';
import { ruleFor, verdictOf } from '../support/world/reviews.js';
import { changeTerms, openBook, openSub, pictureOfBooks, startWorld, type TestBook, type World } from '../support/world/world.js';

const START = Date.parse('2026-03-02T09:00:00+08:00');

let first: World;
let at: World;
let book: TestBook;
let anna: Id;
let ben: Id;
let shard = 0;

beforeAll(async () => {
  first = await startWorld(START);
  await first.db.withTx('shards', (tx) => ensureShards(tx, 30));
});
afterAll(() => first?.close());

/** A shard and a book of its own, with 100.00 of anna's. */
async function open(): Promise<void> {
  at = first.onShard(shard, START);
  shard += 1;
  book = await openBook(at, '2026-03-02');
  [anna, ben] = [await openSub(at, book.platformId), await openSub(at, book.platformId)];
  await changeTerms(at, book.platformId, 1_000_000n, 1_000_000n);
  await at.intake.receive(
    [
      ['P0', 'payment', { orderNo: 'SO-0', amount: cny(10_000), payer: PAYER, reference: 'REF-0' }] as const,
      ['S0', 'split', { orderNo: 'SO-0', lines: [{ account: `acc_${anna}`, amount: cny(10_000) }] }] as const,
    ].map(([requestNo, kind, data]) => ({
      platformId: book.platformId,
      origin: 'P' as const,
      requestNo,
      kind,
      body: JSON.stringify(data),
      actor: 'test',
    })),
  );
  await executeShard(at.rt, at.shardId);
}

const cny = (amount: number) => ({ amount, currency: 'CNY' });
const PAYER = { name: '张三', account: '6222020000000000078', bankCode: '' };
const transfer = (line: number, amount: number, from = anna, to = ben) => ({
  line,
  kind: 'transfer',
  data: { from: `acc_${from}`, to: `acc_${to}`, amount: cny(amount) },
});
const pay = (line: number, orderNo: string, amount: number) => ({
  line,
  kind: 'payment',
  data: { orderNo, amount: cny(amount), payer: PAYER, reference: `REF-${orderNo}` },
});

interface Sent {
  readonly batchNo?: string;
  readonly mode?: 'partial' | 'atomic';
  readonly count?: number;
  readonly total?: ReturnType<typeof cny>;
}

const textOf = (lines: readonly unknown[], { batchNo = 'B-1', mode = 'partial', ...others }: Sent = {}) =>
  JSON.stringify({ batchNo, mode, ...others, lines });

async function send(lines: readonly unknown[], header: Sent = {}) {
  const from = { platformId: book.platformId, actor: 'key_1' };
  return receiveFile(at.rt, from, { text: textOf(lines, header), mediaType: 'application/json' });
}

const parts = (intake: Intake = silent(at)) => ({ rt: at.rt, intake });
const silent = ({ rt }: World) =>
  createIntake({ ...rt, bells: { ring: async () => undefined, ringInTurn: async () => undefined } });

const commit = (id: Id) => commitBatch(at.rt, book.platformId, id);
const run = (id: Id) => runBatch(parts(), id);
const rerun = (id: Id, attempt: number) => rerunBatch(at.rt, book.platformId, id, attempt);

/** A word a line: its state as written, and the code. */
async function words(id: Id): Promise<string[]> {
  return at.db.read('lines', async (tx) => {
    const rows = await listLines(tx, { id, after: 0 }, 10_000);
    const outcomes = await tx.rows<{ id: string; state: string; code: string | null }>(
      `SELECT instruction_id AS id, state, code FROM outcomes WHERE instruction_id IN (${rows.map(({ instruction }) => instruction ?? 0).join()})`,
    );
    return rows.map(({ line, state, code, instruction }) => {
      const outcome = outcomes.find(({ id: of }) => of === instruction);
      return `${line} ${outcome?.code ?? outcome?.state ?? code ?? state}`;
    });
  });
}

async function stateOf(id: Id): Promise<string> {
  return (await at.db.read('batch', (tx) => findBatch(tx, id)))?.state ?? '';
}

async function balance(account: Id): Promise<number> {
  const [row] = await at.db.read('balance', (tx) =>
    tx.rows<{ balance: string }>('SELECT balance FROM accounts WHERE id = ?', [account]),
  );
  return Number(row?.balance);
}

async function topics(): Promise<string[]> {
  const rows = await at.db.read('topics', (tx) =>
    tx.rows<{ topic: string }>("SELECT topic FROM outbox WHERE shard_id = ? AND topic LIKE 'batch.%' ORDER BY seq", [at.shardId]),
  );
  return rows.map(({ topic }) => topic);
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof Refused ? error.refusal.code : String(error)),
  );
}

describe('a file', () => {
  beforeAll(open);

  it('is told every fault at once and refused whole; its number is used up', async () => {
    const { batch } = await send(
      [
        transfer(1, 5),
        transfer(1, 6),
        { line: 2, kind: 'gift', data: {} },
        { line: 3, kind: 'clearing', data: {} },
        { ...transfer(4, 5), extra: 1 },
        transfer(0, 5),
        { line: 6, kind: 'transfer', data: { from: 'acc_x' } },
      ],
      { count: 3 },
    );
    expect(batch.state).toBe('rejected');
    expect(batch.faults.map(({ place, line, code }) => [place, line, code])).toEqual([
      [2, 1, 'BATCH_LINE_REPEATED'],
      [3, 2, 'BATCH_KIND_UNKNOWN'],
      [4, 3, 'KIND_NOT_PERMITTED'],
      [5, 4, 'SHAPE_INVALID'],
      [6, null, 'SHAPE_INVALID'],
      [7, 6, 'SHAPE_INVALID'],
      [null, null, 'BATCH_COUNT_WRONG'],
    ]);
    expect(await codeOf(commit(batch.id))).toBe('BATCH_NOT_LEGAL');
    expect(await codeOf(previewBatch(at.rt, book.platformId, batch.id))).toBe('BATCH_NOT_LEGAL');
    expect(await codeOf(rerun(batch.id, 0))).toBe('BATCH_NOT_LEGAL');
    expect(await codeOf(send([transfer(1, 5)]))).toBe('BATCH_NO_REUSED');
    expect(await topics()).toEqual(['batch.rejected']);
  });

  it('must sum to what its header says', async () => {
    const split = {
      line: 2,
      kind: 'split',
      data: { orderNo: 'SO-1', lines: [3, 4].map((n) => ({ account: `acc_${n === 3 ? anna : ben}`, amount: cny(n) })) },
    };
    const lines = [transfer(1, 5), split, { line: 3, kind: 'release', data: { hold: `hld_${anna}` } }];
    expect((await send(lines, { batchNo: 'B-2', total: cny(12), count: 3 })).batch).toMatchObject({
      state: 'accepted',
      total: 12n,
    });
    const wrong = await send(lines, { batchNo: 'B-3', total: cny(13) });
    expect(wrong.batch).toMatchObject({ state: 'rejected', faults: [{ place: null, code: 'BATCH_SUM_WRONG' }] });
    expect((await send([], { batchNo: 'B-4' })).batch).toMatchObject({ state: 'rejected' });
  });

  it('is the same batch when it comes again, also twice at once, and whatever the order of its fields', async () => {
    const lines = [transfer(1, 5), transfer(2, 6)];
    const [one, two] = await Promise.all([send(lines, { batchNo: 'B-5' }), send(lines, { batchNo: 'B-5' })]);
    expect(one.batch.id).toBe(two.batch.id);
    expect([one.replay, two.replay].filter(Boolean)).toHaveLength(1);
    const turned = lines.map(({ line, kind, data }) => ({ data, kind, line }));
    expect((await send(turned, { batchNo: 'B-5' })).batch.id).toBe(one.batch.id);
    expect(await codeOf(send([lines[0]], { batchNo: 'B-5' }))).toBe('BATCH_NO_REUSED');
    expect(await codeOf(send(lines, { batchNo: 'B-5', mode: 'atomic' }))).toBe('BATCH_NO_REUSED');
  });

  it('may be NDJSON, of which a line that is no JSON is a fault like any other', async () => {
    const from = { platformId: book.platformId, actor: 'key_1' };
    const ndjson = (batchNo: string, ...lines: string[]) =>
      receiveFile(at.rt, from, {
        text: `${[JSON.stringify({ batchNo, mode: 'partial' }), ...lines].join('\n')}\n`,
        mediaType: 'application/x-ndjson',
      });
    expect((await ndjson('B-6', JSON.stringify(transfer(1, 5)))).batch).toMatchObject({ state: 'accepted', lineCount: 1 });
    const bad = await ndjson('B-7', '{"line": 1', JSON.stringify(transfer(2, 5)), '{"line": 3.5}');
    expect(bad.batch.faults.map(({ place, code }) => [place, code])).toEqual([
      [1, 'BODY_MALFORMED'],
      [3, 'BODY_MALFORMED'],
    ]);
    expect(await codeOf(ndjson('B 8'))).toBe('SHAPE_INVALID');
  });

  it('has a largest size, and a smaller one where it is all or nothing', async () => {
    const many = (count: number) => Array.from({ length: count }, (_, n) => ({ line: n + 1 }));
    expect(await codeOf(send(many(10_001), { batchNo: 'B-9' }))).toBe('BATCH_FILE_TOO_LARGE');
    expect(await codeOf(send(many(2_001), { batchNo: 'B-9', mode: 'atomic' }))).toBe('BATCH_FILE_TOO_LARGE');
    expect((await send(many(2_001), { batchNo: 'B-9' })).batch.faults).toHaveLength(100);
  });
});

describe('a batch line by line', () => {
  beforeAll(open);

  it('does what its preview said, once, however often it is started', async () => {
    const { batch } = await send([pay(3, 'SO-9', 5), transfer(1, 9_000), transfer(2, 2_000), transfer(4, 1_000, ben, anna)]);
    const before = await pictureOfBooks(at.db, [book.platformId]);
    const preview = await previewBatch(at.rt, book.platformId, batch.id);
    expect(await pictureOfBooks(at.db, [book.platformId])).toEqual(before);
    expect(preview.map(({ line, state, code }) => `${line} ${code ?? state}`)).toEqual([
      '1 posted',
      '2 FUNDS_INSUFFICIENT',
      '3 posted',
      '4 posted',
    ]);
    expect(await run(batch.id)).toBe(0); // not started
    expect(await codeOf(rerun(batch.id, 1))).toBe('BATCH_NOT_COMMITTED');
    await Promise.all([commit(batch.id), commit(batch.id)]);
    expect(await at.db.read('due', (tx) => batchesDue(tx, at.clock.now(), 10))).toEqual([batch.id]);
    await Promise.all([run(batch.id), run(batch.id)]);
    await run(batch.id);
    expect(await words(batch.id)).toEqual(preview.map(({ line, state, code }) => `${line} ${code ?? state}`));
    expect(await stateOf(batch.id)).toBe('finished');
    expect(await topics()).toEqual(['batch.accepted', 'batch.finished']);
    expect(await balance(anna)).toBe(2_000);
    expect(await at.db.read('due', (tx) => batchesDue(tx, at.clock.now(), 10))).toEqual([]);
    await commit(batch.id);
    await run(batch.id);
    expect(await balance(anna)).toBe(2_000);
  });

  it('runs again only what was refused, once an attempt', async () => {
    const id = (
      await at.db.read('batch', (tx) =>
        tx.rows<{ id: string }>('SELECT id FROM batch_files WHERE platform_id = ?', [book.platformId]),
      )
    )[0]?.id;
    const batch = asId(id ?? '');
    const preview = await previewBatch(at.rt, book.platformId, batch);
    expect(preview.map(({ line, state }) => [line, state])).toEqual([[2, 'posted']]);
    expect(await codeOf(rerun(batch, 7))).toBe('BATCH_ATTEMPT_WRONG');
    await Promise.all([rerun(batch, 1), rerun(batch, 1)]);
    expect(await codeOf(previewBatch(at.rt, book.platformId, batch))).toBe('BATCH_RUNNING');
    expect(await codeOf(rerun(batch, 2))).toBe('BATCH_RUNNING');
    await Promise.all([run(batch), run(batch)]);
    await rerun(batch, 1); // an answer that was lost
    await run(batch);
    expect(await words(batch)).toEqual(['1 posted', '2 posted', '3 posted', '4 posted']);
    expect(await balance(anna)).toBe(0);
    expect(await codeOf(rerun(batch, 2))).toBe('BATCH_NOTHING_REFUSED');
    expect(await stateOf(batch)).toBe('finished');
    expect(await topics()).toEqual(['batch.accepted', 'batch.finished', 'batch.finished']);
    expect(await violations(at.db, [book.platformId])).toEqual([]);
  });

  it('goes on after a crash at any place, and gives no line twice', async () => {
    await open();
    const { batch } = await send(Array.from({ length: 1_201 }, (_, n) => transfer(n + 1, 1)));
    await commit(batch.id);
    // The worker dies after each of its statements in turn: whatever it wrote is there, nothing of what it was about to.
    for (let lives = 0; lives < 60 && (await stateOf(batch.id)) !== 'finished'; lives += 1) {
      const dying = dyingAfter(at, 1 + (lives % 7));
      const intake = silent({ ...at, rt: dying });
      await runBatch({ rt: dying, intake }, batch.id).catch((error: Error) => expect(error.message).toBe('killed'));
    }
    await run(batch.id);
    expect(await stateOf(batch.id)).toBe('finished');
    expect(await balance(ben)).toBe(1_201);
    const counts = await at.db.read('counts', (tx) => countLines(tx, [batch.id]));
    expect(counts.get(batch.id)).toEqual({ ready: 0, posted: 1_201, refused: 0, notExecuted: 0, waiting: 0 });
    const [given] = await at.db.read('given', (tx) =>
      tx.rows<{ n: string }>('SELECT COUNT(*) AS n FROM instructions WHERE platform_id = ? AND request_no LIKE ?', [
        book.platformId,
        'bat%',
      ]),
    );
    expect(Number(given?.n)).toBe(1_201);
  });

  it('waits with what waits for money, and is finished when that is', async () => {
    await open();
    await setState(anna, 'frozen');
    const refund = { line: 1, kind: 'refund', data: { orderNo: 'SO-0', amount: cny(4_000), recall: 'pro-rata' } };
    const { batch } = await send([refund, pay(2, 'SO-8', 7)]);
    expect((await previewBatch(at.rt, book.platformId, batch.id)).map(({ state }) => state)).toEqual([
      'awaiting-funds',
      'posted',
    ]);
    await commit(batch.id);
    await run(batch.id);
    expect(await stateOf(batch.id)).toBe('waiting');
    expect(await words(batch.id)).toEqual(['1 given', '2 posted']);
    expect(await codeOf(rerun(batch.id, 1))).toBe('BATCH_NOTHING_REFUSED');
    await setState(anna, 'open');
    await at.db.withTx('retry', (tx) =>
      tx.write(
        "INSERT INTO inbox (shard_id, instruction_id) SELECT shard_id, instruction_id FROM shortages WHERE state = 'waiting' AND platform_id = ?",
        [book.platformId],
      ),
    );
    await executeShard(at.rt, at.shardId);
    await run(batch.id);
    expect(await stateOf(batch.id)).toBe('finished');
    expect(await topics()).toEqual(['batch.accepted', 'batch.waiting', 'batch.finished']);
  });

  it('waits with what two people look at, holds its money once, and takes what they decide', async () => {
    await open();
    await ruleFor(at, book.platformId, ['transfer'], { by: 'amount', above: 5_000n });
    const lines = [transfer(1, 6_000), transfer(2, 3_000), transfer(3, 3_000)];
    const atomic = await send(lines, { mode: 'atomic' });
    const partial = await send(lines, { batchNo: 'B-2' });
    const seen = async (id: Id) => (await previewBatch(at.rt, book.platformId, id)).map(({ state, code }) => code ?? state);
    const none = ['BATCH_LINE_WAITS', 'not-executed', 'FUNDS_INSUFFICIENT']; // the money of a review is held
    expect(await seen(atomic.batch.id)).toEqual(none);
    expect(await seen(partial.batch.id)).toEqual(['in-review', 'posted', 'FUNDS_INSUFFICIENT']);
    await commit(atomic.batch.id);
    await run(atomic.batch.id);
    expect(await words(atomic.batch.id)).toEqual(none.map((word, place) => `${place + 1} ${word}`));
    expect(await seen(atomic.batch.id)).toEqual(none); // and nothing is held for what was undone
    await commit(partial.batch.id);
    await run(partial.batch.id);
    expect(await stateOf(partial.batch.id)).toBe('waiting');
    expect(await words(partial.batch.id)).toEqual(['1 given', '2 posted', '3 FUNDS_INSUFFICIENT']);
    const [line] = await at.db.read('lines', (tx) => listLines(tx, { id: partial.batch.id, after: 0 }, 1));
    for (const who of ['anne', 'bert'] as const) await verdictOf(at, line?.instruction as Id, who, 'approve');
    await executeShard(at.rt, at.shardId);
    await run(partial.batch.id);
    expect(await words(partial.batch.id)).toEqual(['1 posted', '2 posted', '3 FUNDS_INSUFFICIENT']);
    expect(await stateOf(partial.batch.id)).toBe('finished');
    expect(await violations(at.db, [book.platformId])).toEqual([]);
  });

  it('asks customers when it is started and not when it is tried, and waits for their answers', async () => {
    await open();
    const customer = await openCustomer(at, undefined);
    const purse = await openElectronic(at, { platform: book.platformId, customer, class: 2, faceToFace: true });
    const line = { line: 1, kind: 'withdrawal', data: { account: `acc_${purse}`, amount: cny(5) } };
    const atomic = await send([line, pay(2, 'SO-8', 7)], { mode: 'atomic' });
    const partial = await send([line, pay(2, 'SO-8', 7)], { batchNo: 'B-2' });
    const asked = async () =>
      (await at.db.read('asked', (tx) => tx.rows('SELECT id FROM consents WHERE platform_id = ?', [book.platformId]))).length;
    const seen = async (id: Id) => (await previewBatch(at.rt, book.platformId, id)).map(({ state, code }) => code ?? state);
    expect(await seen(atomic.batch.id)).toEqual(['BATCH_LINE_WAITS', 'not-executed']);
    expect(await seen(partial.batch.id)).toEqual(['awaiting-consent', 'posted']);
    await commit(atomic.batch.id);
    await run(atomic.batch.id);
    expect(await words(atomic.batch.id)).toEqual(['1 BATCH_LINE_WAITS', '2 not-executed']);
    expect(await asked()).toBe(0);
    await commit(partial.batch.id);
    await run(partial.batch.id);
    expect(await asked()).toBe(1);
    expect([await stateOf(partial.batch.id), ...(await words(partial.batch.id))]).toEqual(['waiting', '1 given', '2 posted']);
    // He says nothing until it is too late: the line is refused then, and may be run again.
    at.clock.advance(instantOf(at.clock.now() + 24 * 3_600_000));
    await expireConsents(at.rt, answerHandlers(at.rt));
    await executeShard(at.rt, at.shardId);
    await run(partial.batch.id);
    expect(await words(partial.batch.id)).toEqual(['1 CONSENT_EXPIRED', '2 posted']);
    await rerun(partial.batch.id, 1);
    await run(partial.batch.id);
    expect([await stateOf(partial.batch.id), await asked()]).toEqual(['waiting', 2]);
  });

  it('gives nothing while its platform is suspended', async () => {
    await open();
    const { batch } = await send([transfer(1, 5)]);
    await commit(batch.id);
    await at.db.withTx('platform', (tx) =>
      tx.write("INSERT INTO platforms (id, name, state, created_ms) VALUES (?, 'P', 'suspended', 0)", [book.platformId]),
    );
    await run(batch.id);
    expect(await words(batch.id)).toEqual(['1 ready']);
    await at.db.withTx('platform', (tx) => tx.write("UPDATE platforms SET state = 'active' WHERE id = ?", [book.platformId]));
    await run(batch.id);
    expect(await words(batch.id)).toEqual(['1 posted']);
  });
});

async function setState(account: Id, state: 'open' | 'frozen'): Promise<void> {
  await at.db.withTx('state', (tx) => setAccountState(tx, account, state));
}

/** A runtime whose process ends after so many transactions. */
function dyingAfter({ rt }: World, transactions: number): World['rt'] {
  let left = transactions;
  return {
    ...rt,
    db: {
      ...rt.db,
      withTx: async (label, work, committed) => {
        if (left === 0) throw new Error('killed');
        left -= 1;
        return rt.db.withTx(label, work, committed);
      },
    },
  };
}

describe('a batch that is all or nothing', () => {
  beforeAll(open);

  it('is undone whole where one line is refused, and each says why; then it is run again', async () => {
    const { batch } = await send([transfer(1, 9_000), transfer(2, 2_000), pay(3, 'SO-7', 5), transfer(4, 1)], { mode: 'atomic' });
    const expected = ['1 not-executed', '2 FUNDS_INSUFFICIENT', '3 not-executed', '4 not-executed'];
    const before = await pictureOfBooks(at.db, [book.platformId]);
    const preview = await previewBatch(at.rt, book.platformId, batch.id);
    expect(preview.map(({ line, state, code }) => `${line} ${code ?? state}`)).toEqual(expected);
    await commit(batch.id);
    await run(batch.id);
    expect(await words(batch.id)).toEqual(expected);
    expect(await pictureOfBooks(at.db, [book.platformId])).toEqual(before);
    expect(await stateOf(batch.id)).toBe('finished');
    await at.intake.receive([
      {
        platformId: book.platformId,
        origin: 'P',
        requestNo: 'P9',
        kind: 'payment',
        body: JSON.stringify({ orderNo: 'SO-1', amount: cny(5_000), payer: PAYER, reference: 'REF-1' }),
        actor: 'test',
      },
      {
        platformId: book.platformId,
        origin: 'P',
        requestNo: 'S9',
        kind: 'split',
        body: JSON.stringify({ orderNo: 'SO-1', lines: [{ account: `acc_${anna}`, amount: cny(5_000) }] }),
        actor: 'test',
      },
    ]); // not decided yet: it came before the batch is run again
    await rerun(batch.id, 1);
    await Promise.all([run(batch.id), run(batch.id)]);
    expect(await words(batch.id)).toEqual(['1 posted', '2 posted', '3 posted', '4 posted']);
    expect(await balance(ben)).toBe(11_001);
    expect(await topics()).toEqual(['batch.accepted', 'batch.finished', 'batch.finished']);
    expect(await violations(at.db, [book.platformId])).toEqual([]);
    expect(await codeOf(rerun(batch.id, 2))).toBe('BATCH_NOTHING_REFUSED');
  });

  it('refuses a line that would have to wait', async () => {
    await open();
    await setState(anna, 'frozen');
    const refund = { line: 1, kind: 'refund', data: { orderNo: 'SO-0', amount: cny(4_000), recall: 'pro-rata' } };
    const { batch } = await send([refund, pay(2, 'SO-8', 7)], { mode: 'atomic' });
    expect((await previewBatch(at.rt, book.platformId, batch.id)).map(({ state, code }) => code ?? state)).toEqual([
      'BATCH_LINE_WAITS',
      'not-executed',
    ]);
    await commit(batch.id);
    await run(batch.id);
    expect(await words(batch.id)).toEqual(['1 BATCH_LINE_WAITS', '2 not-executed']);
    const [waiting] = await at.db.read('shortages', (tx) =>
      tx.rows<{ n: string }>('SELECT COUNT(*) AS n FROM shortages WHERE platform_id = ?', [book.platformId]),
    );
    expect(Number(waiting?.n)).toBe(0);
  });

  it('sees what its own lines wrote, where one has to', async () => {
    await open();
    const split = { line: 2, kind: 'split', data: { orderNo: 'SO-6', lines: [{ account: `acc_${ben}`, amount: cny(60) }] } };
    const refund = { line: 3, kind: 'refund', data: { orderNo: 'SO-6', amount: cny(60), recall: 'pro-rata' } };
    const { batch } = await send([pay(1, 'SO-6', 60), split, refund], { mode: 'atomic' });
    await commit(batch.id);
    await run(batch.id);
    expect(await words(batch.id)).toEqual(['1 posted', '2 posted', '3 posted']);
    expect(await violations(at.db, [book.platformId])).toEqual([]);
  });

  it('is all there or not at all after a crash at any place, and a connection that is cut', async () => {
    await open();
    const { batch } = await send(
      Array.from({ length: 300 }, (_, n) => transfer(n + 1, 1)),
      { mode: 'atomic' },
    );
    await commit(batch.id);
    for (let lives = 0; lives < 6; lives += 1) {
      const dying = cutAfter(at, lives * 3);
      await runBatch({ rt: dying, intake: silent({ ...at, rt: dying }) }, batch.id).catch((error: Error) =>
        expect(error.message).toBe('killed'),
      );
      const done = await stateOf(batch.id);
      expect([done, await balance(ben)]).toEqual([done, done === 'finished' ? 300 : 0]);
    }
    await run(batch.id);
    expect([await stateOf(batch.id), await balance(ben)]).toEqual(['finished', 300]);
  });
});

/** A runtime whose process ends in the middle of a transaction, after so many writing statements. */
function cutAfter({ rt }: World, statements: number): World['rt'] {
  let left = statements;
  const spend = () => {
    if (left === 0) throw new Error('killed');
    left -= 1;
  };
  return {
    ...rt,
    db: {
      ...rt.db,
      withTx: (label, work, committed) =>
        rt.db.withTx(
          label,
          (tx) =>
            work({
              ...tx,
              write: async (text, values) => {
                spend();
                return tx.write(text, values);
              },
              writeInTurn: async (given) => {
                for (const build of given) {
                  const text = build();
                  if (text === undefined) continue;
                  spend();
                  await tx.write(text);
                }
              },
            }),
          committed,
        ),
    },
  };
}
