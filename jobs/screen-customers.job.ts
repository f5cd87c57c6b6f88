import { customerLock } from '../src/accounts/index.js';
import { lookAfterCustomers } from '../src/parties/index.js';
import type { JobDefinition } from './job.js';

export const screenCustomersJob: JobDefinition = {
  name: 'screen-customers',
  en: 'holds customers against a new watch list, and asks for copies of identity documents that are due; key: all',
  zh: '名单筛查与证件待办',
  concurrency: 1,
  run: async ({ rt }) => lookAfterCustomers(rt, customerLock(rt)),
};
