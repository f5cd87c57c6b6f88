import { maskIdNo, maskName } from '../kernel/index.js';
import type { Tx, Vault } from '../runtime/index.js';
import { openSubjects, type Particulars } from './particulars-store.js';
import type { Subject } from './rules.js';

/** For answers: nobody is named whole. */
export function masked({ kind, name, idType, idNo }: Particulars): Particulars {
  return { kind, name: maskName(name), idType, idNo: maskIdNo(idNo) };
}

const UNKNOWN: Particulars = { kind: 'company', name: '', idType: '', idNo: '' };

/** Who these subjects are. */
export async function particularsOf(
  tx: Tx,
  vault: Vault,
  subjects: readonly Subject[],
): Promise<(subject: Subject) => Particulars> {
  const found = await openSubjects(tx, vault, [...new Set(subjects)]);
  return (subject) => found.get(subject) ?? UNKNOWN;
}
