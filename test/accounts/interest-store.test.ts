import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Accrual, accrualRecords, paidUpTo, productOf, segmentsOf } from '../../src/accounts/index.js';
import { addDays, type BusinessDate, type Id } from '../../src/kernel/index.js';
import { startWorld, type World } from '../support/world/world.js';

const FIRST = '2028-01-01' as BusinessDate;
const DAYS = 150;

/** What an account's entries are, in their order: which day, and what stood on it then. */
type History = readonly { readonly day: BusinessDate; readonly balance: bigint }[];

const histories = fc.array(
  fc.array(fc.record({ day: fc.integer({ min: 0, max: DAYS - 1 }), balance: fc.bigInt({ min: 0n, max: 2n ** 53n - 1n }) }), {
    maxLength: 25,
  }),
  { minLength: 1, maxLength: 5 },
);

let world: World;
beforeAll(async () => {
  world = await startWorld(Date.parse('2028-06-01T10:00:00+08:00'));
});
afterAll(() => world.close());

async function keep(histories_: readonly History[]): Promise<Id[]> {
  const { db, rt } = world;
  const ids = histories_.map(() => rt.newId());
  await db.withTx('histories', async (tx) => {
    for (const [place, history] of histories_.entries()) {
      const id = ids[place] as Id;
      await tx.write(
        `INSERT INTO electronic_accounts (account_id, platform_id, customer_id, user_id, class, virtual_no, state, face_to_face, funded,
           card_index, card_class, interest_from, opened_ms) VALUES (?, 1, 1, 1, 2, ?, 'active', 1, 1, ?, '1', ?, 0)`,
        [id, id, Buffer.alloc(32), FIRST],
      );
      for (const [seq, { day, balance }] of history.entries()) {
        await tx.write(
          `INSERT INTO entries (account_id, seq, instruction_id, amount, balance, business_date, posted_ms, hash)
           VALUES (?, ?, ?, 1, ?, ?, 0, ?)`,
          [id, seq + 1, rt.newId(), String(balance), day, Buffer.alloc(32)],
        );
      }
    }
  });
  return ids;
}

/** Each day by itself, from the entries. */
function naive(history: History, from: BusinessDate, through: BusinessDate): bigint {
  let product = 0n;
  for (let date = from; date <= through; date = addDays(date, 1))
    product += history.findLast((entry) => entry.day <= date)?.balance ?? 0n;
  return product;
}

describe('accruals', () => {
  test('of several accounts at once are what their entries say, before and after a period was paid', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.integer({ min: 0, max: DAYS }), async (drawn, paid) => {
        const kept = drawn.map((entries) =>
          entries.map(({ day, balance }) => ({ day: addDays(FIRST, day), balance })).sort((a, b) => (a.day < b.day ? -1 : 1)),
        );
        const ids = await keep(kept);
        const end = addDays(FIRST, DAYS + 10);
        const load = () => world.db.read('accruals', (tx) => accrualRecords.load(tx, ids));
        const first = await load();
        for (const [place, id] of ids.entries()) {
          const accrual = first.get(id) as Accrual;
          expect(productOf(segmentsOf(accrual, FIRST, end), true)).toBe(naive(kept[place] as History, FIRST, end));
        }
        const through = addDays(FIRST, paid);
        const after = [...first.values()].map((accrual) => paidUpTo(accrual, through));
        await world.db.withTx('checkpoints', (tx) => tx.write(accrualRecords.saving(after) as string));
        const second = await load();
        const from = addDays(through, 1);
        for (const [place, id] of ids.entries()) {
          const accrual = second.get(id) as Accrual;
          expect(accrual.days.every((day) => day.day > through)).toBe(true);
          expect(productOf(segmentsOf(accrual, from, end), true)).toBe(naive(kept[place] as History, from, end));
        }
      }),
      { seed: 20, numRuns: 40 },
    );
  });
});
