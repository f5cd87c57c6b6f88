/**
 * Proof of custody: what the bank keeps for a platform at the end of each business date, signed and chained to the day before.
 *
 * Guarantees: a day is attested once and never otherwise; a proof tells its holder nothing of other accounts; who has the bank's public key
 * needs no more. Deliberately absent: that the signed totals are the sum of the leaves is shown by the audit, which sees all of them, and not by one proof.
 */
export { attestDay, CustodyProofDiffers } from './attest.js';
export { type AuditTally, audit } from './audit.js';
export { proofRoutes } from './routes.js';
