import { asId, type BusinessDate, type Id } from '../kernel/index.js';
import type { RecordType } from '../ledger/index.js';
import { type CompiledRule, compileRule } from './rules.js';
import type { AgreementsOf, AgreementVersion, Terms } from './terms.js';
import { readTerms } from './wire.js';

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
  terms: string;
  content_hash: Buffer;
}

const COLUMNS = 'id, agreement_id, platform_id, account_id, version, amends, valid_from, valid_to, terms, content_hash';

// Terms never change, so what was read and compiled once is good for every batch.
const READY_MAX = 10_000;
const ready = new Map<string, { readonly terms: Terms; readonly rule: CompiledRule }>();

function readyOf({ id, content_hash, terms: json }: VersionRow): { readonly terms: Terms; readonly rule: CompiledRule } {
  const key = `${id}:${content_hash.toString('hex')}`;
  const known = ready.get(key);
  if (known !== undefined) return known;
  const terms = readTerms(json);
  const made = { terms, rule: compileTerms(terms) };
  if (ready.size >= READY_MAX) ready.delete(ready.keys().next().value as string);
  ready.set(key, made);
  return made;
}

/** The rule of some terms, bound by their caps. */
export function compileTerms({ rule, othersCap, profitMax }: Terms): CompiledRule {
  return compileRule(rule, { others: othersCap, commission: profitMax });
}

function versionOf(row: VersionRow): AgreementVersion {
  return {
    id: asId(row.id),
    agreementId: asId(row.agreement_id),
    platformId: asId(row.platform_id),
    accountId: asId(row.account_id),
    version: Number(row.version),
    amends: row.amends === null ? null : Number(row.amends),
    validFrom: row.valid_from,
    validTo: row.valid_to,
    ...readyOf(row),
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
    const rows = await tx.rows<VersionRow>(
      `SELECT ${COLUMNS} FROM agreement_versions WHERE account_id IN (${keys.join()}) AND state = 'approved' ORDER BY account_id, version`,
    );
    const found = new Map<string, { readonly accountId: Id; readonly versions: AgreementVersion[] }>();
    for (const row of rows) {
      const of = found.get(row.account_id) ?? { accountId: asId(row.account_id), versions: [] };
      of.versions.push(versionOf(row));
      found.set(row.account_id, of);
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
    const rows = await tx.rows<VersionRow>(
      `SELECT ${COLUMNS} FROM agreement_versions WHERE id IN (${keys.join()}) AND state = 'approved'`,
    );
    return new Map(rows.map((row) => [row.id, versionOf(row)]));
  },
  saving: () => undefined,
};
