import { takeIncoming } from '../src/dispatch/index.js';
import type { JobDefinition } from './job.js';

export const takeIncomingJob: JobDefinition = {
  name: 'take-incoming',
  en: 'takes transfers to electronic accounts from the core bank, has them decided and answers; key: all',
  zh: '处理电子账户来账',
  concurrency: 1,
  run: async (desk) => takeIncoming(desk),
};
