import { asId, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx } from '../runtime/index.js';
import { ID_TYPES, type Party, type PartyKind } from './rules.js';

export interface StoredParty extends Party {
  readonly id: Id;
  readonly platformId: Id;
  readonly createdMs: Instant;
}

export async function insertParties(tx: Tx, parties: readonly StoredParty[]): Promise<void> {
  if (parties.length === 0) return;
  const rows = parties.map(
    (p) =>
      `${p.id},${p.platformId},'${p.kind}',${sql.text(p.name)},'${ID_TYPES[p.kind]}',${sql.text(p.idNo)},` +
      `${sql.nullableText(p.legalRepresentative)},${sql.nullableText(p.mobile)},${p.createdMs}`,
  );
  await tx.write(
    `INSERT INTO parties (id, platform_id, kind, name, id_type, id_no, legal_representative, mobile, created_ms) VALUES ${sql.tuples(rows)}`,
  );
}

interface PartyRow {
  id: string;
  platform_id: string;
  kind: PartyKind;
  name: string;
  id_no: string;
  legal_representative: string | null;
  mobile: string | null;
  created_ms: string;
}

export async function loadParties(tx: Tx, ids: readonly Id[]): Promise<Map<Id, StoredParty>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.rows<PartyRow>(
    `SELECT id, platform_id, kind, name, id_no, legal_representative, mobile, created_ms FROM parties WHERE id IN (${ids.join()})`,
  );
  return new Map(
    rows.map((row) => {
      const id = asId(row.id);
      const party: StoredParty = {
        id,
        platformId: asId(row.platform_id),
        kind: row.kind,
        name: row.name,
        idNo: row.id_no,
        legalRepresentative: row.legal_representative ?? undefined,
        mobile: row.mobile ?? undefined,
        createdMs: Number(row.created_ms) as Instant,
      };
      return [id, party];
    }),
  );
}
