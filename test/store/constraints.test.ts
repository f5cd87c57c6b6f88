import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type FreshDatabase, freshDatabase } from '../support/database.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase({ poolSize: 2 });
});
afterAll(() => fresh?.drop());

type Row = Readonly<Record<string, string | number | null>>;

/** The rules that the database itself keeps, and what breaks each of them. */
const CHECKS: Readonly<Record<string, readonly (readonly [table: string, row: Row])[]>> = {
  accounts_floor_assets: [
    ['accounts', { type: 'sub', balance: -1, held: 0 }],
    ['accounts', { type: 'sub', balance: 99, held: 100 }],
    ['accounts', { type: 'order', balance: -1, held: 0 }],
    ['accounts', { type: 'custody', balance: 1, held: 0 }],
    ['accounts', { type: 'channel-due', balance: 1, held: 0 }],
  ],
  accounts_held: [['accounts', { type: 'sub', balance: 5, held: -1 }]],
  uncleared_amount: [['uncleared', { amount: -1 }]],
  uncleared_owed: [
    ['uncleared', { amount: 5, owed: 6 }],
    ['uncleared', { amount: 5, owed: -1 }],
  ],
  entries_amount: [['entries', { amount: 0 }]],
  interest_lines_amount: [['interest_lines', { amount: -1 }]],
  orders_adds_up: [
    ['orders', { paid: 100, split: 101 }],
    ['orders', { paid: 100, split: 60, refunded: 41 }],
    ['orders', { paid: 100, subsidised: 20, subsidy_returned: 1, split: 120 }],
  ],
  orders_refunded: [['orders', { paid: 100, subsidised: 20, refunded: 101 }]],
  orders_subsidy: [
    ['orders', { paid: 100, subsidised: 20, subsidy_returned: 21 }],
    ['orders', { paid: 100, subsidised: 20, subsidy_returned: -1 }],
  ],
  agreement_versions_two: [['agreement_versions', { state: 'approved', checked_by: 7, decided_by: 7 }]],
  agreement_versions_signed: [['agreement_versions', { needed: 1, signed: 2 }]],
  channel_floats_reserved: [['channel_floats', { reserved: -1 }]],
  float_transfers_amount: [['float_transfers', { amount: 0 }]],
  float_transfers_two: [['float_transfers', { amount: 1, proposed_by: 'a', decided_by: 'a' }]],
  clearing_nets_sum: [['clearing_nets', { due: 5, fees: 1, net: 5 }]],
  late_corrections_two: [['late_corrections', { state: 'approved', proposed_by: 7, decided_by: 7 }]],
  large_value_reports_two: [['large_value_reports', { state: 'exempted', proposed_by: 7, decided_by: 7 }]],
  suspicion_cases_decided: [
    ['suspicion_cases', { state: 'confirmed', proposed_by: 7, decided_by: 7 }],
    ['suspicion_cases', { state: 'confirmed', proposed_by: null, decided_by: 7 }],
    ['suspicion_cases', { state: 'dismissed', proposed_by: 7, decided_by: null }],
    ['suspicion_cases', { state: 'reported', proposed_by: null, decided_by: null }],
    ['suspicion_cases', { state: 'under-review', proposed_by: 7, decided_by: 8 }],
  ],
  tax_adjustments_two: [['tax_adjustments', { proposed_by: 7, decided_by: 7 }]],
  break_repairs_two: [['break_repairs', { state: 'approved', proposed_by: 7, decided_by: 7 }]],
  acquirer_files_two: [['acquirer_files', { state: 'released', uploaded_by: 7, decided_by: 7 }]],
  margins_target: [['margins', { target: -1 }]],
  escrow_funds_conserved: [
    ['escrow_funds', { amount: 5, released: 3, back: 3, sent: 0 }],
    ['escrow_funds', { amount: 5, released: -1, back: 0, sent: 0 }],
    ['escrow_funds', { amount: 5, released: 0, back: 2, sent: 3 }],
  ],
  lending_projects_raised: [
    ['lending_projects', { amount: 5, raised: 6 }],
    ['lending_projects', { amount: 5, raised: -1 }],
  ],
  lending_projects_left: [
    ['lending_projects', { amount: 5, principal_left: 6 }],
    ['lending_projects', { amount: 5, principal_left: -1 }],
    ['lending_projects', { amount: 5, unrecovered: -1 }],
  ],
  lending_bids_own: [
    ['lending_bids', { own: -1, state: 'freed' }],
    ['lending_bids', { own: 1, marketing: -1 }],
    ['lending_bids', { own: 1, cancelled: -1 }],
    ['lending_bids', { own: 0, marketing: 5, state: 'open' }],
  ],
  lending_claims_left: [
    ['lending_claims', { principal: 5, principal_left: 6 }],
    ['lending_claims', { principal: 5, principal_left: -1 }],
  ],
  lending_compensations_recovered: [
    ['lending_compensations', { amount: 5, recovered: 6 }],
    ['lending_compensations', { amount: 5, recovered: -1 }],
  ],
  escrow_reviews_two: [['escrow_reviews', { state: 'approved', proposed_by: 7, decided_by: 7 }]],
  fund_proposals_two: [['fund_proposals', { state: 'approved', proposed_by: 7, decided_by: 7 }]],
  funds_settles: [['funds', { settles_in: 0 }]],
  fund_days_values: [
    ['fund_days', { nav: 0 }],
    ['fund_days', { nav: 1, from_date: '2026-03-03', fund_date: '2026-03-02' }],
  ],
  fund_books_advanced: [['fund_books', { advanced: -1 }]],
  fund_holdings_floor: [
    ['fund_holdings', { units: 5, frozen: 6 }],
    ['fund_holdings', { units: 5, frozen: -1 }],
    ['fund_holdings', { pending: -1 }],
    ['fund_holdings', { due: -1 }],
  ],
  fund_orders_amounts: [
    ['fund_orders', { amount: -1 }],
    ['fund_orders', { units: -1 }],
    ['fund_orders', { collected: -1 }],
  ],
  fund_fast_uses_used: [['fund_fast_uses', { used: -1 }]],
  lending_terms_two: [['lending_terms', { in_force: 1, proposed_by: 7, decided_by: 7 }]],
  lending_terms_ceiling: [['lending_terms', { advance_ceiling: -1, proposed_by: 7, decided_by: 8 }]],
  lending_claim_sales_sold: [
    ['lending_claim_sales', { share: 5, price: 5, sold: 6, paid: 5 }],
    ['lending_claim_sales', { share: 5, price: 5, sold: 5, paid: 6 }],
    ['lending_claim_sales', { share: 0, price: 5, sold: 0, paid: 0 }],
  ],
  account_watches_marks: [
    ['account_watches', { reserve: -1 }],
    ['account_watches', { bank_reserve: -1 }],
    ['account_watches', { alert: -1 }],
  ],
  advances_outstanding: [
    ['advances', { ceiling: -1 }],
    ['advances', { outstanding: -1 }],
  ],
  receivables_recovered: [
    ['receivables', { amount: 5, recovered: 6 }],
    ['receivables', { amount: 5, recovered: -1 }],
  ],
  diversions_amount: [['diversions', { amount: 0 }]],
  shortages_missing: [
    ['shortages', { amount: 0 }],
    ['shortages', { amount: 5, missing: -1 }],
    ['shortages', { amount: 5, tries: -1 }],
  ],
  shortage_lines_missing: [
    ['shortage_lines', { wanted: -1 }],
    ['shortage_lines', { missing: -1 }],
  ],
  claims_conserved: [
    ['claims', { amount: 5, let_go: 3, taken: 3 }],
    ['claims', { amount: 5, let_go: -1 }],
    ['claims', { amount: 5, taken: -1 }],
  ],
  disputes_adds_up: [
    ['disputes', { amount: 0 }],
    ['disputes', { amount: 5, on_order: 5, on_receiver: 1 }],
    ['disputes', { amount: 5, on_order: 6, on_receiver: -1 }],
    ['disputes', { amount: 5, on_order: -1, on_receiver: 6 }],
    ['disputes', { amount: 5, on_order: 3, on_receiver: 2, given_back: 3 }],
    ['disputes', { amount: 5, on_order: 3, on_receiver: 2, given_back: -1 }],
  ],
  judicial_freezes_dates: [['judicial_freezes', { from_date: '2026-03-02', until_date: '2026-03-01' }]],
  judicial_orders_amount: [['judicial_orders', { amount: 0 }]],
  judicial_deductions_amount: [['judicial_deductions', { amount: 0 }]],
  judicial_deductions_two: [
    ['judicial_deductions', { amount: 5, state: 'approved', asked_by: 7, decided_by: 7 }],
    ['judicial_deductions', { amount: 5, state: 'ordered', asked_by: 7, decided_by: 7 }],
  ],
  suspense_items_conserved: [
    ['suspense_items', { amount: 5, attributed: 2, returned: 2, undone: 2 }],
    ['suspense_items', { amount: 5, attributed: -1 }],
    ['suspense_items', { amount: 5, returned: -1 }],
    ['suspense_items', { amount: 5, undone: -1 }],
  ],
  suspense_proposals_amount: [['suspense_proposals', { amount: 0 }]],
  suspense_proposals_two: ['approved', 'done', 'undone'].map(
    (state) => ['suspense_proposals', { amount: 5, state, proposed_by: 7, decided_by: 7 }] as const,
  ),
  batch_files_counts: [
    ['batch_files', { line_count: -1 }],
    ['batch_files', { total: -1 }],
    ['batch_files', { attempt: -1 }],
  ],
  review_rules_minutes: [['review_rules', { minutes: 0 }]],
  review_rules_two: ['approved', 'ended'].map(
    (state) => ['review_rules', { minutes: 5, state, proposed_by: 7, decided_by: 7, end_asked_by: 7, ended_by: 8 }] as const,
  ),
  review_rules_end_two: [
    ['review_rules', { minutes: 5, state: 'ended', proposed_by: 7, decided_by: 8, end_asked_by: 7, ended_by: 7 }],
  ],
  reviews_amount: [['reviews', { amount: -1 }]],
  review_holds_amount: [['review_holds', { amount: 0 }]],
  order_shares_returned: [
    ['order_shares', { split: 10, returned: 11 }],
    ['order_shares', { split: 10, returned: -1 }],
  ],
  holds_conserved: [
    ['holds', { amount: 100, captured: 60, released: 41 }],
    ['holds', { amount: 100, captured: -1 }],
    ['holds', { amount: 100, released: -1 }],
    ['holds', { amount: 100, captured: 101 }],
  ],
  clearing_lines_amount: [['clearing_lines', { amount: 0 }]],
  clearing_lines_fee: [['clearing_lines', { amount: 1, fee: -1 }]],
  payouts_amount: [['payouts', { amount: 0 }]],
};

