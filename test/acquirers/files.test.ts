import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { decide, retry, upload } from '../../src/acquirers/release.js';
import { exampleFile, type FileFault, parseFile } from '../../src/acquirers/rules.js';
import { findFile, linesOf, saveAcquirer } from '../../src/acquirers/store.js';
import { decideNow } from '../../src/dispatch/index.js';
import { executeShard, findInstructions, receiveInTx, systemInstruction } from '../../src/instructions/index.js';
import { asId, type BusinessDate, type Id, Refused, toWire } from '../../src/kernel/index.js';
import type { Tx } from '../../src/runtime/index.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';

const [MAKER, CHECKER] = [asId('1000000000000000001'), asId('1000000000000000002')];

interface Changes {
  readonly fileNo?: string;
  readonly lines?: readonly string[];
  readonly count?: string;
  readonly total?: string;
  readonly fee?: string;
  readonly trailer?: string;
}

/** A sound file of two trades, but for what is changed. */
function fileOf({ fileNo = 'F-1', lines = ['D|1|T1|SO-1|100.00', 'D|2|T2|SO-2|50.00'], ...of }: Changes = {}): string {
  const { count = String(lines.length), total = '150.00', fee = '0.90' } = of;
  const text = `H|1|ALLPAY|${fileNo}|2026-03-02|ST-1|${count}|${total}|${fee}\n${lines.map((line) => `${line}\n`).join('')}`;
  return `${text}${of.trailer ?? `T|${count}|${total}|${createHash('sha256').update(text).digest('hex')}`}\n`;
}

describe('the file of an acquirer is refused whole', () => {
  test('is read where it is sound', () => {
    expect(parseFile(fileOf())).toEqual({
      ...{ acquirer: 'ALLPAY', fileNo: 'F-1', date: '2026-03-02', reference: 'ST-1', total: 15_000n, fee: 90n },
      lines: [
        { lineNo: 1, tradeNo: 'T1', orderNo: 'SO-1', amount: 10_000n },
        { lineNo: 2, tradeNo: 'T2', orderNo: 'SO-2', amount: 5_000n },
      ],
    });
  });

  test.each<[string, string]>([
    ['nothing', ''],
    ['no end of the last line', fileOf().slice(0, -1)],
    ['a lost line', fileOf().replace('D|2|T2|SO-2|50.00\n', '')],
    ['another number of lines', fileOf({ count: '3' })],
    ['another sum', fileOf({ total: '150.01' })],
    ['another digest', fileOf({ trailer: `T|2|150.00|${'0'.repeat(64)}` })],
    ['a changed amount', fileOf().replace('|50.00\n', '|51.00\n')],
    ['a trade twice', fileOf({ lines: ['D|1|T1|SO-1|100.00', 'D|2|T1|SO-2|50.00'] })],
    ['an amount below a fen', fileOf({ lines: ['D|1|T1|SO-1|150.000'] })],
    ['an amount of nothing', fileOf({ lines: ['D|1|T1|SO-1|150.00', 'D|2|T2|SO-2|0.00'] })],
    ['a negative amount', fileOf({ lines: ['D|1|T1|SO-1|200.00', 'D|2|T2|SO-2|-50.00'] })],
    ['lines out of order', fileOf({ lines: ['D|2|T1|SO-1|100.00', 'D|1|T2|SO-2|50.00'] })],
    ['a field too many', fileOf({ lines: ['D|1|T1|SO-1|150.00|x'] })],
    ['a fee that leaves nothing', fileOf({ fee: '150.00' })],
    ['another version', fileOf().replace('H|1|', 'H|2|')],
  ])('with %s', (_what, text) => {
    expect(parseFile(text)).toContainEqual(expect.objectContaining({ line: expect.any(Number), detail: expect.any(String) }));
  });

  test('with the line and the field of every fault', () => {
    const faultsOf = (text: string) => (parseFile(text) as FileFault[]).map(({ line, field }) => `${line} ${field}`);
    const lines = ['D|1|T1|SO 1|100.00', 'D|3|T1|SO-2|50', 'X|3|T3|SO-3|1.00'];
    expect(faultsOf(fileOf({ lines }).replace('2026-03-02', '2026-02-30'))).toEqual([
      '1 date',
      '2 orderNo',
      '3 amount',
      '4 null',
      '5 digest',
    ]);
    expect(faultsOf(fileOf({ lines: ['D|2|T1|SO-1|100.00', 'D|2|T1|SO-2|0.00'] }))).toEqual(['2 line', '3 amount', '3 tradeNo']);
    expect(faultsOf(fileOf({ total: '150.01' }))).toEqual(['1 total', '4 total']);
    expect(faultsOf(fileOf({ fee: '150.00' }))).toEqual(['1 fee']);
  });

  test('and the example of the documents is a sound one', () => {
    expect(parseFile(exampleFile())).toMatchObject({ acquirer: 'ALLPAY', total: 15_000n, fee: 90n, lines: [{}, {}] });
  });
});

