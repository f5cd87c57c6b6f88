import type { Instant } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { type PolicyTable, type ProofNeeded, policyKey } from './policy.js';
import type { Factors } from './records.js';

/** What the bank asks for in the place of the defaults: a handful of rows, read whole. */
export async function loadPolicies(tx: Tx): Promise<PolicyTable> {
  const rows = await tx.rows<{ profile: string; kind: string; needs: Factors; mandates: number }>(
    'SELECT profile, kind, needs, mandates FROM proof_policies',
  );
  return {
    rows: new Map(
      rows.map((row) => [policyKey(row.profile, row.kind), { needs: row.needs, mandates: Number(row.mandates) === 1 }]),
    ),
  };
}

export async function savePolicy(tx: Tx, profile: string, kind: string, asked: ProofNeeded, nowMs: Instant): Promise<void> {
  await tx.write(
    `INSERT INTO proof_policies (profile, kind, needs, mandates, changed_ms) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE needs = VALUES(needs), mandates = VALUES(mandates), changed_ms = VALUES(changed_ms)`,
    [profile, kind, asked.needs, asked.mandates ? 1 : 0, nowMs],
  );
}
