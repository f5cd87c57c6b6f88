import { asId, type BusinessDate, type Id } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import type { Tx } from '../runtime/index.js';
import { type CompiledRule, compileRule } from './rules.js';
import { loadTerms } from './store.js';
import type { AgreementsOf, AgreementVersion, Terms } from './terms.js';

/** What the engine sees of agreements: approved versions alone, each with its rule ready to be evaluated. It changes none. */

interface VersionRow {
  id: string;
  agreement_id: string;
  platform_id: string;
  account_id: string;
  version: number;
  amends: number | null;
  valid_from: BusinessDate;
  valid_to: BusinessDate | null;
  terms_hash: Buffer;
}
interface ReadyTerms {
  readonly terms: Terms;
  readonly rule: CompiledRule;
}

const COLUMNS = 'id, agreement_id, platform_id, account_id, version, amends, valid_from, valid_to, terms_hash';

// Terms never change and are known by their hash, so what was read and compiled once is good for every batch.
const READY_MAX = 10_000;
const ready = new Map<string, ReadyTerms>();

/** By the hash in hex. Only those that were not read before are read. */
async function readyTerms(tx: Tx, hashes: readonly Buffer[]): Promise<Map<string, ReadyTerms>> {
  const found = new Map<string, ReadyTerms>();
  const missing = new Map<string, Buffer>();
  for (const hash of hashes) {
    const key = hash.toString('hex');
    const known = ready.get(key);
    if (known === undefined) missing.set(key, hash);
    else found.set(key, known);
  }
  for (const [key, terms] of await loadTerms(tx, [...missing.values()])) {
    const made = { terms, rule: compileTerms(terms) };
    if (ready.size >= READY_MAX) ready.delete(ready.keys().next().value as string);
    ready.set(key, made);
    found.set(key, made);
  }
  return found;
}

/** The rule of some terms, bound by their caps. */
export function compileTerms({ rule, othersCap, profitMax }: Terms): CompiledRule {
  return compileRule(rule, { others: othersCap, commission: profitMax });
}

async function versionsOf(tx: Tx, where: string): Promise<AgreementVersion[]> {
  const rows = await tx.rows<VersionRow>(`SELECT ${COLUMNS} FROM agreement_versions WHERE ${where}`);
  const terms = await readyTerms(
    tx,
    rows.map((row) => row.terms_hash),
  );
  return rows.map((row) => versionOf(row, terms.get(row.terms_hash.toString('hex')) as ReadyTerms));
}

function versionOf(row: VersionRow, terms: ReadyTerms): AgreementVersion {
  return {
    id: asId(row.id),
    agreementId: asId(row.agreement_id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    version: Number(row.version),
    amends: row.amends === null ? null : Number(row.amends),
    validFrom: row.valid_from,
    validTo: row.valid_to,
    ...terms,
  };
}

/** The seller and everybody whom the rule names. */
function accountsOf({ accountId, rule }: AgreementVersion): Id[] {
  return [accountId, ...rule.receivers.filter((party): party is Id => party !== 'seller' && party !== 'commission')];
}

/** The approved versions of each seller's agreement, by the seller's account, in the order of their numbers. */
export const agreementRecords: RecordType<AgreementsOf> = {
  name: 'agreements',
  accountsOf: () => [],
  async load(tx, keys) {
    const found = new Map<string, { readonly accountId: Id; readonly versions: AgreementVersion[] }>();
    const approved = `account_id IN (${keys.join()}) AND state = 'approved' ORDER BY account_id, version`;
    for (const version of await versionsOf(tx, approved)) {
      const of = found.get(version.accountId) ?? { accountId: version.accountId, versions: [] };
      of.versions.push(version);
      found.set(version.accountId, of);
    }
    return found;
  },
  saving: () => undefined,
};

/** Approved versions by id, ended ones too: what an order was bound to when it was paid. */
export const versionRecords: RecordType<AgreementVersion> = {
  name: 'agreement-version',
  accountsOf,
  async load(tx, keys) {
    const versions = await versionsOf(tx, `id IN (${keys.join()}) AND state = 'approved'`);
    return new Map(versions.map((version) => [version.id, version]));
  },
  saving: () => undefined,
};
