/**
 * The folders of src in the order in which money flows. A folder imports only folders above it. This is the one list: the
 * import rules are made from it, and test/architecture compares it with the folders that exist.
 */
module.exports = [
  'kernel',
  'runtime',
  'migrations',
  'platforms',
  'channels',
  'parties',
  'ledger',
  'accounts',
  'consents',
  'agreements',
  'orders',
  'escrow',
  'claims',
  'refunds',
  'payouts',
  'routing',
  'suspense',
  'reviews',
  'instructions',
  'batches',
  'acquirers',
  'dispatch',
  'reconciliation',
  'clearing',
  'explain',
  'operators',
];
