import type { Tx, Vault } from '../runtime/index.js';
import type { Subject, SubjectKind } from './rules.js';

/** Who a subject is, opened. */
export interface Particulars {
  readonly kind: SubjectKind;
  readonly name: string;
  readonly idType: string;
  readonly idNo: string;
}

interface PartyRow {
  subject: Buffer;
  kind: SubjectKind;
  name: string;
  id_type: string;
  id_no: string;
}

const SOURCES = [
  [
    'party',
    'SELECT s.subject, s.kind, p.name, p.id_type, p.id_no FROM supervised_subjects AS s JOIN parties AS p ON p.id = s.ref_id',
  ],
  [
    'customer',
    `SELECT s.subject, s.kind, p.name_sealed AS name, p.id_type, p.id_no_sealed AS id_no
     FROM supervised_subjects AS s JOIN customers AS p ON p.id = s.ref_id`,
  ],
  [
    'platform',
    `SELECT s.subject, s.kind, p.name, IF(p.uscc IS NULL, '', 'uscc') AS id_type, COALESCE(p.uscc, '') AS id_no
     FROM supervised_subjects AS s JOIN platforms AS p ON p.id = s.ref_id`,
  ],
] as const;

/** The particulars of subjects, from where each was found. */
export async function openSubjects(tx: Tx, vault: Vault, subjects: readonly Subject[]): Promise<Map<Subject, Particulars>> {
  const found = new Map<Subject, Particulars>();
  if (subjects.length === 0) return found;
  const list = subjects.map((subject) => `x'${subject}'`).join();
  for (const [source, query] of SOURCES) {
    const rows = await tx.rows<PartyRow>(`${query} WHERE s.found_in = '${source}' AND s.subject IN (${list})`);
    for (const row of rows) {
      const { kind, id_type: idType } = row;
      found.set(row.subject.toString('hex'), { kind, idType, name: vault.read(row.name), idNo: vault.read(row.id_no) });
    }
  }
  return found;
}