const SOUND: readonly (readonly [table: string, row: Row])[] = [
  ['suspicion_cases', { state: 'raised', proposed_by: null, decided_by: null }],
  ['suspicion_cases', { state: 'under-review', proposed_by: 7, decided_by: null }],
  ['suspicion_cases', { state: 'reported', proposed_by: 7, decided_by: 8 }],
  ['agreement_versions', { state: 'approved', checked_by: 7, decided_by: 8, needed: 1, signed: 1 }],
  ['disputes', { amount: 5, on_order: 3, on_receiver: 2, given_back: 2 }],
  ['judicial_deductions', { amount: 5, state: 'approved', asked_by: 7, decided_by: 8 }],
  ['review_rules', { minutes: 5, state: 'ended', proposed_by: 7, decided_by: 8, end_asked_by: 7, ended_by: 8 }],
  ['suspense_proposals', { amount: 5, state: 'withdrawn', proposed_by: 7, decided_by: 7 }],
  ['accounts', { type: 'sub', balance: 100, held: 100 }],
  ['accounts', { type: 'custody', balance: -5 }],
  ['orders', { paid: 100, split: 60, returned: 10, refunded: 50 }],
  ['orders', { paid: 100, subsidised: 20, split: 120 }],
  ['holds', { amount: 100, captured: 60, released: 40 }],
  ['order_shares', { split: 10, returned: 10 }],
  ['uncleared', { amount: 0 }],
  ['entries', { amount: -1 }],
  ['payouts', { amount: 1 }],
];

