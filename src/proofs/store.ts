import { asId, type BusinessDate, type Id, type Instant } from '../kernel/index.js';
import type { AccountType, ClosingCursor } from '../ledger/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { CUSTODY_VERSION, type CustodyContent, type CustodyProof } from './rules.js';

/** A block of leaves: behind which account it begins (undefined: at the first), and the root of the tree over it. */
export interface Block {
  readonly after: ClosingCursor | undefined;
  readonly hash: Buffer;
}

interface ProofRow {
  content: string;
  hash: Buffer;
  key_id: string;
  signature: string;
}

function proofOf(row: ProofRow): CustodyProof {
  return {
    version: CUSTODY_VERSION,
    content: JSON.parse(row.content) as CustodyContent,
    hash: row.hash.toString('hex'),
    keyId: row.key_id,
    signature: row.signature,
  };
}

const PROOF = 'SELECT content, hash, key_id, signature FROM custody_proofs WHERE platform_id = ?';

export async function findProof(tx: Tx, platformId: Id, date: BusinessDate): Promise<CustodyProof | undefined> {
  const [row] = await tx.rows<ProofRow>(`${PROOF} AND business_date = ?`, [platformId, date]);
  return row && proofOf(row);
}

/** The latest proof of a platform before a date. */
export async function proofBefore(tx: Tx, platformId: Id, date: BusinessDate): Promise<CustodyProof | undefined> {
  const [row] = await tx.rows<ProofRow>(`${PROOF} AND business_date < ? ORDER BY business_date DESC LIMIT 1`, [platformId, date]);
  return row && proofOf(row);
}

/** The proofs of a platform after a date, in the order of their chain. */
export async function proofsAfter(tx: Tx, platformId: Id, date: BusinessDate, limit: number): Promise<CustodyProof[]> {
  const rows = await tx.rows<ProofRow>(`${PROOF} AND business_date > ? ORDER BY business_date LIMIT ?`, [
    platformId,
    date,
    limit,
  ]);
  return rows.map(proofOf);
}

/** @throws a duplicate-key error when the day has a proof, or the one before it has a successor */
export async function insertProof(
  tx: Tx,
  platformId: Id,
  canonical: string,
  { content, hash, keyId, signature }: CustodyProof,
  nowMs: Instant,
): Promise<void> {
  await tx.write(
    `INSERT INTO custody_proofs (platform_id, business_date, content, hash, previous, key_id, signature, attested_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      platformId,
      content.date,
      canonical,
      Buffer.from(hash, 'hex'),
      Buffer.from(content.previous, 'hex'),
      keyId,
      signature,
      nowMs,
    ],
  );
}

const PART = 1_000;

export async function insertBlocks(tx: Tx, platformId: Id, date: BusinessDate, blocks: readonly Block[]): Promise<void> {
  for (let from = 0; from < blocks.length; from += PART) {
    const rows = blocks
      .slice(from, from + PART)
      .map(
        ({ after, hash }, place) =>
          `${platformId},'${date}',${from + place},${sql.nullableText(after?.type)},${after?.after ?? 'NULL'},${sql.hex(hash)}`,
      );
    await tx.write(
      `INSERT INTO custody_proof_blocks (platform_id, business_date, block_no, after_type, after_account, hash) VALUES ${sql.tuples(rows)}`,
    );
  }
}

/** The blocks of a day's tree in their order: for a million accounts two hundred and fifty. */
export async function blocksOf(tx: Tx, platformId: Id, date: BusinessDate): Promise<Block[]> {
  const rows = await tx.rows<{ after_type: AccountType | null; after_account: string | null; hash: Buffer }>(
    'SELECT after_type, after_account, hash FROM custody_proof_blocks WHERE platform_id = ? AND business_date = ? ORDER BY block_no',
    [platformId, date],
  );
  return rows.map(({ after_type: type, after_account: account, hash }) => ({
    after: type === null || account === null ? undefined : { type, after: asId(account) },
    hash,
  }));
}