describe('money of an acquirer', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
    const { db, rt } = market.world;
    const accountSealed = rt.vault.seal('6222020000000000099');
    await db.withTx('acquirer', (tx) => saveAcquirer(tx, { code: 'ALLPAY', name: '聚合支付', accountSealed, bankCode: '' }));
  });
  afterEach(() => market.end());

  const give = async (tx: Tx, of: Parameters<typeof receiveInTx>[2]) => {
    const { receipt } = await receiveInTx(tx, market.world.rt, of);
    if ('refused' in receipt) throw new Refused(receipt.refused);
    return { id: receipt.id, ring: async () => undefined };
  };
  const who = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });
  const sent = (text: string, by = MAKER) =>
    market.world.db.withTx('upload', (tx) => upload(tx, market.world.rt, market.platformId, text, who(by)));
  const decided = async (file: Id, to: 'released' | 'rejected', by = CHECKER) => {
    await market.world.db.withTx('decide', (tx) => decide(tx, market.world.rt, file, to, who(by), give));
    await executeShard(market.world.rt, (await market.book()).shardId);
  };
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => 'taken',
      (error: unknown) => (error instanceof Refused ? error.refusal.code : String(error)),
    );
  const outcomes = (file: Id) =>
    market.world.db.read('outcomes', async (tx) => {
      const ids = (await linesOf(tx, file)).flatMap(({ instructionId }) => instructionId ?? []);
      const views = await findInstructions(tx, ids);
      return ids.map((id) => views.get(id)?.outcome?.state);
    });
  const arrives = (reference: string, amount: bigint) =>
    market.channels.coreBank.inflows(market.custodyNo, '2026-03-02' as BusinessDate, [
      { reference, amount, counterparty: 'ALLPAY', text: '' },
    ]);
  /** The platform's own money, out of which it bears the fee. */
  const ownFunds = async (amount: bigint) => {
    const { accounts, shardId } = await market.book();
    await market.world.db.withTx('bind', (tx) =>
      tx.write('INSERT INTO settlement_accounts (account_id, holder_name, account_no, bank_code) VALUES (?, ?, ?, ?)', [
        accounts['own-funds'],
        '平台',
        '6222020000000000088',
        '',
      ]),
    );
    const payer = { name: '平台', account: '6222020000000000088', bankCode: '' };
    const data = { account: toWire('account', accounts['own-funds']), amount: fen(amount), payer, reference: 'OWN-1' };
    const { platformId } = market;
    const submission = systemInstruction({ platformId, requestNo: 'OWN-1', kind: 'incoming-transfer', data, actor: 'test' });
    await arrives('OWN-1', amount);
    await decideNow(market.desk, [{ shardId, submission }]);
  };

  test('is posted line by line when a second person releases its file, and the net sum proves the day', async () => {
    await ownFunds(100n);
    const { id } = await sent(fileOf());
    expect(await outcomes(id)).toEqual([]);
    await decided(id, 'released');
    expect(await outcomes(id)).toEqual(['posted', 'posted']);
    expect(await market.balance((await market.book()).accounts['own-funds'])).toBe(10n);
    await arrives('ST-1', 14_910n);
    await closeNext(market);
    expect(await market.day('2026-03-02')).toMatchObject({ state: 'closed' });
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('of which another sum comes stops the day', async () => {
    const { id } = await sent(fileOf({ fee: '0.00' }));
    await decided(id, 'released');
    await arrives('ST-1', 14_999n);
    await closeNext(market);
    expect(await market.breaks()).toMatchObject([{ class: 'amount-differs', reference: 'ST-1', ourAmount: 15_000n }]);
  });

  test('is never released by who uploaded it, nor twice, nor after it was rejected', async () => {
    const { id } = await sent(fileOf());
    expect(await refusal(decided(id, 'released', MAKER))).toBe('SAME_OPERATOR');
    await decided(id, 'released');
    expect(await refusal(decided(id, 'released'))).toBe('ACQUIRER_FILE_DECIDED');
    expect(await refusal(decided(id, 'rejected'))).toBe('ACQUIRER_FILE_DECIDED');
    expect(await outcomes(id)).toHaveLength(2);
  });

  test('acts once: the same file again is the first, the same number with other content is refused, and so is a trade in another file', async () => {
    const first = await sent(fileOf());
    expect((await sent(fileOf(), CHECKER)).id).toBe(first.id);
    expect(await refusal(sent(fileOf({ fee: '0.80' })))).toBe('ACQUIRER_FILE_REUSED');
    expect(await refusal(sent(fileOf({ fileNo: 'F-2' })))).toBe('ACQUIRER_FILE_REFUSED');
    await decided(first.id, 'rejected');
    expect(await refusal(sent(fileOf({ fileNo: 'F-2' })))).toBe('taken');
  });

  test('of a day that has not come is refused', async () => {
    const text = fileOf().replace('2026-03-02', '2026-03-03');
    const body = text.slice(0, text.lastIndexOf('T|'));
    const sound = `${body}T|2|150.00|${createHash('sha256').update(body).digest('hex')}\n`;
    await expect(sent(sound)).rejects.toMatchObject({
      refusal: { code: 'ACQUIRER_FILE_REFUSED', fields: { faults: [{ line: 1, field: 'date' }] } },
    });
  });

  test('of which the books refused the fee is tried again as far as it was refused, once for each that asks', async () => {
    const { id } = await sent(fileOf());
    const again = () =>
      market.world.db
        .withTx('retry', (tx) => retry(tx, market.world.rt, id, who(CHECKER), give))
        .then(async () => executeShard(market.world.rt, (await market.book()).shardId));
    expect(await refusal(again())).toBe('ACQUIRER_FILE_NOT_REFUSED');
    await decided(id, 'released');
    const feeOf = async () => {
      const file = await market.world.db.read('file', (tx) => findFile(tx, id));
      const fee = file?.feeInstruction as Id;
      return (await market.world.db.read('fee', (tx) => findInstructions(tx, [fee]))).get(fee);
    };
    const first = await feeOf();
    expect(first?.outcome?.state).toBe('refused');
    const trades = await market.world.db.read('lines', (tx) => linesOf(tx, id));
    await again(); // there is still nothing to take it from
    expect([(await feeOf())?.id === first?.id, (await feeOf())?.outcome?.state]).toEqual([false, 'refused']);
    await ownFunds(100n);
    const twice = await Promise.all([refusal(again()), refusal(again())]);
    expect(twice.sort()).toEqual(['ACQUIRER_FILE_NOT_REFUSED', 'taken']);
    expect((await feeOf())?.outcome?.state).toBe('posted');
    expect(await refusal(again())).toBe('ACQUIRER_FILE_NOT_REFUSED');
    expect(await market.world.db.read('lines', (tx) => linesOf(tx, id))).toEqual(trades);
    await arrives('ST-1', 14_910n);
    await closeNext(market);
    expect(await market.breaks()).toEqual([]);
  });

  test('of an acquirer that nobody registered is refused', async () => {
    const text = fileOf().replace('ALLPAY', 'OTHERS');
    const body = text.slice(0, text.lastIndexOf('T|'));
    const sound = `${body}T|2|150.00|${createHash('sha256').update(body).digest('hex')}\n`;
    expect(await refusal(sent(sound))).toBe('ACQUIRER_NOT_FOUND');
  });
});
