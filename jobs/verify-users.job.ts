import { customerLock } from '../src/accounts/index.js';
import { askOthers } from '../src/parties/index.js';
import type { JobDefinition } from './job.js';

export const verifyUsersJob: JobDefinition = {
  name: 'verify-users',
  en: 'asks others who users are, after new identity documents and whose accounts of companies are; key: all',
  zh: '实名核验、证件更新与对公账户打款验证',
  concurrency: 1,
  run: async ({ rt, channels }) => askOthers(rt, channels.verification, customerLock(rt)),
};
