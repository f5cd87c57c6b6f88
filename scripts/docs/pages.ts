import { accountingPage } from './accounting.js';
import { configPage } from './config.js';
import { errorsPage } from './errors.js';
import { statesPage } from './states.js';

/** Every document that is made from the code: its file, and what makes it. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'docs/accounting.md': accountingPage,
  'docs/config.md': configPage,
  'docs/errors.md': errorsPage,
  'docs/states.md': statesPage,
};
