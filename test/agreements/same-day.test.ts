import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { addDays, type BusinessDate, fromWire, weekday } from '../../src/kernel/index.js';
import { type AgreementStage, openAgreements, simpleTerms, TODAY } from './stage.js';

let stage: AgreementStage;
beforeAll(async () => {
  stage = await openAgreements();
});
afterAll(() => stage?.stop());

const BEFORE = addDays(TODAY as BusinessDate, -1);

/** A sub-merchant that was opened so many days ago and has received something on these days. */
async function seller(age: number, days: readonly BusinessDate[]): Promise<string> {
  const account = await stage.seller();
  const id = fromWire(account);
  await stage.api.runtime.db.withTx('past', async (tx) => {
    await tx.write('UPDATE sub_merchants SET opened_ms = opened_ms - ? WHERE account_id = ?', [age * 86_400_000, id]);
    await tx.write('UPDATE accounts SET entry_count = ? WHERE id = ?', [2 * days.length, id]);
    for (const [place, date] of days.entries())
      for (const [seq, amount] of [
        [2 * place + 1, 500],
        [2 * place + 2, -500],
      ] as const)
        await tx.write(
          `INSERT INTO entries (account_id, seq, instruction_id, amount, balance, business_date, posted_ms, hash)
           VALUES (?, ?, ?, ?, 0, ?, 0, REPEAT('x', 32))`,
          [id, seq, stage.api.runtime.newId(), amount, date],
        );
  });
  return account;
}

/** So many natural days that end on one, the earliest first. */
const daysTo = (last: BusinessDate, count: number) => Array.from({ length: count }, (_, n) => addDays(last, n - count + 1));
const submit = (account: string, cycle: string) => stage.submit(stage.asked(account, { terms: simpleTerms({ cycle }) }));
const isWeekend = (date: BusinessDate) => [0, 6].includes(weekday(date));

describe('settlement on the day itself', () => {
  it.each(['T+0', 'D+0'])('%s is for those who have been there for ninety days and traded on thirty in a row', async (cycle) => {
    await submit(await seller(90, daysTo(BEFORE, 30)), cycle).expect(201);
  });

  it('counts no days off on which nothing was sold, and is not broken by them', async () => {
    await submit(
      await seller(
        120,
        daysTo(BEFORE, 43).filter((date) => !isWeekend(date)),
      ),
      'T+0',
    ).expect(201);
  });

  it.each([
    ['a day too young', 89, daysTo(BEFORE, 40), `can be agreed for ${addDays(TODAY as BusinessDate, 1)} at the earliest`],
    ['a trading day short', 120, daysTo(BEFORE, 29), 'needs 30 trading days in a row; there are 29'],
    [
      'idle for a working day',
      120,
      [...daysTo(addDays(BEFORE, -8), 40), ...daysTo(BEFORE, 6)],
      'needs 30 trading days in a row; there are 6',
    ],
    ['long idle', 200, daysTo(addDays(BEFORE, -60), 60), 'needs 30 trading days in a row; there are 0'],
  ])('is refused to one who is %s', async (_, age, days, detail) => {
    const { body } = await submit(await seller(age, days), 'T+0').expect(422);
    expect(body).toMatchObject({ code: 'SETTLEMENT_TOO_EARLY', faults: [{ pointer: '/terms/cycle', detail }] });
  });

  it('is not what a sub-merchant can be opened with; the other cycles are, with their days', async () => {
    const open = (more: Record<string, unknown>) => stage.api.signed(stage.book, 'POST', '/v1/sub-merchants', body(more));
    const refused = await open({ cycle: 't+0' }).expect(422);
    expect(refused.body).toMatchObject({ code: 'SETTLEMENT_TOO_EARLY', faults: [{ pointer: '/cycle' }] });
    expect((await open({ cycle: 'weekly' }).expect(422)).body).toMatchObject({
      code: 'CYCLE_INVALID',
      faults: [{ pointer: '/payDay' }],
    });
    const opened = await open({ cycle: 'weekly', payDay: 5 }).expect(201);
    expect(opened.body).toMatchObject({ cycle: 'weekly', payDay: 5, cycleDays: null });
    // The same number with another day is another sub-merchant.
    const no = opened.body.merchantNo;
    expect((await open({ merchantNo: no, cycle: 'weekly', payDay: 5 }).expect(200)).body).toEqual(opened.body);
    expect((await open({ merchantNo: no, cycle: 'weekly', payDay: 4 }).expect(409)).body.code).toBe('MERCHANT_NO_REUSED');
  });
});

let opened = 0;
function body(more: Record<string, unknown>) {
  if (more.merchantNo === undefined) opened += 1;
  const party = { kind: 'company', name: '甲商户', idNo: '91350100M000100Y43' };
  const settlementAccount = { name: '甲商户', account: '6222020000000000001' };
  return { merchantNo: `SD-${opened}`, party, settlementAccount, ...more };
}
