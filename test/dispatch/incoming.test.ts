import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { accountsByVirtualNo } from '../../src/accounts/index.js';
import { ownNumbers } from '../../src/accounts/pay-in-store.js';
import type { CoreBank } from '../../src/channels/index.js';
import { approve, propose, reject, requireTransfer } from '../../src/dispatch/incoming/proposals.js';
import { createDesk, type Desk, takeIncoming } from '../../src/dispatch/index.js';
import { asId, type Id, Refused } from '../../src/kernel/index.js';
import { listItems } from '../../src/suspense/store.js';
import { changeElectronic, deposit, type Holder, openHolder, statementOf } from '../clearing/electronic.js';
import { atBank, closeNext, type Market, openMarket } from '../clearing/market.js';

const PAYER = { name: '李四', account: '6228480012345678903', bankCode: '103100000026' };

/**
 * A worker that dies at its nth step: a transaction or a call of the core bank, before it was done or when it was done and before
 * anybody was told. From then on it does nothing more.
 */
function dyingAt(
  { world: { rt }, channels }: Market,
  nth: number,
  when: 'before' | 'after',
): { desk: Desk; died: () => boolean } {
  let steps = 0;
  let dead = false;
  const step = async <T>(work: () => Promise<T>): Promise<T> => {
    steps += 1;
    const isLast = steps === nth;
    if (isLast && when === 'before') dead = true;
    if (dead) throw new Error('crash');
    const result = await work();
    if (isLast) dead = true;
    if (dead) throw new Error('crash');
    return result;
  };
  const db: typeof rt.db = { ...rt.db, withTx: (label, work, committed) => step(() => rt.db.withTx(label, work, committed)) };
  const core = channels.coreBank;
  const coreBank: CoreBank = {
    ...core,
    incoming: (after, limit) => step(() => core.incoming(after, limit)),
    acceptIncoming: (...of) => step(() => core.acceptIncoming(...of)),
    rejectIncoming: (...of) => step(() => core.rejectIncoming(...of)),
  };
  return { desk: createDesk({ ...rt, db }, { ...channels, coreBank }), died: () => dead };
}

