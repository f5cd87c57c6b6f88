import { DataSource } from 'typeorm';
import { migrations } from './src/migrations/index.js';
import { dataSourceOptions } from './src/runtime/database.js';

/** The DataSource of TypeORM's command line (`typeorm -d ormconfig.ts migration:run`) and of `scripts/migrate.ts`. */
const url = process.env.DATABASE_URL;
if (url === undefined) throw new Error('DATABASE_URL is not set');

export default new DataSource({
  ...dataSourceOptions(url, 2),
  migrations,
  migrationsTableName: 'migrations',
  migrationsTransactionMode: 'none', // DDL commits by itself; a migration is re-runnable instead
});
