import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SCHEDULE } from '../../jobs/schedule.js';
import { JOBS, runJob } from '../../jobs/worker.js';
import { askOpening } from '../../src/accounts/opening/ask.js';
import { commitBatch, receiveFile } from '../../src/batches/index.js';
import { keyOfStep } from '../../src/clearing/index.js';
import { askConsent, queueSms } from '../../src/consents/index.js';
import { saveFund } from '../../src/funds/index.js';
import { type BusinessDate, type Id, instantOf, toWire } from '../../src/kernel/index.js';
import { insertCustomer, insertUsers, moveUser } from '../../src/parties/users/records.js';
import { type NewUser, registerUsers } from '../../src/parties/users/register.js';
import { loadWatchList } from '../../src/parties/watch/watch-list.js';
import { deposit, openHolder, withConsent } from '../clearing/electronic.js';
import { closeNext, fen, type Market, openMarket } from '../clearing/market.js';
import { person } from '../parties/desk.js';

/** Every row of every table that says what happened; not the shard's turn counter, which every look advances. */
async function everything(market: Market): Promise<Record<string, unknown>> {
  const { db } = market.world;
  return db.read('everything', async (tx) => {
    const tables = await tx.rows<{ name: string }>(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
    );
    const seen: Record<string, unknown> = {};
    for (const { name } of tables) if (name !== 'shards') seen[name] = await tx.rows(`SELECT * FROM \`${name}\``);
    // When a channel last answered is not an effect of a job: it is told every few seconds of wall time.
    for (const row of (seen.channel_cursors ?? []) as { success_ms?: string }[]) delete row.success_ms;
    delete seen.channel_minutes;
    return seen;
  });
}

const CARD = { account: '6228480012345678903', bankCode: '', mobile: '13900000002' };

/** A user whose identity is verified, as if the worker had been there. */
async function register({ world: { db, rt }, platformId }: Market, { userNo, party }: NewUser): Promise<Id> {
  const [customerId, userId] = [rt.newId(), rt.newId()];
  const nowMs = rt.clock.now();
  await db.withTx('verified user', async (tx) => {
    await insertCustomer(tx, { id: customerId, particulars: party, mobile: CARD.mobile, screenedNo: 0n, nowMs }, rt.vault);
    const user = { id: userId, platformId, userNo, customerId: null, state: 'pending' as const, takenOver: false };
    const sealed = { particularsSealed: rt.vault.seal(JSON.stringify(party)), contentHash: Buffer.alloc(32), refusal: null };
    await insertUsers(tx, [{ ...user, ...sealed, attempts: 0, nextMs: nowMs, createdMs: nowMs, changedMs: nowMs }]);
    await moveUser(tx, userId, 'pending', 'verified', { nowMs, customerId });
  });
  return userId;
}

