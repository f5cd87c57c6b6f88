import type { IdType } from '../../kernel/index.js';

/** Somebody as the watch list finds him: by the blind indexes of his number and his name. */
export interface IndexedIdentity {
  readonly role: string;
  readonly idType: IdType;
  readonly idIndex: Buffer;
  readonly nameIndex: Buffer;
}

/** What an entry of the list says: a number, a name, or both. */
export interface IndexedEntry {
  readonly idType: IdType | null;
  readonly idIndex: Buffer | null;
  readonly nameIndex: Buffer | null;
}

/**
 * Whether an entry may mean somebody. A number means its owner, however he spells his name. A name alone means everybody of that name. Where
 * an entry has both, somebody of the name with another number of the same sort is another person; with another sort of document he
 * may be the same, and a person has to look.
 */
export function isHit(identity: IndexedIdentity, entry: IndexedEntry): boolean {
  const sameName = entry.nameIndex?.equals(identity.nameIndex) ?? false;
  if (entry.idIndex === null || entry.idType === null) return sameName;
  if (entry.idType === identity.idType) return entry.idIndex.equals(identity.idIndex);
  return sameName;
}