describe('transfers to virtual account numbers', () => {
  let market: Market;
  let holder: Holder;
  beforeEach(async () => {
    market = await openMarket();
    holder = await openHolder(market, 2);
  });
  afterEach(() => market.end());

  const numberOf = async (of: Holder) => {
    const rows = await market.world.db.read('number', (tx) =>
      tx.rows<{ virtual_no: string }>('SELECT virtual_no FROM electronic_accounts WHERE account_id = ?', [of.account]),
    );
    return rows[0]?.virtual_no ?? '';
  };
  interface Changes {
    virtualNo?: string;
    payer?: typeof PAYER;
    remark?: string;
    message?: { channel: string; sender: string; messageNo: string };
  }
  const sent = async (reference: string, amount: bigint, changes: Changes = {}) => {
    const virtualNo = await numberOf(holder);
    expect(market.bank.bank.sendTransfer({ reference, virtualNo, amount, payer: PAYER, ...changes })).toEqual({ reference });
  };
  const take = (desk = market.desk) => takeIncoming(desk);
  const atTheBank = () => market.bank.bank.transfers.all().map(({ reference, state, reason }) => [reference, state, reason]);
  const rows = () =>
    market.world.db.read('rows', (tx) =>
      tx.rows<{ reference: string; state: string; reason: string | null }>(
        'SELECT reference, state, reason FROM incoming_transfers ORDER BY reference',
      ),
    );
  /** The pause after a failed answer is over. */
  const timeHasCome = () =>
    market.world.db.withTx('now', (tx) => tx.write("UPDATE incoming_transfers SET next_ms = 0 WHERE state = 'received'"));
  async function expectDayCloses(): Promise<void> {
    const { businessDate } = await market.book();
    await closeNext(market);
    expect(await market.day(businessDate)).toMatchObject({ state: 'closed' });
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  }
  async function expectBookedOnce(reference: string, amount: bigint): Promise<void> {
    expect(await market.balance(holder.account)).toBe(amount);
    expect(atTheBank()).toEqual([[reference, 'accepted', undefined]]);
    expect(await statementOf(market, (await market.book()).businessDate)).toEqual([[reference, amount]]);
    expect(await rows()).toMatchObject([{ reference, state: 'accepted', reason: null }]);
    await expectDayCloses();
  }

  test('are credited, accepted and on the statement under their reference', async () => {
    await sent('IT-1', 8_000n);
    expect(atBank(market)).toBe(0n); // held
    expect(await take()).toBe(1);
    expect(await take()).toBe(0);
    await expectBookedOnce('IT-1', 8_000n);
  });

  test('to a number that nobody has go back, and so do those that the account must not take', async () => {
    const small = await openHolder(market, 3);
    await sent('IT-1', 100n, { virtualNo: '9156000000000000000' });
    await sent('IT-2', 100n, { virtualNo: await numberOf(small) });
    await sent('IT-3', 2_000_001n);
    expect(await take()).toBe(3);
    expect(atTheBank()).toEqual([
      ['IT-1', 'rejected', 'no such account'],
      ['IT-2', 'rejected', 'INFLOW_NOT_ACTIVATED'],
      ['IT-3', 'rejected', 'LIMIT_IN_DAY'],
    ]);
    expect((await rows()).map(({ state, reason }) => [state, reason])).toEqual([
      ['rejected', 'no such account'],
      ['rejected', 'INFLOW_NOT_ACTIVATED'],
      ['rejected', 'LIMIT_IN_DAY'],
    ]);
    expect(atBank(market)).toBe(0n);
    await expectDayCloses();
  });

  test('from the bound card are free of limits and activate a Class III account', async () => {
    const small = await openHolder(market, 3);
    const virtualNo = await numberOf(small);
    const grouped = small.card.replace(/(.{4})/g, '$1 ').trim();
    await sent('IT-1', 200_000n, { virtualNo, payer: { name: '张三', account: grouped, bankCode: '' } });
    await sent('IT-2', 1n, { virtualNo });
    await take();
    expect(atTheBank()).toEqual([
      ['IT-1', 'accepted', undefined],
      ['IT-2', 'rejected', 'BALANCE_CAP'],
    ]);
    await expectDayCloses();
  });

  test.each([
    ['another bank', { bankCode: '103100000026' }],
    ['this bank', { bankCode: '' }],
    ['another name', { name: '李四' }],
  ])('from an account with the digits of the bound card, but of %s, are from a stranger', async (_of, other) => {
    const small = await openHolder(market, 3, { bankCode: '102100099996' });
    const card = { name: '张三', account: small.card, bankCode: '102588002109' }; // another branch of the card's bank
    const virtualNo = await numberOf(small);
    await sent('IT-1', 1n, { virtualNo, payer: { ...card, ...other } });
    await take();
    expect(atTheBank()).toEqual([['IT-1', 'rejected', 'INFLOW_NOT_ACTIVATED']]);
    await sent('IT-2', 1n, { virtualNo, payer: card });
    await take();
    expect(atTheBank()[1]).toEqual(['IT-2', 'accepted', undefined]);
  });

  test('to a closed account go back', async () => {
    await changeElectronic(market, holder, "state = 'closed'");
    await sent('IT-1', 100n);
    await take();
    expect(atTheBank()).toEqual([['IT-1', 'rejected', 'ACCOUNT_CLOSED']]);
  });

  test.each([
    ['a reference of the bank itself', { reference: 'OPENING' }],
    ['a reference that is too long for a request number', { reference: 'X'.repeat(56) }],
    ['an account number that is none', { payer: { ...PAYER, account: '6222/0200' } }],
    ['a bank code that is none', { payer: { ...PAYER, bankCode: '12' } }],
    ['an amount that no answer can say', { amount: 10n ** 17n }],
  ])('that the books cannot take go back and disturb no neighbour: %s', async (_name, odd) => {
    const virtualNo = await numberOf(holder);
    const reference = 'reference' in odd ? odd.reference : 'IT-ODD';
    expect(market.bank.bank.sendTransfer({ virtualNo, amount: 5n, payer: PAYER, ...odd, reference })).toEqual({ reference });
    await sent('IT-2', 100n);
    expect(await take()).toBe(2);
    expect(atTheBank()).toEqual([
      [reference, 'rejected', 'the particulars cannot be booked'],
      ['IT-2', 'accepted', undefined],
    ]);
    await expectDayCloses();
  });

  test('of a payer without a name, or with words that the books do not take, are credited', async () => {
    await sent('IT-1', 100n, { payer: { ...PAYER, name: ' \u0000李\n四 ' } });
    await sent('IT-2', 100n, { payer: { ...PAYER, name: '' } });
    expect(await take()).toBe(2);
    expect(await market.balance(holder.account)).toBe(200n);
    await expectDayCloses();
  });

  test('told twice, also with other words, act once, as they were told first', async () => {
    market.faults({ scope: 'core', fault: 'double-news' });
    await sent('IT-1', 100n);
    await take();
    market.bank.bank.reset(); // a core bank that forgot all and tells it from its beginning
    await market.channels.coreBank.openCustodyAccount(market.custodyNo, 'Platform');
    await market.world.db.withTx('again', (tx) =>
      tx.write("UPDATE channel_cursors SET feed_cursor = '' WHERE channel = 'incoming'"),
    );
    await sent('IT-1', 999n);
    expect(await take()).toBe(0);
    expect(await market.balance(holder.account)).toBe(100n);
    expect(await rows()).toMatchObject([{ reference: 'IT-1', state: 'accepted' }]);
  });

  test('taken by several workers at once act once', async () => {
    for (let no = 1; no <= 6; no += 1) await sent(`IT-${no}`, 100n);
    await Promise.all([1, 2, 3, 4].map(() => take()));
    await take();
    expect(await market.balance(holder.account)).toBe(600n);
    expect(atTheBank().map(([, state]) => state)).toEqual(Array(6).fill('accepted'));
    await expectDayCloses();
  });

  test('more than a page, or a group, are all answered', async () => {
    for (let no = 1; no <= 520; no += 1) await sent(`IT-${no}`, 1n, no % 2 === 0 ? {} : { virtualNo: 'nobody' });
    expect(await take()).toBe(520);
    expect(await market.balance(holder.account)).toBe(260n);
    await expectDayCloses();
  });

  test.each(['lost-answer', 'garbage', 'not-received', 'maintenance'] as const)(
    'of which the feed cannot be read (%s) are taken the next time',
    async (fault) => {
      await sent('IT-1', 8_000n);
      market.faults({ scope: 'core', on: 'incoming', fault });
      expect(await take()).toBe(0);
      expect(await take()).toBe(1);
      await expectBookedOnce('IT-1', 8_000n);
    },
  );

  test.each(['lost-answer', 'garbage', 'not-received', 'maintenance'] as const)(
    'whose acceptance was not heard for certain (%s) are accepted again, and booked once',
    async (fault) => {
      await sent('IT-1', 8_000n);
      market.faults({ scope: 'core', on: 'answer', fault });
      expect(await take()).toBe(0);
      expect(await rows()).toMatchObject([{ state: 'received', reason: 'the core bank did not answer' }]);
      expect(await take()).toBe(0); // a pause comes first
      await timeHasCome();
      expect(await take()).toBe(1);
      await expectBookedOnce('IT-1', 8_000n);
    },
  );

  test('whose acceptance was not heard hold up the close of their day, which then proves', async () => {
    await sent('IT-1', 8_000n);
    market.faults({ scope: 'core', on: 'answer', fault: 'maintenance', times: 3 });
    await take();
    await closeNext(market);
    expect(await market.day('2026-03-02')).toMatchObject({
      state: 'closing',
      reason: 'the core bank may not have heard of 1 incoming transfers',
    });
    await market.close();
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'closed' }]);
    expect(await statementOf(market, '2026-03-02')).toEqual([['IT-1', 8_000n]]);
    expect(await market.breaks()).toEqual([]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that the core bank has sent back by then are a break of their day, for a person', async () => {
    await sent('IT-1', 8_000n);
    market.faults({ scope: 'core', on: 'answer', fault: 'not-received' });
    await take();
    market.bank.bank.transfers.reject('IT-1', 'held for too long');
    await timeHasCome();
    expect(await take()).toBe(1);
    expect(await rows()).toMatchObject([{ state: 'disputed' }]);
    market.goTo('2026-03-03');
    expect(await market.close()).toEqual([{ date: '2026-03-02', state: 'stopped' }]);
    expect(await market.breaks()).toMatchObject([{ class: 'only-ours', reference: 'IT-1', ourAmount: 8_000n }]);
  });

  test.each(['before', 'after'] as const)('are answered and booked once when the worker is killed %s any step', async (when) => {
    let taken = 0n;
    for (let nth = 1; ; nth += 1) {
      await sent(`IT-${nth}`, 100n);
      await sent(`NO-${nth}`, 100n, { virtualNo: 'nobody' });
      const { desk, died } = dyingAt(market, nth, when);
      await take(desk).catch((error: unknown) => expect(String(error)).toContain('crash'));
      await timeHasCome();
      await take();
      taken += 100n;
      expect(await market.balance(holder.account)).toBe(taken);
      expect(atBank(market)).toBe(taken);
      if (!died()) {
        expect(nth).toBeGreaterThan(5); // row, instruction, decision, two answers, note
        break;
      }
    }
    const states = atTheBank();
    expect(states.filter(([, state]) => state === 'accepted')).toHaveLength(states.length / 2);
    expect(states.filter(([, state]) => state === 'rejected')).toHaveLength(states.length / 2);
    await expectDayCloses();
  });

  const subNo = async (account: Id) => {
    const rows = await market.world.db.read('sub', (tx) =>
      tx.rows<{ virtual_no: string }>('SELECT virtual_no FROM sub_merchants WHERE account_id = ?', [account]),
    );
    return rows[0]?.virtual_no ?? '';
  };

  test('to a sub-account are credited by its rule, to the own funds from the platform alone', async () => {
    const virtualNo = await subNo(market.here);
    await sent('IT-1', 500n, { virtualNo });
    await sent('IT-2', 700n, { virtualNo, payer: { name: '甲商户', account: '6222020000000000001', bankCode: '' } });
    const { accounts } = await market.book();
    const own = (await market.world.db.read('own', (tx) => ownNumbers(tx, [accounts['own-funds']]))).get(accounts['own-funds']);
    await sent('IT-3', 900n, { virtualNo: own ?? '' });
    expect(await take()).toBe(3);
    expect(atTheBank()).toEqual([
      ['IT-1', 'accepted', undefined],
      ['IT-2', 'accepted', undefined],
      ['IT-3', 'rejected', 'PAYER_NOT_ACCEPTED'],
    ]);
    expect(await market.balance(market.here)).toBe(1_200n);
    await expectDayCloses();
  });

  test('that name the custody account alone wait on suspense, with the number and the words that came', async () => {
    await sent('IT-1', 500n, { virtualNo: market.custodyNo, remark: '退汇' });
    await sent('IT-2', 700n, { virtualNo: `${market.custodyNo}-0099` });
    await sent('IT-3', 900n, { virtualNo: `X${market.custodyNo}` });
    expect(await take()).toBe(3);
    expect(atTheBank().map(([, state]) => state)).toEqual(['accepted', 'accepted', 'rejected']);
    const items = await market.world.db.read('items', (tx) => listItems(tx, { platformId: market.platformId }, 9));
    expect(items.map(({ amount, source, reference }) => [amount, source, reference])).toEqual([
      [500n, 'transfer', 'IT-1'],
      [700n, 'transfer', 'IT-2'],
    ]);
    expect(items.map(({ told }) => market.world.rt.vault.read(told))).toEqual([
      `${market.custodyNo} 退汇`,
      `${market.custodyNo}-0099`,
    ]);
    await expectDayCloses();
  });

  test('of one message act once, whatever reference they come under; with another content never', async () => {
    const message = { channel: 'beps', sender: '103100000026', messageNo: 'M-1' };
    await sent('IT-1', 500n, { message });
    await sent('IT-2', 500n, { message });
    await sent('IT-3', 501n, { message });
    await sent('IT-4', 500n, { message: { ...message, sender: '102100099996' } });
    expect(await take()).toBe(2);
    await sent('IT-5', 500n, { message });
    await sent('IT-6', 500n, { message, payer: { ...PAYER, name: '李五' } });
    expect(await take()).toBe(0);
    expect((await rows()).map(({ reference, state, reason }) => [reference, state, reason])).toEqual([
      ['IT-1', 'accepted', null],
      ['IT-2', 'duplicate', 'the message of IT-1'],
      ['IT-3', 'conflict', 'the message of IT-1'],
      ['IT-4', 'accepted', null],
      ['IT-5', 'duplicate', 'the message of IT-1'],
      ['IT-6', 'conflict', 'the message of IT-1'],
    ]);
    // A person decides what becomes of the others: the core bank goes on holding them.
    expect(atTheBank().map(([, state]) => state)).toEqual(['accepted', 'held', 'held', 'accepted', 'held', 'held']);
    expect(await market.balance(holder.account)).toBe(1_000n);
    await expectDayCloses();
  });

  test('whose message came before are accepted or sent back when two people have decided, and once', async () => {
    const { db, rt, clock } = market.world;
    const message = { channel: 'beps', sender: '103100000026', messageNo: 'M-1' };
    for (const [no, amount] of [500n, 500n, 501n].entries()) await sent(`IT-${no + 1}`, amount, { message });
    await take();
    const [maker, checker] = [asId('1000000000000000001'), asId('1000000000000000002')];
    const proposed = async (reference: string, action: 'accept' | 'send-back') => {
      const of = {
        id: rt.newId(),
        reference,
        action,
        reasonSealed: rt.vault.seal('x'),
        proposedBy: maker,
        proposedMs: clock.now(),
      };
      await db.withTx('propose', (tx) => propose(tx, of));
      return of.id;
    };
    const decided = (how: typeof approve, reference: string, proposal: Id, by: Id) =>
      db.withTx('decide', (tx) => how(tx, { reference, proposal, by, nowMs: clock.now(), noteSealed: null }));
    const refusal = (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: unknown) => (error instanceof Refused ? error.refusal.code : String(error)),
      );
    expect(await refusal(proposed('IT-1', 'accept'))).toBe('TRANSFER_NOT_WAITING');
    expect(await refusal(proposed('IT-9', 'accept'))).toBe('NOT_FOUND');
    const withdrawn = await proposed('IT-2', 'accept');
    expect(await refusal(proposed('IT-2', 'send-back'))).toBe('TRANSFER_PROPOSED');
    expect(await refusal(decided(approve, 'IT-2', withdrawn, maker))).toBe('SAME_OPERATOR');
    expect(await refusal(decided(approve, 'IT-3', withdrawn, checker))).toBe('NOT_FOUND');
    await decided(reject, 'IT-2', withdrawn, maker);
    expect(await refusal(decided(approve, 'IT-2', withdrawn, checker))).toBe('PROPOSAL_DECIDED');
    expect(await take()).toBe(0);

    const back = await proposed('IT-2', 'send-back');
    const both = await Promise.all(
      [checker, asId('1000000000000000003')].map((by) => refusal(decided(approve, 'IT-2', back, by))),
    );
    expect(both.sort()).toEqual(['PROPOSAL_DECIDED', 'done']);
    await decided(approve, 'IT-3', await proposed('IT-3', 'accept'), checker);
    expect((await db.read('seen', (tx) => requireTransfer(tx, 'IT-2'))).proposals.map(({ state }) => state)).toEqual([
      'withdrawn',
      'approved',
    ]);
    expect(await take()).toBe(2);
    expect(atTheBank()).toEqual([
      ['IT-1', 'accepted', undefined],
      ['IT-2', 'rejected', 'sent back by the bank'],
      ['IT-3', 'accepted', undefined],
    ]);
    expect(await market.balance(holder.account)).toBe(1_001n);
    expect(await refusal(proposed('IT-2', 'accept'))).toBe('TRANSFER_NOT_WAITING');
    await expectDayCloses();
  });

  test('are kept with the payer sealed', async () => {
    await sent('IT-1', 100n);
    await take();
    const [row] = await market.world.db.read('sealed', (tx) =>
      tx.rows<{ payer_sealed: string }>('SELECT payer_sealed FROM incoming_transfers'),
    );
    expect(row?.payer_sealed).not.toContain(PAYER.account);
    expect(JSON.parse(market.world.rt.vault.open(row?.payer_sealed ?? ''))).toEqual(PAYER);
  });

  test('find their account by its number alone', async () => {
    await deposit(market, holder, 1n);
    const virtualNo = await numberOf(holder);
    const found = await market.world.db.read('find', (tx) => accountsByVirtualNo(tx, [virtualNo, "o'no", '']));
    expect([...found]).toEqual([[virtualNo, { accountId: holder.account, platformId: market.platformId }]]);
  });
});