/** The statement that writes a row; columns that the test does not speak of get a plain value of their type. */
async function inserting(table: string, row: Row): Promise<string> {
  const columns = await fresh.db.read('columns', (tx) =>
    tx.rows<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = DATABASE() AND table_name = ?`,
      [table],
    ),
  );
  const plain = (type: string) => (type === 'date' ? "'2026-03-02'" : /char|text|binary/.test(type) ? "''" : '0');
  const value = (given: string | number | null) =>
    given === null ? 'NULL' : typeof given === 'string' ? `'${given}'` : String(given);
  const values = columns.map(({ name, type }) => (row[name] === undefined ? plain(type) : value(row[name])));
  return `INSERT INTO ${table} (${columns.map(({ name }) => name).join()}) VALUES (${values.join()})`;
}

/** Runs a statement that is undone again whatever it says. */
async function attempt(statement: string): Promise<string> {
  const undo = new Error('undone');
  try {
    await fresh.db.withTx('attempt', async (tx) => {
      await tx.write(statement);
      throw undo;
    });
  } catch (error) {
    return error === undo ? 'accepted' : (error as Error).message;
  }
  return 'unreachable';
}

describe('the database itself refuses', () => {
  it('what breaks one of these rules, and there are no others', async () => {
    const rows = await fresh.db.read('checks', (tx) =>
      tx.rows<{ name: string }>(
        'SELECT constraint_name AS name FROM information_schema.check_constraints WHERE constraint_schema = DATABASE()',
      ),
    );
    expect(rows.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(CHECKS)));
    expect(rows.map(({ name }) => name).filter((name) => !(name in CHECKS))).toEqual([]);
  });

  const cases = Object.entries(CHECKS).flatMap(([name, rows]) => rows.map(([table, row]) => [name, table, row] as const));
  it.each(cases)('%s: %s %j', async (name, table, row) => {
    expect(await attempt(await inserting(table, row))).toMatch(name);
  });

  it.each(SOUND)('but accepts a sound row: %s %j', async (table, row) => {
    expect(await attempt(await inserting(table, row))).toBe('accepted');
  });

  it.each([
    [
      'an amount beyond BIGINT',
      "INSERT INTO uncleared (account_id, due_date, amount) VALUES (1, '2026-03-02', 9223372036854775808)",
    ],
    ['a date that is none', "INSERT INTO uncleared (account_id, due_date, amount) VALUES (1, '2026-02-30', 1)"],
    ['a text that is too long', "INSERT INTO counters VALUES (REPEAT('x', 33), 1)"],
  ])('%s instead of bending it', async (_name, statement) => {
    expect(await attempt(statement)).toMatch(/out of range|incorrect date|too long/i);
  });
});

/** The keys that make a second one impossible: everything else of the kind is read before it is written. */
const UNIQUE: Readonly<Record<string, string>> = {
  'books.books_custody_no': 'custody_no',
  'instructions.instructions_request': 'platform_id,origin,request_no',
  'orders.orders_order_no': 'platform_id,order_no',
  'sub_merchants.sub_merchants_number': 'platform_id,merchant_no',
  'sub_merchants.sub_merchants_virtual_no': 'virtual_no',
  'sub_merchants.sub_merchants_account': 'account_id',
  'agreements.agreements_number': 'platform_id,agreement_no',
  'agreements.agreements_account': 'account_id',
  'agreement_versions.agreement_versions_number': 'agreement_id,version',
  'agreement_signatures.agreement_signatures_live': 'version_id,account_id,live',
  'escrow_deals.escrow_deals_by_no': 'platform_id,escrow_no',
  'escrow_confirmations.escrow_confirmations_live': 'escrow_id,item,role,live',
  'lending_projects.lending_projects_by_no': 'platform_id,project_no',
  'lending_confirmations.lending_confirmations_live': 'project_id,role,live',
  'lending_claims.lending_claims_by_project': 'project_id,place',
  'agreement_groups.agreement_groups_number': 'platform_id,group_no',
  'entries.PRIMARY': 'instruction_id,account_id',
  'entries.entries_chain': 'account_id,seq',
  'breaks.breaks_one_a_party': 'platform_id,party,business_date,reference',
  'break_repairs.break_repairs_live': 'break_id,live',
  'outcomes.PRIMARY': 'instruction_id',
  'corrections.PRIMARY': 'original_id',
  'payouts.PRIMARY': 'id',
  'outbox.PRIMARY': 'shard_id,seq',
  'boundary.PRIMARY': 'platform_id,business_date,instruction_id',
};

describe('the keys', () => {
  it('keep what may be there once alone', async () => {
    const rows = await fresh.db.read('keys', (tx) =>
      tx.rows<{ name: string; columns: string }>(
        `SELECT CONCAT(table_name, '.', index_name) AS name, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns
         FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 GROUP BY table_name, index_name`,
      ),
    );
    const keys = Object.fromEntries(rows.map(({ name, columns }) => [name, columns]));
    expect(keys).toMatchObject(UNIQUE);
  });

  it('of every table include a primary one', async () => {
    const rows = await fresh.db.read('tables', (tx) =>
      tx.rows<{ name: string }>(
        `SELECT t.table_name AS name FROM information_schema.tables AS t WHERE t.table_schema = DATABASE() AND NOT EXISTS
           (SELECT 1 FROM information_schema.statistics AS s
            WHERE s.table_schema = t.table_schema AND s.table_name = t.table_name AND s.index_name = 'PRIMARY')`,
      ),
    );
    expect(rows).toEqual([]);
  });

  it('never count by themselves: ids are made by the application', async () => {
    const rows = await fresh.db.read('columns', (tx) =>
      tx.rows(
        `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND extra LIKE '%increment%'
         AND table_name <> 'migrations'`,
      ),
    );
    expect(rows).toEqual([]);
  });
});
