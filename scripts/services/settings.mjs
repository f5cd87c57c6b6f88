/**
 * What the books ask of any server they stand on; docker-compose.yml repeats it, and test/architecture compares the two.
 * Durable: a commit that was answered is on disk, in the redo log and in the binary log.
 */
export const DATABASE_SETTINGS = {
  'character-set-server': 'utf8mb4',
  'collation-server': 'utf8mb4_bin',
  'default-time-zone': '+00:00',
  'transaction-isolation': 'READ-COMMITTED',
  'sql-mode':
    'STRICT_TRANS_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
  'innodb-flush-log-at-trx-commit': '1',
  'sync-binlog': '1',
  'server-id': '1',
  'binlog-expire-logs-seconds': '86400',
  'max-binlog-size': '268435456',
  'max-allowed-packet': '67108864',
  'max-connections': '400',
  'innodb-buffer-pool-size': '536870912',
  'innodb-lock-wait-timeout': '5',
};

/** Redis rings bells and wakes readers; it must refuse to write rather than forget silently. */
export const REDIS_SETTINGS = { 'maxmemory-policy': 'noeviction', appendonly: 'yes', save: '' };
