import { closeDueDays } from '../src/clearing/index.js';
import { asId } from '../src/kernel/index.js';
import type { JobDefinition } from './job.js';

export const closeDayJob: JobDefinition = {
  name: 'close-day',
  en: 'closes every day of a platform that is over, in order; key: the platform',
  zh: '日终处理',
  concurrency: 4,
  run: async (desk, key) => (await closeDueDays(desk, asId(key), { inFlow: true })).at(-1)?.state ?? 'nothing',
};
