import { asId, type Id, type Instant } from '../../kernel/index.js';
import type { RecordType } from '../../ledger/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import type { ClaimSale } from './rules.js';

interface SaleRow {
  id: string;
  platform_id: string;
  project_id: string;
  claim_id: string;
  seller_id: string;
  share: string;
  price: string;
  sold: string;
  paid: string;
  fee: number;
  until_ms: string;
  claim_turn: number;
  state: ClaimSale['state'];
  created_ms: string;
}

function saleOf(row: SaleRow): ClaimSale {
  return {
    ...{ id: asId(row.id), platformId: asId(row.platform_id), projectId: asId(row.project_id), claimId: asId(row.claim_id) },
    ...{ seller: asId(row.seller_id), share: BigInt(row.share), price: BigInt(row.price), sold: BigInt(row.sold) },
    ...{ paid: BigInt(row.paid), fee: Number(row.fee), untilMs: Number(row.until_ms) as Instant, turn: Number(row.claim_turn) },
    ...{ state: row.state, createdMs: Number(row.created_ms) as Instant },
  };
}

/** What is offered of the claims on one project. */
export interface ClaimSales {
  readonly projectId: Id;
  readonly sales: readonly ClaimSale[];
}

/** By project, in the order of the offers, those that nobody has seen end; there is always one, and it may be empty. */
export const saleRecords: RecordType<ClaimSales> = {
  name: 'claim-sales',
  accountsOf: ({ sales }) => sales.map(({ seller }) => seller),
  async load(tx, keys) {
    const rows = await tx.rows<SaleRow>(
      `SELECT * FROM lending_claim_sales WHERE project_id IN (${keys.join()}) AND state = 'open' ORDER BY id`,
    );
    const found = new Map<string, { projectId: Id; sales: ClaimSale[] }>(
      keys.map((key) => [key, { projectId: asId(key), sales: [] }]),
    );
    for (const row of rows) found.get(row.project_id)?.sales.push(saleOf(row));
    return found;
  },
  saving(all) {
    const rows = all.flatMap(({ sales }) =>
      sales.map(
        (s) =>
          `${s.id},${s.platformId},${s.projectId},${s.claimId},${s.seller},${s.share},${s.price},${s.sold},${s.paid},${s.fee},${s.untilMs},${s.turn},'${s.state}',${s.createdMs}`,
      ),
    );
    if (rows.length === 0) return undefined;
    return `INSERT INTO lending_claim_sales (id, platform_id, project_id, claim_id, seller_id, share, price, sold, paid, fee, until_ms, claim_turn,
       state, created_ms) VALUES ${sql.tuples(rows)} ON DUPLICATE KEY UPDATE sold = VALUES(sold), paid = VALUES(paid), state = VALUES(state)`;
  },
};

/** All offers on a project, also those that are over, in their order. */
export async function salesOn(tx: Tx, projectId: Id, after: Id | undefined, limit: number): Promise<ClaimSale[]> {
  const rows = await tx.rows<SaleRow>('SELECT * FROM lending_claim_sales WHERE project_id = ? AND id > ? ORDER BY id LIMIT ?', [
    projectId,
    after ?? '0',
    limit,
  ]);
  return rows.map(saleOf);
}