describe('a job run twice with the same key changes nothing the second time', () => {
  let market: Market;
  let batch: string;
  beforeAll(async () => {
    market = await openMarket();
    await market.pay('A', 1000n);
    await market.pay('H', 100n);
    const holder = await openHolder(market, 2);
    await deposit(market, holder, 1_000_000n);
    await closeNext(market); // only money that a statement has shown goes out
    await market.split('A', [
      [market.here, 500n],
      [market.there, 300n],
    ]);
    await market.split('H', [[market.here, 100n]]);
    const hold = {
      account: toWire('account', market.here),
      amount: fen(40n),
      purpose: '售后',
      expiresAt: '2026-03-03T18:00:00+08:00',
    };
    expect(await market.give('hold', hold)).toBe('posted');
    expect(await market.give('refund', { orderNo: 'A', amount: fen(50n) })).toBe('posted');
    // The interest of a day was paid and is not ordered yet.
    expect(await withConsent(market, holder, 'account-closing', {})).toBe('posted');
    // One instruction lies in the inbox, undecided.
    const { intake } = market.world;
    await intake.receive([
      {
        platformId: market.platformId,
        origin: 'P',
        requestNo: 'LEFT',
        kind: 'refund',
        body: JSON.stringify({ orderNo: 'A', amount: fen(10n) }),
        actor: 'test',
      },
    ]);
    market.goTo('2026-03-04');
    // Somebody is known, and asked for an electronic account.
    const user = await register(market, person(2) as NewUser);
    await askOpening(market.world.rt, market.platformId, { openingNo: 'O-1', user, class: 2, card: CARD });
    // Somebody registered and is not verified yet; a watch list was loaded and nobody was held against it.
    await registerUsers(market.world.rt, market.platformId, [person(1) as NewUser]);
    await market.world.db.withTx('list', (tx) => loadWatchList(tx, market.world.rt, [], market.world.rt.newId()));
    // A batch was started.
    const line = { line: 1, kind: 'refund', data: { orderNo: 'A', amount: fen(10n) } };
    const text = JSON.stringify({ batchNo: 'B-1', mode: 'partial', lines: [line] });
    const from = { platformId: market.platformId, actor: 'test' };
    batch = (await receiveFile(market.world.rt, from, { text, mediaType: 'application/json' })).batch.id;
    await commitBatch(market.world.rt, market.platformId, batch as Id);
    // A message waits to be sent, and a question was not answered in time.
    const { rt, db, clock } = market.world;
    await db.withTx('waiting', async (tx) => {
      await queueSms(tx, rt, { mobile: '13900000000', text: '验证码', expiresMs: instantOf(clock.now() + 60_000) });
      await askConsent(tx, rt, {
        ...{ subject: 'password', subjectId: rt.newId(), platformId: market.platformId, customerId: rt.newId(), needs: 'sms' },
        shown: { title: { en: '', zh: '' }, lines: [], brief: { en: '', zh: '' } },
        expiresMs: clock.now(),
      });
    });
  });
  afterAll(() => market.end());

  /** The close of the next day has begun, and its first step alone is written down. */
  async function killAfterCutOff(): Promise<void> {
    market.goTo('2026-03-05');
    const at = (point: string) => {
      if (point === 'after cut-off') throw new Error('killed');
    };
    await expect(market.close({ at })).rejects.toThrow('killed');
  }

  /** A channel's file has a payment that the books do not have. */
  function showUnknownPayment(): void {
    const businessDate = '2026-03-02' as BusinessDate;
    market.bank.bank.dayEnd.add('psp', businessDate, {
      ...{ messageNo: 'UNKNOWN', channelRef: 'U1', status: 'settled', reference: 'UNKNOWN', businessDate, amount: 1n },
      ...{ account: CARD.account, name: '', reason: '' },
    });
  }

  /** The bank sells a fund, whose company is handed a file on every trading day. */
  async function sellFund(): Promise<void> {
    const { rt, db } = market.world;
    const custody = { name: rt.vault.seal('某某货币'), account: rt.vault.seal('6225880000000001'), bankCode: '' };
    const fund = { code: '000198', name: '某某货币', company: 'TA1', kind: 'money', custody, settlesIn: 1, sells: true } as const;
    await db.withTx('fund', (tx) => saveFund(tx, fund));
    market.bank.bank.funds.setFund({ code: '000198', company: 'TA1', kind: 'money', paysIn: 1, sells: true });
  }

  test.each(JOBS.map((job) => [job.name, job] as const))('%s', async (_name, job) => {
    const keys: Record<string, string> = {
      'run-batches': batch,
      'close-day': market.platformId,
      'order-interest': market.platformId,
      'close-step': keyOfStep({ platformId: market.platformId, date: '2026-03-04' as BusinessDate }, 'reconcile'),
      sweep: 'all',
    };
    if (job.name === 'close-step') await killAfterCutOff();
    if (job.name === 'compare-files') showUnknownPayment();
    if (job.name === 'exchange-fund-files') await sellFund();
    const key = keys[job.name] ?? String((await market.book()).shardId);
    const before = await everything(market);
    await runJob(market.desk, job, key);
    const once = await everything(market);
    expect(once).not.toEqual(before);
    await runJob(market.desk, job, key);
    expect(await everything(market)).toEqual(once);
    expect(await market.wrongs()).toEqual([]);
  });

  test('and every job has its say in both languages, and every timed one exists', () => {
    for (const { en, zh } of JOBS) expect([en.length, zh.length].every((length) => length > 3)).toBe(true);
    for (const { job } of SCHEDULE) expect(JOBS.map((each) => each.name)).toContain(job);
  });
});
