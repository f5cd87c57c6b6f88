/**
 * Money of outside acquirers (聚合支付): the day files by which they tell what buyers paid for which orders. One of the staff uploads a file, another
 * releases it; then each line is a payment of its order, and their sum, less the acquirer's fee, is what the core bank's statement must show.
 *
 * Guarantees: a file is taken whole or not at all; a file number means one content for ever; a trade of an acquirer becomes one payment, in
 * whatever file it stands. Deliberately absent: nothing here moves money; the kinds `payment` and `acquirer-fee` do.
 */

export type { GiveInstruction as GiveAcquired } from './release.js';
export { acquirerRoutes } from './routes.js';
export { exampleFile, FIELD_FORMS, FILE_COLUMNS } from './rules.js';
export { ACQUIRER_FILE_TRANSITIONS } from './states.js';
