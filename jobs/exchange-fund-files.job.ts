import { exchangeFundFiles } from '../src/fund-exchange/index.js';
import type { JobDefinition } from './job.js';

export const exchangeFundFilesJob: JobDefinition = {
  name: 'exchange-fund-files',
  en: 'hands in orders of fund units, takes what fund companies say of them, and moves the money that is due; key: all',
  zh: '基金数据交换',
  concurrency: 1,
  run: async (desk) => exchangeFundFiles(desk),
};
