import { asId, type Id, type Instant } from '../kernel/index.js';
import { sql, type Tx, type Vault } from '../runtime/index.js';
import { ID_TYPES, type Party, type PartyKind } from './rules.js';

export interface StoredParty extends Party {
  readonly id: Id;
  readonly platformId: Id;
  readonly createdMs: Instant;
}

/** Particulars are sealed; a party is found by the blind index of its identity number (purpose `id:<idType>`). */
export async function insertParties(tx: Tx, vault: Vault, parties: readonly StoredParty[]): Promise<void> {
  if (parties.length === 0) return;
  const sealed = (text: string | undefined) => (text === undefined ? 'NULL' : sql.text(vault.seal(text)));
  const rows = parties.map(
    (p) =>
      `${p.id},${p.platformId},'${p.kind}',${sealed(p.name)},'${ID_TYPES[p.kind]}',${sealed(p.idNo)},` +
      `${sql.hex(vault.index(`id:${ID_TYPES[p.kind]}`, p.idNo))},${sealed(p.legalRepresentative)},${sealed(p.mobile)},${p.createdMs}`,
  );
  await tx.write(
    `INSERT INTO parties (id, platform_id, kind, name, id_type, id_no, id_index, legal_representative, mobile, created_ms)
     VALUES ${sql.tuples(rows)}`,
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

export async function loadParties(tx: Tx, vault: Vault, ids: readonly Id[]): Promise<Map<Id, StoredParty>> {
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
        name: vault.read(row.name),
        idNo: vault.read(row.id_no),
        legalRepresentative: row.legal_representative === null ? undefined : vault.read(row.legal_representative),
        mobile: row.mobile === null ? undefined : vault.read(row.mobile),
        createdMs: Number(row.created_ms) as Instant,
      };
      return [id, party];
    }),
  );
}
