import { accountingPage } from './accounting.js';
import { acquirerFilesPage } from './acquirer-files.js';
import { checkFilesPage } from './check-files.js';
import { configPage } from './config.js';
import { errorsPage } from './errors.js';
import { escrowPage } from './escrow.js';
import { parametersPage } from './parameters.js';
import { permissionsPage } from './permissions.js';
import { statesPage } from './states.js';

/** Every document that is made from the code: its file, and what makes it. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/accounting.md': accountingPage,
  'docs/check-files.md': checkFilesPage,
  'docs/acquirer-files.md': acquirerFilesPage,
  'docs/config.md': configPage,
  'docs/errors.md': errorsPage,
  'docs/escrow.md': escrowPage,
  'docs/parameters.md': parametersPage,
  'docs/permissions.md': permissionsPage,
  'docs/states.md': statesPage,
};
