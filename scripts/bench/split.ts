import { createHash } from 'node:crypto';
import { executeShard } from '../../src/instructions/index.js';
import type { Id } from '../../src/kernel/index.js';
import { loadBook, setTerms } from '../../src/ledger/index.js';
import { type Runtime, sql } from '../../src/runtime/index.js';
import {
  type Asked,
  type BenchBook,
  cny,
  FIRST_DATE,
  fund,
  type Give,
  giver,
  measure,
  openBook,
  PER_ROUND,
  randomPair,
  receiveAll,
  transferOf,
  withRuntime,
} from './book.js';
import { median, seeded } from './figures.js';

const ROUNDS = 5;
const SELLERS = 1000;
const ENTRIES_OF_SPLIT = 6; // the order and five receivers
const ENTRIES_OF_TRANSFER = 2;

/**
 * Splits of orders that the bank computes by the seller's agreement: five receivers under a rule of three levels, in turns with plain
 * transfers between as many accounts of another book, whose owners agreed on nothing. Figures are medians over five rounds of 20,000; paying the orders is not measured.
 */
export function benchSplit(args: readonly string[]): Promise<Record<string, number>> {
  const chance = seeded(Number(args[args.indexOf('--seed') + 1] ?? 0) || 1);
  return withRuntime(async (rt) => {
    const other = await openBook(rt);
    const giveOther = giver(other.platformId);
    await fund(rt, other, giveOther);
    const book = await openBook(rt);
    const give = giver(book.platformId);
    await agree(rt, book);
    const plain: number[] = [];
    const splits: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const orders = await payOrders(rt, book, give, round);
      const transfers = (await measure(rt, giveOther, () => transferOf(randomPair(other.subs, chance)))).posting;
      const shared = (await measure(rt, give, () => orders.pop() as Asked)).posting;
      process.stderr.write(`round ${round}: transfers ${Math.round(transfers)}, splits ${Math.round(shared)} a second\n`);
      if (round === 0) continue; // warm-up
      plain.push(transfers);
      splits.push(shared);
    }
    const ratios = splits.map((value, round) => (value * ENTRIES_OF_SPLIT) / ((plain[round] as number) * ENTRIES_OF_TRANSFER));
    return {
      splits: ROUNDS * PER_ROUND,
      perSecond: Math.round(median(splits)),
      entriesPerSecond: Math.round(median(splits) * ENTRIES_OF_SPLIT),
      postingEntriesPerSecond: Math.round(median(plain) * ENTRIES_OF_TRANSFER),
      ratio: Number(median(ratios).toFixed(3)),
    };
  });
}

/** 10 % of the goods go to the platform's side: of that 60 % to it, the rest to partners, who share it in two levels. */
function termsWith([agent, promoter, courier]: readonly Id[]): string {
  const to = (id: Id | undefined) => ({ account: `acc_${id}` });
  return JSON.stringify({
    rule: {
      levels: {
        order: {
          lines: [
            { to: { level: 'platform' }, take: { percent: 1000, of: 'goods' } },
            { to: to(courier), take: { fixed: 300 }, max: 500 },
          ],
          remainder: 'seller',
        },
        platform: { lines: [{ to: { level: 'partners' }, take: { percent: 4000 } }], remainder: 'commission' },
        partners: { lines: [{ to: to(agent), take: { percent: 7500 }, min: 1 }], remainder: to(promoter) },
      },
    },
    ...{ othersCap: 3000, profitMax: 3000, orderMax: null, volume: { day: null, month: null }, cycle: 'T+1' },
  });
}

async function agree(rt: Runtime, book: BenchBook): Promise<void> {
  const nowMs = rt.clock.now();
  const rows = book.subs.slice(0, SELLERS).map((seller, place) => {
    const partners = [1, 2, 3].map((step) => book.subs[SELLERS + place * 3 + step] as Id);
    const json = termsWith(partners);
    return { seller, agreement: rt.newId(), version: rt.newId(), json, hash: createHash('sha256').update(json).digest() };
  });
  await rt.db.withTx('bench-agreements', async (tx) => {
    const { terms: agreed } = await loadBook(tx, book.platformId);
    await setTerms(tx, book.platformId, { ...agreed, agreements: 'required' });
    const terms = rows.map((r) => `${sql.hex(r.hash)},${sql.text(r.json)}`);
    await tx.write(`INSERT INTO agreement_terms (hash, terms) VALUES ${sql.tuples(terms)}`);
    const agreements = rows.map((r) => `${r.agreement},${book.platformId},${r.seller},'A-${r.seller}',${nowMs}`);
    await tx.write(
      `INSERT INTO agreements (id, platform_id, account_id, agreement_no, created_ms) VALUES ${sql.tuples(agreements)}`,
    );
    const versions = rows.map(
      (r) =>
        `${r.version},${r.agreement},${book.platformId},${r.seller},1,NULL,${sql.hex(r.hash)},${sql.hex(r.hash)},'approved','${FIRST_DATE}',` +
        `NULL,1,1,${nowMs},${nowMs},${nowMs}`,
    );
    await tx.write(
      `INSERT INTO agreement_versions (id, agreement_id, platform_id, account_id, version, amends, terms_hash, content_hash, state,
         valid_from, valid_to, needed, signed, submitted_ms, countersigned_ms, decided_ms) VALUES ${sql.tuples(versions)}`,
    );
  });
}

/** An order of one seller for each split to come. */
async function payOrders(rt: Runtime, { subs }: BenchBook, give: Give, round: number): Promise<Asked[]> {
  const payer = { name: 'bench', account: '622202000000000007' };
  const orders = Array.from({ length: PER_ROUND }, (_, place) => ({
    orderNo: `B-${round}-${place}`,
    seller: subs[place % SELLERS],
  }));
  await receiveAll(
    rt,
    orders.map(({ orderNo, seller }, place) => {
      const item = { item: '1', seller: `acc_${seller}`, name: 'goods', category: 'goods', quantity: 1 };
      const background = { buyer: 'bench', items: [{ ...item, price: cny(BigInt(10_000 + place)), freight: cny(500n) }] };
      return give('payment', { orderNo, amount: cny(BigInt(10_500 + place)), payer, reference: orderNo, background });
    }),
  );
  await executeShard(rt, 0);
  return orders.map(({ orderNo }) => ['split', { orderNo }] as const);
}
