import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AGREEMENT_DOORS } from './personal-agreement-doors.js';
import { CLAIM_DOORS, SUSPENSE_DOORS } from './personal-claims-doors.js';
import { CUSTOMER_DOORS } from './personal-customer-doors.js';
import { DOORS as MONEY_DOORS } from './personal-doors.js';
import { emptyTables, Search } from './personal-search.js';
import { openStage, type Stage } from './personal-stage.js';
import { LAST_DOORS, SUPERVISION_DOORS } from './personal-supervision-doors.js';

const DOORS = {
  ...{ ...AGREEMENT_DOORS, ...CLAIM_DOORS, ...MONEY_DOORS, ...SUSPENSE_DOORS },
  ...{ ...SUPERVISION_DOORS, ...CUSTOMER_DOORS, ...LAST_DOORS },
};

/**
 * Personal data goes through every door there is; then nothing of it stands in plain anywhere: in no column of no table, in Redis nowhere,
 * in no image that is kept, and in no line that a process wrote.
 */
describe('personal data at rest', () => {
  let stage: Stage;
  const plain = new Map<string, readonly string[]>();
  beforeAll(async () => {
    stage = await openStage();
  }, 60_000);
  afterAll(() => stage?.end());

  test.each(Object.entries(DOORS))(
    'goes in: %s',
    async (name, door) => {
      const values = await door(stage);
      expect(values.length).toBeGreaterThan(0);
      plain.set(name, values);
    },
    60_000,
  );

  test('and stands in plain nowhere in the database', async () => {
    expect([...plain.keys()]).toEqual(Object.keys(DOORS));
    const search = new Search([...plain.values()].flat());
    expect(await search.database(stage.fresh.db)).toBeGreaterThan(1_000);
    expect(search.found).toEqual([]);
  });

  test('where every table was reached by a door but those that hold nothing of people', async () => {
    const without = [
      ...['holds', 'inbox', 'interest_checkpoints', 'interest_lines', 'payment_stops', 'proof_policies'],
      // Accounts, amounts, dates, and the platform's number of an order whose own door is another.
      ...['receivables', 'seller_turnovers'],
      ...['channel_circuits', 'channel_outages', 'float_transfers', 'payout_intercepts', 'payout_texts'],
      // Rules of accounts, sums that a channel owes, and companies that the bank has a contract with.
      ...['pay_in_rules', 'channel_accounts', 'channel_collections', 'acquirers', 'acquirer_files', 'acquirer_trades'],
      // Funds, their companies and their sealed custody accounts, which are companies'; units, amounts and dates of accounts.
      ...['funds', 'fund_proposals', 'fund_days', 'fund_books', 'fund_holdings', 'fund_orders', 'fund_fast_uses'],
      // Which file of which day was found right with which key of the platform; whether its clearings are looked at; public keys.
      ...['check_file_confirmations', 'clearing_holds', 'file_keys'],
      // Blind indexes of borrowers; accounts and amounts of what was lent; a voucher is sealed as those of deals are.
      ...['lending_projects', 'lending_borrowers', 'lending_parties', 'lending_confirmations', 'lending_bids'],
      // Companies, dates, digests, and the ids of orders in files.
      ...['fund_files', 'fund_file_orders'],
      ...['lending_claims', 'lending_compensations', 'lending_claim_sales'],
      // What people write of them is sealed: test/lending/terms.
      'lending_terms',
      // The digest of an export and the reference of the one transfer: its members come in by the doors of members.
      'takeovers',
    ];
    expect((await emptyTables(stage.fresh.db)).filter((table) => !without.includes(table))).toEqual([]);
  });

  test('nor in Redis', async () => {
    const search = new Search([...plain.values()].flat());
    await search.redis(stage.fresh.redisUrl, stage.fresh.redisPrefix);
    expect(search.found).toEqual([]);
  });

  test('nor in what the processes logged', () => {
    const search = new Search([...plain.values()].flat());
    search.files(stage.logs);
    for (const line of stage.bankLog) search.within('bank', line);
    expect(search.found).toEqual([]);
  });

  test('nor in the store of images', () => {
    const search = new Search([...plain.values()].flat());
    expect(search.files(stage.documents)).toBeGreaterThan(0);
    expect(search.found).toEqual([]);
  });

  test('while the same search finds a plain text that was left lying about, in whatever form', async () => {
    const { db } = stage.fresh;
    const [name] = [...plain.values()].flat() as [string];
    await db.withTx('leave', async (tx) => {
      await tx.write('INSERT INTO counters (name, value) VALUES (?, 1)', [name]);
      await tx.write('UPDATE breaks SET note = ?', [Buffer.from(`by ${name}!`.slice(1)).toString('base64')]);
      await tx.write('UPDATE statements SET digest = ?', [Buffer.from(name.padEnd(16, ' ')).subarray(0, 32)]);
    });
    const search = new Search([name]);
    await search.database(db);
    expect([...new Set(search.found)].sort()).toEqual(
      ['breaks.note', 'counters.name', 'statements.digest'].map((where) => `${where}: ${name}`),
    );
  });

  test('while the same search finds what is no secret: an order number, a custody account, a path', async () => {
    const search = new Search(['W-1', stage.custodyNo]);
    await search.database(stage.fresh.db);
    expect(search.found).toEqual(expect.arrayContaining(['orders.order_no: W-1', `books.custody_no: ${stage.custodyNo}`]));
    const said = (file: string, words: string) => readFileSync(join(stage.logs, file), 'utf8').includes(words);
    expect(said('api.log', '/v1/sub-merchants')).toBe(true);
    expect(said('api.log', '"event":"fault"')).toBe(true);
    expect(said('worker.log', '"event":"job.failed"')).toBe(true);
  });
});
