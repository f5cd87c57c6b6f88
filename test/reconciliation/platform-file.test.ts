import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { type BusinessDate, type Id, Refused, toWire } from '../../src/kernel/index.js';
import { keepPart, takePlatformFile } from '../../src/reconciliation/platform-day.js';
import { savePart } from '../../src/reconciliation/platform-store.js';
import { suggestionsFor } from '../../src/reconciliation/repair-rules.js';
import { factsOf } from '../../src/reconciliation/repairs.js';
import { runsOf } from '../../src/reconciliation/run-store.js';
import type { Break } from '../../src/reconciliation/store.js';
import { closeNext, fen, type Market, MONDAY, openMarket } from '../clearing/market.js';

const TUESDAY = '2026-03-03' as BusinessDate;
type Line = readonly [requestNo: string, kind: string, amount: string, state?: string, remark?: string];

interface Changes {
  readonly platform?: string;
  readonly date?: string;
  readonly count?: string;
  readonly sum?: string;
  readonly trailerSum?: string;
  readonly digest?: string;
  readonly encoding?: 'utf-8' | 'gbk';
}

describe("a platform's own record of its day", () => {
  let market: Market;
  let platform: string;
  beforeEach(async () => {
    market = await openMarket();
    platform = toWire('platform', market.platformId);
  });
  afterEach(() => market.end());

  const sumOf = (lines: readonly Line[]) => {
    const total = lines.reduce((sum, [, , amount]) => sum + BigInt(amount.replace('.', '')), 0n);
    return `${total / 100n}.${String(total % 100n).padStart(2, '0')}`;
  };
  function fileOf(lines: readonly Line[], of: Changes = {}): Buffer {
    const { count = String(lines.length), sum = sumOf(lines), encoding = 'utf-8' } = of;
    const rows = lines.map(([no, kind, amount, state = 'posted', remark = ''], at) =>
      ['D', at + 1, no, kind, amount, state, remark].join('|'),
    );
    const head = ['H', '1', of.platform ?? platform, of.date ?? MONDAY, count, sum].join('|');
    const body = iconv.encode(`${[head, ...rows].join('\n')}\n`, encoding);
    const digest = of.digest ?? createHash('sha256').update(body).digest('hex');
    return Buffer.concat([body, Buffer.from(`T|${count}|${of.trailerSum ?? sum}|${digest}\n`)]);
  }

  /** In two parts, cut anywhere; answers the code of the refusal, or `taken`. */
  async function send(file: Buffer, { date = MONDAY, encoding = 'utf-8' as const, told = file } = {}): Promise<string> {
    const of = { platformId: market.platformId, date: date as BusinessDate };
    const cut = Math.floor(file.length / 3);
    const digest = createHash('sha256').update(told).digest('hex');
    try {
      await keepPart(market.world.rt, of, 1, file.subarray(0, cut));
      await keepPart(market.world.rt, of, 2, file.subarray(cut));
      await takePlatformFile(market.world.rt, of, { parts: 2, encoding, digest });
      return 'taken';
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return `${error.refusal.code} ${error.refusal.detail ?? ''}`.trim();
    }
  }
  const runs = async (date: BusinessDate = MONDAY) =>
    (await market.world.db.read('runs', (tx) => runsOf(tx, market.platformId, date))).find(({ party }) => party === 'platform');
  /** The request numbers that the platform gave, oldest first. */
  const numbers = () =>
    market.world.db.read('numbers', async (tx) =>
      (
        await tx.rows<{ request_no: string; id: Id }>(
          "SELECT request_no FROM instructions WHERE platform_id = ? AND origin = 'P' AND kind = 'payment' ORDER BY id",
          [market.platformId],
        )
      ).map((row) => row.request_no),
    );

  const good: Line[] = [
    ['X-1', 'payment', '10.00', 'posted', '第一单'],
    ['X-2', 'refund', '2.50', 'refused'],
  ];
  test.each<[string, (good: readonly Line[]) => Buffer, string]>([
    ['truncated within a row', (lines) => fileOf(lines).subarray(0, -5), 'truncated'],
    ['without its trailer', (lines) => fileOf(lines).subarray(0, fileOf(lines).lastIndexOf('T|')), 'truncated'],
    ['with another sum in its trailer', (lines) => fileOf(lines, { trailerSum: '12.51' }), 'contradict'],
    ['with another sum throughout', (lines) => fileOf(lines, { sum: '12.51' }), 'another sum'],
    ['with another count', (lines) => fileOf(lines, { count: '3' }), '3 lines announced'],
    ['with another digest', (lines) => fileOf(lines, { digest: '0'.repeat(64) }), 'digest'],
    ['with a changed amount', (lines) => Buffer.from(fileOf(lines).toString().replace('|10.00|', '|11.00|')), 'another sum'],
    ['of another platform', (lines) => fileOf(lines, { platform: 'plt_1000000000000000001' }), 'another platform'],
    ['of another date', (lines) => fileOf(lines, { date: TUESDAY }), 'another date'],
    ['in another encoding than told', (lines) => fileOf(lines, { encoding: 'gbk' }), 'not utf-8'],
    ['with something behind its trailer', (lines) => Buffer.concat([fileOf(lines), Buffer.from('D|3|\n')]), 'digest'],
    ['with a kind that is none', () => fileOf([['X-1', 'present', '1.00']]), 'cannot be read'],
    ['with a tenth of a fen', () => fileOf([['X-1', 'payment', '1.001']], { sum: '1.00' }), 'cannot be read'],
    ['with a row that never ends', (lines) => Buffer.concat([fileOf(lines), Buffer.alloc(9_000, 'x')]), 'too long'],
  ])('%s is refused whole', async (_name, make, why) => {
    expect(await send(make(good))).toMatch(new RegExp(`^DAY_FILE_REFUSED .*${why}`));
    expect(await send(fileOf(good))).toBe('taken');
  });

  test('that is not what was sent is refused; the same one again changes nothing, another one is refused', async () => {
    expect(await send(fileOf(good), { told: Buffer.from('another') })).toMatch(/^DAY_FILE_REFUSED .*not what was sent/);
    expect(await send(fileOf(good).subarray(0, -5), { told: fileOf(good) })).toMatch(/^DAY_FILE_REFUSED .*not what was sent/);
    expect(await send(fileOf(good))).toBe('taken');
    const of = { platformId: market.platformId, date: MONDAY };
    const digest = createHash('sha256').update(fileOf(good)).digest('hex');
    const again = await takePlatformFile(market.world.rt, of, { parts: 2, encoding: 'utf-8', digest });
    expect(again).toMatchObject({ lineCount: 2, total: 1_250n });
    expect(await send(fileOf([]))).toBe('DAY_FILE_REUSED');
  });

  test('of a day that is closed, or has not begun, is refused', async () => {
    expect(await send(fileOf(good, { date: TUESDAY }), { date: TUESDAY })).toMatch(/^DAY_FILE_LATE/);
    await closeNext(market);
    expect(await send(fileOf(good))).toMatch(/^DAY_FILE_LATE/);
    expect(await send(fileOf(good, { date: TUESDAY, encoding: 'gbk' }), { date: TUESDAY, encoding: 'gbk' as 'utf-8' })).toBe(
      'taken',
    );
  });

  test('is compared when the day is cut off: classes, evidence, and what the next day explains', async () => {
    for (const [no, amount] of [
      ['A', 1_000n],
      ['B', 2_000n],
      ['C', 3_000n],
      ['D', 4_000n],
    ] as const)
      await market.pay(no, amount);
    const refund = { orderNo: 'A', amount: fen(9_999n), reason: '退' };
    expect(await market.give('refund', refund)).not.toBe('posted');
    const [a = '', b = '', c = '', d = ''] = await numbers();
    const refused = `R-${Number(d.slice(2)) + 1}`;
    const lines: Line[] = [
      [a, 'payment', '10.00'],
      [b, 'payment', '20.01'],
      [c, 'payment', '30.00', 'refused'],
      ['NOBODY-1', 'withdrawal', '5.00'],
      [refused, 'refund', '99.99', 'refused'],
    ];
    expect(await send(fileOf(lines))).toBe('taken');
    expect(await runs()).toBeUndefined();
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await runs()).toMatchObject({
      ...{ ourLines: 5, theirLines: 5, matched: 2 },
      counts: { amountDiffers: 1, onlyOurs: 1, onlyTheirs: 1, stateDiffers: 1, timing: 0, closed: 0 },
    });
    const breaks = await market.breaks();
    expect(breaks.map((of) => [of.party, of.class, of.reference, of.ourState, of.theirState]).sort()).toEqual(
      [
        ['platform', 'amount-differs', b, null, null],
        ['platform', 'only-ours', d, null, null],
        ['platform', 'only-theirs', 'NOBODY-1', null, null],
        ['platform', 'state-differs', c, 'payment posted', 'payment refused'],
      ].sort(),
    );
    // The core bank has it, so nothing is to be undone: the platform is to be told.
    const lacking = breaks.find(({ reference }) => reference === d) as Break;
    const facts = await market.world.db.read('facts', (tx) => factsOf(tx, lacking));
    expect(facts.ours).toMatchObject([{ amount: 4_000n, businessDate: MONDAY, kind: 'payment' }]);
    expect(suggestionsFor(lacking, facts)).toMatchObject([
      { action: 'accept', why: expect.stringContaining('tell the platform') },
    ]);
    // The platform has it on the next day: the break closes itself, and what it has twice no more is none.
    expect(await send(fileOf([[d, 'payment', '40.00']], { date: TUESDAY }), { date: TUESDAY })).toBe('taken');
    await closeNext(market);
    expect(await runs(TUESDAY)).toMatchObject({ counts: { onlyTheirs: 0, timing: 1, closed: 1 } });
    const closed = (await market.breaks())
      .filter(({ state }) => state === 'closed')
      .map(({ rule, reference }) => [rule, reference]);
    expect(closed).toEqual([
      ['other-side-appeared', d],
      ['on-another-date', d],
    ]);
  });

  const parts = () => market.world.db.read('parts', (tx) => tx.rows('SELECT part FROM platform_file_parts'));

  test('that was taken stays as it is when a part of it was still on its way, and is dropped when it was compared', async () => {
    await market.pay('A', 1_000n);
    const [a = ''] = await numbers();
    expect(await send(fileOf([[a, 'payment', '10.00']]))).toBe('taken');
    // An upload that had looked before the file was taken writes only now.
    await market.world.db.withTx('late', (tx) =>
      savePart(tx, market.world.rt.vault, { platformId: market.platformId, date: MONDAY, part: 1 }, Buffer.from('garbage\n')),
    );
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await runs()).toMatchObject({ matched: 1, counts: { stateDiffers: 0 } });
    expect(await parts()).toEqual([]);
  });

  test('that cannot be read when it is compared is a break with the reason, and the day is closed', async () => {
    await market.pay('A', 1_000n);
    expect(await send(fileOf(good))).toBe('taken');
    await market.world.db.withTx('spoilt', (tx) => tx.write("UPDATE platform_file_parts SET bytes = 'garbage'"));
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await runs()).toMatchObject({ theirLines: 2, matched: 0, counts: { stateDiffers: 1 } });
    expect(await market.breaks()).toMatchObject([
      { party: 'platform', reference: 'day file', state: 'open', theirState: expect.stringMatching(/^faulty at row \d+: /) },
    ]);
  });

  test('with more differences than anybody works off is counted whole and kept in part', async () => {
    const many = Array.from({ length: 10_050 }, (_, at): Line => [`X-${at}`, 'payment', '0.01']);
    expect(await send(fileOf(many))).toBe('taken');
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await runs()).toMatchObject({ theirLines: 10_050, counts: { onlyTheirs: 10_050 } });
    const [row] = await market.world.db.read('kept', (tx) => tx.rows<{ n: string }>('SELECT COUNT(*) AS n FROM breaks'));
    expect(Number(row?.n)).toBe(10_000);
  });
});
